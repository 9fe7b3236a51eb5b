"""Pictures shown as other classes: which ones, as which, and in which columns."""

from collections.abc import Sequence

import numpy as np

from keras_cvaegan import applications, pictures
from keras_cvaegan.applications.inputs import need_classes, own_labels
from keras_cvaegan.models import GenerativeModel
from trainers.applications.encoding import load_encoding_model
from trainers.pictures.given import labels_of_pictures, read_pictures
from trainers.pictures.held_out import HeldOut
from trainers.pictures.named import NamedPictures


def load_model(run_dir: str, find_codes: int | None) -> GenerativeModel:
    """Returns a run's model, which encodes pictures and has classes.

    Args:
        run_dir: folder of the run.
        find_codes: steps of optimisation by which codes are found, see `load_encoding_model`.

    Raises:
        ValueError: for a run without a model, or a model without an encoder or classes.
    """
    model = load_encoding_model(run_dir, find_codes)
    need_classes(model)
    return model


def given_pictures(
    model: GenerativeModel, texts: Sequence[str], labels: str | None, max_pictures: int
) -> NamedPictures:
    """Returns the pictures of `--pictures`, with labels where they are given.

    Args:
        model: model that is to encode them.
        texts: values of the flag, see `picture_paths`.
        labels: value of `--labels`.
        max_pictures: number of pictures that the flag takes.

    Raises:
        ValueError: for pictures or labels that the model does not take.
    """
    found = read_pictures(texts, "pictures", model, max_pictures)
    known = labels_of_pictures(labels, len(found), model.class_names)
    return NamedPictures(found.images, found.names, known)


def held_out_pictures(
    run_dir: str, model: GenerativeModel, labels: Sequence[int] | None, count: int, seed: int
) -> NamedPictures:
    """Returns held-out pictures of a run's data, see `HeldOut.draw_in_turn`.

    Args:
        run_dir: folder of the run.
        model: model of the run.
        labels: classes of the pictures in turn; None for all, by lot.
        count: number of the pictures.
        seed: seed of the draw.

    Raises:
        ValueError: for data that are not those of the model, or a class with too few pictures.
    """
    return HeldOut(run_dir, model).draw_in_turn(labels, count, seed)


def transfers(
    model: GenerativeModel, taken: NamedPictures, targets: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Shows pictures as other classes.

    Args:
        model: model with an encoder and classes.
        taken: pictures; labels that are not known are guessed.
        targets: classes to show them as.

    Returns:
        The labels of the pictures, and rows of a picture, its reconstruction and what it is as
        each target, uint8 (n, 2 + targets, height, width, 3).
    """
    labels = own_labels(model, taken.images, taken.labels).argmax(axis=1)
    reconstructed = applications.reconstruct(model, taken.images, labels)
    columns = [taken.images, pictures.to_uint8(reconstructed)]
    for target in targets:
        of_target = applications.transfer(model, taken.images, np.full(len(taken), target), labels)
        columns.append(pictures.to_uint8(of_target))
    return labels, np.stack(columns, axis=1)
