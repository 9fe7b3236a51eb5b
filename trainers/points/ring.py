"""The ring of the toy example: points far from the origin, and how well others lie on it."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

BINS = 36
# A bin counts as covered from this share of the points that data have in it on.
SHARE = 0.25
# The ring counts as covered from this share of the bins on.
COVERED = 0.9


@dataclasses.dataclass(frozen=True)
class Ring:
    """Points spread evenly over an annulus (Bao et al. 2017, Section 4, Fig. 4a).

    The paper gives the centre alone. Its figure shows a ring with room for a thinner circle.

    Args:
        center: both coordinates of the centre.
        radius: distance from the centre to the middle of the band.
        width: width of the band, at most twice the radius.

    Raises:
        ValueError: for a ring that is none.

    Example:

    >>> ring = Ring(radius=20.0, width=10.0)
    >>> points = ring.points(1000, np.random.default_rng(0))
    >>> ring.coverage(points), ring.share_in_band(points), bool(ring.distance(points) < 3)
    (1.0, 1.0, True)
    """

    center: float = 100.0
    radius: float = 20.0
    width: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.width <= 2 * self.radius < math.inf:
            raise ValueError(
                "A ring needs a radius above 0 and a width above 0 and of at most twice the "
                f"radius. Received: radius={self.radius}, width={self.width}."
            )

    def points(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Draws points of the ring, float32 `(count, 2)`."""
        inner, outer = self.radius - self.width / 2, self.radius + self.width / 2
        angle = random.uniform(0, 2 * math.pi, count)
        radius = np.sqrt(random.uniform(inner**2, outer**2, count))
        x = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return (self.center + x).astype(np.float32)

    def distance(self, points: np.ndarray) -> float:
        """Mean distance of points `(n, 2)` to the middle of the band, mean |‖x − c‖ − r|."""
        return float(np.mean(self._distances(points)))

    def share_in_band(self, points: np.ndarray) -> float:
        """Share of points `(n, 2)` that lie in the band."""
        return float(np.mean(self._in_band(points)))

    def coverage(self, points: np.ndarray, bins: int = BINS, share: float = SHARE) -> float:
        """Share of the ring that points `(n, 2)` cover.

        The band is divided into sectors of one angle. One is covered where at least `share` times
        as many points lie in it as of data, of which n / `bins` do. A cloud that is spread over the
        plane thus covers nothing, though it meets every sector.

        Args:
            points: points to measure.
            bins: number of sectors.
            share: share of data's points, above 0; where that is less than a point, a single one
                does.
        """
        x = np.asarray(points, np.float64) - self.center
        angle = np.arctan2(x[:, 1], x[:, 0]) % (2 * math.pi)
        sector = np.minimum((angle / (2 * math.pi) * bins).astype(int), bins - 1)
        counts = np.bincount(sector[self._in_band(points)], minlength=bins)
        return float(np.mean(counts >= max(share * len(points) / bins, 1)))

    def measure(self, points: np.ndarray) -> dict[str, float]:
        """Returns the measures of points `(n, 2)` by name."""
        return {
            "coverage": self.coverage(points),
            "distance": self.distance(points),
            "in_band": self.share_in_band(points),
        }

    def _in_band(self, points: np.ndarray) -> np.ndarray:
        # Data are float32: those at the edge are rounded by some millionths of the centre.
        return self._distances(points) <= self.width / 2 + 1e-6 * abs(self.center)

    def _distances(self, points: np.ndarray) -> np.ndarray:
        x = np.asarray(points, np.float64) - self.center
        return np.abs(np.hypot(x[:, 0], x[:, 1]) - self.radius)


def covered_at(steps: Sequence[int], coverage: Sequence[float]) -> int | None:
    """Returns the first of these steps at which the ring was covered, or None.

    Args:
        steps: steps of the measurements, in ascending order.
        coverage: share of the ring that was covered at each.

    Example:

    >>> covered_at([0, 10, 20], [0.0, 0.9, 1.0])
    10
    """
    for step, share in zip(steps, coverage, strict=True):
        if share >= COVERED:
            return step
    return None
