"""From summaries to base clusters: embed, group, describe, and guarantee what the later stages rely on.

The methods that group are in `clustering`; the models that name are in `embedded` and `language_model`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kura_dagster.pipeline.accounting import unaccounted
from kura_dagster.pipeline.base_classes import (
    BaseCheckpointManager,
    BaseClusterDescriptionModel,
    BaseClusteringMethod,
    BaseEmbeddingModel,
)
from kura_dagster.pipeline.cluster_names import numbered_names
from kura_dagster.pipeline.clustering import NOISE, KmeansClusteringModel
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.pipeline.hierarchy import some_of
from kura_dagster.pipeline.types import Cluster, ConversationSummary, FailedItem, cluster_id_of, unit_rows

logger = logging.getLogger(__name__)

OUTLIERS_NAME = "Unclustered conversations"
OUTLIERS_SLUG = "unclustered_conversations"
OUTLIERS_DESCRIPTION = (
    "Conversations that the clustering method placed in no cluster; they need not have a theme in common."
)
NAMELESS = "Unnamed cluster"


class PartitionError(ValueError):
    """The groups or clusters don't hold every conversation exactly once. The message names what is lost or doubled."""


async def generate_base_clusters_from_conversation_summaries(
    summaries: list[ConversationSummary],
    embedding_model: BaseEmbeddingModel | None = None,
    clustering_method: BaseClusteringMethod | None = None,
    clustering_model: BaseClusterDescriptionModel | None = None,
    checkpoint_manager: BaseCheckpointManager | None = None,
    max_contrastive_examples: int = 10,
    prompt: str | None = None,
    failures: list[FailedItem] | None = None,
) -> list[Cluster]:
    """Group summaries by meaning and name the groups.

    Whatever the method and the model return, the clusters hold every conversation that has an embedding exactly once,
    their names are unique, and ids and centroids follow from the members. What the method left out (key -1) becomes one
    cluster marked `is_outlier`, which is not described as a theme. The caller's summaries are left as they were.

    Args:
        summaries: one a conversation. Those without an `embedding` are embedded.
        embedding_model: makes the missing embeddings; None means the embedded MiniLM.
        clustering_method: groups; None means `KmeansClusteringModel()`.
        clustering_model: names and describes; None means the embedded `ExtractiveClusterDescriptionModel`.
        checkpoint_manager: where a checkpoint of exactly these conversations exists, it is the result.
        max_contrastive_examples: summaries of other clusters that a language model sees when it names one.
        prompt: stands in for the describing model's own prompt.
        failures: gets the clusters that a language model gave no name for, which are called "Unnamed cluster", and the
            conversations that an embedding API refused, which are in no cluster. None makes the first one an error,
            after all others were finished.

    Returns:
        The clusters, largest first, then by id; [] for no summaries.

    Raises:
        ValueError: a chat_id occurs twice, or embeddings differ in length or are not finite.
        EmbeddingError: the embedding model's answer can't be used.
        PartitionError: the method or the model lost, doubled or invented conversations.
        LanguageModelError: a name or an embedding failed and there is no list for failures, or nothing more can be
            asked.
    """
    chat_ids = [summary.chat_id for summary in summaries]
    if repeated := [chat_id for chat_id, count in Counter(chat_ids).items() if count > 1]:
        raise ValueError(f"summaries hold {some_of(repeated)} more than once; each conversation has one summary")
    if embedding_model is None:
        from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

        embedding_model = MiniLMEmbeddingModel()
    if clustering_method is None:
        clustering_method = KmeansClusteringModel()
    if clustering_model is None:
        from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel

        clustering_model = ExtractiveClusterDescriptionModel(embedding_model)

    if checkpoint_manager is not None:
        kept = checkpoint_manager.load_checkpoint(clustering_model.checkpoint_filename, Cluster)
        if kept is not None:
            if sorted(chat_id for cluster in kept for chat_id in cluster.chat_ids) == sorted(chat_ids):
                return kept
            logger.warning("the checkpoint of base clusters holds other conversations; it is computed again")

    clusters: list[Cluster] = []
    embedded: list[ConversationSummary] = []
    if summaries:
        embedded = await _with_embeddings(summaries, embedding_model, failures)
    if embedded:
        groups = _group(embedded, clustering_method)
        outliers = groups.pop(NOISE, [])
        clusters = await _describe(groups, clustering_model, max_contrastive_examples, prompt, failures)
        if outliers:
            clusters.append(_outlier_cluster(outliers, type(clustering_method).__name__))
            clusters.sort(key=_largest_first)
    if checkpoint_manager is not None and not failures:
        checkpoint_manager.save_checkpoint(clustering_model.checkpoint_filename, clusters)
    return clusters


