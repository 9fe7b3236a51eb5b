"""The toy example: its ring, its measures against points made by hand, and a tiny run."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from trainers import toy
from trainers.points import ring, ring_plot
from trainers.points import runs as point_runs


def polar(radius, degrees):
    """Points around (100, 100)."""
    angle = np.deg2rad(np.asarray(degrees, float))
    return 100 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


@pytest.fixture
def data():
    return ring.Ring(radius=20.0, width=10.0)


def test_the_ring_is_even_over_its_band(data):
    points = data.points(200_000, np.random.default_rng(0)).astype(float)
    x = points - 100
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    assert 15 <= radius.min() + 1e-4 <= radius.max() <= 25 + 1e-4
    # Even over the area: the squared radius is uniform.
    np.testing.assert_allclose(
        np.quantile(radius**2, [0.25, 0.5, 0.75]), [325, 425, 525], rtol=0.01
    )
    np.testing.assert_allclose(np.histogram(angle, 8)[0] / 25_000, 1, atol=0.03)


def test_distance_is_to_the_middle_of_the_band(data):
    points = np.concatenate([polar(20, [0, 90]), polar(26, [180]), polar(0, [0])])
    assert data.distance(points) == pytest.approx((0 + 0 + 6 + 20) / 4)
    assert data.share_in_band(points) == 0.5
    assert data.distance(points) == pytest.approx(
        np.mean([abs(np.linalg.norm(point - 100) - 20) for point in points])
    )


@pytest.mark.parametrize("radius", [15, 20, 25])
def test_coverage_counts_sectors(data, radius):
    # 90 points in nine sectors of 10°, thus 10 in each, where 2.5 of 90 would be even.
    degrees = np.repeat(np.arange(0, 90, 10) + 5.0, 10)
    assert data.coverage(polar(radius, degrees)) == 9 / 36


def test_a_sector_needs_its_share_within_the_band(data):
    even = np.tile(np.arange(0, 360, 10) + 5.0, 10)
    assert data.coverage(polar(20, even)) == 1
    # Of 720 points, 20 in a sector are even and 5 are needed.
    far = polar(80, np.zeros(360))
    assert data.coverage(np.concatenate([polar(20, even), far])) == 1
    assert data.coverage(np.concatenate([polar(20, even[: 4 * 36]), far, far[:216]])) == 0
    assert data.coverage(polar(26, even)) == 0
    assert data.coverage(polar(20, [5.0]), share=1e-9) == 1 / 36


def test_a_wide_cloud_covers_nothing(data):
    points = 100 + 40 * np.random.default_rng(0).standard_normal((2000, 2))
    assert data.coverage(points) == 0
    assert data.coverage(points, share=1e-9) == 1


@pytest.mark.parametrize(("radius", "width"), [(0, 1), (20, 0), (20, 41), (-1, -3)])
def test_a_ring_that_is_none(radius, width):
    with pytest.raises(ValueError, match="A ring needs"):
        ring.Ring(radius=radius, width=width)


def summary(**covered_at):
    return {
        method: {"seeds": list(range(len(steps))), "covered_at": steps}
        for method, steps in covered_at.items()
    }


@pytest.mark.parametrize(
    ("covered_at", "said"),
    [
        ({"gan": [None, 9], "fm_gan": [5, 5]}, "confirmed. Of 2 seeds, first in: GAN 0, mean"),
        ({"wgan": [4, 4], "fm_gan": [5, None]}, "refuted. Of 2 seeds, first in: WGAN 2, mean"),
        ({"wgan": [4, 6], "fm_gan": [5, 5]}, "neither confirmed nor refuted. Of 2 seeds, first"),
        (
            {"wgan": [4, None, None], "fm_gan": [None] * 3},
            "nor refuted. Of 3 seeds, first in: ",
        ),
        ({"wgan": [4, 4, None], "fm_gan": [None] * 3}, "refuted. Of 3 seeds, first in: WGAN 2"),
        ({"wgan": [5, 4], "fm_gan": [5, 5]}, "WGAN 1, mean matching 0; none in 1."),
        ({"gan": [None], "fm_gan": [None]}, "neither confirmed nor refuted. Of 1 seeds"),
        ({"gan": [1]}, "compares mean matching with another method"),
    ],
)
def test_verdict(covered_at, said):
    assert said in toy.verdict(summary(**covered_at))


def test_the_verdict_pairs_figures_of_one_seed():
    showed = summary(wgan=[4, 9], fm_gan=[5, 5])
    # Seed 0 of one and seed 2 of the other failed; in seed 1 mean matching is first.
    showed["wgan"]["seeds"], showed["fm_gan"]["seeds"] = [0, 1], [1, 2]
    assert "confirmed. Of 1 seeds, first in: WGAN 0, mean matching 1" in toy.verdict(showed)
    showed["fm_gan"]["seeds"] = [2, 3]
    assert "neither confirmed nor refuted. Of 0 seeds" in toy.verdict(showed)


def test_the_optimizers_are_those_of_the_flags():
    for flags, expected in (([], (5e-5, 0.99, 1e-16)), (["--rho=0.5"], (5e-5, 0.5, 1e-16))):
        model = toy.build_model("fm_gan", 0, toy.COMMAND.parse(["--nojit_compile", *flags]))
        assert {type(x).__name__ for x in model.optimizer.optimizers} == {"RMSprop"}
        for optimizer in model.optimizer.optimizers:
            assert float(optimizer.learning_rate) == pytest.approx(expected[0], rel=1e-6)
            assert (optimizer.rho, optimizer.epsilon) == expected[1:]


def call(capsys, *arguments):
    code = toy.COMMAND.call(toy.main, ["--nojit_compile", *arguments])
    return (code, *capsys.readouterr())


def test_a_run_writes_figures_and_picture(tmp_path, capsys):
    flags = ["--methods=wgan,fm_gan", "--critic_steps=1", "--seeds=1", "--steps=4"]
    flags += ["--record_every=2", "--batch_size=3", f"--output={tmp_path / 'toy'}"]
    code, output, errors = call(capsys, *flags)
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

    def train(method, seed, data, values, show):
        if (method, seed) == ("gan", 0):
            raise ValueError("gan with seed 0 has diverged at step 2.")
        path = tmp_path / "toy" / "toy.json"
        known.append(json.loads(path.read_text())["methods"].keys() if path.exists() else None)
        run = point_runs.Run()
        for step in (0, 2):
            run.add(step, polar(20 if step else 2, np.arange(360)), data)
            show(run)
        return run

    monkeypatch.setattr(toy, "train", train)
    flags = ["--methods=gan,fm_gan", "--seeds=2", "--steps=2", "--record_every=2"]
    code, output, errors = call(capsys, *flags, f"--output={tmp_path / 'toy'}")
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
    flags = ["--methods=gan", "--seeds=1", "--steps=2", "--record_every=1", "--batch_size=3"]
    output = tmp_path / "toy"
    code, _, errors = call(capsys, *flags, "--learning_rate=1e30", f"--output={output}")
    assert code == 1
    assert "gan with seed 0 has diverged at step" in errors
    assert errors.endswith("error: No training came to its end: see the messages above.\n")
    assert json.loads((output / "toy.json").read_text())["failed"] == ["gan, seed 0"]


def test_batches_are_of_the_seed(data):
    first, again, other = (next(iter(toy.batches(data, 3, seed))).numpy() for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (3, 2)
    assert (first != other).all()
    assert data.share_in_band(first) == 1


def test_mean_and_deviation_are_over_seeds(data):
    runs = [point_runs.Run(), point_runs.Run()]
    for run, radius in zip(runs, (20, 24), strict=True):
        run.add(0, polar(radius, np.arange(360)), data)
        run.add(7, polar(radius + 2, np.arange(360)), data)
    showed = toy.summarize({"gan": dict(enumerate(runs)), "wgan": {}})["gan"]
    assert showed["steps"] == [0, 7]
    np.testing.assert_allclose(showed["distance"]["mean"], [2, 4])
    np.testing.assert_allclose(showed["distance"]["std"], [2, 2])
    assert showed["covered_at"] == [0, 0]


def test_the_picture_has_a_row_a_method_and_a_column_an_iteration(data):
    runs = {}
    for title in ("one", "two", "three"):
        run = point_runs.Run()
        for step in range(0, 900, 100):
            run.add(step, data.points(50, np.random.default_rng(step)), data)
        runs[title] = [run, run]
    figure = ring_plot.figure(data, runs)
    above, below = figure.subfigs
    assert len(above.axes) == 3 * len(point_runs.shown_rows(range(9)))
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
