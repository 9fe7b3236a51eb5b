"""How a step is taken, runs, callbacks, checkpoints: the only room that knows gradients.

A resumable run from Python, with arrays or any `RunData`:

    config = keras_cvaegan.training.TrainingConfig(model="cvae_gan", image_size=64, steps=5000)
    trained = keras_cvaegan.training.run(config, (images, labels), "runs/birds")
    trained.model.generate([0, 1])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_cvaegan.training.configuration import TrainingConfig
    from keras_cvaegan.training.initialization import Initialization, initialize_from
    from keras_cvaegan.training.loop import Trained, run
    from keras_cvaegan.training.run_configuration import RunConfig
    from keras_cvaegan.training.run_data import ArrayData, RunData

# Late, since models take their step from this room, and runs train models.
_MODULES = {
    "ArrayData": "run_data",
    "Initialization": "initialization",
    "RunConfig": "run_configuration",
    "RunData": "run_data",
    "Trained": "loop",
    "TrainingConfig": "configuration",
    "initialize_from": "initialization",
    "run": "loop",
}
__all__ = [
    "ArrayData",
    "Initialization",
    "RunConfig",
    "RunData",
    "Trained",
    "TrainingConfig",
    "initialize_from",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"keras_cvaegan.training.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
