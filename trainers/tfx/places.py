"""Where a TFX pipeline leaves what, and the thresholds of its flags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absl.flags import FlagValues


def root(values: FlagValues) -> str:
    """Returns `--root` as an absolute path or URL.

    Raises:
        ValueError: when it was not given.
    """
    if not values.root:
        raise ValueError("--root is missing: the folder for all that the pipeline writes.")
    return _absolute(values.root)


def serving(values: FlagValues) -> str:
    """Returns where the Pusher puts versions, as an absolute path or URL."""
    return _absolute(values.serving_dir or f"{root(values)}/serving")


def _absolute(path: str) -> str:
    return path.rstrip("/") if "://" in path else str(Path(path).expanduser().resolve())


def thresholds(values: FlagValues) -> dict[str, float]:
    """Returns the thresholds that were given, by name."""
    given = {name: getattr(values, name) for name in ("min_top1_accuracy", "max_frechet_distance")}
    return {name: value for name, value in given.items() if value is not None}


def check_places(values: FlagValues) -> None:
    """Refuses places that cannot be where the pipeline is to run.

    Raises:
        ValueError: for no `--root` or `--image`, or a URL for a pipeline that runs here.
    """
    if values.compile == "kubeflow" and not values.image:
        raise ValueError(
            "--image is missing: a container with TFX and this checkout, in which Kubeflow runs "
            "each component; see docs/tfx.md."
        )
    for name, place in (("root", root(values)), ("serving_dir", serving(values))):
        if values.compile == "none" and "://" in place:
            raise ValueError(
                f"--{name} is a folder of this machine for a pipeline that runs here. Received: "
                f"{place!r}. Give a folder, or --compile=kubeflow."
            )
