"""Files that are there whole, or as they were before."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *, ending: str = "", durable: bool = True) -> Iterator[Path]:
    """Gives a path to write to; what is there in the end takes the place of `path`.

    Whoever looks sees the old file or the whole new one. After an error the old one stays, and
    nothing is left beside it.

    Args:
        path: of the file, in a folder that exists.
        ending: of the name to write to, for writers that look at it, such as ".keras".
        durable: whether the file is forced to the disk before it takes its name, so that it
            outlasts a power cut too.

    Raises:
        OSError: when the file cannot be written.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory) / "words.txt"
    ...     with replacing(path) as partial:
    ...         _ = partial.write_text("all of them", "utf-8")
    ...     [file.name for file in path.parent.iterdir()]
    ['words.txt']
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial{ending}")
    try:
        yield partial
        if durable:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a file of text, by `replacing`."""
    with replacing(path) as partial:
        partial.write_text(text, "utf-8")


@contextlib.contextmanager
def replacing_folder(output: Path) -> Iterator[Path]:
    """Gives a folder to write to, which takes the place of `output` when it is whole.

    After an error what was there stays, and nothing is left beside it.
    """
    output = output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    name = f".{output.name}.{uuid.uuid4().hex}"
    partial, old = output.with_name(f"{name}.partial"), output.with_name(f"{name}.old")
    partial.mkdir()
    try:
        yield partial
        if output.exists():
            output.rename(old)
        try:
            partial.rename(output)
        except OSError:
            if old.exists():
                old.rename(output)
            raise
    finally:
        for folder in (partial, old):
            shutil.rmtree(folder, ignore_errors=True)
