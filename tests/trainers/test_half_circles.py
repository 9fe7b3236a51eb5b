"""The half circles: points against their equation, measures of points made by hand, a tiny run."""

import json
import re

import numpy as np
import pytest
from scipy import stats

from keras_cvaegan import pictures
from trainers import half_circles
from trainers.points import half_circles_plot, runs
from trainers.points.half_circles import HalfCircles, _wasserstein_distance, labels_by_class


@pytest.fixture
def data():
    return HalfCircles()


def test_without_noise_points_are_evenly_on_half_circles():
    labels = labels_by_class(50_000)
    points = HalfCircles(noise=0.0).points(labels, np.random.default_rng(0)).astype(float)
    assert points.shape == (3, 50_000, 2)
    for label, of_class in enumerate(points):
        x, y = of_class[:, 0] - 2.2 * label, of_class[:, 1]
        np.testing.assert_allclose(np.hypot(x, y), 1, atol=1e-5)
        assert y.min() >= 0
        share = np.histogram(np.arctan2(y, x), 8, (0, np.pi))[0] / 50_000
        np.testing.assert_allclose(share, 1 / 8, atol=0.01)


def test_noise_is_on_both_coordinates(data):
    points = data.points(labels_by_class(100_000), np.random.default_rng(0)).astype(float)
    for label, of_class in enumerate(points):
        np.testing.assert_allclose(of_class.mean(0), [2.2 * label, 2 / np.pi], atol=0.01)
        expected = np.array([1 / 2, 1 / 2 - 4 / np.pi**2]) + 0.15**2
        np.testing.assert_allclose(of_class.var(0), expected, rtol=0.02)


def test_a_training_set_is_of_its_seed(data):
    (points, labels), (again, _), (other, _) = (data.training_set(7, seed) for seed in (4, 4, 5))
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    np.testing.assert_array_equal(points, again)
    assert (points != other).all()
    assert not np.isin(data.training_set(300, 0)[0], data.fresh(100)).any()


@pytest.mark.parametrize("values", [{"interval": -1.0}, {"noise": -0.1}, {"noise": np.nan}])
def test_half_circles_that_are_none(values):
    with pytest.raises(ValueError, match="Half circles need an interval and a noise of at least 0"):
        HalfCircles(**values)


def test_data_measure_as_data(data):
    measures = data.measure(data.fresh(10_000, seed=1))
    assert measures["spread"] == pytest.approx(1, abs=0.02)
    assert measures["range"] == pytest.approx(1, abs=0.02)
    assert measures["spread_error"] < 0.03
    assert max(measures["distance_x"], measures["distance_y"]) < 0.02


def test_points_that_keep_together_have_a_small_spread_and_range(data):
    points = data.fresh(10_000, seed=1)
    middle = points[..., 1:].mean(axis=1, keepdims=True)
    points[..., 1:] = middle + 0.5 * (points[..., 1:] - middle)
    measures = data.measure(points)
    assert measures["spread"] == pytest.approx(0.5, abs=0.01)
    assert measures["spread_error"] == pytest.approx(0.5, abs=0.01)
    assert measures["range"] == pytest.approx(0.5, abs=0.01)
    assert measures["distance_x"] < 0.02
    assert measures["distance_y"] > 0.1


def test_the_range_leaves_out_a_twentieth_at_either_end(data):
    points = data.fresh(10_000, seed=1)
    real = np.percentile(points[..., 1], (5, 10, 90, 95), axis=1)
    ends = np.where(points[..., 1] > np.median(points[..., 1]), 1000, -1000)
    few = np.arange(10_000) % 25 == 0
    # A share of 4 % at both ends together does not count.
    assert data.measure(np.stack([points[..., 0], points[..., 1] + few * ends], axis=-1))[
        "range"
    ] == pytest.approx(1, abs=0.1)
    points[..., 1] = np.clip(points[..., 1], *real[[1, 2]][..., np.newaxis])
    expected = ((real[2] - real[1]) / (real[3] - real[0])).mean()
    assert data.measure(points)["range"] == pytest.approx(expected, abs=0.01)


