"""Asking a server for what a model does: a client of TensorFlow Serving, over REST and gRPC.

Needs the extra `[serving]`. Over REST, TensorFlow is not imported.
"""

from keras_cvaegan.serving.client import GenerateClient
from keras_cvaegan.serving.descriptions import Description, Signature, Tensor
from keras_cvaegan.serving.errors import (
    BadRequest,
    DeadlineExceeded,
    NotFound,
    ServingError,
    Unavailable,
)

__all__ = [
    "BadRequest",
    "DeadlineExceeded",
    "Description",
    "GenerateClient",
    "NotFound",
    "ServingError",
    "Signature",
    "Tensor",
    "Unavailable",
]
