import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cvaegan.models import MODELS
from keras_cvaegan.models.code_mappings import MAPPINGS
from keras_cvaegan.names import CODE_MAPPINGS, MODEL_NAMES, PRESET_NAMES, UNCONDITIONAL_MODELS
from keras_cvaegan.networks import PRESETS
from keras_cvaegan.training import RunConfig, TrainingConfig


def test_the_names_are_those_of_the_models_and_presets():
    assert tuple(MODELS) == MODEL_NAMES
    assert tuple(PRESETS) == PRESET_NAMES
    without = tuple(name for name, model in MODELS.items() if not model.conditional)
    assert without == UNCONDITIONAL_MODELS
    assert tuple(MAPPINGS) == CODE_MAPPINGS


@pytest.mark.parametrize("preset", PRESET_NAMES)
@pytest.mark.parametrize("model", MODEL_NAMES)
def test_what_is_not_given_is_the_models_and_the_presets(model, preset):
    config = TrainingConfig(model=model, preset=preset)
    kind, found = MODELS[model], PRESETS[preset]
    assert config.image_size == kind.default_image_size(found)
    assert config.latent_dim == kind.default_latent_dim(found, (config.image_size,) * 2 + (3,))
    assert (config.steps, config.batch_size) == (found.steps, found.batch_size)
    assert config.learning_rates == kind.default_learning_rates(found)
    assert config.beta_1 == kind.default_beta_1(found)
    assert config.objective.keys() == kind.hyperparameters(preset).keys()


@given(
    steps=st.integers(1, 10_000),
    log_every=st.none() | st.integers(1, 30),
    seed=st.integers(0, 2**31 - 1),
)
def test_intervals_always_fit_and_json_gives_the_same_back(steps, log_every, seed):
    if log_every is not None:
        steps *= log_every
    config = RunConfig(steps=steps, batch_size=8, log_every=log_every, seed=seed)
    assert config.log_every == (log_every or config.log_every)
    for every in (config.steps, config.sample_every, config.checkpoint_every):
        assert every % config.log_every == 0
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(("steps", "log_every"), [(100, 25), (26, 13), (7, 7), (4500, 25), (31, 1)])
def test_a_line_of_the_log_is_a_divisor_of_the_steps(steps, log_every):
    assert RunConfig(steps=steps, batch_size=8).log_every == log_every


def test_defaults_follow_when_others_are_replaced():
    config = TrainingConfig(model="cvae_gan", objective={}, seed=3)
    other = config.replace(model="wgan", preset="paper")
    assert (other.model, other.preset, other.seed) == ("wgan", "paper", 3)
    assert other == TrainingConfig(model="wgan", preset="paper", seed=3)
    assert set(other.learning_rates) == {"generator", "discriminator"}
    assert config.model == "cvae_gan"


def test_what_was_given_stays_when_others_are_replaced():
    config = TrainingConfig(objective={"kl_weight": 2.0}, learning_rates=1e-5, image_size=16)
    other = config.replace(model="vae_gan")
    assert other.objective["kl_weight"] == 2.0
    assert set(other.learning_rates.values()) == {1e-5}
    assert other.image_size == 16


def test_nothing_can_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().steps = 3


def test_a_pair_of_codes_survives_json():
    config = TrainingConfig(model="lr_li_vae", latent_dim=(3, 5))
    again = TrainingConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config
    assert again.latent_dim == (3, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": "dcgan"}, "model must be one of vae, .*Received: 'dcgan'"),
        ({"preset": "huge"}, "preset must be one of compact, paper, photo. Received: 'huge'"),
        ({"image_size": 0}, "image_size must be an integer of at least 1. Received: 0"),
        ({"batch_size": 8.5}, "batch_size must be an integer of at least 1. Received: 8.5"),
        ({"steps": True}, "steps must be an integer of at least 1. Received: True"),
        ({"seed": -1}, "seed must be an integer of at least 0. Received: -1"),
        ({"seed": 2**31}, "seed must be at most 2,147,483,647"),
        ({"objective": {"beta": 1}}, "does not know 'beta' for the model 'cvae_gan'. Allowed: "),
        ({"objective": [1]}, "objective must be a dictionary"),
        ({"learning_rates": {"critic": 1}}, "does not know 'critic'. Allowed: encoder, gen"),
        ({"learning_rates": "fast"}, "learning_rates must be numbers of at least 0"),
        ({"learning_rates": -1}, "learning_rates must be numbers of at least 0"),
        ({"learning_rates": float("nan")}, "learning_rates must be numbers of at least 0"),
        ({"beta_1": 1}, r"beta_1 must be in \[0, 1\)"),
        ({"beta_1": 0.5, "model": "wgan"}, "beta_1 is of Adam. Received: model=wgan, which takes"),
        ({"dtype_policy": "float64"}, "dtype_policy must be one of float32, "),
        ({"horizontal_flip": 1}, "horizontal_flip must be True or False. Received: 1"),
        ({"latent_dim": (1, 2, 3)}, "latent_dim must have two numbers"),
        ({"latent_dim": 0}, "latent_dim must be an integer of at least 1"),
        ({"shard_data": True}, "workers of strategy=multi_worker. Received: strategy=none"),
        ({"strategy": "all"}, "strategy must be one of none, "),
        ({"labelled_share": 0.0}, r"labelled_share must be in \(0, 1\]"),
        ({"images_per_class": 0}, "images_per_class must be an integer of at least 1"),
        ({"unlabelled_rest": True, "labelled_share": 0.1}, "lr_li_vae_gan. Received: model=cvae_g"),
        ({"steps": 10, "log_every": 4}, "multiple of log_every=4. .* Choose steps=12 or another"),
        ({"steps": 8, "log_every": 4, "sample_every": 6}, "sample_every must be a multiple of log"),
    ],
)
def test_a_wrong_value_is_one_message(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**values)


def test_an_unknown_name_in_json_is_one_message():
    with pytest.raises(
        ValueError, match=r"TrainingConfig does not know kl\. Allowed: steps, batch"
    ):
        TrainingConfig.from_json({"kl": 1})


def test_another_configuration_is_refused_and_named():
    config = TrainingConfig(steps=100, objective={"kl_weight": 1.0})
    earlier = config.record(["a", "b"], "python -m program --flag")
    config.replace(steps=200, log_every=50, export=False).refuse_other(
        earlier, ["a", "b"], "runs/x"
    )
    other = config.replace(objective={"kl_weight": 2.0}, batch_size=8)
    with pytest.raises(ValueError, match="'runs/x' has another configuration") as raised:
        other.refuse_other(earlier, ["a", "c"], "runs/x", ["it is late"])
    said = str(raised.value)
    for clause in (
        "batch_size was 64 and is now 8",
        "class_names was ['a', 'b'] and is now ['a', 'c']",
        "objective.kl_weight was 1.0 and is now 2.0",
        "it is late",
        "python -m program --flag",
    ):
        assert clause in said


def test_a_record_of_an_earlier_version_without_a_value_of_none_goes_on():
    config = TrainingConfig()
    earlier = config.record(["a"])
    del earlier["config"]["init_from"], earlier["config"]["images_per_class"]
    assert config.differences(earlier, ["a"]) == []
