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

import contextlib
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
from benchmarks.workers import Channel
from keras_cvaegan.networks import Preset
from keras_cvaegan.networks import preset as find_preset

VARIANTS = ("eager", "channels_last", "compiled", "naive")
CENTER_DECAY = 0.9
Tensors = Mapping[str, torch.Tensor]


def pairwise_matching(targets: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """½ E[‖a − b‖²], each term of Eq. 6."""
    return 0.5 * (targets.float() - outputs.float()).square().flatten(1).sum(1).mean()


class ClassCenters(nn.Module):
    """Moving averages of the classes' mean features for Eq. 4.

    Args:
        num_classes: number of classes.
        features: dimensions of a feature.
    """

    def __init__(self, num_classes: int, features: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(num_classes, features))
        self.register_buffer("weights", torch.zeros(num_classes))

    def forward(
        self, features: torch.Tensor, labels: torch.Tensor, same: torch.Tensor
    ) -> torch.Tensor:
        means = same @ features / same.sum(1, keepdim=True)
        sums = CENTER_DECAY * self.sums[labels] + (1 - CENTER_DECAY) * means.detach()
        weights = CENTER_DECAY * self.weights[labels] + (1 - CENTER_DECAY)
        self.sums[labels] = sums
        self.weights[labels] = weights
        return sums / weights[:, None] + (means - means.detach())


class Training:
    """The networks, their optimizers, and a step.

    Args:
        networks: "encoder", "generator", "discriminator" and "classifier", on the device.
        preset: whose hyper-parameters.
        num_classes: number of classes.
        variant: one of `VARIANTS`.
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
        features = networks["classifier"].layers["logits"].in_features
        self.real_centers, self.generated_centers = (
            ClassCenters(num_classes, features).to(self.device) for _ in range(2)
        )
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
            self.networks = {name: torch.compile(x) for name, x in self.networks.items()}

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
        _, terms = self.objectives(*self._prepared(images, labels), *draws)
        return max(
            abs(float(term) / float(start[f"terms/{name}"]) - 1) for name, term in terms.items()
        )

    def _prepared(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images = images.to(self.device, non_blocking=True).float() / 127.5 - 1.0
        return images, labels.to(self.device, non_blocking=True)

    def objectives(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        noise: torch.Tensor,
        prior: torch.Tensor,
        detach_real: bool = False,
    ) -> tuple[Tensors, Tensors]:
        """One forward pass: a scalar for each objective, and the terms they are made of.

        Args:
            images: in [−1, 1].
            labels: integers.
            noise: r of z = μ + exp(ε / 2) r.
            prior: z_p.
            detach_real: whether D and C keep no graph of the real images.
        """
        encoder, generator = self.networks["encoder"], self.networks["generator"]
        discriminator, classifier = self.networks["discriminator"], self.networks["classifier"]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            classes = functional.one_hot(labels, self.num_classes).float()
            encoded = encoder(images=images, labels=classes)
            z_mean, z_log_var = encoded["z_mean"].float(), encoded["z_log_var"].float()
            z_log_var = z_log_var.clamp(-10, 10)
            z = z_mean + (0.5 * z_log_var).exp() * noise
            reconstructed = generator(z=z, labels=classes)
            generated = generator(z=prior, labels=classes)
            with torch.no_grad() if detach_real else contextlib.nullcontext():
                real_d, real_c = discriminator(images=images), classifier(images=images)
            reconstructed_d = discriminator(images=reconstructed)
            generated_d = discriminator(images=generated)
            reconstructed_c = classifier(images=reconstructed)
            generated_c = classifier(images=generated)
        same = (labels[:, None] == labels[None, :]).float()
        difference = self.real_centers(real_c["features"].float(), labels, same)
        difference = difference - self.generated_centers(
            generated_c["features"].float(), labels, same
        )
        means = real_d["features"].float().mean(0) - generated_d["features"].float().mean(0)
        terms = {
            "kl_divergence": 0.5
            * (z_mean.square() + z_log_var.exp() - z_log_var - 1).sum(1).mean(),
            "pixel_matching": pairwise_matching(images, reconstructed),
            "discriminator_feature_matching": pairwise_matching(
                real_d["features"], reconstructed_d["features"]
            ),
            "classifier_feature_matching": pairwise_matching(
                real_c["features"], reconstructed_c["features"]
            ),
            "mean_matching": 0.5 * means.square().sum(),
            "class_matching": 0.5 * (difference.square().sum(1) / same.sum(1)).sum(),
            "discriminator_loss": discriminator_loss(
                real_d["logits"], reconstructed_d["logits"], generated_d["logits"]
            ),
            "classifier_loss": functional.cross_entropy(real_c["logits"].float(), labels),
        }
        weights = self.preset.objective
        objectives = {
            "encoder_and_generator": weights["kl_weight"] * terms["kl_divergence"]
            + terms["pixel_matching"]
            + terms["discriminator_feature_matching"]
            + terms["classifier_feature_matching"]
            + weights["mean_matching_weight"] * terms["mean_matching"]
            + weights["class_matching_weight"] * terms["class_matching"],
            "discriminator": terms["discriminator_loss"],
            "classifier": terms["classifier_loss"],
        }
        return objectives, terms

    def gradients(self, *batch: torch.Tensor) -> tuple[Tensors, Mapping[str, Any]]:
        """The terms, and the gradients of each objective's parameters, from one forward pass."""
        objectives, terms = self.objectives(*batch)
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
        objectives, terms = self.objectives(images, labels, noise, prior, detach_real=True)
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


def discriminator_loss(real: torch.Tensor, *generated: torch.Tensor) -> torch.Tensor:
    """Eq. 1 with reconstructions and samples."""
    loss = functional.softplus(-real.float()).mean()
    for logits in generated:
        loss = loss + functional.softplus(logits.float()).mean()
    return loss


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
        channel: the program.
        variant: one of `VARIANTS`.
        preset: networks and hyper-parameters.
        image_size: in pixels.
        batch_size: images a step.
        start: file of `keras_training.write_start`, with the initial weights.
        num_classes: number of classes.
        dtype_policy: "float32", or "mixed_bfloat16" for autocast.
        device: "cpu" or "cuda".
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
