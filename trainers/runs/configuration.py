"""From flags to the configuration that config.json keeps, and from it to data and model."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
from keras_cvaegan.version import __version__
from trainers.command_line import flags

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel
    from keras_cvaegan.networks import Preset

# Another value of these may go on from a checkpoint.
FREE_KEYS = frozenset(
    {"steps", "log_every", "sample_every", "checkpoint_every", "export"}
    | {"strategy", "devices", "shard_data"}
)

# What a run was that began before a key was there.
ADDED_KEYS = {
    "horizontal_flip": False,
    "labelled_share": 1.0,
    "unlabelled_rest": False,
    "unlabelled_data_dir": None,
}


def configure(values: "FlagValues") -> dict[str, Any]:
    """Returns the effective value of every flag that shapes a run.

    Raises:
        ValueError: for a value that is not allowed.
    """
    from keras_cvaegan.models import MODELS
    from keras_cvaegan.networks import preset as find_preset

    if values.shard_data and values.strategy != "multi_worker":
        raise ValueError(
            "--shard_data shares the data among the workers of --strategy=multi_worker. "
            f"Received: --strategy={values.strategy}."
        )
    model, preset = MODELS[values.model], find_preset(values.preset)
    side = values.image_size or model.default_image_size(preset)
    latent_dim = values.latent_dim or model.default_latent_dim(preset, (side, side, 3))
    steps = values.steps or preset.steps
    config = {
        "dataset": values.dataset,
        "data_dir": values.data_dir and str(Path(values.data_dir).expanduser().resolve()),
        "dataset_options": flags.dataset_options(values),
        **_labels(values),
        "image_size": side,
        "model": values.model,
        "preset": values.preset,
        "latent_dim": latent_dim,
        "objective": _objective(values.model, preset, values.set, values.unlabelled_rest),
        "steps": steps,
        "batch_size": values.batch_size or preset.batch_size,
        "learning_rates": _learning_rates(values.model, preset, values.learning_rate),
        "beta_1": _beta_1(values.model, preset, values.beta_1),
        "seed": values.seed,
        "dtype_policy": values.dtype_policy,
        "jit_compile": values.jit_compile,
        "horizontal_flip": values.horizontal_flip,
        "strategy": values.strategy,
        "devices": values.devices,
        "shard_data": values.shard_data,
        **_intervals(values, steps),
        "export": values.export,
    }
    return json.loads(json.dumps(config))


def _labels(values: "FlagValues") -> dict[str, Any]:
    """Returns which pictures have labels."""
    from datasets.pipeline.semi_supervised import Labels
    from keras_cvaegan.models import MODELS

    folder = values.unlabelled_data_dir
    if (values.unlabelled_rest or folder) and not MODELS[values.model].takes_unlabelled:
        able = ", ".join(name for name, model in MODELS.items() if model.takes_unlabelled)
        flag = "--unlabelled_rest" if values.unlabelled_rest else "--unlabelled_data_dir"
        raise ValueError(
            f"{flag} is for models that learn from pictures without labels: {able}. "
            f"Received: --model={values.model}."
        )
    Labels(values.labelled_share, values.unlabelled_rest, folder)
    return {
        "labelled_share": values.labelled_share,
        "unlabelled_rest": values.unlabelled_rest,
        "unlabelled_data_dir": folder and str(Path(folder).expanduser().resolve()),
    }


def _intervals(values: "FlagValues", steps: int) -> dict[str, int]:
    """Returns how often to log, to sample and to save; each a multiple of the first."""
    log_every = values.log_every or min(25, steps)
    if steps % log_every:
        above = -(-steps // log_every) * log_every
        raise ValueError(
            f"--steps must be a multiple of --log_every={log_every}. Received: --steps={steps}. "
            f"Choose --steps={above} or another --log_every."
        )
    result = {"log_every": log_every}
    for name in ("sample_every", "checkpoint_every"):
        every = getattr(values, name) or min(-(-500 // log_every) * log_every, steps)
        if every % log_every:
            raise ValueError(
                f"--{name} must be a multiple of --log_every={log_every}. "
                f"Received: --{name}={every}."
            )
        result[name] = every
    return result


def _objective(
    model: str, preset: "Preset", texts: Sequence[str], known_classes: bool
) -> dict[str, Any]:
    """Returns the model's hyper-parameters: its own, then the preset's, then those of `--set`."""
    from keras_cvaegan.models import MODELS

    objective = MODELS[model].hyperparameters(preset.name)
    if known_classes:
        objective["unlabelled_classes"] = "known"
    for name, text in flags.assignments(texts, "set").items():
        if name not in objective:
            raise ValueError(
                f"--set does not know {name!r}. Allowed: {', '.join(sorted(objective))}."
            )
        if isinstance(objective[name], (tuple, list)):
            objective[name] = text.split("+")
        elif isinstance(objective[name], str):
            objective[name] = text
        elif isinstance(objective[name], int):
            objective[name] = flags.to_integer(text, f"--set={name}")
        elif name == "average_decay" and text.lower() == "none":
            objective[name] = None
        else:
            objective[name] = flags.to_number(text, f"--set={name}")
    return objective


def _learning_rates(model: str, preset: "Preset", texts: Sequence[str]) -> dict[str, float]:
    """Returns the learning rate of each network: the model's or preset's, or that of the flag."""
    from keras_cvaegan.models import MODELS

    rates = MODELS[model].default_learning_rates(preset)
    for text in texts:
        given = dict.fromkeys(rates, text)
        if "=" in text:
            given = flags.assignments([text], "learning_rate")
        for network, rate in given.items():
            if network not in rates:
                raise ValueError(
                    f"--learning_rate does not know {network!r}. Allowed: {', '.join(rates)}."
                )
            rates[network] = flags.to_number(rate, "--learning_rate")
            if rates[network] < 0:
                raise ValueError(f"--learning_rate must be 0 or more. Received: {rate}.")
    return rates


def _beta_1(model: str, preset: "Preset", given: float | None) -> float | None:
    """Returns the momentum of Adam; None for a model that another optimizer trains."""
    from keras_cvaegan.models import MODELS

    default = MODELS[model].default_beta_1(preset)
    if default is None and given is not None:
        optimizer = MODELS[model].optimizer_class.__name__
        raise ValueError(
            f"--beta_1 is of Adam. Received: --model={model}, which takes {optimizer}."
        )
    return default if given is None else given


def data_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """Returns what `datasets.prepare` and `datasets.load` take, less split and batches."""
    return {
        "name": config["dataset"],
        "image_size": config["image_size"],
        "data_dir": config["data_dir"],
        **config["dataset_options"],
    }


def label_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """Returns what `datasets.load_semi_supervised` takes beside `data_arguments`."""
    names = ("labelled_share", "unlabelled_rest", "unlabelled_data_dir")
    return {name: config[name] for name in names}


def data_source(config: dict[str, Any], split: str = "train") -> datasets.Source:
    """Returns a split's names and count, without decoding its pictures."""
    arguments = data_arguments(config)
    return datasets.get(arguments.pop("name")).source(split, **arguments)


