"""Gaussians against SciPy's, in double precision and where single precision is at its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from keras_cvaegan.ops import gaussians


def draw(seed, n, classes, d, spread=3.0):
    rng = np.random.default_rng(seed)
    log_variances = rng.uniform(-spread, spread, (classes, d))
    return rng.normal(0, 2, (n, d)), rng.normal(0, 2, (classes, d)), log_variances


@pytest.mark.tensorflow
@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 5), classes=st.integers(1, 5), d=st.integers(1, 6), seed=st.integers(0, 99))
def test_likelihoods_and_posterior(n, classes, d, seed):
    z, means, log_variances = draw(seed, n, classes, d)
    found = np.array(gaussians.class_log_likelihoods(z, means, log_variances))
    expected = np.array(
        [
            [
                stats.multivariate_normal(m, np.diag(np.exp(v))).logpdf(row)
                for m, v in zip(means, log_variances, strict=True)
            ]
            for row in z
        ]
    ).reshape(n, classes)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    densities = np.exp(expected - expected.max(1, keepdims=True, initial=-np.inf))
    np.testing.assert_allclose(
        special.softmax(found, axis=1), densities / densities.sum(1, keepdims=True), atol=1e-10
    )


def test_the_gaussian_of_all_classes_has_the_mean_and_variance_of_samples():
    _, means, log_variances = draw(0, 1, 4, 3, spread=1.0)
    rng = np.random.default_rng(1)
    of = rng.integers(4, size=400_000)
    samples = means[of] + np.exp(log_variances[of] / 2) * rng.standard_normal((len(of), 3))
    mean, log_variance = gaussians.total_gaussian(means, log_variances)
    np.testing.assert_allclose(mean, samples.mean(0), atol=0.02)
    np.testing.assert_allclose(np.exp(log_variance), samples.var(0), rtol=0.01)


@pytest.mark.tensorflow
@settings(max_examples=30, deadline=None)
@given(classes=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_gaussian_of_all_classes_as_the_equation_has_it(classes, seed):
    _, means, log_variances = draw(seed, 1, classes, 4)
    mean, log_variance = gaussians.total_gaussian(means, log_variances)
    variance = np.exp(log_variances).mean(0) + (means**2).mean(0) - means.mean(0) ** 2
    np.testing.assert_allclose(mean, means.mean(0), rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_variance), variance, rtol=1e-10)


@pytest.mark.parametrize("variance", [1e-6, 1.0, 1e6])
def test_hundreds_of_dimensions_in_single_precision(variance):
    rng = np.random.default_rng(0)
    d, deviation = 512, np.sqrt(variance)
    means = rng.normal(0, 1, (3, d)).astype("float32")
    z = (means + deviation * rng.standard_normal((3, d))).astype("float32")
    log_variances = np.full((3, d), np.log(variance), np.float32)
    found = np.array(gaussians.class_log_likelihoods(z, means, log_variances))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    exact = [
        [stats.norm(m, deviation).logpdf(row.astype(float)).sum() for m in means.astype(float)]
        for row in z
    ]
    np.testing.assert_allclose(found, exact, rtol=1e-5)
    # The product of the variances is 0 or infinite: their logarithms are not.
    with np.errstate(over="ignore", under="ignore"):
        assert np.prod(np.exp(log_variances[0])) in (0, 1, np.inf)
    for result in gaussians.total_gaussian(means, log_variances):
        assert np.isfinite(np.array(result)).all()
