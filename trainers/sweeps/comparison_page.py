"""The tables of a comparison of models, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainers.reports import figures
from trainers.reports.tables import markdown, number
from trainers.sweeps.claims import title
from trainers.sweeps.over_seeds import cell

COLUMNS = (
    *("top1_accuracy", "realism", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "coverage", "intra_class_diversity"),
)


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
    rows = [["real data", *(number(real.get(name)) for name in COLUMNS)]]
    for model, of_model in summary.items():
        rows.append([title(model), *(cell(of_model.get(name)) for name in COLUMNS)])
    return markdown(["", *(titles[name] for name in COLUMNS)], rows)


def page(results: Mapping[str, Any], shown: str) -> str:
    """Returns the contents of table.md.

    Args:
        results: contents of compare.json.
        shown: sentence on what samples.png shows.
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
