import math
import os
import signal

import pytest

from keras_cvaegan.training import stopping
from keras_cvaegan.training.distribution import Distribution
from tests.helpers.epochs import Stub, run


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run(loss):
    with pytest.raises(ValueError, match=rf"loss is {loss} at step 2\. The last checkpoint is"):
        run(Stub(), [stopping.StopOnNaN()], loss=loss)


def test_ctrl_c_ends_the_training_after_the_epoch(capsys):
    model, handler = Stub(), signal.getsignal(signal.SIGINT)
    with stopping.StopOnSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        run(model, [stop])
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert model.step == 2
    assert stop.received == signal.SIGINT
    assert stop.workers == [0]
    assert "once more" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_signal_that_reached_a_peer_ends_the_training_too():
    class Peers(Distribution):
        epochs = 0

        def gather(self, value):
            self.epochs += 1
            return [value, 0.0, float(self.epochs == 2)]

    model = Stub()
    with stopping.StopOnSignal(Peers()) as stop:
        run(model, [stop])
    assert model.step == 4
    assert stop.workers == [2]
    assert stop.received is None
