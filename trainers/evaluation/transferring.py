"""What becomes of held-out pictures that a model shows as other classes."""

from typing import Any

import numpy as np

from keras_cvaegan import applications, pictures
from keras_cvaegan.applications.picture_codes import picture_codes
from keras_cvaegan.metrics.transfer import FRAME, RelativeChange, frames
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.evaluation.real_side import BATCH_SIZE, RealSide, batches
from trainers.reports import picture_grids

MAX_PICTURES = 1000
_SHOWN_PICTURES, _SHOWN_CLASSES = 8, 5


def transfer(
    model: GenerativeModel, real_side: RealSide, seed: int
) -> tuple[dict[str, float | None], dict[str, Any], picture_grids.PictureGrid]:
    """Shows held-out pictures as another class each, by lot, and measures what that changes.

    `transfer_accuracy` is the share that the judge gives the class they are shown as.
    `transfer_code_change` and `transfer_frame_change` say how much else changed, see
    `RelativeChange`: the codes that the encoder finds before and after, which stand for pose and
    place, and the pixels near the edges.

    Args:
        model: model with an encoder and more than one class.
        real_side: held-out pictures and their judge.
        seed: seed of the pictures and of the classes that they are shown as.

    Returns:
        The figures, the settings they were taken with, and a grid of some pictures.
    """
    random = np.random.default_rng(seed)
    num_classes = len(real_side.class_names)
    rows = np.sort(random.permutation(real_side.test_rows)[:MAX_PICTURES])
    own = np.asarray(real_side.test.labels)[rows]
    others = (own + random.integers(1, num_classes, len(rows))) % num_classes
    codes, edges, right = RelativeChange(), RelativeChange(), 0
    stream = counted("Shown as other classes", batches(real_side.test, rows), len(rows))
    parts = np.split(others, range(BATCH_SIZE, len(rows), BATCH_SIZE))
    for (images, labels), targets in zip(stream, parts, strict=True):
        changed = pictures.to_uint8(applications.transfer(model, images, targets, labels))
        (before, _), (after, _) = (
            picture_codes(model, *pair) for pair in ((images, labels), (changed, targets))
        )
        codes.update_state(before, after)
        edges.update_state(frames(images), frames(changed))
        _, probabilities = real_side.judge(changed)
        right += int(np.sum(probabilities.argmax(axis=1) == targets))
    figures = {
        "transfer_accuracy": right / len(rows),
        "transfer_code_change": codes.result(),
        "transfer_frame_change": edges.result(),
    }
    settings = {"pictures": len(rows), "seed": seed, "frame": FRAME}
    return figures, settings, _grid(model, real_side, rows, random)


def _grid(
    model: GenerativeModel, real_side: RealSide, rows: np.ndarray, random: np.random.Generator
) -> picture_grids.PictureGrid:
    """Some pictures, each under every one of some classes."""
    chosen = np.sort(random.permutation(rows)[:_SHOWN_PICTURES])
    targets = np.sort(random.permutation(len(real_side.class_names))[:_SHOWN_CLASSES])
    [(images, labels)] = batches(real_side.test, chosen)
    columns = [applications.reconstruct(model, images, labels)]
    for target in targets:
        given = np.full(len(images), target)
        columns.append(applications.transfer(model, images, given, labels))
    return picture_grids.transferred(
        images,
        [pictures.to_uint8(column) for column in columns],
        ["reconstructed", *(model.class_names[target] for target in targets)],
    )
