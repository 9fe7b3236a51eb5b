"""How often a classifier of the real data gives a sample the class it was made for."""

import numpy as np

from keras_cvaegan.metrics.metric import Figures, Metric, check_count, check_labels, check_rows


class Top1Accuracy(Metric):
    """The share of samples whose most probable class is their own, overall and by class.

    top1 = E[argmax_y p(y|x) = c]    (Table 1, Bao et al. 2017)

    The classifier that says p is trained on the real data, whose own figure stands beside.

    Args:
        num_classes: number of classes.

    Results: `top1_accuracy` in [0, 1], None without samples, and `top1_accuracy_by_class`, where
    None stands for an absent class.

    Example:

    >>> metric = Top1Accuracy(num_classes=3)
    >>> metric.update_state(np.array([0, 0]), np.array([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1]]))
    >>> metric.result()
    {'top1_accuracy': 0.5, 'top1_accuracy_by_class': [0.5, None, None]}
    """

    inputs = ("labels", "probabilities")

    def __init__(self, num_classes: int) -> None:
        self._num_classes = check_count("num_classes", num_classes)
        self.reset_state()

    def reset_state(self) -> None:
        self._seen = np.zeros(self._num_classes, np.int64)
        self._right = np.zeros(self._num_classes, np.int64)

    def update_state(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        """Takes a batch.

        Args:
            labels: integers `(n,)` in [0, num_classes).
            probabilities: `(n, num_classes)`; logits do as well.
        """
        probabilities = check_rows("probabilities", probabilities, self._num_classes)
        labels = check_labels(labels, len(probabilities), self._num_classes)
        right = labels[probabilities.argmax(axis=1) == labels]
        self._seen += np.bincount(labels, minlength=self._num_classes)
        self._right += np.bincount(right, minlength=self._num_classes)

    def result(self) -> Figures:
        counts = list(zip(self._right.tolist(), self._seen.tolist(), strict=True))
        seen = int(self._seen.sum())
        return {
            "top1_accuracy": int(self._right.sum()) / seen if seen else None,
            "top1_accuracy_by_class": [right / n if n else None for right, n in counts],
        }
