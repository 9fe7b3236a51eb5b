"""What differences of two arms say, against SciPy's paired test."""

import numpy as np
import pytest
from scipy import stats

from trainers.augmentation.verdicts import compare


@pytest.mark.parametrize(
    ("values", "others", "says"),
    [
        ([0.5, 0.52, 0.51], [0.4, 0.41, 0.42], "gain"),
        ([0.4, 0.41, 0.42], [0.5, 0.52, 0.51], "loss"),
        ([0.6, 0.4, 0.5], [0.5, 0.45, 0.3], "undecided"),
        ([0.5, 0.5], [0.5, 0.5], "undecided"),
    ],
)
def test_comparisons_are_paired(values, others, says):
    found = compare(values, others)
    assert found["says"] == says
    if np.std(np.subtract(values, others)) > 0:
        low, high = stats.ttest_rel(values, others).confidence_interval(0.95)
        assert found["interval"] == pytest.approx([low, high])
