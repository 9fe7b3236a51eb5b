"""What turns images into the features and probabilities that metrics compare."""

from typing import Any, Protocol

import keras
import numpy as np
from keras import layers, ops

from keras_cvaegan.metrics.metric import check_count, check_images
from keras_cvaegan.metrics.padding import batch_size as padded_size
from keras_cvaegan.metrics.padding import pad
from keras_cvaegan.networks.fingerprints import fingerprint
from keras_cvaegan.training.step import Step

Extracted = tuple[np.ndarray, np.ndarray | None]


class FeatureExtractor(Protocol):
    """Whatever gives features of images; any object with these attributes will do.

    Attributes:
        name: name, with all that the figures depend on, such as the resize filter.
        fingerprint: text that changes whenever it would give other features.
        feature_dim: numbers an image.
        num_classes: columns of its probabilities; None where it gives none.
        knows_labels: whether its classes are the data's own, in the order of the labels. Where
            they are not, there is no Top-1 accuracy.
    """

    name: str
    fingerprint: str
    feature_dim: int
    num_classes: int | None
    knows_labels: bool

    def __call__(self, images: np.ndarray) -> Extracted:
        """Returns features, float32 `(n, feature_dim)`, and probabilities or None.

        Args:
            images: uint8 `(n, height, width, channels)`; n may be 0.
        """

    def describe(self) -> dict[str, Any]:
        """Returns what is kept with every figure."""


class KerasExtractor:
    """An extractor on a Keras network of uint8 images to {"features", "probabilities"}.

    Args:
        network: the network.
        name: see `FeatureExtractor`.
        knows_labels: see `FeatureExtractor`.
        batch_size: the most images at a time.
    """

    def __init__(
        self, network: keras.Model, name: str, knows_labels: bool, batch_size: int = 256
    ) -> None:
        self.name = name
        self.knows_labels = knows_labels
        self.feature_dim = int(network.output["features"].shape[-1])
        self.num_classes = int(network.output["probabilities"].shape[-1])
        self._batch_size = check_count("batch_size", batch_size)
        self._image_shape = network.input.shape[1:]
        self._run = Step.compiled_network(network)
        self.fingerprint = fingerprint(name, {"": network})

    def __call__(self, images: np.ndarray) -> Extracted:
        """Returns features, float32 `(n, feature_dim)`, and probabilities `(n, num_classes)`.

        Args:
            images: uint8 `(n, height, width, channels)`; n may be 0.

        Raises:
            ValueError: for images of another type or shape.
        """
        images = check_images(images)
        allowed = zip(self._image_shape, images.shape[1:], strict=True)
        if any(side not in (None, received) for side, received in allowed):
            raise ValueError(
                f"The extractor {self.name!r} takes images of the shape {self._image_shape}. "
                f"Received: {images.shape[1:]}. Resize them first."
            )
        features = np.empty((len(images), self.feature_dim), np.float32)
        probabilities = np.empty((len(images), self.num_classes), np.float32)
        for start in range(0, len(images), self._batch_size):
            part = images[start : start + self._batch_size]
            rows = slice(start, start + len(part))
            part = pad(part, padded_size(len(part), self._batch_size))
            outputs = self._run(ops.convert_to_tensor(part))
            count = rows.stop - rows.start
            features[rows] = ops.convert_to_numpy(outputs["features"])[:count]
            probabilities[rows] = ops.convert_to_numpy(outputs["probabilities"])[:count]
        return features, probabilities

    def describe(self) -> dict[str, Any]:
        """Returns what is kept with every figure."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "feature_dim": self.feature_dim,
            "num_classes": self.num_classes,
            "knows_labels": self.knows_labels,
        }


class ClassifierExtractor(KerasExtractor):
    """Features and probabilities of a classifier that was trained on the real data.

    The papers' protocol: nothing is downloaded, and faces or flowers are judged by features made
    for them. f is the input of the last fully connected layer (Section 3.2, Bao et al. 2017). Its
    figures are comparable only with those of the very same classifier: see `fingerprint`.

    Args:
        classifier: a Keras model of images in [−1, 1] to logits, such as `train_classifier`
            returns, or to a dictionary with "logits" and "features", such as the networks of
            `keras_cvaegan.networks`. It must be functional or sequential.
        name: name; by default the classifier's.
        feature_layer: name of the layer whose output is taken, averaged over space where it has
            height and width; by default what enters the last fully connected one.
        from_logits: False for a classifier whose output are probabilities.
        batch_size: the most images at a time.

    Raises:
        ValueError: for a classifier in which the features cannot be found.

    Example:

    >>> from keras_cvaegan.metrics.recognition import recognition_network
    >>> extractor = ClassifierExtractor(recognition_network((8, 8, 3), 5, augment=False))
    >>> features, probabilities = extractor(np.zeros((2, 8, 8, 3), np.uint8))
    >>> features.shape, probabilities.shape
    ((2, 32), (2, 5))
    """

    def __init__(
        self,
        classifier: keras.Model,
        *,
        name: str | None = None,
        feature_layer: str | None = None,
        from_logits: bool = True,
        batch_size: int = 256,
    ) -> None:
        features, outputs = _features_and_outputs(classifier, feature_layer)
        body = keras.Model(classifier.inputs, [features, outputs])
        images = keras.Input(classifier.inputs[0].shape[1:], dtype="uint8", name="images")
        features, outputs = body(layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(images))
        if len(features.shape) == 4:
            features = layers.GlobalAveragePooling2D(dtype="float32")(features)
        if len(features.shape) != 2:
            raise ValueError(
                "Features must be a vector an image, or maps with height and width. Received: "
                f"the shape {features.shape}. Choose another feature_layer."
            )
        if from_logits:
            outputs = layers.Softmax(dtype="float32")(outputs)
        network = keras.Model(images, {"features": features, "probabilities": outputs})
        name = name or classifier.name
        super().__init__(
            network, name + (f", layer {feature_layer}" if feature_layer else ""), True, batch_size
        )


def _features_and_outputs(
    classifier: keras.Model, feature_layer: str | None
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The symbolic features of a classifier and its logits or probabilities."""
    try:
        sequential = isinstance(classifier, keras.Sequential)
        outputs = classifier.outputs[0] if sequential else classifier.output
        if feature_layer is not None:
            features = classifier.get_layer(feature_layer).output
        elif isinstance(outputs, dict) and "features" in outputs:
            features = outputs["features"]
        else:
            dense = [layer for layer in classifier.layers if isinstance(layer, layers.Dense)]
            features = dense[-1].input
    except (AttributeError, IndexError) as error:
        raise ValueError(
            f"The features of the model {classifier.name!r} cannot be found. It must be functional "
            "or sequential, built, with a Dense layer at its end; or name a feature_layer."
        ) from error
    return features, outputs["logits"] if isinstance(outputs, dict) else outputs


