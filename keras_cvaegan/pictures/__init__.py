"""Pictures as arrays: read, written, resized, in grids; `graph` has what TensorFlow graphs need."""

from keras_cvaegan.pictures.animation import write_gif
from keras_cvaegan.pictures.arrays import (
    Box,
    PictureError,
    encode_png,
    from_uint8,
    grid,
    read_picture,
    resize_picture,
    to_uint8,
    write_png,
)

__all__ = [
    "Box",
    "PictureError",
    "encode_png",
    "from_uint8",
    "grid",
    "read_picture",
    "resize_picture",
    "to_uint8",
    "write_gif",
    "write_png",
]
