"""The map: every cluster of the hierarchy at a place on a plane, near the clusters that mean alike.

Conversations are placed by `conversation_projections`, and the map is drawn by `cluster_map`. Both projections are
seeded and independent of the order of rows.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from kura_dagster.pipeline.accounting import unaccounted
from kura_dagster.pipeline.base_classes import BaseCheckpointManager, BaseDimensionalityReduction, BaseEmbeddingModel
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.hierarchy import get_children_by_parent, get_levels
from kura_dagster.pipeline.types import Cluster, ProjectedCluster, unit_rows

if TYPE_CHECKING:
    import scipy.sparse

# umap, scikit-learn and scipy are imported where they are used: umap alone takes seconds, and this module is imported
# wherever a projection is only named, as in a Dagster code location.

logger = logging.getLogger(__name__)

FEWEST_FOR_UMAP = 10
"""Below this many clusters everyone is everyone's neighbour, so UMAP has nothing to go by and PCA places them."""

_DEFAULT_NEIGHBORS = 15
# umap-learn's own first step is 1, which flings the points about at random before it settles. Between days of which one
# has a conversation less, the clusters they share moved by 0.40 to 0.62 (root of the Procrustes disparity, 450 to 22
# clusters), with this step by 0.19 to 0.25; trustworthiness is 0.97 to 0.88, and was 0.97 to 0.84. With smaller steps
# 22 clusters don't settle.
_STEP = 0.05
# Of 10,000 clusters all distances at once are 0.8 GB, and finding the nearest in them takes three times as long.
_MEGABYTES_OF_DISTANCES = 64
# Distances that stay finite whatever the vectors, zero vectors among them.
_METRICS = ("cosine", "euclidean", "manhattan", "chebyshev")


class PCAProjection(BaseDimensionalityReduction):
    """Places clusters by the first two principal components of their unit vectors.

    It has no parameters to tune, needs milliseconds, and places any number of clusters from none up. Prefer it where
    the map must keep large distances; `HDBUMAP` keeps neighbourhoods.

    Args:
        embedding_model: embeds names and descriptions where clusters have no centroids; None means the embedded MiniLM.
    """

    name = "pca"

    def __init__(self, embedding_model: BaseEmbeddingModel | None = None) -> None:
        self.embedding_model = embedding_model

    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        """Return every cluster, in the order given, with finite coordinates, its level and the model `pca`.

        Raises:
            HierarchyError: a parent is missing.
        """
        ordered = sorted(clusters, key=lambda cluster: cluster.cluster_id)
        vectors = await _vectors_of(ordered, self.embedding_model)
        with _one_thread():
            return _projected(clusters, ordered, principal_components(vectors, 2), self.name)


