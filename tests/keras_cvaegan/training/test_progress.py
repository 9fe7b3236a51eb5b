import io

import keras
import numpy as np
from epochs import Stub, run

from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training import progress


def test_progress_off_a_terminal_is_gentle_and_ends_with_the_last_step():
    stream = io.StringIO()
    run(Stub(), [progress.Speed(8), progress.ProgressLine(8, 8, stream)])
    first, last = stream.getvalue().splitlines()
    assert first.startswith("step 2/8  ")
    assert first.endswith("loss 0.5")
    assert "left" not in first
    assert last.startswith("step 8/8  ")
    assert "0:00 left" in last


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
