"""A worker that trains with Algorithm 1 (Bao et al. 2017) written in PyTorch, in turns.

The networks are ours, converted; the objectives, optimizers and averages are those of `CVAEGAN`
with a preset's settings. Four ways to write the step:

    eager          one forward pass; `torch.autograd.grad` of each objective with respect to the
                   parameters that it updates, as our own step does
    channels_last  the same with maps in the memory order (n, height, width, channels)
    compiled       the same as one compiled graph: forward pass, objectives and all gradients
    naive          a forward and backward pass of its own for each of D, C, and E with G, detached
                   where that is usual: Algorithm 1 as most implementations have it
"""

import copy
import functools
import itertools
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks import measuring
from benchmarks.torch_networks import Network
from benchmarks.torch_objectives import Objectives, Tensors, discriminator_loss
from benchmarks.workers import Channel
from keras_cvaegan.networks import Preset
from keras_cvaegan.networks import preset as find_preset

VARIANTS = ("eager", "channels_last", "compiled", "naive")


class Training:
    """The networks, their optimizers, and a step.

    Args:
        networks: networks "encoder", "generator", "discriminator" and "classifier", on the device.
        preset: name of the preset whose hyper-parameters it takes.
        num_classes: number of classes.
        variant: name of one of `VARIANTS`.
        autocast: whether to compute in bfloat16 where that is safe.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        preset: Preset,
        num_classes: int,
        variant: str = "eager",
        autocast: bool = False,
    ) -> None:
        self.preset = preset
        self.num_classes = num_classes
        self.device = next(networks["encoder"].parameters()).device
        self.autocast = autocast
        self.steps = 0
        self.networks = dict(networks)
        self.objectives = Objectives(networks, preset, num_classes, autocast)
        parameters = {name: list(network.parameters()) for name, network in networks.items()}
        self.updates = {
            "encoder_and_generator": parameters["encoder"] + parameters["generator"],
            "discriminator": parameters["discriminator"],
            "classifier": parameters["classifier"],
        }
        self.optimizers = {
            name: torch.optim.Adam(
                parameters[name],
                lr=preset.learning_rates[name],
                betas=(preset.beta_1, 0.999),
                eps=1e-7,
                fused=True,
            )
            for name in networks
        }
        self.average = copy.deepcopy(networks["generator"]).requires_grad_(False)
        self.take_step = self._naive_step if variant == "naive" else self._simultaneous_step
        if variant == "compiled":
            self._compile()

    def _compile(self) -> None:
        if hasattr(torch._dynamo.config, "trace_autograd_ops"):
            torch._dynamo.config.trace_autograd_ops = True
            self.gradients = torch.compile(self.gradients, fullgraph=True)
        else:  # This PyTorch cannot compile a gradient: each network's passes are compiled.
            torch._functorch.config.donated_buffer = False
            networks = {name: torch.compile(x) for name, x in self.networks.items()}
            self.networks = self.objectives.networks = networks

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> Tensors:
        """Trains on uint8 images (n, channels, height, width) and labels; returns the losses."""
        images, labels = self._prepared(images, labels)
        noise, prior = torch.randn(
            2, len(images), self.preset.latent_dim, device=self.device
        ).unbind()
        losses = self.take_step(images, labels, noise, prior)
        self._average()
        self.steps += 1
        return losses

    @torch.no_grad()
    def disagreement(
        self, images: torch.Tensor, labels: torch.Tensor, start: Mapping[str, np.ndarray]
    ) -> float:
        """The largest relative difference of a first step's terms from those in `start`."""
        draws = (torch.from_numpy(start[name]).to(self.device) for name in ("noise", "prior"))
        _, terms = self.objectives.compute(*self._prepared(images, labels), *draws)
        return max(
            abs(float(term) / float(start[f"terms/{name}"]) - 1) for name, term in terms.items()
        )

    def _prepared(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images = images.to(self.device, non_blocking=True).float() / 127.5 - 1.0
        return images, labels.to(self.device, non_blocking=True)

    def gradients(self, *batch: torch.Tensor) -> tuple[Tensors, Mapping[str, Any]]:
        """The terms, and the gradients of each objective's parameters, from one forward pass."""
        objectives, terms = self.objectives.compute(*batch)
        gradients = {
            name: torch.autograd.grad(objectives[name], parameters, retain_graph=True)
            for name, parameters in self.updates.items()
        }
        return {name: term.detach() for name, term in terms.items()}, gradients

    def _simultaneous_step(self, *batch: torch.Tensor) -> Tensors:
        terms, gradients = self.gradients(*batch)
        for name, parameters in self.updates.items():
            for parameter, gradient in zip(parameters, gradients[name], strict=True):
                parameter.grad = gradient
        for optimizer in self.optimizers.values():
            optimizer.step()
        return terms

    def _naive_step(
        self, images: torch.Tensor, labels: torch.Tensor, noise: torch.Tensor, prior: torch.Tensor
    ) -> Tensors:
        encoder, generator = self.networks["encoder"], self.networks["generator"]
        discriminator, classifier = self.networks["discriminator"], self.networks["classifier"]
        precision = functools.partial(
            torch.autocast, self.device.type, torch.bfloat16, enabled=self.autocast
        )
        with torch.no_grad(), precision():
            classes = functional.one_hot(labels, self.num_classes).float()
            encoded = encoder(images=images, labels=classes)
            z = encoded["z_mean"] + (0.5 * encoded["z_log_var"].clamp(-10, 10)).exp() * noise
            reconstructed = generator(z=z, labels=classes)
            generated = generator(z=prior, labels=classes)
        with precision():
            logits = [discriminator(images=x)["logits"] for x in (images, reconstructed, generated)]
        self._update(discriminator_loss(*logits), "discriminator")
        with precision():
            logits = classifier(images=images)["logits"]
        self._update(functional.cross_entropy(logits.float(), labels), "classifier")
        objectives, terms = self.objectives.compute(images, labels, noise, prior, detach_real=True)
        self._update(objectives["encoder_and_generator"], "encoder", "generator")
        return terms

    def _update(self, loss: torch.Tensor, *names: str) -> None:
        for name in names:
            self.optimizers[name].zero_grad()
        loss.backward()
        for name in names:
            self.optimizers[name].step()

    @torch.no_grad()
    def _average(self) -> None:
        if self.preset.average_decay is None:
            return
        decay = min(self.preset.average_decay, (1 + self.steps) / (10 + self.steps))
        current = self.networks["generator"].state_dict()
        for name, average in self.average.state_dict().items():
            if average.is_floating_point():
                average.lerp_(current[name], 1 - decay)


def converted(networks: Mapping[str, keras.Model]) -> dict[str, Network]:
    """Returns Keras networks as modules."""
    return {name: Network(network) for name, network in networks.items()}


def serve(
    channel: Channel,
    variant: str,
    preset: str,
    image_size: int,
    batch_size: int,
    start: str,
    num_classes: int = 10,
    dtype_policy: str = "float32",
    device: str = "cpu",
) -> None:
    """Trains in turns: answers "train" and "memory", until the program has gone.

    Args:
        channel: connection to the program.
        variant: name of one of `VARIANTS`.
        preset: name of networks and hyper-parameters.
        image_size: height and width of the images, in pixels.
        batch_size: number of images in a step.
        start: file of `keras_training.write_start`, with the initial weights.
        num_classes: number of classes.
        dtype_policy: precision, "float32", or "mixed_bfloat16" for autocast.
        device: name of the device, "cpu" or "cuda".
    """
    torch.set_num_threads(measuring.cores())
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    settings = find_preset(preset)
    networks = settings.networks((image_size, image_size, 3), num_classes)
    arrays = dict(np.load(start))
    for name, network in networks.items():
        network.set_weights([arrays[f"{name}/{index}"] for index in range(len(network.weights))])
    modules = {name: module.to(device) for name, module in converted(networks).items()}
    channels_last = variant == "channels_last"
    if channels_last:
        modules = {name: x.to(memory_format=torch.channels_last) for name, x in modules.items()}
    autocast = dtype_policy == "mixed_bfloat16"
    training = Training(modules, settings, num_classes, variant, autocast)
    pairs = [
        _tensors(images, labels, channels_last, device)
        for images, labels in measuring.random_batches(image_size, batch_size, num_classes)
    ]
    disagreement = training.disagreement(*pairs[0], arrays)
    batches = itertools.cycle(pairs)
    steps_a_look = 25 if device == "cuda" else 1

    def train(seconds: float) -> dict[str, Any]:
        began, steps = time.perf_counter(), 0
        while True:
            for _ in range(steps_a_look):
                losses = training.step(*next(batches))
            steps += steps_a_look
            losses = {name: float(value) for name, value in losses.items()}
            if device == "cuda":
                torch.cuda.synchronize()
            elapsed = time.perf_counter() - began
            if elapsed >= seconds:
                return {"images_per_second": steps * batch_size / elapsed, "losses": losses}

    def memory() -> int:
        if device == "cuda":
            return torch.cuda.max_memory_allocated()
        return measuring.peak_memory()

    channel.answer({"threads": torch.get_num_threads(), "disagreement": disagreement})
    channel.serve({"train": train, "memory": memory})


def _tensors(
    images: np.ndarray, labels: np.ndarray, channels_last: bool, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    form = torch.channels_last if channels_last else torch.contiguous_format
    pair = (
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=form),
        torch.from_numpy(labels).long(),
    )
    return tuple(x.pin_memory() for x in pair) if device == "cuda" else pair