class HDBUMAP(BaseDimensionalityReduction):
    """Places clusters by UMAP (the name is Kura's); fewer than `FEWEST_FOR_UMAP` clusters are placed by PCA.

    The neighbourhood graph is computed here, exactly and with NumPy, and umap-learn lays it out, starting from the
    principal components. umap-learn's own graph compiles for eight seconds in every process, whatever the number of
    clusters, and gives the same graph; the layout alone compiles in half a second.

    Args:
        embedding_model: embeds names and descriptions where clusters have no centroids; None means the embedded MiniLM.
        n_components: dimensions of the layout, 2 or more; the map shows the first two.
        min_dist: least distance between points of the layout.
        metric: distance between vectors: cosine, euclidean, manhattan or chebyshev.
        n_neighbors: neighbourhood size, the cluster itself included; None means min(15, number of clusters - 1), which
            is also the most it can be.
        random_state: the seed.

    Raises:
        ValueError: a parameter is out of range.

    References:
        McInnes, Healy, Melville: UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction, 2018.
        Kobak, Linderman: Initialization is critical for preserving global data structure in both t-SNE and UMAP, 2021.
    """

    name = "umap"

    def __init__(
        self,
        embedding_model: BaseEmbeddingModel | None = None,
        n_components: int = 2,
        min_dist: float = 0.1,
        metric: str = "cosine",
        n_neighbors: int | None = None,
        random_state: int = 0,
    ) -> None:
        if not isinstance(n_components, int) or n_components < 2:
            raise ValueError(f"n_components is {n_components!r}; allowed are whole numbers from 2 up")
        if not 0 <= min_dist <= 1:
            raise ValueError(f"min_dist is {min_dist!r}; allowed are numbers from 0 to 1")
        if metric not in _METRICS:
            raise ValueError(f"metric is {metric!r}; allowed are {', '.join(_METRICS)}")
        if n_neighbors is not None and (not isinstance(n_neighbors, int) or n_neighbors < 2):
            raise ValueError(f"n_neighbors is {n_neighbors!r}; allowed are whole numbers from 2 up")
        self.embedding_model = embedding_model
        self.n_components = n_components
        self.min_dist = min_dist
        self.metric = metric
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        """Return every cluster, in the order given, with finite coordinates, its level and what placed it.

        Raises:
            HierarchyError: a parent is missing.
        """
        ordered = sorted(clusters, key=lambda cluster: cluster.cluster_id)
        vectors = await _vectors_of(ordered, self.embedding_model)
        with _one_thread():
            if len(ordered) < FEWEST_FOR_UMAP:
                return _projected(clusters, ordered, principal_components(vectors, 2), PCAProjection.name)
            return _projected(clusters, ordered, self._layout(vectors), self.name)

    def _layout(self, vectors: np.ndarray) -> np.ndarray:
        """Return UMAP's layout, shape (n, n_components), of vectors of shape (n, n_dims)."""
        from umap.umap_ import find_ab_params, simplicial_set_embedding

        random_state = np.random.RandomState(self.random_state)  # umap-learn takes no newer generator
        start = principal_components(vectors, self.n_components)
        # umap-learn divides by the extent of each axis, and equal points would never part: a little noise for both.
        start = start / max(float(np.abs(start).max()), 1e-12) + random_state.normal(scale=1e-4, size=start.shape)
        a, b = find_ab_params(spread=1.0, min_dist=self.min_dist)
        layout, _ = simplicial_set_embedding(
            data=vectors,
            graph=_neighbor_graph(*self._neighbors(vectors)),
            n_components=self.n_components,
            initial_alpha=_STEP,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=None,
            init=start.astype(np.float32),
            random_state=random_state,
            metric=self.metric,
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,
        )
        return layout

    def _neighbors(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return indices and distances of the exact nearest neighbours, each of shape (n, k), each point first."""
        from sklearn import config_context
        from sklearn.neighbors import NearestNeighbors

        n = len(vectors)
        k = min(self.n_neighbors or _DEFAULT_NEIGHBORS, n - 1)
        with config_context(working_memory=_MEGABYTES_OF_DISTANCES):
            search = NearestNeighbors(n_neighbors=k - 1, metric=self.metric, algorithm="brute", n_jobs=1)
            distances, indices = search.fit(vectors.astype(np.float64)).kneighbors()
        return np.column_stack([np.arange(n), indices]), np.column_stack([np.zeros(n), distances])


async def reduce_dimensionality_from_clusters(
    clusters: list[Cluster],
    *,
    model: BaseDimensionalityReduction,
    checkpoint_manager: BaseCheckpointManager | None = None,
) -> list[ProjectedCluster]:
    """Place every cluster of the hierarchy on the map.

    Args:
        clusters: the hierarchy, base clusters and their parents.
        model: the projection.
        checkpoint_manager: where a checkpoint of exactly this hierarchy exists, it is the result.

    Returns:
        Each cluster once, with finite coordinates and its level: 0 for roots, one more for each generation.

    Raises:
        HierarchyError: a parent is missing, an id occurs twice, or parents go round in a circle.
        ValueError: a user's own projection lost or doubled clusters, or placed one at no finite coordinates.
    """
    levels = get_levels(clusters)
    family = {cluster.cluster_id: cluster.parent_id for cluster in clusters}
    if checkpoint_manager is not None:
        kept = checkpoint_manager.load_checkpoint(model.checkpoint_filename, ProjectedCluster)
        if kept is not None:
            if {cluster.cluster_id: cluster.parent_id for cluster in kept} == family:
                return kept
            logger.warning("the checkpoint of the map holds another hierarchy; it is computed again")
    projected = await model.reduce_dimensionality(clusters)
    source = type(model).__name__
    if faults := unaccounted(family, (cluster.cluster_id for cluster in projected)):
        raise ValueError(f"{source} {faults}")
    for cluster in projected:
        if not (math.isfinite(cluster.x_coord) and math.isfinite(cluster.y_coord)):
            raise ValueError(
                f"{source} placed cluster {cluster.cluster_id} at ({cluster.x_coord}, {cluster.y_coord}); "
                "coordinates must be finite"
            )
        cluster.level = levels[cluster.cluster_id]
    if checkpoint_manager is not None:
        checkpoint_manager.save_checkpoint(model.checkpoint_filename, projected)
    return projected


async def _vectors_of(clusters: Sequence[Cluster], embedding_model: BaseEmbeddingModel | None) -> np.ndarray:
    """Return a vector for each cluster, shape (n, n_dims): its centroid, or its embedded name and description.

    Centroids keep the geometry the clusters were formed in and cost nothing. A parent without one gets the mean of its
    children's, weighted by their conversations, which is what its centroid would be. Names are embedded, for all, only
    where a cluster without children has no centroid.
    """
    centroids = {cluster.cluster_id: cluster.centroid for cluster in clusters}
    levels = get_levels(clusters)
    children = get_children_by_parent(clusters)
    for cluster in sorted(clusters, key=lambda cluster: -levels[cluster.cluster_id]):
        own = children.get(cluster.cluster_id, [])
        of_children = [centroids[child.cluster_id] for child in own]
        if centroids[cluster.cluster_id] is None and own and all(vector is not None for vector in of_children):
            centroids[cluster.cluster_id] = np.average(
                np.asarray(of_children, dtype=np.float64), axis=0, weights=[max(child.count, 1) for child in own]
            )
    vectors = [centroids[cluster.cluster_id] for cluster in clusters]
    if all(vector is not None for vector in vectors):
        return np.asarray(vectors, dtype=np.float32)
    if embedding_model is None:
        from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

        embedding_model = MiniLMEmbeddingModel()
    texts = [f"{cluster.name}: {cluster.description}" for cluster in clusters]
    return await embed_texts(texts, embedding_model, about=[cluster.chat_ids for cluster in clusters])


def _one_thread() -> AbstractContextManager[Any]:
    """Hold what computes to one thread, so that a map does not depend on how many cores the machine has."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _projected(
    clusters: Sequence[Cluster], ordered: Sequence[Cluster], coordinates: np.ndarray, model: str
) -> list[ProjectedCluster]:
    """Join coordinates, of shape (n, >= 2) in the order of `ordered`, to `clusters`."""
    levels = get_levels(clusters)
    place = {cluster.cluster_id: row for cluster, row in zip(ordered, coordinates.tolist(), strict=True)}
    return [
        ProjectedCluster(
            **{field: getattr(cluster, field) for field in Cluster.model_fields if field != "model"},
            model=model,
            x_coord=place[cluster.cluster_id][0],
            y_coord=place[cluster.cluster_id][1],
            level=levels[cluster.cluster_id],
        )
        for cluster in clusters
    ]


