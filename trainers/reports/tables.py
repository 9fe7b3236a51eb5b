"""Tables of Markdown, and the numbers in them."""

from collections.abc import Sequence


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table of Markdown, aligned to be read as it is.

    Example:

    >>> print(markdown(["", "a"], [["first", "1"], ["second", "20"]]))
    |        |  a |
    |:-------|---:|
    | first  |  1 |
    | second | 20 |
    """
    table = [list(titles), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    rule = [":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def number(value: float | None) -> str:
    """Returns a figure to be read; "–" where there is none.

    Example:

    >>> number(0.00123), number(12.3456), number(1234.5), number(None)
    ('0.0012', '12.346', '1234.5', '–')
    """
    if value is None:
        return "–"
    if 1e-9 < abs(value) < 0.01:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
