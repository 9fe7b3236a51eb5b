"""Refusals within a graph: InvalidArgument errors that say what was received and is allowed."""

from collections.abc import Sequence

import tensorflow as tf

LIMIT = 1000.0
_SHOWN = 10


def _require(condition: tf.Tensor, message: str, received: tf.Tensor) -> tf.Operation:
    return tf.debugging.Assert(condition, [f"{message} Received:", received], summarize=_SHOWN)


def rows(**inputs: tf.Tensor) -> list[tf.Tensor]:
    """Returns the inputs, if they have their shapes, and all as many rows, at least one."""
    # A server feeds what it is sent, whatever the shape in the signature.
    inputs = {name: tf.ensure_shape(values, values.shape) for name, values in inputs.items()}
    counts = [tf.shape(values)[0] for values in inputs.values()]
    checks = [_require(counts[0] > 0, "The inputs must have at least one row.", counts[0])]
    for name, count in list(zip(inputs, counts, strict=True))[1:]:
        message = f"All inputs must have as many rows; {name} has not."
        checks.append(_require(tf.equal(counts[0], count), message, tf.stack([counts[0], count])))
    with tf.control_dependencies(checks):
        return [tf.identity(values) for values in inputs.values()]


def labels_below(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Returns the labels, if each is the number of a class."""
    wrong = tf.boolean_mask(labels, (labels < 0) | (labels >= num_classes))
    allowed = f"from 0 to {num_classes - 1}" if num_classes > 1 else "0"
    check = _require(tf.equal(tf.size(wrong), 0), f"labels must be {allowed}.", wrong)
    with tf.control_dependencies([check]):
        return tf.identity(labels)


def bounded(name: str, values: tf.Tensor) -> tf.Tensor:
    """Returns the values, if all are numbers of a sane size."""
    # Not `~(… <= LIMIT)`: TensorFlow's optimizer makes `>` of that, which lets NaN pass.
    wrong = tf.boolean_mask(values, (tf.abs(values) > LIMIT) | tf.math.is_nan(values))
    message = f"{name} must hold numbers from {-LIMIT:g} to {LIMIT:g}."
    with tf.control_dependencies([_require(tf.equal(tf.size(wrong), 0), message, wrong)]):
        return tf.identity(values)


def _readable(texts: tf.Tensor) -> tf.Tensor:
    """Texts as a message may show them: valid UTF-8, and not endless."""
    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    return tf.strings.substr(valid, 0, 100, unit="UTF8_CHAR")


class ClassNames:
    """Class names within a graph.

    Args:
        names: one a class, all different.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tf.constant(list(names), tf.string)
        initializer = tf.lookup.KeyValueTensorInitializer(
            self._names, tf.range(len(names), dtype=tf.int64)
        )
        self.table = tf.lookup.StaticHashTable(initializer, -1)

    def labels(self, names: tf.Tensor) -> tf.Tensor:
        """Returns the labels of names, if each is known."""
        labels = self.table.lookup(names)
        unknown = _readable(tf.boolean_mask(names, labels < 0))
        known = tf.strings.reduce_join(self._names[:_SHOWN], separator=", ")
        more = ", …" if len(self._names) > _SHOWN else ""
        check = tf.debugging.Assert(
            tf.equal(tf.size(unknown), 0),
            ["class_names must be among:", known, f"{more} Received:", unknown],
            summarize=_SHOWN,
        )
        with tf.control_dependencies([check]):
            return tf.identity(labels)

    def names(self, labels: tf.Tensor) -> tf.Tensor:
        """Returns the names of labels."""
        return tf.gather(self._names, labels)
