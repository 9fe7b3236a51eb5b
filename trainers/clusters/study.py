"""Ways to sample the clusters of one layer, trained and measured side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_cvaegan.applications import LayerClusters
from keras_cvaegan.applications.ganspace import ganspace_directions
from keras_cvaegan.applications.sefa import sefa_directions
from keras_cvaegan.metrics.attribute_clusters import ClusterReader
from keras_cvaegan.metrics.frechet_distance import FeatureMoments, frechet_distance
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.names import CODE_MAPPINGS
from keras_cvaegan.progress import Progress
from keras_cvaegan.training.code_batches import CodeBatches
from trainers.clusters import measures
from trainers.clusters.measures import Attribute, Values
from trainers.clusters.verdicts import TITLES

if TYPE_CHECKING:
    from keras_cvaegan.models import GenerativeModel
    from trainers.evaluation.real_side import RealSide

FAR = 4
"""Times as far that codes are moved a second time."""
DIRECTIONS = 10
BATCH_SIZE = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """How mappings are trained, and what is measured of them.

    Args:
        codes: number of random codes to cluster and to learn.
        grid: cells a side over which features are averaged.
        steps: length of each training.
        batch_size: codes a step.
        candidates: samples that IMLE draws for each code.
        sefa_amount: length by which codes are moved along directions of SeFa.
        ganspace_amount: length along those of GANSpace, in standard deviations of a component.
        samples: number of pictures of each cluster.
        held_out: number of codes of each cluster to be covered.
        frechet_samples: number of pictures that are compared with real ones.
    """

    codes: int = 10_000
    grid: int = 1
    steps: int = 4_000
    batch_size: int = 256
    candidates: int = 16
    sefa_amount: float = 0.75
    ganspace_amount: float = 1.0
    samples: int = 100
    held_out: int = 1_000
    frechet_samples: int = 10_000


class Study:
    """What samples the clusters of one layer, trained and measured.

    Args:
        model: unconditional generator.
        layer: layer whose features are clustered.
        attribute: attribute that the clusters are compared by.
        read: function of uint8 images to the values of all attributes.
        settings: settings of trainings and measurements.
    """

    def __init__(
        self,
        model: GenerativeModel,
        layer: str,
        attribute: str,
        read: Callable[[np.ndarray], Values],
        settings: StudySettings,
    ) -> None:
        self._model, self._layer, self._attribute = model, layer, attribute
        self._read, self._settings = read, settings

    def figures(self, n_clusters: int, seed: int) -> dict[str, dict[str, float | None]]:
        """Returns what each way to sample clusters reaches, by its name and the measure's.

        Args:
            n_clusters: number of clusters; two are compared in all ways, others by IMLE alone.
            seed: seed of codes, clusters and trainings.
        """
        settings, samples_seed = self._settings, measures.SAMPLES_SEED + seed
        untrained = self._guided("imle", n_clusters, seed)
        labels = untrained.find_clusters(settings.codes).labels
        z = untrained.codes(settings.codes, seed)
        attribute = self._fitted(untrained, z, labels)
        asked = measures.each_cluster(n_clusters, settings.samples)
        held_out, reference = (
            measures.real_codes(untrained, settings.held_out, purpose + seed)
            for purpose in (measures.HELD_OUT_SEED, measures.REFERENCE_SEED)
        )
        real = measures.real_codes(untrained, settings.samples, samples_seed)
        found = {"real": measures.measure(untrained, attribute, *real)}

        def of_mapping(
            guided: ClusterGuidedGenerator, draw: Callable[[np.ndarray, int], np.ndarray]
        ) -> dict[str, float | None]:
            mapped = draw(asked, samples_seed)
            return {
                **measures.measure(guided, attribute, mapped, asked),
                **measures.coverage(held_out, reference, draw(held_out[1], samples_seed)),
            }

        untrained.calibrate(z, labels)
        found["untrained"] = of_mapping(untrained, untrained.map_codes)
        for mapping in CODE_MAPPINGS if n_clusters == 2 else CODE_MAPPINGS[:1]:
            guided = self._trained(mapping, seed, z, labels, untrained)
            found[mapping] = of_mapping(guided, guided.map_codes)
            found[f"{mapping}_raw"] = of_mapping(guided, guided.mapping.generate)
        if n_clusters == 2:
            found |= self._figures_of_directions(untrained, attribute, asked, seed)
        return found

    def _figures_of_directions(
        self, guided: ClusterGuidedGenerator, attribute: Attribute, asked: np.ndarray, seed: int
    ) -> dict[str, dict[str, float]]:
        """What random codes reach that are moved towards the cluster asked for."""
        samples, found = self._settings.samples, {}
        z = guided.codes(len(asked), measures.SAMPLES_SEED + seed)
        selection_seed = measures.SELECTION_SEED + seed
        for name, (directions, amount) in self._directions(seed).items():
            direction = measures.best_direction(
                guided, attribute, directions, amount, samples, selection_seed
            )
            moved = measures.edited(z, asked, direction, amount)
            found[name] = measures.measure(guided, attribute, moved, asked)
        return found

    def one_cluster(self, seed: int, real_side: RealSide) -> dict[str, float]:
        """Returns the Fréchet distance of the generator, and of it with IMLE of all its codes.

        Args:
            seed: seed of codes and training.
            real_side: real pictures to compare with.
        """
        settings = self._settings
        untrained = self._guided("imle", 1, seed)
        labels = untrained.find_clusters(settings.codes).labels
        z = untrained.codes(settings.codes, seed)
        guided = self._trained("imle", seed, z, labels, untrained)
        count, samples_seed = settings.frechet_samples, measures.SAMPLES_SEED + seed
        asked = np.zeros(count, np.int32)
        codes = {
            "generator": guided.codes(count, samples_seed),
            "imle": guided.map_codes(asked, samples_seed),
            "imle_raw": guided.mapping.generate(asked, samples_seed),
        }
        real, found = real_side.reference.moments, {}
        for name, each in codes.items():
            moments = FeatureMoments()
            for start in range(0, count, BATCH_SIZE):
                images, _ = guided.paint(each[start : start + BATCH_SIZE])
                features, _ = real_side.extractor(images)
                moments.add(features)
            found[name] = frechet_distance(real.mean, real.root, moments.mean, moments.root)
        return {**found, "ratio": found["imle"] / found["generator"]}

    def _guided(self, mapping: str, n_clusters: int, seed: int) -> ClusterGuidedGenerator:
        settings = self._settings
        return ClusterGuidedGenerator(
            self._model,
            layer=self._layer,
            n_clusters=n_clusters,
            mapping=mapping,
            grid=settings.grid,
            mapping_arguments={"candidates": settings.candidates} if mapping == "imle" else {},
            seed=seed,
        )

    def _trained(
        self,
        mapping: str,
        seed: int,
        z: np.ndarray,
        labels: np.ndarray,
        untrained: ClusterGuidedGenerator,
    ) -> ClusterGuidedGenerator:
        """A mapping of codes, with the clusters of a model that is not trained."""
        steps, batch_size = self._settings.steps, self._settings.batch_size
        n_clusters = untrained.num_classes
        guided = self._guided(mapping, n_clusters, seed)
        guided.centers.assign(untrained.centers)
        guided.compile()
        plural = "" if n_clusters == 1 else "s"
        title = f"{TITLES[mapping]}, {n_clusters} cluster{plural}, seed {seed}"
        batches = CodeBatches(z, labels, batch_size=batch_size, steps=steps, seed=seed)
        with Progress(f"{title}: step", steps, "codes", per_step=batch_size) as progress:

            def show(step: int, logs: Mapping[str, float]) -> None:
                losses = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
                progress.set_postfix_str(losses, refresh=False)
                progress.update()

            guided.fit(
                batches,
                shuffle=False,
                verbose=0,
                callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=show)],
            )
        return guided

    def _fitted(
        self, guided: ClusterGuidedGenerator, z: np.ndarray, labels: np.ndarray
    ) -> Attribute:
        known = self._read(guided.paint(z)[0])[self._attribute]
        return Attribute(self._attribute, self._read, ClusterReader().fit(known, labels))

    def _directions(self, seed: int) -> dict[str, tuple[np.ndarray, float]]:
        """The first directions of SeFa and GANSpace, and how far codes are moved along them."""
        settings, count = self._settings, min(DIRECTIONS, self._model.latent_dim)
        ganspace = ganspace_directions(
            self._model, self._layer, count=count, seed=seed, grid=settings.grid
        ).vectors
        sefa = sefa_directions(self._model, count).vectors
        return {
            "sefa": (sefa, settings.sefa_amount),
            "sefa_far": (sefa, FAR * settings.sefa_amount),
            "ganspace": (ganspace, settings.ganspace_amount),
            "ganspace_far": (ganspace, FAR * settings.ganspace_amount),
        }


def most_telling(
    survey: Iterable[LayerClusters], layer: str | None, attribute: str | None
) -> tuple[str, str, float]:
    """Returns the layer and attribute that tell most of each other, and how much, in [0, 1].

    Layers with clusters of outliers are taken only where they are asked for.

    Args:
        survey: clusters of each layer, with what attributes tell of them.
        layer: name of the only layer that is allowed; None for all.
        attribute: name of the only attribute that is allowed; None for all.

    Raises:
        ValueError: for a layer or an attribute that there is none of.
    """
    layers = {each.name: each for each in survey}
    if layer is not None and layer not in layers:
        raise ValueError(f"--layer must be one of {', '.join(layers)}. Received: {layer!r}.")
    known = next(iter(layers.values())).mutual_information
    if attribute is not None and attribute not in known:
        raise ValueError(f"--attribute must be one of {', '.join(known)}. Received: {attribute!r}.")
    allowed: Sequence[LayerClusters] = list(layers.values())
    if layer is not None:
        allowed = [layers[layer]]
    else:
        allowed = [each for each in allowed if not any(each.outliers)] or allowed
    pairs = [
        (share, each.name, name)
        for each in allowed
        for name, share in each.mutual_information.items()
        if attribute in (None, name)
    ]
    share, found_layer, found_attribute = max(pairs)
    return found_layer, found_attribute, share
