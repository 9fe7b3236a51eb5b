"""Points around the centre of the toy example's ring."""

import numpy as np


def polar(radius, degrees):
    """Points around (100, 100)."""
    angle = np.deg2rad(np.asarray(degrees, float))
    return 100 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
