"""PyTorch files: every number of a right one, and one clear error of a wrong one."""

import os
import pathlib
import pickle
import tempfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cvaegan.pretrained import read_tensors, torch_files
from tests.helpers.torch_file import (
    STORAGES,
    Call,
    Changed,
    Name,
    Storage,
    content,
    pickled,
    storage_of,
    tensor,
)

NUMBERS = np.arange(12, dtype="float32")
WEIGHTS = storage_of("7", NUMBERS)
RIGHT = content({"weight": tensor(WEIGHTS, (3, 4), (4, 1))}, {"7": NUMBERS})


@pytest.fixture
def read(tmp_path):
    def read(data):
        path = tmp_path / "weights.pth"
        path.write_bytes(data)
        return read_tensors(path)

    return read


@pytest.fixture
def refused(read):
    """A function that checks the error of a file."""

    def refused(data, why):
        message = rf"Cannot read the weights in '.*weights\.pth': {why}.*Allowed: a whole file of "
        with pytest.raises(ValueError, match=message) as error:
            read(data)
        assert error.value.__cause__ is None

    return refused


def test_every_dtype(read):
    random = np.random.default_rng(0)
    numbers = {dtype: random.integers(0, 100, 6).astype(dtype) for dtype in STORAGES}
    state = {key: tensor(storage_of(key, x), (2, 3), (3, 1)) for key, x in numbers.items()}
    found = read(content(state, numbers))
    assert list(found) == list(state)
    for key, x in numbers.items():
        assert found[key].dtype == key
        np.testing.assert_array_equal(found[key], x.reshape(2, 3))
        assert found[key].flags.writeable


def test_views_of_one_storage(read):
    state = {
        "transposed": tensor(WEIGHTS, (4, 3), (1, 4)),
        "every other": tensor(WEIGHTS, (2, 2), (4, 2), offset=1),
        "scalar": tensor(WEIGHTS, (), (), offset=11),
        "empty": tensor(WEIGHTS, (0, 4), (4, 1)),
        "broadcast": tensor(WEIGHTS, (3, 4), (0, 1), offset=8),
    }
    found = read(content(state, {"7": NUMBERS}))
    expected = {
        "transposed": NUMBERS.reshape(3, 4).T,
        "every other": [[1, 3], [5, 7]],
        "scalar": np.float32(11),
        "empty": np.zeros((0, 4)),
        "broadcast": [[8, 9, 10, 11]] * 3,
    }
    for name, value in expected.items():
        assert found[name].shape == np.shape(value)
        np.testing.assert_array_equal(found[name], value, err_msg=name)
        assert found[name].dtype == np.float32


def test_storages_come_in_the_order_of_their_list(read):
    first, second = NUMBERS[:4], -NUMBERS[:2]
    state = {
        "b": tensor(storage_of("2", second), (2,), (1,)),
        "a": tensor(storage_of("1", first), (4,), (1,)),
    }
    found = read(content(state, {"1": first, "2": second}))
    np.testing.assert_array_equal(found["a"], first)
    np.testing.assert_array_equal(found["b"], second)


@given(length=st.integers(0, len(RIGHT) - 1))
def test_cut_short_anywhere(length):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "weights.pth"
        path.write_bytes(RIGHT[:length])
        with pytest.raises(ValueError, match=r"Cannot read the weights in .*Allowed: a whole file"):
            read_tensors(path)


@given(position=st.integers(0, len(RIGHT) - 1), value=st.integers(0, 255))
def test_a_damaged_byte_gives_tensors_or_one_error(position, value):
    data = bytearray(RIGHT)
    data[position] = value
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "weights.pth"
        path.write_bytes(data)
        try:
            found = read_tensors(path)
        except ValueError as error:
            assert "Cannot read the weights in" in str(error)
        else:
            assert all(isinstance(x, np.ndarray) for x in found.values())


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (Name("os", "system"), r"os\.system"),
        (Name("posix", "system"), r"posix\.system"),
        (Name("builtins", "eval"), r"builtins\.eval"),
        (Name("torch", "load"), r"torch\.load"),
        (Name("collections", "OrderedDict.__init__.__globals__"), r"collections\.OrderedDict\."),
    ],
)
@pytest.mark.parametrize("part", range(5))
def test_a_pickle_that_calls_something_calls_nothing(refused, tmp_path, function, named, part):
    marker = tmp_path / "marker"
    parts = [torch_files.MAGIC_NUMBER, torch_files.VERSION, {}, {}, []]
    parts[part] = Call(function, (f"touch {marker}",))
    refused(pickled(*parts), f"it names {named}.*, which is no part of tensors")
    assert not marker.exists()


def test_plain_pickles_and_archives(refused, tmp_path):
    class Foreign:
        def __reduce__(self):
            return os.system, ("true",)

    refused(pickle.dumps(Foreign()), r"it names \w+\.system")
    refused(pickle.dumps({"weight": [1.0]}), "it is no such file")
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    refused((tmp_path / "archive").read_bytes(), "")
    refused(b"", "")


