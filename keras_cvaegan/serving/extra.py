"""The packages of the extra `[serving]`, imported when they are first needed."""

from importlib import import_module
from types import ModuleType


def import_extra(name: str) -> ModuleType:
    """Imports a module of the extra.

    Raises:
        ImportError: when it is missing, with what to install.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"Asking a server needs {error.name}, which is not installed. "
            "Install the extra: pip install 'keras_cvaegan[serving]'."
        ) from error
