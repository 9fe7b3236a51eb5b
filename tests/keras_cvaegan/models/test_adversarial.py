"""The two forms of the adversarial game, of several batches of generated images."""

import numpy as np
import pytest

from keras_cvaegan.models.adversarial import adversarial_losses

REAL, *FAKES = np.random.default_rng(0).normal(0, 2, (3, 6, 4)).astype("float32")


def test_the_logistic_form_sums_the_batches():
    of_discriminator, of_generator = adversarial_losses("logistic", REAL, *FAKES)
    expected = np.logaddexp(0, -REAL).mean() + sum(np.logaddexp(0, x).mean() for x in FAKES)
    assert float(of_discriminator) == pytest.approx(expected, rel=1e-5)
    expected = sum(np.logaddexp(0, -x).mean() for x in FAKES)
    assert float(of_generator) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_the_hinge_form_makes_one_batch_of_them(count):
    fakes = np.concatenate(FAKES[:count])
    of_discriminator, of_generator = adversarial_losses("hinge", REAL, *FAKES[:count])
    expected = np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + fakes).mean()
    assert float(of_discriminator) == pytest.approx(expected, rel=1e-5)
    assert float(of_generator) == pytest.approx(-fakes.mean(), rel=1e-4)


def test_another_form():
    with pytest.raises(KeyError, match="minimax"):
        adversarial_losses("minimax", REAL, *FAKES)
