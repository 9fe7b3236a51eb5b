"""What programs share that restore damaged pictures by several models, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from trainers.pictures.encoding import load_encoding
from trainers.pictures.given import labels_of_pictures, read_pictures, source_of_labels
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import Pictures

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel


def rounds_text(number: int) -> str:
    """Returns what tables call a number of rounds."""
    return "1 round" if number == 1 else f"{number} rounds"


def load_models(run_dirs: Sequence[str], values: FlagValues) -> dict[str, GenerativeModel]:
    """Returns the models of runs by what tables call them: the class, with the run where needed.

    Raises:
        ValueError: for a run without a model, a model without an encoder, or models of different
            data.
    """
    models = {run_dir: load_encoding(run_dir, values) for run_dir in dict.fromkeys(run_dirs)}
    for (one, model), (other, another) in itertools.combinations(models.items(), 2):
        both = model.conditional and another.conditional
        if model.image_shape != another.image_shape or (
            both and model.class_names != another.class_names
        ):
            raise ValueError(
                f"--against takes runs on the same data. Received: {one!r}, of pictures "
                f"{model.image_shape} and {_few(model.class_names)}, and {other!r}, of "
                f"{another.image_shape} and {_few(another.class_names)}."
            )
    kinds = [type(model).__name__ for model in models.values()]
    return {
        kind if kinds.count(kind) == 1 else f"{kind} ({run_dir})": model
        for kind, (run_dir, model) in zip(kinds, models.items(), strict=True)
    }


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def check_labels(values: FlagValues) -> None:
    """Checks that `--labels` come with `--pictures`.

    Raises:
        ValueError: otherwise.
    """
    if values.labels is not None and not values.pictures:
        raise ValueError("--labels are those of --pictures; held-out pictures have their own.")


def given_labels(
    text: str | None, count: int, models: Iterable[GenerativeModel]
) -> np.ndarray | None:
    """Returns the labels that `--labels` gives `--pictures`: see `labels_of_pictures`.

    Args:
        text: of the flag.
        count: of the pictures.
        models: that are to restore them.

    Raises:
        ValueError: for models without classes, or labels that they do not take.
    """
    names = next((model.class_names for model in models if model.conditional), ())
    if text is not None and not names:
        raise ValueError("--labels are for models with classes. These have none.")
    return labels_of_pictures(text, count, names)


def given_pictures(values: FlagValues, models: Sequence[GenerativeModel]) -> Pictures:
    """Returns the pictures of `--pictures`, at the size of the models', with those of `--labels`.

    Raises:
        ValueError: for pictures or labels that the models do not take.
    """
    found = read_pictures(values.pictures, "pictures", models[0])
    labels = given_labels(values.labels, len(found), models)
    return Pictures(found.images, found.names, labels)


def held_out_pictures(values: FlagValues, models: Sequence[GenerativeModel]) -> Pictures:
    """Returns held-out pictures of the data of `--run_dir`, by lot: see `HeldOut.draw`.

    Raises:
        ValueError: when the data are not those of the models, or cannot be used.
    """
    held_out = HeldOut(values.run_dir)
    for model in models:
        held_out.check_model(model)
    return held_out.draw(values.count, values.seed)


def label_sources(models: Mapping[str, GenerativeModel], known: bool) -> dict[str, str]:
    """Returns `source_of_labels` of each model, by what tables call it.

    Raises:
        ValueError: for a model that needs labels and can neither be given nor guess them.
    """
    return {title: source_of_labels(model, known) for title, model in models.items()}


def print_label_sources(sources: Mapping[str, str]) -> None:
    """Prints what `label_sources` returns."""
    print(f"Labels: {'; '.join(f'{title}: {how}' for title, how in sources.items())}.")
