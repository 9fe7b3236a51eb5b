"""The half circles: their models, a tiny run, and what is drawn of it."""

import json
import re

import numpy as np
import pytest

from keras_cvaegan import pictures
from trainers import half_circles
from trainers.command_line import flags
from trainers.points import half_circles_experiment, half_circles_plot
from trainers.points.half_circles import HalfCircles
from trainers.points.half_circles_verdict import MEASURES
from trainers.points.history import History
from trainers.points.settings import HALF_CIRCLES_METHODS, HalfCirclesSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def data():
    return HalfCircles()


def parsed(*arguments):
    values = half_circles.COMMAND.parse(list(arguments))
    return flags.to_dataclass(values, HalfCirclesSettings)


def hidden_units(network):
    hidden = [layer for layer in network.layers if re.fullmatch(r"block_\d", layer.name)]
    return [getattr(layer, "layer", layer).units for layer in hidden]


@pytest.mark.parametrize("method", HALF_CIRCLES_METHODS)
def test_networks_have_the_same_hidden_layers(method):
    networks = half_circles_experiment.build_networks(method, parsed())
    for name, network in networks.items():
        assert network.name == name
        assert hidden_units(network) == ([] if name == "mixture" else [32, 64, 64]), name


def test_codes_are_of_the_flags():
    settings = parsed("--latent_dim=4", "--relevant_dim=3", "--irrelevant_dim=5")
    cvae_gan = half_circles_experiment.build_model("cvae_gan", 0, settings)
    assert (cvae_gan.latent_dim, cvae_gan.num_classes) == (4, 3)
    lr_li = half_circles_experiment.build_model("lr_li_vae_gan", 0, settings)
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
    for given, rate in (([], 5e-4), (["--learning_rate=0.25"], 0.25)):
        model = half_circles_experiment.build_model(method, 0, parsed(*given))
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
            for x, y in half_circles_experiment.batches(points, labels, 2, seed=seed).take(6)
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


def call(capsys, *arguments):
    code = half_circles.COMMAND.call(half_circles.main, [*arguments])
    return (code, *capsys.readouterr())


def test_a_run_writes_figures_and_picture(tmp_path, capsys, monkeypatch):
    build, models = half_circles_experiment.build_model, []

    def spy(*arguments):
        models.append(build(*arguments))
        return models[-1]

    monkeypatch.setattr(half_circles_experiment, "build_model", spy)
    output = tmp_path / "half_circles"
    arguments = ["--seeds=1", "--epochs=4", "--record_every=2", "--points=10", "--batch_size=4"]
    code, printed, errors = call(capsys, *arguments, f"--output={output}")
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
        assert set(MEASURES) < set(showed)
    # An epoch of both has an update of the generator a batch: three, the last one not full.
    assert [int(model.step) for model in models] == [12, 12]
    assert [model.image_shape for model in models] == [(2,), (2,)]
    assert pictures.read_picture(output / "half_circles.png").shape[0] > 500
    names = sorted(path.name for path in output.iterdir())
    assert names == ["half_circles.json", "half_circles.png"]


def test_the_picture_has_a_colour_a_class_and_a_curve_a_method(data):
    history = History()
    for epoch in range(0, 9):
        history.add(epoch, data.fresh(50, seed=epoch), data)
    figure = half_circles_plot.figure(data, {"one": [history, history], "two": [history]})
    above, below = figure.subfigs
    assert [axes.get_title() for axes in above.axes[:4]] == ["1", "2", "4", "8"]
    assert [axes.get_ylabel() for axes in above.axes[::4]] == ["one", "two"]
    colors = [tuple(drawn.get_facecolor()[0]) for drawn in above.axes[0].collections]
    assert len(set(colors)) == 1 + 3
    shown = np.array(above.axes[0].collections[2].get_offsets())
    np.testing.assert_allclose(shown, history.points[1][1])
    assert not above.axes[0].texts
    # Data's spread, 1, is a line of its own.
    assert [len(axes.lines) for axes in below.axes] == [3, 2, 2]


def test_the_picture_tells_how_much_it_does_not_show(data):
    history = History()
    for epoch in (0, 1):
        points = data.fresh(40, seed=epoch)
        points[1, :6] += [[30, 0], [-30, 0], [0, 30], [0, -30], [30, 30], [-30, -30]]
        history.add(epoch, points, data)
    above, _ = half_circles_plot.figure(data, {"one": [history]}).subfigs
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
