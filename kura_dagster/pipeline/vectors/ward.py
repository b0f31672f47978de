"""Ward linkage of directions, where rows may weigh differently.

SciPy's knows no weights: for it a cluster of two conversations counts as much as one of two hundred.

Ward: Hierarchical Grouping to Optimize an Objective Function, 1963. Murtagh: A Survey of Recent Advances in
Hierarchical Clustering Algorithms, 1983, for the chain of nearest neighbours, which makes it quadratic. Lance,
Williams: A General Theory of Classificatory Sorting Strategies, 1967, for the distances after a merge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.types import unit_rows
from kura_dagster.pipeline.vectors.cells import labels_by_cell


def group_by_ward(vectors: np.ndarray, n_groups: int, weights: Sequence[float] | None = None) -> np.ndarray:
    """Group rows by Ward linkage of their directions; return labels 0 … of shape (n,), numbered by first appearance.

    Makes `n_groups` groups, or n where there are fewer rows. Rows of zeros and duplicates are allowed. Memory is
    quadratic, 100 MB for 5,000 rows; of more, rows are grouped in their own cell (`vectors.cells`), with groups shared
    out by size, one at least, so that there may be a few more or fewer of them.

    Args:
        vectors: shape (n, n_dims), of any length.
        n_groups: how many groups.
        weights: positive, one a row: how much the row counts in the sum of squares; None means that all count alike.

    Raises:
        ValueError: `n_groups` is below 1, `vectors` is not an array of rows, or there are other weights than one
            positive number a row.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2:
        raise ValueError(f"vectors has the shape {vectors.shape}; allowed is (n, n_dims)")
    if n_groups < 1:
        raise ValueError(f"n_groups is {n_groups}; allowed is 1 or more")
    n = len(vectors)
    masses = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if masses.shape != (n,) or not (masses > 0).all():
        raise ValueError("weights must be positive, one for each row")
    if n_groups >= n:
        return np.arange(n)
    directions = unit_rows(vectors)
    groups = labels_by_cell(
        directions,
        lambda rows: _grouped(directions[rows], masses[rows], max(1, round(n_groups * len(rows) / n))),
    )
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _grouped(vectors: np.ndarray, masses: np.ndarray, n_groups: int) -> np.ndarray:
    """Return a number below `n_groups` for each row, the same for rows of one group."""
    n = len(vectors)
    merges = sorted(_merges(vectors, masses), key=lambda merge: merge[0])
    group_of = list(range(n))

    def top(row: int) -> int:
        while group_of[row] != row:
            group_of[row] = group_of[group_of[row]]
            row = group_of[row]
        return row

    for _, one, other in merges[: n - n_groups]:
        group_of[top(other)] = top(one)
    return np.unique([top(row) for row in range(n)], return_inverse=True)[1]


def _merges(vectors: np.ndarray, masses: np.ndarray) -> list[tuple[float, int, int]]:
    """Return the n - 1 merges, each with the growth of the sum of squares and a row of each side, in no order."""
    masses = masses.astype(np.float32).copy()
    norms = (vectors**2).sum(axis=1)
    growth = np.maximum(norms[:, None] + norms - 2 * (vectors @ vectors.T), 0)
    growth *= masses[:, None] * masses / (masses[:, None] + masses)
    np.fill_diagonal(growth, np.inf)
    merges: list[tuple[float, int, int]] = []
    left = np.ones(len(vectors), dtype=bool)
    chain: list[int] = []
    while len(merges) < len(vectors) - 1:
        if not chain:
            chain = [int(np.argmax(left))]
        last = chain[-1]
        nearest = int(np.argmin(growth[last]))
        if len(chain) > 1 and growth[last, chain[-2]] <= growth[last, nearest]:
            # The last two are each other's nearest: they merge, and the rest of the chain still holds.
            one, other = chain[-2], last
            del chain[-2:]
            merged = growth[one, other]
            merges.append((float(merged), one, other))
            both = masses[one] + masses[other]
            distances = (masses[one] + masses) * growth[one] + (masses[other] + masses) * growth[other]
            left[other] = False
            with np.errstate(invalid="ignore"):  # infinity less a number, of rows that are gone
                distances = (distances - masses * merged) / (both + masses)
            distances[~left] = np.inf
            distances[one] = np.inf
            masses[one] = both
            growth[one] = growth[:, one] = distances
            growth[other] = growth[:, other] = np.inf
        else:
            chain.append(nearest)
    return merges
