"""How well a mapping samples clusters: figures, pictures and points to be shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras_cvaegan.applications.ganspace import ganspace_directions
from keras_cvaegan.applications.sefa import sefa_directions
from keras_cvaegan.metrics.clusters import cluster_means
from keras_cvaegan.metrics.code_coverage import code_coverage
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.progress import counted
from trainers.clusters.clustered_codes import ClusteredCodes

BATCH_SIZE = 512
# Points of each kind that a plot shows, and pictures of each cluster that a grid does.
POINTS, COLUMNS = 2_000, 8
DIRECTIONS = 4
AMOUNTS = np.linspace(-3, 3, 7)


@dataclasses.dataclass(frozen=True, eq=False)
class PaintedCodes:
    """Codes, their clusters, and what pictures of them show.

    Args:
        z: codes, float32 `(n, d)`.
        wanted: cluster that each is of, or that it was mapped for, int32 `(n,)`.
        reached: cluster that its picture's features fall into, int32 `(n,)`.
        features: features of the first ones, float32 `(at most POINTS, f)`.
        images: first pictures of each wanted cluster, uint8 `(at most COLUMNS, height, width, 3)`.
        means: mean picture of each wanted cluster, uint8 `(k, height, width, 3)`.
    """

    z: np.ndarray
    wanted: np.ndarray
    reached: np.ndarray
    features: np.ndarray
    images: Sequence[np.ndarray]
    means: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a mapping samples clusters, in figures and pictures.

    Args:
        learned: codes that the mapping learns.
        held_out: codes that it does not learn.
        mapped: codes of the mapping, as many of each cluster as are held out.
        walks: pictures along directions, uint8 `(directions, steps, height, width, 3)`, by method.
        clusters: figures of each cluster, as JSON has them.
        overall: figures of all clusters together, as JSON has them.
        notes: sentences on what could not be shown.
    """

    learned: PaintedCodes
    held_out: PaintedCodes
    mapped: PaintedCodes
    walks: dict[str, np.ndarray]
    clusters: list[dict[str, Any]]
    overall: dict[str, Any]
    notes: list[str]


def paint_codes(
    guided: ClusterGuidedGenerator, z: np.ndarray, wanted: np.ndarray | None, title: str
) -> PaintedCodes:
    """Paints codes and keeps what is to be shown; pictures are never all in memory.

    Args:
        guided: model of the clusters.
        z: codes `(n, d)`.
        wanted: cluster of each, `(n,)`; None for those that their features fall into.
        title: name of what is counted.
    """
    reached, features = [], []
    images: list[list[np.ndarray]] = [[] for _ in range(guided.num_classes)]

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(z), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            painted, of_painted = guided.paint(z[rows])
            found = guided.nearest_centers(of_painted)
            labels = found if wanted is None else wanted[rows]
            reached.append(found)
            features.append(of_painted[: max(0, POINTS - start)])
            for cluster, kept in enumerate(images):
                kept.extend(painted[labels == cluster][: COLUMNS - len(kept)])
            yield painted, labels

    means = cluster_means(counted(title, batches(), len(z)), n_clusters=guided.num_classes)
    shape = (-1, *guided.image_shape)
    all_reached = np.concatenate(reached)
    return PaintedCodes(
        z,
        all_reached if wanted is None else wanted,
        all_reached,
        np.concatenate(features),
        [np.array(kept, np.uint8).reshape(shape) for kept in images],
        means,
    )


def evaluate(
    guided: ClusterGuidedGenerator, codes: ClusteredCodes, generator: keras.Model, seed: int
) -> Evaluation:
    """Measures the mapping on codes that it has not learned.

    Args:
        guided: model after its training.
        codes: codes that it learned.
        generator: generator as it was given.
        seed: seed of the codes that it learned; held-out ones are of the next.
    """
    learned = paint_codes(guided, codes.z, codes.labels, "Learned codes")
    others = guided.codes(len(codes.z), seed + 1)
    held_out = paint_codes(guided, others, None, "Held-out codes")
    mapped = paint_codes(
        guided, guided.map_codes(held_out.wanted, seed), held_out.wanted, "Mapped codes"
    )
    walks, notes = _walks(guided, generator, held_out.z[0], len(codes.z), seed)
    clusters = [
        _figures(cluster, codes, learned, held_out, mapped) for cluster in range(guided.num_classes)
    ]
    return Evaluation(learned, held_out, mapped, walks, clusters, _overall(codes, mapped), notes)


def _figures(
    cluster: int,
    codes: ClusteredCodes,
    learned: PaintedCodes,
    held_out: PaintedCodes,
    mapped: PaintedCodes,
) -> dict[str, Any]:
    of = [each.wanted == cluster for each in (learned, held_out, mapped)]
    count = int(of[1].sum())
    return {
        "size": int(codes.clusters.sizes[cluster]),
        "share": float(codes.clusters.sizes[cluster] / len(codes.z)),
        "silhouette": float(codes.clusters.silhouettes[cluster]),
        "outliers": bool(codes.clusters.outliers[cluster]),
        "mapped": count,
        "in_cluster": _share(mapped.reached[of[2]] == cluster),
        "coverage": _coverage(held_out.z[of[1]], mapped.z[of[2]], learned.z[of[0]]),
    }


def _coverage(
    held_out: np.ndarray, mapped: np.ndarray, reference: np.ndarray
) -> dict[str, Any] | None:
    """Coverage as JSON has it; of fewer than two held-out codes there is none."""
    if len(held_out) < 2 or not len(reference):
        return None
    return dataclasses.asdict(code_coverage(held_out, mapped, reference=reference))


def _share(hits: np.ndarray) -> float | None:
    return float(np.mean(hits)) if len(hits) else None


def _overall(codes: ClusteredCodes, mapped: PaintedCodes) -> dict[str, Any]:
    sizes = np.asarray(codes.clusters.sizes) / len(codes.z)
    return {
        "silhouette": float(codes.clusters.silhouette),
        "in_cluster": _share(mapped.reached == mapped.wanted),
        # Of random codes, as many for each cluster as here.
        "chance": float(np.sum(sizes**2)),
        "mapped": len(mapped.z),
    }


def _walks(
    guided: ClusterGuidedGenerator, generator: keras.Model, z: np.ndarray, count: int, seed: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Strips from a code z along the first directions of SeFa and of GANSpace on `count` codes."""
    walks, notes = {}, []
    # It needs a few more than a code has numbers.
    samples = {"samples": max(count, len(z) + 2), "seed": seed, "grid": guided.grid}
    for name, directions in {
        "SeFa": lambda: sefa_directions(generator),
        "GANSpace": lambda: ganspace_directions(generator, guided.layer, **samples),
    }.items():
        try:
            vectors = directions().vectors[:DIRECTIONS]
        except ValueError as error:
            notes.append(f"{name}: {error}")
            continue
        line = z + AMOUNTS[None, :, None] * vectors[:, None]
        images, _ = guided.paint(line.reshape(-1, len(z)))
        walks[name] = images.reshape(*line.shape[:2], *images.shape[1:])
    return walks, notes
