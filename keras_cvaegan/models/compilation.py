"""How a model gets its optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from keras_cvaegan.networks import Preset
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.model_part import ModelPart
from keras_cvaegan.training.optimizers import NetworkOptimizers


class Compilation(ModelPart):
    """The `compile` of a `GenerativeModel`: an optimizer for each network.

    Attributes:
        optimizer_class: class of the optimizers that `compile` makes by default.
        learning_rates: learning rates by network, where the model's paper gives them; the preset's
            otherwise.
        betas: β₁ and β₂ of Adam, where the model's paper gives them; otherwise β₁ is the preset's.
        separate_variables: "network/variable" for each variable that has an optimizer apart from
            its network's.
    """

    optimizer_class: ClassVar[type[keras.optimizers.Optimizer]] = keras.optimizers.Adam
    learning_rates: ClassVar[Mapping[str, float] | None] = None
    betas: ClassVar[tuple[float, float] | None] = None
    separate_variables: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def optimizer_names(cls) -> tuple[str, ...]:
        """What has an optimizer of its own: each network, and the separate variables.

        Example:

        >>> from keras_cvaegan.models import GAN
        >>> GAN.optimizer_names()
        ('generator', 'discriminator')
        """
        return (*cls.network_names, *cls.separate_variables)

    @classmethod
    def default_learning_rates(cls, preset: Preset) -> dict[str, float]:
        """The learning rate of each of `optimizer_names`: the model's paper's, or the preset's."""
        rates = dict(cls.learning_rates or preset.learning_rates)
        if preset.replaces_paper_rates:
            rates |= preset.learning_rates
        return {name: rates[name] for name in cls.optimizer_names()}

    @classmethod
    def default_beta_1(cls, preset: Preset) -> float | None:
        """β₁ of Adam: the model's paper's, or the preset's; None where another one optimizes."""
        if cls.optimizer_class is not keras.optimizers.Adam:
            return None
        return cls._betas(preset)[0]

    @classmethod
    def _betas(cls, preset: Preset) -> tuple[float, float]:
        if cls.betas and not preset.replaces_paper_rates:
            return cls.betas
        return preset.beta_1, preset.beta_2

    def make_optimizers(
        self, learning_rates: Mapping[str, float], beta_1: float | None
    ) -> dict[str, keras.optimizers.Optimizer]:
        """An optimizer for each of `optimizer_names`.

        Args:
            learning_rates: learning rates by those names.
            beta_1: β₁ of Adam; None where `optimizer_class` is another.
        """
        momentum = {}
        if self.optimizer_class is keras.optimizers.Adam:
            _, beta_2 = self._betas(find_preset(self.preset or "compact"))
            momentum = {"beta_1": beta_1, "beta_2": beta_2}
        return {
            name: self.optimizer_class(learning_rates[name], **momentum)
            for name in self.optimizer_names()
        }

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer
        | Mapping[str, keras.optimizers.Optimizer]
        | None = None,
        *,
        jit_compile: bool = False,
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
    ) -> None:
        """Chooses the optimizers and how the step is compiled.

        Args:
            optimizer: one for each network by name (and, if wanted, for each of
                `separate_variables`), or one optimizer for all (such as a
                `keras.optimizers.MultiOptimizer`, where all networks are updated at once); by
                default `optimizer_class` with the learning rates of the model's paper or of the
                preset.
            jit_compile: whether XLA compiles the step.
            steps_per_execution: steps a call of the compiled function; the host sees the losses
                once in that many steps.
            run_eagerly: whether the step runs uncompiled, for debugging.

        Raises:
            ValueError: for names that are not the networks', or an optimizer that cannot update
                some of them alone where that is needed.
        """
        if optimizer is None:
            preset = find_preset(self.preset or "compact")
            optimizer = self.make_optimizers(
                self.default_learning_rates(preset), self.default_beta_1(preset)
            )
        super().compile(
            optimizer=self._combined(optimizer),
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self.optimizer.build(self.trainable_variables)
        self._optimizers = dict(optimizer) if isinstance(optimizer, Mapping) else optimizer

    def _combined(
        self, optimizer: keras.optimizers.Optimizer | Mapping[str, keras.optimizers.Optimizer]
    ) -> keras.optimizers.Optimizer:
        """One optimizer that acts as those of the networks."""
        if isinstance(optimizer, Mapping):
            if not set(self.network_names) <= set(optimizer) <= set(self.optimizer_names()):
                raise ValueError(
                    "optimizer must have one optimizer for each network: "
                    f"{', '.join(self.optimizer_names())}. Received: {', '.join(optimizer)}."
                )
            owners = {
                id(variable): optimizer.get(f"{name}/{variable.name}", optimizer[name])
                for name, network in self.networks.items()
                for variable in network.trainable_variables
            }
            return NetworkOptimizers(lambda variable: owners[id(variable)])
        if len(self.phases) == 1:
            return optimizer
        composed = keras.optimizers.MultiOptimizer | keras.optimizers.LossScaleOptimizer
        if isinstance(optimizer, composed):
            raise ValueError(
                f"{type(self).__name__} updates its networks in several phases: give one optimizer "
                f"for each network, by name, or a plain one. Received: {type(optimizer).__name__}."
            )
        return NetworkOptimizers(lambda variable: optimizer)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {"optimizer": keras.saving.serialize_keras_object(self._optimizers)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]))
