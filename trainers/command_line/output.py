"""Where a program leaves what it found, and what it says of that."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absl.flags import FlagValues


def output_folder(
    values: FlagValues, name: str, writes: Iterable[str] = (), given: Iterable[str] = ()
) -> Path:
    """Returns the folder that `--output` names, or one within `--run_dir`; made when missing.

    Args:
        values: values of the flags `output` and `run_dir`.
        name: name of the folder within the run's.
        writes: names of the files that will be written there.
        given: paths of files that were read, none of which may be lost; what is no path does not
            count.

    Raises:
        ValueError: naming the file that would be lost.
        OSError: when the folder cannot be made.
    """
    folder = Path(values.output or Path(values.run_dir) / name).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    paths = {Path(text).expanduser().resolve(): text for text in given}
    for written in writes:
        lost = paths.get((folder / written).resolve())
        if lost is not None:
            raise ValueError(
                f"{lost!r} would be overwritten by the result. Choose another --output."
            )
    return folder


def print_written(folder: Path, names: Iterable[str]) -> None:
    """Prints which files a program wrote.

    Example:

    >>> print_written(Path("my runs/walk"), ["z.png", "walk.json"])
    Written to 'my runs/walk': z.png, walk.json
    """
    print(f"Written to {shlex.quote(str(folder))}: {', '.join(names)}")
