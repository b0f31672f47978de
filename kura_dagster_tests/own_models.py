"""A user's own subclasses, small enough that a whole run takes a moment: for tests of what surrounds the models."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

import numpy as np

from kura_dagster.pipeline.base_classes import (
    BaseClusterDescriptionModel,
    BaseClusteringMethod,
    BaseDimensionalityReduction,
    BaseEmbeddingModel,
    BaseMetaClusterModel,
    BaseSummaryModel,
)
from kura_dagster.pipeline.hierarchy import get_levels
from kura_dagster.pipeline.types import (
    Cluster,
    Conversation,
    ConversationSummary,
    GeneratedSummary,
    ProjectedCluster,
    cluster_id_of,
)


class OpeningTurns(BaseSummaryModel):
    """Summarises by the opening turn, and knows whether it was opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    async def __aenter__(self) -> OpeningTurns:
        self.opened += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed += 1

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float = 0.2,
    ) -> list[ConversationSummary]:
        return [
            ConversationSummary(chat_id=each.chat_id, summary=each.messages[0].content, model="opening turns")
            for each in conversations
        ]


class WordSums(BaseEmbeddingModel):
    """Embeds a text as the sum of its words' random vectors."""

    async def embed(self, texts: list[str]) -> Any:
        return np.array([sum((_word_vector(word) for word in text.split()), np.zeros(16)) for text in texts])

    def slug(self) -> str:
        return "word sums"


class ByFirstWord(BaseClusteringMethod):
    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        groups: dict[str, list[ConversationSummary]] = defaultdict(list)
        for item in items:
            groups[item["item"].summary.split()[0]].append(item["item"])
        return dict(enumerate(groups[word] for word in sorted(groups)))


class NamedByFirstMember(BaseClusterDescriptionModel):
    async def generate_clusters(
        self,
        cluster_id_to_summaries: dict[int, list[ConversationSummary]],
        prompt: str | None = None,
        max_contrastive_examples: int = 10,
    ) -> list[Cluster]:
        return [
            Cluster(
                cluster_id="any",
                name=members[0].summary,
                description="",
                slug="a_b_c",
                chat_ids=[member.chat_id for member in members],
                model="first member",
            )
            for members in cluster_id_to_summaries.values()
        ]


class InPairs(BaseMetaClusterModel):
    def __init__(self, max_clusters: int = 2) -> None:
        self.max_clusters = max_clusters

    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        result = []
        for first, second in zip(clusters[::2], clusters[1::2], strict=False):
            chat_ids = [*first.chat_ids, *second.chat_ids]
            parent = first.model_copy(
                update={
                    "cluster_id": cluster_id_of(chat_ids),
                    "chat_ids": chat_ids,
                    "name": f"{first.name} and {second.name}",
                    "parent_id": None,
                }
            )
            children = [each.model_copy(update={"parent_id": parent.cluster_id}) for each in (first, second)]
            result += [parent, *children]
        return result + (clusters[-1:] if len(clusters) % 2 else [])


class OnALine(BaseDimensionalityReduction):
    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        levels = get_levels(clusters)
        return [
            ProjectedCluster(
                **each.model_dump(exclude={"count", "model"}),
                model="line",
                x_coord=position,
                y_coord=0,
                level=levels[each.cluster_id],
            )
            for position, each in enumerate(clusters)
        ]


def own_models(**replaced: Any) -> dict[str, Any]:
    """One of each, as `build_defs` takes them."""
    return {
        "summary_model": OpeningTurns(),
        "embedding_model": WordSums(),
        "clustering_method": ByFirstWord(),
        "cluster_description_model": NamedByFirstMember(),
        "meta_cluster_model": InPairs(),
        "dimensionality_reduction": OnALine(),
    } | replaced


def _word_vector(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:8], "little")
    return np.random.default_rng(seed).normal(size=16)
