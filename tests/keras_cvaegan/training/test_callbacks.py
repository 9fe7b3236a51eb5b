import io
import json
import math
import os
import signal

import keras
import numpy as np
import pytest

from keras_cvaegan import pictures
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training import callbacks


class Stub:
    """Stands for a model that takes two steps an epoch."""

    measures = ("loss",)
    num_classes = 20
    stop_training = False
    step = 0

    def sample_latents(self, count, seed):
        return np.arange(count, dtype=np.float32)[:, None]

    def decode(self, z, labels):
        value = z[:, :1] / 8 - labels[:, None] / 20
        return np.broadcast_to(value[..., None, None], (len(z), 4, 4, 3))


def run(model, chosen, epochs=4, loss=0.5):
    for callback in chosen:
        callback.set_model(model)
    for callback in chosen:
        callback.on_train_begin()
    for epoch in range(epochs):
        for callback in chosen:
            callback.on_epoch_begin(epoch)
        model.step += 2
        logs = {"loss": loss}
        for callback in chosen:
            callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    for callback in chosen:
        callback.on_train_end()


def test_metrics_go_on_after_a_checkpoint(tmp_path):
    path = tmp_path / "metrics.jsonl"
    model = Stub()
    run(model, [callbacks.Speed(8), callbacks.MetricsWriter(path)])
    with path.open("a") as file:
        file.write('{"step": 10, "sec')
    seconds = callbacks.truncate_metrics(path, 4)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [2, 4]
    assert seconds == json.loads(path.read_text().splitlines()[-1])["seconds"]
    model.step = 4
    run(model, [callbacks.Speed(8, 100.0), callbacks.MetricsWriter(path)], epochs=1)
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["step"] == 6
    assert last["loss"] == 0.5
    assert last["seconds"] >= 100
    assert last["images_per_second"] > 0


def test_truncate_without_a_file(tmp_path):
    assert callbacks.truncate_metrics(tmp_path / "gone.jsonl", 4) == 0.0


def test_progress_off_a_terminal_is_gentle_and_ends_with_the_last_step():
    stream = io.StringIO()
    run(Stub(), [callbacks.Speed(8), callbacks.ProgressLine(8, 8, stream)])
    first, last = stream.getvalue().splitlines()
    assert first.startswith("step 2/8  ")
    assert first.endswith("loss 0.5")
    assert "left" not in first
    assert last.startswith("step 8/8  ")
    assert "0:00 left" in last


def test_samples_have_a_row_a_class_and_one_z_a_column(tmp_path):
    samples = callbacks.SampleGrid(tmp_path / "samples", every=4)
    run(Stub(), [samples])
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["latest.png", "step_000004.png", "step_000008.png"]
    step, sheet = samples.drawn
    assert step == 8
    assert sheet.shape == (16 * 6 + 2, 8 * 6 + 2, 3)
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "samples/latest.png"), sheet)
    assert sheet[2, 2, 0] == 128
    assert sheet[2, 8, 0] > sheet[2, 2, 0] > sheet[8, 2, 0]


def test_tensorboard_gets_losses_and_samples(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    samples = callbacks.SampleGrid(tmp_path / "samples", every=4)
    board = callbacks.TensorBoard(tmp_path / "board", samples)
    run(Stub(), [callbacks.Speed(8), samples, board])
    events = EventAccumulator(str(tmp_path / "board")).Reload()
    assert [event.step for event in events.Tensors("loss")] == [2, 4, 6, 8]
    assert [event.step for event in events.Tensors("samples")] == [4, 8]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run(loss):
    with pytest.raises(ValueError, match=rf"loss is {loss} at step 2\. The last checkpoint is"):
        run(Stub(), [callbacks.StopOnNaN()], loss=loss)


def test_checkpoints_come_periodically_and_at_the_end(monkeypatch, tmp_path):
    saved = []
    monkeypatch.setattr(callbacks, "save_checkpoint", lambda model, *_: saved.append(model.step))
    run(Stub(), [callbacks.Checkpoint(tmp_path, every=4)], epochs=3)
    assert saved == [4, 6]
    run(Stub(), [callbacks.Checkpoint(tmp_path, every=4)], epochs=2)
    assert saved == [4, 6, 4]


def test_ctrl_c_ends_the_training_after_the_epoch(capsys):
    model, handler = Stub(), signal.getsignal(signal.SIGINT)
    with callbacks.StopOnSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        run(model, [stop])
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert model.step == 2
    assert stop.received == signal.SIGINT
    assert "once more" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler


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
