"""Smoothing: every vector moved towards those around it, so that what means alike lies closer before it is clustered.

Sentence vectors of one kind of request lie in a loose cloud, and the clouds touch. A few steps towards the mean of each
row's nearest neighbours draw the clouds together and leave the gaps between them. It stands where other pipelines
reduce to five dimensions by UMAP: it is about as good for clusters (`docs/clustering.md` has the figures), is
deterministic, compiles nothing, and moves a row by its neighbours only, so that another row on a day changes little.

Cheng: Mean Shift, Mode Seeking, and Clustering, IEEE PAMI 1995, has the process ("blurring"). Yang, Rahardja, Fränti:
Mean-shift outlier detection and filtering, Pattern Recognition 2021, has its window of k nearest neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kura_dagster.pipeline.types import unit_rows
from kura_dagster.pipeline.vectors.cells import cells
from kura_dagster.pipeline.vectors.density_peaks import first_rows

if TYPE_CHECKING:
    import scipy.sparse

# scipy is imported where it is used: a Dagster code location loads this module.

_STEPS = 6
_STAYS = 0.5  # of a vector at each step; the rest is its neighbours' mean
_FEWEST_CLUSTERS = 5  # of fewer, the neighbourhoods would be the clusters
_BLOCK_ROWS = 500


def smoothed(vectors: np.ndarray, rows_per_cluster: float) -> np.ndarray:
    """Return unit vectors of shape (n, n_dims), float32, each moved towards its nearest neighbours; zero rows stay.

    There are as many neighbours as a cluster has rows, but no more than there are clusters. Equal rows count as one:
    the copies of a text say nothing about what is near it. On large days neighbours are looked for in a row's own cell.

    Args:
        vectors: unit vectors (or zeros), float32.
        rows_per_cluster: how many rows the clusters have that the vectors are smoothed for, about.
    """
    result = np.empty_like(vectors)
    for rows in cells(vectors):
        result[rows] = _smoothed_cell(vectors[rows], rows_per_cluster)
    return result


def nearest_neighbours(vectors: np.ndarray, n_neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of each row's nearest neighbours by cosine, without itself, and the cosines, both (n, k).

    They come in no order. The search is exact and takes memory for 500 rows at a time.
    """
    n = len(vectors)
    neighbours = np.empty((n, n_neighbours), dtype=np.int64)
    cosines = np.empty((n, n_neighbours), dtype=np.float32)
    for start in range(0, n, _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS] @ vectors.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        nearest = np.argpartition(-block, n_neighbours - 1, axis=1)[:, :n_neighbours]
        neighbours[start : start + len(block)] = nearest
        cosines[start : start + len(block)] = np.take_along_axis(block, nearest, axis=1)
    return neighbours, cosines


def _smoothed_cell(vectors: np.ndarray, rows_per_cluster: float) -> np.ndarray:
    first = first_rows(vectors)
    distinct = vectors[list(first.values())]
    n_clusters = int(len(distinct) / rows_per_cluster)
    n_neighbours = min(round(rows_per_cluster), n_clusters, len(distinct) - 1)
    if n_clusters < _FEWEST_CLUSTERS or n_neighbours < 1:
        return vectors
    draws = _neighbour_weights(distinct, n_neighbours)
    for _ in range(_STEPS):
        distinct = unit_rows(_STAYS * distinct + (1 - _STAYS) * (draws @ distinct))
    numbers = {content: number for number, content in enumerate(first)}
    return distinct[[numbers[row.tobytes()] for row in vectors]]


def _neighbour_weights(vectors: np.ndarray, n_neighbours: int) -> scipy.sparse.csr_array:
    """Return by how much each row draws at each, shape (n, n): the cosine, where one is a neighbour of the other.

    It counts whole where both are neighbours of each other, and half where only one is, and is divided by how many draw
    at the row: what is near to nothing is hardly moved.
    """
    import scipy.sparse

    n = len(vectors)
    neighbours, cosines = nearest_neighbours(vectors, n_neighbours)
    places = (np.repeat(np.arange(n), n_neighbours), neighbours.ravel())
    one_way = scipy.sparse.csr_array((np.maximum(cosines, 0).ravel(), places), shape=(n, n))
    n_drawing = n_neighbours + np.bincount(neighbours.ravel(), minlength=n)
    return scipy.sparse.diags_array((1 / n_drawing).astype(np.float32)) @ (one_way + one_way.T)
