"""What tests of programs that apply a trained model share: runs of untrained ones."""

import contextlib
import functools

import numpy as np
import pytest

from keras_cvaegan import pictures, saving
from keras_cvaegan.training.run_directory import RunDirectory
from tests.helpers.untrained import TINY, write_pictures
from trainers import fit
from trainers.command_line.training_config import training_config
from trainers.runs.data import open_data


@contextlib.contextmanager
def untrained_runs(root, cache, *models):
    """Leaves a run of each model, in a folder of its name, on pictures of three classes.

    Inside, a model is loaded once, so that its networks are compiled once.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(cache))
        patch.setattr(saving, "load", functools.cache(saving.load))
        data = write_pictures(root / "pictures")
        for name in models:
            _leave_run(name, root / name, data)
        yield root


def _leave_run(name, path, data):
    _leave([*TINY, data, f"--model={name}"], path, latent_dim=3)


def _leave(flags, path, **changes):
    """Leaves a run of the flags of `trainers.fit`, of a model with its first weights."""
    config = training_config(fit.COMMAND.parse(flags)).replace(**changes)
    run, data = RunDirectory(path), open_data(config)
    run.create()
    run.write_config(config.record(data.class_names, "a command"))
    config.build_model(data.class_names).save(run.model)


def call(program, capsys, *arguments):
    """Calls a program and returns its exit code, output and errors."""
    code = program.COMMAND.call(program.main, [str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


def read_grid(path, rows, columns, side=16):
    """The pictures of a grid, uint8 (rows, columns, side, side, 3)."""
    sheet, step = pictures.read_picture(path), side + 2
    assert sheet.shape == (rows * step + 2, columns * step + 2, 3)
    parts = [
        [
            sheet[y * step + 2 : (y + 1) * step, x * step + 2 : (x + 1) * step]
            for x in range(columns)
        ]
        for y in range(rows)
    ]
    return np.array(parts)


def leave_petals_run(path, kind):
    """Leaves a run of 60 pictures of petals at 16 px whose model was not trained."""
    flags = ["--dataset=petals", "--num_classes=3", "--image_size=16", "--batch_size=4"]
    options = {"num_classes": 3, "count": 60}
    model = f"--model={kind.__name__.lower()}"
    _leave([*flags, model], path, dataset_options=options, latent_dim=3)
