"""Pictures as HTML: enlarged, with captions, in rows and tables that fit windows of any width."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

from keras_cvaegan import pictures

SHOWN_SIZE = 256
COLUMNS = 10
CSS = """
.figures { display: grid; gap: 12px; }
.figures figure, .figure { margin: 0; min-width: 0; }
.figures img, .figure img {
  display: block; width: 100%; border-radius: 6px; image-rendering: pixelated;
}
.figures figcaption, .figure figcaption {
  margin-top: 6px; text-align: center; font-size: 12px; line-height: 1.3;
  color: var(--body-text-color-subdued); overflow-wrap: anywhere;
}
.figures figure.chosen img { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.figures figure.chosen figcaption { color: var(--body-text-color); font-weight: 600; }
.figure img { max-width: 360px; margin: 0 auto; }
.figure.small img { max-width: 200px; }
.figure figcaption { font-size: 14px; margin-top: 8px; }
.figure-table { overflow-x: auto; }
.figure-table table {
  width: 100%; margin: 0 !important; padding: 0 !important;
  border-collapse: separate; border-spacing: 6px;
}
.figure-table td { padding: 0 !important; border: 0; min-width: 36px; max-width: 160px; }
.figure-table th {
  padding: 0 !important; border: 0; font-size: 12px; font-weight: 500;
  color: var(--body-text-color-subdued);
}
.figure-table th[scope=row] { width: 90px; text-align: left; overflow-wrap: anywhere; }
.figure-table img {
  display: block; width: 100%; border-radius: 6px; image-rendering: pixelated;
}
.nothing-yet {
  display: flex; align-items: center; justify-content: center; min-height: 180px;
  padding: 24px; border: 2px dashed var(--border-color-primary); border-radius: 8px;
  text-align: center; color: var(--body-text-color-subdued);
}
"""


def enlarge(image: np.ndarray, size: int = SHOWN_SIZE) -> np.ndarray:
    """Enlarges a picture by a whole number, pixel by pixel, until its sides have `size` pixels.

    Args:
        image: picture, uint8 (height, width, 1 or 3).
        size: pixels that the shorter side must have.

    Returns:
        uint8 (height, width, 3).

    Example:

    >>> enlarge(np.zeros((32, 48, 1), np.uint8), 100).shape
    (128, 192, 3)
    """
    factor = max(math.ceil(size / min(image.shape[:2])), 1)
    larger = image.repeat(factor, axis=0).repeat(factor, axis=1)
    return np.broadcast_to(larger, (*larger.shape[:2], 3))


def grid(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns pictures in one, enlarged, a row a name: uint8 (height, width, 3)."""
    enlarged = [np.stack([enlarge(image) for image in row]) for row in rows.values()]
    return pictures.grid(enlarged, padding=16)


def single(image: np.ndarray, name: str, caption: str = "", *, small: bool = False) -> str:
    """Returns one large picture.

    Args:
        image: picture, uint8 (height, width, 1 or 3).
        name: words on what it is, for those who do not see it.
        caption: words below it.
        small: whether it should be less large.
    """
    below = f"<figcaption>{_breakable(caption)}</figcaption>" if caption else ""
    kind = "figure small" if small else "figure"
    return f'<figure class="{kind}">{_image(image, name)}{below}</figure>'


def row(images: Mapping[str, np.ndarray], chosen: str | None = None) -> str:
    """Returns pictures with their names below, as many in a line as there is room for.

    Args:
        images: pictures by name, uint8 (height, width, 1 or 3).
        chosen: name of one to mark.
    """
    columns = min(len(images), COLUMNS)
    width = f"max(72px, calc((100% - {columns - 1} * 12px) / {columns}))"
    style = f"grid-template-columns: repeat(auto-fill, minmax({width}, 1fr))"
    figures = (
        f"<figure{' class=chosen' if name == chosen else ''}>{_image(image, name)}"
        f"<figcaption>{_breakable(name)}</figcaption></figure>"
        for name, image in images.items()
    )
    return f'<div class="figures" style="{style}">{"".join(figures)}</div>'


def table(rows: Mapping[str, np.ndarray], heads: Sequence[str] = ()) -> str:
    """Returns rows of pictures with their names on the left.

    Args:
        rows: pictures by the name of their row, uint8 (n, height, width, 1 or 3).
        heads: names of the columns.
    """
    head = "".join(f"<th scope=col>{_text(each)}</th>" for each in heads)
    lines = [f"<tr><td></td>{head}</tr>"] if heads else []
    for name, images in rows.items():
        columns = heads or [str(number) for number in range(1, len(images) + 1)]
        cells = "".join(
            f"<td>{_image(image, f'{name}, {column}')}</td>"
            for image, column in zip(images, columns, strict=True)
        )
        lines.append(f"<tr><th scope=row>{_breakable(name)}</th>{cells}</tr>")
    return f'<div class="figure-table"><table>{"".join(lines)}</table></div>'


def nothing(text: str) -> str:
    """Returns the place of a picture that is not there yet, with what to do."""
    return f'<div class="nothing-yet">{_text(text)}</div>'


def _image(image: np.ndarray, name: str) -> str:
    file = base64.b64encode(pictures.encode_png(enlarge(image))).decode()
    return f'<img src="data:image/png;base64,{file}" alt="{_text(name)}">'


def _text(text: str) -> str:
    """A text in HTML, where gradio would take braces and dollars for its templates'."""
    escaped = html.escape(text)
    for sign in "{}$@":
        escaped = escaped.replace(sign, f"&#{ord(sign)};")
    return escaped


def _breakable(text: str) -> str:
    """A text in HTML that may be broken at underscores."""
    return _text(text).replace("_", "_<wbr>")
