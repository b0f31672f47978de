"""The hierarchy without a language model: Ward linkage on the clusters' centroids, a level at a time."""

from __future__ import annotations

import numpy as np

from kura_dagster.pipeline.types import unit_rows


def group_by_ward(vectors: np.ndarray, n_groups: int) -> np.ndarray:
    """Group vectors of shape (n, n_dims) by Ward linkage of their directions; return labels 0 … of shape (n,).

    Makes `n_groups` groups, or n where there are fewer vectors. Labels are numbered by first appearance. Rows of zeros
    and duplicates are allowed.

    Ward, J. H. (1963), https://doi.org/10.1080/01621459.1963.10500845.

    Raises:
        ValueError: `n_groups` is below 1 or `vectors` is not an array of rows.
    """
    from scipy.cluster.hierarchy import cut_tree, linkage  # here, not above: scipy and sklearn load slowly

    vectors = np.asarray(vectors)
    if vectors.ndim != 2:
        raise ValueError(f"vectors has shape {vectors.shape}; allowed is (n, n_dims)")
    if n_groups < 1:
        raise ValueError(f"n_groups is {n_groups}; allowed is 1 or more")
    n_vectors = len(vectors)
    if n_groups >= n_vectors:
        return np.arange(n_vectors)
    if n_groups == 1:
        return np.zeros(n_vectors, dtype=np.int64)
    tree = linkage(unit_rows(vectors).astype(np.float64), method="ward")
    labels = cut_tree(tree, n_clusters=n_groups)[:, 0]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
