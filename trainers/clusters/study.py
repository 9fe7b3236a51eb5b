"""Ways to sample the clusters of one layer, trained and measured."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_cvaegan.applications.ganspace import ganspace_directions
from keras_cvaegan.applications.sefa import sefa_directions
from keras_cvaegan.metrics.attribute_clusters import ClusterReader
from keras_cvaegan.metrics.frechet_distance import FeatureMoments, frechet_distance
from keras_cvaegan.models import ClusterGuidedGenerator, GenerativeModel
from keras_cvaegan.progress import Progress
from keras_cvaegan.training.code_batches import CodeBatches
from trainers.clusters import measures
from trainers.clusters.measures import Attribute, Values
from trainers.evaluation.real_side import RealSide

TITLES = {
    "real": "codes of the cluster",
    "untrained": "no mapping, calibrated",
    "imle": "IMLE",
    "imle_raw": "IMLE, not calibrated",
    "gan": "GAN",
    "gan_raw": "GAN, not calibrated",
    "vae": "VAE",
    "vae_raw": "VAE, not calibrated",
    "sefa": "SeFa",
    "sefa_far": "SeFa, 4 times as far",
    "ganspace": "GANSpace",
    "ganspace_far": "GANSpace, 4 times as far",
}
"""What is compared, by name. "real" are random codes that fall into the cluster.

Where more of the pictures have the cluster's attribute than of these, its border is left out.
"""
MAPPINGS = ("imle", "gan", "vae")
FAR = 4
DIRECTIONS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Lengths and numbers of a study: flags of `trainers.cluster_study` of the same names.

    Args:
        grid: cells a side over which features are averaged.
        codes: number of random codes to cluster and to learn.
        steps: length of each training.
        batch_size: codes a step.
        candidates: samples of IMLE for each code.
        sefa_amount: distance that codes are moved along directions of SeFa.
        ganspace_amount: distance along those of GANSpace, in standard deviations.
        samples: pictures a cluster.
        held_out: codes a cluster to be covered.
        frechet_samples: pictures to compare with real ones.
    """

    grid: int
    codes: int
    steps: int
    batch_size: int
    candidates: int
    sefa_amount: float
    ganspace_amount: float
    samples: int
    held_out: int
    frechet_samples: int


