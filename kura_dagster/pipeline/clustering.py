"""The clustering methods: which items belong together, from their vectors alone.

Every method scales vectors to unit length, so that a distance says how different two meanings are and not how long the
texts were, and sorts the items by id first, so that the order of rows never matters. Naming the groups is the
description models' work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kura_dagster.pipeline.base_classes import BaseClusteringMethod
from kura_dagster.pipeline.types import ConversationSummary, unit_rows

# scikit-learn and hdbscan are imported where they are used: together they take seconds, and this module is imported
# wherever a clustering method is only named, as in a Dagster code location.

NOISE = -1
"""The key under which a method returns what belongs to no cluster."""

# From here up the best of ten starts gains half a point of NMI over the first, for ten times the work (CLINC150).
_ROWS_FOR_ONE_START = 500
_STARTS_BELOW = 10

# k-means over n rows with k = n / 10 is quadratic. Days of more than five cells are first cut into cells of about this
# many rows; each cell has room for ten clusters or more.
_CELL_ROWS = 1_000
_CELL_CLUSTERS = 10
_CELLS_UNCUT = 5
_SAMPLE_ROWS = 20_000
_BLOCK_ROWS = 10_000

# HDBSCAN's smallest cluster where none is given.
_LEAST_DENSE, _MOST_DENSE, _ROWS_FOR_ONE_DENSE = 2, 10, 40

_SELECTION_METHODS = ("eom", "leaf")
_HDBSCAN_METRICS = ("euclidean", "l2", "cosine", "manhattan", "l1", "chebyshev")


class KmeansClusteringModel(BaseClusteringMethod):
    """k-means++ with k = ceil(n / clusters_per_group), seeded. The default.

    Large days are clustered cell by cell: a coarse k-means over a sample cuts the day into cells, k is shared out by
    size, and k-means runs in every cell. Measured on one core, 10,000 vectors take 1 s instead of 9 and 100,000 take
    10 s instead of many minutes, for one point of NMI to the true classes (CLINC150: 80.2 instead of 81.1).

    Args:
        clusters_per_group: items to a cluster, on average (the name is Kura's).
        random_state: the seed.

    Raises:
        ValueError: a parameter is out of range.

    References:
        Arthur, Vassilvitskii: k-means++: The Advantages of Careful Seeding, SODA 2007.
    """

    def __init__(self, clusters_per_group: int = 10, random_state: int = 0) -> None:
        self.clusters_per_group = _whole_number("clusters_per_group", clusters_per_group, least=1)
        self.random_state = _whole_number("random_state", random_state, least=0)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by k-means; duplicates may leave fewer groups than k, never an empty one."""
        data, vectors = _sorted_unit_vectors(items)
        k = math.ceil(len(vectors) / self.clusters_per_group)
        cell_rows = max(_CELL_ROWS, _CELL_CLUSTERS * self.clusters_per_group)
        return _groups(data, _labels_by_cells(vectors, k, cell_rows, self.random_state))


class MiniBatchKmeansClusteringMethod(BaseClusteringMethod):
    """k-means over mini-batches with k = ceil(n / clusters_per_group), seeded.

    It is here because Kura has it: it holds less at once than k-means, but is no faster than the two-level
    `KmeansClusteringModel` and leaves many clusters of one.

    Args:
        clusters_per_group: items to a cluster, on average.
        batch_size: rows to a mini-batch.
        max_iter: most passes over the data.
        random_state: the seed.

    Raises:
        ValueError: a parameter is out of range.

    References:
        Sculley: Web-Scale K-Means Clustering, WWW 2010.
    """

    def __init__(
        self, clusters_per_group: int = 10, batch_size: int = 1000, max_iter: int = 100, random_state: int = 42
    ) -> None:
        self.clusters_per_group = _whole_number("clusters_per_group", clusters_per_group, least=1)
        self.batch_size = _whole_number("batch_size", batch_size, least=1)
        self.max_iter = _whole_number("max_iter", max_iter, least=1)
        self.random_state = _whole_number("random_state", random_state, least=0)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by mini-batch k-means; never an empty group."""
        data, vectors = _sorted_unit_vectors(items)
        k = min(math.ceil(len(vectors) / self.clusters_per_group), _distinct(vectors))
        if k <= 1:
            return _groups(data, np.zeros(len(vectors), dtype=np.int64))

        from sklearn.cluster import MiniBatchKMeans
        from threadpoolctl import threadpool_limits

        method = MiniBatchKMeans(
            k,
            batch_size=min(self.batch_size, len(vectors)),
            max_iter=self.max_iter,
            n_init=1,
            random_state=self.random_state,
        )
        with threadpool_limits(limits=1):
            return _groups(data, method.fit_predict(vectors.astype(np.float64)))


class HDBSCANClusteringMethod(BaseClusteringMethod):
    """Density clustering that finds the number of clusters itself and leaves out what fits none (key -1).

    It is quadratic in the number of items, and there is no number of clusters to ask for. Fewer items than
    `min_cluster_size` are all left out.

    The defaults fit days of any size. Measured on random parts of the sample days: of 8 to 600 conversations 13 to
    24 % are left out, and the rest lies in about n / 4 clusters up to 100 and in 14 to 18 above, whose purity is 69 to
    89 % from 20 conversations on. With a fixed size of 10, all of 100 conversations were left out and 60 % of 220. Of
    three to six with little in common, most or all are left out.

    Args:
        min_cluster_size: least items to a cluster; None means a fortieth of the items, but 2 at least and 10 at most.
        min_samples: neighbours that make an item dense; None means `min_cluster_size` where that is given, otherwise 1.
        cluster_selection_epsilon: clusters nearer than this, in `metric`, are merged.
        alpha: scale of distances in the robust single linkage.
        cluster_selection_method: `eom` (excess of mass) or `leaf` (more, smaller clusters).
        metric: distance between unit vectors: euclidean (l2), cosine, manhattan (l1) or chebyshev. `cosine` is computed
            as the euclidean distance of unit vectors, which orders pairs alike; `cluster_selection_epsilon` is
            converted to match.

    Raises:
        ValueError: a parameter is out of range.

    References:
        Campello, Moulavi, Sander: Density-Based Clustering Based on Hierarchical Density Estimates, PAKDD 2013.
    """

    def __init__(
        self,
        min_cluster_size: int | None = None,
        min_samples: int | None = None,
        cluster_selection_epsilon: float = 0.0,
        alpha: float = 1.0,
        cluster_selection_method: str = "eom",
        metric: str = "euclidean",
    ) -> None:
        self.min_cluster_size = (
            None if min_cluster_size is None else _whole_number("min_cluster_size", min_cluster_size, least=2)
        )
        if min_samples is None:
            self.min_samples = self.min_cluster_size or 1
        else:
            self.min_samples = _whole_number("min_samples", min_samples, least=1)
        if not 0 <= cluster_selection_epsilon < math.inf:
            raise ValueError(
                f"cluster_selection_epsilon is {cluster_selection_epsilon!r}; allowed are numbers from 0 up"
            )
        if not 0 < alpha < math.inf:
            raise ValueError(f"alpha is {alpha!r}; allowed are numbers above 0")
        self.cluster_selection_epsilon = float(cluster_selection_epsilon)
        self.alpha = float(alpha)
        self.cluster_selection_method = _one_of(
            "cluster_selection_method", cluster_selection_method, _SELECTION_METHODS
        )
        self.metric = _one_of("metric", metric, _HDBSCAN_METRICS)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by density; what belongs to no cluster is under the key -1."""
        data, vectors = _sorted_unit_vectors(items)
        min_cluster_size = self.min_cluster_size or max(
            _LEAST_DENSE, min(_MOST_DENSE, len(vectors) // _ROWS_FOR_ONE_DENSE)
        )
        if len(vectors) < min_cluster_size:
            return _groups(data, np.full(len(vectors), NOISE))

        from hdbscan import HDBSCAN
        from threadpoolctl import threadpool_limits

        metric, epsilon = self.metric, self.cluster_selection_epsilon
        if metric == "cosine":
            # For unit vectors |a - b|^2 = 2 (1 - cos(a, b)).
            metric, epsilon = "euclidean", math.sqrt(2 * epsilon)
        method = HDBSCAN(
            min_cluster_size=min_cluster_size,
            min_samples=self.min_samples,
            cluster_selection_epsilon=epsilon,
            alpha=self.alpha,
            cluster_selection_method=self.cluster_selection_method,
            metric=metric,
            core_dist_n_jobs=1,
        )
        with threadpool_limits(limits=1):
            return _groups(data, method.fit_predict(vectors.astype(np.float64)))


def _labels_by_cells(vectors: np.ndarray, k: int, cell_rows: int, random_state: int) -> np.ndarray:
    """Return the k-means label of each row, computed in cells of about `cell_rows` where there are many rows."""
    if len(vectors) <= _CELLS_UNCUT * cell_rows:
        return _kmeans_labels(vectors, k, random_state)
    cells = _cells(vectors, math.ceil(len(vectors) / cell_rows), random_state)
    if len(cells) == 1:
        return _kmeans_labels(vectors, k, random_state)
    labels = np.empty(len(vectors), dtype=np.int64)
    used = 0
    for rows, k_of_cell in zip(cells, _share_out(k, [len(rows) for rows in cells]), strict=True):
        # A cell may hold most of a day on which everybody asks the same; then it is cut again.
        labels[rows] = used + _labels_by_cells(vectors[rows], k_of_cell, cell_rows, random_state)
        used += k_of_cell
    return labels


def _cells(vectors: np.ndarray, n_cells: int, random_state: int) -> list[np.ndarray]:
    """Return the row numbers of each cell of a coarse k-means that is fitted to a sample."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    sample = vectors[
        np.random.default_rng(random_state).choice(len(vectors), min(_SAMPLE_ROWS, len(vectors)), replace=False)
    ]
    coarse = KMeans(min(n_cells, _distinct(sample)), n_init=1, random_state=random_state)
    with threadpool_limits(limits=1):
        coarse.fit(sample.astype(np.float64))
        labels = np.concatenate(
            [
                coarse.predict(vectors[start : start + _BLOCK_ROWS].astype(np.float64))
                for start in range(0, len(vectors), _BLOCK_ROWS)
            ]
        )
    return [rows for cell in range(coarse.n_clusters) if len(rows := np.flatnonzero(labels == cell))]


def _kmeans_labels(vectors: np.ndarray, k: int, random_state: int) -> np.ndarray:
    """Return the k-means label of each row of unit vectors of shape (n, n_dims); some labels may be unused."""
    k = min(k, _distinct(vectors))
    if k <= 1:
        return np.zeros(len(vectors), dtype=np.int64)

    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    n_init = 1 if len(vectors) >= _ROWS_FOR_ONE_START else _STARTS_BELOW
    method = KMeans(k, n_init=n_init, random_state=random_state)
    # One thread: beside busy processes several make k-means ten times slower, and how sums are split between threads
    # would make the result depend on the machine. float64: scikit-learn's k-means++ is slower in float32.
    with threadpool_limits(limits=1):
        return method.fit_predict(vectors.astype(np.float64))


def _share_out(k: int, sizes: Sequence[int]) -> list[int]:
    """Share k clusters out to cells by size (largest remainders), at least one and at most its size to each."""
    total = sum(sizes)
    quotas = [k * size / total for size in sizes]
    shares = [max(1, math.floor(quota)) for quota in quotas]
    by_remainder = sorted(range(len(sizes)), key=lambda cell: (shares[cell] - quotas[cell], cell))
    for cell in by_remainder[: max(0, k - sum(shares))]:
        shares[cell] = min(shares[cell] + 1, sizes[cell])
    return shares


def _sorted_unit_vectors(items: Sequence[dict[str, Any]]) -> tuple[list[Any], np.ndarray]:
    """Return the items sorted by id and their unit vectors of shape (n, n_dims), float32, in the same order.

    Raises:
        TypeError: an item has no id.
        ValueError: the vectors differ in length or hold a value that is not finite.
    """
    ordered = sorted(items, key=lambda entry: _id_of(entry["item"]))
    data = [entry["item"] for entry in ordered]
    if not ordered:
        return data, np.empty((0, 0), dtype=np.float32)
    widths = {len(entry["embedding"]) for entry in ordered}
    if len(widths) > 1:
        raise ValueError(f"embeddings have {', '.join(map(str, sorted(widths)))} dimensions; all must have the same")
    vectors = np.asarray([entry["embedding"] for entry in ordered], dtype=np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise ValueError(f"the embedding of {_id_of(data[int(np.argmin(finite))])} holds a value that is not finite")
    return data, unit_rows(vectors)


def _id_of(item: Any) -> str:
    # Conversations are grouped into base clusters, and clusters into meta clusters.
    for name in ("chat_id", "cluster_id"):
        if hasattr(item, name):
            return getattr(item, name)
    raise TypeError(f"a {type(item).__name__} can't be clustered: it has neither a chat_id nor a cluster_id")


def _groups(data: Sequence[Any], labels: np.ndarray) -> dict[int, list[Any]]:
    """Return the items by group: numbered from 0 by their first member, noise under its own key, none empty."""
    numbers: dict[int, int] = {NOISE: NOISE}
    groups: dict[int, list[Any]] = {}
    for item, label in zip(data, labels.tolist(), strict=True):
        number = numbers.setdefault(label, len(numbers) - 1)
        groups.setdefault(number, []).append(item)
    return groups


def _distinct(vectors: np.ndarray) -> int:
    """Return the number of distinct rows: k-means can't form more clusters than that."""
    return len({row.tobytes() for row in vectors})


def _whole_number(name: str, value: int, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; allowed are whole numbers from {least} up")
    return value


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
    return value
