"""What `trainers.attribute_study` found, to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainers.reports.tables import markdown, number

COLUMNS = {
    "random": "random pairs",
    "reader": "reader",
    "transferred": "transferred",
    "retrieved": "retrieved",
}
RECOGNISED, NEARER, IN_ORDER = 0.9, 3.0, 0.9
# Where the reader's error is a larger share of that of random pairs, it hardly tells an attribute.
UNREAD = 0.5


def in_deviations(by_name: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Returns the mean over attributes of each error, in units of their deviations.

    Attributes that all pictures share, or of which an error has no pair, are left out.

    Args:
        by_name: values `deviation` and `errors` of each attribute, by name.

    Example:

    >>> in_deviations({"size": {"deviation": 0.5, "errors": {"random": {"mean": 1.0}}}})
    {'random': 2.0}
    """
    found: dict[str, list[float]] = {}
    for attribute in by_name.values():
        means = {kind: error["mean"] for kind, error in attribute["errors"].items()}
        if attribute["deviation"] > 0 and None not in means.values():
            for kind, mean in means.items():
                found.setdefault(kind, []).append(mean / attribute["deviation"])
    return {kind: sum(means) / len(means) for kind, means in found.items()}


def kept_share(errors: Mapping[str, float | None]) -> float | None:
    """Returns how much is kept of attributes: 1 for all that is read, 0 for a random picture's.

    It is None where the reader hardly tells them.

    Example:

    >>> kept_share({"transferred": 0.25, "random": 0.5, "reader": 0.0})
    0.5
    """
    shown, random, own = (errors.get(kind) for kind in ("transferred", "random", "reader"))
    if shown is None or random is None or own is None or own >= UNREAD * random:
        return None
    return (random - shown) / (random - own)


def times_nearer(errors: Mapping[str, float | None]) -> float | None:
    """Returns how many times nearer the pictures that were found are than random ones.

    Example:

    >>> times_nearer({"retrieved": 0.25, "random": 0.5})
    2.0
    """
    random, found = errors.get("random"), errors.get("retrieved")
    return random / found if random is not None and found else None


def table(results: Mapping[str, Any]) -> str:
    """Returns the figures of each attribute, as Markdown."""
    rows = []
    for name, attribute in results["attributes"].items():
        errors = {kind: error["mean"] for kind, error in attribute["errors"].items()}
        rows.append([name, *_cells(errors), number(attribute["morphed"]["mean"])])
    rows.append(["all, in deviations", *_cells(results["in_deviations"]), ""])
    titles = ["", *COLUMNS.values(), "kept", "times nearer", "morphed, in order"]
    return markdown(titles, rows)


def _cells(errors: Mapping[str, float | None]) -> list[str]:
    figures = [*(errors.get(kind) for kind in COLUMNS), kept_share(errors), times_nearer(errors)]
    return [number(figure) for figure in figures]


def unread(results: Mapping[str, Any]) -> list[str]:
    """Returns the attributes that the reader hardly tells."""
    return [
        name
        for name, attribute in results["attributes"].items()
        if attribute["errors"]["reader"]["mean"]
        > UNREAD * (attribute["errors"]["random"]["mean"] or 0)
    ]


def claims(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns what applications should reach: `name`, `value`, `target`, `reached` and `text`.

    Of morphs those attributes count that the reader tells.

    Example:

    >>> errors = {"reader": {"mean": 0.1}, "random": {"mean": 0.5}}
    >>> results = {
    ...     "attributes": {
    ...         "x": {"errors": errors, "morphed": {"mean": 0.95}},
    ...         "tint": {"errors": errors, "morphed": {"mean": 0.5}},
    ...     },
    ...     "in_deviations": {"random": 1.2, "retrieved": 0.3},
    ...     "recognised": 0.8,
    ... }
    >>> for claim in claims(results):
    ...     print(claim["text"])
    Transfer: the judge takes 80.0% for the class they are shown as (target: 90%): missed.
    Retrieval: what is found is 4.00 times nearer than random pictures (target: 3): reached.
    Morphing: 1 of 2 attributes are in order by 0.9 or more (target: all; below: tint 0.500):
    missed.
    """
    found = []
    share = results["recognised"]
    if share is not None:
        text = f"Transfer: the judge takes {share:.1%} for the class they are shown as"
        found.append(_claim("transfer", f"{text} (target: {RECOGNISED:.0%})", share, RECOGNISED))
    nearer = times_nearer(results["in_deviations"])
    if nearer is not None:
        text = f"Retrieval: what is found is {nearer:.2f} times nearer than random pictures"
        found.append(_claim("retrieval", f"{text} (target: {NEARER:g})", nearer, NEARER))
    blurred = unread(results)
    orders = {
        name: attribute["morphed"]["mean"]
        for name, attribute in results["attributes"].items()
        if attribute["morphed"]["mean"] is not None and name not in blurred
    }
    if orders:
        below = [f"{name} {number(order)}" for name, order in orders.items() if order < IN_ORDER]
        steady = len(orders) - len(below)
        text = (
            f"Morphing: {steady} of {len(orders)} attributes are in order by {IN_ORDER:g} or more"
        )
        target = f"(target: all; below: {', '.join(below)})" if below else "(target: all)"
        found.append(_claim("morphing", f"{text} {target}", steady / len(orders), 1.0))
    return found


def _claim(name: str, text: str, value: float, target: float) -> dict[str, Any]:
    reached = value >= target
    text = f"{text}: {'reached' if reached else 'missed'}."
    return {"name": name, "value": value, "target": target, "reached": reached, "text": text}


def notes(results: Mapping[str, Any], angles: Sequence[str], kinds: Iterable[str]) -> list[str]:
    """Returns what the table does not say.

    Args:
        results: figures, as `study.measure` returns them.
        angles: attributes that are angles.
        kinds: attributes that mean the same only in some classes.
    """
    lines = [f"{', '.join(angles)}: in turns of a circle."] if angles else []
    for name in kinds:
        errors = results["attributes"][name]["errors"]
        pairs = ", ".join(f"{error['pairs']:,} {kind}" for kind, error in errors.items())
        lines.append(
            f"{name}: compared where it means the same in both classes alone, of petals where "
            f"there are as many of them: pictures {pairs}."
        )
    blurred = unread(results)
    if blurred:
        lines.append(
            f"{', '.join(blurred)}: hardly told by the reader, whose error is more than {UNREAD:g} "
            "of that of random pairs: what is transferred and morphed of that cannot be judged."
        )
    if results["recognised"] is None:
        lines.append("The model has no classes: there is no other to show a picture as.")
    return lines
