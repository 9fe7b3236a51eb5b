"""Reads the tensors of a PyTorch file of the form before 1.6, without PyTorch and without trust.

Such a file is a row of pickles (a magic number, a version, facts about the writing machine, the
state dictionary, the list of its storages' keys) and then, for each key in that order, an 8-byte
count and that many raw numbers. A pickle can run any code: the reader here admits the names that a
dictionary of tensors is made of, and no other.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import operator
import os
import pickle
import pickletools
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
VERSION = 1001
MAX_BYTES = 2**31
"""Size in bytes of the largest file that is read."""

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


class _Sealed:
    """What a pickle can have made, and cannot change: its checks hold for what is used later."""

    def __setstate__(self, state: Any) -> NoReturn:
        raise pickle.UnpicklingError("it changes what it has made")


@dataclasses.dataclass
class _Storage(_Sealed):
    """Raw numbers that tensors are views of."""

    dtype: np.dtype
    count: int
    values: np.ndarray | None = None


@dataclasses.dataclass
class _View(_Sealed):
    """A tensor whose storage is not read yet."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def count(self) -> int:
        return functools.reduce(operator.mul, self.shape, 1)

    def array(self) -> np.ndarray:
        """A copy of the tensor's numbers.

        Raises:
            pickle.UnpicklingError: for a view that reaches outside of its storage.
        """
        values = self.storage.values
        last = self.offset + sum(
            (side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True)
        )
        if values is None or (self.count and last >= len(values)):
            raise pickle.UnpicklingError("a tensor reaches outside of its storage")
        item = self.storage.dtype.itemsize
        if not self.count:
            return np.zeros(self.shape, self.storage.dtype)
        return np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, [stride * item for stride in self.strides]
        ).copy()


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
    """Stands in for `torch._utils._rebuild_tensor_v2`."""
    numbers = [offset, *shape, *strides]
    plain = all(isinstance(each, int) and 0 <= each < 2**40 for each in numbers)
    if not isinstance(storage, _Storage) or not plain or len(shape) != len(strides):
        raise pickle.UnpicklingError("a tensor is not described as one")
    view = _View(storage, offset, tuple(shape), tuple(strides))
    # A stride of 0 would make any number of numbers of one.
    if view.count > storage.count:
        raise pickle.UnpicklingError("a tensor has more numbers than its storage")
    return view


class _TensorsAlone(pickle.Unpickler):
    """Unpickles what a state dictionary is made of, and raises for everything else."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]):
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of tensors")

    def persistent_load(self, pid: Any) -> _Storage:
        try:
            kind, storage_type, key, _, count, view = pid
            dtype = np.dtype(_DTYPES[storage_type])
        except (TypeError, ValueError, KeyError):
            raise pickle.UnpicklingError("a storage is not described as one") from None
        if kind != "storage" or view is not None or not isinstance(count, int) or count < 0:
            raise pickle.UnpicklingError("a storage is not described as one")
        return self._storages.setdefault(str(key), _Storage(dtype, count))


def read_tensors(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Returns the tensors of a PyTorch state dictionary (`torch.save`, before version 1.6).

    Args:
        path: path of the file, of at most `MAX_BYTES`.

    Returns:
        Arrays by the names of the dictionary, in its order.

    Raises:
        ValueError: for a file that is cut short, too large, or holds anything but tensors.
        OSError: for one that cannot be opened.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        _refuse(path, f"it has {size:,} bytes, more than {MAX_BYTES:,}")
    try:
        with path.open("rb") as file:
            return _read(file, size)
    except (
        *(pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError),
        *(KeyError, IndexError, OverflowError, MemoryError, RecursionError),
    ) as error:
        _refuse(path, str(error) or type(error).__name__)


def _check_memo(file: BinaryIO) -> None:
    """Refuses a pickle that remembers things at far places: each takes all the memory up to it."""
    start = file.tell()
    for count, (opcode, place, _) in enumerate(pickletools.genops(file)):
        if opcode.name.endswith("PUT") and not 0 <= int(place or 0) <= count:
            raise pickle.UnpicklingError("it remembers things at places that nothing needs")
    file.seek(start)


def _refuse(path: Path, why: str) -> NoReturn:
    raise ValueError(
        f"Cannot read the weights in {str(path)!r}: {why}. Allowed: a whole file of tensors, as "
        "torch.save wrote them before version 1.6. Install the package that it came with again."
    ) from None


def _read(file: BinaryIO, size: int) -> dict[str, np.ndarray]:
    storages: dict[str, _Storage] = {}

    def unpickled() -> Any:
        _check_memo(file)
        return _TensorsAlone(file, storages).load()

    if unpickled() != MAGIC_NUMBER or unpickled() != VERSION:
        raise pickle.UnpicklingError("it is no such file")
    unpickled()  # Facts about the machine: numbers are little-endian wherever they were written.
    state, keys = unpickled(), unpickled()
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(view, _View) for name, view in state.items()
    ):
        raise pickle.UnpicklingError("it holds something else than tensors by name")
    if not isinstance(keys, list) or {str(key) for key in keys} != set(storages):
        raise pickle.UnpicklingError("its list of storages does not fit its tensors")
    # Many views of one storage would make much of a small file.
    views = state.values()
    if sum(view.count * view.storage.dtype.itemsize for view in views) > MAX_BYTES:
        raise pickle.UnpicklingError(f"its tensors have more bytes than {MAX_BYTES:,}")
    for key in keys:
        storage = storages[str(key)]
        count = int.from_bytes(file.read(8), "little")
        wanted = count * storage.dtype.itemsize
        if count != storage.count or wanted > size - file.tell():
            raise pickle.UnpicklingError("it is cut short, or its counts are wrong")
        storage.values = np.frombuffer(file.read(wanted), storage.dtype)
    return {name: view.array() for name, view in state.items()}
