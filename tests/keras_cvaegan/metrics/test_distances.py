"""Distances between sets of features, against SciPy, scikit-learn and equations."""

import numpy as np
import pytest
import scipy.linalg
from sklearn.metrics.pairwise import polynomial_kernel

from keras_cvaegan.metrics import (
    FeatureMoments,
    FewSamplesWarning,
    FrechetDistance,
    IntraClassFrechetDistance,
    KernelDistance,
)
from keras_cvaegan.metrics.kernel_distance import kernel_distance


def features(count, seed, dim=12, shift=0.0):
    """Correlated features, not normal, of unequal spread, as rectified ones are."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dim, dim)) * np.geomspace(1, 0.01, dim)
    return np.maximum(random.normal(size=(count, dim)) @ mixing + 0.3 + shift, 0).astype(np.float32)


def frechet(x, y):
    """The published expression, with SciPy's square root of a matrix."""
    x, y = np.float64(x), np.float64(y)
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(cov_x @ cov_y)
    return np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(cov_x + cov_y - 2 * np.real(root))


def mmd(x, y):
    """The unbiased estimate, with scikit-learn's kernel."""
    x, y = np.float64(x), np.float64(y)
    n, m = len(x), len(y)
    within_x, within_y, between = (
        polynomial_kernel(a, b, degree=3, coef0=1) for a, b in ((x, x), (y, y), (x, y))
    )
    np.fill_diagonal(within_x, 0)
    np.fill_diagonal(within_y, 0)
    return within_x.sum() / (n * (n - 1)) + within_y.sum() / (m * (m - 1)) - 2 * between.mean()


@pytest.mark.parametrize("shift", [0.0, 0.5, 1000.0])
def test_frechet_distance_is_that_of_scipy(shift):
    x, y = features(400, 0), features(300, 1, shift=shift)
    metric = FrechetDistance(FeatureMoments.of(x))
    metric.update_state(y)
    np.testing.assert_allclose(metric.result()["frechet_distance"], frechet(x, y), rtol=1e-6)


def test_moments_do_not_lose_digits_where_the_mean_is_large():
    x = np.random.default_rng(0).normal(size=(1000, 3)) * 1e-3 + 1e4
    moments = FeatureMoments()
    for part in np.array_split(x, 17):
        moments.add(part)
    np.testing.assert_allclose(moments.covariance, np.cov(x, rowvar=False), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(moments.root.T @ moments.root, moments.covariance, atol=1e-12)
    known = FeatureMoments.from_covariance(moments.count, moments.mean, moments.covariance)
    np.testing.assert_allclose(known.covariance, moments.covariance, rtol=1e-12)


def test_moments_that_grow_forget_their_root():
    x = features(100, 0)
    moments = FeatureMoments.of(x[:50])
    before = moments.root
    moments.add(x[50:])
    np.testing.assert_allclose(moments.root.T @ moments.root, moments.covariance, atol=1e-9)
    assert not np.allclose(before, moments.root)


def test_frechet_distance_of_known_normal_distributions():
    x = features(200, 0)
    for y, expected in ((x, 0), (x + 2, 4 * x.shape[1])):
        metric = FrechetDistance(FeatureMoments.of(x))
        metric.update_state(y)
        assert metric.result()["frechet_distance"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("copies", [2, 8, 12])
def test_fewer_samples_than_features_are_said(copies):
    """A singular covariance: here of one repeated image, where the distance is known."""
    x = features(200, 0)
    metric = FrechetDistance(FeatureMoments.of(x))
    metric.update_state(np.repeat(x[:1], copies, axis=0))
    with pytest.warns(FewSamplesWarning, match=f"{copies} samples beside 200 real ones, for 12"):
        distance = metric.result()["frechet_distance"]
    expected = np.sum((x.mean(0) - x[0]) ** 2) + np.trace(np.cov(x, rowvar=False))
    assert distance == pytest.approx(expected, rel=1e-5)


def test_few_real_images_are_said():
    metric = FrechetDistance(FeatureMoments.of(features(5, 0)))
    metric.update_state(features(50, 1))
    with pytest.warns(FewSamplesWarning):
        metric.result()
    with pytest.raises(ValueError, match=r"two samples or more. Received: 1"):
        FrechetDistance(FeatureMoments.of(features(1, 0)))


@pytest.mark.parametrize("count", [0, 1])
def test_no_distance_without_two_samples(count):
    x = features(50, 0)
    for metric in (FrechetDistance(FeatureMoments.of(x)), KernelDistance(x)):
        metric.update_state(x[:count])
        assert set(metric.result().values()) == {None}


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kernel_distance_is_that_of_scikit_learn(shift):
    x, y = features(120, 0), features(90, 1, shift=shift)
    np.testing.assert_allclose(kernel_distance(x, y), mmd(x, y), rtol=1e-9, atol=1e-12)
    # One subset as large as both sides is everything.
    metric = KernelDistance(x[:90], subsets=3, subset_size=1000)
    metric.update_state(y)
    result = metric.result()
    np.testing.assert_allclose(result["kernel_distance"], mmd(x[:90], y), rtol=1e-4, atol=1e-9)
    assert result["kernel_distance_std"] == pytest.approx(0, abs=1e-9)
    assert metric.describe()["subset_size"] == 90


def test_kernel_distance_is_a_mean_over_subsets_and_repeats_itself():
    x, y = features(300, 0), features(300, 1, shift=0.2)
    results = []
    for seed in (0, 0, 1):
        metric = KernelDistance(x, subsets=200, subset_size=50, seed=seed)
        metric.update_state(y)
        results.append(metric.result())
    assert results[0] == results[1]
    assert results[0] != results[2]
    std = results[0]["kernel_distance_std"]
    assert std > 0
    assert abs(results[0]["kernel_distance"] - mmd(x, y)) < 4 * std / np.sqrt(200)


def test_kernel_distance_is_unbiased():
    """Also with very few samples, where the Fréchet distance is far too large."""
    draws = [
        kernel_distance(features(8, 2 * seed), features(8, 2 * seed + 1)) for seed in range(500)
    ]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))


