"""`facescrub`: about 100,000 faces of 530 people (Ng and Winkler, 2014).

The data set itself is two lists, `facescrub_actors.txt` and `facescrub_actresses.txt`, which its
authors give at https://vintage.winklerbros.net/facescrub.html: for each face the person's name, the
picture's URL and SHA-256, and the face's box. Programs download the pictures; what the common ones
write is read from `data_dir`:

| file, anywhere below `data_dir` | what |
|---|---|
| `facescrub_actors.txt`, `facescrub_actresses.txt` | the lists, in `data_dir` or a folder in it |
| `images/Ann_Example/Ann_Example_12.jpeg` | a whole picture: name, `image_id` |
| `faces/Ann_Example/Ann_Example_12_34.jpeg` | a face cut out: name, `image_id`, `face_id` |
| `Ann_Example/0a1b….jpg` | a whole picture: SHA-1 of the URL |
| `Ann_Example/face/0a1b….jpg` | a face cut out: SHA-1 of the URL |

With the lists and whole pictures, faces are cropped by their boxes, to a square with a margin, and
a picture that is another than the listed one (many a URL now answers with a placeholder) counts as
unreadable. Otherwise the faces cut out are taken as they are: those in the lists, or all of them
where there are no lists. Faces that have no picture, since many URLs have died, are left out and
counted. Faces are not aligned by landmarks.
"""

import collections
import functools
import hashlib
import json
import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets.pipeline.registry import Source, Unreadable, register
from datasets.reading import files, people
from datasets.reading.boxes import crop_square
from keras_cvaegan import pictures

LISTS = ("facescrub_actors.txt", "facescrub_actresses.txt")

_COLUMNS = ("name", "image_id", "face_id", "url", "bbox", "sha256")
_LAYOUT = (
    "what a downloader of FaceScrub writes: DATA_DIR/images/Ann_Example/Ann_Example_12.jpeg with "
    f"{' and '.join(LISTS)} in DATA_DIR, or DATA_DIR/faces/Ann_Example/Ann_Example_12_34.jpeg. The "
    "lists, of URLs, are at https://vintage.winklerbros.net/facescrub.html"
)

# Paths from the folder, by person and name without extension.
Paths = dict[tuple[str, str], str]

_logger = logging.getLogger(__name__)


class Face(NamedTuple):
    """A face: a picture's path from `data_dir`, and where in it the face is if it is not cut out.

    Args:
        path: path of the picture.
        box: edges `(left, top, right, bottom)` in pixels.
        sha256: hash of the picture's file, in hexadecimal digits.
    """

    path: str
    box: tuple[int, int, int, int] | None = None
    sha256: str = ""


class Row(NamedTuple):
    """A line of a list."""

    person: str
    image_id: str
    face_id: str
    url: str
    box: tuple[int, int, int, int]
    sha256: str


People = dict[str, dict[str, Face]]


@register("facescrub", doc="FaceScrub: faces of 530 people; needs a data_dir with the downloads")
def facescrub(
    split: str,
    image_size: int,
    data_dir: str | os.PathLike | None = None,
    min_images: int = 20,
    margin: float = 0.2,
) -> Source:
    """Returns one split of the people of whom there are enough faces: see the module.

    Splits are by `files.share` of what names a face.

    Args:
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, that pictures are cropped and resized to.
        data_dir: folder of the downloads.
        min_images: number of faces, of all splits together, below which a person is left out.
        margin: width that a crop reaches over the box on either side, as a share of the box's
            longer side.

    Raises:
        ValueError: when `data_dir` is not such a folder, when a list is damaged, or when fewer than
            two people have so many faces.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("Ann_Example", "Bob_Example"):
    ...         folder = Path(root) / "faces" / name
    ...         folder.mkdir(parents=True)
    ...         for number in range(5):
    ...             path = folder / f"{name}_{number}_{number}.jpeg"
    ...             pictures.write_png(path, np.zeros((90, 90, 3), np.uint8))
    ...     source = facescrub("train", 64, root, min_images=5)
    >>> source.class_names, source.count
    (('Ann Example', 'Bob Example'), 6)
    """
    root = files.existing("facescrub", data_dir, _LAYOUT)
    if margin < 0:
        raise ValueError(f"margin must be 0 or more. Received: margin={margin}.")
    found = _faces(root)
    names = {person: list(faces) for person, faces in found.items()}
    names = people.of_split(names, split, min_images, repr(str(root)))
    classes = {person: [found[person][name] for name in chosen] for person, chosen in names.items()}
    faces = [face for of_person in classes.values() for face in of_person]
    content = files.content_key(root, [face.path for face in faces])
    key = hashlib.sha256(json.dumps([content, faces, margin]).encode()).hexdigest()
    read = functools.partial(_read, root, image_size, margin)
    return files.source_of(classes, read, key)