@pytest.mark.parametrize(
    "opcode", [pickle.LONG_BINPUT + b"\xf0\xff\xff\x7f", pickle.PUT + b"9999\n"]
)
def test_a_pickle_that_would_take_all_memory(refused, opcode):
    number = pickle.dumps(torch_files.MAGIC_NUMBER, 2)
    refused(number.replace(pickle.STOP, opcode + pickle.STOP), "it remembers things at places")


@pytest.mark.parametrize("changes", [{"magic": 1}, {"version": 1002}, {"magic": None}])
def test_another_form(refused, changes):
    state = {"weight": tensor(WEIGHTS, (3, 4), (4, 1))}
    refused(content(state, {"7": NUMBERS}, **changes), "it is no such file")


def test_too_large_a_file_is_not_opened(refused, monkeypatch):
    monkeypatch.setattr(torch_files, "MAX_BYTES", len(RIGHT) - 1)
    refused(RIGHT, f"it has {len(RIGHT)} bytes, more than {len(RIGHT) - 1}")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "none.pth")


OUTSIDE, MORE, UNLIKE = (
    "a tensor reaches outside of its storage",
    "a tensor has more numbers than its storage",
    "a tensor is not described as one",
)


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (tensor(WEIGHTS, (3, 4), (4, 1), offset=1), OUTSIDE),
        (tensor(WEIGHTS, (2,), (12,)), OUTSIDE),
        (tensor(WEIGHTS, (), (), offset=12), OUTSIDE),
        (tensor(WEIGHTS, (13,), (0,)), MORE),
        (tensor(WEIGHTS, (2**39, 2**39), (0, 0)), MORE),
        (tensor(WEIGHTS, (3,), (-1,), offset=2), UNLIKE),
        (tensor(WEIGHTS, (3,), (1,), offset=-1), UNLIKE),
        (tensor(WEIGHTS, (2**40,), (0,)), UNLIKE),
        (tensor(WEIGHTS, (3, 4), (1,)), UNLIKE),
        (tensor(WEIGHTS, (3.0,), (1,)), UNLIKE),
        (tensor("7", (3,), (1,)), UNLIKE),
        (tensor(WEIGHTS, None, (1,)), ""),
        (Changed(tensor(WEIGHTS, (2,), (1,)), {"strides": (-(10**6),)}), "it changes what"),
        (Changed(tensor(WEIGHTS, (2,), (1,)), {"shape": (2**30,)}), "it changes what"),
    ],
)
def test_a_tensor_that_is_not_within_its_storage(refused, view, why):
    refused(content({"weight": view}, {"7": NUMBERS}), why)


def test_many_views_do_not_make_much_of_little(read, refused, monkeypatch):
    numbers = np.zeros(10_000, "float32")
    views = {str(name): tensor(storage_of("7", numbers), (10_000,), (1,)) for name in range(3)}
    data = content(views, {"7": numbers})
    monkeypatch.setattr(torch_files, "MAX_BYTES", 120_000)
    assert len(read(data)) == 3
    monkeypatch.setattr(torch_files, "MAX_BYTES", 119_999)
    assert len(data) < torch_files.MAX_BYTES
    refused(data, "its tensors have more bytes than 119,999")


@pytest.mark.parametrize(
    "storage",
    [
        Storage("7", "FloatTensor", 12),
        Storage("7", "FloatStorage", -1),
        Storage("7", "FloatStorage", 12.0),
        Storage("7", ["FloatStorage"], 12),
    ],
)
def test_a_storage_of_another_kind(refused, storage):
    state = {"weight": tensor(storage, (3, 4), (4, 1))}
    named = "it names torch" if "Storage" not in storage.type else "a storage is not described as"
    refused(content(state, {"7": NUMBERS}), named)


@pytest.mark.parametrize("keys", [[], ["8"], ["7", "8"], "7", {"7": 0}])
def test_a_list_of_other_storages(refused, keys):
    state = {"weight": tensor(WEIGHTS, (3, 4), (4, 1))}
    data = content(state, {"7": NUMBERS}, keys=keys)
    refused(data, "its list of storages does not fit its tensors")


def test_counts_that_are_wrong(refused):
    for count in (11, 13, 2**60):
        storage = Storage("7", "FloatStorage", count)
        data = content({"weight": tensor(storage, (3,), (1,))}, {"7": NUMBERS})
        refused(data, "it is cut short, or its counts are wrong")
    state = {"weight": tensor(Storage("7", "DoubleStorage", 12), (3,), (1,))}
    refused(content(state, {"7": NUMBERS}), "it is cut short, or its counts are wrong")


@pytest.mark.parametrize(
    "state",
    [
        [tensor(WEIGHTS, (3,), (1,))],
        {"weight": tensor(WEIGHTS, (3,), (1,)), "epoch": 3},
        {"weight": WEIGHTS},
        {0: tensor(WEIGHTS, (3,), (1,))},
        {"model": {"weight": tensor(WEIGHTS, (3,), (1,))}},
        None,
    ],
)
def test_something_else_than_tensors_by_name(refused, state):
    refused(content(state, {"7": NUMBERS}), "it holds something else than tensors by name")
