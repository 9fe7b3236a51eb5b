"""Fine-grained image generation with CVAE-GAN and its family, in Keras.

Importing the package is cheap: TensorFlow and Keras come with the first name that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_cvaegan.version import __version__

if TYPE_CHECKING:
    from keras_cvaegan.saving import load

_ROOMS = (
    *("applications", "export", "layers", "losses", "metrics"),
    *("models", "networks", "serving", "training"),
)
__all__ = ["__version__", "load", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name == "load":
        return import_module("keras_cvaegan.saving").load
    if name in _ROOMS:
        return import_module(f"keras_cvaegan.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
