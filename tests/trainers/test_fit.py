import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from trainers import fit

pytestmark = pytest.mark.slow


@pytest.fixture
def call(capsys, tiny):
    """Returns a function that runs the program and gives its exit code, output and errors."""

    def call(*arguments):
        code = fit.COMMAND.call(fit.main, [*tiny, *arguments])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def call_folder(capsys, tmp_path):
    def call(*arguments):
        flags = ["--dataset=folder", "--image_size=16", f"--run_dir={tmp_path / 'run'}"]
        code = fit.COMMAND.call(fit.main, [*flags, *arguments])
        return code, capsys.readouterr().err

    return call


def write_classes(root, *names, count=4):
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(count):
            image = np.full((20, 24, 3), 40 * number, np.uint8)
            pictures.write_png(root / name / f"{number}.png", image)
    return root


def test_a_run_leaves_all_that_the_other_programs_read(finished_run):
    config = json.loads((finished_run / "config.json").read_text())
    assert config["config"]["steps"] == 4
    assert config["config"]["objective"]["pixel_weight"] == 1
    assert len(config["class_names"]) == 2
    lines = [json.loads(line) for line in (finished_run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(np.isfinite(value) for line in lines for value in line.values())
    assert (finished_run / "model.keras").is_file()
    assert (finished_run / "checkpoints" / "step_00000004.weights.h5").is_file()
    assert (finished_run / "samples" / "step_000004.png").is_file()
    assert pictures.read_picture(finished_run / "samples" / "latest.png").shape == (38, 146, 3)
    assert list((finished_run / "tensorboard").iterdir())


def test_a_complete_run_is_left_alone(finished_run, call):
    code, output, _ = call("--steps=4", f"--run_dir={finished_run}")
    assert code == 0
    assert "This run is complete, at step 4" in output


def test_another_configuration_is_refused_by_its_keys(finished_run, call):
    before = (finished_run / "config.json").read_bytes()
    flags = ["--steps=4", "--seed=1", "--set=pixel_weight=7"]
    code, _, errors = call(f"--run_dir={finished_run}", *flags)
    assert code == 1
    assert "objective.pixel_weight was 1.0 and is now 7.0; seed was 0 and is now 1." in errors
    assert "python -m trainers.fit --image_size=16" in errors
    assert (finished_run / "config.json").read_bytes() == before


def test_another_number_of_classes_is_refused(finished_run, call):
    code, _, errors = call(f"--run_dir={finished_run}", "--steps=4", "--num_classes=3")
    assert code == 1
    assert "class_names was" in errors


def test_dry_run_prints_and_writes_nothing(call, tmp_path):
    run_dir = tmp_path / "run"
    code, output, _ = call("--dry_run", f"--run_dir={run_dir}", "--learning_rate=encoder=0.5")
    assert code == 0
    assert '"encoder": 0.5' in output
    assert "discriminator: " in output
    assert "parameters" in output
    assert "2 classes, 10,000 training pictures, 16 px" in output
    assert not run_dir.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps=30", "--log_every=25"], "steps must be a multiple of log_every=25"),
        (["--sample_every=30"], "sample_every must be a multiple of log_every=25"),
        (["--set=kl=1"], "--set does not know 'kl'. Allowed: adversarial_loss, adversarial_w"),
        (["--set=kl_weight=a"], "--set=kl_weight takes a number. Received: 'a'."),
        (["--set=kl_weight=-1"], "kl_weight must be a number of at least 0"),
        (["--learning_rate=foo=1"], "--learning_rate does not know 'foo'. Allowed: encoder"),
        (["--learning_rate=x"], "--learning_rate takes a number. Received: 'x'."),
        (["--num_classes=1"], "petals has 2 to 200 classes"),
        (["--crop_to_box"], "--crop_to_box is not for the data set 'petals'."),
        (["--min_images=5"], "--min_images is not for the data set 'petals'."),
        (["--shard_data"], "among the workers of strategy=multi_worker. Received: strategy=no"),
        (["--data_dir=/tmp"], "built in and reads no folder"),
        (["--image_size=30"], "The compact networks take square images"),
    ],
)
def test_bad_values_are_one_line(call, tmp_path, arguments, message):
    code, _, errors = call(f"--run_dir={tmp_path / 'run'}", *arguments)
    assert code == 1
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message in errors


