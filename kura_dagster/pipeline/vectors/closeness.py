"""How near vectors are to one, so that what is equally near counts as that on every machine."""

from __future__ import annotations

import numpy as np


def closeness(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the dot product of each row of shape (n, n_dims) with a vector, rounded to five digits, shape (n,).

    Sums differ in their last digits from machine to machine. Rounded, what is equally near is left to the order of ids
    or names.
    """
    return (vectors @ vector).round(5)
