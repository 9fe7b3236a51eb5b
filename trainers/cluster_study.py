"""Compares ways to sample clusters of a generator, by the known attributes of `petals`.

A network learns to read attributes from real pictures. Of the generator's layers, the one whose
clusters tell most of an attribute is taken. Then pictures are asked for by cluster: of mappings
trained by IMLE, as a GAN and as a VAE, and of codes moved along directions of SeFa and GANSpace
(Georgopoulos et al. 2022). The attribute should be that of the cluster, and no code left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.reports.tables import markdown
from trainers.sweeps.over_seeds import cell, over_seeds

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import ClusterGuidedGenerator, GenerativeModel
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
MEASURES = {
    "attribute": "Attribute accuracy",
    "cluster": "In the cluster",
    "coverage": "Codes covered",
    "ceiling": "… by real codes",
    "spread": "Spread of the codes",
    "diversity": "Diversity",
}
DIRECTIONS = 10

COMMAND = Command("trainers.cluster_study", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Clusters"):
    COMMAND.string("layer", None, "whose features are clustered (default: by the survey)")
    COMMAND.integer("grid", 1, "cells a side over which features are averaged", lower_bound=1)
    COMMAND.string(
        "n_clusters", "2,4,8", "how many; 2 is compared in all ways, others by IMLE alone"
    )
    COMMAND.integer("codes", 10_000, "random codes to cluster and to learn", lower_bound=100)
    COMMAND.string("attribute", None, "which the clusters should be of (default: by the survey)")
with COMMAND.section("Mappings"):
    COMMAND.integer("seeds", 3, "of codes, clusters and trainings", lower_bound=1)
    COMMAND.integer("steps", 4_000, "of each training", lower_bound=1)
    COMMAND.integer("batch_size", 256, "codes a step", lower_bound=1)
    COMMAND.integer("candidates", 16, "of IMLE, for each code", lower_bound=1)
with COMMAND.section("Directions"):
    COMMAND.number("sefa_amount", 0.75, "how far codes are moved", lower_bound=0)
    COMMAND.number(
        "ganspace_amount", 1.0, "how far, in standard deviations of a component", lower_bound=0
    )
with COMMAND.section("Measures"):
    COMMAND.integer("samples", 100, "pictures a cluster", lower_bound=2)
    COMMAND.integer("held_out", 1_000, "codes a cluster to be covered", lower_bound=2)
    COMMAND.integer(
        "frechet_samples", 10_000, "pictures to compare with real ones", lower_bound=100
    )
    COMMAND.integer(
        "reader_epochs",
        30,
        "passes over the training pictures; the reader is trained once and stays in the run",
        lower_bound=1,
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of cluster_study.json and table.md (default: RUN_DIR/cluster_study)"
    )


class Study:
    """What samples the clusters of one layer, trained and measured.

    Args:
        model: an unconditional generator.
        layer: whose features are clustered.
        attribute: which the clusters are compared by.
        read: the values of all attributes of uint8 images.
        values: the flags.
    """

    def __init__(
        self,
        model: GenerativeModel,
        layer: str,
        attribute: str,
        read: Callable[[np.ndarray], Values],
        values: FlagValues,
    ) -> None:
        self._model, self._layer, self._attribute = model, layer, attribute
        self._read, self._values = read, values

    def figures(self, n_clusters: int, seed: int) -> dict[str, dict[str, float]]:
        """Returns what each way to sample clusters reaches, by its name and the measure's."""
        from trainers.clusters import measures

        values = self._values
        first = self._guided("imle", n_clusters, seed)
        clusters = first.find_clusters(values.codes)
        z = first.codes(values.codes, seed)
        attribute = self._fitted(first, z, clusters.labels)
        asked = measures.of_each(n_clusters, values.samples)
        seeds = {
            "samples": measures.SAMPLES_SEED + seed,
            "selection": measures.SELECTION_SEED + seed,
            "held_out": measures.HELD_OUT_SEED + seed,
            "reference": measures.REFERENCE_SEED + seed,
        }
        held_out = measures.real_codes(first, values.held_out, seeds["held_out"])
        reference = measures.real_codes(first, values.held_out, seeds["reference"])
        real = measures.real_codes(first, values.samples, seeds["samples"])
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
                    first, attribute, directions, amount, values.samples, seeds["selection"]
                )
                moved = measures.edited(fresh, asked, direction, amount)
                found[name] = measures.measure(first, attribute, moved, asked)
        return found

    def one_cluster(self, seed: int, real_side: RealSide) -> dict[str, float]:
        """Returns the Fréchet distance of the generator, and of it with IMLE of all its codes."""
        from keras_cvaegan.metrics.frechet_distance import FeatureMoments, frechet_distance
        from trainers.clusters import measures

        first = self._guided("imle", 1, seed)
        labels = first.find_clusters(self._values.codes).labels
        z = first.codes(self._values.codes, seed)
        guided = self._trained("imle", 1, seed, z, labels, first)
        count, at = self._values.frechet_samples, measures.SAMPLES_SEED + seed
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
        from keras_cvaegan.models import ClusterGuidedGenerator

        arguments = {"candidates": self._values.candidates} if mapping == "imle" else {}
        return ClusterGuidedGenerator(
            self._model,
            layer=self._layer,
            n_clusters=n_clusters,
            mapping=mapping,
            grid=self._values.grid,
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
        import keras

        from keras_cvaegan.progress import Progress
        from keras_cvaegan.training.code_batches import CodeBatches

        guided = self._guided(mapping, n_clusters, seed)
        guided.centers.assign(like.centers)
        guided.compile()
        steps, batch_size = self._values.steps, self._values.batch_size
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
        from keras_cvaegan.metrics.attribute_clusters import ClusterReader
        from trainers.clusters.measures import Attribute

        known = self._read(guided.paint(z)[0])[self._attribute]
        return Attribute(self._attribute, self._read, ClusterReader().fit(known, labels))

    def _directions(self, seed: int) -> dict[str, tuple[np.ndarray, float]]:
        """The first directions of SeFa and GANSpace, and how far codes are moved along them."""
        from keras_cvaegan.applications.ganspace import ganspace_directions
        from keras_cvaegan.applications.sefa import sefa_directions

        count = min(DIRECTIONS, self._model.latent_dim)
        space = ganspace_directions(
            self._model, self._layer, count=count, seed=seed, grid=self._values.grid
        )
        closed, values = sefa_directions(self._model, count), self._values
        return {
            "sefa": (closed.vectors, values.sefa_amount),
            "sefa_far": (closed.vectors, FAR * values.sefa_amount),
            "ganspace": (space.vectors, values.ganspace_amount),
            "ganspace_far": (space.vectors, FAR * values.ganspace_amount),
        }


def table(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns what each way to sample clusters reaches, as Markdown."""
    rows = [
        [TITLES[name], *(cell(figures.get(measure)) for measure in MEASURES)]
        for name, figures in summary.items()
    ]
    return markdown(["", *MEASURES.values()], rows)


def verdicts(summary: Mapping[str, Any], one_cluster: Mapping[str, Any]) -> list[str]:
    """Returns what the figures say of the paper's claims, a line each."""
    lines = []
    ranked = (
        sorted(
            (name for name in summary["2"] if name in (*MAPPINGS, "sefa", "ganspace")),
            key=lambda name: -summary["2"][name]["attribute"]["mean"],
        )
        if "2" in summary
        else []
    )
    if ranked:
        order = ", ".join(
            f"{TITLES[name]} {summary['2'][name]['attribute']['mean']:.3f}" for name in ranked
        )
        first = "confirmed" if ranked[0] == "imle" else "refuted"
        lines.append(f"Claim: IMLE is first in attribute accuracy: {first}: {order}.")
    before, claim = one_cluster["generator"]["mean"], "costs at most 12 % of the Fréchet distance"
    for name in ("imle_raw", "imle"):
        after = one_cluster[name]["mean"]
        within = "confirmed" if after / before <= 1.12 else "refuted"
        lines.append(
            f"Claim: mapping all codes as one cluster {claim} ({TITLES[name]}): {within}: "
            f"{before:.3f} becomes {after:.3f}, {after / before - 1:+.1%}."
        )
    return lines


def chosen(
    survey: Sequence[Any], layer: str | None, attribute: str | None
) -> tuple[str, str, float]:
    """Returns the layer and attribute that tell most of each other, and how much, in [0, 1].

    Layers with clusters of outliers are taken only where they are asked for.

    Args:
        survey: what `layer_survey` found.
        layer: the only one allowed, if any.
        attribute: likewise.

    Raises:
        ValueError: for a layer or an attribute that there is none of.
    """
    layers = {each.name: each for each in survey}
    if layer is not None and layer not in layers:
        raise ValueError(f"--layer must be one of {', '.join(layers)}. Received: {layer!r}.")
    known = next(iter(layers.values())).mutual_information
    if attribute is not None and attribute not in known:
        raise ValueError(f"--attribute must be one of {', '.join(known)}. Received: {attribute!r}.")
    sound = [each for each in survey if layer is None and not any(each.outliers)]
    pairs = [
        (share, each.name, name)
        for each in (sound or [layers[layer]] if layer else sound or survey)
        for name, share in each.mutual_information.items()
        if attribute in (None, name)
    ]
    share, found_layer, found_attribute = max(pairs)
    return found_layer, found_attribute, share


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)
    numbers = flags.integers(values.n_clusters, "n_clusters", least=2)

    import keras_cvaegan
    from keras_cvaegan import files
    from keras_cvaegan.applications import layer_survey
    from keras_cvaegan.training.run_directory import RunDirectory, write_json
    from trainers.attributes.measures import KnownPictures
    from trainers.attributes.reader import open_reader
    from trainers.clusters import surveys
    from trainers.evaluation.judge import open_judge
    from trainers.evaluation.real_side import RealSide
    from trainers.runs.data import open_data, read_config

    run = RunDirectory(run_dir)
    data = open_data(read_config(run))
    model = keras_cvaegan.load(run.finished_model())
    training = KnownPictures.of(data.prepare("train"))
    reader = open_reader(run, data, training, values.reader_epochs)
    judge, about = open_judge(run.evaluation_classifier, data)
    output = output_folder(values, "cluster_study", ["cluster_study.json", "table.md"])
    real_side = RealSide(data, judge, about, statistics=run.evaluation_statistics)

    survey = surveys.Survey(layer_survey(model, n_clusters=2, read=reader.read, grid=values.grid))
    print(f"\nTwo clusters of each layer:\n\n{surveys.table(survey)}\n")
    layer, attribute, share = chosen(survey.layers, values.layer, values.attribute)
    print(f"Layer {layer!r} and {attribute!r}: {share:.2f} of what there is to tell.", flush=True)
    study = Study(model, layer, attribute, reader.read, values)
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    alone = []
    for seed, number in itertools.product(range(values.seeds), numbers):
        found[number].append(study.figures(number, seed))
        if number == numbers[-1]:
            alone.append(study.one_cluster(seed, real_side))
    summary = {
        str(number): {name: over_seeds([each[name] for each in runs]) for name in runs[0]}
        for number, runs in found.items()
    }
    one_cluster = over_seeds(alone)
    lines = verdicts(summary, one_cluster)
    tables = [f"{number} clusters:\n\n{table(each)}" for number, each in summary.items()]
    text = "\n\n".join([*tables, "\n".join(lines)])
    results = {
        "flags": COMMAND.settings(values),
        "layer": layer,
        "attribute": attribute,
        "survey": survey.figures(),
        "summary": summary,
        "one_cluster": one_cluster,
        "claims": lines,
    }
    write_json(output / "cluster_study.json", results)
    files.write_text(output / "table.md", f"{text}\n")
    print(f"\n{text}\n")
    print_written(output, ["cluster_study.json", "table.md"])


if __name__ == "__main__":
    COMMAND.run(main)
