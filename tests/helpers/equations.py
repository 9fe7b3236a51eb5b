"""The papers' terms written once more, each from forward passes of its own."""

import numpy as np
import tensorflow as tf

from keras_cvaegan.layers import SpectralNormalization
from keras_cvaegan.ops import random
from keras_cvaegan.ops.keras_private import all_layers

POSTERIOR, PRIOR = 0, 1

WEIGHTS = {
    "kl_weight": 0.7,
    "matching_weight": 0.5,
    "pixel_weight": 0.9,
    "discriminator_feature_weight": 1.3,
    "classifier_feature_weight": 0.8,
    "mean_matching_weight": 1.1,
    "class_matching_weight": 0.6,
    "adversarial_weight": 0.4,
    "likelihood_weight": 0.3,
    "irrelevant_kl_weight": 90.0,
    "irrelevant_reconstruction_weight": 2.0,
    "relevant_reconstruction_weight": 0.6,
    "latent_adversarial_weight": 0.7,
}


def settle(model):
    """Ends the power iterations of spectral normalization: further ones change nothing."""
    for layer in all_layers(model):
        if isinstance(layer, SpectralNormalization):
            kernel = np.array(layer.layer.kernel)
            _, _, directions = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))
            layer.u.assign(directions[0])


def half_square(x):
    return 0.5 * tf.reduce_sum(tf.square(x))


class Equations:
    """The terms of a model's objectives in its first step.

    Args:
        model: freshly built, so that its class centres have no history.
        images: of the batch.
        labels: of the batch.
        share: (i, P): the rows i, i + P, … of the batch.
    """

    def __init__(self, model, images, labels, share=(0, 1)):
        self.model = model
        self.rows = np.arange(share[0], len(images), share[1])
        self.images = tf.constant(images[self.rows])
        self.labels = labels[self.rows] if model.conditional else 0 * self.rows
        self.one_hot = tf.one_hot(self.labels, model.num_classes)

    def noise(self, stream):
        dim = self.model.latent_dim
        return random.normal(self.rows, dim, seed=self.model.seed, step=0, stream=stream)

    def encode(self):
        inputs = {"images": self.images, "labels": self.one_hot}
        code = self.model.encoder(inputs, training=True)
        return code["z_mean"], code["z_log_var"]

    def decode(self, z):
        return self.model.generator({"z": z, "labels": self.one_hot}, training=True)

    def x_f(self):
        mean, log_var = self.encode()
        return self.decode(mean + tf.exp(log_var / 2) * self.noise(POSTERIOR))

    def x_p(self):
        return self.decode(self.noise(PRIOR))

    def d(self, x, output="logits"):
        sees_label = isinstance(self.model.discriminator.input, dict)
        inputs = {"images": x, "labels": self.one_hot} if sees_label else x
        return self.model.discriminator(inputs, training=True)[output]

    def c(self, x, output="logits"):
        return self.model.classifier(x, training=True)[output]

    def discriminator_loss(self, *fakes):  # Eq. 1
        loss = -tf.reduce_mean(tf.math.log_sigmoid(self.d(self.images)))
        for fake in fakes:
            loss -= tf.reduce_mean(tf.math.log_sigmoid(-self.d(fake)))
        return loss

    def generator_loss(self, *fakes):  # Below Eq. 1
        return -sum(tf.reduce_mean(tf.math.log_sigmoid(self.d(fake))) for fake in fakes)

    def mean_matching(self):  # Eq. 2
        real, fake = self.d(self.images, "features"), self.d(self.x_p(), "features")
        return half_square(tf.reduce_mean(real, 0) - tf.reduce_mean(fake, 0))

    def classifier_loss(self):  # Eq. 3
        log_p = tf.nn.log_softmax(self.c(self.images))
        each = np.stack([np.arange(len(self.labels)), self.labels], 1)
        return -tf.reduce_mean(tf.gather_nd(log_p, each))

    def class_matching(self):  # Eq. 4, with the batch's own means
        real, fake = self.c(self.images, "features"), self.c(self.x_p(), "features")
        loss = 0.0
        for label in np.unique(self.labels):
            members = np.flatnonzero(self.labels == label)
            centers = [tf.reduce_mean(tf.gather(f, members), 0) for f in (real, fake)]
            loss += half_square(centers[0] - centers[1])
        return loss

    def kl_divergence(self):  # Eq. 5
        mean, log_var = self.encode()
        terms = tf.square(mean) + tf.exp(log_var) - log_var - 1
        return 0.5 * tf.reduce_sum(terms) / len(self.rows)

    def pixels(self):  # Eq. 6
        return half_square(self.images - self.x_f()) / len(self.rows)

    def features(self, network):  # Eq. 6
        difference = network(self.images, "features") - network(self.x_f(), "features")
        return half_square(difference) / len(self.rows)

    def scores(self, x):
        return tf.reduce_mean(self.d(x))


