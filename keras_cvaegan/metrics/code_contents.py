"""What codes know: how well fresh networks read classes and attributes from them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

HIDDEN_UNITS = (256,)
MAX_EPOCHS = 100
MIN_CODES = 20


def class_accuracy(
    codes: np.ndarray,
    labels: np.ndarray,
    held_out_codes: np.ndarray,
    held_out_labels: np.ndarray,
    *,
    seed: int = 0,
) -> float:
    """The share of held-out codes whose class a fresh classifier finds.

    The classifier has one hidden layer, is trained on the first codes alone, and stops when a tenth
    of them that it leaves aside are recognized no better.

    Args:
        codes: `(n, d)`, of training pictures.
        labels: integers `(n,)`.
        held_out_codes: `(m, d)`, of other pictures.
        held_out_labels: integers `(m,)`.
        seed: seed of the classifier's weights.

    Returns:
        In [0, 1]; the share of the most frequent class is what codes without content reach.

    Raises:
        ValueError: for codes and labels of unequal number, or too few to learn from.

    Example:

    >>> random = np.random.default_rng(0)
    >>> labels = random.integers(2, size=400)
    >>> codes = random.normal(size=(400, 3)) + 9.0 * labels[:, None]
    >>> class_accuracy(codes[:300], labels[:300], codes[300:], labels[300:])
    1.0
    """
    _check(codes, labels)
    _check(held_out_codes, held_out_labels)
    # A part to stop by has each class: of few codes there is none to spare.
    counts = np.unique(labels, return_counts=True)[1]
    spare = counts.min() >= 2 and len(labels) >= 10 * len(counts)
    reader = _fitted(MLPClassifier, codes, labels, seed, spare)
    return float(reader.score(np.asarray(held_out_codes, np.float64), held_out_labels))


def attribute_r2(
    codes: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    held_out_codes: np.ndarray,
    held_out_attributes: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
) -> dict[str, float | None]:
    """How much of each attribute's variance a fresh regression explains from held-out codes.

    R² = 1 − Σ‖v − v̂‖² / Σ‖v − v̄‖²

    One regression of one hidden layer reads all attributes, in units of their deviation.

    Args:
        codes: `(n, d)`, of training pictures.
        attributes: attributes by name, `(n,)`, or `(n, k)` for one of k coordinates, such as cosine
            and sine of an angle.
        held_out_codes: `(m, d)`, of other pictures.
        held_out_attributes: held-out attributes by name, `(m,)` or `(m, k)`.
        seed: seed of the regression's weights.

    Returns:
        By name, at most 1; 0 for what the mean would reach, below 0 for less; None for an attribute
        that does not vary.

    Raises:
        ValueError: for codes and attributes of unequal number, or too few to learn from.

    Example:

    >>> codes = np.random.default_rng(0).normal(size=(2000, 3))
    >>> ours, theirs = ({"sum": x.sum(axis=1)} for x in (codes[:1500], codes[1500:]))
    >>> r2 = attribute_r2(codes[:1500], ours, codes[1500:], theirs)
    >>> list(r2), r2["sum"] > 0.98
    (['sum'], True)
    """
    if not attributes:
        return {}
    columns = {name: _columns(values) for name, values in attributes.items()}
    targets = np.concatenate(list(columns.values()), axis=1)
    _check(codes, targets)
    scale = StandardScaler().fit(targets)
    reader = _fitted(MLPRegressor, codes, np.squeeze(scale.transform(targets)), seed)
    held_out = {name: _columns(held_out_attributes[name]) for name in columns}
    real = scale.transform(np.concatenate(list(held_out.values()), axis=1))
    _check(held_out_codes, real)
    errors = np.square(
        reader.predict(np.asarray(held_out_codes, np.float64)).reshape(real.shape) - real
    ).sum(axis=0)
    spread = np.square(real - real.mean(axis=0)).sum(axis=0)
    ends = np.cumsum([values.shape[1] for values in columns.values()])[:-1]
    return {
        name: float(1.0 - np.sum(error) / np.sum(of_all)) if np.sum(of_all) > 0 else None
        for name, error, of_all in zip(
            columns, np.split(errors, ends), np.split(spread, ends), strict=True
        )
    }


def _columns(values: np.ndarray) -> np.ndarray:
    return np.reshape(np.asarray(values, np.float64), (len(values), -1))


def _check(codes: np.ndarray, targets: np.ndarray) -> None:
    if np.ndim(codes) != 2 or len(codes) != len(targets) or len(codes) < MIN_CODES:
        raise ValueError(
            f"Codes must have the shape (n, d), n at least {MIN_CODES}, with as many targets. "
            f"Received: codes of the shape {np.shape(codes)} with {len(targets)} targets."
        )


def _fitted(
    network: Callable[..., MLPClassifier | MLPRegressor],
    codes: np.ndarray,
    targets: np.ndarray,
    seed: int,
    spare: bool = True,
) -> Pipeline:
    reader = make_pipeline(
        StandardScaler(),
        # In the precision of the weights, but scaled before: codes may lie far from 0.
        FunctionTransformer(np.float32),
        network(
            hidden_layer_sizes=HIDDEN_UNITS,
            early_stopping=spare,
            max_iter=MAX_EPOCHS,
            random_state=seed,
        ),
    )
    with warnings.catch_warnings():
        # The last of the epochs is as good an end as any.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return reader.fit(np.asarray(codes, np.float64), targets)
