"""What metrics need to know of the real data, computed once and kept in a file."""

import dataclasses
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.extractors import FeatureExtractor
from keras_cvaegan.metrics.frechet_distance import FeatureMoments
from keras_cvaegan.metrics.metric import check_count, check_labels
from keras_cvaegan.metrics.neighbours import nearest_squared_distances
from keras_cvaegan.metrics.sampling import ClassReservoir, Reservoir

# Increase when `reference_statistics` would give other numbers for the same data.
VERSION = 1
# The largest k of the standard metrics.
_NEIGHBOURS = 5

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class ReferenceStatistics:
    """What `reference_statistics` returns.

    Args:
        moments: moments of the features of all real images.
        features: features of some of them, float32 `(m, d)`, chosen by lot.
        neighbours: squared distances of these to their five nearest others, `(m, 5)`; fewer
            columns where m is 5 or less.
        features_by_class: features of some images of each class, float32 `(m_c, d)`.
        about: facts on how they came about, as JSON has them.
    """

    moments: FeatureMoments
    features: np.ndarray
    neighbours: np.ndarray
    features_by_class: list[np.ndarray]
    about: dict[str, Any]

    @property
    def num_classes(self) -> int:
        """Number of classes of the data."""
        return len(self.features_by_class)

    def describe(self) -> dict[str, Any]:
        """Returns split, key, sample counts, settings and extractor, to be kept with figures."""
        held = [len(rows) for rows in self.features_by_class]
        return {
            **self.about,
            "samples": self.moments.count,
            "samples_held": len(self.features),
            "fewest_samples_held_of_a_class": min(held),
        }


def reference_statistics(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    extractor: FeatureExtractor,
    *,
    split: str = "train",
    num_classes: int | None = None,
    key: Mapping[str, Any] | None = None,
    cache: str | os.PathLike | None = None,
    max_samples: int = 10_000,
    seed: int = 0,
) -> ReferenceStatistics:
    """Returns the statistics of real images that generated ones are compared with.

    Memory is bounded whatever the number of images: float64 sums, `max_samples` features chosen by
    lot, and twice as many that are divided evenly among the classes.

    Args:
        batches: real images, uint8 `(n, height, width, channels)`, and labels `(n,)`; it is not
            iterated over where the cache serves.
        extractor: source of the features.
        split: part of the data that the images are, to be kept with the figures.
        num_classes: number of classes; by default the extractor's, where it knows the labels.
        key: JSON values that change whenever the images would; needed with `cache`.
        cache: path of an .npz file to keep the statistics in. A file that is damaged, of another
            key, split, extractor, version or setting is replaced, which is logged.
        max_samples: the most features to hold.
        seed: seed of the lots.

    Raises:
        ValueError: for fewer than two images, wrong labels, or a cache without a key.
        OSError: when the cache cannot be written.

    Example:

    >>> from keras_cvaegan.metrics.recognition import recognition_network
    >>> from keras_cvaegan.metrics.extractors import ClassifierExtractor
    >>> extractor = ClassifierExtractor(recognition_network((8, 8, 3), 2, augment=False))
    >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    >>> reference = reference_statistics([(images, np.arange(20) % 2)], extractor, split="train")
    >>> reference.describe()["samples"], reference.features.shape
    (20, (20, 32))
    """
    if num_classes is None:
        if not extractor.knows_labels:
            raise ValueError(
                f"The classes of the extractor {extractor.name!r} are not the data's: pass "
                "num_classes. Received: None."
            )
        num_classes = check_count("num_classes", extractor.num_classes)
    about = {
        "version": VERSION,
        "split": split,
        "key": None if key is None else dict(key),
        "num_classes": check_count("num_classes", num_classes),
        "max_samples": check_count("max_samples", max_samples, 2),
        "seed": seed,
        "extractor": extractor.describe() | {"fingerprint": extractor.fingerprint},
    }
    about = json.loads(json.dumps(about))
    if cache is None:
        return _compute(batches, extractor, about)
    if key is None:
        raise ValueError("With a cache, key must say which images these are. Received: None.")
    cache = Path(cache)
    kept = _read(cache, about)
    if kept is None:
        kept = _compute(batches, extractor, about)
        _write(cache, kept)
    return kept


def _compute(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    extractor: FeatureExtractor,
    about: dict[str, Any],
) -> ReferenceStatistics:
    num_classes, seed = about["num_classes"], about["seed"]
    moments = FeatureMoments()
    sample = Reservoir(about["max_samples"], seed)
    by_class = ClassReservoir(num_classes, class_share(about["max_samples"], num_classes), seed)
    for images, labels in batches:
        images = np.asarray(images)
        labels = check_labels(labels, len(images), num_classes)
        features, _ = extractor(images)
        moments.add(features)
        sample.add(features)
        by_class.add(features, labels)
    held = sample.rows
    if held is None or moments.count < 2:
        raise ValueError(f"Statistics need two images or more. Received: {moments.count}.")
    neighbours = nearest_squared_distances(held, min(_NEIGHBOURS, len(held) - 1))
    empty = np.zeros((0, held.shape[1]), held.dtype)
    return ReferenceStatistics(
        moments,
        held,
        neighbours,
        [rows if len(rows) else empty for rows in by_class.rows_by_class()],
        about,
    )


def class_share(max_samples: int, num_classes: int) -> int:
    """Returns how many samples of a class are held: twice `max_samples`, divided among them.

    Example:

    >>> class_share(10_000, num_classes=10)
    2000
    """
    return max(2, 2 * max_samples // num_classes)


def _read(path: Path, about: dict[str, Any]) -> ReferenceStatistics | None:
    """Returns what `_write` wrote for `about`; None, said in a line, where it did not."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            kept = json.loads(str(arrays["about"]))
            if kept != about:
                changed = [name for name in about if kept.get(name) != about[name]]
                _logger.warning(
                    "The real data's statistics in %s are of another %s: computing them anew.",
                    path,
                    ", ".join(changed),
                )
                return None
            features, neighbours = arrays["features"], arrays["neighbours"]
            moments = FeatureMoments.from_covariance(
                arrays["count"], arrays["mean"], arrays["covariance"]
            )
            by_class = np.split(arrays["class_features"], np.cumsum(arrays["class_counts"])[:-1])
            feature_dim = about["extractor"]["feature_dim"]
            if not (
                features.shape[1:] == moments.mean.shape == (feature_dim,)
                and moments.covariance.shape == (feature_dim, feature_dim)
                and len(neighbours) == len(features)
                and len(by_class) == about["num_classes"]
            ):
                raise ValueError("arrays of other shapes")
            return ReferenceStatistics(moments, features, neighbours, by_class, about)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error)
    except (zipfile.BadZipFile, zlib.error) as error:
        reason = str(error)
    _logger.warning(
        "The real data's statistics in %s cannot be read (%s): computing them anew.", path, reason
    )
    return None


def _write(path: Path, statistics: ReferenceStatistics) -> None:
    """Writes what `_read` reads."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(
                file,
                about=np.array(json.dumps(statistics.about)),
                count=statistics.moments.count,
                mean=statistics.moments.mean,
                covariance=statistics.moments.covariance,
                features=statistics.features,
                neighbours=statistics.neighbours,
                class_features=np.concatenate(statistics.features_by_class),
                class_counts=[len(rows) for rows in statistics.features_by_class],
            )
    except OSError as error:
        raise OSError(
            f"Cannot keep the real data's statistics in {str(path)!r} "
            f"({error.strerror or error}). Choose another path for the cache."
        ) from error
