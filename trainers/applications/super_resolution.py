"""Small pictures: where they are from, what enlarges them, and how near that comes."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.applications import back_project, enlarge, shrink, super_resolve
from keras_cvaegan.metrics import ssim
from keras_cvaegan.metrics.reconstruction import error_figures, squared_errors
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.progress import counted
from trainers.applications.restoration import BATCH_SIZE, given_labels, rounds_text
from trainers.command_line.flags import to_integer
from trainers.pictures.given import picture_paths, picture_side
from trainers.pictures.named import NamedPictures
from trainers.reports.tables import markdown, number

SMALL, BICUBIC, AGREEING = "small", "bicubic", "bicubic, made to agree"

Enlarger = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Takes small pictures, uint8, and labels; returns large ones, float in [−1, 1]."""

Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By factor, what enlarged, and the figure's name."""


@dataclasses.dataclass(frozen=True)
class SmallPictures:
    """Small pictures of one size.

    Args:
        factor: number by which height and width are to be multiplied.
        small: pictures at their own size.
        originals: large pictures, uint8 (n, side, side, 3); None where they are not known.
    """

    factor: int
    small: NamedPictures
    originals: np.ndarray | None = None

    @property
    def title(self) -> str:
        """What tables and files call it."""
        return f"x{self.factor}"

    def without_labels(self) -> "SmallPictures":
        """Returns the same pictures, of which no labels are known."""
        return dataclasses.replace(self, small=dataclasses.replace(self.small, labels=None))


def parse_factors(text: str, side: int) -> list[int]:
    """Returns the factors that `--factors` lists, each once, in ascending order.

    Args:
        text: value of the flag.
        side: side of the large pictures.

    Raises:
        ValueError: for what does not divide the side, or is below 2.

    Example:

    >>> parse_factors("4,2", side=32)
    [2, 4]
    """
    factors = {to_integer(part, "--factors") for part in text.split(",")}
    for factor in factors:
        if factor not in _divisors(side):
            allowed = ", ".join(map(str, _divisors(side)))
            raise ValueError(
                f"--factors takes whole numbers that divide the pictures' side, {side}: {allowed}. "
                f"Received: {factor}."
            )
    return sorted(factors)


def _divisors(side: int) -> list[int]:
    return [factor for factor in range(2, side + 1) if side % factor == 0]


def given_pictures(
    texts: Sequence[str], labels: str | None, models: Sequence[GenerativeModel]
) -> list[SmallPictures]:
    """Returns the pictures of `--pictures` by factor, the lowest first.

    Args:
        texts: values of `--pictures`, see `picture_paths`.
        labels: value of `--labels`.
        models: models that are to enlarge them.

    Raises:
        ValueError: for pictures or labels that the models do not take.
    """
    found, names = read_small(texts, picture_side(models[0]))
    known = given_labels(labels, len(found), models)
    factors = np.array([models[0].image_shape[0] // len(picture) for picture in found])
    groups = []
    for factor in np.unique(factors).tolist():
        rows = np.flatnonzero(factors == factor)
        small = NamedPictures(
            np.stack([found[row] for row in rows]),
            [names[row] for row in rows],
            None if known is None else known[rows],
        )
        groups.append(SmallPictures(factor, small))
    return groups


def read_small(texts: Sequence[str], side: int) -> tuple[list[np.ndarray], list[str]]:
    """Reads the small pictures that `--pictures` names, as they are.

    Args:
        texts: values of the flag, see `picture_paths`.
        side: side of the pictures that they are to be enlarged to.

    Returns:
        The pictures, uint8 (side / factor, side / factor, 3) each, and their names.

    Raises:
        ValueError: for files that are missing, no pictures or of another size; it names the file.
    """
    sides = [side // factor for factor in _divisors(side)]
    paths = picture_paths(texts, "pictures")
    found = [pictures.read_picture(path) for path in paths]
    for path, picture in zip(paths, found, strict=True):
        height, width, _ = picture.shape
        if height != width or height not in sides:
            allowed = ", ".join(f"{each}×{each}" for each in sides)
            raise ValueError(
                f"--pictures takes small ones, of {allowed} pixels for a model of {side}×{side}. "
                f"Received: {str(path)!r}, which has {width}×{height}."
            )
    return found, [str(path) for path in paths]


def reduced_pictures(taken: NamedPictures, factors: Sequence[int]) -> list[SmallPictures]:
    """Returns pictures reduced by each of some factors."""
    return [
        SmallPictures(
            factor,
            dataclasses.replace(taken, images=reduce_pictures(taken.images, factor)),
            taken.images,
        )
        for factor in factors
    ]


def reduce_pictures(images: np.ndarray, factor: int) -> np.ndarray:
    """Returns the means over squares of pixels, rounded to uint8.

    Example:

    >>> reduce_pictures(np.array([[[[0], [255]], [[254], [255]]]], np.uint8), 2)
    array([[[[191]]]], dtype=uint8)
    """
    return np.rint(shrink(images, factor)).astype(np.uint8)


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
        enlarger: see `Enlarger`.

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
        by_title: what enlarges them, see `enlargers`.
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
        [title, *(number(value) for of in figures.values() for value in of[title].values())]
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
        f"{name} {figure}: {max(of, key=lambda title: of[title][figure])}"
        for name, of in figures.items()
        for figure in next(iter(of.values()))
    ]
