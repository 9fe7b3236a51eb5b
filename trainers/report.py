"""Writes report.html: one page with a run's samples, figures, curves and configuration.

It holds all that it shows, and needs no network.
"""

import base64
import datetime
import html
import json
import shlex
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cvaegan import files
from keras_cvaegan.training.run_directory import RunDirectory, read_json
from trainers import command_line, figures

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

TEMPLATE = Path(__file__).with_name("report_template.html")
# Of a sheet's PNG files, one a row; the rows beyond are left out.
MAX_SHEET_BYTES = 600_000
# Pictures up to this size are shown at twice their pixels.
MAX_ENLARGED = 64
# Between pictures of a sheet: the default of `pictures.grid`.
PADDING = 2
MAX_CLASSES = 200

COMMAND = command_line.Command("trainers.report", __doc__)
command_line.run_dir_flag(COMMAND)


def write(run: RunDirectory) -> Path:
    """Writes report.html from what a run directory holds, and returns its path.

    Raises:
        ValueError: when the folder is not a run directory.
        OSError: when it cannot be written.
    """
    record = run.read_config()
    missing: list[str] = []
    curves, step = _curves(run, missing)
    if not run.model.is_file():
        missing.append("model.keras: the training has not ended.")
    results = _evaluation(run, step, missing)
    config = record["config"]
    page = string.Template(TEMPLATE.read_text("utf-8")).substitute(
        title=_escape(run.path.resolve().name),
        subtitle=_escape(
            f"{config['model']} ({config['preset']}) on {config['dataset']}, "
            f"{len(record['class_names'])} classes, {config['image_size']} px, step {step:,} of "
            f"{config['steps']:,}; {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC"
        ),
        samples=_samples(run, record, missing),
        figures=_figures(results),
        neighbours=_sheet(run, results, "nearest_training.png", missing),
        reconstructions=_sheet(run, results, "reconstructions.png", missing),
        curves=curves,
        commands=_commands(run, record),
        configuration=_json(config),
        versions=_versions(record, results),
        missing=_missing(missing),
    )
    files.write_text(run.report, page)
    return run.report


def _escape(value: Any) -> str:
    return html.escape(str(value), quote=True)


def _paragraph(text: str) -> str:
    return f"<p>{_escape(text)}</p>"


def _json(values: Any) -> str:
    return f"<pre>{_escape(json.dumps(values, indent=2, ensure_ascii=False))}</pre>"


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    items = "".join(f"<li>{_escape(text)}</li>" for text in missing)
    return f'<div class="missing">Not here:<ul>{items}</ul></div>'


def _curves(run: RunDirectory, missing: list[str]) -> tuple[str, int]:
    """The curves of metrics.jsonl, and the last step in it."""
    from trainers import curves

    logged = curves.read_metrics(run.metrics)
    if not logged:
        missing.append("metrics.jsonl: the training has not begun, or its log is gone.")
        return _paragraph("No curves."), 0
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
    sheet = _read(run.samples / "latest.png", missing)
    if sheet is None:
        return _paragraph("No samples.")
    rows = (len(sheet) - PADDING) // (record["config"]["image_size"] + PADDING)
    names = record["class_names"]
    # A model without classes has one row.
    titles = names[:rows] if rows > 1 else [""]
    return _strips(sheet, titles, "Random samples, not picked. Down each column the latent is one.")


def _sheet(run: RunDirectory, results: Mapping[str, Any], name: str, missing: list[str]) -> str:
    """A sheet that the evaluation wrote."""
    about = results.get("pictures", {}).get(name)
    if about is None:
        return _paragraph(
            "Not measured, or not for this model." if results else "No evaluation.json."
        )
    sheet = _read(run.samples / name, missing)
    return "" if sheet is None else _strips(sheet, about["titles"], about["caption"])


def _read(path: Path, missing: list[str]) -> "np.ndarray | None":
    from keras_cvaegan import pictures

    try:
        return pictures.read_picture(path)
    except pictures.PictureError as error:
        missing.append(f"{path.name}: {error}")
        return None


def _strips(sheet: "np.ndarray", titles: Sequence[str], caption: str) -> str:
    """A table with a title and an image for each row of a sheet."""
    from keras_cvaegan import pictures

    height = (len(sheet) - PADDING) // max(len(titles), 1)
    rows, size = [], 0
    for number, title in enumerate(titles):
        top = PADDING + number * height
        strip = sheet[top : top + height - PADDING]
        png = pictures.encode_png(strip)
        size += len(png)
        if rows and size > MAX_SHEET_BYTES:
            caption += f" The first {len(rows)} of {len(titles)} rows."
            break
        zoom = 2 if len(strip) <= MAX_ENLARGED else 1
        data = base64.b64encode(png).decode("ascii")
        rows.append(
            f'<tr><th scope="row">{_escape(title)}</th><td><img alt="{_escape(title)}" '
            f'width="{strip.shape[1] * zoom}" height="{strip.shape[0] * zoom}" '
            f'src="data:image/png;base64,{data}"></td></tr>'
        )
    return (
        f'<figure><div class="wide"><table class="sheet">{"".join(rows)}</table></div>'
        f"<figcaption>{_escape(caption)}</figcaption></figure>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> str:
    """A table of text, of which some columns are numbers."""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = (' class="number"' if i in numbers else "" for i in range(len(cells)))
        return "".join(
            f"<{tag}{kind}>{_escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{line("th", head)}</tr></thead>'
        f'<tbody class="lined">{body}</tbody></table></div>'
    )


def _figures(results: Mapping[str, Any]) -> str:
    if not results:
        return _paragraph("No evaluation.json.")
    real, generated, counts = results["real"], results["generated"], results["samples"]
    parts = [
        _table(
            ("", f"{counts['real']:,} real", f"{counts['generated']:,} generated", "better", ""),
            (
                (f.title, f.text(real), f.text(generated), f.better, f.meaning)
                for f in figures.present(results)
            ),
            numbers=(1, 2),
        ),
        _paragraph(f"Step {counts['step']:,}. {figures.measured_with(results)}"),
        *(_paragraph(f"Note: {note}") for note in results["notes"]),
    ]
    classes = figures.lowest_classes(results, MAX_CLASSES)
    if classes:
        table = _table(("class", "real", "generated"), classes, numbers=(1, 2))
        parts.append(f"<details><summary>Top-1 accuracy by class</summary>{table}</details>")
    if results["settings"]:
        parts.append(f"<details><summary>Settings</summary>{_json(results['settings'])}</details>")
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
    return f"<pre>{_escape(text)}</pre>"


def _versions(record: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    training, evaluation = record["versions"], results.get("versions", {})
    names = dict.fromkeys([*training, *evaluation])
    rows = ((name, training.get(name, ""), evaluation.get(name, "")) for name in names)
    return _table(("", "training", "evaluation"), rows, numbers=())


def main(values: "FlagValues") -> None:
    run_dir = command_line.required_run_dir(values)
    print(f"Report: {shlex.quote(str(write(RunDirectory(run_dir))))}")


if __name__ == "__main__":
    COMMAND.run(main)