def principal_components(vectors: np.ndarray, n_components: int) -> np.ndarray:
    """Return the first principal components of unit vectors, shape (n, n_components); missing ones are zero.

    The sign of each is fixed by its largest loading, so that the same vectors never come out mirrored. The caller holds
    the threads to one.
    """
    components = np.zeros((len(vectors), n_components))
    if len(vectors) < 2:
        return components
    centred = unit_rows(vectors).astype(np.float64)
    centred -= centred.mean(axis=0)
    # The smaller of both products: with 10,000 clusters that takes an eighth of a singular value decomposition's time.
    is_tall = centred.shape[0] > centred.shape[1]
    variances, directions = np.linalg.eigh(centred.T @ centred if is_tall else centred @ centred.T)
    for axis in range(min(n_components, len(variances))):
        spread = math.sqrt(max(float(variances[-1 - axis]), 0.0))
        if spread <= 1e-6 * math.sqrt(len(vectors)):  # rounding, not direction
            break
        direction = directions[:, -1 - axis]
        loading = direction if is_tall else direction @ centred
        sign = np.sign(loading[np.argmax(np.abs(loading))])
        components[:, axis] = sign * (centred @ direction if is_tall else direction * spread)
    return components


def _neighbor_graph(indices: np.ndarray, distances: np.ndarray) -> scipy.sparse.coo_matrix:
    """Return UMAP's fuzzy graph of nearest neighbours, symmetric, shape (n, n).

    Each point's distances are measured from its nearest neighbour and scaled so that its edges' strengths add up to
    log2(k); an edge of the graph exists if either of its two directions does (probabilistic sum). Algorithms 2 and 3
    of the paper, with the tolerances of umap-learn 0.5.

    Args:
        indices: the neighbours of each point, shape (n, k), the point itself first.
        distances: theirs, ascending.
    """
    import scipy.sparse

    n, k = indices.shape
    distances = distances.astype(np.float32).astype(np.float64)
    nearest = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest[np.isinf(nearest)] = 0.0
    beyond = np.maximum(distances - nearest[:, None], 0.0)

    target, scale = math.log2(k), np.ones(n)
    low, high = np.zeros(n), np.full(n, np.inf)
    for _ in range(64):
        excess = np.exp(-beyond[:, 1:] / scale[:, None]).sum(axis=1) - target
        searching = np.abs(excess) >= 1e-5
        if not searching.any():
            break
        too_wide, too_narrow = searching & (excess > 0), searching & (excess < 0)
        high[too_wide], low[too_narrow] = scale[too_wide], scale[too_narrow]
        middle = np.where(np.isinf(high), scale * 2, (low + high) / 2)
        scale = np.where(searching, middle, scale)
    least = np.where(nearest > 0, distances.mean(axis=1), distances.mean())
    scale = np.maximum(scale, 1e-3 * least)

    strengths = np.exp(-beyond / np.maximum(scale, np.finfo(np.float64).tiny)[:, None])
    strengths[indices == np.arange(n)[:, None]] = 0.0
    rows = np.repeat(np.arange(n), k)
    directed = scipy.sparse.csr_matrix((strengths.ravel().astype(np.float32), (rows, indices.ravel())), shape=(n, n))
    directed.eliminate_zeros()
    either = directed + directed.T - directed.multiply(directed.T)
    either.eliminate_zeros()
    return either.tocoo()
