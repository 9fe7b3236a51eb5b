"""Models that are trained alike and measured with one judge: tables and samples of the papers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cvaegan import files, pictures
from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.training_config import default_preset, parse_objective, training_config
from trainers.evaluation import measuring
from trainers.evaluation.real_side import RealSide
from trainers.sweeps import claims, comparison_page
from trainers.sweeps.comparison_page import COLUMNS
from trainers.sweeps.over_seeds import over_seeds
from trainers.sweeps.sweep import Contender, Sweep

if TYPE_CHECKING:
    from absl.flags import FlagValues

MEASURED = (
    *("top1_accuracy", "inception_score", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)
SHOWN = 9


def open_sweep(values: FlagValues, models: Sequence[str], command: str) -> Sweep:
    """Returns the trainings that the flags ask for, each model with its configuration.

    Args:
        values: flags of `trainers.compare`.
        models: names of the models.
        command: command that started the program.

    Raises:
        ValueError: for flags that one of the models cannot have, or data that cannot be used.
    """
    preset = values.preset or default_preset(values.dataset, models)
    known = {model: sorted(MODELS[model].hyperparameters(preset)) for model in models}
    settings, found = hyperparameters(values.set, known), []
    for model in models:
        try:
            objective = parse_objective(settings[model], model, preset)
            config = training_config(values, model=model, preset=preset, objective=objective)
        except ValueError as error:
            raise ValueError(f"{claims.title(model)}: {error}") from None
        found.append(Contender(model, claims.title(model), config))
    return Sweep(values.output, found, values.seeds, command, values.judge)


def hyperparameters(
    texts: Sequence[str], known: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Returns what `--set` says of each model, as `name=value`.

    Args:
        texts: values of the flag; a name is for all models that have it, or, as in `cgan.name`,
            for one.
        known: names of the hyper-parameters of each model.

    Raises:
        ValueError: for a name that none has.

    Example:

    >>> known = {"cvae": ["kl_weight"], "cgan": []}
    >>> hyperparameters(["cvae.kl_weight=3", "kl_weight=1"], known)
    {'cvae': ['kl_weight=1', 'kl_weight=3'], 'cgan': []}
    """
    arguments: dict[str, list[str]] = {model: [] for model in known}
    given = flags.assignments(texts, "set")
    # Those for one model come last, and count.
    for name, value in sorted(given.items(), key=lambda item: "." in item[0]):
        model, _, own = name.rpartition(".")
        having = [each for each in known if model in ("", each) and own in known[each]]
        if not having:
            allowed = "; ".join(f"{each}: {', '.join(known[each])}" for each in known)
            raise ValueError(f"--set does not know {name!r}. Allowed: {allowed}.")
        for each in having:
            arguments[each].append(f"{own}={value}")
    return arguments


def measure_all(
    sweep: Sweep, real_side: RealSide, samples_per_class: int, labels: Sequence[int]
) -> tuple[dict[tuple[str, int], dict[str, Any]], dict[str, list[np.ndarray]]]:
    """Returns what `measure` does for each complete run, by model and seed, and samples to show.

    The samples are of the first run of each model, by its title: `SHOWN` of each of the labels.
    Sample k of every model has the same z, where its z has as many dimensions.
    """
    results, drawn, complete = {}, {}, sweep.complete()
    for number, (contender, seed) in enumerate(complete, start=1):
        print(
            f"\nMeasuring {number} of {len(complete)}: {contender.title}, seed {seed}", flush=True
        )
        results[contender.name, seed] = sweep.measured(
            contender,
            seed,
            real_side,
            {"samples_per_class": samples_per_class, "figures": list(MEASURED)},
            lambda model: measure(model, real_side, samples_per_class),
        )
        if contender.title not in drawn:
            model = sweep.model(contender, seed)
            drawn[contender.title] = [
                model.generate(np.full(SHOWN, label if model.conditional else 0), seed=0)
                for label in labels
            ]
    return results, drawn


def measure(model: GenerativeModel, real_side: RealSide, samples_per_class: int) -> dict[str, Any]:
    """Returns what evaluation.json has for a model, of `MEASURED`, and its batches a step."""
    results = measuring.measure(
        model,
        real_side,
        names=[name for name in measuring.possible_names(model) if name in MEASURED],
        samples_per_class=samples_per_class,
    )
    return {**results, "batches_per_step": model.batches_per_step}


