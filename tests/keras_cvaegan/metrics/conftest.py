import keras
import numpy as np
import pytest


class MeanColours:
    """An extractor without a network: features are means of image parts."""

    name = "mean colours"
    fingerprint = "1"
    feature_dim = 3
    num_classes = 3
    knows_labels = True

    def __init__(self):
        self.calls = 0

    def __call__(self, images):
        self.calls += 1
        features = images.mean(axis=(1, 2)).astype(np.float32) / 255
        weights = np.exp(5 * features)
        return features, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)

    def describe(self):
        return {"name": self.name, "fingerprint": self.fingerprint, "feature_dim": 3}


@pytest.fixture
def extractor():
    return MeanColours()


@pytest.fixture
def draw():
    """Returns a function that draws images of three classes, reddish, greenish and bluish."""

    def draw(count, seed, size=8, num_classes=3):
        random = np.random.default_rng(seed)
        labels = random.integers(0, num_classes, count)
        images = random.integers(0, 200, (count, size, size, 3))
        images += (
            random.integers(0, 56, (count, 1, 1, 1))
            * np.eye(3, dtype=int)[labels % 3][:, None, None]
        )
        return images.astype(np.uint8), labels

    return draw


@pytest.fixture(scope="session")
def classifier():
    from keras_cvaegan import metrics

    keras.utils.set_random_seed(0)
    return metrics.recognition_network((16, 16, 3), 3, augment=True)
