"""Prints how far the PyTorch networks and losses are from ours, and PyTorch's count of operations.

In a process of its own: once TensorFlow is there, PyTorch's optimizers can no longer be imported.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch._dynamo  # isort: skip, before TensorFlow
import keras
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import flops, keras_training, measuring, torch_training
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.networks import preset

BATCH_SIZE, NUM_CLASSES = 4, 3


def randomize_statistics(network: keras.Model) -> None:
    """Gives the batch normalizations averages that are not those of the start."""
    rng = np.random.default_rng(1)
    for variable in network.non_trainable_variables:
        variable.assign(rng.uniform(0.5, 2.0, variable.shape))


def to_torch(name: str, array: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    return tensor.permute(0, 3, 1, 2).contiguous() if name == "images" else tensor


def network_difference(network: keras.Model, training: bool) -> float:
    """The largest difference of an output, relative to the largest value of that output."""
    rng = np.random.default_rng(2)
    inputs = network.input if isinstance(network.input, dict) else {"images": network.input}
    arrays = {
        name: rng.uniform(-1, 1, (BATCH_SIZE, *tensor.shape[1:])).astype("float32")
        for name, tensor in inputs.items()
    }
    module = torch_training.converted({"": network})[""].train(training)
    with torch.no_grad():
        theirs = module(**{name: to_torch(name, array) for name, array in arrays.items()})
    ours = network(
        arrays if isinstance(network.input, dict) else arrays["images"], training=training
    )
    if not isinstance(ours, dict):
        ours, theirs = {"": ours}, {"": theirs}
    differences = []
    for name, output in ours.items():
        expected, output = np.array(output), theirs[name].numpy()
        if output.ndim == 4:
            output = output.transpose(0, 2, 3, 1)
        differences.append(abs(output - expected).max() / abs(expected).max())
    return float(max(differences))


def main() -> None:
    results = {"networks": {}}
    for size in (16, 64):
        built = preset("compact").networks((size, size, 3), NUM_CLASSES)
        for name, network in built.items():
            randomize_statistics(network)
            for training in (False, True):
                results["networks"][f"{name} {size} {training}"] = network_difference(
                    network, training
                )
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=NUM_CLASSES)
    images, labels = measuring.random_batches(16, BATCH_SIZE, NUM_CLASSES)[0]
    modules = torch_training.converted(model.networks)
    start = Path(sys.argv[1]) / "start.npz"
    keras_training.write_start(str(start), model, (images, labels))
    batch = torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels).long()
    for variant in ("eager", "naive"):
        training = torch_training.Training(modules, preset("compact"), NUM_CLASSES, variant)
        if variant == "eager":
            results["first_losses"] = training.disagreement(*batch, dict(np.load(start)))
        before = [x.detach().clone() for x in modules["encoder"].parameters()]
        with FlopCounterMode(display=False) as counter:
            losses = training.step(*batch)
        results[f"{variant}_flops"] = counter.get_total_flops()
        results[f"{variant}_finite"] = all(np.isfinite(float(x.detach())) for x in losses.values())
        results[f"{variant}_moved"] = all(
            not torch.equal(a, b)
            for a, b in zip(before, modules["encoder"].parameters(), strict=True)
        )
    results["our_flops"] = flops.of_step(model, BATCH_SIZE).padded
    print(json.dumps(results))


if __name__ == "__main__":
    main()
