"""Writes PyTorch files of the form before 1.6, right and wrong ones, without PyTorch."""

import dataclasses
import io
import pickle
from typing import Any

from keras_cvaegan.pretrained.torch_files import MAGIC_NUMBER, VERSION

STORAGES = {
    **{"float32": "FloatStorage", "float64": "DoubleStorage", "float16": "HalfStorage"},
    **{"int64": "LongStorage", "int32": "IntStorage", "int16": "ShortStorage"},
    **{"int8": "CharStorage", "uint8": "ByteStorage", "bool": "BoolStorage"},
}


@dataclasses.dataclass
class Name:
    """Something that a pickle asks for by its module and name."""

    module: str
    name: str


@dataclasses.dataclass
class Call:
    """What a pickle makes by calling it."""

    function: Name
    arguments: tuple


@dataclasses.dataclass
class Changed:
    """An object whose attributes a pickle sets afterwards."""

    value: Any
    state: dict


@dataclasses.dataclass
class Storage:
    """What the pickle says of raw numbers."""

    key: str
    type: str
    count: int


class Writer(pickle._Pickler):
    """The pickler in Python, which takes names without importing them."""

    def persistent_id(self, value):
        if isinstance(value, Storage):
            kind = Name("torch", value.type)
            return ("storage", kind, value.key, "cpu", value.count, None)
        return None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Name):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(value, Changed):
            self.save(value.value)
            self.save(value.state)
            self.write(pickle.BUILD)
        else:
            super().save(value, save_persistent_id)


def pickled(*values):
    buffer = io.BytesIO()
    for value in values:
        Writer(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def tensor(storage, shape, strides, offset=0):
    empty = Call(Name("collections", "OrderedDict"), ())
    arguments = (storage, offset, shape, strides, False, empty)
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), arguments)


def storage_of(key, numbers):
    return Storage(key, STORAGES[numbers.dtype.name], numbers.size)


def content(state, numbers, keys=None, magic=MAGIC_NUMBER, version=VERSION):
    """A file's bytes.

    Args:
        state: the dictionary of tensors, or what stands in its place.
        numbers: raw numbers of each storage, by its key.
        keys: list of storages that the file gives; that of `numbers` by default.
        magic: first number of the file.
        version: second number of the file.
    """
    machine = {"protocol_version": VERSION, "little_endian": True}
    head = pickled(magic, version, machine, state, list(numbers) if keys is None else keys)
    raw = (x.size.to_bytes(8, "little") + x.tobytes() for x in numbers.values())
    return head + b"".join(raw)