async def _with_embeddings(
    summaries: Sequence[ConversationSummary], embedding_model: BaseEmbeddingModel, failures: list[FailedItem] | None
) -> list[ConversationSummary]:
    """Return copies of the summaries, sorted by chat_id, that all carry an embedding; `failures` gets the others."""
    missing = [summary for summary in summaries if summary.embedding is None]
    vectors: dict[str, np.ndarray] = {
        embedding.chat_id: embedding.embedding
        for embedding in await embed_summaries(missing, embedding_model, failures=failures)
    }
    for summary in summaries:
        if summary.embedding is not None:
            vectors[summary.chat_id] = np.asarray(summary.embedding, dtype=np.float32)
    if unusable := [chat_id for chat_id, vector in vectors.items() if not np.isfinite(vector).all()]:
        raise ValueError(f"the embeddings of {some_of(unusable)} hold values that are not finite")
    if len(shapes := {vector.shape for vector in vectors.values()}) > 1:
        raise ValueError(f"embeddings have the shapes {sorted(shapes)}; all must come from one embedding model")
    return [
        summary.model_copy(update={"embedding": vectors[summary.chat_id]})
        for summary in sorted(summaries, key=lambda summary: summary.chat_id)
        if summary.chat_id in vectors
    ]


def _group(
    summaries: Sequence[ConversationSummary], clustering_method: BaseClusteringMethod
) -> dict[int, list[ConversationSummary]]:
    """Return the method's groups, without the empty ones, with the members sorted by chat_id."""
    by_chat_id = {summary.chat_id: summary for summary in summaries}
    returned = clustering_method.cluster([{"item": summary, "embedding": summary.embedding} for summary in summaries])
    groups = {
        int(number): sorted(summary.chat_id for summary in members) for number, members in returned.items() if members
    }
    _require_partition(by_chat_id, groups.values(), f"clustering method {type(clustering_method).__name__}")
    return {number: [by_chat_id[chat_id] for chat_id in groups[number]] for number in sorted(groups)}


async def _describe(
    groups: Mapping[int, list[ConversationSummary]],
    clustering_model: BaseClusterDescriptionModel,
    max_contrastive_examples: int,
    prompt: str | None,
    failures: list[FailedItem] | None,
) -> list[Cluster]:
    """Return the described groups with ids, centroids and unique names, sorted."""
    if not groups:
        return []
    members = {summary.chat_id: summary for group in groups.values() for summary in group}
    # A class written for Kura has its own prompt as a default; None would stand in its way.
    own_prompt = {} if prompt is None else {"prompt": prompt}
    model_name = type(clustering_model).__name__
    try:
        described = await clustering_model.generate_clusters(
            dict(groups), max_contrastive_examples=max_contrastive_examples, **own_prompt
        )
    except SomeFailed as some:
        if failures is None:
            raise
        failures.extend(some.failed_items)
        described = [cluster for cluster in some.results if cluster is not None]
    _require_partition(members, [cluster.chat_ids for cluster in described], f"description model {model_name}")
    clusters = [
        cluster.model_copy(
            update={
                "cluster_id": cluster_id_of(cluster.chat_ids),
                "chat_ids": sorted(cluster.chat_ids),
                "parent_id": None,
                "is_outlier": False,
                "centroid": centroid_of([members[chat_id] for chat_id in sorted(cluster.chat_ids)]),
            }
        )
        for cluster in described
        if cluster.chat_ids
    ]
    clusters.sort(key=_largest_first)
    if nameless := [cluster.cluster_id for cluster in clusters if not cluster.name.strip()]:
        logger.warning("description model %s left clusters without a name: %s", model_name, some_of(nameless))
    names = numbered_names([cluster.name.strip() or NAMELESS for cluster in clusters], taken=[OUTLIERS_NAME])
    return [cluster.model_copy(update={"name": name}) for cluster, name in zip(clusters, names, strict=True)]


def _outlier_cluster(outliers: Sequence[ConversationSummary], method_name: str) -> Cluster:
    chat_ids = [summary.chat_id for summary in outliers]
    return Cluster(
        cluster_id=cluster_id_of(chat_ids),
        name=OUTLIERS_NAME,
        description=OUTLIERS_DESCRIPTION,
        slug=OUTLIERS_SLUG,
        chat_ids=chat_ids,
        is_outlier=True,
        model=method_name,
        centroid=centroid_of(outliers),
    )


def centroid_of(summaries: Sequence[ConversationSummary]) -> np.ndarray:
    """Return the mean of the members' unit vectors, float32 of shape (n_dims,); its length says how alike they are."""
    return unit_rows([summary.embedding for summary in summaries]).mean(axis=0, dtype=np.float64).astype(np.float32)


def _largest_first(cluster: Cluster) -> tuple[int, str]:
    return (-cluster.count, cluster.cluster_id)


def _require_partition(expected: Iterable[str], groups: Iterable[Iterable[str]], source: str) -> None:
    """Raise unless the groups hold every expected chat_id exactly once and no other."""
    if faults := unaccounted(expected, (chat_id for group in groups for chat_id in group)):
        raise PartitionError(f"{source} {faults}")
