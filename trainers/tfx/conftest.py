"""Keeps pytest from importing for its examples what needs TFX, where it is not installed."""

try:
    from tfx import v1 as _  # noqa: F401

    collect_ignore = []
except ImportError:
    collect_ignore = ["evaluator.py"]
