"""What `trainers.cluster` found, to be read: in words, clusters.json, report.html."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cvaegan import files, pictures
from keras_cvaegan.models import ClusterGuidedGenerator
from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.training.run_directory import write_json
from trainers.clusters import plots
from trainers.clusters.runs import ClusterRun, Found
from trainers.clusters.surveys import Survey, attributes_text, outliers_text
from trainers.clusters.views import Measured
from trainers.command_line.output import print_written
from trainers.reports import curves, html, picture_grids
from trainers.reports.tables import markdown, number

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from trainers.command_line.command import Command

TITLES = ("cluster", "codes", "share", "silhouette", "in cluster", "covered", "of real codes",
          "variance", "of real codes")  # fmt: skip


def describe_clusters(found: Found, layer: str) -> str:
    """Returns what the clusters are, to be read."""
    clusters, count = found.clusters, len(found.z)
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


def _rows(measured: Measured, names: tuple[str, ...]) -> list[list[str]]:
    rows = []
    for name, of in zip(names, measured.clusters, strict=True):
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


def table(measured: Measured, names: tuple[str, ...] | None = None) -> str:
    """Returns the figures of each cluster, as Markdown."""
    names = names or tuple(map(str, range(len(measured.clusters))))
    return markdown(TITLES, _rows(measured, names))


def summary(measured: Measured) -> str:
    """Returns what the table does not say."""
    overall = measured.overall
    return "\n".join(
        [
            f"Of {overall['mapped']:,} mapped codes {overall['in_cluster']:.1%} give pictures of "
            f"their cluster; of random codes {overall['chance']:.1%} would.",
            "Covered: the share of held-out codes of the cluster with a mapped one as near as "
            "their nearest neighbour is in the median; and with as many other real codes of the "
            "cluster.",
            "Variance: the mean over the dimensions of mapped codes, and of real ones.",
            *measured.notes,
        ]
    )


def write(
    run: ClusterRun,
    guided: ClusterGuidedGenerator,
    found: Found,
    measured: Measured,
    survey: Survey | None,
    command: Command,
    values: FlagValues,
) -> list[str]:
    """Writes pictures, clusters.json and report.html; returns their names."""
    folder, names = run.directory.path, guided.class_names
    scatter = plots.write_scatter(folder, measured, names)
    shown = plots.grids(measured, names, survey)
    about = picture_grids.write(shown, folder)
    results = {
        "flags": command.settings(values),
        "config": run.config.to_json(),
        "step": steps_taken(guided),
        "layer": run.layer,
        "survey": None if survey is None else survey.figures(),
        "clusters": measured.clusters,
        "overall": measured.overall,
        "notes": measured.notes,
        "pictures": {**{name: {"caption": text} for name, text in scatter.items()}, **about},
    }
    write_json(folder / "clusters.json", results)
    page = _page(run, guided, measured, survey, about, scatter, command.command)
    files.write_text(run.directory.report, page)
    return [*scatter, *about, "clusters.json", run.directory.report.name]


def _page(
    run: ClusterRun,
    guided: ClusterGuidedGenerator,
    measured: Measured,
    survey: Survey | None,
    about: Mapping[str, Any],
    scatter: Mapping[str, str],
    command: str,
) -> str:
    config, directory = run.config.to_json(), run.directory
    table_of = html.table(TITLES, _rows(measured, guided.class_names), range(1, 9))
    [(name, caption)] = scatter.items()
    sections = {
        "Samples": _grid(directory.path, "samples.png", about),
        "Mean pictures": _grid(directory.path, "means.png", about),
        "Figures": table_of
        + "".join(html.paragraph(line) for line in summary(measured).splitlines()),
        "Features and codes": html.picture(pictures.read_picture(directory.path / name), caption),
        **{
            f"Directions of {method}": _grid(directory.path, f"{method.lower()}.png", about)
            for method in measured.walks
        },
    }
    if survey is not None:
        sections["Layers"] = _survey(survey) + _grid(directory.path, "survey.png", about)
    logged = curves.read_metrics(directory.metrics)
    if logged:
        sections["Training"] = f'<div class="wide curves">{curves.draw(logged)}</div>'
    sections["Commands"] = html.preformatted("\n".join([command, *_next(directory.path)]))
    sections["Configuration"] = html.json_text(config)
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    kind = config["generator"]["model"]
    subtitle = (
        f"{guided.num_classes} clusters of {run.layer!r} of {kind}, mapping {config['mapping']}, "
        f"step {steps_taken(guided):,} of {config['steps']:,}; {now}"
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


def _next(folder: Path) -> list[str]:
    where = f"--run_dir={shlex.quote(str(folder))}"
    return [
        f"python -m trainers.generate {where} --count=8",
        f"python -m trainers.export {where}",
    ]


def print_next(run: ClusterRun, written: list[str]) -> None:
    """Prints which files were written, and what to do next."""
    print_written(run.directory.path, [*written, run.directory.model.name])
    for title, line in zip(("Next:", ""), _next(run.directory.path), strict=True):
        print(f"{title:<6}{line}")
