"""Trains several models alike, and measures them side by side: Table 1 and Fig. 5 of the paper.

All have the same data, networks, batches, steps and seeds, and one judge (Bao et al. 2017, Section
5.1 and 5.2). Started again, it goes on where it stopped.
"""

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainers import command_line, configuration, figures, fit
from trainers.generate import parse_labels
from trainers.tables import cell, markdown, over_seeds, write_text

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.training.run_directory import RunDirectory
    from trainers.series import Contender, Series
    from trainers.yardstick import Yardstick

TITLES = {
    "vae": "VAE",
    "gan": "GAN",
    "wgan": "WGAN",
    "fm_gan": "FM-GAN",
    "vae_gan": "VAE/GAN",
    "cvae": "CVAE",
    "cgan": "CGAN",
    "fm_cgan": "FM-CGAN",
    "cvae_gan": "CVAE-GAN",
}
PAPER = ("cvae", "cgan", "fm_cgan", "cvae_gan")
"""In the order of the paper's Top-1 accuracy, from low to high."""

MEASURED = (
    *("top1_accuracy", "inception_score", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)
COLUMNS = (
    *("top1_accuracy", "realism", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)
SHOWN = 9

COMMAND = command_line.Command("trainers.compare", __doc__, command_line.TRAINING_ENVIRONMENT)
command_line.data_flags(COMMAND)
with COMMAND.section("Models"):
    COMMAND.string("models", ",".join(PAPER), f"which, of {', '.join(command_line.MODELS)}")
    COMMAND.integer("seeds", 3, "trainings of each model", lower_bound=1)
    COMMAND.adopt(fit.COMMAND, "preset", "latent_dim")
    COMMAND.repeated(
        "set",
        "as in trainers.fit, for the models that have it: --set=kl_weight=1; or for one: "
        "--set=cvae_gan.kl_weight=1",
    )
with COMMAND.section("Training, of each"):
    COMMAND.adopt(fit.COMMAND, *("steps", "batch_size", "dtype_policy", "jit_compile"))
    COMMAND.adopt(fit.COMMAND, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Measures"):
    COMMAND.integer("samples_per_class", 100, "generated pictures a class", lower_bound=1)
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)
    COMMAND.string("labels", "0", "classes of the pictures that are shown, by number or name")
with COMMAND.section("Results"):
    COMMAND.string(
        "output", "runs/compare", "folder of compare.json, table.md, samples.png and all runs"
    )


def hyperparameters(
    texts: Sequence[str], known: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Returns the arguments `--set` of each model.

    Args:
        texts: as given; a name is for all models that have it, or, before these, for one, as in
            `cgan.name`.
        known: the names that each model has.

    Raises:
        ValueError: for a name that none has.

    Example:

    >>> known = {"cvae": ["kl_weight"], "cgan": []}
    >>> hyperparameters(["cvae.kl_weight=3", "kl_weight=1"], known)
    {'cvae': ['--set=kl_weight=1', '--set=kl_weight=3'], 'cgan': []}
    """
    arguments = {model: [] for model in known}
    given = command_line.assignments(texts, "set")
    # Those for one model come last, and count.
    for name, value in sorted(given.items(), key=lambda item: "." in item[0]):
        model, _, own = name.rpartition(".")
        having = [each for each in known if model in ("", each) and own in known[each]]
        if not having:
            allowed = "; ".join(f"{each}: {', '.join(known[each])}" for each in known)
            raise ValueError(f"--set does not know {name!r}. Allowed: {allowed}.")
        for each in having:
            arguments[each].append(f"--set={own}={value}")
    return arguments


def contenders(values: "FlagValues") -> "list[Contender]":
    """Returns the models to compare, with the arguments that are their own.

    Raises:
        ValueError: for `--models` or `--set` that cannot be.
    """
    from keras_cvaegan.models import MODELS
    from trainers.series import Contender

    models = command_line.choices(values.models, "models", command_line.MODELS)
    known = {model: sorted(MODELS[model].hyperparameters(values.preset)) for model in models}
    settings = hyperparameters(values.set, known)
    return [
        Contender(model, TITLES[model], [f"--model={model}", *settings[model]]) for model in models
    ]


def measure_all(
    series: "Series", yardstick: "Yardstick", samples_per_class: int
) -> dict[tuple[str, int], dict[str, Any]]:
    """Returns the contents of evaluation.json of each complete run, by model and seed."""
    results, complete = {}, series.complete()
    for number, (contender, seed) in enumerate(complete, start=1):
        print(
            f"\nMeasuring {number} of {len(complete)}: {contender.title}, seed {seed}", flush=True
        )
        run = series.run(contender, seed)
        results[contender.name, seed] = measure_run(run, yardstick, samples_per_class)
    return results


def measure_run(
    run: "RunDirectory", yardstick: "Yardstick", samples_per_class: int
) -> dict[str, Any]:
    """Returns the contents of a run's evaluation.json, measured where it does not hold them."""
    import keras_cvaegan
    from keras_cvaegan.training.run_directory import write_json
    from trainers import measuring

    # What must be the same for kept figures to serve.
    asked = {
        "samples_per_class": samples_per_class,
        "real": len(yardstick.test_rows),
        "judge": yardstick.judge.fingerprint,
        "version": keras_cvaegan.__version__,
    }
    if run.is_newer(run.evaluation, run.model):
        kept = json.loads(run.evaluation.read_text("utf-8"))
        if kept.get("compared") == asked:
            return kept
    model = keras_cvaegan.load(run.model)
    results = measuring.measure(
        model,
        yardstick,
        names=[name for name in measuring.possible_names(model) if name in MEASURED],
        samples_per_class=samples_per_class,
    )
    write_json(run.evaluation, {**results, "compared": asked})
    return results


def table(summary: Mapping[str, Mapping[str, Any]], real: Mapping[str, Any]) -> str:
    """Returns Table 1 as Markdown: a row for real data, then one a model."""
    titles = {figure.name: figure.title for figure in figures.FIGURES}
    rows = [["real data", *(figures.number(real.get(name)) for name in COLUMNS)]]
    for model, of_model in summary.items():
        rows.append([TITLES[model], *(cell(of_model.get(name)) for name in COLUMNS)])
    return markdown(["", *(titles[name] for name in COLUMNS)], rows)


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether the paper's order in Top-1 accuracy holds.

    Example:

    >>> of = lambda *values: {"top1_accuracy": over_seeds([{"a": x} for x in values])["a"]}
    >>> print(verdict({"cvae_gan": of(0.9, 0.8), "cgan": of(0.4, 0.85)}))
    The paper's order in Top-1 accuracy, CGAN < CVAE-GAN, holds in the mean, and in 1 of 2 seeds:
    CGAN 0.625, CVAE-GAN 0.850.
    """
    accuracies = {
        model: summary[model]["top1_accuracy"]
        for model in PAPER
        if summary.get(model, {}).get("top1_accuracy", {}).get("mean") is not None
    }
    if len(accuracies) < 2:
        return "The paper's order in Top-1 accuracy is that of CVAE, CGAN, FM-CGAN and CVAE-GAN."
    means = {model: accuracy["mean"] for model, accuracy in accuracies.items()}
    by_seed = [accuracy["by_seed"] for accuracy in accuracies.values()]
    seeds = ""
    if len({len(values) for values in by_seed}) == 1 < len(by_seed[0]):
        right = sum(_rises(values) for values in zip(*by_seed, strict=True))
        seeds = f" in the mean, and in {right} of {len(by_seed[0])} seeds"
    holds = "holds" if _rises(list(means.values())) else "does not hold"
    return (
        f"The paper's order in Top-1 accuracy, {' < '.join(TITLES[model] for model in means)}, "
        f"{holds}{seeds}: "
        + ", ".join(f"{TITLES[model]} {figures.number(mean)}" for model, mean in means.items())
        + "."
    )


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in itertools.pairwise(values))


def sample_rows(
    series: "Series", yardstick: "Yardstick", labels: Sequence[int]
) -> "tuple[list[np.ndarray], list[str]]":
    """Returns Fig. 5 and its titles: real pictures of a class, then samples of each model.

    Sample k of every model has the same z, where its z has as many dimensions.
    """
    import numpy as np

    import keras_cvaegan

    models = {}
    for contender, seed in series.complete():
        if contender.title not in models:
            models[contender.title] = keras_cvaegan.load(series.run(contender, seed).model)
    rows, titles = [], ["real", *models]
    of_data = np.asarray(yardstick.test.labels)
    for label in labels:
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(of_data == label))[:SHOWN]
        rows.append(yardstick.test.images[np.sort(chosen)])
        for model in models.values():
            of_class = np.full(SHOWN, label if model.conditional else 0)
            rows.append(model.generate(of_class, seed=0))
    return rows, titles


def main(values: "FlagValues") -> int:
    from keras_cvaegan import pictures
    from keras_cvaegan.training.run_directory import write_json
    from trainers.series import Series

    arguments = COMMAND.arguments_for(fit.COMMAND, values, but=["set"])
    series = Series(values.output, contenders(values), values.seeds, arguments)
    names = configuration.data_source(series.config).class_names
    labels = parse_labels(values.labels, names)
    if not series.train():
        print(f"To go on with the whole:\n  {COMMAND.command}")
        return command_line.INTERRUPTED
    yardstick = series.yardstick(values.max_test_images)
    measured = measure_all(series, yardstick, values.samples_per_class)
    summary = {}
    for contender in series.contenders:
        runs = [results for (model, _), results in measured.items() if model == contender.name]
        if runs:
            summary[contender.name] = over_seeds(
                [{name: run["generated"].get(name) for name in COLUMNS} for run in runs]
            )
    real: dict[str, Any] = {}
    for results in measured.values():
        real |= {name: results["real"][name] for name in COLUMNS if name in results["real"]}
    rows, titles = sample_rows(series, yardstick, labels)
    said, failed = verdict(summary), series.failed()
    notes = list(dict.fromkeys(note for results in measured.values() for note in results["notes"]))
    text = "\n\n".join(
        [
            table(summary, real),
            said,
            f"samples.png: {SHOWN} random pictures a row, of "
            f"{', '.join(names[label] for label in labels)}; "
            f"from top to bottom {', '.join(titles)}.",
            *(f"Note: {note}" for note in notes),
            *(f"Failed, and left out here: {run}" for run in failed),
        ]
    )
    output = series.output.path
    write_json(
        output / "compare.json",
        {
            "flags": COMMAND.settings(values),
            "models": summary,
            "real": real,
            "judge": yardstick.about,
            "verdict": said,
            "notes": notes,
            "failed": failed,
        },
    )
    write_text(output / "table.md", f"{text}\n")
    pictures.write_png(output / "samples.png", pictures.grid(rows))
    print(f"\n{text}\n\nWritten to {shlex.quote(str(output))}: compare.json, table.md, samples.png")
    return 1 if failed else 0


if __name__ == "__main__":
    COMMAND.run(main)
