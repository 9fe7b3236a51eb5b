"""Checkpoints: everything that training needs to go on as if it had never stopped."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_cvaegan.files import replacing

_NAME = re.compile(r"step_(\d+)\.weights\.h5")
# Increase when older checkpoints can no longer be read.
_FORMAT = 1


def save_checkpoint(model: keras.Model, directory: str | os.PathLike, keep: int = 2) -> Path:
    """Writes the model's weights, its step and all variables of its optimizers.

    The file is written beside its place, forced to the disk, and renamed: a checkpoint is whole
    or not there.

    Args:
        model: a compiled model with a variable `step`.
        directory: the folder of the checkpoints, made where missing.
        keep: number of checkpoints to keep, this one included; older ones are removed.

    Returns:
        The path of the checkpoint, `step_00000500.weights.h5` after 500 steps.

    Raises:
        ValueError: when a variable is not finite; nothing is written then.
        OSError: when the file cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    step = steps_taken(model)
    values = [(path, keras.ops.convert_to_numpy(variable)) for path, variable in _variables(model)]
    for path, value in values:
        if not np.isfinite(value.astype(np.float32)).all():
            raise ValueError(
                f"After step {step}, {path!r} holds a number that is not finite: the training "
                "has diverged, and this checkpoint is not written."
            )
    checkpoint = directory / f"step_{step:08d}.weights.h5"
    with replacing(checkpoint) as partial, h5py.File(partial, "w") as store:
        for index, (path, value) in enumerate(values):
            _write(store, f"{index:05d}", path, value)
        store.attrs.update(format=_FORMAT, step=step, count=len(values))
    for old in _newest_first(directory)[keep:]:
        old.unlink(missing_ok=True)
    return checkpoint


def steps_taken(model: keras.Model) -> int:
    """The number of training steps that a model has taken, on any back end and strategy."""
    return int(keras.ops.convert_to_numpy(model.step))


def _write(store: h5py.File, name: str, path: str, value: np.ndarray) -> None:
    # The checksum shows, on reading, whether the disk kept the bytes.
    checked = {"chunks": value.shape, "fletcher32": True} if value.size else {}
    store.create_dataset(name, data=value, **(checked if value.ndim else {})).attrs["path"] = path


def _variables(model: keras.Model) -> list[tuple[str, keras.Variable]]:
    """Returns every variable that training changes, once, with its path."""
    found: dict[int, tuple[str, keras.Variable]] = {}
    for variable in [*model.weights, *_built_optimizer(model).variables]:
        found.setdefault(id(variable), (variable.path, variable))
    return list(found.values())


def _built_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    if getattr(model, "optimizer", None) is None:
        raise ValueError("A checkpoint needs a compiled model: call `compile` first.")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return model.optimizer


def _newest_first(directory: Path) -> list[Path]:
    found = [path for path in directory.glob("step_*.weights.h5") if _NAME.fullmatch(path.name)]
    return sorted(found, key=checkpoint_step, reverse=True)


def checkpoint_step(path: str | os.PathLike) -> int:
    """Returns the step that a checkpoint's name tells.

    Example:

    >>> checkpoint_step("checkpoints/step_00000500.weights.h5")
    500
    """
    match = _NAME.fullmatch(Path(path).name)
    if match is None:
        raise ValueError(f"Not the name of a checkpoint. Received: {str(path)!r}.")
    return int(match[1])


def latest_checkpoint(directory: str | os.PathLike) -> Path | None:
    """Returns the newest checkpoint that can be read whole, or None where there is none."""
    for path in _newest_first(Path(directory)):
        with contextlib.suppress(OSError, KeyError):
            for _ in _read(path):
                pass
            return path
    return None


def _read(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the path and value of every variable.

    Raises:
        OSError: when the file is damaged.
        KeyError: when a part of it is missing.
    """
    with h5py.File(path, "r") as store:
        for index in range(int(store.attrs["count"])):
            dataset = store[f"{index:05d}"]
            yield str(dataset.attrs["path"]), dataset[()]


def restore_checkpoint(model: keras.Model, path: str | os.PathLike) -> int:
    """Sets every variable to what `save_checkpoint` wrote.

    Args:
        model: a compiled model like the one that was saved; its optimizer is built here.
        path: path of the checkpoint.

    Returns:
        The step to go on from.

    Raises:
        ValueError: when the checkpoint is of another model or optimizer, or cannot be read;
            the model is unchanged then.
    """
    path = Path(path)
    try:
        saved = list(_read(path))
    except (OSError, KeyError) as error:
        raise ValueError(f"Cannot read the checkpoint {str(path)!r} ({error}).") from error
    variables = _variables(model)
    if len(saved) != len(variables):
        raise ValueError(
            f"The checkpoint {str(path)!r} does not fit the model: it holds {len(saved)} "
            f"variables, the model and its optimizer have {len(variables)}."
        )
    for (saved_path, value), (_, variable) in zip(saved, variables, strict=True):
        if value.shape != tuple(variable.shape):
            raise ValueError(
                f"The checkpoint {str(path)!r} does not fit the model: {saved_path!r} has the "
                f"shape {value.shape}, {variable.path!r} of the model {tuple(variable.shape)}."
            )
    for (_, value), (_, variable) in zip(saved, variables, strict=True):
        variable.assign(value)
    return steps_taken(model)