class CodeEquations(Equations):
    """The terms of LR/LI-VAE and LR/LI-VAE-GAN (Zheng & Sun 2019).

    Labels of −1 are of images without one.
    """

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        self.known = np.flatnonzero(self.labels >= 0)
        classes = np.where(self.labels >= 0, self.labels, self.rows % self.model.num_classes)
        self.one_hot = tf.one_hot(classes, self.model.num_classes)
        self.means = self.model.head.means

    @property
    def variances(self):
        return tf.exp(self.model.head.raw_log_variances)

    def z_s(self):
        return self.model.relevant_encoder(self.images, training=True)["z_mean"]

    def encode(self):
        code = self.model.irrelevant_encoder(self.images, training=True)
        return code["z_mean"], code["z_log_var"]

    def z_u(self):
        mean, log_var = self.encode()
        # The noise of a row does not depend on how many columns follow.
        noise = random.normal(
            self.rows, mean.shape[1], seed=self.model.seed, step=0, stream=POSTERIOR
        )
        return mean + tf.exp(log_var / 2) * noise

    def x_f(self):
        z = tf.concat([self.z_s(), self.z_u()], 1)
        return self.model.generator(z, training=True)

    def x_p(self):
        z = self.noise(PRIOR)
        dim = self.model.relevant_dim
        deviations = tf.sqrt(self.one_hot @ self.variances)
        z_s = self.one_hot @ self.means + deviations * z[:, :dim]
        return self.model.generator(tf.concat([z_s, z[:, dim:]], 1), training=True)

    def density(self, row, mean, variance):
        scaled = tf.square(row - mean) / variance
        return tf.reduce_sum(-0.5 * (scaled + tf.math.log(2 * np.pi * variance)))

    def classes_of_z_s(self):  # Eq. 8
        loss, z_s = 0.0, self.z_s()
        for row in self.known:
            pairs = zip(tf.unstack(self.means), tf.unstack(self.variances), strict=True)
            densities = tf.stack([self.density(z_s[row], m, v) for m, v in pairs])
            loss -= densities[self.labels[row]] - tf.reduce_logsumexp(densities)
        return loss / len(self.rows)

    def likelihood(self, unlabelled=True):  # Eq. 7, 11
        loss, z_s = 0.0, self.z_s()
        mean, variance = tf.reduce_mean(self.means, 0), tf.reduce_mean(self.variances, 0)
        variance += tf.reduce_mean(tf.square(self.means), 0) - tf.square(mean)
        for row, label in enumerate(self.labels):
            if label >= 0:
                loss -= self.density(z_s[row], self.means[label], self.variances[label])
            elif unlabelled:
                loss -= self.density(z_s[row], mean, variance)
        return loss / len(self.rows)

    def gaussian_mixture(self):  # Eq. 9
        return self.classes_of_z_s() + WEIGHTS["likelihood_weight"] * self.likelihood(False)

    def log_q(self):
        logits = self.model.latent_classifier(self.z_u(), training=True)["logits"]
        return tf.gather(tf.nn.log_softmax(logits), self.known)

    def classes_of_z_u(self):  # Eq. 4
        each = np.stack([np.arange(len(self.known)), self.labels[self.known]], 1)
        return -tf.reduce_sum(tf.gather_nd(self.log_q(), each)) / len(self.rows)

    def uniformity(self):  # Eq. 5
        return -tf.reduce_sum(self.log_q()) / self.model.num_classes / len(self.rows)

    def d(self, x, output="logits"):
        return tf.gather(super().d(x, output), self.known)

    def discriminator_loss(self, *fakes):
        return super().discriminator_loss(*fakes) * len(self.known) / len(self.rows)

    def generator_loss(self, *fakes):
        return super().generator_loss(*fakes) * len(self.known) / len(self.rows)


