"""Finds the pictures that are most like others in what the label does not decide."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from keras_cvaegan.applications.inputs import guess_labels, need_network
from keras_cvaegan.applications.picture_codes import picture_codes
from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.novelty import Neighbours
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.networks.fingerprints import fingerprint

# Increase when files of another form are written.
VERSION = 1
UNKNOWN = -1
"""Label of a picture whose class is not known."""

Batch = tuple[np.ndarray, Sequence[int] | np.ndarray | None, Sequence[str]]


class LatentIndex:
    """Codes of pictures, to be searched by other pictures (Bao et al. 2017, Section S8.2).

    Pictures with near codes are alike in what the label does not decide: pose, colours, light,
    background. The code is the mean of z, or of z_u where a model has two.

    Args:
        model: a model with an encoder, by which the codes were made.
        z: float32 (n, d), at least one.
        labels: integers (n,); `UNKNOWN` for pictures whose class is not known.
        names: name of each picture.
        about: facts to be kept with the index, as JSON has them.

    Raises:
        ValueError: for a model without an encoder, or arrays that do not fit together.

    Example:

    >>> from keras_cvaegan.models import CVAEGAN
    >>> model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    >>> index = LatentIndex.build(model, [(images, [0, 1, 1], ["a", "b", "c"])])
    >>> index.query(images[1:2], labels=[1], k=2).indices[0, 0]
    np.int64(1)
    """

    def __init__(
        self,
        model: GenerativeModel,
        z: np.ndarray,
        labels: Sequence[int] | np.ndarray,
        names: Sequence[str],
        about: Mapping[str, Any] | None = None,
    ) -> None:
        need_network(model, "encoder")
        z, labels = np.asarray(z, np.float32), np.asarray(labels)
        if z.ndim != 2 or not len(z):
            raise ValueError(
                f"An index needs at least one picture, z of the shape (n, d). Received: {z.shape}."
            )
        if labels.shape != z.shape[:1] or len(names) != len(z):
            raise ValueError(
                f"An index needs a label and a name for each of {len(z)} pictures. Received: "
                f"labels of the shape {labels.shape}, {len(names)} names."
            )
        self.model = model
        self.z = z
        self.labels = labels.astype(np.int32)
        self.names = tuple(names)
        self.about = dict(about or {})

    def __len__(self) -> int:
        return len(self.z)

    @classmethod
    def build(
        cls,
        model: GenerativeModel,
        batches: Iterable[Batch],
        about: Mapping[str, Any] | None = None,
    ) -> LatentIndex:
        """Encodes pictures a batch at a time; the pictures are not kept.

        Args:
            model: a model with an encoder.
            batches: batches of images (n, height, width, channels), uint8 or float in [−1, 1],
                their n labels, and their n names; None in the place of labels that are not known,
                which the model's own classifier guesses where it has one.
            about: see the class.

        Raises:
            ValueError: for no picture at all, or what `picture_codes` refuses.
        """
        need_network(model, "encoder")
        codes, classes = [], []
        called: list[str] = []
        for images, labels, names in batches:
            labels = guess_labels(model, images) if labels is None else np.asarray(labels)
            codes.append(picture_codes(model, images, labels)[0])
            classes.append(np.full(len(images), UNKNOWN) if labels is None else labels)
            called += names
        if not called:
            raise ValueError("An index needs at least one picture. Received: none.")
        return cls(model, np.concatenate(codes), np.concatenate(classes), called, about)

    def save(self, path: str | os.PathLike) -> None:
        """Writes an .npz file, of arrays and JSON alone; whoever looks sees the whole file.

        Args:
            path: path of the file, in a folder that exists.

        Raises:
            OSError: when it cannot be written.
        """
        kept = {"version": VERSION, "model": _identity(self.model), "about": self.about}
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                kept=np.array(json.dumps(kept)),
                z=self.z,
                labels=self.labels,
                # Not an array of texts, in which each would be as long as the longest.
                names=np.frombuffer(json.dumps(self.names).encode("ascii"), np.uint8),
            )

    @classmethod
    def load(cls, path: str | os.PathLike, model: GenerativeModel) -> LatentIndex:
        """Reads what `save` wrote.

        Args:
            path: path of the file.
            model: the one that the index was built with.

        Raises:
            ValueError: when there is no such file, it is no index, or it was built with another
                model.
        """
        path = os.fspath(path)
        kept, z, labels, names = _read(path)
        if kept["version"] != VERSION:
            raise ValueError(
                f"The index {path!r} has the form {kept['version']}; this version reads {VERSION}. "
                "Build it anew."
            )
        built_with, ours = kept["model"], _identity(model)
        if built_with != ours:
            raise ValueError(
                f"The index {path!r} was built with another model, {_name(built_with)}. Received: "
                f"{_name(ours)}. Build it anew."
            )
        return cls(model, z, labels, names, kept["about"])

    def query(
        self,
        images: np.ndarray,
        labels: Sequence[int] | np.ndarray | None = None,
        *,
        k: int = 5,
        other_classes_only: bool = False,
    ) -> Neighbours:
        """Finds the pictures whose codes are nearest, in ℓ2, to those of some pictures.

        Args:
            images: (n, height, width, channels), uint8 or float in [−1, 1].
            labels: n integers; None for those that the model's own classifier gives the pictures,
                where they are needed.
            k: number of neighbours to find for each.
            other_classes_only: whether pictures of the same class are left out, as in Fig. S3.

        Returns:
            `distances` and `indices` (n, k), nearest first.

        Raises:
            ValueError: for k above the number of pictures, classes that are needed and not known,
                or what `picture_codes` refuses.
        """
        check_count("k", k)
        labels = guess_labels(self.model, images) if labels is None else np.asarray(labels)
        if labels is not None and labels.shape != (len(images),):
            raise ValueError(
                f"labels must be integers of the shape ({len(images)},). Received: {labels.shape}."
            )
        z = picture_codes(self.model, images, labels)[0]
        searches = self._searches(len(z), labels, other_classes_only)
        fewest = min((len(among) for _, among in searches), default=k)
        if k > fewest:
            of = " of other classes" if other_classes_only else ""
            raise ValueError(
                f"k must be at most the number of pictures{of} in the index, {fewest}. "
                f"Received: {k}."
            )
        found = Neighbours(np.zeros((len(z), k), np.float32), np.zeros((len(z), k), np.int64))
        for rows, among in searches:
            search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(self.z[among])
            found.distances[rows], nearest = search.kneighbors(z[rows])
            found.indices[rows] = among[nearest]
        return found

    def _searches(
        self, count: int, labels: np.ndarray | None, other_classes_only: bool
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Which queries are sought among which pictures."""
        if not other_classes_only:
            return [(np.arange(count), np.arange(len(self)))] if count else []
        labels = np.full(count, UNKNOWN) if labels is None else labels
        for of, found in (("the pictures to search by", labels), ("the index", self.labels)):
            unknown = np.sum(found == UNKNOWN)
            if unknown:
                raise ValueError(
                    "Pictures of other classes can be told where classes are known. Received: "
                    f"{unknown} pictures of unknown class in {of}."
                )
        return [
            (np.flatnonzero(labels == label), np.flatnonzero(self.labels != label))
            for label in np.unique(labels)
        ]


def _read(path: str) -> tuple[dict[str, Any], np.ndarray, np.ndarray, list[str]]:
    """What `LatentIndex.save` wrote: what it was built with, z, labels, names."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            kept = json.loads(str(arrays["kept"]))
            names = json.loads(arrays["names"].tobytes().decode("ascii"))
            model = {name: kept["model"][name] for name in ("kind", "fingerprint")}
            kept = {"version": kept["version"], "model": model, "about": kept["about"]}
            return kept, arrays["z"], arrays["labels"], names
    except FileNotFoundError:
        raise ValueError(f"There is no index at {path!r}. Build it first.") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path!r} is not an index, or damaged: {error}.") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path!r} is not an index, or damaged: {error}.") from error


def _name(identity: Mapping[str, str]) -> str:
    return f"a {identity['kind']} ({identity['fingerprint']})"


def _identity(model: GenerativeModel) -> dict[str, str]:
    """What changes whenever a model would give other codes or labels."""
    networks = {
        name: network
        for name, network in sorted(model.inference_networks.items())
        if name != "generator"
    }
    about = [model.image_shape, model.class_names]
    return {"kind": type(model).__name__, "fingerprint": fingerprint(about, networks)}