def summarize(
    sweep: Sweep, measured: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Returns the figures of each model with a complete run: see `over_seeds`.

    Values by seed are in the order of the seeds; None stands for a run that failed.
    """
    summary = {}
    for contender in sweep.contenders:
        runs = [measured.get((contender.name, seed), {}) for seed in range(sweep.seeds)]
        if any(runs):
            generated = [run.get("generated", {}) for run in runs]
            summary[contender.name] = over_seeds(
                [{name: of_run.get(name) for name in COLUMNS} for of_run in generated]
            )
    return summary


def budgets(
    sweep: Sweep, measured: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Returns what each model was trained with, where models differ: images and learning rates."""
    result = {}
    for (model, _), figures_of_run in measured.items():
        config = sweep.configs[model, 0]
        batches = figures_of_run["batches_per_step"]
        result[model] = {
            "steps": config.steps,
            "batches_per_step": batches,
            "batch_size": config.batch_size,
            "images": config.steps * batches * config.batch_size,
            "optimizer": MODELS[model].optimizer_class.__name__,
            "learning_rates": dict(config.learning_rates),
        }
    return result


def real_rows(real_side: RealSide, labels: Sequence[int]) -> list[np.ndarray]:
    """Returns held-out pictures of each class, chosen by lot: `SHOWN`, or as many as there are."""
    rows, of_data = [], np.asarray(real_side.test.labels)
    for label in labels:
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(of_data == label))[:SHOWN]
        rows.append(real_side.test.images[np.sort(chosen)])
    return rows


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """What was measured of a sweep.

    Args:
        results: contents of compare.json but for the flags.
        rows: rows of samples.png.
        shown: sentence on what these rows are.
    """

    results: dict[str, Any]
    rows: list[np.ndarray]
    shown: str

    def write(self, output: Path, flags: Mapping[str, Any]) -> str:
        """Writes compare.json, table.md and samples.png; returns the text of table.md.

        Args:
            output: folder of the files, which is there.
            flags: flags of the program, for compare.json.
        """
        text = comparison_page.page(self.results, self.shown)
        write_json(output / "compare.json", {"flags": flags, **self.results})
        files.write_text(output / "table.md", f"{text}\n")
        pictures.write_png(output / "samples.png", pictures.grid(self.rows))
        return text


def compare(
    sweep: Sweep, labels: Sequence[int], samples_per_class: int, max_test_images: int
) -> Comparison:
    """Measures the complete runs of a sweep.

    Args:
        sweep: trainings of the models.
        labels: classes whose pictures are shown.
        samples_per_class: number of generated pictures of each class.
        max_test_images: largest number of held-out pictures to use.
    """
    real_side = sweep.real_side(max_test_images, MEASURED)
    measured, drawn = measure_all(sweep, real_side, samples_per_class, labels)
    summary, runs = summarize(sweep, measured), list(measured.values())
    real = {name: run["real"][name] for run in runs for name in COLUMNS if name in run["real"]}
    results = {
        "models": summary,
        "real": real,
        "training": budgets(sweep, measured),
        # Of all runs alike.
        **{name: runs[0][name] for name in ("extractor", "judge", "reference")},
        "samples": {name: count for name, count in runs[0]["samples"].items() if name != "step"},
        "verdict": claims.verdict(summary),
        "diversity_verdicts": claims.diversity_verdicts(summary),
        "notes": list(dict.fromkeys(note for run in runs for note in run["notes"])),
        "failed": sweep.failed(),
    }
    held_out, rows, classes = real_rows(real_side, labels), [], []
    for number, label in enumerate(labels):
        rows += [held_out[number], *(samples[number] for samples in drawn.values())]
        name = sweep.data.class_names[label]
        classes.append(f"{name} ({len(held_out[number])} held out, {SHOWN} of each model)")
    shown = (
        f"samples.png: random pictures of {', '.join(classes)}; "
        f"from top to bottom {', '.join(['real', *drawn])}."
    )
    return Comparison(results, rows, shown)
