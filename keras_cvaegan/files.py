"""Files and folders that are there whole, or as they were before, and locks between processes."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock


@contextlib.contextmanager
def replacing(path: str | os.PathLike, *, ending: str = "", durable: bool = True) -> Iterator[Path]:
    """Gives a path to write to; what is there in the end takes the place of `path`.

    Whoever looks sees the old file or the whole new one. After an error the old one stays, and
    nothing is left beside it.

    Args:
        path: path of the file, in a folder that exists.
        ending: ending of the name to write to, for writers that look at it, such as ".keras".
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
def replacing_folder(
    output: str | os.PathLike, *, keep: Callable[[Path], bool] = lambda found: False
) -> Iterator[Path]:
    """Gives a folder to write to, which takes the place of `output` when it is whole.

    After an error what was there stays, and nothing is left beside it.

    Args:
        output: the folder; those above it are made where they are missing.
        keep: function that says of what is at `output` in the end whether it stays instead, such as
            the same that another process has made meanwhile.

    Raises:
        OSError: when the folder cannot be written.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     with replacing_folder(f"{directory}/pictures") as partial:
    ...         _ = (partial / "about.txt").write_text("all of them", "utf-8")
    ...     [str(path.relative_to(directory)) for path in Path(directory).glob("*/*")]
    ['pictures/about.txt']
    """
    output = Path(output).absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f".{output.name}.{uuid.uuid4().hex}.partial")
    partial.mkdir()
    try:
        yield partial
        replace_folder(output, partial, keep=keep)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_folder(
    output: Path, new: Path, *, keep: Callable[[Path], bool] = lambda found: False
) -> None:
    """Gives the folder `new` the name `output`. What is there goes, or stays after an error.

    Args:
        output: path on the same disk.
        new: a whole folder.
        keep: see `replacing_folder`.

    Raises:
        OSError: when the folder cannot be renamed.
    """
    old = output.with_name(f".{output.name}.{uuid.uuid4().hex}.old")
    if output.exists():
        if keep(output):
            return
        output.rename(old)
    try:
        new.rename(output)
    except OSError:
        if old.exists():
            old.rename(output)
        elif output.exists() and keep(output):
            return
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def locked(path: str | os.PathLike, message: str) -> Iterator[None]:
    """Keeps other processes out; the system ends the lock with the process, however that ends.

    Args:
        path: file of the lock, made where it is missing; it stays.
        message: error where another process holds the lock.

    Raises:
        OSError: when another process holds it, or the file cannot be made.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     with locked(f"{directory}/.lock", "Another process trains here."):
    ...         pass
    """
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OSError(message) from None
    try:
        yield
    finally:
        lock.release()
