"""How a model gets its optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.training.optimizers import NetworkOptimizers


class Compilation:
    """The `compile` of a `GenerativeModel`: an optimizer for each network.

    Attributes:
        optimizer_class: of the optimizers that `compile` makes by default.
        learning_rates: by network, where the model's paper gives them; the preset's otherwise.
    """

    optimizer_class: ClassVar[type[keras.optimizers.Optimizer]] = keras.optimizers.Adam
    learning_rates: ClassVar[Mapping[str, float] | None] = None

    @classmethod
    def make_optimizers(
        cls, learning_rates: Mapping[str, float], beta_1: float | None
    ) -> dict[str, keras.optimizers.Optimizer]:
        """An optimizer for each network.

        Args:
            learning_rates: by network.
            beta_1: of Adam; None where `optimizer_class` is another.
        """
        momentum = {"beta_1": beta_1} if cls.optimizer_class is keras.optimizers.Adam else {}
        return {
            name: cls.optimizer_class(learning_rates[name], **momentum)
            for name in cls.network_names
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
            optimizer: one for each network by name, or one optimizer for all (such as a
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
            rates = self.learning_rates or preset.learning_rates
            optimizer = self.make_optimizers(rates, preset.beta_1)
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
            if set(optimizer) != set(self.network_names):
                raise ValueError(
                    "optimizer must have one optimizer for each network: "
                    f"{', '.join(self.network_names)}. Received: {', '.join(optimizer)}."
                )
            owners = {
                id(variable): optimizer[name]
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
