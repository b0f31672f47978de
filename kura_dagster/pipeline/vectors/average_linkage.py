"""Average linkage down to a distance: rows are joined as long as they are near, so no number of clusters is needed.

Sokal, Michener: A statistical method for evaluating systematic relationships, 1958.
"""

from __future__ import annotations

import math

import numpy as np

from kura_dagster.pipeline.vectors.cells import labels_by_cell
from kura_dagster.pipeline.vectors.density_peaks import first_rows
from kura_dagster.pipeline.vectors.smoothing import smoothed

_ROWS_PER_CLUSTER = 10  # that the vectors are smoothed for; fewer on small days
_COMPARED_ROWS = 1_000  # whose median distance is the scale


def labels_by_average_linkage(vectors: np.ndarray, distance_threshold: float) -> np.ndarray:
    """Return the label of each row, from 0 up; of large days, rows are joined in their own cell.

    The vectors are smoothed first. Memory is quadratic in the rows of a cell, 100 MB for 5,000.

    Args:
        vectors: unit vectors (or zeros) of shape (n, n_dims), float32.
        distance_threshold: the mean distance between the rows of two clusters below which they are joined, as a share
            of the median distance of two different rows, after smoothing.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    def labels_of(rows: np.ndarray) -> np.ndarray:
        if len(rows) == 1:
            return np.zeros(1, dtype=np.int64)
        own = smoothed(vectors[rows], min(_ROWS_PER_CLUSTER, math.isqrt(len(rows)))).astype(np.float64)
        # Of rows that differ: where most ask the same, the median of all pairs would be nothing.
        compared = own[list(first_rows(own).values())]
        compared = compared[:: math.ceil(len(compared) / _COMPARED_ROWS)]
        most = distance_threshold * float(np.median(pdist(compared))) if len(compared) > 1 else 0.0
        return np.asarray(fcluster(linkage(own, "average"), most, "distance")) - 1

    return labels_by_cell(vectors, labels_of)
