"""Where pictures lie in the latent space, and which of its dimensions are used."""

from __future__ import annotations

import dataclasses

import numpy as np
from sklearn.decomposition import PCA

from keras_cvaegan.models.arguments import check_count

ACTIVE_VARIANCE = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class LatentMap:
    """Latents seen from where they spread most.

    Args:
        points: float32 (n, 2), along the first and the second principal component.
        shares: float64 (2,): of all the variance, those of the two.
    """

    points: np.ndarray
    shares: np.ndarray


def latent_map(z: np.ndarray) -> LatentMap:
    """Projects latents to two dimensions by principal components (Bao et al. 2017, Section S8,
    Fig. S1).

    Args:
        z: (n, d), at least two.

    Returns:
        `points` (n, 2) and `shares` (2,); of latents of one dimension, or that do not differ, the
        rest is 0.

    Raises:
        ValueError: for latents of another shape, too few, or not finite.

    Example:

    >>> found = latent_map([[0.0, 0.0, 1.0], [0.0, 6.0, 1.0], [2.0, 3.0, 1.0]])
    >>> found.shares.round(2).tolist()
    [0.87, 0.13]
    """
    z = _checked("z", z, least=2)
    points, shares = np.zeros((len(z), 2), np.float32), np.zeros(2)
    if (z != z[0]).any():
        components = PCA(min(2, *z.shape))
        found = components.fit_transform(z)
        points[:, : found.shape[1]] = found
        shares[: found.shape[1]] = components.explained_variance_ratio_
    return LatentMap(points, shares)


def map_cells(points: np.ndarray, columns: int) -> np.ndarray:
    """Chooses a point for each square of a map: the one nearest to its centre.

    The squares cover the 1st to the 99th percentile of each coordinate; points beyond belong to
    those at the edge.

    Args:
        points: (n, 2), at least one: x to the right and y upwards.
        columns: squares from left to right.

    Returns:
        int64 (rows, columns), the top row first: which point; −1 in a square without one.

    Raises:
        ValueError: for points of another shape, none, or fewer than one column.

    Example:

    >>> map_cells([[0.0, 0.0], [4.0, 0.0], [0.2, 2.0], [0.6, 1.4]], columns=4)
    array([[ 3, -1, -1, -1],
           [ 0, -1, -1,  1]])
    """
    check_count("columns", columns)
    points = _checked("points", points, least=1)
    if points.shape[1] != 2:
        raise ValueError(f"points must have the shape (n, 2). Received: {points.shape}.")
    low, high = np.percentile(points, [1, 99], axis=0)
    width, height = high - low
    side = width / columns or height / columns or 1.0
    rows = max(1, round(height / side))
    places = (points - low) / side
    limits = np.array([columns, rows])
    cells = np.clip(np.floor(places).astype(int), 0, limits - 1)
    distances = np.square(places - cells - 0.5).sum(axis=1)
    chosen = np.full((rows, columns), -1)
    # Of several for a square, the one that is written last stays.
    order = np.argsort(-distances, kind="stable")
    chosen[rows - 1 - cells[order, 1], cells[order, 0]] = order
    return chosen


@dataclasses.dataclass(frozen=True, eq=False)
class LatentStatistics:
    """What `latent_statistics` finds of each dimension, float64 (d,).

    Args:
        mean, variance: mean and variance of the aggregate posterior, E_x[q(z | x)]; those of the
            prior are 0 and 1.
        variance_of_means: variance of E[z | x] over pictures.
        kl_divergence: divergence of q(z | x) from the prior, in nats, mean over pictures.
    """

    mean: np.ndarray
    variance: np.ndarray
    variance_of_means: np.ndarray
    kl_divergence: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """Which dimensions say something of the picture, bool (d,).

        Those of which `variance_of_means` is above 0.01 (Burda et al. 2016, "Importance Weighted
        Autoencoders").
        """
        return self.variance_of_means > ACTIVE_VARIANCE


def latent_statistics(z_mean: np.ndarray, z_log_var: np.ndarray) -> LatentStatistics:
    """Compares the codes of pictures with the prior N(0, I), each dimension on its own.

    With μ and σ² of each picture's q(z | x), in dimension j:

    E[z_j] = E_x[μ_j],  Var[z_j] = Var_x[μ_j] + E_x[σ_j²]
    KL_j = ½ E_x[μ_j² + σ_j² − log σ_j² − 1]    (Eq. 5, Bao et al. 2017, by dimension)

    Args:
        z_mean: μ, (n, d), at least one.
        z_log_var: log σ², (n, d).

    Raises:
        ValueError: for arrays of different shapes, empty ones, or numbers that are not finite.

    Example:

    >>> found = latent_statistics([[1.0, 0.0], [-1.0, 0.0]], [[-2.0, 0.0], [-2.0, 0.0]])
    >>> found.variance.round(3).tolist(), found.kl_divergence.round(3).tolist()
    ([1.135, 1.0], [1.068, 0.0])
    >>> found.active.tolist()
    [True, False]
    """
    z_mean, z_log_var = (_checked(name, values, least=1) for name, values in
                         (("z_mean", z_mean), ("z_log_var", z_log_var)))  # fmt: skip
    if z_mean.shape != z_log_var.shape:
        raise ValueError(
            "z_mean and z_log_var must be of one shape, (n, d). Received: "
            f"{z_mean.shape} and {z_log_var.shape}."
        )
    of_means, within = z_mean.var(axis=0), np.exp(z_log_var)
    terms = np.square(z_mean) + within - z_log_var - 1
    return LatentStatistics(
        mean=z_mean.mean(axis=0),
        variance=of_means + within.mean(axis=0),
        variance_of_means=of_means,
        kl_divergence=0.5 * terms.mean(axis=0),
    )


def _checked(name: str, values: np.ndarray, least: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) < least or not values.shape[1]:
        raise ValueError(
            f"{name} must have the shape (n, d), n at least {least}. Received: {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite. Received NaN or infinity.")
    return values
