"""Which tests there are, which of them are slow, and which share a process."""

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
# Modules that `[test-all]` brings and `[test]` does not, and the tests that do nothing without.
NEEDS = {
    "prdc": ("tests/keras_cvaegan/metrics/test_precision_recall.py",),
    "tensorflow_serving": (
        *("tests/deploy", "tests/keras_cvaegan/serving"),
        *("tests/trainers/demo/test_sources.py", "tests/trainers/demo/test_page.py"),
        "tests/trainers/test_request.py",
    ),
}
MISSING = [name for name in NEEDS if importlib.util.find_spec(name) is None]
collect_ignore = [path for name in MISSING for path in NEEDS[name]]
# Their examples build and train models.
SLOW_EXAMPLES = tuple(
    f"keras_cvaegan/{room}" for room in ("applications", "export", "models", "training")
)
ELSEWHERE = os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow"


def pytest_report_header():
    return [f"left out without {name}: {', '.join(NEEDS[name])}" for name in MISSING]


def pytest_collection_modifyitems(config, items):
    for item in items:
        file = item.path.relative_to(ROOT).as_posix()
        if isinstance(item, pytest.DoctestItem) and file.startswith(SLOW_EXAMPLES):
            item.add_marker(pytest.mark.slow)
        if ELSEWHERE and item.get_closest_marker("tensorflow"):
            item.add_marker(pytest.mark.skip(reason="of the TensorFlow back end"))
        # What fixtures of a file make is made once, in one process.
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(file))
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item):
    """The longest first, so that no process waits for another at the end."""
    alone = item.get_closest_marker("xdist_group").args == ("steps",)
    return 0 if alone else 1 if item.get_closest_marker("slow") else 2
