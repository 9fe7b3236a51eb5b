"""trainers.augmentation_study on stubs of generators and recognition networks, and once without."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from keras_cvaegan import pictures, saving
from keras_cvaegan.metrics import recognition
from tests.helpers.untrained import (
    CLASSES,
    TINY,
    Painter,
    caller,
    judge_without_training,
    leave_run,
    paint,
    run_without_training,
    write_pictures,
)
from trainers import augmentation_study
from trainers.augmentation import generators
from trainers.command_line.command import INTERRUPTED

pytestmark = pytest.mark.slow

COUNTS = {"train": 6, "validation": 1, "test": 4}
FLAGS = ("--images_per_class=2,all", "--seeds=2", "--per_class=5", "--new_classes=1",
         "--new_per_class=4", "--updates=3")  # fmt: skip

call = caller(augmentation_study, *TINY, *FLAGS)


class Generator(Painter):
    """Pictures of the weighted brightness of their classes."""

    def generate(self, labels, seed=0):
        values = np.asarray(labels) @ np.array(list(CLASSES.values()))
        return (
            paint(np.zeros(len(values), int), seed) + values.astype(np.uint8)[:, None, None, None]
        )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pictures(
        tmp_path_factory.mktemp("pictures"), COUNTS, wrong=lambda number: number == 3
    )


class Trainings:
    """What trainings were of."""

    def __init__(self):
        self.generators, self.networks = [], []

    def run(self, config, data, run_dir, command):
        images, labels = next(iter(data.batches(step=0)))
        self.generators.append((str(run_dir), config, images.numpy(), labels.numpy()))
        return SimpleNamespace(complete=True, model=Generator())

    def train(self, parts, num_classes, *, updates, batch_size, seed, verbose):
        counts = [np.bincount(labels, minlength=num_classes).tolist() for _, labels in parts]
        self.networks.append((counts, updates, seed))
        images, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
        return judge_without_training((images, labels), None, num_classes, augment=True)


@pytest.fixture
def trained(monkeypatch):
    trained = Trainings()
    monkeypatch.setattr(generators, "run", trained.run)
    monkeypatch.setattr(saving, "load", lambda path: Generator())
    monkeypatch.setattr(recognition, "train_recognition", trained.train)
    return trained


def by_label(images, labels):
    """The pictures of each class, as bytes."""
    return [{image.tobytes() for image in images[labels == label]} for label in range(3)]


def results_of(output):
    return json.loads((output / "study.json").read_text())


def test_arms_have_the_pictures_that_they_are_named_for(trained, data, tmp_path):
    ended = call(tmp_path / "out", data, "--arms=none,existing,new,both")
    assert ended.code == 0, ended.errors
    real, more, new = [2, 2, 2], [5, 5, 5], [0, 0, 0, 4]
    assert trained.networks[:4] == [
        ([real], 3, 0),
        ([real, more], 3, 0),
        ([[*real, 0], new], 3, 0),
        ([[*real, 0], [*more, 0], new], 3, 0),
    ]
    assert trained.networks[4] == ([[6, 6, 6]], 3, 0)
    assert [seed for _, _, seed in trained.networks] == [0] * 8 + [1] * 8
    runs = [
        (run.split("/out/")[1], config.images_per_class, config.seed, config.batch_size)
        for run, config, *_ in trained.generators
    ]
    assert "They take 4 generators of 2 steps." in ended.output
    assert runs == [
        ("2/seed_0/generator", 2, 0, 4),
        ("all/seed_0/generator", None, 0, 4),
        ("2/seed_1/generator", 2, 1, 4),
        ("all/seed_1/generator", None, 1, 4),
    ]
    results = results_of(tmp_path / "out")
    for size in ("2", "all"):
        for arm, found in results["summary"]["accuracy"][size].items():
            # One of four held-out pictures of each class looks like another class.
            assert found["by_seed"] == [0.75, 0.75], arm
    assert len(results["comparisons"]) == 6
    assert results["flags"]["seeds"] == 2
    assert "seeds" not in results["asked"]
    assert (results["asked"]["per_class"], results["asked"]["steps"]) == (5, 2)
    assert results["verdict"] in ended.output
    assert "6 cannot be told from chance with 2 seeds." in results["verdict"]
    assert "| all |" in (tmp_path / "out" / "table.md").read_text()
    assert "trained on the same pictures as the recognition network, and no others" in ended.output
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == [".lock", "study.json", "table.md"]
    # Again, nothing is to do; with a seed more, only that is.
    assert call(tmp_path / "out", data, "--arms=none,existing,new,both").code == 0
    assert len(trained.networks) == 16
    again = call(tmp_path / "out", data, "--seeds=3", "--arms=none")
    assert again.code == 0, again.errors
    assert [seed for _, _, seed in trained.networks[16:]] == [2, 2]
    assert "4 of 6 trainings are complete" in again.output
    other = call(tmp_path / "out", data, "--updates=4")
    assert other.code == 1
    assert "updates was 3 and is now 4. Choose another --output" in other.errors


def test_generators_see_the_pictures_of_the_network_and_no_others(
    trained, data, tmp_path, monkeypatch
):
    given = []
    monkeypatch.setattr(
        recognition, "train_recognition",
        lambda parts, *rest, **more: given.append(parts[0]) or trained.train(parts, *rest, **more),
    )  # fmt: skip
    ended = call(tmp_path, data, "--images_per_class=2", "--arms=existing", "--batch_size=6")
    assert ended.code == 0, ended.errors
    for (images, labels), (_, _, *batch) in zip(given, trained.generators, strict=True):
        # A batch of all pictures, in another order.
        for seen, known in zip(by_label(*batch), by_label(images, labels), strict=True):
            assert seen == known and len(known) == 2
    first, second = ({image.tobytes() for image in images} for images, _ in given)
    assert first != second
    ended = call(
        tmp_path / "one", data, "--images_per_class=2", "--arms=existing", "--one_generator"
    )
    first, second = ({image.tobytes() for image in images} for images, _ in given[2:])
    assert first == second
    assert "the intervals leave out their chance" in ended.output


def test_generators_of_few_pictures_take_batches_that_these_can_fill(trained, data, tmp_path):
    flags = ["--images_per_class=2,all", "--seeds=1", "--arms=existing"]
    without = [flag for flag in (*TINY, *FLAGS) if not flag.startswith("--batch_size")]
    ended = caller(augmentation_study, *without)(tmp_path / "out", data, *flags)
    assert ended.code == 0, ended.errors
    assert [config.batch_size for _, config, *_ in trained.generators] == [6, 18]


def test_a_stopped_study_goes_on(trained, data, tmp_path, monkeypatch):
    runs = []

    def stop(config, data, run_dir, command):
        runs.append(run_dir)
        if len(runs) == 2:
            return SimpleNamespace(complete=False)
        return trained.run(config, data, run_dir, command)

    monkeypatch.setattr(generators, "run", stop)
    ended = call(tmp_path, data)
    assert ended.code == INTERRUPTED
    assert "To go on with the whole:" in ended.output
    # The arm without a generator came before it.
    assert len(results_of(tmp_path)["trainings"]) == 4
    assert call(tmp_path, data).code == 0
    assert len(trained.networks) == 12

    def diverge(config, data, run_dir, command):
        raise ValueError("The training has diverged.")

    monkeypatch.setattr(generators, "run", diverge)
    failed = call(tmp_path / "failed", data)
    generator = tmp_path / "failed" / "2" / "seed_0" / "generator"
    assert (failed.code, failed.errors) == (
        1,
        f"error: The generator in {str(generator)!r} did not come to its end: The training has "
        "diverged.\n",
    )


def test_a_given_run_that_saw_more_is_said_to(trained, data, tmp_path):
    run = tmp_path / "run"
    leave_run([*TINY, data, "--model=cvae"], run)
    flags = [f"--run_dir={run}", "--seeds=1", "--arms=none,existing"]
    ended = call(tmp_path / "out", data, *flags)
    assert ended.code == 0, ended.errors
    assert trained.generators == []
    assert "Note: the generator of 2 pictures a class is" in ended.output
    assert "saw 18 training pictures, and others or more than" in ended.output
    assert "generator of all" not in ended.output
    assert "one seed cannot be told from chance" in ended.output
    other = write_pictures(tmp_path / "other")
    assert "must be of the study's data" in call(tmp_path / "new", other, *flags).errors


def test_a_given_run_that_saw_the_same_pictures_needs_no_note(trained, data, tmp_path):
    run = tmp_path / "run"
    leave_run([*TINY, data, "--model=cvae", "--images_per_class=2"], run)
    flags = [f"--run_dir=2={run}", "--seeds=2", "--arms=existing", "--images_per_class=2"]
    ended = call(tmp_path / "one", data, *flags, "--one_generator")
    assert ended.code == 0, ended.errors
    assert "a favour to augmentation" not in ended.output
    # The second seed's are others.
    assert "saw 6 training pictures, and others or more" in call(tmp_path, data, *flags).output


def test_nothing_is_replaced_in_a_real_study(data, tmp_path, monkeypatch):
    monkeypatch.setattr(generators, "run", run_without_training)
    faces = tmp_path / "faces"
    for label, name in enumerate(("Ann", "Bob", "dark")):
        (faces / name).mkdir(parents=True)
        for number in (1, 2):
            picture = paint([label], [number])[0]
            pictures.write_png(faces / name / f"{name}_{number:04d}.png", picture)
    lines = ["3\t1", "Ann\t1\t2", "Ann\t1\tBob\t1", "Bob\t1\t2", "Ann\t2\tBob\t2", "dark\t1\t2"]
    (faces / "pairs.txt").write_text("\n".join([*lines, "Ann\t1\tdark\t1"]))
    flags = ["--images_per_class=2", "--seeds=1", "--updates=2", "--model=cvae",
             f"--verification={faces}", "--recognition_batch_size=8"]  # fmt: skip
    ended = call(tmp_path / "out", data, *flags)
    assert ended.code == 0, ended.errors
    summary = results_of(tmp_path / "out")["summary"]
    for name in ("accuracy", "verification"):
        assert summary[name]["2"].keys() == {"none", "existing", "new"}
        for found in summary[name]["2"].values():
            assert 0 <= found["mean"] <= 1
    assert "Note: verification: 2 of 6 pairs are left out" in ended.output
    assert "Verification accuracy, by real pictures a class" in ended.output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--images_per_class=0"], "--images_per_class takes numbers of 1 or more, or all"),
        (["--arms=some"], "--arms takes none, existing, new, both"),
        (["--run_dir=7=x"], "one run for each of --images_per_class=2,all"),
        (["--run_dir=x", "--run_dir=y"], "one run for all numbers"),
        (["--run_dir=missing"], "there is no such folder"),
        (["--verification=missing"], "pairs.txt"),
        (["--set=nothing=1"], "--set does not know 'nothing'"),
    ],
)
def test_errors_are_one_line_and_write_nothing(data, tmp_path, flags, message):
    ended = call(tmp_path / "out", data, *flags)
    assert (ended.code, ended.errors.count("\n")) == (1, 1)
    assert message in ended.errors
    assert not (tmp_path / "out").exists()
