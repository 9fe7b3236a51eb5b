import itertools
import json
import os
import signal
import threading
import time

import keras
import numpy as np
import pytest

import keras_cvaegan
from keras_cvaegan.training import ArrayData, TrainingConfig, run
from keras_cvaegan.training.run_directory import RunDirectory

pytestmark = pytest.mark.slow

CONFIG = TrainingConfig(
    model="cvae", image_size=16, latent_dim=3, batch_size=4, steps=4, log_every=1, export=False
)

PHOTO = CONFIG.replace(model="cvae_gan", preset="photo")


@pytest.fixture(scope="module")
def arrays():
    random = np.random.default_rng(0)
    return random.integers(0, 256, (10, 16, 16, 3), np.uint8), np.arange(10) % 2


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in model.weights]


@pytest.mark.parametrize("config", [CONFIG, PHOTO], ids=["compact", "photo"])
def test_a_run_that_goes_on_ends_as_one_that_never_stopped(config, arrays, tmp_path, capsys):
    whole = run(config, arrays, tmp_path / "whole")
    first = run(config.replace(steps=2), arrays, tmp_path / "parts")
    assert first.complete
    again = run(config, arrays, tmp_path / "parts")
    assert "Going on from step 2." in capsys.readouterr().out
    for one, other in zip(weights(whole.model), weights(again.model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_run_leaves(arrays, tmp_path, capsys):
    trained = run(CONFIG, arrays, tmp_path, command="a command")
    record = RunDirectory(tmp_path).read_config()
    assert TrainingConfig.from_json(record["config"]) == CONFIG
    assert (record["class_names"], record["command"]) == (["0", "1"], "a command")
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]
    assert (tmp_path / "samples" / "latest.png").exists()
    loaded = keras_cvaegan.load(tmp_path)
    np.testing.assert_array_equal(loaded.generate([0, 1]), trained.model.generate([0, 1]))
    assert not (tmp_path / "export").exists()
    capsys.readouterr()
    later = run(CONFIG, arrays, tmp_path)
    assert (later.complete, later.trained_now) == (True, False)
    assert "This run is complete, at step 4" in capsys.readouterr().out


def test_another_configuration_in_the_folder_is_refused(arrays, tmp_path):
    run(CONFIG.replace(steps=1), arrays, tmp_path)
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="batch_size was 4 and is now 2"):
        run(CONFIG.replace(batch_size=2), arrays, tmp_path)
    assert (tmp_path / "model.keras").read_bytes() == before


def test_a_signal_stops_with_a_checkpoint_and_what_to_do(arrays, tmp_path, capsys):
    config = CONFIG.replace(steps=2_000)

    def interrupt():
        metrics = tmp_path / "metrics.jsonl"
        while not (metrics.exists() and metrics.stat().st_size):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    trained = run(config, arrays, tmp_path, command="the same again")
    thread.join()
    assert not trained.complete
    assert list((tmp_path / "checkpoints").iterdir())
    assert not (tmp_path / "model.keras").exists()
    assert "To go on:\n  the same again" in capsys.readouterr().out


def test_arrays_come_in_an_order_that_goes_on_from_anywhere(arrays):
    data = ArrayData(*arrays, config=CONFIG)

    def labels_and_sums(start, count):
        found = itertools.islice(data.batches(start), count)
        return [(x.numpy().sum(), y.numpy().tolist()) for x, y in found]

    assert labels_and_sums(0, 8)[3:] == labels_and_sums(3, 5)
    # Five batches of four are two epochs of ten.
    rows = np.concatenate([x.numpy().reshape(4, -1)[:, :9] for x, _ in
                           itertools.islice(data.batches(0), 5)])  # fmt: skip
    assert set(np.unique(rows, axis=0, return_counts=True)[1]) == {2}


def test_shards_are_pieces_of_the_whole_batch(arrays):
    data = ArrayData(*arrays, config=CONFIG)
    whole, first, second = (
        next(iter(data.batches(2, shard, batches_per_step=2)))[0].numpy()
        for shard in ((0, 1), (0, 2), (1, 2))
    )
    np.testing.assert_array_equal(whole, np.concatenate([first, second]))
    assert len(whole) == 8


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 8, 8, 3)), [0, 0, 0], r"shape \(n, 16, 16, channels\) of image_size=16"),
        (np.zeros((3, 16, 16, 3)), [0, 0], "one for each image.*Received: int64 \\(2,\\) for 3"),
        (np.zeros((3, 16, 16, 3)), [0.0, 1.0, 1.0], "labels must be integers"),
        (np.zeros((2, 16, 16, 3)), [-1, 0], "labels must be from 0 to 0. Received: -1 to 0"),
        (np.zeros((0, 16, 16, 3)), np.zeros(0, int), "at least one"),
    ],
)
def test_arrays_that_do_not_go_together(images, labels, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(CONFIG, (images, labels), tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_a_run_may_start_from_anothers_weights_its_classes_matched_by_name(
    arrays, tmp_path, capsys
):
    images, labels = arrays

    def data(config, names):
        return ArrayData(images, labels, config, class_names=names)

    source = run(CONFIG, data(CONFIG, ["daisy", "rose"]), tmp_path / "source").model
    config = CONFIG.replace(init_from=str(tmp_path / "source"), learning_rates=0.0)
    capsys.readouterr()
    tuned = run(config, data(config, ["rose", "tulip"]), tmp_path / "tuned").model
    assert "classes: 1 known, 1 new (tulip), 1 unused (daisy)." in capsys.readouterr().out
    # Without learning, what no class has a part in is the source's; a fresh run has other weights.
    fresh = config.build_model(["rose", "tulip"])
    last, of_source, of_fresh = (
        keras.ops.convert_to_numpy(model.generator.trainable_variables[-2])
        for model in (tuned, source, fresh)
    )
    assert last.ndim == 4
    np.testing.assert_array_equal(last, of_source)
    assert not np.array_equal(last, of_fresh)
    assert int(tuned.step) == 4


def test_a_run_that_goes_on_needs_its_source_no_more(arrays, tmp_path):
    run(CONFIG, arrays, tmp_path / "source")
    config = CONFIG.replace(init_from=str(tmp_path / "source"))
    run(config.replace(steps=2), arrays, tmp_path / "tuned")
    (tmp_path / "source" / "model.keras").unlink()
    assert run(config, arrays, tmp_path / "tuned").complete


def test_a_source_that_is_no_finished_run(arrays, tmp_path):
    with pytest.raises(ValueError, match="Not a run directory"):
        run(CONFIG.replace(init_from=str(tmp_path / "none")), arrays, tmp_path / "run")
    assert not (tmp_path / "run").exists()
