"""Archives of pictures."""

import gzip
import tarfile
import zlib
from pathlib import Path

from keras_cvaegan.files import replacing_folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a tar archive; whoever looks sees no folder or the whole of it.

    Args:
        archive: tar file, compressed or not.
        folder: path to unpack to. Where it is there, it stays as it is.

    Raises:
        ValueError: when the archive is damaged.
        OSError: when the folder cannot be written.
    """
    if folder.is_dir():
        return
    try:
        # Where another process has unpacked it meanwhile, that stays.
        with (
            replacing_folder(folder, keep=Path.is_dir) as partial,
            tarfile.open(archive) as tar,
        ):
            _extract(tar, partial)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise ValueError(
            f"The archive {str(archive)!r} is damaged ({reason}). Remove it and download it again."
        ) from error
    except OSError as error:
        raise OSError(
            f"Cannot unpack {str(archive)!r} into {str(folder)!r}: {error.strerror or error}. "
            "Unpack it elsewhere, and give that folder as data_dir."
        ) from error


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Extracts an archive, nothing of which may lie outside the folder."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    # Python before 3.11.4: of archives of pictures, files and folders are all that is wanted.
    inside = folder.resolve()
    members = [member for member in tar if member.isfile() or member.isdir()]
    for member in members:
        if not (inside / member.name).resolve().is_relative_to(inside):
            raise tarfile.ReadError(f"{member.name!r} would be extracted outside of the folder")
    tar.extractall(folder, members)
