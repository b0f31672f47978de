"""The clustering methods: which items belong together, from their vectors alone.

Every method scales vectors to unit length, so that a distance says how different two meanings are and not how long the
texts were, smooths them (`vectors.smoothing`), and sorts the items by id first, so that the order of rows never
matters. The algorithms on arrays are in `vectors`; naming the groups is the description models' work.

`docs/clustering.md` compares the methods.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kura_dagster.pipeline.base_classes import BaseClusteringMethod
from kura_dagster.pipeline.types import ConversationSummary, unit_rows
from kura_dagster.pipeline.vectors.average_linkage import labels_by_average_linkage
from kura_dagster.pipeline.vectors.cells import CELL_ROWS, ROWS_UNCUT, labels_by_cell
from kura_dagster.pipeline.vectors.density_peaks import first_rows
from kura_dagster.pipeline.vectors.kmeans import labels_by_kmeans
from kura_dagster.pipeline.vectors.smoothing import smoothed

# scikit-learn and hdbscan are imported where they are used: together they take seconds, and this module is imported
# wherever a clustering method is only named, as in a Dagster code location.

NOISE = -1
"""The key under which a method returns what belongs to no cluster."""

logger = logging.getLogger(__name__)

# HDBSCAN's smallest cluster where none is given.
_LEAST_DENSE, _MOST_DENSE, _ROWS_FOR_ONE_DENSE = 2, 10, 40
_ROWS_PER_DENSE = 10  # that vectors are smoothed for

_SELECTION_METHODS = ("eom", "leaf")
_MOST_TO_A_CLUSTER = 10  # Kura's
_FEWEST_TO_A_CLUSTER = 3
_ROOT_TO_A_CLUSTER = 2.5
_HDBSCAN_METRICS = ("euclidean", "l2", "cosine", "manhattan", "l1", "chebyshev")


def items_per_cluster(n: int, clusters_per_group: int | None) -> float:
    """Return how many of n items a cluster has on average: `clusters_per_group`, and where that is None what suits n.

    That is Kura's 10 from 625 items up, and sqrt(n) / 2.5 below, 3 at least: a small day has nearly as many themes as a
    large one. With 10 to a cluster the sample's days of 160 to 240 conversations about 30 to 35 things are 69 to 83 %
    pure, with this 85 to 91 %.
    """
    if clusters_per_group is not None:
        return clusters_per_group
    return min(_MOST_TO_A_CLUSTER, max(_FEWEST_TO_A_CLUSTER, math.sqrt(n) / _ROOT_TO_A_CLUSTER))


class KmeansClusteringModel(BaseClusteringMethod):
    """k-means with k = ceil(n / clusters_per_group), begun from density peaks. The default.

    Nothing is drawn at random. Seeds are the rows that many others lie near to and that lie far from any denser row; on
    days of up to 500 rows the centres are then moved out of local optima by breathing. Another row changes few of them,
    so a day with one conversation more keeps most of its clusters: of 1,000 (requests of CLINC150, dialogues of SGD) 3
    to 6 of 100 change, of 500 some 7 %, of 250 from 5 to 13 %; from scikit-learn's k-means++ nearly all do.

    Days of more than 5,000 rows are clustered cell by cell: every row belongs to the nearest of some centres, and
    k-means runs in each cell with as many clusters as its size asks for. So a row more changes few cells, unless it
    takes the day over 5,000 rows or over the next doubling. Clusters of more than 20 rows would be cut by the cells;
    they are made by k-means over the means of small ones.

    Args:
        clusters_per_group: items to a cluster, on average (the name is Kura's); None means what `items_per_cluster`
            says.

    Raises:
        ValueError: a parameter is out of range.

    References:
        Rodriguez, Laio: Clustering by Fast Search and Find of Density Peaks, Science 2014, for the seeds.
        Fritzke: The Breathing K-Means Algorithm, 2020 (arXiv:2006.15666).
    """

    def __init__(self, clusters_per_group: int | None = None) -> None:
        self.clusters_per_group = (
            None if clusters_per_group is None else _whole_number("clusters_per_group", clusters_per_group, least=1)
        )

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by k-means; duplicates may leave fewer groups than k, never an empty one."""
        from threadpoolctl import threadpool_limits

        data, vectors = _sorted_unit_vectors(items)
        _log_cells(len(vectors), "k-means runs in each")
        # One thread: beside busy processes several make k-means ten times slower, and how sums are split between
        # threads would make the result depend on the machine.
        with threadpool_limits(limits=1):
            return _groups(data, labels_by_kmeans(vectors, items_per_cluster(len(vectors), self.clusters_per_group)))


class AgglomerativeClusteringMethod(BaseClusteringMethod):
    """Average linkage down to a distance: finds the number of clusters itself, and leaves nothing out.

    Clusters are as large as the themes are: many of one or two conversations, and some that hold a tenth of the day.
    Where themes differ much in size it fits them better than k-means does, and a user reads more names for it. On days
    of more than 5,000 rows, rows are joined in the cells that k-means has, so that no cluster is larger than a cell.

    Args:
        distance_threshold: clusters whose members are nearer to each other than this, on average, are joined; a share
            of the median distance between two of the day's conversations, so that it holds for any embedding model.

    Raises:
        ValueError: `distance_threshold` is not above 0.

    References:
        Sokal, Michener: A statistical method for evaluating systematic relationships, 1958.
    """

    def __init__(self, distance_threshold: float = 0.35) -> None:
        if not 0 < distance_threshold < math.inf:
            raise ValueError(f"distance_threshold is {distance_threshold!r}; allowed are numbers above 0")
        self.distance_threshold = float(distance_threshold)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by average linkage; a group may have one member."""
        from threadpoolctl import threadpool_limits

        data, vectors = _sorted_unit_vectors(items)
        _log_cells(len(vectors), "rows are joined within each")
        with threadpool_limits(limits=1):
            return _groups(data, labels_by_average_linkage(vectors, self.distance_threshold))


class MiniBatchKmeansClusteringMethod(BaseClusteringMethod):
    """k-means over mini-batches with k = ceil(n / clusters_per_group), seeded.

    It is here because Kura has it: it holds less at once than k-means, but is no faster than the two-level
    `KmeansClusteringModel` and leaves many clusters of one.

    Args:
        clusters_per_group: items to a cluster, on average; None means what `items_per_cluster` says.
        batch_size: rows to a mini-batch.
        max_iter: most passes over the data.
        random_state: the seed.

    Raises:
        ValueError: a parameter is out of range.

    References:
        Sculley: Web-Scale K-Means Clustering, WWW 2010.
    """

    def __init__(
        self,
        clusters_per_group: int | None = None,
        batch_size: int = 1000,
        max_iter: int = 100,
        random_state: int = 42,
    ) -> None:
        self.clusters_per_group = (
            None if clusters_per_group is None else _whole_number("clusters_per_group", clusters_per_group, least=1)
        )
        self.batch_size = _whole_number("batch_size", batch_size, least=1)
        self.max_iter = _whole_number("max_iter", max_iter, least=1)
        self.random_state = _whole_number("random_state", random_state, least=0)

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items` by mini-batch k-means; never an empty group."""
        data, vectors = _sorted_unit_vectors(items)
        per_cluster = items_per_cluster(len(vectors), self.clusters_per_group)
        k = min(math.ceil(len(vectors) / per_cluster), len(first_rows(vectors)))
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
            own = smoothed(vectors, per_cluster)
            return _groups(data, method.fit_predict(own.astype(np.float64)))


class HDBSCANClusteringMethod(BaseClusteringMethod):
    """Density clustering that finds the number of clusters itself and leaves out what fits none (key -1).

    Fewer items than `min_cluster_size` are all left out. It is quadratic in the number of items; days of more than
    5,000 are clustered in the cells that k-means has.

    The defaults fit days of any size. Measured on random parts of the sample days, means of ten: of 8 to 30
    conversations 19 to 28 % are left out, of 60 to 600 from 7 to 11 %; the rest lies in about n / 4 clusters up to 100
    and in 17 to 24 above, whose purity is 69 to 82 % from 20 conversations on. On CLINC150's test split 9 % are left
    out, where 28 % of vectors that are not smoothed would be.

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

        def labels_of(rows: np.ndarray) -> np.ndarray:
            if len(rows) < min_cluster_size:
                return np.full(len(rows), NOISE)
            method = HDBSCAN(
                min_cluster_size=min_cluster_size,
                min_samples=self.min_samples,
                cluster_selection_epsilon=epsilon,
                alpha=self.alpha,
                cluster_selection_method=self.cluster_selection_method,
                metric=metric,
                core_dist_n_jobs=1,
            )
            return np.asarray(method.fit_predict(smoothed(vectors[rows], _ROWS_PER_DENSE).astype(np.float64)))

        _log_cells(len(vectors), "HDBSCAN runs in each")
        with threadpool_limits(limits=1):
            return _groups(data, labels_by_cell(vectors, labels_of))


def _log_cells(n: int, what: str) -> None:
    if n > ROWS_UNCUT:
        logger.info("%s conversations are cut into cells of about %s; %s", f"{n:,}", f"{CELL_ROWS:,}", what)


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
