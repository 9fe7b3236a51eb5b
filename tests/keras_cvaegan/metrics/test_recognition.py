"""The recognition network's batches and accuracy."""

import numpy as np

from keras_cvaegan.metrics import recognition


def test_batches_take_each_picture_as_often_as_any_other():
    parts = [(np.full((count, 2, 2, 3), count, np.uint8), np.arange(count)) for count in (3, 4, 0)]
    stream = recognition.Stream(parts, updates=7, batch_size=5, seed=2)
    batches = [stream[index] for index in range(len(stream))]
    seen = [
        (round((image[0, 0, 0] + 1) * 127.5), label)
        for images, labels in batches
        for image, label in zip(images, labels.tolist(), strict=True)
    ]
    every = {(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3)}
    for epoch in range(5):
        assert set(seen[7 * epoch : 7 * epoch + 7]) == every
    assert seen[:7] != seen[7:14]
    np.testing.assert_array_equal(stream[0][1], batches[0][1])


def test_new_classes_are_no_answers():
    def network(images, training):
        return images[:, 0, 0, :1] * [[1, -1, 0]] + [[0, 0, 9]]

    images = np.zeros((4, 2, 2, 3), np.uint8)
    images[:2] = 255
    labels = np.array([0, 0, 1, 0])
    assert recognition.accuracy(network, (images, labels), 2) == 0.75
    assert recognition.accuracy(network, (images, labels), 3) == 0
