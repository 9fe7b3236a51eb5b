"""The toy example: its models, a tiny run, and what is drawn of it."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from tests.helpers.ring_points import polar
from trainers import toy
from trainers.command_line import flags
from trainers.points import ring, ring_experiment, ring_plot
from trainers.points.history import History, shown_rows
from trainers.points.settings import RingSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def data():
    return ring.Ring(radius=20.0, width=10.0)


def test_the_optimizers_are_those_of_the_flags():
    for given, expected in (([], (5e-5, 0.99, 1e-16)), (["--rho=0.5"], (5e-5, 0.5, 1e-16))):
        values = toy.COMMAND.parse(["--nojit_compile", *given])
        settings = flags.to_dataclass(values, RingSettings)
        model = ring_experiment.build_model("fm_gan", 0, settings)
        assert {type(x).__name__ for x in model.optimizer.optimizers} == {"RMSprop"}
        for optimizer in model.optimizer.optimizers:
            assert float(optimizer.learning_rate) == pytest.approx(expected[0], rel=1e-6)
            assert (optimizer.rho, optimizer.epsilon) == expected[1:]


def call(capsys, *arguments):
    code = toy.COMMAND.call(toy.main, ["--nojit_compile", *arguments])
    return (code, *capsys.readouterr())


def test_a_run_writes_figures_and_picture(tmp_path, capsys):
    arguments = ["--methods=wgan,fm_gan", "--critic_steps=1", "--seeds=1", "--steps=4"]
    arguments += ["--record_every=2", "--batch_size=3", f"--output={tmp_path / 'toy'}"]
    code, output, errors = call(capsys, *arguments)
    assert code == 0, errors
    assert "2 of 2: mean matching, seed 0  step 4/4  " in output
    results = json.loads((tmp_path / "toy" / "toy.json").read_text())
    assert results["flags"]["learning_rate"] == 5e-5
    assert results["verdict"] in output
    for method in ("wgan", "fm_gan"):
        showed = results["methods"][method]
        assert showed["steps"] == [0, 2, 4]
        assert showed["covered_at"] == [None]
        # It begins near the origin, far from the ring, and moves.
        assert min(showed["distance"]["mean"]) > 100
        assert len(set(showed["distance"]["mean"])) == 3
    picture = pictures.read_picture(tmp_path / "toy" / "toy.png")
    assert picture.shape[0] > 600
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["toy.json", "toy.png"]


def test_a_training_that_diverges_is_told_and_left_out(tmp_path, capsys, monkeypatch):
    """The others are kept as soon as they end."""
    known = []

    def train(method, seed, ring, settings, show):
        if (method, seed) == ("gan", 0):
            raise ValueError("gan with seed 0 has diverged at step 2.")
        path = tmp_path / "toy" / "toy.json"
        known.append(json.loads(path.read_text())["methods"].keys() if path.exists() else None)
        history = History()
        for step in (0, 2):
            history.add(step, polar(20 if step else 2, np.arange(360)), ring)
            show(history)
        return history

    monkeypatch.setattr(ring_experiment, "train", train)
    arguments = ["--methods=gan,fm_gan", "--seeds=2", "--steps=2", "--record_every=2"]
    code, output, errors = call(capsys, *arguments, f"--output={tmp_path / 'toy'}")
    assert (code, errors) == (1, "error: gan with seed 0 has diverged at step 2.\n")
    assert "Failed, and left out here: gan, seed 0\n" in output
    assert known == [set(), {"fm_gan"}, {"gan", "fm_gan"}]
    results = json.loads((tmp_path / "toy" / "toy.json").read_text())
    assert results["failed"] == ["gan, seed 0"]
    assert {method: of["seeds"] for method, of in results["methods"].items()} == {
        "gan": [1],
        "fm_gan": [0, 1],
    }
    assert (tmp_path / "toy" / "toy.png").exists()


def test_all_trainings_diverge(tmp_path, capsys):
    arguments = ["--methods=gan", "--seeds=1", "--steps=2", "--record_every=1", "--batch_size=3"]
    output = tmp_path / "toy"
    code, _, errors = call(capsys, *arguments, "--learning_rate=1e30", f"--output={output}")
    assert code == 1
    assert "gan with seed 0 has diverged at step" in errors
    assert errors.endswith("error: No training came to its end: see the messages above.\n")
    assert json.loads((output / "toy.json").read_text())["failed"] == ["gan, seed 0"]


def test_batches_are_of_the_seed(data):
    first, again, other = (
        next(iter(ring_experiment.batches(data, 3, seed))).numpy() for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == (3, 2)
    assert (first != other).all()
    assert data.share_in_band(first) == 1


def test_the_picture_has_a_row_a_method_and_a_column_an_iteration(data):
    histories = {}
    for title in ("one", "two", "three"):
        history = History()
        for step in range(0, 900, 100):
            history.add(step, data.points(50, np.random.default_rng(step)), data)
        histories[title] = [history, history]
    figure = ring_plot.figure(data, histories)
    above, below = figure.subfigs
    assert len(above.axes) == 3 * len(shown_rows(range(9)))
    assert [axes.get_title() for axes in above.axes[:4]] == ["100", "200", "400", "800"]
    assert [axes.get_ylabel() for axes in above.axes[::4]] == ["one", "two", "three"]
    assert len(below.axes) == 2
    assert [len(axes.lines) for axes in below.axes] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods=gan,vae"], "--methods takes gan, wgan, fm_gan. Received: 'vae'."),
        (["--steps=1500"], "--steps must be a multiple of --record_every=1000."),
        (["--seeds=0"], "--seeds=0"),
        (["--width=50"], "A ring needs a radius"),
        (["--methods=gan,wgan", "--clip_value=0"], "--clip_value must be above 0. Received: 0"),
    ],
)
def test_bad_values_are_one_line(tmp_path, capsys, arguments, message):
    code, _, errors = call(capsys, f"--output={tmp_path / 'toy'}", *arguments)
    assert code == 1
    assert errors.count("\n") == 1
    assert message in errors
    assert not (tmp_path / "toy").exists()
