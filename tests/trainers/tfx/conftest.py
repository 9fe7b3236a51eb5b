import contextlib
import io
import sys
import types
from types import SimpleNamespace

import pytest

from tests.helpers import tfx_examples as examples
from trainers.tfx import module


@pytest.fixture(scope="session")
def petals(tmp_path_factory):
    """Patterns of the train and eval files of 40 drawn flowers each, and their class names."""
    return examples.write_petals(tmp_path_factory.mktemp("petals") / "records")


@pytest.fixture(scope="session")
def trained(petals, tmp_path_factory):
    """A finished `run_fn` of four steps: its arguments, and what it printed."""
    train, test, class_names = petals
    root = tmp_path_factory.mktemp("trained")
    args = examples.FnArgs(
        train_files=train,
        eval_files=test,
        serving_model_dir=str(root / "model" / "Format-Serving"),
        model_run_dir=str(root / "model_run"),
        custom_config={
            "class_names": class_names,
            "image_size": examples.SIZE,
            "batch_size": 8,
            "latent_dim": 4,
            "log_every": 2,
            "objective": {"kl_weight": 0.5},
            "learning_rates": {"encoder": 5e-4},
            "ai_platform_training_args": {"project": "of the training service"},
        },
    )
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        module.run_fn(args)
    return SimpleNamespace(args=args, root=root, output=output.getvalue())


@pytest.fixture
def tfx_bsl(monkeypatch):
    """Stands for the package whose options a data accessor takes."""
    package, public = types.ModuleType("tfx_bsl"), types.ModuleType("tfx_bsl.public")
    tfxio = types.ModuleType("tfx_bsl.public.tfxio")
    tfxio.TensorFlowDatasetOptions = SimpleNamespace
    package.public, public.tfxio = public, tfxio
    for part in (package, public, tfxio):
        monkeypatch.setitem(sys.modules, part.__name__, part)
