"""Short texts that tell networks apart by what they compute."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops


def fingerprint(about: Any, networks: Mapping[str, keras.Model]) -> str:
    """Returns what changes whenever weights do, the same in every process.

    Args:
        about: facts that the results depend on too, as JSON has them.
        networks: networks by name, in an order that does not change; a single one may go without,
            as "".

    Returns:
        16 hexadecimal digits.

    Example:

    >>> ones = keras.layers.Dense(3, kernel_initializer="ones")
    >>> fingerprint("ones", {"": keras.Sequential([keras.Input((2,)), ones])})
    'bfded47831072469'
    """
    digest = hashlib.sha256(json.dumps(about).encode())
    for name, network in networks.items():
        for variable in network.weights:
            value = np.ascontiguousarray(ops.convert_to_numpy(variable.value))
            # Kept files hold fingerprints: another form would call their networks changed.
            digest.update(f"{name} {value.dtype} {value.shape}".lstrip().encode())
            digest.update(value.data)
    return digest.hexdigest()[:16]
