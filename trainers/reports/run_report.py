"""report.html: one page with a run's samples, figures, curves and configuration."""

from __future__ import annotations

import datetime
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan import files, pictures
from keras_cvaegan.training.run_directory import RunDirectory, read_json
from trainers.reports import curves, figures, html

MAX_CLASSES = 200


def write_report(run_dir: str | os.PathLike) -> Path:
    """Writes report.html from what a run directory holds, and returns its path.

    Args:
        run_dir: folder of the run, which need not be finished.

    Raises:
        ValueError: when the folder is not a run directory.
        OSError: when it cannot be written.
    """
    run = RunDirectory(run_dir)
    record = run.read_config()
    missing: list[str] = []
    drawn_curves, step = _curves(run, missing)
    if not run.model.is_file():
        missing.append("model.keras: the training has not ended.")
    results = _evaluation(run, step, missing)
    config = record["config"]
    title = run.path.resolve().name
    subtitle = (
        f"{config['model']} ({config['preset']}) on {config['dataset']}, "
        f"{len(record['class_names'])} classes, {config['image_size']} px, step {step:,} of "
        f"{config['steps']:,}; {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    )
    sections = {
        "Samples": _samples(run, record, missing),
        "Real beside generated": _grid(run, results, "real_and_generated.png", missing),
        "Figures": _figures(results),
        "Nearest training pictures": _grid(run, results, "nearest_training.png", missing),
        "Reconstructions": _grid(run, results, "reconstructions.png", missing),
        "Shown as other classes": _grid(run, results, "transferred.png", missing),
        "Training": drawn_curves,
        "Commands": _commands(run, record),
        "Configuration": html.json_text(config),
        "Versions": _versions(record, results),
    }
    page = html.page(title, subtitle, sections, missing)
    files.write_text(run.report, page)
    return run.report


def _curves(run: RunDirectory, missing: list[str]) -> tuple[str, int]:
    """The curves of metrics.jsonl, and the last step in it."""
    logged = curves.read_metrics(run.metrics)
    if not logged:
        missing.append("metrics.jsonl: the training has not begun, or its log is gone.")
        return html.paragraph("No curves."), 0
    step = max(int(steps[-1]) for steps, _ in logged.values())
    caption = "Means over the steps between two lines of metrics.jsonl, by step."
    drawn = curves.draw(logged)
    return (
        f'<figure><div class="wide curves">{drawn}</div><figcaption>{caption}</figcaption></figure>'
    ), step


def _evaluation(run: RunDirectory, step: int, missing: list[str]) -> dict[str, Any]:
    """The contents of evaluation.json; none where there is no such file."""
    command = f"python -m trainers.evaluate --run_dir={shlex.quote(str(run.path))}"
    try:
        results = read_json(run.evaluation)
        measured = results["samples"]["step"]
        _figures(results)  # A file of another version may lack what the page shows.
    except FileNotFoundError:
        missing.append(f"evaluation.json: no figures, no reconstructions; {command} makes them.")
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        missing.append(f"evaluation.json cannot be shown ({reason}); {command} makes it anew.")
        return {}
    if measured != step and step:
        missing.append(f"Figures of step {step:,}: these are of step {measured:,}; {command}.")
    return results


def _samples(run: RunDirectory, record: Mapping[str, Any], missing: list[str]) -> str:
    grid = _read(run.samples / "latest.png", missing)
    if grid is None:
        return html.paragraph("No samples.")
    rows = (len(grid) - html.PADDING) // (record["config"]["image_size"] + html.PADDING)
    names = record["class_names"]
    # A model without classes has one row.
    titles = names[:rows] if rows > 1 else [""]
    return html.picture_grid(
        grid, titles, "Random samples, not picked. Down each column the latent is one."
    )


def _grid(run: RunDirectory, results: Mapping[str, Any], name: str, missing: list[str]) -> str:
    """A grid of pictures that the evaluation wrote."""
    about = results.get("pictures", {}).get(name)
    if about is None:
        return html.paragraph(
            "Not measured, or not for this model." if results else "No evaluation.json."
        )
    grid = _read(run.samples / name, missing)
    return "" if grid is None else html.picture_grid(grid, about["titles"], about["caption"])


def _read(path: Path, missing: list[str]) -> np.ndarray | None:
    try:
        return pictures.read_picture(path)
    except pictures.PictureError as error:
        missing.append(f"{path.name}: {error}")
        return None


def _figures(results: Mapping[str, Any]) -> str:
    if not results:
        return html.paragraph("No evaluation.json.")
    real, generated, counts = results["real"], results["generated"], results["samples"]
    parts = [
        html.table(
            ("", f"{counts['real']:,} real", f"{counts['generated']:,} generated", "better", ""),
            (
                (f.title, f.text(real), f.text(generated), f.better, f.meaning)
                for f in figures.present(results)
            ),
            numbers=(1, 2),
        ),
        html.paragraph(f"Step {counts['step']:,}. {figures.measured_with(results)}"),
        *(html.paragraph(f"Note: {note}") for note in results["notes"]),
    ]
    classes = figures.lowest_classes(results, MAX_CLASSES)
    if classes:
        table = html.table(("class", "real", "generated"), classes, numbers=(1, 2))
        parts.append(f"<details><summary>Top-1 accuracy by class</summary>{table}</details>")
    if results["settings"]:
        parts.append(
            f"<details><summary>Settings</summary>{html.json_text(results['settings'])}</details>"
        )
    return "".join(parts)


def _commands(run: RunDirectory, record: Mapping[str, Any]) -> str:
    where = f"--run_dir={shlex.quote(str(run.path))}"
    name = shlex.quote(record["config"]["dataset"])
    base = shlex.quote(str(run.export.resolve()))
    served = f"--rest_api_port=8501 --model_name={name} --model_base_path={base}"
    lines = (
        "# go on with the training; more --steps go further",
        record["command"],
        "# measure, draw samples, export",
        f"python -m trainers.evaluate {where}",
        f"python -m trainers.generate {where} --count=8",
        f"python -m trainers.export {where}",
        "# serve what was exported",
        f"tensorflow_model_server {served}",
    )
    text = "\n".join(lines)
    return html.preformatted(text)


def _versions(record: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    training, evaluation = record["versions"], results.get("versions", {})
    names = dict.fromkeys([*training, *evaluation])
    rows = ((name, training.get(name, ""), evaluation.get(name, "")) for name in names)
    return html.table(("", "training", "evaluation"), rows, numbers=())
