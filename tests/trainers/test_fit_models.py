"""The programs with models of several phases and without classes."""

import json

import numpy as np
import pytest

from keras_cvaegan import pictures
from keras_cvaegan.training import TrainingConfig
from tests.helpers.running import variables
from tests.helpers.untrained import leave_run
from trainers import export, fit, generate
from trainers.command_line.training_config import training_config

pytestmark = pytest.mark.slow


@pytest.fixture
def call(capsys):
    def call(program, *arguments):
        code = program.COMMAND.call(program.main, arguments)
        output, errors = capsys.readouterr()
        assert code == 0, errors
        return output

    return call


def test_a_model_of_several_phases_goes_on_where_it_stopped(call, tiny, tmp_path):
    flags = [*tiny, "--model=wgan", "--set=critic_steps=1", "--log_every=1", "--noexport"]
    output = call(fit, *flags, "--steps=1", f"--run_dir={tmp_path / 'two'}")
    assert "--labels=0 --count=8" in output
    call(fit, *flags, "--steps=2", f"--run_dir={tmp_path / 'two'}")
    call(fit, *flags, "--steps=2", f"--run_dir={tmp_path / 'one'}")
    # By position: Keras numbers the optimizers of a process.
    received, expected = (
        variables(tmp_path / run / "checkpoints" / "step_00000002.weights.h5").values()
        for run in ("two", "one")
    )
    for x, y in zip(received, expected, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_model_without_classes(call, tiny, tmp_path):
    run_dir = f"--run_dir={tmp_path / 'run'}"
    call(fit, *tiny, "--model=vae", "--steps=2", "--log_every=2", run_dir)
    sheet = pictures.read_picture(tmp_path / "run" / "samples" / "latest.png")
    assert sheet.shape == (146, 146, 3)  # Eight rows and columns, each of another z.
    assert (tmp_path / "run" / "export" / "1" / "saved_model.pb").is_file()
    output = call(generate, run_dir, "--count=3", f"--output={tmp_path / 'out'}")
    assert "3 pictures of 1 class:" in output
    assert len(list((tmp_path / "out" / "any").iterdir())) == 3
    assert call(export, run_dir).endswith("2\n")


def test_dry_run_says_what_a_step_takes(call, tiny):
    output = call(fit, *tiny, "--model=wgan", "--set=critic_steps=3", "--dry_run")
    assert "Step: 4 batches of 8 images" in output
    assert '"critic_steps": 3' in output
    assert '"generator": 5e-05' in output
    assert '"beta_1": null' in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model=wgan", "--beta_1=0.5"], "beta_1 is of Adam. Received: model=wgan"),
        (["--model=wgan", "--set=critic_steps=x"], "--set=critic_steps takes an integer"),
        (["--set=joint_generation=1"], "--set=joint_generation takes true or false. Received: '1'"),
        (["--model=gan", "--set=generator_loss=x"], "generator_loss must be one of"),
        (["--model=gan", "--set=kl_weight=1"], "--set does not know 'kl_weight'"),
        (["--model=gan", "--learning_rate=encoder=1"], "does not know 'encoder'"),
    ],
)
def test_values_that_a_model_does_not_take(capsys, tiny, tmp_path, arguments, message):
    code = fit.COMMAND.call(fit.main, [*tiny, *arguments, f"--run_dir={tmp_path / 'run'}"])
    assert code == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "image_size", "latent_dim"),
    [
        (["--model=lr_li_vae"], 32, 16),
        (["--model=lr_li_vae", "--latent_dim=4"], 32, 4),
        (["--model=lr_li_vae", "--preset=paper"], 64, 512),
        (["--model=lr_li_vae_gan", "--preset=paper", "--image_size=32"], 32, (100, 200)),
        (["--model=cvae_gan", "--preset=paper"], 128, 256),
    ],
)
def test_sizes_are_the_models_own(arguments, image_size, latent_dim):
    config = training_config(fit.COMMAND.parse(arguments))
    assert (config.image_size, config.latent_dim) == (image_size, latent_dim)
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_run_of_two_sizes_is_known_again(capsys, call, tmp_path):
    flags = ["--model=lr_li_vae", "--preset=paper", "--image_size=32", "--num_classes=2"]
    flags += ["--batch_size=4", "--steps=1", "--noexport", f"--run_dir={tmp_path / 'run'}"]
    leave_run(flags, tmp_path / "run")
    assert "This run is complete, at step 1" in call(fit, *flags)
    assert fit.COMMAND.call(fit.main, [*flags, "--latent_dim=5"]) == 1
    assert "latent_dim was [100, 200] and is now 5." in capsys.readouterr().err
