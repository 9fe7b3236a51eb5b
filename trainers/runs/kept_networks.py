"""Networks that programs train to measure with, kept beside what they were trained on."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from keras_cvaegan.files import replacing
from keras_cvaegan.training.run_directory import read_json, write_json


def kept_or_trained(
    path: Path, about: Mapping[str, Any], what: str, train: Callable[[], keras.Model]
) -> keras.Model:
    """Returns the network that is kept in a file, or trains it and keeps it there.

    Args:
        path: path of the `.keras` file; its description is in the `.json` file beside it.
        about: description of the network and of what it learns from, as JSON has it. Another one is
            trained where what is kept is of anything else.
        what: name of the network, for messages.
        train: function that trains and returns it.

    Raises:
        OSError: when it cannot be kept.
    """
    kept = _kept(path, about, what)
    if kept is not None:
        return kept
    began = time.monotonic()
    network = train()
    print(f"… done in {time.monotonic() - began:.0f} s: {path}")
    path.with_suffix(".json").unlink(missing_ok=True)
    with replacing(path, ending=".keras") as partial:
        network.save(partial)
    write_json(path.with_suffix(".json"), about)
    return network


def _kept(path: Path, about: Mapping[str, Any], what: str) -> keras.Model | None:
    """The network that is kept; None, said in a line, where it does not serve."""
    if not (path.is_file() and path.with_suffix(".json").is_file()):
        return None
    try:
        if read_json(path.with_suffix(".json")) == about:
            return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile):
        print(f"The kept {what} cannot be read: training another. It was {str(path)!r}.")
        return None
    print(f"The kept {what} is of other data or settings: training another.")
    return None