def code_objectives(model, images, labels):
    """As `objectives`, of LR/LI-VAE and LR/LI-VAE-GAN."""
    w, shares = WEIGHTS, model.mixture_steps + 1
    *first, e = (CodeEquations(model, images, labels, (i, shares)) for i in range(shares))
    kl_weight = w["irrelevant_kl_weight"] / (images.shape[1] * images.shape[2])
    pixel_weight = w["irrelevant_reconstruction_weight"] / model.irrelevant_dim
    joint = {
        "relevant_encoder": lambda: (
            w["relevant_reconstruction_weight"] * e.pixels()
            + w["likelihood_weight"] * e.likelihood()
        ),
        "irrelevant_encoder": lambda: (
            pixel_weight * e.pixels()
            + kl_weight * e.kl_divergence()
            + w["latent_adversarial_weight"] * e.uniformity()
        ),
        "latent_classifier": e.classes_of_z_u,
        "generator": e.pixels,
    }
    if "discriminator" in model.network_names:
        joint["discriminator"] = lambda: e.discriminator_loss(e.x_f(), e.x_p())
        joint["generator"] = lambda: (
            e.pixels() + w["adversarial_weight"] * e.generator_loss(e.x_f(), e.x_p())
        )
    mixture = [
        {"relevant_encoder": e.gaussian_mixture, "mixture": e.gaussian_mixture} for e in first
    ]
    return [*mixture, joint]


def objectives(name, model, images, labels):
    """For each phase of a step, the objective of each network that it updates, as a function."""
    e, w = Equations(model, images, labels), WEIGHTS

    def kl():
        return w["kl_weight"] * e.kl_divergence()

    def matching():
        terms = w["pixel_weight"] * e.pixels()
        terms += w["discriminator_feature_weight"] * e.features(e.d)
        terms += w["classifier_feature_weight"] * e.features(e.c)
        return w["matching_weight"] * terms

    def means():
        return w["mean_matching_weight"] * e.mean_matching()

    def classes():
        return w["class_matching_weight"] * e.class_matching()

    def fooled():
        return w["adversarial_weight"] * e.generator_loss(e.x_f(), e.x_p())

    if name.startswith("lr_li"):
        return code_objectives(model, images, labels)
    if name == "wgan":
        shares = [Equations(model, images, labels, (i, 6)) for i in range(6)]
        critic = [
            {"discriminator": lambda e=e: e.scores(e.x_p()) - e.scores(e.images)}
            for e in shares[:5]
        ]
        return [*critic, {"generator": lambda e=shares[5]: -e.scores(e.x_p())}]
    vae = {"encoder": lambda: e.pixels() + kl(), "generator": e.pixels}
    gan = {
        "generator": lambda: e.generator_loss(e.x_p()),
        "discriminator": lambda: e.discriminator_loss(e.x_p()),
    }
    table = {
        "vae": vae,
        "cvae": vae,
        "gan": gan,
        "cgan": gan,
        "fm_gan": {**gan, "generator": e.mean_matching},
        "fm_cgan": {
            **gan,
            "generator": lambda: (
                means() + classes() + w["adversarial_weight"] * e.generator_loss(e.x_p())
            ),
            "classifier": e.classifier_loss,
        },
        "vae_gan": {
            "encoder": lambda: e.features(e.d) + kl(),
            "generator": lambda: e.features(e.d) + fooled(),
            "discriminator": lambda: e.discriminator_loss(e.x_f(), e.x_p()),
        },
        "cvae_gan": {
            "encoder": lambda: matching() + kl() + fooled(),
            "generator": lambda: matching() + means() + classes() + fooled(),
            "discriminator": lambda: e.discriminator_loss(e.x_f(), e.x_p()),
            "classifier": e.classifier_loss,
        },
    }
    return [table[name]]
