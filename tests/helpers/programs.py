"""The programs of trainers."""

from tests.helpers.running import ROOT


def programs():
    """Names of their modules."""
    paths = (ROOT / "trainers").glob("*.py")
    found = [f"trainers.{path.stem}" for path in paths if path.stem != "__init__"]
    return sorted([*found, "trainers.demo.__main__", "trainers.tfx.pipeline"])
