"""The generators that `trainers.cluster` takes: those of runs, and a user's own."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import keras

import keras_cvaegan
from keras_cvaegan.names import UNCONDITIONAL_MODELS
from keras_cvaegan.networks.fingerprints import fingerprint
from keras_cvaegan.networks.generator_features import feature_layers, unconditional_network
from keras_cvaegan.training.run_directory import RunDirectory

# What config.json of a run says of its data.
DATA_KEYS = ("dataset", "data_dir", "dataset_options", "image_size")


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """A generator without classes, and what is known of it.

    Args:
        model: model of `keras_cvaegan.models`, or a user's.
        path: file or folder of it.
        run: run that trained it, or None.
        config: configuration of that run; empty without one.

    Raises:
        ValueError: for a generator that cannot be, or that gives no RGB pictures.
    """

    model: keras.Model
    path: Path
    run: RunDirectory | None = None
    config: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = unconditional_network(self.model).output_shape
        if len(shape) != 4 or shape[-1] != 3 or None in shape[1:]:
            raise ValueError(
                "The generator must give RGB pictures of one size, (n, height, width, 3). "
                f"Received: {str(self.path)!r}, which gives {shape}."
            )

    @property
    def kind(self) -> str:
        """The name of the model's class."""
        return type(self.model).__name__

    @property
    def is_of_petals(self) -> bool:
        """Whether attributes of its training pictures are known."""
        return self.config.get("dataset") == "petals"

    def check_layer(self, name: str) -> None:
        """Checks that the generator has a layer with features of this name.

        Raises:
            ValueError: naming those that it has.
        """
        names = feature_layers(self.model)
        if name not in names:
            raise ValueError(
                f"--layer takes a layer of the generator: {', '.join(names)}. Received: {name!r}."
            )

    def about(self) -> dict[str, Any]:
        """Returns what tells the generator from others, as config.json keeps it."""
        network = unconditional_network(self.model)
        data = {name: self.config.get(name) for name in DATA_KEYS}
        return {
            **data,
            "dataset_options": data["dataset_options"] or {},
            "image_size": network.output_shape[1],
            "preset": self.config.get("preset"),
            "generator": {
                "model": self.config.get("model", self.kind),
                "latent_dim": network.input_shape[-1],
                "fingerprint": fingerprint(self.kind, {"": network}),
            },
        }


def of_run(run_dir: str) -> Source:
    """Returns the generator of a finished run.

    Raises:
        ValueError: for what is no such run, or one of a model with classes.
    """
    run = RunDirectory(run_dir)
    config = run.read_config()["config"]
    name = config.get("model")
    if name not in UNCONDITIONAL_MODELS:
        raise ValueError(
            f"Clusters are for models without classes: {', '.join(UNCONDITIONAL_MODELS)}. "
            f"Received: the run {run_dir!r} of {name}, which has classes to sample."
        )
    return Source(keras_cvaegan.load(run.finished_model()), run.path, run, config)


def of_file(file: str) -> Source:
    """Returns the generator in a .keras file.

    Raises:
        ValueError: for a file that is missing, or holds no such model.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        hint = "It is a folder: give --run_dir." if path.is_dir() else "There is no such file."
        raise ValueError(f"--generator takes a .keras file. Received: {file!r}. {hint}")
    try:
        model = keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file!r} is not a model that Keras can load: {error}") from error
    return Source(model, path)
