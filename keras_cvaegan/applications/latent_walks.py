"""Pictures along lines in the latent space: what each part of the code stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from keras_cvaegan.applications.inputs import need_two_codes
from keras_cvaegan.applications.interpolation import interpolate
from keras_cvaegan.models import GenerativeModel
from keras_cvaegan.models.arguments import check_choice, check_count, check_positive

PARTS = ("all", "relevant", "irrelevant")


class Walk(NamedTuple):
    """Pictures in rows, and what they were decoded from.

    Args:
        images: float32 (rows, steps, height, width, channels) in [−1, 1].
        z: float32 (rows, steps, latent_dim).
    """

    images: np.ndarray
    z: np.ndarray


def part_of_code(model: GenerativeModel, part: str = "all") -> slice:
    """Returns which dimensions of z a part of the code has.

    Args:
        model: any model; "relevant" and "irrelevant" are parts of a model with two codes.
        part: "all", "relevant" (of z_s, whitened) or "irrelevant" (z_u).

    Raises:
        ValueError: for another part, or a model that has it not.

    Example:

    >>> from keras_cvaegan.models import LRLIVAE
    >>> model = LRLIVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> part_of_code(model, "irrelevant")
    slice(16, 32, None)
    """
    if check_choice("part", part, PARTS) == "all":
        return slice(0, model.latent_dim)
    need_two_codes(model)
    if part == "relevant":
        return slice(0, model.relevant_dim)
    return slice(model.relevant_dim, model.latent_dim)


def latent_walk(
    model: GenerativeModel,
    labels: Sequence[int] | np.ndarray,
    *,
    part: str = "all",
    steps: int = 9,
    seed: int = 0,
) -> Walk:
    """Varies a part of the code along a line, the rest of it being fixed: a row a class (Zheng &
    Sun 2019, Section 4.3, Fig. 4).

    z₁, z₂ and z₃ ~ N(0, I) are drawn. The part goes from z₁'s to z₂'s, the rest is z₃'s. All rows
    have the same z; of a model with two codes, class c takes its first numbers to its own
    z_s = μ_c + σ_c ⊙ z. So with "relevant" all pictures share z_u, and a column shares the standard
    code; with "irrelevant" a row shares z_s, and a column z_u.

    Args:
        model: any model; of one with a single code the part is "all".
        labels: labels of the rows: m integers, or class weights (m, num_classes); [0] of a model
            without classes.
        part: see `part_of_code`.
        steps: pictures a row, at least 2.
        seed: seed of z₁, z₂ and z₃, which are the first three that `generate` draws with.

    Raises:
        ValueError: for labels or a part that the model does not have, or fewer steps.

    Example:

    >>> from keras_cvaegan.models import LRLIVAE
    >>> model = LRLIVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    >>> latent_walk(model, [0, 1], part="relevant", steps=3).images.shape
    (2, 3, 16, 16, 3)
    """
    varied = part_of_code(model, part)
    first, last, fixed = model.sample_latents(3, seed)
    z = np.tile(fixed, (check_count("steps", steps, 2), 1))
    z[:, varied] = interpolate(first[varied], last[varied], steps)
    labels = np.atleast_1d(labels)
    return _decoded(model, np.tile(z, (len(labels), 1, 1)), labels)


def dimension_walk(
    model: GenerativeModel,
    label: int,
    dimensions: Sequence[int],
    *,
    part: str = "all",
    reach: float = 2.0,
    steps: int = 9,
    seed: int = 0,
) -> Walk:
    """Varies single numbers of the code, the rest of it being fixed: a row a dimension (Zheng &
    Sun 2019, Section 4.3, Fig. 5).

    Args:
        model: any model.
        label: label of all pictures; 0 of a model without classes.
        dimensions: numbers of the dimensions, from 0 within the part.
        part: see `part_of_code`.
        reach: a dimension goes from −reach to reach.
        steps: pictures a row, at least 2.
        seed: seed of the rest: the third z that `generate` draws with, as in `latent_walk`.

    Raises:
        ValueError: for a label, part or dimension that the model does not have, or fewer steps.
    """
    columns = _columns(model, part, dimensions)
    values = np.linspace(-1, 1, check_count("steps", steps, 2)) * check_positive("reach", reach)
    fixed = model.sample_latents(3, seed)[2]
    z = np.tile(fixed, (len(columns), steps, 1))
    z[np.arange(len(columns)), :, columns] = values
    return _decoded(model, z, np.full(len(columns), label))


def direction_walk(
    decode: Callable[[np.ndarray], np.ndarray],
    z: np.ndarray,
    direction: np.ndarray,
    amounts: Sequence[float] | np.ndarray,
) -> Walk:
    """Moves codes along a direction: a row a code, of pictures of z + α n.

    Args:
        decode: function of z (m, d) that returns m pictures: an unconditional generator, or of a
            model `lambda z: model.decode(z, np.full(len(z), label))`.
        z: (rows, d).
        direction: n (d,), such as one of `principal_directions`, `sefa_directions` or
            `ganspace_directions`.
        amounts: α of each column, at least one.

    Returns:
        `images` (rows, len(amounts), …) as `decode` gives them, and `z` (rows, len(amounts), d).

    Raises:
        ValueError: for shapes that do not fit together, no code, no amount, or numbers that are not
            finite.

    Example:

    >>> walk = direction_walk(lambda z: z, np.ones((1, 2)), np.array([0.0, 1.0]), [-1, 0, 1])
    >>> walk.z[0].tolist()
    [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]
    """
    z, direction, amounts = (np.asarray(x, np.float32) for x in (z, direction, amounts))
    if z.ndim != 2 or direction.shape != z.shape[1:] or amounts.ndim != 1:
        raise ValueError(
            "z, direction and amounts must have the shapes (rows, d), (d,) and (columns,). "
            f"Received: {z.shape}, {direction.shape} and {amounts.shape}."
        )
    if not z.size or not amounts.size:
        raise ValueError(
            f"A walk needs a code and an amount. Received: {len(z)} codes, {len(amounts)} amounts."
        )
    moved = z[:, np.newaxis] + amounts[:, np.newaxis] * direction
    if not np.isfinite(moved).all():
        raise ValueError("z, direction and amounts must be finite. Received NaN or infinity.")
    images = np.asarray(decode(moved.reshape(-1, z.shape[1])))
    return Walk(images.reshape(*moved.shape[:2], *images.shape[1:]), moved)


def dimension_changes(
    model: GenerativeModel,
    labels: Sequence[int] | np.ndarray,
    dimensions: Sequence[int] | None = None,
    *,
    part: str = "all",
    reach: float = 2.0,
    count: int = 16,
    seed: int = 0,
) -> np.ndarray:
    """Measures how much pictures change along single dimensions of the code.

    That of dimension j is √E‖x(z_j = reach) − x(z_j = −reach)‖² / √(numbers of a picture), the
    rest of z ~ N(0, I): a root of a mean square in units of [−1, 1].

    Args:
        model: any model.
        labels: labels of the pictures, in turn.
        dimensions: numbers of the dimensions, from 0 within the part; by default all of it.
        part: see `part_of_code`.
        reach: see above.
        count: draws of z, at least 1.
        seed: seed of the draws.

    Returns:
        float64 array, a number a dimension.

    Raises:
        ValueError: for a label, part or dimension that the model does not have, or no label.

    Example:

    >>> from keras_cvaegan.models import VAE
    >>> model = VAE.from_preset("compact", image_shape=(16, 16, 3), latent_dim=2)
    >>> dimension_changes(model, [0], count=2).shape
    (2,)
    """
    if dimensions is None:
        found = part_of_code(model, part)
        dimensions = range(found.stop - found.start)
    columns = _columns(model, part, dimensions)
    reach = check_positive("reach", reach)
    labels = np.atleast_1d(labels)
    if not len(labels):
        raise ValueError("labels must have at least one. Received: none.")
    drawn = model.sample_latents(check_count("count", count), seed)
    labels = labels[np.arange(count) % len(labels)]
    changes = []
    for column in columns:
        ends = []
        for value in (-reach, reach):
            z = drawn.copy()
            z[:, column] = value
            ends.append(model.decode(z, labels))
        changes.append(np.sqrt(np.mean(np.square(ends[1] - ends[0], dtype=np.float64))))
    return np.array(changes, np.float64)


def _columns(model: GenerativeModel, part: str, dimensions: Sequence[int]) -> np.ndarray:
    """Which numbers of z some dimensions of a part are."""
    found = part_of_code(model, part)
    size = found.stop - found.start
    columns = np.asarray(dimensions if len(dimensions) else np.zeros(0, int))
    if columns.ndim != 1 or not np.issubdtype(columns.dtype, np.integer):
        raise ValueError(
            f"dimensions must be integers. Received: {columns.dtype} of the shape {columns.shape}."
        )
    wrong = columns[(columns < 0) | (columns >= size)]
    if wrong.size:
        raise ValueError(f"dimensions must be from 0 to {size - 1}. Received: {wrong[0]}.")
    return found.start + columns


def _decoded(model: GenerativeModel, z: np.ndarray, labels: np.ndarray) -> Walk:
    """The pictures of z (rows, steps, latent_dim), a label a row."""
    rows, steps, latent_dim = z.shape
    images = model.decode(z.reshape(rows * steps, latent_dim), np.repeat(labels, steps, axis=0))
    return Walk(images.reshape(rows, steps, *images.shape[1:]), z)
