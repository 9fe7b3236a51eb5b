"""`petals`: flowers drawn by code, of any number of species, with every attribute known.

The class is the species: a hue family, a petal shape and a petal count. Species come in groups
that share their hue, so that shape has to be learnt. Background hue, brightness, position,
rotation, size and tint are drawn for each image and recorded.

The same bytes on every machine: random numbers are raw Philox bits, sines and cosines are rounded
before use, and pixels are made of +, −, ×, ÷ and square roots alone, which IEEE 754 fixes to the
last bit.
"""

import dataclasses
import json
import math
from collections.abc import Mapping

import numpy as np

from datasets.pipeline.registry import Batch, Source, in_batches, register

SHAPES = ("round", "pointed", "spoon", "notched", "blunt")
COUNTS = (7, 3, 8, 6, 4, 10, 5, 12)
MAX_HUES = 20
MIN_IMAGE_SIZE = 8
SPLIT_SIZES = {"train": 10_000, "validation": 1_000, "test": 2_000}
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Species:
    """What the flowers of one class have in common.

    Args:
        hue: hue of the petals, in [0, 1).
        shape: name of the petals' shape, of `SHAPES`.
        count: number of petals.
    """

    hue: float
    shape: str
    count: int

    @property
    def name(self) -> str:
        return f"{self.shape}_{self.count}_hue_{round(360 * self.hue):03d}"

    @property
    def attributes(self) -> dict[str, float]:
        """What follows from the label: `hue`, `shape` (index into `SHAPES`), `petal_count`."""
        return {"hue": self.hue, "shape": SHAPES.index(self.shape), "petal_count": self.count}


@register(
    "petals",
    doc="flowers drawn by code, of 2 to 200 species; needs no download",
    photographs=False,
)
def petals(
    split: str,
    image_size: int,
    num_classes: int = 10,
    drawing_seed: int = 0,
    count: int | None = None,
) -> Source:
    """Returns one split of drawn flowers; the class of image `i` is `i % num_classes`.

    Args:
        split: name of the split, "train", "validation" or "test".
        image_size: height and width, in pixels, at least 8.
        num_classes: number of species, 2 to 200.
        drawing_seed: seed of the drawings; another one gives other flowers of the same species.
        count: number of images, at least `num_classes`; by default 10,000 for training, 1,000 for
            validation, 2,000 for testing.

    Raises:
        ValueError: for an argument outside these ranges.

    Example:

    >>> import datasets
    >>> flowers = datasets.load(
    ...     "petals", "test", image_size=16, batch_size=4, count=20, with_attributes=True
    ... )
    >>> flowers.description.class_names[:2]
    ('round_7_hue_000', 'pointed_3_hue_000')
    >>> images, labels, values = next(iter(flowers))
    >>> sorted(values)
    ['background_hue', 'brightness', 'hue', 'petal_count', 'rotation', 'shape', 'size', 'tint',
     'x', 'y']
    """
    kinds = species(num_classes)
    count = SPLIT_SIZES[split] if count is None else count
    if count < num_classes:
        raise ValueError(
            f"petals draws at least one flower of each class. Received: count={count} for "
            f"num_classes={num_classes}. Choose a count of at least {num_classes}."
        )
    if image_size < MIN_IMAGE_SIZE:
        raise ValueError(
            f"petals draws pictures of at least {MIN_IMAGE_SIZE} pixels. "
            f"Received: image_size={image_size}."
        )
    if not 0 <= drawing_seed < 2**64:
        raise ValueError(
            f"drawing_seed must be in [0, 2⁶⁴). Received: drawing_seed={drawing_seed}."
        )

    def read(indices: range) -> Batch:
        labels = [index % num_classes for index in indices]
        values = [attributes(split, index, drawing_seed) for index in indices]
        images = [
            draw(kinds[label], drawn, image_size)
            for label, drawn in zip(labels, values, strict=True)
        ]
        rows = [
            kinds[label].attributes | drawn for label, drawn in zip(labels, values, strict=True)
        ]
        return Batch(images, labels, {name: [row[name] for row in rows] for name in rows[0]})

    return Source(
        class_names=tuple(kind.name for kind in kinds),
        count=count,
        key=json.dumps([VERSION, num_classes, drawing_seed, count]),
        batches=in_batches(count, read),
    )


