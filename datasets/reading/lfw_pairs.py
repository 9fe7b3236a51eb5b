"""Pairs of pictures that are or are not of one person, as Labeled Faces in the Wild lists them."""

import dataclasses
import itertools
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from datasets.reading import files
from datasets.reading.lfw_folder import people_in
from keras_cvaegan import pictures
from keras_cvaegan.metrics import verification

LIST = "pairs.txt"
_FORM = "Ann_Example<tab>1<tab>2, or Ann_Example<tab>1<tab>Bob_Example<tab>3"

Picture = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two pictures, each by its person and its number.

    Args:
        fold: number of the fold, from 0.
        first: first picture.
        second: second picture.
    """

    fold: int
    first: Picture
    second: Picture

    @property
    def same(self) -> bool:
        """Whether both are of one person."""
        return self.first[0] == self.second[0]


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs with their pictures.

    Args:
        images: pictures, each once, `uint8 (n, side, side, 3)`.
        first: rows in `images` of the first picture of each pair.
        second: rows of the second one.
        same: whether both are of one person, bool `(n,)`.
        folds: number of each pair's fold.
        left_out: number of pairs of people that are among the classes of the training.
    """

    images: np.ndarray
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    folds: np.ndarray
    left_out: int

    def verify(self, features_of: Callable[[np.ndarray], np.ndarray]) -> verification.Verification:
        """Measures features by the pairs: see `metrics.verification.verify`.

        Args:
            features_of: function of uint8 images that returns their features, `(n, d)`.
        """
        features = features_of(self.images)
        similarities = verification.cosine_similarities(features[self.first], features[self.second])
        return verification.verify(similarities, self.same, self.folds)


def parse_pairs(text: str) -> list[Pair]:
    """Returns the pairs of a `pairs.txt`.

    Its first line has the number of folds and of pairs of each kind in a fold; each fold has as
    many lines of one person, a name and two numbers, and then of two, names and numbers.

    Args:
        text: contents of the file.

    Raises:
        ValueError: for anything else.

    Example:

    >>> text = "2 1\\nAnn 1 2\\nAnn 1 Bob 1\\nBob 1 3\\nBob 2 Cy 1\\n"
    >>> [(pair.fold, pair.same) for pair in parse_pairs(text)]
    [(0, True), (0, False), (1, True), (1, False)]
    """
    lines = [_fields(line) for line in text.splitlines() if line.strip()]
    try:
        folds, of_kind = map(int, lines[0])
    except (IndexError, ValueError):
        first = " ".join(lines[0]) if lines else ""
        raise ValueError(
            f"The first line of {LIST} must have the number of folds and of pairs of each kind in "
            f"a fold, as in 10<tab>300. Received: {first!r}."
        ) from None
    if folds < 2 or of_kind < 1 or len(lines) - 1 != 2 * folds * of_kind:
        raise ValueError(
            f"{LIST} must have two folds or more, and the lines that its first one says. Received: "
            f"{folds} folds of {of_kind} + {of_kind} pairs in {len(lines) - 1} lines."
        )
    return [
        _pair(number // (2 * of_kind), line, number % (2 * of_kind) < of_kind)
        for number, line in enumerate(lines[1:])
    ]


def _fields(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t") if "\t" in line else line.split()


def _pair(fold: int, fields: list[str], same: bool) -> Pair:
    try:
        if same:
            name, first, second = fields
            return Pair(fold, (name, int(first)), (name, int(second)))
        name, first, other, second = fields
        return Pair(fold, (name, int(first)), (other, int(second)))
    except ValueError:
        raise ValueError(
            f"A line of {LIST} must be like {_FORM}, those of one person first in each fold. "
            f"Received: {' '.join(fields)!r}."
        ) from None


def read_pairs(
    folder: str | Path, image_size: int, without: Collection[str] = (), show: Callable = print
) -> Pairs:
    """Reads the pictures of a folder's `pairs.txt`.

    Args:
        folder: folder of `pairs.txt`, and of the pictures as the data set `lfw` takes them.
        image_size: height and width of the pictures, in pixels.
        without: names of people, as of classes: pairs with one of them are left out.
        show: function that is told in a line how far it is.

    Raises:
        ValueError: where list or pictures are missing, or no two folds are left.
    """
    folder = Path(folder).expanduser()
    if not (folder / LIST).is_file():
        raise ValueError(
            f"There is no {str(folder / LIST)!r}: --verification takes the folder of Labeled Faces "
            f"in the Wild, with its {LIST}."
        )
    pairs = parse_pairs((folder / LIST).read_text("utf-8"))
    known = {name.replace("_", " ") for name in without}
    kept = [
        pair
        for pair in pairs
        if not known & {name.replace("_", " ") for name, _ in (pair.first, pair.second)}
    ]
    if len({pair.fold for pair in kept}) < 2:
        raise ValueError(
            f"Of {len(pairs):,} pairs {len(kept):,} are without people that are classes of the "
            "training, in fewer than two folds: train on other people."
        )
    wanted = list(dict.fromkeys(itertools.chain(*((pair.first, pair.second) for pair in kept))))
    images = _read(folder, wanted, image_size, show)
    rows = {picture: row for row, picture in enumerate(wanted)}
    return Pairs(
        images,
        np.array([rows[pair.first] for pair in kept]),
        np.array([rows[pair.second] for pair in kept]),
        np.array([pair.same for pair in kept]),
        np.array([pair.fold for pair in kept]),
        len(pairs) - len(kept),
    )


def _read(
    folder: Path, wanted: Sequence[Picture], image_size: int, show: Callable[[str], None]
) -> np.ndarray:
    root, found = people_in(folder)
    paths = {
        (name, int(Path(path).stem.rpartition("_")[2])): path
        for name, of_person in found.items()
        for path in sorted(of_person, key=files.natural, reverse=True)
    }
    missing = [f"{name} {number}" for name, number in wanted if (name, number) not in paths]
    if missing:
        raise ValueError(
            f"{len(missing):,} of {len(wanted):,} pictures of {LIST} are not in {str(root)!r}, "
            f"such as {missing[0]}: unpack the whole data set there."
        )
    show(f"Reading {len(wanted):,} pictures of pairs …")
    images = [pictures.read_picture(root / paths[picture], image_size) for picture in wanted]
    return np.stack(images)
