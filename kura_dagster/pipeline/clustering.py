"""The clustering methods: which items belong together, from their vectors alone.

Every method scales vectors to unit length, so that a distance says how different two meanings are and not how long the
texts were, and sorts the items by id first, so that the order of rows never matters. Naming the groups is the
description models' work.
"""

from __future__ import annotations

import hashlib
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

# A seed's weight: its density times this power of its squared distance to the nearest denser row. The kernel's width is
# the mean squared distance to the farthest counted neighbour, half a cluster away, divided by the sharpness.
_DISTANCE_POWER = 2
_KERNEL_SHARPNESS = 1
# Centres that are added and taken away again at first; each time that it does not help, one fewer. With ten, NMI gains
# a third of a point more, and a third more clusters change with another row. Of larger days the seeds are good enough,
# and with breathing another row would change five times as many clusters.
_BREATH = 5
_LEAST_GAIN = 1e-4
_SAME_PLACE = 1e-5  # sum of squared distances that float32's rounding alone may make
_ROWS_TO_REFINE = 500

_SEED_ROWS = 5_000  # weights are quadratic in the rows; of more, a sample is weighed

# k-means over n rows with k = n / 10 is quadratic. Days of more than five cells are first cut into cells of about this
# many rows; each cell has room for ten clusters or more.
_CELL_ROWS = 1_000
_CELL_CLUSTERS = 10
_CELLS_UNCUT = 5
_BLOCK_ROWS = 10_000
_SEED_BLOCK = 500

# HDBSCAN's smallest cluster where none is given.
_LEAST_DENSE, _MOST_DENSE, _ROWS_FOR_ONE_DENSE = 2, 10, 40

_SELECTION_METHODS = ("eom", "leaf")
_HDBSCAN_METRICS = ("euclidean", "l2", "cosine", "manhattan", "l1", "chebyshev")


class KmeansClusteringModel(BaseClusteringMethod):
    """k-means with k = ceil(n / clusters_per_group), begun from density peaks. The default.

    Nothing is drawn at random. Seeds are the rows that many others lie near to and that lie far from any denser row; on
    days of up to 500 rows the centres are then moved out of local optima by breathing. Another row changes few of them,
    so a day with one conversation more keeps nearly all of its clusters: of 1,000 conversations (the sample days,
    CLINC150) 1 to 3 of 100 clusters change, or 4 to 7 where the day gets a cluster more; from scikit-learn's k-means++
    82 to 91 do. Of 200, where breathing weighs the other way, 3 to 6 of 20 change, from scikit-learn's 17 to 20. NMI to
    the true classes is 85.7 beside its 85.4 of 1,000, and on single sample days 81.7 beside 81.5 from the best of ten
    starts.

    Large days are clustered cell by cell: every row belongs to the nearest of some density peaks of a sample, and
    k-means runs in each cell with as many clusters as its size asks for. So a row more changes one cell only, unless it
    takes the day over 5,000 rows or over the next doubling, where the cells change. On 10,000 vectors that takes 1 s
    where scikit-learn's k-means takes 5, with NMI 82.5 beside 83.0, and on 100,000 5 s.

    Args:
        clusters_per_group: items to a cluster, on average (the name is Kura's).

    Raises:
        ValueError: a parameter is out of range.

    References:
        Rodriguez, Laio: Clustering by Fast Search and Find of Density Peaks, Science 2014, for the seeds.
        Fritzke: The Breathing K-Means Algorithm, 2020 (arXiv:2006.15666).
    """

    def __init__(self, clusters_per_group: int = 10) -> None:
        self.clusters_per_group = _whole_number("clusters_per_group", clusters_per_group, least=1)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by k-means; duplicates may leave fewer groups than k, never an empty one."""
        from threadpoolctl import threadpool_limits

        data, vectors = _sorted_unit_vectors(items)
        # One thread: beside busy processes several make k-means ten times slower, and how sums are split between
        # threads would make the result depend on the machine.
        with threadpool_limits(limits=1):
            return _groups(data, _labels_of_day(vectors, self.clusters_per_group))


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
        k = min(math.ceil(len(vectors) / self.clusters_per_group), len(_first_of(vectors)))
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


def _labels_of_day(vectors: np.ndarray, clusters_per_group: int) -> np.ndarray:
    """Return the k-means label of each row of unit vectors of shape (n, n_dims); some labels may be unused."""
    cell_rows = max(_CELL_ROWS, _CELL_CLUSTERS * clusters_per_group)
    if len(vectors) > _CELLS_UNCUT * cell_rows:
        return _labels_by_cells(vectors, clusters_per_group, cell_rows)
    fitted = _fitted(vectors, math.ceil(len(vectors) / clusters_per_group), clusters_per_group)
    if fitted is not None and len(vectors) <= _ROWS_TO_REFINE:
        fitted = _refined(vectors, fitted)
    return np.zeros(len(vectors), dtype=np.int64) if fitted is None else fitted.labels_


def _labels_by_cells(vectors: np.ndarray, clusters_per_group: int, cell_rows: int) -> np.ndarray:
    """Return the k-means label of each row, computed in cells that are cut until they are small enough."""
    cells = [] if len(vectors) <= _CELLS_UNCUT * cell_rows else _cells(vectors, cell_rows)
    if len(cells) <= 1:
        fitted = _fitted(vectors, max(1, round(len(vectors) / clusters_per_group)), clusters_per_group)
        return np.zeros(len(vectors), dtype=np.int64) if fitted is None else fitted.labels_
    labels = np.empty(len(vectors), dtype=np.int64)
    used = 0
    for rows in cells:
        # A cell may hold most of a day on which everybody asks the same; then it is cut again.
        of_cell = _labels_by_cells(vectors[rows], clusters_per_group, cell_rows)
        labels[rows] = used + of_cell
        used += int(of_cell.max()) + 1
    return labels


def _cells(vectors: np.ndarray, cell_rows: int) -> list[np.ndarray]:
    """Return the row numbers of each cell: the rows nearest to one of the density peaks of a sample."""
    # Only doublings: with another number of cells nearly every row would change its cell.
    n_cells = 2 ** round(math.log2(len(vectors) / cell_rows))
    sample = vectors[_sample(vectors, _SEED_ROWS)]
    peaks = sample[_density_peaks(sample, n_cells, len(sample) / n_cells)]
    cells = np.concatenate(
        [
            np.argmin(_squared_distances(vectors[start : start + _BLOCK_ROWS], peaks), axis=1)
            for start in range(0, len(vectors), _BLOCK_ROWS)
        ]
    )
    return [rows for cell in range(len(peaks)) if len(rows := np.flatnonzero(cells == cell))]


def _fitted(vectors: np.ndarray, k: int, rows_per_cluster: int) -> Any:
    """Return the fitted k-means, None where all rows make one cluster."""
    k = min(k, len(_first_of(vectors)))  # k-means can form no more clusters than there are distinct rows
    return _kmeans(vectors, k, rows_per_cluster) if k > 1 else None


def _kmeans(vectors: np.ndarray, k: int, rows_per_cluster: float) -> Any:
    """Return scikit-learn's k-means, fitted to unit vectors from their density peaks."""
    return _lloyd(vectors, vectors[_density_peaks(vectors, k, rows_per_cluster)])


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
            taken_over = np.maximum(to_nearest[rows] - _squared_distances(vectors[rows], vectors[rows]), 0).sum(axis=1)
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
    distances = _squared_distances(vectors, fitted.cluster_centers_)
    nearest = np.partition(distances, 1, axis=1)
    return nearest[:, 0], nearest[:, 1]