def test_a_right_spread_in_the_wrong_place_is_far(data):
    measures = data.measure(data.fresh(10_000, seed=1) + np.array([0.3, -0.4]))
    assert measures["spread_error"] < 0.03
    assert measures["distance_x"] == pytest.approx(0.3, abs=0.02)
    assert measures["distance_y"] == pytest.approx(0.4, abs=0.02)


def test_classes_that_err_in_opposite_directions_do_not_even_out(data):
    points = data.fresh(10_000, seed=1)
    points[..., 1] *= np.array([[0.4], [1.0], [1.6]])
    measures = data.measure(points)
    assert measures["spread"] == pytest.approx(1, abs=0.02)
    assert measures["spread_error"] == pytest.approx(0.4, abs=0.02)


def test_classes_that_change_places_are_far(data):
    assert data.measure(data.fresh(1000, seed=1)[::-1])["distance_x"] == pytest.approx(
        (4.4 + 0 + 4.4) / 3, abs=0.1
    )


def test_wasserstein_distance_is_that_of_scipy():
    random = np.random.default_rng(0)
    few, many = random.normal(0, 1, (3, 40)), random.normal(0.5, 2, (3, 120))
    expected = [stats.wasserstein_distance(*pair) for pair in zip(few, many, strict=True)]
    np.testing.assert_allclose(_wasserstein_distance(few, many), expected)


def parsed(*arguments):
    return half_circles.COMMAND.parse(list(arguments))


def hidden_units(network):
    hidden = [layer for layer in network.layers if re.fullmatch(r"block_\d", layer.name)]
    return [getattr(layer, "layer", layer).units for layer in hidden]


@pytest.mark.parametrize("method", half_circles.METHODS)
def test_networks_have_the_same_hidden_layers(method):
    networks = half_circles.build_networks(method, parsed())
    for name, network in networks.items():
        assert network.name == name
        assert hidden_units(network) == ([] if name == "mixture" else [32, 64, 64]), name


def test_codes_are_of_the_flags():
    values = parsed("--latent_dim=4", "--relevant_dim=3", "--irrelevant_dim=5")
    cvae_gan = half_circles.build_model("cvae_gan", 0, values)
    assert (cvae_gan.latent_dim, cvae_gan.num_classes) == (4, 3)
    lr_li = half_circles.build_model("lr_li_vae_gan", 0, values)
    assert (lr_li.relevant_dim, lr_li.irrelevant_dim, lr_li.num_classes) == (3, 5, 3)


@pytest.mark.parametrize(
    ("method", "betas", "weights"),
    [
        (
            "cvae_gan",
            (0.5, 0.999),
            {"kl_weight": 3, "mean_matching_weight": 1e-3, "class_matching_weight": 1e-3},
        ),
        (
            "lr_li_vae_gan",
            (0, 0.9),
            {"likelihood_weight": 0.1, "irrelevant_kl_weight": 10, "variance_decay_steps": 0},
        ),
    ],
)
def test_optimizers_and_weights_are_the_papers(method, betas, weights):
    for flags, rate in (([], 5e-4), (["--learning_rate=0.25"], 0.25)):
        model = half_circles.build_model(method, 0, parsed(*flags))
        assert {type(x).__name__ for x in model.optimizer.optimizers} == {"Adam"}
        for optimizer in model.optimizer.optimizers:
            assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-6)
            assert (optimizer.beta_1, optimizer.beta_2) == betas
        assert {name: getattr(model, name) for name in weights} == weights