def _read(root: Path, image_size: int, margin: float, face: Face) -> np.ndarray | Unreadable:
    try:
        data = (root / face.path).read_bytes()
        if face.sha256 and hashlib.sha256(data).hexdigest() != face.sha256:
            return Unreadable(face.path, "another picture than the listed one, by its SHA-256")
        if not face.box:
            return pictures.read_picture(data, image_size)
        picture = pictures.read_picture(data)
    except pictures.PictureError as error:
        return Unreadable(face.path, error.reason)
    except OSError as error:
        return Unreadable(face.path, error.strerror or str(error))
    left, top, right, bottom = face.box
    height, width = picture.shape[:2]
    if min(right, width) <= max(left, 0) or min(bottom, height) <= max(top, 0):
        return Unreadable(face.path, f"its box {face.box} lies outside its {width}×{height} pixels")
    return pictures.resize_picture(crop_square(picture, face.box, margin), image_size)


def _faces(root: Path) -> People:
    """Returns every person's faces, by names that do not depend on where the pictures lie."""
    whole, cut_out = _pictures(root)
    if root.resolve().name == "faces":
        cut_out = cut_out or whole
    lists = [path for folder in (root, *files.subfolders(root)) for path in _lists(folder)]
    rows = {(row.person, row.image_id, row.face_id): row for path in lists for row in _rows(path)}
    if rows and (whole or cut_out):
        faces = _listed(rows.values(), whole, True) or _listed(rows.values(), cut_out, False)
        if faces:
            return faces
        raise ValueError(
            f"None of the {len(whole) + len(cut_out)} pictures in {str(root)!r} is in its lists. "
            f"It must hold {_LAYOUT}."
        )
    if not cut_out:
        what = "whole pictures but not the lists with their boxes" if whole else "no pictures"
        raise ValueError(f"{str(root)!r} has {what}. It must hold {_LAYOUT}.")
    result = collections.defaultdict(dict)
    for (person, stem), path in cut_out.items():
        result[person][stem] = Face(path)
    return result


def _pictures(root: Path) -> tuple[Paths, Paths]:
    """Returns the whole pictures and the faces cut out, by person and name without extension."""
    whole, cut_out = {}, {}
    for path in files.pictures_below(root, root):
        *folders, _ = path.split("/")
        match folders:
            case [*_, person, "face"]:
                kind = cut_out
            case [*outer, person] if "faces" in outer:
                kind = cut_out
            case [*_, person] if person not in ("face", "faces"):
                kind = whole
            case _:
                continue
        kind[person.replace("_", " "), Path(path).stem] = path
    return whole, cut_out


def _listed(rows: Collection[Row], available: Paths, whole: bool) -> People:
    """Returns the faces of which a picture is there, and says how many are missing."""
    result, used = collections.defaultdict(dict), set()
    for row in rows:
        picture = f"{row.person.replace(' ', '_')}_{row.image_id}"
        name = f"{picture}_{row.face_id}"
        path = available.get((row.person, picture if whole else name))
        if not path:
            url = row.url.encode("utf-8", "surrogateescape")
            path = available.get((row.person, hashlib.sha1(url).hexdigest()))
        if path:
            used.add(path)
            face = Face(path, row.box, row.sha256) if whole else Face(path)
            result[row.person][name] = face
    missing = len(rows) - sum(map(len, result.values()))
    if result and (missing or len(used) < len(available)):
        _warn(
            f"facescrub: {missing:,} of {len(rows):,} listed faces have no picture (URLs die) and "
            f"are left out; pictures in no list: {len(available) - len(used):,}."
        )
    return result


@functools.cache
def _warn(message: str) -> None:
    """Says something once: a program asks for a split several times."""
    _logger.warning(message)


def _lists(folder: Path) -> list[Path]:
    return [folder / name for name in LISTS if (folder / name).is_file()]


def _rows(path: Path) -> Iterator[Row]:
    """Reads a list."""
    lines = path.read_text("utf-8", "surrogateescape").split("\n")
    if tuple(lines[0].rstrip("\r").split("\t")) != _COLUMNS:
        raise ValueError(
            f"{str(path)!r} is not a list of FaceScrub: its first line must be "
            f"{', '.join(_COLUMNS)}, with tabs between them. Received: {lines[0][:80]!r}."
        )
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            person, image_id, face_id, url, box, sha256 = line.rstrip("\r").split("\t")
            left, top, right, bottom = map(int, box.split(","))
        except ValueError:
            raise ValueError(
                f"Line {number} of {str(path)!r} is damaged: it must hold {', '.join(_COLUMNS)}, "
                "with tabs between them, and bbox four whole numbers with commas between them. "
                f"Received: {line[:80]!r}. Fetch the list again."
            ) from None
        person = person.replace("_", " ")
        yield Row(
            person, image_id, face_id, url, (left, top, right, bottom), sha256.strip().lower()
        )
