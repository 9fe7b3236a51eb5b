"""Simultaneous updates of several networks from one forward pass, in TensorFlow."""

from typing import Any

import tensorflow as tf


class TensorFlowStep:
    """The `train_step` and `test_step` of a `GenerativeModel`.

    One forward pass under one persistent tape; one gradient call for each objective, with respect
    to the variables of the networks that it updates and of no other; one application of all
    gradients (Algorithm 1, Bao et al. 2017: all updates are simultaneous).
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        images, labels = self.unpack(data)
        with tf.GradientTape(persistent=True) as tape:
            objectives, measures = self.compute_objectives(images, labels, training=True)
            scaled = {name: self.optimizer.scale_loss(loss) for name, loss in objectives.items()}
        gradients = self._gradients(tape, scaled)
        del tape
        self.optimizer.apply(gradients, self.trainable_variables)
        self.finish_step()
        return self.track(measures)

    def test_step(self, data: Any) -> dict[str, Any]:
        images, labels = self.unpack(data)
        _, measures = self.compute_objectives(images, labels, training=False)
        return self.track(measures)

    def _gradients(self, tape: tf.GradientTape, objectives: dict[str, Any]) -> list[Any]:
        """The gradient of each trainable variable: the sum over the objectives that update it."""
        totals: dict[int, Any] = {}
        for name, updated in self.updates.items():
            variables = [
                variable
                for network in updated
                for variable in self.networks[network].trainable_variables
            ]
            for variable, gradient in zip(
                variables, tape.gradient(objectives[name], variables), strict=True
            ):
                if gradient is not None:
                    earlier = totals.get(id(variable))
                    totals[id(variable)] = gradient if earlier is None else earlier + gradient
        return [totals.get(id(variable)) for variable in self.trainable_variables]
