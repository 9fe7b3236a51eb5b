import io
import re

import numpy as np
import pytest
import tqdm

from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training import callbacks
from tests.helpers.checks import dtype_policy
from tests.helpers.epochs import Stub, run


def test_progress_shows_steps_images_a_second_and_losses():
    stream = io.StringIO()
    run(Stub(), [callbacks.ProgressLine(8, 16, stream, seconds_between=0)])
    first, *others, last = stream.getvalue().splitlines()
    assert first == "step 2/8  loss 0.5"
    assert [line.split("  ")[0] for line in others] == ["step 4/8", "step 6/8"]
    assert all("images/s  0:00 left  loss 0.5" in line for line in others)
    assert last.startswith("step 8/8  ")
    assert last.endswith("images/s  0:00 in all  loss 0.5")


def test_a_run_that_goes_on_counts_its_own_steps_for_the_speed(monkeypatch):
    clock = iter(range(0, 1_000))
    monkeypatch.setattr(tqdm.std, "time", lambda: next(clock))
    model, stream = Stub(), io.StringIO()
    model.step = 1_000
    run(model, [callbacks.ProgressLine(1_008, 16, stream, seconds_between=0)])
    speeds = re.findall(r"  ([0-9.]+) images/s", stream.getvalue())
    assert len(speeds) == 3
    assert max(map(float, speeds)) <= 32


@pytest.mark.slow
def test_loss_scale_and_skipped_steps_show_under_half_precision():
    with dtype_policy("mixed_float16"):
        model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
        model.compile()
    model.optimizer.dynamic_scale.assign(2.0**100)  # The first steps overflow.
    before = model.encoder.get_weights()[0]
    images, labels = np.zeros((4, 16, 16, 3), "uint8"), np.array([0, 1, 0, 1])
    history = model.fit(images, labels, batch_size=4, verbose=0, callbacks=[callbacks.LossScale()])
    assert history.history["loss_scale"] == [2.0**99]
    assert history.history["skipped_steps"] == [1]
    np.testing.assert_array_equal(model.encoder.get_weights()[0], before)
    model.optimizer.dynamic_scale.assign(1.0)
    history = model.fit(images, labels, batch_size=4, verbose=0, callbacks=[callbacks.LossScale()])
    assert history.history["skipped_steps"] == [1]
    assert np.abs(model.encoder.get_weights()[0] - before).max() > 0


def test_no_loss_scale_in_full_precision():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2)
    model.compile()
    callback = callbacks.LossScale()
    callback.set_model(model)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert logs == {}