def test_unwritable_run_dir(call, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, errors = call(f"--run_dir={tmp_path / 'file' / 'run'}")
    assert code == 1
    assert "Cannot write the run directory" in errors
    assert "Choose another with --run_dir." in errors


def test_missing_folder(call_folder, tmp_path):
    code, errors = call_folder(f"--data_dir={tmp_path / 'gone'}")
    assert code == 1
    assert "does not exist" in errors


def test_one_class_only(call_folder, tmp_path):
    root = write_classes(tmp_path / "data", "daisy")
    code, errors = call_folder(f"--data_dir={root}")
    assert code == 1
    assert "has one class only, 'daisy'" in errors


def test_batch_larger_than_the_data_leaves_no_configuration(call_folder, tmp_path):
    root = write_classes(tmp_path / "data", "daisy", "tulip")
    code, errors = call_folder(f"--data_dir={root}")
    assert code == 1
    assert "A batch of 64 is larger than the data" in errors
    assert not (tmp_path / "run" / "config.json").exists()


def test_class_without_a_readable_picture(call_folder, tmp_path):
    root = write_classes(tmp_path / "data", "daisy", "tulip")
    for path in (root / "tulip").iterdir():
        path.write_bytes(b"no picture")
    code, errors = call_folder(f"--data_dir={root}", "--batch_size=2")
    assert code == 1
    assert "pictures of class 'tulip' can be read" in errors


def test_second_process_in_one_run_directory(call, tmp_path):
    from keras_cvaegan.training.run_directory import RunDirectory

    run = RunDirectory(tmp_path)
    with run.lock():
        code, _, errors = call(f"--run_dir={tmp_path}")
    assert code == 1
    assert "Another process is training" in errors


def test_diverged_training_names_the_loss(call, tmp_path):
    flags = ["--learning_rate=1e30", "--steps=8", "--log_every=2", "--checkpoint_every=2"]
    code, _, errors = call(f"--run_dir={tmp_path / 'run'}", *flags)
    assert code == 1
    assert "diverged" in errors


def test_people_with_few_pictures_are_left_out(call_folder, tmp_path, capsys):
    for name, count in (("Ann_Example", 4), ("Bob_Example", 3), ("Cy_Example", 2)):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for number in range(count):
            path = tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg"
            pictures.write_png(path, np.full((25, 25, 3), 40 * number, np.uint8))
    flags = ["--dataset=lfw", f"--data_dir={tmp_path}", "--dry_run"]
    assert fit.COMMAND.call(fit.main, [*flags, "--image_size=16", "--min_images=3"]) == 0
    output = capsys.readouterr().out
    assert '"min_images": 3' in output
    assert "Data: lfw, 2 classes, 3 training pictures, 16 px" in output
    code, errors = call_folder(*flags)
    assert code == 1
    assert "nobody with min_images=20 pictures" in errors


def sharded(**changes):
    """A configuration of two workers with a share of the data each."""
    from keras_cvaegan.training import TrainingConfig

    return TrainingConfig(
        **{"batch_size": 8, "strategy": "multi_worker", "shard_data": True, "seed": 3}
        | {"image_size": 16, "dataset_options": {"num_classes": 2, "count": 25}}
        | changes
    )


def test_each_worker_draws_from_its_own_share():
    from trainers.runs.data import TrainingPictures

    def drawn(index, step=0):
        batches = TrainingPictures(sharded()).batches(step, (index, 2)).take(6 - step)
        return [[image.numpy().tobytes() for image in images] for images, _ in batches]

    shares = [drawn(index) for index in range(2)]
    assert {len(batch) for share in shares for batch in share} == {4}
    first, second = ({image for batch in share for image in batch} for share in shares)
    assert len(first) == 13 and len(second) == 12
    assert not first & second
    assert drawn(1, step=4) == shares[1][4:]


class Workers:
    """A distribution without its devices."""

    worker = 1

    def __init__(self, *others):
        self.num_workers = 1 + len(others)
        self._others = others

    def gather(self, value):
        return [float(value), *(value + other for other in self._others)]


@pytest.mark.parametrize(
    ("config", "workers", "message"),
    [
        ({}, Workers(), "TF_CONFIG lists one only"),
        ({}, Workers(0, 1), "Of 3 workers, 2 had other flags .* found 25 pictures of 2 classes"),
        ({"shard_data": False}, Workers(1), "Of 2 workers, 1 had other flags"),
    ],
)
def test_workers_that_cannot_train_together(config, workers, message):
    from keras_cvaegan.training.workers import check_workers
    from trainers.runs.data import TrainingPictures

    config = sharded(**config)
    with pytest.raises(ValueError, match=message):
        check_workers(config, TrainingPictures(config), workers)


def test_workers_that_can_train_together():
    from keras_cvaegan.training.distribution import Distribution
    from keras_cvaegan.training.workers import check_workers
    from trainers.runs.data import TrainingPictures

    pictures_of_run = TrainingPictures(sharded())
    check_workers(sharded(), pictures_of_run, Workers(0))
    check_workers(sharded(shard_data=False), pictures_of_run, Distribution())


def test_shares_too_small_for_a_step():
    from keras_cvaegan.training.workers import check_shares

    message = "own pictures, of which it has 12. .* Choose at most 24"
    with pytest.raises(ValueError, match=message):
        check_shares(sharded(batch_size=26), 25, 2, 1)
    with pytest.raises(ValueError, match="Choose at most 4"):
        check_shares(sharded(), 25, 2, 6)
    check_shares(sharded(batch_size=24), 25, 2, 1)
    check_shares(sharded(batch_size=4), 25, 2, 6)
    check_shares(sharded(batch_size=26, shard_data=False), 25, 2, 1)