def test_batches_pass_over_the_set_in_other_orders():
    points, labels = np.arange(12, dtype=np.float32).reshape(6, 2), np.arange(6)
    first, again, other = (
        [
            (x.numpy(), y.numpy())
            for x, y in half_circles.batches(points, labels, 2, seed=seed).take(6)
        ]
        for seed in (0, 0, 1)
    )
    orders = [np.concatenate([y for _, y in found]).reshape(2, 6) for found in (first, again)]
    np.testing.assert_array_equal(np.sort(orders[0], axis=1), [range(6)] * 2)
    assert (orders[0][0] != orders[0][1]).any()
    np.testing.assert_array_equal(*orders)
    assert (np.concatenate([y for _, y in other]).reshape(2, 6) != orders[0]).any()
    for x, y in first:
        np.testing.assert_array_equal(x[:, 0], 2 * y)


def summary(cvae_gan, lr_li_vae_gan):
    """What methods showed whose last spreads these are, by seed."""

    def showed(spreads):
        measures = {"spread": spreads, "spread_error": [abs(x - 1) for x in spreads]}
        measures["distance_y"] = [2 * x for x in spreads]
        by_seed = {name: {"by_seed": [[9.0, x] for x in of]} for name, of in measures.items()}
        return {"seeds": list(range(len(spreads))), **by_seed}

    return {"cvae_gan": showed(cvae_gan), "lr_li_vae_gan": showed(lr_li_vae_gan)}


@pytest.mark.parametrize(
    ("spreads", "said"),
    [
        (([0.5, 0.7], [0.75, 0.8]), "than CVAE-GAN: confirmed. It is so in 2 of 2 seeds. "),
        (
            ([0.5, 0.5], [0.9, 0.4]),
            "than CVAE-GAN: neither confirmed nor refuted. It is so in 1 of 2",
        ),
        (([0.5, 0.5, 0.5], [0.4, 0.9, 0.3]), "than CVAE-GAN: refuted. It is so in 1 of 3"),
        # More than the data's spread is not better.
        (([0.5], [1.8]), "than CVAE-GAN: refuted. It is so in 0 of 1"),
        (([1.5], [1.2]), "than CVAE-GAN: confirmed. It is so in 1 of 1"),
        (([0.5], [0.5]), "than CVAE-GAN: refuted. It is so in 0 of 1"),
        (
            ([0.5, 0.7], [0.75, 0.85]),
            "CVAE-GAN: spread 0.60 (data 1), distance 1.200; LR/LI-VAE-GAN: spread 0.80 (data 1), "
            "distance 1.600.",
        ),
    ],
)
def test_verdict(spreads, said):
    assert said in half_circles.verdict(summary(*spreads))


def test_the_verdict_pairs_figures_of_one_seed():
    showed = summary([0.9, 0.2], [0.5, 0.95])
    # Seed 0 of one and seed 2 of the other failed.
    showed["cvae_gan"]["seeds"], showed["lr_li_vae_gan"]["seeds"] = [1, 2], [0, 1]
    assert "CVAE-GAN: confirmed. It is so in 1 of 1 seeds. " in half_circles.verdict(showed)
    showed["lr_li_vae_gan"]["seeds"] = [0, 3]
    assert "undecided, since in each seed a training failed" in half_circles.verdict(showed)
    del showed["cvae_gan"]
    assert "claim compares LR/LI-VAE-GAN with CVAE-GAN" in half_circles.verdict(showed)


def call(capsys, *arguments):
    code = half_circles.COMMAND.call(half_circles.main, [*arguments])
    return (code, *capsys.readouterr())


