"""What a run would be, before it begins: `--dry_run`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import keras

from keras_cvaegan.training.configuration import TrainingConfig
from trainers.runs.data import open_data


def describe(config: TrainingConfig) -> str:
    """Returns configuration, networks and data of a run, to be read."""
    data = open_data(config)
    model = config.build_model(data.class_names)
    lines = [json.dumps(config.to_json(), indent=2)]
    for name, network in model.networks.items():
        lines += ["", f"{name}: {network.count_params():,} parameters", *_layers(network)]
    total = sum(network.count_params() for network in model.networks.values())
    batches = "1 batch" if model.batches_per_step == 1 else f"{model.batches_per_step} batches"
    lines += [
        "",
        f"All networks: {total:,} parameters",
        f"Data: {config.dataset}, {len(data.class_names)} classes, "
        f"{data.source('train').count:,} training pictures, {config.image_size} px",
        f"Step: {batches} of {config.batch_size} images",
    ]
    return "\n".join(lines)


def _layers(network: keras.Model) -> Iterator[str]:
    for layer in network.layers:
        shapes = layer.output if isinstance(layer.output, dict) else {"": layer.output}
        sizes = " ".join("×".join(map(str, x.shape[1:])) for x in shapes.values())
        kind = type(layer).__name__
        yield f"  {layer.name:<28} {kind:<28} {sizes:<16} {layer.count_params():>12,}"
