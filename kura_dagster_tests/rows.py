"""Small rows for tests of storage and orchestration: conversations, summaries, embeddings and clusters by number."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from kura_dagster.pipeline.types import (
    Cluster,
    Conversation,
    ConversationEmbedding,
    ConversationSummary,
    Message,
    ProjectedCluster,
    ProjectedConversation,
    cluster_id_of,
)

WHEN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def conversation(number: int, content: str = "How do I reset my password?", when: datetime = WHEN) -> Conversation:
    return Conversation(
        chat_id=f"chat-{number:04}",
        created_at=when,
        messages=[
            Message(role="user", content=content, created_at=when),
            Message(role="assistant", content="Open the settings and choose reset.", created_at=when),
        ],
        metadata={"channel": "web", "score": 0.5, "tags": ["a", "b"], "nothing": None},
    )


def summary(number: int, text: str = "Reset a password") -> ConversationSummary:
    return ConversationSummary(
        chat_id=f"chat-{number:04}",
        summary=text,
        request=text,
        languages=["english"],
        metadata={"conversation_turns": 2},
        model="extractive",
    )


def embedding(number: int) -> ConversationEmbedding:
    vector = np.random.default_rng(number).normal(size=8)
    return ConversationEmbedding(chat_id=f"chat-{number:04}", embedding=vector, model="minilm")


def cluster(*numbers: int, name: str = "Reset a password", parent_id: str | None = None) -> Cluster:
    chat_ids = [f"chat-{number:04}" for number in numbers]
    return Cluster(
        cluster_id=cluster_id_of(chat_ids),
        name=name,
        description="Users asked to reset a password.",
        slug="reset_a_password",
        chat_ids=chat_ids,
        parent_id=parent_id,
        model="extractive",
        centroid=np.ones(8),
    )


def projected(cluster: Cluster, x_coord: float = 0.5, y_coord: float = -0.5, level: int = 0) -> ProjectedCluster:
    return ProjectedCluster(**cluster.model_dump(exclude={"count"}), x_coord=x_coord, y_coord=y_coord, level=level)


def placed(number: int, cluster: Cluster, x_coord: float = 0.5, y_coord: float = -0.5) -> ProjectedConversation:
    return ProjectedConversation(
        chat_id=f"chat-{number:04}", cluster_id=cluster.cluster_id, x_coord=x_coord, y_coord=y_coord, model="umap"
    )
