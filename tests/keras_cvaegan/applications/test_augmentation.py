"""Augmentation by a model that paints classes, and judges that see what they are told to."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cvaegan.applications import augmentation
from keras_cvaegan.applications.augmentation import FewAcceptedWarning, Mix, augment, new_classes

CLASSES = ("daisy", "rose", "tulip", "lily")


class Painter:
    """Its pictures hold their seed, their strongest class, and how many classes they are of."""

    conditional = True
    class_names = CLASSES

    def __init__(self):
        self.asked = []

    def inference_names(self):
        return ("generator", "classifier")

    def generate(self, labels, seed):
        assert labels.shape == (len(seed), len(CLASSES))
        assert len(seed) > 0
        self.asked += [
            (tuple(row.tolist()), int(each)) for row, each in zip(labels, seed, strict=True)
        ]
        images = np.zeros((len(seed), 2, 2, 3), np.uint8)
        seed = np.asarray(seed, np.uint64)
        for place, shift in enumerate((0, 8, 16, 24)):
            images[:, place // 2, place % 2, 0] = seed >> np.uint64(shift) & np.uint64(255)
        images[..., 1] = labels.argmax(axis=1)[:, None, None]
        images[..., 2] = (labels > 0).sum(axis=1)[:, None, None]
        return images

    def classify(self, images):
        """Sure of the pictures of even seeds alone."""
        assert (images[..., 2] == 1).all(), "a new class was judged"
        sure = np.where(seeds(images) % 2 == 0, 0.95, 0.4)
        others = np.repeat(((1 - sure) / (len(CLASSES) - 1))[:, None], len(CLASSES), axis=1)
        others[np.arange(len(images)), images[:, 0, 0, 1]] = sure
        return others


def seeds(images):
    return images[:, :, :, 0].reshape(len(images), 4).astype(np.int64) @ 256 ** np.arange(4)


def all_of(pictures):
    batches = list(pictures)
    images, labels = (np.concatenate(each) for each in zip(*batches, strict=True))
    # By class, in the order of their draws.
    return {int(label): seeds(images[labels == label]).tolist() for label in np.unique(labels)}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 50))
@settings(max_examples=50, deadline=None)
def test_a_plan_fills_up_or_gives_as_many(counts, per_class):
    filled = augmentation.plan(counts, fill=True)
    assert (filled >= 0).all()
    assert set((filled + counts).tolist()) == {max(counts)}
    assert augmentation.plan(counts, per_class=per_class).tolist() == [per_class] * len(counts)


@pytest.mark.parametrize("keywords", [{}, {"per_class": 3, "fill": True}, {"per_class": -1}])
def test_a_plan_of_nothing_two_things_or_less_than_none(keywords):
    with pytest.raises(ValueError, match="Received"):
        augmentation.plan([1, 2], **keywords)


@given(
    st.integers(3, 9), st.integers(0, 1), st.sampled_from(["equal", "random"]), st.integers(0, 9)
)
@settings(max_examples=40, deadline=None)
def test_new_classes_are_different_mixes_of_three(num_classes, count, weights, seed):
    more = new_classes(num_classes, 1, weights=weights, seed=seed)
    assert new_classes(num_classes, count, weights=weights, seed=seed) == more[:count]
    [mix] = more
    assert len(set(mix.labels)) == 3
    assert set(mix.labels) <= set(range(num_classes))
    assert sum(mix.weights) == pytest.approx(1)
    assert min(mix.weights) > 0
    row = mix.class_weights(num_classes)
    assert row[list(mix.labels)] == pytest.approx(mix.weights)
    assert row.sum() == pytest.approx(1)


def test_equal_mixes_are_all_there_are_and_no_more():
    mixes = new_classes(5, 10)
    assert len({mix.labels for mix in mixes}) == 10
    assert new_classes(5, 4) == mixes[:4]
    assert new_classes(5, 10, seed=1) != mixes
    with pytest.raises(ValueError, match=r"there are 10 mixes of 3 .* Received: 11"):
        new_classes(5, 11)
    assert len(set(new_classes(3, 5, weights="random"))) == 5
    with pytest.raises(ValueError, match=r"must have as many or more\. Received: 2"):
        new_classes(2, 1)
    with pytest.raises(ValueError, match="equal or random"):
        new_classes(3, 1, weights="even")


def test_each_class_gets_its_count_whatever_the_batches():
    counts = [5, 0, 130, 1]
    found = all_of(augment(Painter(), counts, seed=3))
    assert {label: len(of_class) for label, of_class in found.items()} == {0: 5, 2: 130, 3: 1}
    assert len(set(found[2])) == 130
    assert all_of(augment(Painter(), counts, seed=3, batch_size=7)) == found
    assert all_of(augment(Painter(), [2, 9, 40, 0], seed=3))[2] == found[2][:40]
    assert all_of(augment(Painter(), counts, seed=4))[2] != found[2]
    sizes = [len(labels) for _, labels in augment(Painter(), counts, seed=3, batch_size=50)]
    assert sizes == [50, 50, 36]


def test_pictures_that_the_judge_doubts_are_drawn_anew():
    pictures = augment(Painter(), [20, 0, 30, 0], seed=1, min_confidence=0.9)
    found = all_of(pictures)
    every = all_of(augment(Painter(), [50, 0, 70, 0], seed=1))
    for label, count in ((0, 20), (2, 30)):
        accepted = [seed for seed in every[label] if seed % 2 == 0][:count]
        assert found[label] == accepted
        assert pictures.drawn[label] == every[label].index(accepted[-1]) + 1
    assert pictures.accepted.tolist() == [20, 0, 30, 0]
    small = augment(Painter(), [20, 0, 30, 0], seed=1, min_confidence=0.9, batch_size=3)
    assert all_of(small) == found
    assert small.drawn.tolist() == pictures.drawn.tolist()
    assert pictures.few() == ""


def test_a_given_judge_judges():
    judged = []

    def rejects_tulips(images):
        judged.append(len(images))
        return np.where(np.arange(4) == 2, 0.1, 0.3) * np.ones((len(images), 1))

    with pytest.warns(FewAcceptedWarning) as caught:
        pictures = augment(
            Painter(), [4, 0, 5, 0], min_confidence=0.3, judge=rejects_tulips, max_tries=3
        )
        found = all_of(pictures)
    assert found.keys() == {0}
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "Too few pictures of 1 class were accepted (tulip: 0 of 5 in 15 draws)" in message
    assert "smaller min_confidence than 0.3, more max_tries than 3" in message
    assert pictures.drawn.tolist() == [4, 0, 15, 0]
    assert sum(judged) == 19


def test_without_a_least_confidence_nothing_is_judged():
    model = Painter()
    model.classify = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(all_of(augment(model, [3, 3, 3, 3]))) == 4


def test_new_classes_have_labels_of_their_own_and_are_not_judged():
    model, mixes = Painter(), [Mix((0, 1, 3), (0.5, 0.25, 0.25)), Mix((1, 2, 3), (0.2, 0.2, 0.6))]
    pictures = augment(model, [1, 0, 0, 0, 4, 2], mixes=mixes, min_confidence=0.9, max_tries=99)
    found = all_of(pictures)
    assert {label: len(of_class) for label, of_class in found.items()} == {0: 1, 4: 4, 5: 2}
    of_mixes = [weights for weights, _ in model.asked if max(weights) < 1]
    assert of_mixes[:4] == [(0.5, 0.25, 0, 0.25)] * 4
    np.testing.assert_allclose(of_mixes[4:], [(0, 0.2, 0.2, 0.6)] * 2)


class Unconditional(Painter):
    conditional = False


class WithoutClassifier(Painter):
    def inference_names(self):
        return ("generator",)


@pytest.mark.parametrize(
    ("model", "counts", "keywords", "message"),
    [
        (Unconditional(), [1], {}, "Unconditional has no classes"),
        (WithoutClassifier(), [1] * 4, {"min_confidence": 0.5}, "has no classifier"),
        (Painter(), [1] * 5, {}, "4 classes and 0 mixes. Received: 5"),
        (Painter(), [1, 1, -1, 1], {}, "whole numbers of 0 or more"),
        (Painter(), [0.5] * 4, {}, "whole numbers of 0 or more"),
        (Painter(), [1] * 4, {"min_confidence": 1.5}, r"in \(0, 1\]. Received: 1.5"),
        (Painter(), [1] * 4, {"max_tries": 0}, "Received: max_tries=0"),
        (Painter(), [1] * 5, {"mixes": [Mix((1, 2, 4), (0.4, 0.3, 0.3))]}, "from 0 to 3"),
    ],
)
def test_wrong_arguments_have_a_message(model, counts, keywords, message):
    with pytest.raises(ValueError, match=message):
        augment(model, counts, **keywords)


def test_a_judge_of_other_classes_has_a_message():
    pictures = augment(
        Painter(), [2, 0, 0, 0], min_confidence=0.5, judge=lambda images: np.ones((len(images), 3))
    )
    with pytest.raises(ValueError, match=r"shape \(2, 4\).* Received: \(2, 3\)"):
        list(pictures)
