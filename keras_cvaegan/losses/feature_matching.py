"""Losses that match features: of pairs, of batch means, of class means."""

from typing import Any

from keras import ops

from keras_cvaegan.ops.precision import full_precision


def pairwise_matching(targets: Any, outputs: Any) -> Any:
    """Half the squared distance between the two members of each pair.

    ½ E[‖a − b‖²]    (each of the three terms of Eq. 6, Bao et al. 2017: pixels, f_D, f_C)

    Args:
        targets: a, such as real images or their features, shape (n, …).
        outputs: b, such as reconstructions or their features, of the same shape.

    Returns:
        Scalar: summed over all dimensions of an example, mean over the batch.

    Example:

    >>> import numpy as np
    >>> float(pairwise_matching(np.zeros((2, 4, 4, 1)), np.ones((2, 4, 4, 1))))
    8.0
    """
    difference = full_precision(targets) - full_precision(outputs)
    axes = tuple(range(1, len(difference.shape)))
    return 0.5 * ops.mean(ops.sum(ops.square(difference), axis=axes))


def mean_feature_matching(real_features: Any, generated_features: Any) -> Any:
    """Half the squared distance between the mean features of two batches.

    L_GD = ½ ‖E f_D(x_r) − E f_D(x_p)‖²    (Eq. 2, Bao et al. 2017)

    Args:
        real_features: f_D(x_r), shape (n, …).
        generated_features: f_D(x_p), shape (m, …).

    Returns:
        Scalar: summed over the features.

    Example:

    >>> import numpy as np
    >>> float(mean_feature_matching(np.zeros((2, 4)), np.ones((3, 4))))
    2.0
    """
    real = ops.mean(full_precision(real_features), axis=0)
    generated = ops.mean(full_precision(generated_features), axis=0)
    return 0.5 * ops.sum(ops.square(real - generated))


def class_mean_feature_matching(real_centers: Any, generated_centers: Any, weights: Any) -> Any:
    """Half the squared distances between the mean features of each class, summed over classes.

    L_GC = ½ Σ_c ‖f_C^c(x_r) − f_C^c(x_p)‖²    (Eq. 4, Bao et al. 2017)

    The sum runs over the classes present in the batch, an example at a time: the weights make
    the examples of one class count as one.

    Args:
        real_centers: centre of each example's class over real images, shape (n, d), as
            `keras_cvaegan.layers.ClassCenters` gives it.
        generated_centers: centers over generated images.
        weights: 1 / (examples of the batch in the same class), shape (n,), as
            `keras_cvaegan.layers.class_centers.same_class_weights` gives it.

    Returns:
        Scalar.

    Example:

    >>> import numpy as np
    >>> half = np.array([0.5, 0.5])
    >>> float(class_mean_feature_matching(np.zeros((2, 4)), np.ones((2, 4)), half))
    2.0
    """
    difference = full_precision(real_centers) - full_precision(generated_centers)
    distances = ops.sum(ops.square(difference), axis=-1)
    return 0.5 * ops.sum(full_precision(weights) * distances)
