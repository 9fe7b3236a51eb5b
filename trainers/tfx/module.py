"""Trains a generator in TFX: the module file of a `Trainer` component.

    Trainer(module_file="module.py", custom_config={"class_names": [...], "image_size": 64}, …)

`custom_config` has the names of `TRAINING_KEYS`, of `keras_cvaegan.training.TrainingConfig`, and of
`EXAMPLE_KEYS`, of `keras_cvaegan.training.examples.ExampleFormat`. The file needs nothing but
keras_cvaegan, so that a pipeline elsewhere can take it alone; it imports where TFX is
not installed.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cvaegan.export import write_saved_model
from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.remote_files import copy_tree, copy_whole
from keras_cvaegan.training import TrainingConfig, loop, sample_grids
from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.training.examples import (
    ExampleFormat,
    batches,
    check_examples,
    counted_batches,
    training_batches,
    unusable_examples_as_value_errors,
)
from keras_cvaegan.training.run_directory import RunDirectory

TRAINING_KEYS = (
    *("model", "preset", "image_size", "latent_dim", "batch_size", "learning_rates", "beta_1"),
    *("objective", "seed", "dtype_policy", "horizontal_flip", "log_every"),
)
EXAMPLE_KEYS = (
    *("class_names", "num_classes", "shuffle_buffer", "image_key", "label_key", "image_format"),
)
# What Google's training services put beside a user's own keys.
_FOREIGN_PREFIX = "ai_platform_"


def parse(
    custom_config: Mapping[str, Any] | None, steps: int | None = None
) -> tuple[TrainingConfig, ExampleFormat]:
    """Returns what a `custom_config` says of the training, and of the Examples.

    Args:
        custom_config: values by the names of `TRAINING_KEYS` and `EXAMPLE_KEYS`.
        steps: length of the training; the preset's by default.

    Raises:
        ValueError: for a key that is not known, or a value that is not allowed.

    Example:

    >>> config, examples = parse({"num_classes": 3, "preset": "compact"})
    >>> config.image_size, examples.classes
    (32, 3)
    """
    own = {
        key: value
        for key, value in (custom_config or {}).items()
        if not key.startswith(_FOREIGN_PREFIX)
    }
    known = (*EXAMPLE_KEYS, *TRAINING_KEYS)
    for key in own:
        if key not in known:
            raise ValueError(f"custom_config does not know {key!r}. Allowed: {', '.join(known)}.")
    try:
        config = TrainingConfig(
            dataset="examples",
            steps=steps,
            **{key: value for key, value in own.items() if key in TRAINING_KEYS},
        )
        examples = ExampleFormat(
            image_size=config.image_size,
            conditional=MODELS[config.model].conditional,
            seed=config.seed,
            **{key: value for key, value in own.items() if key in EXAMPLE_KEYS},
        )
    except ValueError as error:
        raise ValueError(f"custom_config: {error}") from None
    return config, examples


def run_fn(fn_args: Any) -> None:
    """Trains a model and writes it for serving: what TFX's `Trainer` calls.

    `serving_model_dir` gets the SavedModel of `keras_cvaegan.export`, `model_run_dir` the event
    files of TensorBoard, `model.keras`, sample pictures, `metrics.jsonl` and, of the eval files,
    `validation.json`.

    Args:
        fn_args: arguments that TFX gives, `FnArgs`. Read are train_files, eval_files, train_steps
            (by default the preset's), eval_steps (by default all), data_accessor,
            serving_model_dir, model_run_dir and custom_config: see `parse`.

    Raises:
        ValueError: for a custom_config that is not allowed, or Examples that cannot be used.
        KeyboardInterrupt: when a signal asked to stop; nothing is written for serving then.
    """
    config, examples = parse(fn_args.custom_config, fn_args.train_steps)
    accessor = fn_args.data_accessor
    for patterns in (fn_args.train_files, fn_args.eval_files):
        check_examples(patterns, examples, accessor)
    names = examples.class_names or [str(label) for label in range(examples.classes)]
    model = config.build_model(names)
    batch_size = config.batch_size * model.batches_per_step
    with tempfile.TemporaryDirectory() as work:
        directory = RunDirectory(work)
        recording = loop.recorders(
            model, config, directory, checkpoints=False, tensorboard=fn_args.model_run_dir
        )
        with unusable_examples_as_value_errors():
            training = training_batches(fn_args.train_files, examples, batch_size, accessor)
            if loop.fit(model, training, config, recording):
                raise KeyboardInterrupt
            evaluation = batches(fn_args.eval_files, examples, accessor=accessor)
            figures = _validate(model, counted_batches(evaluation, fn_args.eval_steps))
        (Path(work) / "validation.json").write_text(json.dumps(figures, indent=2), "utf-8")
        sample_grids.write_samples(model, directory.samples)
        model.save(directory.model)
        copy_tree(directory.path, fn_args.model_run_dir)
    of_examples = {key: getattr(examples, key) for key in EXAMPLE_KEYS}
    with tempfile.TemporaryDirectory() as work:
        extra = {"config": {**config.to_json(), **of_examples}}
        write_saved_model(model, Path(work) / "model", extra_config=extra)
        copy_whole(Path(work) / "model", fn_args.serving_model_dir)


def _validate(model: GenerativeModel, dataset: tf.data.Dataset) -> dict[str, float]:
    """Returns the means of the model's measures."""
    figures = model.evaluate(dataset, verbose=0, return_dict=True)
    figures = {name: float(value) for name, value in figures.items()}
    line = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(f"eval Examples at step {steps_taken(model)}: {line}", flush=True)
    return figures
