"""The hierarchy without a language model: Ward linkage on the clusters' centroids, a level at a time."""

from __future__ import annotations

import math

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import joined_name, three_word_slug
from kura_dagster.pipeline.meta_clusters import parent_of
from kura_dagster.pipeline.types import Cluster, unit_rows

MODEL = "ward"
CHILDREN = 3.5  # clusters to a root on a small day: 20 base clusters have about 6 roots
MOST_CHILDREN = 12  # beyond so many to a root, a level goes in between
CHILDREN_BETWEEN = 8  # clusters to a parent of that level


class WardMetaClusterModel(BaseMetaClusterModel):
    """Merges the clusters whose centroids point the same way; local, deterministic and without a key.

    Args:
        max_clusters: the most roots, outliers included.
        embedding_model: embeds names and descriptions where clusters have no centroids; None means the embedded MiniLM.
    """

    def __init__(self, max_clusters: int = 10, embedding_model: BaseEmbeddingModel | None = None) -> None:
        self.max_clusters = max_clusters
        self.embedding_model = embedding_model

    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        """Return the clusters and their new parents, one level; a cluster that merges with none stays a root."""
        outliers = [cluster for cluster in clusters if cluster.is_outlier]
        merging = clusters if len(outliers) >= self.max_clusters else [each for each in clusters if not each.is_outlier]
        most_roots = self.max_clusters - (len(clusters) - len(merging))
        if len(merging) <= most_roots:
            return clusters
        merging = sorted(merging, key=lambda cluster: cluster.cluster_id)
        labels = group_by_ward(await self._vectors(merging), n_parents(len(merging), most_roots))
        groups: dict[int, list[Cluster]] = {}
        for cluster, label in zip(merging, labels, strict=True):
            groups.setdefault(int(label), []).append(cluster)
        result = [cluster for cluster in clusters if all(cluster is not each for each in merging)]
        for children in groups.values():
            if len(children) == 1:
                result += children
                continue
            parent = _parent(children)
            result.append(parent)
            result += [child.model_copy(update={"parent_id": parent.cluster_id}) for child in children]
        return result

    async def _vectors(self, clusters: list[Cluster]) -> np.ndarray:
        centroids = [cluster.centroid for cluster in clusters if cluster.centroid is not None]
        if len(centroids) == len(clusters):
            return np.stack(centroids)
        if self.embedding_model is None:
            from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

            self.embedding_model = MiniLMEmbeddingModel()
        return np.asarray(await self.embedding_model.embed([f"{each.name}: {each.description}" for each in clusters]))


def n_parents(n_clusters: int, most_roots: int) -> int:
    """Return how many groups a level of the hierarchy has over `n_clusters`, so that none has too many children."""
    if n_clusters > MOST_CHILDREN * most_roots:
        return math.ceil(n_clusters / CHILDREN_BETWEEN)
    return max(1, min(most_roots, round(n_clusters / CHILDREN)))


def _parent(children: list[Cluster]) -> Cluster:
    """Return the parent of these clusters, named after the two that hold most conversations."""
    largest = sorted(children, key=lambda child: (-child.count, child.cluster_id))
    name = joined_name([child.name for child in largest])
    listed = "; ".join(f"{child.name} ({child.count})" for child in largest)
    return parent_of(
        children,
        name=name,
        description=f"{len(children)} related clusters: {listed}.",
        slug=three_word_slug("", name),
        model=MODEL,
    )


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
