"""trainers.augmentation_study on stubs of generators and recognition networks, and once without."""

import functools
import json

import numpy as np
import pytest

from keras_cvaegan import pictures, saving
from keras_cvaegan.metrics import recognition
from tests.helpers.untrained import (
    CLASSES,
    TINY,
    Painter,
    caller,
    fit_without_training,
    judge_without_training,
    paint,
    write_pictures,
)
from trainers import augmentation_study as study
from trainers import fit
from trainers.command_line.command import INTERRUPTED
from trainers.runs import configuration

COUNTS = {"train": 6, "validation": 1, "test": 4}
FLAGS = ("--images_per_class=2,all", "--seeds=2", "--per_class=5", "--new_classes=1",
         "--new_per_class=4", "--updates=3")  # fmt: skip

call = caller(study, *TINY, *FLAGS)


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


class Seen:
    """What trainings were of."""

    def __init__(self):
        self.generators, self.networks = [], []

    def fit(self, values):
        config = configuration.configure(values)
        source = configuration.data_source(config)
        self.generators.append((values.run_dir, source.count, config["batch_size"]))
        return 0

    def train(self, parts, num_classes, *, updates, batch_size, seed, verbose):
        counts = [np.bincount(labels, minlength=num_classes).tolist() for _, labels in parts]
        self.networks.append((counts, updates, seed))
        images, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
        return judge_without_training((images, labels), None, num_classes, augment=True)


@pytest.fixture
def seen(monkeypatch):
    seen = Seen()
    monkeypatch.setattr(fit, "main", seen.fit)
    monkeypatch.setattr(saving, "load", lambda path: Generator())
    monkeypatch.setattr(recognition, "train_recognition", seen.train)
    return seen


def results_of(output):
    return json.loads((output / "study.json").read_text())


def test_arms_have_the_pictures_that_they_are_named_for(seen, data, tmp_path):
    ended = call(tmp_path / "out", data, "--arms=none,existing,new,both")
    assert ended.code == 0, ended.errors
    real, more, new = [2, 2, 2], [5, 5, 5], [0, 0, 0, 4]
    assert seen.networks[:4] == [
        ([real], 3, 0),
        ([real, more], 3, 0),
        ([[*real, 0], new], 3, 0),
        ([[*real, 0], [*more, 0], new], 3, 0),
    ]
    assert seen.networks[4] == ([[6, 6, 6]], 3, 0)
    assert [seed for _, _, seed in seen.networks] == [0] * 8 + [1] * 8
    generators = [(run.split("/out/")[1], *rest) for run, *rest in seen.generators]
    assert "They take 4 generators of 2 steps." in ended.output
    # As many pictures as the network; batches that these can fill.
    assert generators == [
        ("2/seed_0/generator", 6, 4),
        ("all/seed_0/generator", 18, 4),
        ("2/seed_1/generator", 6, 4),
        ("all/seed_1/generator", 18, 4),
    ]
    results = results_of(tmp_path / "out")
    for size in ("2", "all"):
        for arm, found in results["summary"]["accuracy"][size].items():
            # One of four held-out pictures of each class looks like another class.
            assert found["by_seed"] == [0.75, 0.75], arm
    assert len(results["comparisons"]) == 6
    assert results["verdict"] in ended.output
    assert "6 cannot be told from chance with 2 seeds." in results["verdict"]
    assert "| all |" in (tmp_path / "out" / "table.md").read_text()
    assert "trained on the same pictures as the recognition network, and no others" in ended.output
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == [".lock", "2", "all", "held_out", "study.json", "table.md"]
    # Again, nothing is to do; with a seed more, only that is.
    assert call(tmp_path / "out", data, "--arms=none,existing,new,both").code == 0
    assert len(seen.networks) == 16
    again = call(tmp_path / "out", data, "--seeds=3", "--arms=none")
    assert again.code == 0, again.errors
    assert [seed for _, _, seed in seen.networks[16:]] == [2, 2]
    assert "4 of 6 trainings are complete" in again.output
    other = call(tmp_path / "out", data, "--updates=4")
    assert other.code == 1
    assert "updates was 3 and is now 4. Choose another --output" in other.errors


