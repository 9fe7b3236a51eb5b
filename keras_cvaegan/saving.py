"""Loading a saved model."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import keras

from keras_cvaegan import models


def load(
    path: str | os.PathLike,
) -> models.GenerativeModel | models.ClusterGuidedGenerator:
    """Loads a model from a `.keras` file or a run directory.

    Args:
        path: path of the file, or of a directory that holds `model.keras`.

    Returns:
        The model, compiled as it was saved.

    Raises:
        ValueError: when there is no such file, or it is not a model of keras_cvaegan.

    Example:

    >>> import tempfile
    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     model.save(f"{directory}/model.keras")
    ...     load(directory).num_classes
    2
    """
    path = Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(
            f"There is no model at {str(file)!r}. Give a .keras file, or the directory of a "
            "finished run of trainers.fit."
        )
    try:
        model = keras.saving.load_model(file)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(file)!r} is not a model that keras_cvaegan can load: {error}"
        ) from error
    if not isinstance(model, models.GenerativeModel | models.ClusterGuidedGenerator):
        raise ValueError(
            f"{str(file)!r} holds a {type(model).__name__}. Allowed: a model of "
            "keras_cvaegan.models."
        )
    return model
