"""A classifier that judges pictures by features which no training here has shaped."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from keras_cvaegan import pictures
from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.pretrained import trunk as pretrained_trunk
from keras_cvaegan.progress import counted
from keras_cvaegan.training.step import Step

INVERSE_REGULARISATIONS = (0.0002, 0.002, 0.02)
"""C of the logistic regression, of which one is chosen; the first decays weights most."""

HELD_SHARE = 0.2
MOST_TO_CHOOSE_WITH = 10_000
MAX_ITERATIONS = 100


def train_probe(
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    *,
    trunk: str = "efficientnet_lite1",
    side: int = 128,
    batch_size: int = 128,
    seed: int = 0,
    keep: Callable[[np.ndarray], None] = lambda features: None,
) -> keras.Model:
    """Logistic regression on a frozen network's pooled features, as one classifier of images.

    log p(c | x) = (w_cᵀ (f(x) − μ) / σ + b_c) + const, with μ and σ of the features of the
    training pictures. The weight decay is the best of `INVERSE_REGULARISATIONS` on a fifth of the
    training pictures, drawn by lot; the regression is then fitted to all.

    Features that no generator was trained against tell what pictures look like, not how well a
    network was fooled.

    Args:
        images: training pictures, uint8 (n, height, width, 3).
        labels: labels (n,) in [0, num_classes); classes may be absent.
        num_classes: number of classes.
        trunk: frozen network; see `keras_cvaegan.pretrained.trunk`.
        side: side in pixels to which pictures are resized for it.
        batch_size: pictures at a time.
        seed: seed of the part that decides.
        keep: function that is given the features of the training pictures, float32 (n, d), as
            whoever judges by them needs them too.

    Returns:
        A model of images in [−1, 1] to {"logits": (n, num_classes), "features": (n, d)}; logits of
        absent classes are −100, and with pictures of one class alone all are of it.

    Raises:
        ValueError: where there is no picture.
    """
    labels = np.asarray(labels)
    present = np.unique(labels)
    if not len(present):
        raise ValueError("A judge needs training pictures. Received: none.")
    frozen = pretrained_trunk(trunk, images.shape[1:], resize_to=side, taps=("pooled",))
    features = _pooled_features(frozen, images, batch_size)
    keep(features)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    weights, bias = _regression((features - mean) / deviation, labels, seed)
    kernel = np.zeros((features.shape[1], num_classes), np.float32)
    offsets = np.full(num_classes, -100.0, np.float32)
    kernel[:, present] = weights / deviation[:, None]
    offsets[present] = bias - mean @ (weights / deviation[:, None])

    inputs = keras.Input(images.shape[1:], dtype=full_precision_dtype(), name="images")
    pooled = frozen(inputs, training=False)["pooled"]
    dense = layers.Dense(num_classes, dtype=full_precision_dtype(), name="logits")
    outputs = {"logits": dense(pooled), "features": pooled}
    dense.set_weights([kernel, offsets])
    return keras.Model(inputs, outputs, name=f"probe_of_{frozen.name}")


def _pooled_features(frozen: keras.Model, images: np.ndarray, batch_size: int) -> np.ndarray:
    run = Step.compiled_network(frozen)
    parts = ((images[i : i + batch_size],) for i in range(0, len(images), batch_size))
    found = []
    for (part,) in counted("Features of training pictures", parts, len(images)):
        floats = ops.convert_to_tensor(pictures.from_uint8(part))
        found.append(ops.convert_to_numpy(run(floats)["pooled"]))
    return np.concatenate(found)


def _regression(
    features: np.ndarray, labels: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, classes present) and bias of the regression that recognises best."""
    if len(np.unique(labels)) == 1:
        return np.zeros((features.shape[1], 1), np.float32), np.zeros(1, np.float32)
    chosen = _best_regularisation(features, labels, seed)
    fitted = _fitted(features, labels, chosen)
    if len(fitted.classes_) == 2:  # One column says both.
        column, offset = fitted.coef_[0] / 2, fitted.intercept_[0] / 2
        return np.stack([-column, column], axis=1), np.array([-offset, offset])
    return fitted.coef_.T, fitted.intercept_


def _best_regularisation(features: np.ndarray, labels: np.ndarray, seed: int) -> float:
    order = np.random.default_rng(seed).permutation(len(labels))[:MOST_TO_CHOOSE_WITH]
    count = max(1, round(HELD_SHARE * len(order)))
    held, rest = order[:count], order[count:]
    if len(np.unique(labels[rest])) < 2:
        return INVERSE_REGULARISATIONS[-1]
    scores = {
        c: _fitted(features[rest], labels[rest], c).score(features[held], labels[held])
        for c in INVERSE_REGULARISATIONS
    }
    return max(scores, key=scores.__getitem__)


def _fitted(features: np.ndarray, labels: np.ndarray, c: float) -> LogisticRegression:
    model = LogisticRegression(C=c, max_iter=MAX_ITERATIONS)
    with warnings.catch_warnings():
        # A regression that has not come to rest yet recognises as well.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, labels)
