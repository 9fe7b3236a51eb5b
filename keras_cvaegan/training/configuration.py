"""What a training is: every value that shapes it, checked, in one frozen object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras

from keras_cvaegan.models import MODELS
from keras_cvaegan.models.arguments import check_choice, check_count
from keras_cvaegan.names import DTYPE_POLICIES, MODEL_NAMES, PRESET_NAMES, STRATEGIES
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.run_configuration import PRESETS_OWN, RunConfig

if TYPE_CHECKING:
    from keras_cvaegan.models import GenerativeModel


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(RunConfig):
    """Everything that shapes the training of a model of `keras_cvaegan.models`.

    Args:
        dataset: name of the data set, for the record; `datasets.names()` in a checkout.
        data_dir: folder of the pictures, or of downloaded data; None where there is none.
        dataset_options: options of the data set's own, by name.
        labelled_share: share of each class's training pictures whose label counts, in (0, 1].
        unlabelled_rest: whether half of each batch are the other pictures, without labels.
        unlabelled_data_dir: folder of pictures without labels that make half of each batch.
        images_per_class: number of training pictures of each class, drawn by lot with `seed`;
            None for all.
        image_size: side of the pictures in pixels; the preset's by default.
        model: name of the model, of `keras_cvaegan.models.MODELS`.
        preset: name of networks and hyper-parameters, of `keras_cvaegan.networks.PRESETS`.
        latent_dim: dimensions of z, or of z_s and z_u; the preset's by default.
        objective: weights of the objective and the like, by name; the preset's by default.
        init_from: folder of a run whose weights this one starts from; None for fresh ones.
        learning_rates: learning rate of all networks, or a dictionary by network; by default those
            of the model's paper, or the preset's.
        beta_1: momentum of Adam; that of the model's paper, or the preset's, by default.
        dtype_policy: precision of the layers, of `keras_cvaegan.names.DTYPE_POLICIES`.
        jit_compile: whether XLA compiles the step.
        horizontal_flip: whether training mirrors each picture with probability ½; by default
            where the preset does.
        strategy: distribution over devices, of `keras_cvaegan.names.STRATEGIES`.
        devices: number of devices of this machine; None for all.
        shard_data: whether each worker of several keeps and reads its own share of the data.
        steps: length of the run; the preset's by default.
        batch_size: images an update; the preset's by default.
        seed, log_every, sample_every, checkpoint_every, export: values as in `RunConfig`.

    Raises:
        ValueError: for a value that is not allowed.

    Example:

    >>> config = TrainingConfig(model="cvae_gan", objective={"kl_weight": 1.0}, steps=100)
    >>> config.image_size, config.objective["kl_weight"], config.checkpoint_every
    (32, 1.0, 100)
    >>> config.replace(steps=None, preset="paper").image_size
    128
    """

    FREE: ClassVar[frozenset[str]] = RunConfig.FREE | {"strategy", "devices", "shard_data"}

    dataset: str = "petals"
    data_dir: str | None = None
    dataset_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    labelled_share: float = 1.0
    unlabelled_rest: bool = False
    unlabelled_data_dir: str | None = None
    images_per_class: int | None = None
    image_size: int = PRESETS_OWN
    model: str = "cvae_gan"
    preset: str = "compact"
    latent_dim: int | Sequence[int] = PRESETS_OWN
    objective: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    init_from: str | None = None
    learning_rates: Mapping[str, float] = PRESETS_OWN
    beta_1: float | None = None
    dtype_policy: str = "float32"
    jit_compile: bool = False
    horizontal_flip: bool = PRESETS_OWN
    strategy: str = "none"
    devices: int | None = None
    shard_data: bool = False

    def _resolve(self) -> None:
        check_choice("model", self.model, MODEL_NAMES)
        check_choice("preset", self.preset, PRESET_NAMES)
        check_choice("dtype_policy", self.dtype_policy, DTYPE_POLICIES)
        check_choice("strategy", self.strategy, STRATEGIES)
        if self.horizontal_flip is None:
            self._set("horizontal_flip", find_preset(self.preset).horizontal_flip)
        for name in ("unlabelled_rest", "jit_compile", "horizontal_flip", "shard_data"):
            self._check_type(name, bool)
        for name in ("images_per_class", "devices"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        for name in ("data_dir", "unlabelled_data_dir", "init_from"):
            path = getattr(self, name)
            self._set(name, None if path is None else str(Path(path).expanduser().resolve()))
        if self.shard_data and self.strategy != "multi_worker":
            raise ValueError(
                "shard_data shares the data among the workers of strategy=multi_worker. "
                f"Received: strategy={self.strategy}."
            )
        self._check_labels()
        self._take_defaults()
        self._set_objective()
        self._set_optimizers()
        super()._resolve()

    def _check_labels(self) -> None:
        if not (_is_number(self.labelled_share) and 0 < self.labelled_share <= 1):
            raise ValueError(f"labelled_share must be in (0, 1]. Received: {self.labelled_share}.")
        unlabelled = {
            name: getattr(self, name) for name in ("unlabelled_rest", "unlabelled_data_dir")
        }
        if any(unlabelled.values()) and not self._model.takes_unlabelled:
            able = ", ".join(name for name, model in MODELS.items() if model.takes_unlabelled)
            flag = next(name for name, value in unlabelled.items() if value)
            raise ValueError(
                f"{flag} is for models that learn from pictures without labels: {able}. "
                f"Received: model={self.model}."
            )

    @property
    def _model(self) -> type[GenerativeModel]:
        return MODELS[self.model]

    def _take_defaults(self) -> None:
        """Takes from the preset what was not given."""
        preset = find_preset(self.preset)
        if self.image_size is None:
            self._set("image_size", self._model.default_image_size(preset))
        side = check_count("image_size", self.image_size)
        dims: Any = self.latent_dim
        if dims is None:
            dims = self._model.default_latent_dim(preset, (side, side, 3))
        if isinstance(dims, list | tuple):
            if len(dims) != 2:
                raise ValueError(f"latent_dim must have two numbers, or be one. Received: {dims}.")
            self._set("latent_dim", tuple(check_count("latent_dim", each) for each in dims))
        else:
            self._set("latent_dim", check_count("latent_dim", dims))
        for name in ("steps", "batch_size"):
            if getattr(self, name) is None:
                self._set(name, getattr(preset, name))

    def _set_objective(self) -> None:
        """The model's hyper-parameters: its own, then the preset's, then those that were given."""
        objective = self._model.hyperparameters(self.preset)
        if self.unlabelled_rest:
            objective["unlabelled_classes"] = "known"
        if not isinstance(self.objective, Mapping):
            raise ValueError(
                f"objective must be a dictionary by name. Received: {self.objective!r}."
            )
        for name in self.objective:
            if name not in objective:
                raise ValueError(
                    f"objective does not know {name!r} for the model {self.model!r}. "
                    f"Allowed: {', '.join(sorted(objective))}."
                )
        objective |= self.objective
        # As JSON gives a list for it.
        kept = {k: tuple(v) if isinstance(v, list) else v for k, v in objective.items()}
        self._set("objective", kept)

    def _set_optimizers(self) -> None:
        preset, given = find_preset(self.preset), self.learning_rates
        rates = self._model.default_learning_rates(preset)
        if given is not None:
            own = given if isinstance(given, Mapping) else dict.fromkeys(rates, given)
            for network, rate in own.items():
                if network not in rates:
                    raise ValueError(
                        f"learning_rates does not know {network!r}. Allowed: {', '.join(rates)}."
                    )
                if not (_is_number(rate) and 0 <= rate < float("inf")):
                    raise ValueError(
                        f"learning_rates must be numbers of at least 0. Received: {rate!r}."
                    )
            rates |= own
        self._set("learning_rates", rates)
        default = self._model.default_beta_1(preset)
        if default is None and self.beta_1 is not None:
            raise ValueError(
                f"beta_1 is of Adam. Received: model={self.model}, which takes "
                f"{self._model.optimizer_class.__name__}."
            )
        beta_1 = default if self.beta_1 is None else self.beta_1
        if beta_1 is not None and not (_is_number(beta_1) and 0 <= beta_1 < 1):
            raise ValueError(f"beta_1 must be in [0, 1). Received: {beta_1!r}.")
        self._set("beta_1", beta_1)

    def build_model(self, class_names: Sequence[str]) -> GenerativeModel:
        """Returns the compiled model, with fresh weights.

        Args:
            class_names: names of the classes, in the order of the labels.

        Raises:
            ValueError: for hyper-parameters that the model, or an image size that the preset's
                networks, cannot take.

        Example:

        >>> TrainingConfig(model="cgan", image_size=16).build_model(["daisy", "rose"]).num_classes
        2
        """
        keras.config.set_dtype_policy(self.dtype_policy)
        model = self._model.from_preset(
            self.preset,
            image_shape=(self.image_size, self.image_size, 3),
            num_classes=len(class_names),
            class_names=class_names,
            latent_dim=self.latent_dim,
            seed=self.seed,
            horizontal_flip=self.horizontal_flip,
            **self.objective,
        )
        model.compile(
            model.make_optimizers(self.learning_rates, self.beta_1),
            jit_compile=self.jit_compile,
            # Keras' loop of several steps fails under a strategy of TensorFlow (Keras 3.15).
            steps_per_execution=self.log_every if self.strategy == "none" else 1,
        )
        return model


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
