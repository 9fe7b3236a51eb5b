"""However a stream is divided into batches, the figures are those of all at once."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan import metrics
from keras_cvaegan.metrics.sampling import ClassReservoir, Reservoir

COUNT, NUM_CLASSES = 40, 3


def data():
    random = np.random.default_rng(0)
    features = random.normal(size=(COUNT, 4)).astype(np.float32)
    p = random.dirichlet(np.ones(NUM_CLASSES), COUNT)
    return {
        "images": random.integers(0, 256, (COUNT, 8, 8, 3), np.uint8),
        "labels": random.integers(0, NUM_CLASSES - 1, COUNT),  # The last class is absent.
        "features": features,
        "probabilities": p,
    }


DATA = data()
REAL = np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32)
METRICS = [
    metrics.Top1Accuracy(NUM_CLASSES),
    metrics.InceptionScore(splits=3),
    metrics.FrechetDistance(metrics.FeatureMoments.of(REAL)),
    metrics.KernelDistance(REAL, subsets=3, subset_size=10, max_samples=15),
    metrics.PrecisionRecall(REAL, max_samples=15),
    metrics.DensityCoverage(REAL, max_samples=15),
    metrics.IntraClassFrechetDistance([REAL] * NUM_CLASSES, max_samples_per_class=8),
    metrics.IntraClassDiversity(NUM_CLASSES, max_samples_per_class=4),
    metrics.NearestNeighbourNovelty(DATA["images"][:20], k=2, max_samples=10),
]


def name(metric):
    return type(metric).__name__


def flat(result):
    values = itertools.chain.from_iterable(
        value if isinstance(value, list) else [value] for value in result.values()
    )
    return [-1.0 if value is None else value for value in values]


def feed(metric, cuts):
    metric.reset_state()
    for rows in np.split(np.arange(COUNT), sorted(cuts)):
        metric.update_state(*(DATA[name][rows] for name in metric.inputs))
    return flat(metric.result())


@pytest.mark.parametrize("metric", METRICS, ids=name)
@given(cuts=st.lists(st.integers(0, COUNT), max_size=COUNT))
@settings(max_examples=15, deadline=None)
def test_batches_of_any_size_and_none(metric, cuts):
    np.testing.assert_allclose(feed(metric, cuts), feed(metric, []), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("metric", METRICS, ids=name)
def test_an_example_at_a_time(metric):
    np.testing.assert_allclose(
        feed(metric, range(1, COUNT)), feed(metric, []), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("metric", METRICS, ids=name)
def test_without_samples_every_figure_is_none(metric):
    metric.reset_state()
    empty = [DATA[name][:0] for name in metric.inputs]
    for _ in range(2):
        values = metric.result().values()
        assert all(value is None or set(value) == {None} for value in values)
        metric.update_state(*empty)


@given(
    capacity=st.integers(1, 12),
    cuts=st.lists(st.integers(0, 30), max_size=10),
    count=st.integers(0, 30),
)
def test_a_reservoir_depends_on_the_stream_alone(capacity, cuts, count):
    rows = np.arange(count)
    at_once, in_parts = Reservoir(capacity, seed=1), Reservoir(capacity, seed=1)
    at_once.add(rows)
    for part in np.split(rows, sorted(cuts)):
        in_parts.add(part)
    assert at_once.seen == in_parts.seen == count
    if count == 0:
        assert at_once.rows is None
        return
    np.testing.assert_array_equal(at_once.rows, in_parts.rows)
    assert len(set(at_once.rows.tolist())) == len(at_once.rows) == min(capacity, count)
    if count <= capacity:
        np.testing.assert_array_equal(at_once.rows, rows)


def test_a_reservoir_is_a_uniform_sample():
    kept = np.zeros(20)
    for seed in range(2000):
        reservoir = Reservoir(5, seed)
        reservoir.add(np.arange(20))
        kept[reservoir.rows] += 1
    assert np.all(np.abs(kept / 2000 - 0.25) < 0.05)


def test_classes_have_reservoirs_of_their_own():
    """What is kept of one class does not depend on how many others come between."""
    rows, labels = np.arange(60), np.repeat([0, 1, 0], 20)
    both, one = ClassReservoir(2, 5, seed=3), ClassReservoir(2, 5, seed=3)
    both.add(rows, labels)
    one.add(rows[labels == 0], labels[labels == 0])
    np.testing.assert_array_equal(both.rows_by_class()[0], one.rows_by_class()[0])
    assert both.seen == [40, 20]
    both.reset()
    assert both.seen == [0, 0]
