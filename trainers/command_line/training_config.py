"""From the flags of a training to its configuration: what `--set` and `--learning_rate` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import datasets
from keras_cvaegan.models import MODELS
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.configuration import TrainingConfig
from trainers.command_line import flags

if TYPE_CHECKING:
    from absl.flags import FlagValues

_AS_THEY_ARE = (
    *("labelled_share", "unlabelled_rest", "unlabelled_data_dir", "images_per_class"),
    *("image_size", "model", "preset", "latent_dim", "init_from", "steps", "batch_size", "beta_1"),
    *("seed", "dtype_policy", "jit_compile", "horizontal_flip", "strategy", "devices"),
    *("shard_data", "log_every", "sample_every", "checkpoint_every", "export"),
)
"""Flags that have the names of the configuration's values."""


def training_config(values: FlagValues, **others: Any) -> TrainingConfig:
    """Returns the configuration that a program's flags describe.

    Args:
        values: flags of the program, some of those of `trainers.fit` among them.
        **others: values of the configuration that count in place of flags.

    Raises:
        ValueError: for a value that is not allowed.
    """
    given = {name: values[name].value for name in _AS_THEY_ARE if name in values}
    if "dataset" in values:
        given |= {
            "dataset": values.dataset,
            "data_dir": values.data_dir,
            "dataset_options": flags.dataset_options(values),
        }
    given |= others
    model = given.get("model", "cvae_gan")
    if given.get("preset") is None:
        given["preset"] = default_preset(given.get("dataset", "petals"), [model])
    preset = given["preset"]
    if "set" in values and "objective" not in others:
        given["objective"] = parse_objective(values.set, model, preset)
    if "learning_rate" in values and "learning_rates" not in others:
        given["learning_rates"] = parse_learning_rates(values.learning_rate, model, preset)
    return TrainingConfig(**given)


def default_preset(dataset: str, models: Sequence[str]) -> str:
    """Returns the preset that some models have by default for the pictures of a data set.

    Example:

    >>> default_preset("folder", ["cvae_gan"]), default_preset("petals", ["cvae_gan"])
    ('photo', 'compact')
    """
    able = all(MODELS[model].has_preset("photo") for model in models)
    return "photo" if able and datasets.get(dataset).photographs else "compact"


def parse_objective(texts: Sequence[str], model: str, preset: str) -> dict[str, Any]:
    """Returns the hyper-parameters that `--set` gives, each of the kind of its default.

    Raises:
        ValueError: for a name that the model does not have, or a value of another kind.

    Example:

    >>> parse_objective(["kl_weight=1", "joint_generation=true"], "cvae_gan", "compact")
    {'kl_weight': 1.0, 'joint_generation': True}
    """
    defaults, objective = MODELS[model].hyperparameters(preset), {}
    for name, text in flags.assignments(texts, "set").items():
        if name not in defaults:
            raise ValueError(
                f"--set does not know {name!r}. Allowed: {', '.join(sorted(defaults))}."
            )
        objective[name] = _like(defaults[name], name, text)
    return objective


def _like(default: Any, name: str, text: str) -> Any:
    """A text as a value of the kind of a default."""
    if isinstance(default, tuple | list):
        return text.split("+")
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"--set={name} takes true or false. Received: {text!r}.")
        return text.lower() == "true"
    if isinstance(default, int):
        return flags.to_integer(text, f"--set={name}")
    if name == "average_decay" and text.lower() == "none":
        return None
    return flags.to_number(text, f"--set={name}")


def parse_learning_rates(
    texts: Sequence[str], model: str, preset: str
) -> Mapping[str, float] | None:
    """Returns the learning rates that `--learning_rate` gives, by network; None without any.

    Raises:
        ValueError: for a network that the model does not have, or what is no number.

    Example:

    >>> parse_learning_rates(["2e-4", "generator=1e-3"], "gan", "compact")
    {'generator': 0.001, 'discriminator': 0.0002}
    """
    networks = MODELS[model].default_learning_rates(find_preset(preset))
    rates: dict[str, float] = {}
    for text in texts:
        given = dict.fromkeys(networks, text)
        if "=" in text:
            given = flags.assignments([text], "learning_rate")
        for network, rate in given.items():
            if network not in networks:
                raise ValueError(
                    f"--learning_rate does not know {network!r}. Allowed: {', '.join(networks)}."
                )
            rates[network] = flags.to_number(rate, "--learning_rate")
            if rates[network] < 0:
                raise ValueError(f"--learning_rate must be 0 or more. Received: {rate}.")
    return rates or None
