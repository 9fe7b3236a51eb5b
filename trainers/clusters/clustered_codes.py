"""Random codes of a generator with the clusters of their features: found once, and kept."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.clusters import Clusters
from keras_cvaegan.models import ClusterGuidedGenerator
from trainers.clusters.configuration import ClusterConfig

FILE = "clusters.npz"


@dataclasses.dataclass(frozen=True, eq=False)
class ClusteredCodes:
    """Codes and the clusters of their features.

    Args:
        z: codes, float32 `(n, d)`.
        clusters: clusters of their features.
    """

    z: np.ndarray
    clusters: Clusters

    @property
    def labels(self) -> np.ndarray:
        """The cluster of each code, int32 `(n,)`."""
        return np.asarray(self.clusters.labels, np.int32)


def open_codes(
    folder: Path, guided: ClusterGuidedGenerator, config: ClusterConfig
) -> ClusteredCodes:
    """Returns the codes that a folder keeps, or else clusters some and keeps them there.

    Args:
        folder: folder of the run.
        guided: model, whose clusters are those of the codes afterwards.
        config: configuration of the run.

    Raises:
        ValueError: for features that cannot be clustered.
        OSError: when they cannot be kept.
    """
    path, values = folder / FILE, config.to_json()
    names = ("layer", "n_clusters", "grid", "codes", "seed", "generator")
    about = json.dumps({name: values[name] for name in names}, sort_keys=True)
    found = read_codes(path, about)
    if found is None:
        print(f"Clustering the features of {config.codes:,} codes …", flush=True)
        clusters = guided.find_clusters(config.codes)
        found = ClusteredCodes(guided.codes(config.codes, config.seed), clusters)
        with replacing(path, ending=".npz") as partial:
            np.savez(partial, about=about, z=found.z, **_fields(clusters))
    guided.centers.assign(found.clusters.centers)
    return found


def read_codes(path: Path, about: str) -> ClusteredCodes | None:
    """Returns what a file keeps, if it can be read and is what is asked for.

    Args:
        path: path of the file.
        about: text on seed, number, layer and generator of the codes that are asked for.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as kept:
            if str(kept["about"]) != about:
                return None
            names = [field.name for field in dataclasses.fields(Clusters)]
            arrays = {name: kept[name] for name in names}
            fields = {name: x if x.ndim else x.item() for name, x in arrays.items()}
            return ClusteredCodes(kept["z"], Clusters(**fields))
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
        return None


def _fields(clusters: Clusters) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(clusters)]
    return {name: getattr(clusters, name) for name in names}
