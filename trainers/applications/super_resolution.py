"""What enlarges small pictures, and how near that comes to the large ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import back_project, enlarge, super_resolve
from keras_cvaegan.metrics import ssim
from keras_cvaegan.metrics.reconstruction import error_figures, squared_errors
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.applications.restoration import BATCH_SIZE, rounds_text
from trainers.applications.small_pictures import SmallPictures
from trainers.pictures.given import picture_side
from trainers.reports.tables import markdown, number

SMALL, BICUBIC, AGREEING = "small", "bicubic", "bicubic, made to agree"

Enlarger = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Takes small pictures, uint8, and labels; returns large ones, float in [−1, 1]."""

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Figures by factor, by what enlarged, and by name."""


def enlargers(models: Mapping[str, GenerativeModel], rounds: Sequence[int]) -> dict[str, Enlarger]:
    """Returns what enlarges pictures, by what tables call it: first the bicubic ones.

    Args:
        models: models of square pictures of one size, by what tables call them.
        rounds: numbers of rounds of each model.
    """
    side = picture_side(next(iter(models.values())))

    def bicubic(small: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        return enlarge(pictures.from_uint8(small), side // small.shape[1])

    def agreeing(small: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        return back_project(bicubic(small, labels), pictures.from_uint8(small))

    def of_model(model: GenerativeModel, after: int) -> Enlarger:
        return lambda small, labels: super_resolve(model, small, labels, rounds=after)

    found = {BICUBIC: bicubic, AGREEING: agreeing}
    for title, model in models.items():
        for after in rounds:
            found[f"{title}, {rounds_text(after)}"] = of_model(model, after)
    return found


def measure(title: str, group: SmallPictures, enlarger: Enlarger) -> dict[str, float]:
    """Enlarges pictures, a batch at a time, compares them with the originals, and shows how far.

    Args:
        title: name of what enlarges, to show how far it is.
        group: pictures with originals; labels that are not known are guessed.
        enlarger: function that enlarges them, see `Enlarger`.

    Returns:
        `psnr` in dB and `ssim`, means over pictures.
    """
    count, labels = len(group.small), group.small.labels

    def parts() -> Iterator[tuple[np.ndarray, slice]]:
        for start in range(0, count, BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            yield group.originals[rows], rows

    errors, similarities = [], []
    for originals, rows in counted(f"×{group.factor}, {title}", parts(), count):
        enlarged = enlarger(group.small.images[rows], None if labels is None else labels[rows])
        errors.append(squared_errors(originals, enlarged))
        similarities.append(ssim(originals, pictures.to_uint8(enlarged)))
    _, psnr = error_figures(np.concatenate(errors))
    return {"psnr": psnr, "ssim": float(np.concatenate(similarities).mean())}


def shown_rows(
    group: SmallPictures, by_title: Mapping[str, Enlarger], shown: int
) -> dict[str, np.ndarray]:
    """Returns rows of the first pictures, uint8 (n, side, side, 3), by what they show.

    Args:
        group: pictures to enlarge.
        by_title: functions that enlarge them, see `enlargers`.
        shown: number of pictures in a row.
    """
    small, labels = group.small.images[:shown], group.small.labels
    labels = None if labels is None else labels[:shown]
    rows = {SMALL: small.repeat(group.factor, axis=1).repeat(group.factor, axis=2)}
    for title, enlarger in by_title.items():
        rows[title] = pictures.to_uint8(enlarger(small, labels))
    if group.originals is not None:
        rows["original"] = group.originals[:shown]
    return rows


def table(figures: Figures) -> str:
    """Returns PSNR and SSIM of each factor, as Markdown.

    Example:

    >>> print(table({"x2": {"bicubic": {"psnr": 29.5, "ssim": 0.9}}}))
    |         | x2 psnr | x2 ssim |
    |:--------|--------:|--------:|
    | bicubic |  29.500 |   0.900 |
    """
    first = next(iter(figures.values()))
    titles = [f"{name} {figure}" for name in figures for figure in next(iter(first.values()))]
    rows = [
        [
            title,
            *(number(value) for by_title in figures.values() for value in by_title[title].values()),
        ]
        for title in first
    ]
    return markdown(["", *titles], rows)


def highest(figures: Figures) -> list[str]:
    """Returns what has the highest of each figure in a `table`.

    Example:

    >>> figures = {"bicubic": {"psnr": 30.0, "ssim": 0.8}, "VAE": {"psnr": 29.0, "ssim": 0.9}}
    >>> highest({"x2": figures})
    ['x2 psnr: bicubic', 'x2 ssim: VAE']
    """
    return [
        f"{name} {figure}: {max(by_title, key=lambda title: by_title[title][figure])}"
        for name, by_title in figures.items()
        for figure in next(iter(by_title.values()))
    ]