def test_generators_see_the_pictures_of_the_network_and_no_others(
    seen, data, tmp_path, monkeypatch
):
    given = []
    monkeypatch.setattr(
        recognition, "train_recognition",
        lambda parts, *rest, **more: given.append(parts[0]) or seen.train(parts, *rest, **more),
    )  # fmt: skip
    ended = call(tmp_path, data, "--images_per_class=2", "--arms=existing")
    assert ended.code == 0, ended.errors
    for seed, (images, labels) in enumerate(given):
        folders = sorted((tmp_path / "2" / f"seed_{seed}" / "pictures" / "train").iterdir())
        assert [folder.name for folder in folders] == ["00000_dark", "00001_light", "00002_middle"]
        for label, folder in enumerate(folders):
            found = {pictures.read_picture(path).tobytes() for path in folder.iterdir()}
            assert found == {image.tobytes() for image in images[labels == label]}
    first, second = ({image.tobytes() for image in images} for images, _ in given)
    assert first != second
    ended = call(
        tmp_path / "one", data, "--images_per_class=2", "--arms=existing", "--one_generator"
    )
    first, second = ({image.tobytes() for image in images} for images, _ in given[2:])
    assert first == second
    assert "the intervals leave out their chance" in ended.output


def test_a_stopped_study_goes_on(seen, data, tmp_path, monkeypatch):
    runs, train = [], seen.fit

    def stop(values):
        runs.append(values.run_dir)
        return INTERRUPTED if len(runs) == 2 else train(values)

    monkeypatch.setattr(fit, "main", stop)
    ended = call(tmp_path, data)
    assert ended.code == INTERRUPTED
    assert "To go on with the whole:" in ended.output
    # The arm without a generator came before it.
    assert len(results_of(tmp_path)["trainings"]) == 4
    assert call(tmp_path, data).code == 0
    assert len(seen.networks) == 12
    monkeypatch.setattr(fit, "main", lambda values: 1)
    failed = call(tmp_path / "failed", data)
    assert failed.code == 1
    assert "did not come to its end" in failed.errors


def test_a_given_run_that_saw_more_is_said_to(seen, data, tmp_path):
    run = tmp_path / "run"
    fit_without_training(fit.COMMAND.parse([*TINY, data, f"--run_dir={run}", "--model=cvae"]))
    flags = [f"--run_dir={run}", "--seeds=1", "--arms=none,existing"]
    ended = call(tmp_path / "out", data, *flags)
    assert ended.code == 0, ended.errors
    assert seen.generators == []
    assert "Note: the generator of 2 pictures a class is" in ended.output
    assert "saw 18 training pictures, and others or more than" in ended.output
    assert "generator of all" not in ended.output
    assert "one seed cannot be told from chance" in ended.output
    other = write_pictures(tmp_path / "other")
    assert "must be of the study's data" in call(tmp_path / "new", other, *flags).errors


def test_nothing_is_replaced_in_a_real_study(data, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "main", fit_without_training)
    monkeypatch.setattr(saving, "load", functools.cache(saving.load))
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


def test_batches_take_each_picture_as_often_as_any_other():
    parts = [(np.full((count, 2, 2, 3), count, np.uint8), np.arange(count)) for count in (3, 4, 0)]
    stream = recognition.Stream(parts, updates=7, batch_size=5, seed=2)
    batches = [stream[index] for index in range(len(stream))]
    seen = [
        (round((image[0, 0, 0] + 1) * 127.5), label)
        for images, labels in batches
        for image, label in zip(images, labels.tolist(), strict=True)
    ]
    every = {(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3)}
    for epoch in range(5):
        assert set(seen[7 * epoch : 7 * epoch + 7]) == every
    assert seen[:7] != seen[7:14]
    np.testing.assert_array_equal(stream[0][1], batches[0][1])


def test_new_classes_are_no_answers():
    def network(images, training):
        return images[:, 0, 0, :1] * [[1, -1, 0]] + [[0, 0, 9]]

    images = np.zeros((4, 2, 2, 3), np.uint8)
    images[:2] = 255
    labels = np.array([0, 0, 1, 0])
    assert recognition.accuracy(network, (images, labels), 2) == 0.75
    assert recognition.accuracy(network, (images, labels), 3) == 0


@pytest.mark.parametrize(
    ("values", "others", "says"),
    [
        ([0.5, 0.52, 0.51], [0.4, 0.41, 0.42], "gain"),
        ([0.4, 0.41, 0.42], [0.5, 0.52, 0.51], "loss"),
        ([0.6, 0.4, 0.5], [0.5, 0.45, 0.3], "undecided"),
        ([0.5, 0.5], [0.5, 0.5], "undecided"),
    ],
)
def test_comparisons_are_paired(values, others, says):
    from scipy import stats

    found = study.compare(values, others)
    assert found["says"] == says
    if np.std(np.subtract(values, others)) > 0:
        low, high = stats.ttest_rel(values, others).confidence_interval(0.95)
        assert found["interval"] == pytest.approx([low, high])


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
