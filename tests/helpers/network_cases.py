"""Each network of the library, small, as a function of a number of classes."""

import keras
import numpy as np

from keras_cvaegan import networks

CLASSES = 5


def small_trunk(side=16, channels=CLASSES):
    """A frozen network with two maps and pooled features, of random weights."""
    images = x = keras.Input((side, side, 3), name="images")
    outputs = {}
    for stride in (2, 4):
        x = keras.layers.Conv2D(channels, 3, 2, padding="same", activation="relu")(x)
        outputs[f"stride_{stride}"] = x
    outputs["pooled"] = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(images, outputs, name="small_trunk")
    network.trainable = False
    return network


# As many dimensions and units as classes, where there is a choice.
NETWORKS = {
    "compact_encoder": lambda n: networks.compact_encoder(
        (16, 16, 3), num_classes=n, latent_dim=CLASSES, base_filters=4
    ),
    "compact_generator": lambda n: networks.compact_generator(
        (16, 16, 3), num_classes=n, latent_dim=CLASSES, base_filters=4, embedding_dim=CLASSES
    ),
    "compact_classifier": lambda n: networks.compact_classifier(
        (16, 16, 3), num_classes=n, base_filters=CLASSES
    ),
    "compact_projection_discriminator": lambda n: networks.compact_projection_discriminator(
        (16, 16, 3), num_classes=n, base_filters=CLASSES
    ),
    "conditional_discriminator": lambda n: networks.conditional_discriminator(
        networks.compact_discriminator((16, 16, 3), base_filters=4),
        num_classes=n,
        hidden_units=CLASSES,
    ),
    "googlenet_encoder": lambda n: networks.googlenet_encoder(
        (32, 32, 3), num_classes=n, latent_dim=CLASSES, width=0.05
    ),
    "upsampling_generator": lambda n: networks.upsampling_generator(
        (64, 64, 3), num_classes=n, latent_dim=CLASSES, channels=(5, 5, 5, 5, 5)
    ),
    "alexnet_classifier": lambda n: networks.alexnet_classifier(
        (67, 67, 3), num_classes=n, width=0.01
    ),
    "cifar_projection_discriminator": lambda n: networks.cifar_projection_discriminator(
        (16, 16, 3), num_classes=n
    ),
    "mlp_encoder": lambda n: networks.mlp_encoder(
        (CLASSES,), num_classes=n, latent_dim=CLASSES, hidden_units=(CLASSES,)
    ),
    "mlp_generator": lambda n: networks.mlp_generator(
        (CLASSES,), num_classes=n, latent_dim=CLASSES, hidden_units=(CLASSES, 8)
    ),
    "mlp_projection_discriminator": lambda n: networks.mlp_projection_discriminator(
        (CLASSES,), num_classes=n, hidden_units=(CLASSES,)
    ),
    "mlp_classifier": lambda n: networks.mlp_classifier(
        (CLASSES,), num_classes=n, hidden_units=(CLASSES,)
    ),
    "photo_discriminator": lambda n: networks.photo_discriminator(
        small_trunk(), num_classes=n, filters=CLASSES
    ),
    "photo_classifier": lambda n: networks.photo_classifier(
        small_trunk(), num_classes=n, units=CLASSES
    ),
    "latent_classifier": lambda n: networks.latent_classifier(
        CLASSES, num_classes=n, hidden_units=CLASSES
    ),
    "mixture": lambda n: networks.mixture(CLASSES, num_classes=n),
}
WITHOUT_CLASSES = {
    "compact_encoder": lambda: networks.compact_encoder(
        (16, 16, 3), num_classes=None, latent_dim=CLASSES
    ),
    "compact_discriminator": lambda: networks.compact_discriminator((16, 16, 3)),
    "cifar_encoder": lambda: networks.cifar_encoder((16, 16, 3), latent_dim=CLASSES),
    "cifar_decoder": lambda: networks.cifar_decoder((16, 16, 3), latent_dim=CLASSES),
    "mlp_generator": lambda: networks.mlp_generator((CLASSES,), num_classes=None, latent_dim=5),
    "dcgan_discriminator": lambda: networks.dcgan_discriminator((16, 16, 3), base_filters=CLASSES),
}


def labels_input(num_classes):
    return keras.Input((num_classes,), name="labels")


def example(network):
    """Random inputs of a network, labels being class weights, and random weights of it."""
    random = np.random.default_rng(0)
    for variable in network.weights:
        value = random.normal(0, np.prod(variable.shape[:-1]) ** -0.5, variable.shape)
        variable.assign(1 + value**2 if "variance" in variable.path else value)
    shapes = keras.tree.map_structure(lambda x: (4, *x.shape[1:]), network.input)
    if not isinstance(network.input, dict):
        return random.uniform(0.1, 1, shapes).astype("float32")
    return {k: random.uniform(0.1, 1, shape).astype("float32") for k, shape in shapes.items()}
