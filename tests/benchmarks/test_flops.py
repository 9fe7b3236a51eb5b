"""The count of operations, against brute force and against TensorFlow's own graph."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import flops
from benchmarks.graphs import nodes
from keras_cvaegan import networks
from keras_cvaegan.models import CVAEGAN

pytestmark = pytest.mark.slow


def of_operation(operation):
    """Operations of one product: 2 for each element of the result and each term of its sum."""
    if operation.type == "MatMul":
        inner = operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return 2 * operation.outputs[0].shape.num_elements() * inner
    # A convolution and its gradients join the same elements: of the output and of the kernel.
    output, kernel = {
        "Conv2D": lambda: (operation.outputs[0], operation.inputs[1]),
        "Conv2DBackpropInput": lambda: (operation.inputs[2], operation.inputs[1]),
        "Conv2DBackpropFilter": lambda: (operation.inputs[2], operation.outputs[0]),
        "DepthwiseConv2dNative": lambda: (operation.outputs[0], operation.inputs[1]),
        "DepthwiseConv2dNativeBackpropInput": lambda: (operation.inputs[2], operation.inputs[1]),
    }.get(operation.type, lambda: (None, None))()
    if kernel is None:
        return 0
    if "Depthwise" in operation.type:
        return 2 * output.shape.num_elements() * kernel.shape[:2].num_elements()
    return 2 * output.shape.num_elements() * kernel.shape[:3].num_elements()


def count_in_graph(model, batch_size):
    """Operations of the products that a traced step runs."""
    images = tf.TensorSpec([batch_size, *model.image_shape], tf.float32)
    labels = tf.TensorSpec([batch_size], tf.int32)
    step = tf.function(lambda images, labels: model.train_step((images, labels)))
    graph = step.get_concrete_function(images, labels).graph
    reached, waiting = set(), [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in reached:
            reached.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += operation.control_inputs
    return sum(map(of_operation, reached))


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [
        (8, 3, 1, "same"),
        (8, 4, 2, "same"),
        (9, 5, 2, "same"),
        (11, 7, 3, "valid"),
        (2, 5, 1, "same"),
    ],
)
def test_a_convolution_against_brute_force(side, kernel, stride, padding):
    """Of ones by ones, each output is the number of multiplications by real pixels behind it."""
    inputs = keras.Input((side, side, 1))
    layer = keras.layers.Conv2D(
        1, kernel, stride, padding, kernel_initializer="ones", use_bias=False
    )
    network = keras.Model(inputs, layer(inputs))
    outputs = np.array(network(np.ones((1, side, side, 1), "float32")))
    counted = flops.of_layer(nodes(network)[-1])
    assert counted.real == 2 * outputs.sum()
    assert counted.padded == 2 * outputs.size * kernel**2


def test_a_step_of_the_compact_networks_against_the_graph():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=5)
    model.compile()
    counted = flops.of_step(model, 4)
    # The graph also holds the small products of the class means.
    assert 0 <= count_in_graph(model, 4) - counted.computed < 1e-3 * counted.computed
    assert 0.8 * counted.padded < counted.real < counted.padded


def test_a_step_of_the_papers_networks_against_the_graph():
    shape = (80, 80, 3)
    model = CVAEGAN(
        networks.googlenet_encoder(shape, num_classes=3, latent_dim=4, width=0.1),
        networks.upsampling_generator(
            shape,
            num_classes=3,
            latent_dim=4,
            channels=(8, 6, 4),
            kernel_sizes=(3, 3, 5, 5),
            hidden_units=16,
        ),
        networks.dcgan_discriminator(shape, base_filters=4),
        networks.alexnet_classifier(shape, num_classes=3, width=0.05),
    )
    model.compile()
    counted = flops.of_step(model, 2)
    assert 0 <= count_in_graph(model, 2) - counted.computed < 1e-3 * counted.computed


def test_a_step_on_a_trunk_against_the_graph():
    model = CVAEGAN.from_preset("photo", image_shape=(32, 32, 3), num_classes=5)
    model.compile()
    counted = flops.of_step(model, 16)
    # The graph also holds the augmentations' products, and the kernels' power iterations.
    assert 0 <= count_in_graph(model, 16) - counted.computed < 1e-2 * counted.computed


def test_features_in_front_of_the_logits_do_without_the_last_layer():
    network = networks.compact_classifier((16, 16, 3), num_classes=100)
    last = flops.of_layer(nodes(network)[-1])
    assert last.padded == 2 * 256 * 100
    image = {"weights": False, "inputs": ["images"]}
    whole, part = (flops.backward(network, [end], **image) for end in ("logits", "features"))
    assert whole.padded - part.padded == last.padded
    assert part.padded == flops.forward(network).padded - last.padded


def test_an_unknown_layer_with_weights_is_an_error():
    inputs = keras.Input((4, 4, 2))
    network = keras.Model(inputs, keras.layers.Conv2DTranspose(3, 2)(inputs))
    with pytest.raises(ValueError, match="Conv2DTranspose are not known"):
        flops.forward(network)
