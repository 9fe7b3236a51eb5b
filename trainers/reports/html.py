"""Pages that hold all that they show, and need no network: text, tables, pictures."""

from __future__ import annotations

import base64
import html
import json
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan import pictures

TEMPLATE = Path(__file__).with_name("report_template.html")
# Of a grid's PNG files, one a row; the rows beyond are left out.
MAX_GRID_BYTES = 600_000
# Pictures up to this size are shown at twice their pixels.
MAX_ENLARGED = 64
# Between pictures of a grid: the default of `pictures.grid`.
PADDING = 2


def page(
    title: str, subtitle: str, sections: Mapping[str, str], missing: Sequence[str] = ()
) -> str:
    """Returns a page of HTML.

    Args:
        title: heading of the page.
        subtitle: line below the heading.
        sections: contents as HTML, by heading.
        missing: sentences, each on something that is not there.
    """
    body = "\n".join(f"<h2>{escape(name)}</h2>\n{text}" for name, text in sections.items())
    return string.Template(TEMPLATE.read_text("utf-8")).substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        missing=list_of_missing(missing),
        sections=body,
    )


def escape(value: Any) -> str:
    """Returns text as HTML.

    Example:

    >>> escape("a < b")
    'a &lt; b'
    """
    return html.escape(str(value), quote=True)


def paragraph(text: str) -> str:
    """Returns a paragraph of text."""
    return f"<p>{escape(text)}</p>"


def preformatted(text: str) -> str:
    """Returns text that keeps its lines."""
    return f"<pre>{escape(text)}</pre>"


def json_text(values: Any) -> str:
    """Returns values as JSON to be read."""
    return preformatted(json.dumps(values, indent=2, ensure_ascii=False))


def list_of_missing(missing: Sequence[str]) -> str:
    """Returns a box that lists what is not there; nothing where all is."""
    if not missing:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in missing)
    return f'<div class="missing">Not here:<ul>{items}</ul></div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> str:
    """Returns a table of text, of which some columns are numbers."""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = (' class="number"' if i in numbers else "" for i in range(len(cells)))
        return "".join(
            f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{line("th", head)}</tr></thead>'
        f'<tbody class="lined">{body}</tbody></table></div>'
    )


def picture(image: np.ndarray, caption: str, zoom: int = 1) -> str:
    """Returns a picture, uint8 (height, width, 3), with a caption."""
    return (
        f'<figure><div class="wide">{_embedded(image, caption, zoom)}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def picture_grid(grid: np.ndarray, titles: Sequence[str], caption: str) -> str:
    """Returns a table with a title and an image for each row of what `pictures.grid` returns."""
    height = (len(grid) - PADDING) // max(len(titles), 1)
    rows, size = [], 0
    for number, title in enumerate(titles):
        top = PADDING + number * height
        row = grid[top : top + height - PADDING]
        image = _embedded(row, title, 2 if len(row) <= MAX_ENLARGED else 1)
        size += len(image) * 3 // 4
        if rows and size > MAX_GRID_BYTES:
            caption += f" The first {len(rows)} of {len(titles)} rows."
            break
        rows.append(f'<tr><th scope="row">{escape(title)}</th><td>{image}</td></tr>')
    return (
        f'<figure><div class="wide"><table class="grid">{"".join(rows)}</table></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _embedded(image: np.ndarray, title: str, zoom: int) -> str:
    data = base64.b64encode(pictures.encode_png(image)).decode("ascii")
    return (
        f'<img alt="{escape(title)}" width="{image.shape[1] * zoom}" '
        f'height="{image.shape[0] * zoom}" src="data:image/png;base64,{data}">'
    )
