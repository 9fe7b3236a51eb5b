"""What fresh networks read from codes, beside what can be known of the codes."""

import numpy as np
import pytest

from keras_cvaegan.metrics import attribute_r2, class_accuracy
from keras_cvaegan.metrics.code_contents import MIN_CODES


def drawn(count, dims=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dims))


def halves(x):
    return x[: len(x) // 2], x[len(x) // 2 :]


def test_accuracy_is_that_of_the_best_rule():
    # Two Gaussians at distance 2: the best rule is right with Φ(1) = 0.841.
    labels = np.random.default_rng(1).integers(2, size=8000)
    codes = drawn(8000)
    codes[:, 1] += 2.0 * labels
    (ours, theirs), (our_labels, their_labels) = halves(codes), halves(labels)
    assert class_accuracy(ours, our_labels, theirs, their_labels) == pytest.approx(0.841, abs=0.02)


def test_codes_without_content_give_chance_on_held_out_pictures():
    labels = np.arange(8000) % 5
    (ours, theirs), (our_labels, their_labels) = halves(drawn(8000)), halves(labels)
    assert class_accuracy(ours, our_labels, theirs, their_labels) == pytest.approx(0.2, abs=0.04)
    [r2] = attribute_r2(ours, {"a": our_labels}, theirs, {"a": their_labels}).values()
    assert -0.1 < r2 < 0.03


def test_r2_is_the_explained_share_of_the_variance():
    codes, noise = drawn(8000), drawn(8000, 1, seed=2)[:, 0]
    values = {"half": codes[:, 0] + noise, "far": 1e4 + 1e-3 * codes[:, 1]}
    ours, theirs = ({name: halves(x)[k] for name, x in values.items()} for k in range(2))
    r2 = attribute_r2(halves(codes)[0], ours, halves(codes)[1], theirs)
    assert list(r2) == ["half", "far"]
    assert r2["half"] == pytest.approx(0.5, abs=0.05)
    assert r2["far"] > 0.95


def test_the_coordinates_of_an_attribute_count_together():
    codes = drawn(4000, 2)
    # The one coordinate is the code's, the other noise of the same spread.
    values = np.stack([codes[:, 0], drawn(4000, 1, seed=3)[:, 0]], axis=1)
    (ours, theirs), (of_ours, of_theirs) = halves(codes), halves(values)
    r2 = attribute_r2(ours, {"angle": of_ours}, theirs, {"angle": of_theirs})
    assert r2["angle"] == pytest.approx(0.5, abs=0.06)


def test_the_spread_of_codes_does_not_matter():
    labels = np.arange(2000) % 2
    codes = drawn(2000)
    codes[:, 0] += 6.0 * labels
    (ours, theirs), (our_labels, their_labels) = halves(codes), halves(labels)
    for scale, shift in ((1e-3, 0.0), (1e3, 1e5)):
        far = class_accuracy(scale * ours + shift, our_labels, scale * theirs + shift, their_labels)
        assert far > 0.98


def test_an_attribute_that_does_not_vary_has_no_r2():
    codes = drawn(100)
    values = {"same": np.ones(100), "first": codes[:, 0]}
    r2 = attribute_r2(codes, values, codes, values)
    assert r2["same"] is None and r2["first"] is not None


@pytest.mark.parametrize("labels", [np.arange(40), np.arange(40) // 2, np.arange(40) // 39])
def test_classes_of_one_or_two_codes(labels):
    assert 0.0 <= class_accuracy(drawn(40), labels, drawn(40, seed=1), labels) <= 1.0


def test_without_attributes_there_is_nothing_to_read():
    assert attribute_r2(drawn(30), {}, drawn(30), {}) == {}


@pytest.mark.parametrize(
    ("codes", "labels"),
    [(drawn(30), np.zeros(29)), (drawn(30)[:, 0], np.zeros(30)), (drawn(MIN_CODES - 1),) * 2],
)
def test_codes_that_cannot_be_read(codes, labels):
    with pytest.raises(ValueError, match=r"Codes must have the shape \(n, d\), n at least 20"):
        class_accuracy(codes, labels, drawn(30), np.zeros(30))
    with pytest.raises(ValueError, match="Codes must have the shape"):
        attribute_r2(codes, {"a": labels}, drawn(30), {"a": np.zeros(30)})
