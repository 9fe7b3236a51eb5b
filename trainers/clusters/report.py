"""What `trainers.cluster` found, to be read: in words, clusters.json, report.html."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_cvaegan import files, pictures
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.training.run_directory import write_json
from trainers.clusters import plots
from trainers.clusters.clustered_codes import ClusteredCodes
from trainers.clusters.evaluation import Evaluation
from trainers.clusters.runs import ClusterRun
from trainers.clusters.surveys import Survey, attributes_text, outliers_text
from trainers.reports import curves, html, picture_grids
from trainers.reports.tables import markdown, number

TITLES = ("cluster", "codes", "share", "silhouette", "in cluster", "covered", "of real codes",
          "variance", "of real codes")  # fmt: skip


def describe_clusters(codes: ClusteredCodes, layer: str) -> str:
    """Returns what the clusters are, to be read."""
    clusters, count = codes.clusters, len(codes.z)
    lines = [
        f"Clusters of the features of {layer!r}, {count:,} codes: silhouette "
        f"{float(clusters.silhouette):.3f}"
    ]
    for cluster, (size, silhouette, outlier) in enumerate(
        zip(clusters.sizes, clusters.silhouettes, clusters.outliers, strict=True)
    ):
        warning = ""
        if outlier:
            warning = (
                ", made of outliers or too small: what it samples may mean nothing. Try fewer "
                "--n_clusters or another --layer"
            )
        lines.append(
            f"  cluster {cluster}: {size:,} codes, {size / count:.1%}, silhouette "
            f"{float(silhouette):.3f}{warning}"
        )
    return "\n".join(lines)


def _rows(evaluation: Evaluation, names: tuple[str, ...]) -> list[list[str]]:
    rows = []
    for name, of in zip(names, evaluation.clusters, strict=True):
        coverage = of["coverage"] or {}
        rows.append(
            [
                name + (", outliers" if of["outliers"] else ""),
                f"{of['size']:,}",
                f"{of['share']:.1%}",
                number(of["silhouette"]),
                number(of["in_cluster"]),
                number(coverage.get("covered")),
                number(coverage.get("ceiling")),
                number(coverage.get("spread")),
                number(coverage.get("held_out_spread")),
            ]
        )
    return rows


def table(evaluation: Evaluation, names: tuple[str, ...] | None = None) -> str:
    """Returns the figures of each cluster, as Markdown."""
    names = names or tuple(map(str, range(len(evaluation.clusters))))
    return markdown(TITLES, _rows(evaluation, names))


def summary(evaluation: Evaluation) -> str:
    """Returns what the table does not say."""
    overall = evaluation.overall
    return "\n".join(
        [
            f"Of {overall['mapped']:,} mapped codes {overall['in_cluster']:.1%} give pictures of "
            f"their cluster; of random codes {overall['chance']:.1%} would.",
            "Covered: the share of held-out codes of the cluster with a mapped one as near as "
            "their nearest neighbour is in the median; and with as many other real codes of the "
            "cluster.",
            "Variance: the mean over the dimensions of mapped codes, and of real ones.",
            *evaluation.notes,
        ]
    )


def write(
    run: ClusterRun,
    guided: ClusterGuidedGenerator,
    evaluation: Evaluation,
    survey: Survey | None,
    flags: Mapping[str, Any],
) -> list[str]:
    """Writes pictures, clusters.json and report.html; returns their names.

    Args:
        run: run after its training.
        guided: model of the run.
        evaluation: codes, pictures and figures to show.
        survey: survey of the generator's layers, where one was made.
        flags: flags of the program, for clusters.json.
    """
    folder, names = run.directory.path, guided.class_names
    scatter = plots.write_scatter(folder, evaluation, names)
    shown = plots.grids(evaluation, names, survey)
    about = picture_grids.write(shown, folder)
    results = {
        "flags": flags,
        "config": run.config.to_json(),
        "step": steps_taken(guided),
        "layer": run.config.layer,
        "survey": None if survey is None else survey.figures(),
        "clusters": evaluation.clusters,
        "overall": evaluation.overall,
        "notes": evaluation.notes,
        "pictures": {**{name: {"caption": text} for name, text in scatter.items()}, **about},
    }
    write_json(folder / "clusters.json", results)
    page = _page(run, guided, evaluation, survey, about, scatter)
    files.write_text(run.directory.report, page)
    return [*scatter, *about, "clusters.json", run.directory.report.name]


def _page(
    run: ClusterRun,
    guided: ClusterGuidedGenerator,
    evaluation: Evaluation,
    survey: Survey | None,
    about: Mapping[str, Any],
    scatter: Mapping[str, str],
) -> str:
    config, directory = run.config, run.directory
    table_of = html.table(TITLES, _rows(evaluation, guided.class_names), range(1, 9))
    [(name, caption)] = scatter.items()
    sections = {
        "Samples": _grid(directory.path, "samples.png", about),
        "Mean pictures": _grid(directory.path, "means.png", about),
        "Figures": table_of
        + "".join(html.paragraph(line) for line in summary(evaluation).splitlines()),
        "Features and codes": html.picture(pictures.read_picture(directory.path / name), caption),
        **{
            f"Directions of {method}": _grid(directory.path, f"{method.lower()}.png", about)
            for method in evaluation.walks
        },
    }
    if survey is not None:
        sections["Layers"] = _survey(survey) + _grid(directory.path, "survey.png", about)
    logged = curves.read_metrics(directory.metrics)
    if logged:
        sections["Training"] = f'<div class="wide curves">{curves.draw(logged)}</div>'
    sections["Commands"] = html.preformatted(
        "\n".join([run.command, *next_commands(directory.path)])
    )
    sections["Configuration"] = html.json_text(config.to_json())
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    kind = config.generator["model"]
    subtitle = (
        f"{guided.num_classes} clusters of {config.layer!r} of {kind}, mapping {config.mapping}, "
        f"step {steps_taken(guided):,} of {config.steps:,}; {now}"
    )
    return html.page(directory.path.resolve().name, subtitle, sections)


def _grid(folder: Path, name: str, about: Mapping[str, Any]) -> str:
    of = about[name]
    return html.picture_grid(pictures.read_picture(folder / name), of["titles"], of["caption"])


def _survey(survey: Survey) -> str:
    rows = [
        [
            layer.name,
            f"{layer.features:,}",
            number(float(layer.silhouette)),
            outliers_text(layer.outliers),
            attributes_text(layer.mutual_information),
        ]
        for layer in sorted(survey.layers, key=lambda layer: -layer.silhouette)
    ]
    head = ("layer", "features", "silhouette", "outliers", "told by attributes")
    return html.table(head, rows, numbers=(1, 2))


def next_commands(folder: Path) -> list[str]:
    """Returns the commands of programs that take a run of clusters."""
    where = f"--run_dir={shlex.quote(str(folder))}"
    return [
        f"python -m trainers.generate {where} --count=8",
        f"python -m trainers.export {where}",
    ]
