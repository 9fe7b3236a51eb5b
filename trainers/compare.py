"""Trains several models alike, and measures them side by side: tables and samples of the papers.

Table 1 and Fig. 5 of Bao et al. 2017, and, with --models=cvae,cgan,cvae_gan,lr_li_vae_gan, Tables 1
and 2 of Zheng & Sun 2019, whose Inception score is the column of realism. All have the same data,
images an update, steps and seeds, networks of one preset, and one judge. Learning rates, and how
many batches a step takes, are each model's own: they stand under the table. Started again, it goes
on where it stopped.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainers import fit
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.command_line.flags import parse_labels
from trainers.command_line.output import print_written
from trainers.evaluation import figures
from trainers.reports import tables
from trainers.reports.tables import markdown
from trainers.runs import configuration
from trainers.sweeps.over_seeds import cell, over_seeds

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel
    from trainers.evaluation.real_side import Yardstick
    from trainers.sweeps.sweep import Contender, Series

TITLES = {
    **{"fm_gan": "FM-GAN", "vae_gan": "VAE/GAN", "fm_cgan": "FM-CGAN", "cvae_gan": "CVAE-GAN"},
    **{"lr_li_vae": "LR/LI-VAE", "lr_li_vae_gan": "LR/LI-VAE-GAN"},
}
"""Of the models that papers call otherwise than their classes."""
PAPER = ("cvae", "cgan", "fm_cgan", "cvae_gan")
"""In the order of the paper's Top-1 accuracy, from low to high."""
RIVALS = ("cvae_gan", "lr_li_vae_gan")
"""Of Zheng & Sun 2019, who say of the second that it is the first one's equal in score (Table 1)
and more diverse within classes (Table 2)."""
DIVERSITY_CLAIMS = {
    "realism": ("at least as high a score as", lambda ours, theirs: ours >= theirs),
    "intra_class_diversity": ("more diversity in a class than", lambda ours, theirs: ours > theirs),
}

