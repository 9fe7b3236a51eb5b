"""Bad requests: each an InvalidArgument error with a message, never a crash, never an image."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

pytestmark = pytest.mark.slow

CLASSES, LATENTS, SHAPE = 3, 16, (16, 16, 3)
# What the signatures take; the first dimension is the rows.
TAKES = {
    "labels": ("int64", ()),
    "seed": ("int64", ()),
    "class_names": ("string", ()),
    "z": ("float32", (LATENTS,)),
    "images": ("uint8", SHAPE),
    "image_bytes": ("string", ()),
}
INPUTS = {
    "generate": ("labels", "seed"),
    "generate_by_name": ("class_names", "seed"),
    "generate_png": ("labels", "seed"),
    "decode": ("z", "labels"),
    "describe": ("labels",),
    "encode": ("images", "labels"),
    "encode_bytes": ("image_bytes", "labels"),
    "reconstruct": ("images", "labels"),
    "classify": ("images",),
    "classify_bytes": ("image_bytes",),
}
DTYPES = ("int32", "int64", "float32", "float64", "uint8", "bool", "string")


def picture_file(kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)).save(
        file, kind
    )
    return file.getvalue()


FILES = {kind: picture_file(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")}


def good(name, rows):
    dtype, shape = TAKES[name]
    if name == "class_names":
        return np.array([b"rose"] * rows, object)
    if name == "image_bytes":
        return np.array([FILES["PNG"]] * rows, object)
    return np.zeros((rows, *shape), dtype)


def cast(values, dtype):
    return (
        np.full(values.shape, b"0", object) if dtype == "string" else np.zeros_like(values, dtype)
    )


broken_files = st.one_of(
    st.binary(max_size=64),
    st.sampled_from(sorted(FILES)).flatmap(
        lambda kind: st.integers(0, len(FILES[kind]) // 2).map(lambda size: FILES[kind][:size])
    ),
    st.sampled_from([FILES[kind] for kind in ("GIF", "BMP", "WEBP", "TIFF")]),
    # A header of a huge picture.
    st.integers(2**14, 2**31 - 1).map(
        lambda side: FILES["PNG"][:16] + side.to_bytes(4, "big") * 2 + FILES["PNG"][24:]
    ),
)


@st.composite
def bad_requests(draw):
    """A signature, with inputs of which one is wrong."""
    signature = draw(st.sampled_from(sorted(INPUTS)))
    rows = draw(st.integers(1, 3))
    inputs = {name: good(name, rows) for name in INPUTS[signature]}
    name = draw(st.sampled_from(INPUTS[signature]))
    row = draw(st.integers(0, rows - 1))
    faults = ["dtype", "rank", "empty"]
    if TAKES[name][1]:
        faults.append("shape")
    if len(inputs) > 1:
        faults.append("rows")
    if name not in ("seed", "images"):  # Any seed and any byte is right.
        faults += ["value"] * 4
    fault = draw(st.sampled_from(faults))
    if fault == "dtype":
        right = TAKES[name][0]
        wrong = draw(st.sampled_from([dtype for dtype in DTYPES if dtype != right]))
        inputs[name] = cast(inputs[name], wrong)
    elif fault == "rank":
        other = draw(st.sampled_from(["more", "less"]))
        inputs[name] = inputs[name][None] if other == "more" else inputs[name][0]
    elif fault == "shape":
        shape = list(inputs[name].shape)
        axis = draw(st.integers(1, len(shape) - 1))
        shape[axis] = draw(st.integers(0, 40).filter(lambda side: side != shape[axis]))
        inputs[name] = np.zeros(shape, inputs[name].dtype)
    elif fault == "rows":
        inputs[name] = good(name, rows + draw(st.integers(1, 2)))
    elif fault == "empty":
        inputs = {name: good(name, 0) for name in inputs}
    elif name == "labels":
        wrong = st.one_of(
            st.integers(-(2**63), -1), st.integers(CLASSES, 2**63 - 1), st.just(CLASSES)
        )
        inputs[name][row] = draw(wrong)
    elif name == "class_names":
        inputs[name][row] = draw(st.binary(max_size=20).filter(lambda x: x != b"rose"))
        if inputs[name][row] in (b"lily", b"daisy"):
            inputs[name][row] = b""
    elif name == "z":
        wrong = st.sampled_from([np.nan, np.inf, -np.inf, 1e4, -3e38])
        inputs[name][row, draw(st.integers(0, LATENTS - 1))] = draw(wrong)
    else:
        inputs[name][row] = draw(broken_files)
    return signature, inputs


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(request=bad_requests())
def test_bad_requests(call, request):
    signature, inputs = request
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(signature, **inputs)
    assert len(caught.value.message) > 20


def test_good_requests(call):
    """The requests that the bad ones are made from are right."""
    for signature, names in INPUTS.items():
        for rows in (1, 3):
            outputs = call(signature, **{name: good(name, rows) for name in names})
            assert all(len(values) == rows for values in outputs.values())


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("generate", {"labels": [3], "seed": [0]}, r"labels must be from 0 to 2\. Received:\] \[3"),
        ("generate", {"labels": [-1], "seed": [0]}, r"labels must be from 0 to 2"),
        ("generate", {"labels": [0, 1], "seed": [0]}, r"as many rows; seed has not.*\[2 1\]"),
        ("generate", {"labels": [], "seed": []}, r"at least one row"),
        (
            "generate_by_name",
            {"class_names": [b"tulip"], "seed": [0]},
            r"class_names must be among:\] \[rose, lily, daisy\].*\[tulip\]",
        ),
        ("decode", {"z": [[np.nan] * 16], "labels": [0]}, r"z must hold numbers from -1000 to"),
        ("decode", {"z": [[np.inf] * 16], "labels": [0]}, r"z must hold numbers from -1000 to"),
        ("classify_bytes", {"image_bytes": [b"GIF89a"]}, r"must be whole PNG or JPEG files"),
        ("classify", {"images": np.zeros((1, 8, 8, 3))}, r"expected shape \[\?,16,16,3\]"),
    ],
)
def test_messages(call, signature, inputs, message):
    given = {
        name: np.asarray(values, object if TAKES[name][0] == "string" else TAKES[name][0])
        for name, values in inputs.items()
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(signature, **given)