class InceptionExtractor(KerasExtractor):
    """Features and probabilities of Inception-v3 trained on ImageNet, as FID, KID and IS have them.

    The 2,048 features are those before the last layer. Images are resized to 299×299 as TensorFlow
    1 did, which published figures rest on: bilinear, corner to corner, without anti-aliasing; the
    name says so. (Where small images are enlarged, only the alignment differs from others.)

    The weights are those of `keras.applications`, which are not those of the graph of 2015-12-05
    that most published figures were measured with: they were trained anew, for 1,000 classes in
    place of 1,008, and that graph pools otherwise at two places of its last blocks. Figures are of
    the same kind and order, and comparable among runs here, but not to the digit with papers'.

    Keras downloads the weights (96 MB) once, into ~/.keras.

    Args:
        weights: "imagenet", the path of a weights file, or None for random ones.
        batch_size: the most images at a time.

    Raises:
        OSError: when the weights cannot be had.

    Example:

    >>> extractor = InceptionExtractor()  # doctest: +SKIP
    >>> extractor(np.zeros((2, 32, 32, 3), np.uint8))[0].shape  # doctest: +SKIP
    (2, 2048)
    """

    def __init__(self, weights: str | None = "imagenet", batch_size: int = 32) -> None:
        try:
            inception = keras.applications.InceptionV3(weights=weights)
        # Keras raises a plain Exception where its download fails.
        except Exception as error:
            raise OSError(
                f"The weights of Inception-v3 cannot be had from {weights!r} ({error}). Check the "
                "connection; or pass the path of Keras' file "
                "inception_v3_weights_tf_dim_ordering_tf_kernels.h5 as weights; or use "
                "ClassifierExtractor, which downloads nothing."
            ) from error
        body = keras.Model(
            inception.inputs, [inception.get_layer("avg_pool").output, inception.output]
        )
        images = keras.Input((None, None, 3), dtype="uint8", name="images")
        x = TF1Bilinear(*inception.input_shape[1:3], dtype="float32", name="resize")(images)
        x = layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(x)
        features, probabilities = body(x)
        network = keras.Model(images, {"features": features, "probabilities": probabilities})
        kind = "imagenet" if weights == "imagenet" else "random" if weights is None else "own"
        super().__init__(
            network, f"keras inception_v3, {kind} weights, TF1 bilinear", False, batch_size
        )


class TF1Bilinear(layers.Layer):
    """Resizes images as `tf.compat.v1.image.resize_bilinear` does by default.

    The pixel i of n is taken at i · (size of the input) / n, between its two neighbours; modern
    resizing is at (i + ½) · (size of the input) / n − ½, and averages where it shrinks.

    Args:
        height: height of the result.
        width: width of the result.

    Example:

    >>> row = np.array([0.0, 1.0]).reshape(1, 1, 2, 1)
    >>> ops.convert_to_numpy(TF1Bilinear(1, 4)(row)).ravel().tolist()
    [0.0, 0.5, 1.0, 1.0]
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, images: Any) -> Any:
        images = ops.cast(images, self.compute_dtype)
        for axis, size in ((1, self.height), (2, self.width)):
            old = images.shape[axis] or ops.shape(images)[axis]
            places = ops.arange(size, dtype="float32") * (ops.cast(old, "float32") / size)
            lower = ops.cast(ops.floor(places), "int32")
            upper = ops.minimum(lower + 1, old - 1)
            share = ops.reshape(places - ops.cast(lower, "float32"), (-1,) + (1,) * (3 - axis))
            share = ops.cast(share, images.dtype)
            images = (1 - share) * ops.take(images, lower, axis=axis) + share * ops.take(
                images, upper, axis=axis
            )
        return images

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.height, self.width, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"height": self.height, "width": self.width}
