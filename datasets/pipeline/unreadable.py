"""What becomes of pictures that cannot be read: they are named, and a class needs one that can."""

import logging
from collections.abc import Sequence

_logger = logging.getLogger(__name__)

_MOST_LISTED = 5

Lost = tuple[int, str, str]
"""Label, path and reason of a picture that cannot be read."""


def refuse_lost_classes(
    class_names: Sequence[str], class_counts: Sequence[int], lost: Sequence[Lost]
) -> None:
    """Refuses data that have pictures of a class, of which none can be read.

    Args:
        class_names: name of each class, in label order.
        class_counts: number of readable pictures of each class.
        lost: pictures that cannot be read.

    Raises:
        ValueError: when there is such a class.
    """
    for label in sorted({label for label, _, _ in lost}):
        if class_counts[label] == 0:
            named = [f"{path} ({reason})" for other, path, reason in lost if other == label]
            listed = "; ".join(named[:_MOST_LISTED])
            if len(named) > _MOST_LISTED:
                listed += f"; and {len(named) - _MOST_LISTED} more"
            raise ValueError(
                f"None of the {len(named)} pictures of class {class_names[label]!r} can be read: "
                f"{listed}. Replace them or remove the class."
            )


def warn(title: str, lost: Sequence[Lost], count: int) -> None:
    """Says in the log how many pictures are left out, where any are.

    Args:
        title: name of the data set and of its split.
        lost: pictures that cannot be read.
        count: number of pictures, readable or not.
    """
    if lost:
        _, path, reason = lost[0]
        _logger.warning(
            "%s: %d of %d pictures could not be read and are left out; the first is %s (%s).",
            *(title, len(lost), count, path, reason),
        )
