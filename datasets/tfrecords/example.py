"""The `tf.train.Example` of one picture.

Its features: `image/encoded` (PNG bytes), `image/height`, `image/width`, `image/class/label`
(int64), `image/class/text` (bytes), and `image/attribute/NAME` (float) for each attribute that the
data set has.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from keras_cvaegan import pictures


def to_example(
    image: np.ndarray, label: int, class_name: str, attributes: Mapping[str, float]
) -> tf.train.Example:
    """Returns the Example of one picture.

    Args:
        image: picture, array `uint8 (height, width, 3)`.
        label: number of the class.
        class_name: name of the class.
        attributes: number of each attribute, by its name.

    Example:

    >>> example = to_example(np.zeros((8, 8, 3), np.uint8), 1, "rose", {"size": 0.5})
    >>> sorted(example.features.feature)
    ['image/attribute/size', 'image/class/label', 'image/class/text', 'image/encoded',
     'image/height', 'image/width']
    """

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    feature = {
        "image/encoded": text(pictures.encode_png(image)),
        "image/height": integer(image.shape[0]),
        "image/width": integer(image.shape[1]),
        "image/class/label": integer(label),
        "image/class/text": text(class_name.encode()),
    }
    for name, value in attributes.items():
        number = tf.train.FloatList(value=[float(value)])
        feature[f"image/attribute/{name}"] = tf.train.Feature(float_list=number)
    return tf.train.Example(features=tf.train.Features(feature=feature))
