"""LR/LI-VAE: a variational auto-encoder whose code has a label-relevant and a -irrelevant part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_cvaegan import losses
from keras_cvaegan.models.arguments import check_choice, check_count, check_weight
from keras_cvaegan.models.code_inference import CodeInference
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.variational import Variational
from keras_cvaegan.networks import Preset
from keras_cvaegan.ops.gaussians import gaussian_log_likelihood
from keras_cvaegan.ops.precision import full_precision_dtype
from keras_cvaegan.training.phases import Phase

VARIANCES = "mixture/log_variances"
LATER_VARIANCE_RATE = 0.01


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class LRLIVAE(CodeInference, Variational, GenerativeModel):
    """LR/LI-VAE (Zheng & Sun, "Disentangling Latent Space for VAE by Label Relevant/Irrelevant
    Dimensions", CVPR 2019), without its discriminator.

    Of an image, z_s = E_s(x) shall say what the label decides and z_u ~ E_u(x) the rest; the
    generator (the paper's decoder) sees no label: x_f = G(z_s, z_u). A step is (Algorithm 1)

    n_gm times, each on other images:

        E_s, μ_c and Σ_c minimize  L_cls + λ_lkd L_lkd                     (Eq. 7, 8, 9)

    once, simultaneously, from one forward pass:

        E_s minimizes  L_rec + λ_lkd L_lkd
        E_u minimizes  L_adv_E + λ_kl L_kl + λ_rec L_rec                   (Eq. 3, 5)
        G minimizes    L_rec = ½ E[‖x − x_f‖²]
        the classifier of z_u minimizes  L_adv_C                           (Eq. 4)

    Images may come without a label, as label −1 (3.6): they leave out the terms of Eq. 4, 5 and 8,
    and their z_s is drawn towards the total Gaussian of Eq. 11, or, where their classes are among
    the known ones, towards the mixture of Eq. 6.

    As every model, it has a z that is N(0, I): its first d_s numbers are whitened z_s,
    z_s = μ_c + σ_c ⊙ z[:d_s], the others z_u. So `decode`, `encode` and what is built on them take
    it as they take the others; `codes` and `decode_codes` have z_s and z_u themselves. The
    `latent_dim` of `from_preset` is (d_s, d_u), or one integer for both.

    Args:
        relevant_encoder: E_s, images → {"z_mean": (n, d_s)}.
        irrelevant_encoder: E_u, images → {"z_mean", "z_log_var"}, each (n, d_u).
        mixture: z_s → log-likelihoods of the classes: a model whose last layer is a
            `GaussianMixtureHead`.
        latent_classifier: z_u → {"logits"}.
        generator: G, (n, d_s + d_u) → images in [−1, 1].
        likelihood_weight: λ_lkd.
        irrelevant_kl_weight: λ_kl times the pixels of an image.
        irrelevant_reconstruction_weight: λ_rec times d_u.
        relevant_reconstruction_weight: weight of L_rec in what E_s minimizes; 1 in the paper. Less
            leaves to z_u what the label does not decide.
        latent_adversarial_weight: weight of L_adv_E; 0 leaves the classes in z_u.
        mixture_steps: n_gm.
        variance_decay_steps: steps after which the learning rate of Σ_c falls to its hundredth
            (the paper: 2 epochs); 0 for never.
        unlabelled_classes: "unknown", or "known" where unlabelled images are of the same classes.
        class_names, seed, average_decay, horizontal_flip, preset: see `GenerativeModel`.

    Raises:
        ValueError: for a negative weight, or networks that do not fit together.

    Example:

    >>> import numpy as np
    >>> model = LRLIVAE.from_preset("compact", image_shape=(16, 16, 3), num_classes=3)
    >>> model.compile()
    >>> images = np.zeros((16, 16, 16, 3), "uint8")
    >>> history = model.fit(images, np.arange(16) % 3, batch_size=8, verbose=0)
    >>> codes = model.codes(images[:2])
    >>> model.decode_codes(*codes).shape
    (2, 16, 16, 3)
    """

    network_names: ClassVar[tuple[str, ...]] = (
        "relevant_encoder",
        "irrelevant_encoder",
        "mixture",
        "latent_classifier",
        "generator",
    )
    updates: ClassVar = {
        # L_adv_E and L_kl reach E_u alone, L_lkd E_s alone; λ_rec is in the gradient of z_u.
        "auto_encoder": ("relevant_encoder", "irrelevant_encoder", "generator"),
        "latent_classifier": ("latent_classifier",),
    }
    measures: ClassVar[tuple[str, ...]] = (
        "classification_loss",
        "likelihood_loss",
        "kl_divergence",
        "pixel_matching",
        "latent_uniformity_loss",
        "latent_classification_loss",
    )
    learning_rates: ClassVar = {
        **dict.fromkeys((*network_names, "discriminator"), 5e-4),
        VARIANCES: 5e-4,
    }
    betas = (0.0, 0.9)
    takes_unlabelled = True
    separate_variables = (VARIANCES,)

    def __init__(
        self,
        relevant_encoder: keras.Model,
        irrelevant_encoder: keras.Model,
        mixture: keras.Model,
        latent_classifier: keras.Model,
        generator: keras.Model,
        *,
        likelihood_weight: float = 0.1,
        irrelevant_kl_weight: float = 10.0,
        irrelevant_reconstruction_weight: float = 1.0,
        relevant_reconstruction_weight: float = 1.0,
        latent_adversarial_weight: float = 1.0,
        mixture_steps: int = 3,
        variance_decay_steps: int = 0,
        unlabelled_classes: str = "unknown",
        **kwargs: Any,
    ):
        networks = {
            "relevant_encoder": relevant_encoder,
            "irrelevant_encoder": irrelevant_encoder,
            "mixture": mixture,
            "latent_classifier": latent_classifier,
            "generator": generator,
            **self._further_networks(kwargs),
        }
        super().__init__(networks, **kwargs)
        self.likelihood_weight = check_weight("likelihood_weight", likelihood_weight)
        self.irrelevant_kl_weight = check_weight("irrelevant_kl_weight", irrelevant_kl_weight)
        self.irrelevant_reconstruction_weight = check_weight(
            "irrelevant_reconstruction_weight", irrelevant_reconstruction_weight
        )
        self.relevant_reconstruction_weight = check_weight(
            "relevant_reconstruction_weight", relevant_reconstruction_weight
        )
        self.latent_adversarial_weight = check_weight(
            "latent_adversarial_weight", latent_adversarial_weight
        )
        self.mixture_steps = check_count("mixture_steps", mixture_steps)
        self.variance_decay_steps = check_count("variance_decay_steps", variance_decay_steps, 0)
        self.unlabelled_classes = check_choice(
            "unlabelled_classes", unlabelled_classes, ("unknown", "known")
        )
        self.prepare_posterior(self.irrelevant_dim)
        self.prepare_views()

    @classmethod
    def _further_networks(cls, keywords: dict[str, Any]) -> dict[str, keras.Model]:
        """Takes the networks of a subclass out of the constructor's keywords."""
        own = LRLIVAE.network_names
        return {name: keywords.pop(name) for name in cls.network_names if name not in own}

    def latent_sizes(self) -> tuple[int, int]:
        self.relevant_dim = int(self.mixture.input.shape[-1])
        self.irrelevant_dim = int(self.irrelevant_encoder.output["z_mean"].shape[-1])
        latent_dim = self.relevant_dim + self.irrelevant_dim
        if int(self.generator.input.shape[-1]) != latent_dim:
            raise ValueError(
                f"The generator must take z_s and z_u, {self.relevant_dim} and "
                f"{self.irrelevant_dim} numbers. Received: {self.generator.input.shape[-1]}."
            )
        return latent_dim, int(self.mixture.output.shape[-1])

    @classmethod
    def default_image_size(cls, preset: Preset) -> int:
        return preset.code_image_size

    @classmethod
    def default_latent_dim(
        cls, preset: Preset, image_shape: tuple[int, ...]
    ) -> int | tuple[int, int]:
        relevant, irrelevant = preset.code_dims(tuple(image_shape))
        return relevant if relevant == irrelevant else (relevant, irrelevant)

    @classmethod
    def preset_networks(
        cls,
        preset: Preset,
        image_shape: tuple[int, ...],
        num_classes: int,
        latent_dim: int | Sequence[int],
    ) -> dict[str, keras.Model]:
        code_dims = (
            (latent_dim, latent_dim)
            if isinstance(latent_dim, int | np.integer)
            else tuple(latent_dim)
        )
        if len(code_dims) != 2:
            raise ValueError(
                f"latent_dim of {cls.__name__} must be one integer for both z_s and z_u, or a pair "
                f"of them. Received: {latent_dim!r}."
            )
        return preset.code_networks(image_shape, num_classes, code_dims, cls.network_names)

    @classmethod
    def default_learning_rates(cls, preset: Preset) -> dict[str, float]:
        rates = super().default_learning_rates(preset)
        own = {name: rate for name, rate in preset.code_learning_rates.items() if name in rates}
        return {**rates, **own}

    @classmethod
    def preset_objective(cls, preset: Preset) -> Mapping[str, Any]:
        return preset.code_objective

    def make_optimizers(
        self, learning_rates: Mapping[str, float], beta_1: float | None
    ) -> dict[str, keras.optimizers.Optimizer]:
        rates = dict(learning_rates)
        if self.variance_decay_steps:
            boundary = self.variance_decay_steps * self.mixture_steps
            rate = rates[VARIANCES]
            rates[VARIANCES] = keras.optimizers.schedules.PiecewiseConstantDecay(
                [boundary], [rate, LATER_VARIANCE_RATE * rate]
            )
        return super().make_optimizers(rates, beta_1)

    @property
    def phases(self) -> tuple[Phase, ...]:
        mixture = {"mixture": ("relevant_encoder", "mixture")}
        return (
            Phase(mixture, "mixture_objectives", self.mixture_steps),
            Phase(self.updates),
        )

    def mixture_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The GM loss, of labelled images."""
        known, labels = self.known(labels)
        z_s = self.relevant_encoder(images, training=training)["z_mean"]
        likelihoods = self.mixture(z_s, training=training)
        loss = losses.classification_loss(labels, likelihoods, known)
        of_class = ops.sum(likelihoods * self.one_hot(labels), axis=-1)
        likelihood = losses.likelihood_loss(of_class, known)
        return {"mixture": loss + self.likelihood_weight * likelihood}, {
            "classification_loss": loss
        }

    def compute_objectives(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        objectives, measures, _ = self.auto_encode(images, labels, training)
        return objectives, measures

    def auto_encode(
        self, images: Any, labels: Any, training: bool
    ) -> tuple[dict[str, Any], dict[str, Any], Any]:
        """The objectives of encoders, generator and latent classifier, their measures, and x_f."""
        known, labels = self.known(labels)
        z_s = self.relevant_encoder(images, training=training)["z_mean"]
        z_mean, z_log_var, z_u = self.sampled(self.irrelevant_encoder(images, training=training))
        weight = self.irrelevant_reconstruction_weight / self.irrelevant_dim
        relevant = scale_gradient(z_s, self.relevant_reconstruction_weight)
        z = ops.concatenate([relevant, scale_gradient(z_u, weight)], axis=-1)
        reconstructed = self.generator(z, training=training)
        logits = self.latent_classifier(z_u, training=training)["logits"]
        measures = {
            "likelihood_loss": losses.likelihood_loss(self._likelihoods(z_s, labels, known)),
            "kl_divergence": losses.kl_divergence(z_mean, z_log_var),
            "pixel_matching": losses.pairwise_matching(images, reconstructed),
            "latent_uniformity_loss": losses.uniform_target_loss(logits, known),
            "latent_classification_loss": losses.classification_loss(labels, logits, known),
        }
        kl_weight = self.irrelevant_kl_weight / math.prod(self.image_shape[:2])
        objectives = {
            "auto_encoder": (
                measures["pixel_matching"]
                + self.likelihood_weight * measures["likelihood_loss"]
                + kl_weight * measures["kl_divergence"]
                + self.latent_adversarial_weight * measures["latent_uniformity_loss"]
            ),
            "latent_classifier": measures["latent_classification_loss"],
        }
        return objectives, measures, reconstructed

    def known(self, labels: Any) -> tuple[Any, Any]:
        """Weights that are 0 for images without a label, and labels that are in range."""
        return ops.cast(labels >= 0, full_precision_dtype()), ops.maximum(labels, 0)

    def _likelihoods(self, z_s: Any, labels: Any, known: Any) -> Any:
        """log N(z_s; μ_y, Σ_y) of labelled images; of others, that of Eq. 11 or Eq. 6."""
        of_classes = self.mixture(z_s)
        of_label = ops.sum(of_classes * self.one_hot(labels), axis=-1)
        if self.unlabelled_classes == "known":
            of_any = ops.logsumexp(of_classes, axis=-1) - math.log(self.num_classes)
        else:
            of_any = gaussian_log_likelihood(z_s, *self.head.total())
        return ops.where(known > 0, of_label, of_any)


def scale_gradient(x: Any, scale: float) -> Any:
    """Returns x, whose gradient is multiplied on its way back."""
    return scale * x + ops.stop_gradient((1.0 - scale) * x)
