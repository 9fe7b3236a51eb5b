"""Whether pictures shown as another class keep what is not of the class: code and surroundings."""

import numpy as np

from keras_cvaegan import pictures

FRAME = 1 / 8


class RelativeChange:
    """How much vectors changed, as a share of how far those of different pictures lie apart.

    With b_i what was and a_i what is,

        √(mean_i ‖a_i − b_i‖² / mean_{i ≠ j} ‖b_i − b_j‖²)

    is 0 where nothing changed, and 1 where each went as far as to another picture.

    Example:

    >>> change = RelativeChange()
    >>> change.update_state(np.array([[0.0], [4.0]]), np.array([[1.0], [5.0]]))
    >>> change.result()
    0.25
    """

    def __init__(self) -> None:
        self.reset_state()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._count, self._changed, self._squares = 0, 0.0, 0.0
        self._sum: np.ndarray | float = 0.0

    def update_state(self, before: np.ndarray, after: np.ndarray) -> None:
        """Takes a batch, which may be empty.

        Args:
            before: what was, (n, …), finite.
            after: what is, of the same shape.

        Raises:
            ValueError: for arrays of two shapes, or numbers that are not finite.
        """
        before, after = (np.asarray(array, np.float64) for array in (before, after))
        if before.shape != after.shape or before.ndim < 2:
            raise ValueError(
                "before and after must be arrays of one shape (n, …). Received: "
                f"{before.shape} and {after.shape}."
            )
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            raise ValueError("before and after must be finite. Received NaN or infinity.")
        self._count += len(before)
        self._changed += float(np.sum(np.square(after - before)))
        self._squares += float(np.sum(np.square(before)))
        self._sum = self._sum + before.sum(axis=0)

    def result(self) -> float | None:
        """Returns the share; None of fewer than two pictures, or of pictures all alike."""
        if self._count < 2:
            return None
        spread = self._squares - float(np.sum(np.square(self._sum))) / self._count
        # What is left of like numbers is their rounding.
        if spread <= 1e-12 * self._squares:
            return None
        return float(np.sqrt(self._changed * (self._count - 1) / (2 * self._count * spread)))


def frames(images: np.ndarray) -> np.ndarray:
    """Returns the pixels near the edges of pictures, an eighth of each side, in [−1, 1].

    Objects are in the middle of most pictures: what is near the edges is not of them.

    Args:
        images: uint8 or float in [−1, 1], (n, height, width, channels).

    Returns:
        float32 (n, pixels, channels).

    Example:

    >>> frames(np.zeros((1, 16, 16, 3), "uint8")).shape
    (1, 112, 3)
    """
    if images.dtype == np.uint8:
        images = pictures.from_uint8(images)
    height, width = images.shape[1:3]
    near = np.ones((height, width), bool)
    down, right = (max(1, round(FRAME * side)) for side in (height, width))
    near[down : height - down, right : width - right] = False
    return images[:, near]