def _expendable(centres: np.ndarray, worth: np.ndarray, number: int) -> list[int]:
    """Return the centres that are worth least; a centre whose nearest one goes stays, as long as there is a choice."""
    apart = _squared_distances(centres, centres)
    np.fill_diagonal(apart, np.inf)
    gone: list[int] = []
    kept: set[int] = set()
    by_worth = np.argsort(worth, kind="stable").tolist()
    for centre in by_worth:
        if len(gone) < number and centre not in kept:
            gone.append(centre)
            kept.add(int(np.argmin(apart[centre])))
    return gone + [centre for centre in by_worth if centre not in gone][: number - len(gone)]


def _density_peaks(vectors: np.ndarray, k: int, rows_per_cluster: float) -> np.ndarray:
    """Return the numbers of the k rows that weigh most as centres of clusters of so many rows.

    Each row's weight follows from the rows around it, and seeds are not chosen one after the other: that is why one row
    more or less changes so few.
    """
    rows = np.arange(len(vectors))
    if len(vectors) > _SEED_ROWS:
        rows = _sample(vectors, max(_SEED_ROWS, 10 * k))
        rows_per_cluster *= len(rows) / len(vectors)
    if k >= len(rows):
        return rows
    some = vectors[rows]
    n_neighbours = min(max(2, round(rows_per_cluster / 2)), len(some) - 1)
    near = np.empty((len(some), n_neighbours), dtype=np.float32)
    for start in range(0, len(some), _SEED_BLOCK):
        block = some[start : start + _SEED_BLOCK]
        distances = _squared_distances(block, some)
        distances[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf  # not to itself
        near[start : start + len(block)] = np.partition(distances, n_neighbours - 1, axis=1)[:, :n_neighbours]
    width = near.max(axis=1).mean(dtype=np.float64) or 1.0
    density = np.exp(near * (-_KERNEL_SHARPNESS / width)).sum(axis=1, dtype=np.float64)
    # Rounded, so that rows that are equally dense count as that, and the order of ids decides.
    densest_first = np.argsort(-density.round(5), kind="stable")
    to_denser = np.full(len(some), 4.0)  # of the densest row: no two unit vectors are farther apart
    for start in range(1, len(some), _SEED_BLOCK):
        block = densest_first[start : start + _SEED_BLOCK]
        distances = _squared_distances(some[block], some[densest_first[: start + len(block)]])
        distances[np.triu_indices(len(block), k=start, m=distances.shape[1])] = 4.0
        to_denser[block] = distances.min(axis=1)
    weight = density * to_denser**_DISTANCE_POWER
    repeated = np.ones(len(some), dtype=bool)
    repeated[list(_first_of(some).values())] = False
    weight[repeated] = -1.0  # a hair's breadth apart by rounding; two seeds in one place would leave a cluster empty
    return rows[np.argsort(-weight, kind="stable")[:k]]


def _squared_distances(some: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the squared distances of two sets of vectors no longer than 1, shape (n_some, n)."""
    norms = (some**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)
    return np.clip(norms - 2 * (some @ vectors.T), 0, 4)


def _sample(vectors: np.ndarray, size: int) -> np.ndarray:
    """Return the numbers of at most `size` distinct rows, always nearly the same ones of nearly the same rows."""
    first_of = _first_of(vectors)
    by_hash = sorted(first_of, key=lambda content: hashlib.blake2b(content, digest_size=8).digest())
    return np.sort([first_of[content] for content in by_hash[:size]])


def _first_of(vectors: np.ndarray) -> dict[bytes, int]:
    """Return the number of the first of all equal rows, by their content."""
    first_of: dict[bytes, int] = {}
    for number, row in enumerate(vectors):
        first_of.setdefault(row.tobytes(), number)
    return first_of


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


def _whole_number(name: str, value: int, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}; allowed are whole numbers from {least} up")
    return value


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
    return value
