"""Density peaks: the rows that many others lie near to and that lie far from any denser row.

Rodriguez, Laio: Clustering by Fast Search and Find of Density Peaks, Science 2014.
"""

from __future__ import annotations

import hashlib

import numpy as np

# A row's weight: its density times this power of its squared distance to the nearest denser row. The kernel's width is
# the mean squared distance to the farthest counted neighbour, half a cluster away, divided by the sharpness.
_DISTANCE_POWER = 2
_KERNEL_SHARPNESS = 1

_SAMPLE_ROWS = 5_000  # weights are quadratic in the rows; of more, a sample is weighed
_BLOCK_ROWS = 500


def density_peaks(vectors: np.ndarray, k: int, rows_per_cluster: float) -> np.ndarray:
    """Return the numbers of the k rows that weigh most as centres of clusters of so many rows.

    Each row's weight follows from the rows around it, and peaks are not chosen one after the other: that is why one row
    more or less changes so few. Of more than 5,000 rows a sample is weighed, of ten rows a peak at least.

    Args:
        vectors: unit vectors of shape (n, n_dims), float32.
        k: how many; all rows where there are no more.
        rows_per_cluster: how many rows a cluster has, about.
    """
    rows = np.arange(len(vectors))
    if len(vectors) > _SAMPLE_ROWS:
        rows = sample_rows(vectors, max(_SAMPLE_ROWS, 10 * k))
        rows_per_cluster *= len(rows) / len(vectors)
    if k >= len(rows):
        return rows
    some = vectors[rows]
    n_neighbours = min(max(2, round(rows_per_cluster / 2)), len(some) - 1)
    near = np.empty((len(some), n_neighbours), dtype=np.float32)
    for start in range(0, len(some), _BLOCK_ROWS):
        block = some[start : start + _BLOCK_ROWS]
        distances = squared_distances(block, some)
        distances[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf  # not to itself
        near[start : start + len(block)] = np.partition(distances, n_neighbours - 1, axis=1)[:, :n_neighbours]
    width = near.max(axis=1).mean(dtype=np.float64) or 1.0
    density = np.exp(near * (-_KERNEL_SHARPNESS / width)).sum(axis=1, dtype=np.float64)
    # Rounded, so that rows that are equally dense count as that, and the order of ids decides.
    densest_first = np.argsort(-density.round(5), kind="stable")
    to_denser = np.full(len(some), 4.0)  # of the densest row: no two unit vectors are farther apart
    for start in range(1, len(some), _BLOCK_ROWS):
        block = densest_first[start : start + _BLOCK_ROWS]
        distances = squared_distances(some[block], some[densest_first[: start + len(block)]])
        distances[np.triu_indices(len(block), k=start, m=distances.shape[1])] = 4.0
        to_denser[block] = distances.min(axis=1)
    weight = density * to_denser**_DISTANCE_POWER
    repeated = np.ones(len(some), dtype=bool)
    repeated[list(first_rows(some).values())] = False
    weight[repeated] = -1.0  # a hair's breadth apart by rounding; two seeds in one place would leave a cluster empty
    return rows[np.argsort(-weight, kind="stable")[:k]]


def squared_distances(some: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the squared distances of two sets of vectors no longer than 1, shape (n_some, n)."""
    norms = (some**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)
    return np.clip(norms - 2 * (some @ vectors.T), 0, 4)


def first_rows(vectors: np.ndarray) -> dict[bytes, int]:
    """Return the number of the first of all equal rows, by their content, in the order of the rows."""
    first: dict[bytes, int] = {}
    for number, row in enumerate(vectors):
        first.setdefault(row.tobytes(), number)
    return first


def sample_rows(vectors: np.ndarray, size: int) -> np.ndarray:
    """Return the numbers of at most `size` distinct rows, always nearly the same ones of nearly the same rows."""
    first = first_rows(vectors)
    by_hash = sorted(first, key=lambda content: hashlib.blake2b(content, digest_size=8).digest())
    return np.sort([first[content] for content in by_hash[:size]])
