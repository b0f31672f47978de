"""k-means for a day's conversations: begun from density peaks, refined on small days, cell by cell on large ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kura_dagster.pipeline.types import unit_rows
from kura_dagster.pipeline.vectors.cells import ROWS_UNCUT, labels_by_cell
from kura_dagster.pipeline.vectors.density_peaks import density_peaks, first_rows, squared_distances
from kura_dagster.pipeline.vectors.smoothing import smoothed

# scikit-learn is imported where it is used: it takes a second, and a Dagster code location loads this module.

# Centres that are added and taken away again at first; each time that it does not help, one fewer. With ten, NMI gains
# a third of a point more, and a third more clusters change with another row. Of larger days the seeds are good enough,
# and with breathing another row would change five times as many clusters.
_BREATH = 5
_LEAST_GAIN = 1e-4
_SAME_PLACE = 1e-5  # sum of squared distances that float32's rounding alone may make
_ROWS_TO_REFINE = 500

# Clusters with more rows than this are made of smaller ones on a large day: its cells would cut through them.
_MOST_IN_CELLS = 20
_ROWS_OF_SMALL = 10


def labels_by_kmeans(vectors: np.ndarray, rows_per_cluster: float) -> np.ndarray:
    """Return the k-means label of each row; the labels are numbers from 0 up, of which some may be unused.

    The vectors are smoothed first. Nothing is drawn at random.

    Args:
        vectors: unit vectors (or zeros) of shape (n, n_dims), float32.
        rows_per_cluster: k is n divided by it, rounded up (on large days, in each cell and to the nearest).

    References:
        Fritzke: The Breathing K-Means Algorithm, 2020 (arXiv:2006.15666), for the refinement.
    """
    if len(vectors) > ROWS_UNCUT:
        if rows_per_cluster > _MOST_IN_CELLS:
            return _labels_of_groups(vectors, rows_per_cluster)
        return _labels_in_cells(vectors, rows_per_cluster)
    vectors = smoothed(vectors, rows_per_cluster)
    fitted = _fitted(vectors, math.ceil(len(vectors) / rows_per_cluster), rows_per_cluster)
    if fitted is not None and len(vectors) <= _ROWS_TO_REFINE:
        fitted = _refined(vectors, fitted)
    return np.zeros(len(vectors), dtype=np.int64) if fitted is None else fitted.labels_


def _labels_in_cells(vectors: np.ndarray, rows_per_cluster: float) -> np.ndarray:
    def labels_of(rows: np.ndarray) -> np.ndarray:
        own = smoothed(vectors[rows], rows_per_cluster)
        fitted = _fitted(own, max(1, round(len(rows) / rows_per_cluster)), rows_per_cluster)
        return np.zeros(len(rows), dtype=np.int64) if fitted is None else np.asarray(fitted.labels_)

    return labels_by_cell(vectors, labels_of)


def _labels_of_groups(vectors: np.ndarray, rows_per_cluster: float) -> np.ndarray:
    """Return the labels of clusters that are made of small ones, by k-means over the small ones' means."""
    _, group_of = np.unique(_labels_in_cells(vectors, _ROWS_OF_SMALL), return_inverse=True)
    totals = np.zeros((group_of.max() + 1, vectors.shape[1]))
    np.add.at(totals, group_of, vectors)
    return labels_by_kmeans(unit_rows(totals), rows_per_cluster * len(totals) / len(vectors))[group_of]


def _fitted(vectors: np.ndarray, k: int, rows_per_cluster: float) -> Any:
    """Return scikit-learn's k-means, fitted from density peaks; None where all rows make one cluster."""
    k = min(k, len(first_rows(vectors)))  # k-means can form no more clusters than there are distinct rows
    return _lloyd(vectors, vectors[density_peaks(vectors, k, rows_per_cluster)]) if k > 1 else None


def _lloyd(vectors: np.ndarray, centres: np.ndarray) -> Any:
    """Return scikit-learn's k-means, fitted from these centres."""
    from sklearn.cluster import KMeans

    # float64: float32 is no faster, and its sums depend on their order sooner.
    return KMeans(len(centres), init=centres.astype(np.float64), n_init=1).fit(vectors.astype(np.float64))


def _refined(vectors: np.ndarray, fitted: Any) -> Any:
    """Return the k-means moved out of local optima: centres are added where errors are largest, as many taken away.

    Added is, in each cluster with a large error, the member that would take over most of it; taken away are the centres
    whose members have another one nearly as near, but not two next to each other.
    """
    k = len(fitted.cluster_centers_)
    breath = min(_BREATH, k // 2)
    while breath:
        to_nearest, _ = _two_nearest(vectors, fitted)
        errors = np.bincount(fitted.labels_, to_nearest, minlength=k)
        # Where all members are the same, two centres would be in one place.
        breath = min(breath, int(np.count_nonzero(errors > _SAME_PLACE)))
        added = []
        for cluster in np.argsort(-errors, kind="stable")[:breath]:
            rows = np.flatnonzero(fitted.labels_ == cluster)
            taken_over = np.maximum(to_nearest[rows] - squared_distances(vectors[rows], vectors[rows]), 0).sum(axis=1)
            added.append(vectors[rows[np.argmax(taken_over)]])
        if not added:
            break
        more = _lloyd(vectors, np.vstack([fitted.cluster_centers_, added]))
        to_nearest, to_second = _two_nearest(vectors, more)
        worth = np.bincount(more.labels_, to_second - to_nearest, minlength=k + breath)
        fewer = _lloyd(
            vectors, np.delete(more.cluster_centers_, _expendable(more.cluster_centers_, worth, breath), axis=0)
        )
        if fewer.inertia_ < fitted.inertia_ * (1 - _LEAST_GAIN):
            fitted = fewer
        else:
            breath -= 1
    return fitted


def _two_nearest(vectors: np.ndarray, fitted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared distances of each row to its own centre and to the next, shape (n,) each."""
    distances = squared_distances(vectors, fitted.cluster_centers_)
    nearest = np.partition(distances, 1, axis=1)
    return nearest[:, 0], nearest[:, 1]


def _expendable(centres: np.ndarray, worth: np.ndarray, number: int) -> list[int]:
    """Return the centres that are worth least; a centre whose nearest one goes stays, as long as there is a choice."""
    apart = squared_distances(centres, centres)
    np.fill_diagonal(apart, np.inf)
    gone: list[int] = []
    kept: set[int] = set()
    by_worth = np.argsort(worth, kind="stable").tolist()
    for centre in by_worth:
        if len(gone) < number and centre not in kept:
            gone.append(centre)
            kept.add(int(np.argmin(apart[centre])))
    return gone + [centre for centre in by_worth if centre not in gone][: number - len(gone)]