def species(num_classes: int = 10) -> tuple[Species, ...]:
    """The species of a data set of `num_classes` classes.

    Args:
        num_classes: number of species, 2 to 200.

    Returns:
        One `Species` a class, all different; at least two share each hue.

    Raises:
        ValueError: for another number of classes.

    Example:

    >>> [s.name for s in species(4)]
    ['round_7_hue_000', 'pointed_3_hue_000', 'spoon_8_hue_180', 'notched_6_hue_180']
    """
    if not 2 <= num_classes <= 200:
        raise ValueError(
            f"petals has 2 to 200 classes. Received: num_classes={num_classes}. "
            "Choose a number in that range."
        )
    hues = min(num_classes // 2, MAX_HUES)
    forms = [
        (SHAPES[i % len(SHAPES)], COUNTS[i % len(COUNTS)]) for i in range(len(SHAPES) * len(COUNTS))
    ]
    result = []
    for family in range(hues):
        members = num_classes // hues + (family < num_classes % hues)
        for member in range(members):
            shape, count = forms[(2 * family + member) % len(forms)]
            result.append(Species(family / hues, shape, count))
    return tuple(result)


def attributes(split: str, index: int, seed: int = 0) -> dict[str, float]:
    """The attributes of one image, a function of (seed, split, index) alone.

    Args:
        split: name of the split, "train", "validation" or "test".
        index: number of the image, at least 0.
        seed: seed of the drawings.

    Returns:
        `background_hue` in [0, 1), `brightness` in [0.65, 1), `x` and `y` in [−0.15, 0.15) (shares
        of the picture's width, from its middle), `rotation` in [0, 1) turns, `size` in [0.3, 0.45)
        (the petals' length as a share of the picture's width), `tint` in [0, 1) (where in its
        family the petals' hue lies: at `hue + 0.03 (tint − 0.5)`).
    """
    u = _uniforms(split, index, seed)
    return {
        "background_hue": u[0],
        "brightness": 0.65 + 0.35 * u[1],
        "x": 0.3 * u[2] - 0.15,
        "y": 0.3 * u[3] - 0.15,
        "rotation": u[4],
        "size": 0.3 + 0.15 * u[5],
        "tint": u[6],
    }


def visible(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What pictures show of their attributes beside the class, as numbers without a jump.

    Angles come as cosine and sine. Of the rotation only the phase of the petals shows, as a flower
    of k petals turned by 1/k is the same picture. What the label decides is left out.

    Args:
        values: arrays `(n,)` by attribute, as data sets give them.

    Returns:
        By name float32 arrays `(n, 1)`, or `(n, 2)` of angles.

    Example:

    >>> values = {"size": [0.4], "rotation": [0.25], "petal_count": [2.0], "hue": [0.5]}
    >>> visible({name: np.array(each) for name, each in values.items()})
    {'size': array([[0.4]], dtype=float32), 'rotation': array([[-1.,  0.]], dtype=float32)}
    """
    shown = {}
    for name, each in values.items():
        if name in ("background_hue", "rotation"):
            turns = each * values["petal_count"] if name == "rotation" else each
            angles = 2.0 * np.pi * np.asarray(turns, np.float64)
            shown[name] = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        elif name not in ("hue", "shape", "petal_count"):
            shown[name] = np.reshape(each, (-1, 1))
    return {name: each.astype(np.float32).round(6) + 0.0 for name, each in shown.items()}


def _uniforms(split: str, index: int, seed: int) -> list[float]:
    key = [seed, (list(SPLIT_SIZES).index(split) << 40) + index]
    bits = np.random.Philox(key=np.array(key, np.uint64)).random_raw(8)
    return [int(b >> np.uint64(11)) * 2.0**-53 for b in bits]


def draw(kind: Species, values: dict[str, float], image_size: int) -> np.ndarray:
    """Draws one flower.

    Args:
        kind: species of the flower.
        values: values of the attributes, as `attributes` gives them.
        image_size: height and width, in pixels, at least 8.

    Returns:
        uint8 array of shape (image_size, image_size, 3), anti-aliased.

    Example:

    >>> draw(species(10)[0], attributes("train", 0), image_size=32).shape
    (32, 32, 3)
    """
    oversampling = 4 if image_size <= 48 else 3
    side = image_size * oversampling
    steps = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    x = (steps - _f32(0.5 + values["x"])) / _f32(values["size"])
    y = ((steps - _f32(0.5 + values["y"])) / _f32(values["size"]))[:, None]

    brightness = values["brightness"]
    background = _rgb(values["background_hue"], 0.45, 0.75 * brightness)
    hue = kind.hue + 0.03 * (values["tint"] - 0.5)
    petal = _rgb(hue, 0.85, brightness)
    base = _rgb(hue, 0.95, 0.6 * brightness)
    heart = _rgb(0.13, 0.75, 0.95 * brightness)

    # A petal darkens towards its edges, so that neighbours are told apart where they overlap.
    inside, shade = _petals(kind, values["rotation"], x, y)
    distance = np.minimum(x * x + y * y, _f32(1.0))
    light = np.minimum(_f32(0.25) + distance * _f32(1.1), _f32(1.0)) * shade

    canvas = np.empty((side, side, 3), np.uint16)
    in_heart = distance < _f32(0.05)
    for channel in range(3):
        low, high = _f32(base[channel]), _f32(petal[channel])
        flower = low + (high - low) * light
        value = np.where(inside, flower, _f32(background[channel]))
        value = np.where(in_heart, _f32(heart[channel]), value)
        canvas[..., channel] = value * _f32(255) + _f32(0.5)
    blocks = canvas.reshape(image_size, oversampling, image_size, oversampling, 3)
    area = oversampling * oversampling
    return ((blocks.sum(axis=(1, 3), dtype=np.uint32) + area // 2) // area).astype(np.uint8)


def _petals(
    kind: Species, rotation: float, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which points (in units of the petals' length) lie in a petal, and how lit each is."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    shade = np.zeros(inside.shape, np.float32)
    width = _f32(min(0.95 * math.pi / kind.count, 0.5))
    for k in range(kind.count):
        angle = 2.0 * math.pi * (rotation + k / kind.count)
        cosine, sine = _f32(_rounded(math.cos(angle))), _f32(_rounded(math.sin(angle)))
        along = x * cosine + y * sine
        across = np.abs(y * cosine - x * sine)
        edge = _half_width(kind.shape, along, width, across)
        petal = (across < edge) & (along > _f32(0)) & (along < _f32(1))
        relief = _f32(1.0) - _f32(0.45) * across / np.maximum(edge, _f32(1e-3))
        shade = np.where(petal & ~inside, relief, shade)
        inside |= petal
    return inside, shade


def _half_width(shape: str, along: np.ndarray, width: np.float32, across: np.ndarray) -> np.ndarray:
    """Half the width of a petal at each point along its axis, in units of its length."""
    one = _f32(1)
    t = np.clip(along, _f32(0), one)
    if shape == "round":
        return width * np.sqrt(np.maximum(_f32(4) * t * (one - t), _f32(0))) * _f32(1.1)
    if shape == "pointed":
        return width * _f32(3) * t * (one - t)
    if shape == "spoon":
        tip = np.sqrt(np.maximum(one - (t - _f32(0.72)) * (t - _f32(0.72)) / _f32(0.0784), 0))
        return width * np.maximum(_f32(1.15) * tip, _f32(0.25))
    if shape == "notched":
        notch = t > one - _f32(0.35) * np.maximum(one - across / (_f32(0.7) * width), _f32(0))
        return np.where(notch, _f32(0), width * _f32(1.1) * np.sqrt(t))
    return width * _f32(1.2) * t


def _rgb(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """HSV to RGB, all in [0, 1], by piecewise linear functions."""

    def channel(offset: float) -> float:
        k = (offset + 6.0 * hue) % 6.0
        return value - value * saturation * max(0.0, min(k, 4.0 - k, 1.0))

    return channel(5.0), channel(3.0), channel(1.0)


def _f32(value: float) -> np.float32:
    return np.float32(value)


def _rounded(value: float) -> float:
    return round(value * 2**20) / 2**20
