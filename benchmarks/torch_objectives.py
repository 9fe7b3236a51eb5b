"""The objectives of `CVAEGAN` (Eq. 1 to 6, Bao et al. 2017) in PyTorch."""

import contextlib
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from keras_cvaegan.networks import Preset

CENTER_DECAY = 0.9
Tensors = Mapping[str, torch.Tensor]


def pairwise_matching(targets: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """½ E[‖a − b‖²], each term of Eq. 6."""
    return 0.5 * (targets.float() - outputs.float()).square().flatten(1).sum(1).mean()


def discriminator_loss(real: torch.Tensor, *generated: torch.Tensor) -> torch.Tensor:
    """Eq. 1 with reconstructions and samples."""
    loss = functional.softplus(-real.float()).mean()
    for logits in generated:
        loss = loss + functional.softplus(logits.float()).mean()
    return loss


class ClassCenters(nn.Module):
    """Moving averages of the classes' mean features for Eq. 4.

    Args:
        num_classes: number of classes.
        features: number of dimensions of a feature.
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


class Objectives:
    """One forward pass of four networks, and a scalar for each objective.

    Args:
        networks: networks "encoder", "generator", "discriminator" and "classifier", on the device.
        preset: name of the preset whose weights the terms have.
        num_classes: number of classes.
        autocast: whether to compute in bfloat16 where that is safe.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        preset: Preset,
        num_classes: int,
        autocast: bool = False,
    ) -> None:
        self.networks = dict(networks)
        self.weights = preset.objective
        self.num_classes = num_classes
        self.autocast = autocast
        self.device = next(networks["encoder"].parameters()).device
        features = networks["classifier"].layers["logits"].in_features
        self.real_centers, self.generated_centers = (
            ClassCenters(num_classes, features).to(self.device) for _ in range(2)
        )

    def compute(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        noise: torch.Tensor,
        prior: torch.Tensor,
        detach_real: bool = False,
    ) -> tuple[Tensors, Tensors]:
        """One forward pass: a scalar for each objective, and the terms they are made of.

        Args:
            images: images in [−1, 1].
            labels: class of each, as an integer.
            noise: noise r of z = μ + exp(ε / 2) r.
            prior: latents z_p, drawn from the prior.
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
        weights = self.weights
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