def test_intra_class_distance_is_the_mean_of_the_classes():
    real = [features(200, 0), features(100, 1, shift=0.1), features(50, 2)]
    generated = [features(60, 3), features(60, 4, shift=0.3), features(60, 5)]
    metric = IntraClassFrechetDistance(real)
    metric.update_state(np.concatenate(generated), np.repeat([0, 1, 2], 60))
    result = metric.result()
    expected = [frechet(x, y) for x, y in zip(real, generated, strict=True)]
    np.testing.assert_allclose(result["intra_class_frechet_distance_by_class"], expected, rtol=1e-4)
    assert result["intra_class_frechet_distance"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert result["intra_class_frechet_distance_std"] == pytest.approx(np.std(expected), rel=1e-4)


@pytest.mark.filterwarnings("ignore::keras_cvaegan.metrics.FewSamplesWarning")
@pytest.mark.parametrize(("n", "m"), [(5, 200), (200, 5), (5, 7), (2, 2)])
def test_intra_class_distance_with_fewer_samples_than_features(n, m):
    """The expression without a matrix of all features is that with it."""
    x, y = features(n, 0), features(m, 1)
    metric = IntraClassFrechetDistance([x])
    metric.update_state(y, np.zeros(m, int))
    overall = FrechetDistance(FeatureMoments.of(x))
    overall.update_state(y)
    assert metric.result()["intra_class_frechet_distance"] == pytest.approx(
        overall.result()["frechet_distance"], rel=1e-6
    )


def test_classes_with_few_or_no_samples():
    real = [features(50, 0), features(50, 1), np.zeros((0, 12), np.float32), features(5, 2)]
    metric = IntraClassFrechetDistance(real)
    assert metric.result()["intra_class_frechet_distance"] is None
    metric.update_state(features(62, 3), np.repeat([0, 1, 2, 3], [30, 1, 1, 30]))
    with pytest.warns(FewSamplesWarning, match=r"of 1 classes .*from 5 a class.*features \(12\)"):
        result = metric.result()
    values = result["intra_class_frechet_distance_by_class"]
    assert [value is None for value in values] == [False, True, True, False]
    assert result["intra_class_frechet_distance"] == pytest.approx((values[0] + values[3]) / 2)
    assert metric.describe()["fewest_reference_samples_of_a_class"] == 0


def test_wrong_class_is_far_though_the_whole_is_right():
    real = [features(100, 0), features(100, 1, shift=3)]
    labels = np.repeat([0, 1], 100)
    overall = FrechetDistance(FeatureMoments.of(np.concatenate(real)))
    intra = IntraClassFrechetDistance(real)
    for metric, arguments in ((overall, ()), (intra, (1 - labels,))):
        metric.update_state(np.concatenate(real), *arguments)
    assert overall.result()["frechet_distance"] < 1e-5
    assert intra.result()["intra_class_frechet_distance"] > 10


def test_wrong_arguments():
    x = features(20, 0)
    metric = FrechetDistance(FeatureMoments.of(x))
    with pytest.raises(ValueError, match=r"shape \(n, 12\). Received: \(20, 11\)"):
        metric.update_state(x[:, :11])
    with pytest.raises(ValueError, match=r"finite. Received NaN"):
        metric.update_state(np.full((2, 12), np.nan))
    with pytest.raises(ValueError, match=r"from 0 to 0. Received: 1"):
        IntraClassFrechetDistance([x]).update_state(x, np.ones(20, int))
    with pytest.raises(ValueError, match=r"integers of the shape \(20,\). Received: float64"):
        IntraClassFrechetDistance([x]).update_state(x, np.ones(20))
    with pytest.raises(ValueError, match=r"of some class. Received none"):
        IntraClassFrechetDistance([x[:0]])
    with pytest.raises(ValueError, match=r"at least 2. Received: 1"):
        KernelDistance(x, subset_size=1)
    with pytest.raises(ValueError, match=r"two rows or more. Received: 1"):
        KernelDistance(x[:1])
