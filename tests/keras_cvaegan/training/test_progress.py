import io
import os

import keras
import numpy as np
from epochs import Stub, run

from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training import progress
from keras_cvaegan.training.status_line import StatusLine


def test_progress_off_a_terminal_is_gentle_and_ends_with_the_last_step():
    stream = io.StringIO()
    run(Stub(), [progress.Speed(8), progress.ProgressLine(8, 8, stream)])
    first, last = stream.getvalue().splitlines()
    assert first.startswith("step 2/8  ")
    assert first.endswith("loss 0.5")
    assert "left" not in first
    assert last.startswith("step 8/8  ")
    assert "0:00 left" in last


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 1


def test_on_a_terminal_one_line_is_written_over_and_over(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((9, 24)))
    stream = Terminal()
    run(Stub(), [progress.Speed(8), progress.ProgressLine(8, 8, stream)])
    shown = stream.getvalue().split("\r\x1b[K")
    assert shown == ["", "step 2/8", "step 4/8", "step 6/8", "step 8/8\n"]


def test_a_line_that_was_not_the_last_is_ended_once(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((9, 24)))
    for stream, end in ((Terminal(), "\n"), (io.StringIO(), "\n")):
        run(Stub(), [progress.Speed(8), progress.ProgressLine(12, 8, stream)])
        assert stream.getvalue().endswith(end)
        assert stream.getvalue().count("\n") == 1
    stream = Terminal()
    line = StatusLine(stream)
    line.close()
    line.show("1 of 2")
    line.close()
    line.close()
    assert stream.getvalue() == "\r\x1b[K1 of 2\n"


def test_loss_scale_and_skipped_steps_show_under_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
        model.compile()
    finally:
        keras.config.set_dtype_policy("float32")
    model.optimizer.dynamic_scale.assign(2.0**100)  # The first steps overflow.
    before = model.encoder.get_weights()[0]
    images, labels = np.zeros((4, 16, 16, 3), "uint8"), np.array([0, 1, 0, 1])
    history = model.fit(images, labels, batch_size=4, verbose=0, callbacks=[progress.LossScale()])
    assert history.history["loss_scale"] == [2.0**99]
    assert history.history["skipped_steps"] == [1]
    np.testing.assert_array_equal(model.encoder.get_weights()[0], before)
    model.optimizer.dynamic_scale.assign(1.0)
    history = model.fit(images, labels, batch_size=4, verbose=0, callbacks=[progress.LossScale()])
    assert history.history["skipped_steps"] == [1]
    assert np.abs(model.encoder.get_weights()[0] - before).max() > 0


def test_no_loss_scale_in_full_precision():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    model.compile()
    callback = progress.LossScale()
    callback.set_model(model)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {}