def build_model(config: dict[str, Any], class_names: Sequence[str]) -> "GenerativeModel":
    """Returns the compiled model.

    Raises:
        ValueError: for hyper-parameters that the model, or an image size that the preset's
            networks, cannot take.
    """
    import keras

    from keras_cvaegan.models import MODELS

    keras.config.set_dtype_policy(config["dtype_policy"])
    model = MODELS[config["model"]].from_preset(
        config["preset"],
        image_shape=(config["image_size"], config["image_size"], 3),
        num_classes=len(class_names),
        class_names=class_names,
        latent_dim=config["latent_dim"],
        seed=config["seed"],
        horizontal_flip=config.get("horizontal_flip", False),
        **config["objective"],
    )
    model.compile(
        model.make_optimizers(config["learning_rates"], config["beta_1"]),
        jit_compile=config["jit_compile"],
        # Keras' loop of several steps fails under a strategy of TensorFlow (Keras 3.15, TF 2.21).
        steps_per_execution=config["log_every"] if config["strategy"] == "none" else 1,
    )
    return model


def record(config: dict[str, Any], class_names: Sequence[str], command: str) -> dict[str, Any]:
    """Returns the contents of config.json."""
    import keras
    import numpy
    import tensorflow

    return {
        "config": config,
        "class_names": list(class_names),
        "command": command,
        "versions": {
            "keras_cvaegan": __version__,
            "backend": keras.backend.backend(),
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (tensorflow, keras, numpy)},
        },
    }


def refuse_other(earlier: dict[str, Any], new: dict[str, Any], run_dir: Path) -> None:
    """Refuses to go on with a run under another configuration.

    Args:
        earlier: what config.json holds.
        new: what `record` returns now.
        run_dir: for the message.

    Raises:
        ValueError: naming the keys that differ.
    """
    differing = differences(earlier, new)
    if differing:
        raise ValueError(
            f"The run in {str(run_dir)!r} has another configuration: {'; '.join(differing)}. "
            "Start it with its own flags "
            f"({earlier.get('command', 'see its config.json')}), or choose another --run_dir."
        )


def differences(earlier: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Returns what keeps a run from going on under another configuration, a clause a key.

    Args:
        earlier: what config.json holds.
        new: what `record` returns now.
    """
    old = (
        ADDED_KEYS | _flat(earlier.get("config", {})) | {"class_names": earlier.get("class_names")}
    )
    now = _flat(new["config"]) | {"class_names": new["class_names"]}
    return [
        f"{key} was {old.get(key)!r} and is now {now.get(key)!r}"
        for key in sorted(old.keys() | now.keys())
        if key not in FREE_KEYS and old.get(key) != now.get(key)
    ]


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in config.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