class Study:
    """What samples the clusters of one layer, trained and measured.

    Args:
        model: unconditional generator.
        layer: name of the layer whose features are clustered.
        attribute: name of the attribute that the clusters are compared by.
        read: function that returns the values of all attributes of uint8 images.
        settings: lengths and numbers.
    """

    def __init__(
        self,
        model: GenerativeModel,
        layer: str,
        attribute: str,
        read: Callable[[np.ndarray], Values],
        settings: Settings,
    ) -> None:
        self._model, self._layer, self._attribute = model, layer, attribute
        self._read, self._settings = read, settings

    def figures(self, n_clusters: int, seed: int) -> dict[str, dict[str, float]]:
        """Returns what each way to sample clusters reaches, by its name and the measure's."""
        settings = self._settings
        first = self._guided("imle", n_clusters, seed)
        clusters = first.find_clusters(settings.codes)
        z = first.codes(settings.codes, seed)
        attribute = self._fitted(first, z, clusters.labels)
        asked = measures.of_each(n_clusters, settings.samples)
        seeds = {
            "samples": measures.SAMPLES_SEED + seed,
            "selection": measures.SELECTION_SEED + seed,
            "held_out": measures.HELD_OUT_SEED + seed,
            "reference": measures.REFERENCE_SEED + seed,
        }
        held_out = measures.real_codes(first, settings.held_out, seeds["held_out"])
        reference = measures.real_codes(first, settings.held_out, seeds["reference"])
        real = measures.real_codes(first, settings.samples, seeds["samples"])
        found = {"real": measures.measure(first, attribute, *real)}
        first.calibrate(z, clusters.labels)
        untrained = first.map_codes(asked, seeds["samples"])
        found["untrained"] = {
            **measures.measure(first, attribute, untrained, asked),
            **measures.coverage(
                held_out, reference, first.map_codes(held_out[1], seeds["samples"])
            ),
        }
        for mapping in MAPPINGS if n_clusters == 2 else MAPPINGS[:1]:
            guided = self._trained(mapping, n_clusters, seed, z, clusters.labels, first)
            ways = {mapping: guided.map_codes, f"{mapping}_raw": guided.mapping.generate}
            for name, draw in ways.items():
                found[name] = {
                    **measures.measure(guided, attribute, draw(asked, seeds["samples"]), asked),
                    **measures.coverage(held_out, reference, draw(held_out[1], seeds["samples"])),
                }
        if n_clusters == 2:
            fresh = first.codes(len(asked), seeds["samples"])
            for name, (directions, amount) in self._directions(seed).items():
                direction = measures.best_direction(
                    first, attribute, directions, amount, settings.samples, seeds["selection"]
                )
                moved = measures.edited(fresh, asked, direction, amount)
                found[name] = measures.measure(first, attribute, moved, asked)
        return found

    def one_cluster(self, seed: int, real_side: RealSide) -> dict[str, float]:
        """Returns the Fréchet distance of the generator, and of it with IMLE of all its codes."""
        first = self._guided("imle", 1, seed)
        labels = first.find_clusters(self._settings.codes).labels
        z = first.codes(self._settings.codes, seed)
        guided = self._trained("imle", 1, seed, z, labels, first)
        count, at = self._settings.frechet_samples, measures.SAMPLES_SEED + seed
        codes = {
            "generator": guided.codes(count, at),
            "imle": guided.map_codes(np.zeros(count, np.int32), at),
            "imle_raw": guided.mapping.generate(np.zeros(count, np.int32), at),
        }
        real, found = real_side.reference.moments, {}
        for name, each in codes.items():
            moments = FeatureMoments()
            for start in range(0, count, 500):
                images, _ = guided.paint(each[start : start + 500])
                features, _ = real_side.extractor(images)
                moments.add(features)
            found[name] = frechet_distance(real.mean, real.root, moments.mean, moments.root)
        return {**found, "ratio": found["imle"] / found["generator"]}

    def _guided(self, mapping: str, n_clusters: int, seed: int) -> ClusterGuidedGenerator:
        arguments = {"candidates": self._settings.candidates} if mapping == "imle" else {}
        return ClusterGuidedGenerator(
            self._model,
            layer=self._layer,
            n_clusters=n_clusters,
            mapping=mapping,
            grid=self._settings.grid,
            mapping_arguments=arguments,
            seed=seed,
        )

    def _trained(
        self,
        mapping: str,
        n_clusters: int,
        seed: int,
        z: np.ndarray,
        labels: np.ndarray,
        like: ClusterGuidedGenerator,
    ) -> ClusterGuidedGenerator:
        """A mapping of codes, with the clusters of another."""
        guided = self._guided(mapping, n_clusters, seed)
        guided.centers.assign(like.centers)
        guided.compile()
        steps, batch_size = self._settings.steps, self._settings.batch_size
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
        count = min(DIRECTIONS, self._model.latent_dim)
        space = ganspace_directions(
            self._model, self._layer, count=count, seed=seed, grid=self._settings.grid
        )
        closed, settings = sefa_directions(self._model, count), self._settings
        return {
            "sefa": (closed.vectors, settings.sefa_amount),
            "sefa_far": (closed.vectors, FAR * settings.sefa_amount),
            "ganspace": (space.vectors, settings.ganspace_amount),
            "ganspace_far": (space.vectors, FAR * settings.ganspace_amount),
        }


def compare_all(
    study: Study, numbers: Sequence[int], seeds: int, real_side: RealSide
) -> tuple[dict[int, list[dict[str, Any]]], list[dict[str, float]]]:
    """Returns the figures of each number of clusters by seed, and those of one cluster by seed.

    Args:
        study: ways to sample clusters.
        numbers: numbers of clusters.
        seeds: number of seeds: 0, 1, …
        real_side: real pictures that samples are compared with.
    """
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    alone = []
    for seed, number in itertools.product(range(seeds), numbers):
        found[number].append(study.figures(number, seed))
        if number == numbers[-1]:
            alone.append(study.one_cluster(seed, real_side))
    return found, alone