MEASURED = (
    *("top1_accuracy", "inception_score", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)
COLUMNS = (
    *("top1_accuracy", "realism", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)
SHOWN = 9

COMMAND = Command("trainers.compare", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Models"):
    COMMAND.string("models", ",".join(PAPER), f"which, of {', '.join(flags.MODELS)}")
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


def title(model: str) -> str:
    """Returns what a model is called in tables.

    Example:

    >>> title("cvae"), title("cvae_gan")
    ('CVAE', 'CVAE-GAN')
    """
    from keras_cvaegan.models import MODELS

    return TITLES.get(model) or MODELS[model].__name__


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
    given = flags.assignments(texts, "set")
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
    from trainers.sweeps.sweep import Contender

    models = flags.choices(values.models, "models", flags.MODELS)
    known = {model: sorted(MODELS[model].hyperparameters(values.preset)) for model in models}
    settings = hyperparameters(values.set, known)
    return [
        Contender(model, title(model), [f"--model={model}", *settings[model]]) for model in models
    ]


def measure_all(
    series: "Series", yardstick: "Yardstick", samples_per_class: int, labels: Sequence[int]
) -> "tuple[dict[tuple[str, int], dict[str, Any]], dict[str, list[np.ndarray]]]":
    """Returns what `measure` does for each complete run, by model and seed, and samples to show.

    The samples are of the first run of each model, by its title: `SHOWN` of each of the labels.
    Sample k of every model has the same z, where its z has as many dimensions.
    """
    import numpy as np

    results, drawn, complete = {}, {}, series.complete()
    for number, (contender, seed) in enumerate(complete, start=1):
        print(
            f"\nMeasuring {number} of {len(complete)}: {contender.title}, seed {seed}", flush=True
        )
        results[contender.name, seed] = series.measured(
            contender,
            seed,
            yardstick,
            {"samples_per_class": samples_per_class, "figures": list(MEASURED)},
            lambda model: measure(model, yardstick, samples_per_class),
        )
        if contender.title not in drawn:
            model = series.model(contender, seed)
            drawn[contender.title] = [
                model.generate(np.full(SHOWN, label if model.conditional else 0), seed=0)
                for label in labels
            ]
    return results, drawn


def measure(
    model: "GenerativeModel", yardstick: "Yardstick", samples_per_class: int
) -> dict[str, Any]:
    """Returns what evaluation.json has for a model, of `MEASURED`, and its batches a step."""
    from trainers.evaluation import measuring

    results = measuring.measure(
        model,
        yardstick,
        names=[name for name in measuring.possible_names(model) if name in MEASURED],
        samples_per_class=samples_per_class,
    )
    return {**results, "batches_per_step": model.batches_per_step}


def summarize(
    series: "Series", measured: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Returns the figures of each model with a complete run: see `over_seeds`.

    Values by seed are in the order of the seeds; None stands for a run that failed.
    """
    summary = {}
    for contender in series.contenders:
        runs = [measured.get((contender.name, seed), {}) for seed in range(series.seeds)]
        if any(runs):
            generated = [run.get("generated", {}) for run in runs]
            summary[contender.name] = over_seeds(
                [{name: of_run.get(name) for name in COLUMNS} for of_run in generated]
            )
    return summary


def budgets(
    series: "Series", measured: Mapping[tuple[str, int], Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Returns what each model was trained with, where models differ: images and learning rates."""
    from keras_cvaegan.models import MODELS

    result = {}
    for (model, _), figures_of_run in measured.items():
        config = series.configs[model, 0]
        batches = figures_of_run["batches_per_step"]
        result[model] = {
            "steps": config["steps"],
            "batches_per_step": batches,
            "batch_size": config["batch_size"],
            "images": config["steps"] * batches * config["batch_size"],
            "optimizer": MODELS[model].optimizer_class.__name__,
            "learning_rates": config["learning_rates"],
        }
    return result


def budget_lines(training: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns `budgets` to be read.

    Example:

    >>> rates = {"encoder": 1e-3, "generator": 2e-4}
    >>> of = {"steps": 500, "batches_per_step": 1, "batch_size": 8, "images": 4000}
    >>> print(budget_lines({"cvae": {**of, "optimizer": "Adam", "learning_rates": rates}}))
    Trained alike in steps and images an update; in this they differ:
    - CVAE: 4,000 images seen in 500 steps of 1 batch of 8; Adam, learning rates encoder 0.001,
      generator 0.0002
    """
    lines = ["Trained alike in steps and images an update; in this they differ:"]
    for model, of in training.items():
        count = of["batches_per_step"]
        rates = ", ".join(f"{network} {rate:g}" for network, rate in of["learning_rates"].items())
        lines.append(
            f"- {title(model)}: {of['images']:,} images seen in {of['steps']:,} steps of {count} "
            f"{'batch' if count == 1 else 'batches'} of {of['batch_size']:,}; {of['optimizer']}, "
            f"learning rates {rates}"
        )
    return "\n".join(lines)


def table(summary: Mapping[str, Mapping[str, Any]], real: Mapping[str, Any]) -> str:
    """Returns Table 1 as Markdown: a row for real data, then one a model."""
    titles = {figure.name: figure.title for figure in figures.FIGURES}
    rows = [["real data", *(tables.number(real.get(name)) for name in COLUMNS)]]
    for model, of_model in summary.items():
        rows.append([title(model), *(cell(of_model.get(name)) for name in COLUMNS)])
    return markdown(["", *(titles[name] for name in COLUMNS)], rows)


def verdict(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns one line: whether the paper's order in Top-1 accuracy holds.

    Example:

    >>> of = lambda *values: {"top1_accuracy": over_seeds([{"a": x} for x in values])["a"]}
    >>> print(verdict({"cvae_gan": of(0.9, 0.8), "cgan": of(0.4, 0.85)}))
    The paper's order in Top-1 accuracy, CGAN < CVAE-GAN, holds in the mean, and in 1 of 2 seeds:
    CGAN 0.625, CVAE-GAN 0.850.

    Seeds in which a model failed do not count.
    """
    accuracies = {
        model: summary[model]["top1_accuracy"]
        for model in PAPER
        if summary.get(model, {}).get("top1_accuracy", {}).get("mean") is not None
    }
    if len(accuracies) < 2:
        return "The paper's order in Top-1 accuracy is that of CVAE, CGAN, FM-CGAN and CVAE-GAN."
    means = {model: accuracy["mean"] for model, accuracy in accuracies.items()}
    by_seed = list(zip(*(figure["by_seed"] for figure in accuracies.values()), strict=True))
    whole, seeds = [values for values in by_seed if None not in values], ""
    if whole and len(by_seed) > 1:
        right = sum(_rises(values) for values in whole)
        common = "" if len(whole) == len(by_seed) else " that all have"
        seeds = f" in the mean, and in {right} of {len(whole)} seeds{common}"
    holds = "holds" if _rises(list(means.values())) else "does not hold"
    return (
        f"The paper's order in Top-1 accuracy, {' < '.join(title(model) for model in means)}, "
        f"{holds}{seeds}: "
        + ", ".join(f"{title(model)} {tables.number(mean)}" for model, mean in means.items())
        + "."
    )


def diversity_verdicts(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns a line for each of `DIVERSITY_CLAIMS`, where both of `RIVALS` are compared.

    A claim is confirmed by all seeds, refuted where fewer than half of them bear it out. Seeds in
    which one of the two failed do not count.

    Example:

    >>> of = lambda *values: {"realism": over_seeds([{"a": x} for x in values])["a"]}
    >>> print(*diversity_verdicts({"cvae_gan": of(8.0, 9.0), "lr_li_vae_gan": of(8.5, 9.5)}))
    Claim: LR/LI-VAE-GAN has at least as high a score as CVAE-GAN: confirmed, in 2 of 2 seeds: 9.000
    against 8.500.
    """
    lines = []
    theirs, ours = (summary.get(model, {}) for model in RIVALS)
    for name, (said, holds) in DIVERSITY_CLAIMS.items():
        if not all(of.get(name, {}).get("mean") is not None for of in (ours, theirs)):
            continue
        pairs = list(zip(ours[name]["by_seed"], theirs[name]["by_seed"], strict=True))
        pairs = [pair for pair in pairs if None not in pair]
        if not pairs:
            continue
        right = sum(holds(*pair) for pair in pairs)
        word = "neither confirmed nor refuted"
        if right == len(pairs):
            word = "confirmed"
        elif 2 * right < len(pairs):
            word = "refuted"
        means = [sum(values) / len(pairs) for values in zip(*pairs, strict=True)]
        lines.append(
            f"Claim: {title(RIVALS[1])} has {said} {title(RIVALS[0])}: {word}, in {right} of "
            f"{len(pairs)} seeds: {tables.number(means[0])} against {tables.number(means[1])}."
        )
    return lines


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in itertools.pairwise(values))


def real_rows(yardstick: "Yardstick", labels: Sequence[int]) -> "list[np.ndarray]":
    """Returns held-out pictures of each class, chosen by lot: `SHOWN`, or as many as there are."""
    import numpy as np

    rows, of_data = [], np.asarray(yardstick.test.labels)
    for label in labels:
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(of_data == label))[:SHOWN]
        rows.append(yardstick.test.images[np.sort(chosen)])
    return rows


def page(results: Mapping[str, Any], shown: str) -> str:
    """Returns the contents of table.md.

    Args:
        results: the contents of compare.json.
        shown: what samples.png shows.
    """
    return "\n\n".join(
        [
            table(results["models"], results["real"]),
            results["verdict"],
            *results["diversity_verdicts"],
            f"{results['samples']['real']:,} real and, of each training, "
            f"{results['samples']['generated']:,} generated pictures. "
            f"{figures.measured_with(results)}",
            budget_lines(results["training"]),
            shown,
            *(f"Note: {note}" for note in results["notes"]),
            *(f"Failed, and left out here: {run}" for run in results["failed"]),
        ]
    )


def main(values: "FlagValues") -> int:
    from keras_cvaegan import files, pictures
    from keras_cvaegan.training.run_directory import write_json
    from trainers.sweeps.sweep import Series

    arguments = COMMAND.arguments_for(fit.COMMAND, values, but=["set"])
    series = Series(values.output, contenders(values), values.seeds, arguments)
    names = configuration.data_source(series.config).class_names
    labels = parse_labels(values.labels, names)
    if not series.train():
        print(f"To go on with the whole:\n  {COMMAND.command}")
        return INTERRUPTED
    yardstick = series.yardstick(values.max_test_images, MEASURED)
    measured, drawn = measure_all(series, yardstick, values.samples_per_class, labels)
    summary, runs = summarize(series, measured), list(measured.values())
    real = {name: run["real"][name] for run in runs for name in COLUMNS if name in run["real"]}
    results = {
        "flags": COMMAND.settings(values),
        "models": summary,
        "real": real,
        "training": budgets(series, measured),
        # Of all runs alike.
        **{name: runs[0][name] for name in ("extractor", "judge", "reference")},
        "samples": {name: count for name, count in runs[0]["samples"].items() if name != "step"},
        "verdict": verdict(summary),
        "diversity_verdicts": diversity_verdicts(summary),
        "notes": list(dict.fromkeys(note for run in runs for note in run["notes"])),
        "failed": series.failed(),
    }
    held_out, rows, classes = real_rows(yardstick, labels), [], []
    for number, label in enumerate(labels):
        rows += [held_out[number], *(samples[number] for samples in drawn.values())]
        classes.append(f"{names[label]} ({len(held_out[number])} held out, {SHOWN} of each model)")
    text = page(
        results,
        f"samples.png: random pictures of {', '.join(classes)}; "
        f"from top to bottom {', '.join(['real', *drawn])}.",
    )
    output = series.output.path
    write_json(output / "compare.json", results)
    files.write_text(output / "table.md", f"{text}\n")
    pictures.write_png(output / "samples.png", pictures.grid(rows))
    print(f"\n{text}\n")
    print_written(output, ["compare.json", "table.md", "samples.png"])
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    COMMAND.run(main)
