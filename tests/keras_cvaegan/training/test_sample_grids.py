import json

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.training import callbacks, metrics_log, sample_grids
from keras_cvaegan.training.callbacks import Speed
from tests.helpers.epochs import Stub, run


def test_metrics_go_on_after_a_checkpoint(tmp_path):
    path = tmp_path / "metrics.jsonl"
    model = Stub()
    run(model, [Speed(8), metrics_log.MetricsWriter(path)])
    with path.open("a") as file:
        file.write('{"step": 10, "sec')
    seconds = metrics_log.truncate_metrics(path, 4)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [2, 4]
    assert seconds == json.loads(path.read_text().splitlines()[-1])["seconds"]
    model.step = 4
    run(model, [Speed(8, 100.0), metrics_log.MetricsWriter(path)], epochs=1)
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["step"] == 6
    assert last["loss"] == 0.5
    assert last["seconds"] >= 100
    assert last["images_per_second"] > 0


def test_truncate_without_a_file(tmp_path):
    assert metrics_log.truncate_metrics(tmp_path / "gone.jsonl", 4) == 0.0


def test_samples_have_a_row_a_class_and_one_z_a_column(tmp_path):
    samples = sample_grids.SampleGrid(tmp_path / "samples", every=4)
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

    samples = sample_grids.SampleGrid(tmp_path / "samples", every=4)
    board = callbacks.TensorBoard(tmp_path / "board", samples)
    run(Stub(), [Speed(8), samples, board])
    events = EventAccumulator(str(tmp_path / "board")).Reload()
    assert [event.step for event in events.Tensors("loss")] == [2, 4, 6, 8]
    assert [event.step for event in events.Tensors("samples")] == [4, 8]


def test_checkpoints_come_periodically_and_at_the_end(monkeypatch, tmp_path):
    saved = []
    monkeypatch.setattr(callbacks, "save_checkpoint", lambda model, *_: saved.append(model.step))
    run(Stub(), [callbacks.Checkpoint(tmp_path, every=4)], epochs=3)
    assert saved == [4, 6]
    run(Stub(), [callbacks.Checkpoint(tmp_path, every=4)], epochs=2)
    assert saved == [4, 6, 4]
