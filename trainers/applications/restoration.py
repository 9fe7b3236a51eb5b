"""What programs share that restore damaged pictures by several models, side by side."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from keras_cvaegan.models import GenerativeModel
from trainers.applications.encoding import load_encoding_model, source_of_labels
from trainers.pictures.given import labels_of_pictures, read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import NamedPictures

BATCH_SIZE = 128


def rounds_text(number: int) -> str:
    """Returns what tables call a number of rounds.

    Example:

    >>> rounds_text(1), rounds_text(5)
    ('1 round', '5 rounds')
    """
    return "1 round" if number == 1 else f"{number} rounds"


def load_models(run_dirs: Sequence[str], find_codes: int | None) -> dict[str, GenerativeModel]:
    """Returns the models of runs by what tables call them: the class, with the run where needed.

    Args:
        run_dirs: folders of the runs.
        find_codes: steps of optimisation by which codes are found, see `load_encoding_model`.

    Raises:
        ValueError: for a run without a model, a model without an encoder, or models of different
            data.
    """
    different = dict.fromkeys(run_dirs)
    models = {run_dir: load_encoding_model(run_dir, find_codes) for run_dir in different}
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


def given_labels(
    text: str | None, count: int, models: Iterable[GenerativeModel]
) -> np.ndarray | None:
    """Returns the labels that `--labels` gives `--pictures`: see `labels_of_pictures`.

    Args:
        text: value of the flag.
        count: number of the pictures.
        models: models that are to restore them.

    Raises:
        ValueError: for models without classes, or labels that they do not take.
    """
    names = next((model.class_names for model in models if model.conditional), ())
    if text is not None and not names:
        raise ValueError("--labels are for models with classes. These have none.")
    return labels_of_pictures(text, count, names)


def given_pictures(
    texts: Sequence[str], labels: str | None, models: Sequence[GenerativeModel]
) -> NamedPictures:
    """Returns the pictures of `--pictures`, at the size of the models', with those of `--labels`.

    Args:
        texts: values of `--pictures`, see `picture_paths`.
        labels: value of `--labels`.
        models: models that are to restore them.

    Raises:
        ValueError: for pictures or labels that the models do not take.
    """
    found = read_pictures(texts, "pictures", models[0])
    return NamedPictures(found.images, found.names, given_labels(labels, len(found), models))


def held_out_pictures(
    run_dir: str, models: Sequence[GenerativeModel], count: int, seed: int
) -> NamedPictures:
    """Returns held-out pictures of the data of a run, by lot: see `HeldOut.draw`.

    Args:
        run_dir: folder of the run.
        models: models that are to restore them.
        count: number of the pictures.
        seed: seed of the draw.

    Raises:
        ValueError: when the data are not those of the models, or cannot be used.
    """
    return HeldOut(run_dir, *models).draw(count, seed)


def label_sources(models: Mapping[str, GenerativeModel], known: bool) -> dict[str, str]:
    """Returns `source_of_labels` of each model, by what tables call it.

    Args:
        models: models by what tables call them.
        known: whether the labels of the pictures are known.

    Raises:
        ValueError: for a model that needs labels and can neither be given nor guess them.
    """
    return {title: source_of_labels(model, known) for title, model in models.items()}


def label_sources_text(sources: Mapping[str, str]) -> str:
    """Returns `label_sources` in a sentence.

    Example:

    >>> label_sources_text({"VAE": "not needed", "CVAE": "given"})
    'Labels: VAE: not needed; CVAE: given.'
    """
    return f"Labels: {'; '.join(f'{title}: {source}' for title, source in sources.items())}."