def test_a_run_writes_figures_and_picture(tmp_path, capsys, monkeypatch):
    build, models = half_circles.build_model, []

    def spy(*arguments):
        models.append(build(*arguments))
        return models[-1]

    monkeypatch.setattr(half_circles, "build_model", spy)
    output = tmp_path / "half_circles"
    flags = ["--seeds=1", "--epochs=4", "--record_every=2", "--points=10", "--batch_size=4"]
    code, printed, errors = call(capsys, *flags, f"--output={output}")
    assert code == 0, errors
    assert "2 of 2: LR/LI-VAE-GAN, seed 0  epoch 4/4  " in printed
    results = json.loads((output / "half_circles.json").read_text())
    assert results["flags"]["learning_rate"] == 5e-4
    assert results["verdict"] in printed
    assert results["failed"] == []
    assert list(results["methods"]) == ["cvae_gan", "lr_li_vae_gan"]
    for showed in results["methods"].values():
        assert showed["epochs"] == [0, 2, 4]
        assert len(set(showed["distance_x"]["mean"])) == 3
        assert set(half_circles.MEASURES) < set(showed)
    # An epoch of both has an update of the generator a batch: three, the last one not full.
    assert [int(model.step) for model in models] == [12, 12]
    assert [model.image_shape for model in models] == [(2,), (2,)]
    assert pictures.read_picture(output / "half_circles.png").shape[0] > 500
    names = sorted(path.name for path in output.iterdir())
    assert names == ["half_circles.json", "half_circles.png"]


def test_the_table_has_data_and_methods_over_the_epochs(data):
    run = runs.Run()
    for epoch in range(0, 9):
        run.add(epoch, data.fresh(50, seed=1), data)
    text = half_circles.table(runs.summarize({"cvae_gan": {0: run}}, "epochs"), data)
    lines = text.splitlines()
    assert lines[0].split() == ["epoch", "1", "2", "4", "8"]
    assert len(lines) == 1 + 2 * len(half_circles.MEASURES)
    assert lines[1].startswith("spread along y (data 1.0")
    assert lines[2].split() == ["CVAE-GAN", *[f"{run.measures['spread'][0]:.3f}", "±", "0.000"] * 4]


def test_the_picture_has_a_colour_a_class_and_a_curve_a_method(data):
    run = runs.Run()
    for epoch in range(0, 9):
        run.add(epoch, data.fresh(50, seed=epoch), data)
    figure = half_circles_plot.figure(data, {"one": [run, run], "two": [run]})
    above, below = figure.subfigs
    assert [axes.get_title() for axes in above.axes[:4]] == ["1", "2", "4", "8"]
    assert [axes.get_ylabel() for axes in above.axes[::4]] == ["one", "two"]
    colors = [tuple(drawn.get_facecolor()[0]) for drawn in above.axes[0].collections]
    assert len(set(colors)) == 1 + 3
    shown = np.array(above.axes[0].collections[2].get_offsets())
    np.testing.assert_allclose(shown, run.points[1][1])
    assert not above.axes[0].texts
    # Data's spread, 1, is a line of its own.
    assert [len(axes.lines) for axes in below.axes] == [3, 2, 2]


def test_the_picture_tells_how_much_it_does_not_show(data):
    run = runs.Run()
    for epoch in (0, 1):
        points = data.fresh(40, seed=epoch)
        points[1, :6] += [[30, 0], [-30, 0], [0, 30], [0, -30], [30, 30], [-30, -30]]
        run.add(epoch, points, data)
    above, _ = half_circles_plot.figure(data, {"one": [run]}).subfigs
    assert [text.get_text() for axes in above.axes for text in axes.texts] == ["5% outside"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods=cvae"], "--methods takes cvae_gan, lr_li_vae_gan. Received: 'cvae'."),
        (["--epochs=50", "--record_every=4"], "--epochs must be a multiple of --record_every=4."),
        (["--points=0"], "--points=0"),
        (["--irrelevant_dim=0"], "--irrelevant_dim=0"),
        (["--noise=-1"], "Half circles need an interval and a noise of at least 0. Received: "),
        (["--steps=3"], "Unknown command line flag 'steps'"),
    ],
)
def test_bad_values_are_one_line(tmp_path, capsys, arguments, message):
    code, _, errors = call(capsys, f"--output={tmp_path / 'half_circles'}", *arguments)
    assert code == 1
    assert errors.count("\n") == 1
    assert message in errors
    assert not (tmp_path / "half_circles").exists()
