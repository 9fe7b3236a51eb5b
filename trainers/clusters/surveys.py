"""What the clusters of each layer of a generator are: made once, kept, and printed."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan.applications import LayerClusters, layer_survey
from keras_cvaegan.files import replacing
from keras_cvaegan.training.run_directory import read_json, write_json
from trainers.attributes.measures import KnownPictures
from trainers.attributes.reader import open_reader
from trainers.clusters.sources import Source
from trainers.reports.tables import markdown, number
from trainers.runs.data import open_data, read_config

if TYPE_CHECKING:
    from keras_cvaegan.metrics.attribute_reader import AttributeReader

JSON, MEANS = "survey.json", "survey.npz"


@dataclasses.dataclass(frozen=True, eq=False)
class Survey:
    """The clusters of each layer.

    Args:
        layers: clusters of each layer, in order of computation, at least one.
    """

    layers: Sequence[LayerClusters]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError(
                "No layer of the generator has features that can be clustered: they are the same "
                "whatever the code, or there are more --n_clusters than different ones."
            )

    @property
    def choice(self) -> LayerClusters:
        """The layer with the highest silhouette, of those without clusters of outliers if any."""
        whole = [layer for layer in self.layers if not any(layer.outliers)]
        return max(whole or self.layers, key=lambda layer: layer.silhouette)

    @property
    def reason(self) -> str:
        """Why it is that one, to be read."""
        layer = self.choice
        if len(layer.sizes) == 1:
            return f"Layer {layer.name!r} is taken: for one cluster any would do."
        among = "of the layers without a cluster of outliers"
        if any(layer.outliers):
            among = "of all layers, each of which has a cluster of outliers"
        return (
            f"Layer {layer.name!r} is taken: its silhouette of {layer.silhouette:.3f} is the "
            f"highest {among}. Choose another with --layer."
        )

    def figures(self) -> list[dict[str, Any]]:
        """Returns what was found of each layer, as JSON has it."""
        return [
            {
                "layer": layer.name,
                "features": int(layer.features),
                "sizes": [int(size) for size in layer.sizes],
                "silhouette": float(layer.silhouette),
                "outliers": [bool(outlier) for outlier in layer.outliers],
                "mutual_information": _floats(layer.mutual_information),
            }
            for layer in self.layers
        ]


def _floats(values: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if values is None else {name: float(value) for name, value in values.items()}


@dataclasses.dataclass(frozen=True)
class SurveySettings:
    """How layers are surveyed.

    Args:
        n_clusters: number of clusters.
        count: number of random codes whose features are clustered.
        grid: cells a side over which spatial features are averaged.
        seed: seed of the codes and the clusters.
        reader_epochs: length of the training of the network that reads attributes, where those
            of the generator's training pictures are known.
    """

    n_clusters: int
    count: int
    grid: int
    seed: int
    reader_epochs: int

    def of_survey(self) -> dict[str, int]:
        """Returns the arguments of `layer_survey`."""
        values = dataclasses.asdict(self)
        del values["reader_epochs"]
        return values

    def about(self, source: Source) -> dict[str, Any]:
        """Returns what a survey of a generator depends on, as JSON has it."""
        epochs = self.reader_epochs if source.is_of_petals else None
        return {**self.of_survey(), **source.about(), "reader_epochs": epochs}


def open_survey(folder: Path, source: Source, settings: SurveySettings) -> Survey:
    """Returns the survey of a generator that a folder keeps, or makes it and keeps it there.

    Args:
        folder: folder of its files.
        source: generator to survey.
        settings: settings of the survey.

    Raises:
        ValueError: for features that cannot be clustered.
        OSError: when it cannot be kept.
    """
    found = read_survey(folder, source, settings)
    if found is not None:
        return found
    reader = _reader(source, settings.reader_epochs) if source.is_of_petals else None
    read: Callable | None = None if reader is None else reader.read
    print(f"Surveying the layers with {settings.count:,} codes …", flush=True)
    survey = Survey(layer_survey(source.model, read=read, **settings.of_survey()))
    (folder / JSON).unlink(missing_ok=True)
    with replacing(folder / MEANS, ending=".npz") as partial:
        np.savez(partial, **{str(i): layer.means for i, layer in enumerate(survey.layers)})
    write_json(folder / JSON, {"about": settings.about(source), "layers": survey.figures()})
    return survey


def read_survey(folder: Path, source: Source, settings: SurveySettings) -> Survey | None:
    """Returns the survey that a folder keeps, if it is of this generator and these settings."""
    if not ((folder / JSON).is_file() and (folder / MEANS).is_file()):
        return None
    try:
        values = read_json(folder / JSON)
        if values["about"] != settings.about(source):
            return None
        with (folder / MEANS).open("rb") as file, np.load(file) as means:
            return Survey(
                [
                    LayerClusters(
                        name=of["layer"],
                        features=of["features"],
                        sizes=np.array(of["sizes"]),
                        silhouette=of["silhouette"],
                        outliers=np.array(of["outliers"]),
                        means=means[str(i)],
                        mutual_information=of["mutual_information"],
                    )
                    for i, of in enumerate(values["layers"])
                ]
            )
    except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile):
        return None


def _reader(source: Source, epochs: int) -> AttributeReader:
    """Reads attributes from pictures like those that the generator learned from."""
    data = open_data(read_config(source.run))
    return open_reader(source.run, data, KnownPictures.of(data.prepare("train")), epochs)


def table(survey: Survey) -> str:
    """Returns a survey as Markdown, the best layer first."""
    layers = sorted(survey.layers, key=lambda layer: -layer.silhouette)
    told = any(layer.mutual_information for layer in layers)
    titles = ["layer", "features", "sizes", "silhouette", "outliers"]
    rows = [
        [
            layer.name,
            f"{layer.features:,}",
            " + ".join(f"{size:,}" for size in layer.sizes),
            number(float(layer.silhouette)),
            outliers_text(layer.outliers),
            *([attributes_text(layer.mutual_information)] if told else []),
        ]
        for layer in layers
    ]
    return markdown([*titles, *(["told by attributes"] if told else [])], rows)


def outliers_text(outliers: Sequence[bool] | np.ndarray) -> str:
    """Returns which clusters are of outliers.

    Example:

    >>> outliers_text([False, True]), outliers_text([False])
    ('cluster 1', 'none')
    """
    found = [str(cluster) for cluster in np.flatnonzero(outliers)]
    return f"cluster {', '.join(found)}" if found else "none"


def attributes_text(shares: Mapping[str, float] | None) -> str:
    """Returns the attributes that tell the clusters, best first.

    Example:

    >>> attributes_text({"size": 0.012, "x": 0.5})
    'x 50 %, size 1 %'
    """
    ordered = sorted((shares or {}).items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {round(100 * share)} %" for name, share in ordered) or "–"
