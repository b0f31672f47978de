"""The things the pipeline is about: conversations, summaries, embeddings, clusters, and both with places on the map.

Only data and its validity belong here. Names are Kura's; what Kura lacks is said at the field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictBool, computed_field

MetadataValue = str | int | float | bool | list[StrictBool] | list[str] | list[int] | list[float] | None
Metadata = dict[str, MetadataValue]

USER_WORDS = "user_words"
"""The key, in a summary's metadata, of what the user wrote first: masked, but in the user's own words."""

Vector = Annotated[
    np.ndarray,
    BeforeValidator(lambda value: np.asarray(value, dtype=np.float32)),
    PlainSerializer(lambda value: value.tolist(), return_type=list[float], when_used="json"),
]
"""A float32 array of shape (n_dims,). Lists are accepted and converted."""


class Message(BaseModel):
    """What was said at once in a conversation, and by whom.

    Kura knows `user` and `assistant`. `system` and `developer` are the operator's instructions, `tool` is what a tool
    was asked or answered; neither is a turn of the conversation.
    """

    created_at: datetime
    role: Literal["user", "assistant", "system", "developer", "tool"]
    content: str


class Conversation(BaseModel):
    """A conversation as it was landed; `metadata` is the owner's own and never reaches a prompt or an embedding."""

    chat_id: str = Field(min_length=1)
    created_at: datetime
    messages: list[Message] = Field(min_length=1)
    metadata: Metadata = Field(default_factory=dict)

    @property
    def turns(self) -> list[Message]:
        """What user and assistant said to each other, without instructions and tools."""
        return [message for message in self.messages if message.role in ("user", "assistant")]


class ExtractedProperty(BaseModel):
    """A named value computed from a conversation; it lands in the summary's metadata."""

    name: str
    value: MetadataValue


class GeneratedSummary(BaseModel):
    """What a summary model says about one conversation. Subclass it to ask a language model for more fields."""

    summary: str = Field(
        description="What the conversation is about, in at most two sentences, without names or personal data."
    )
    request: str | None = Field(default=None, description="What the user wants from the assistant overall.")
    topic: str | None = Field(
        default=None, description="The broad subject, for example 'software development' or 'travel planning'."
    )
    languages: list[str] | None = Field(
        default=None,
        description="Human and programming languages used, lower case, most used first: ['english', 'python'].",
    )
    task: str | None = Field(default=None, description="The kind of work the assistant is asked to do.")
    concerning_score: int | None = Field(
        default=None, ge=1, le=5, description="Safety concern, 1 (none) to 5 (severe)."
    )
    user_frustration: int | None = Field(
        default=None, ge=1, le=5, description="How frustrated the user is, 1 (content) to 5 (very frustrated)."
    )
    assistant_errors: list[str] | None = Field(default=None, description="Mistakes the assistant made, one entry each.")


class ConversationSummary(GeneratedSummary):
    """A summary joined to its conversation.

    `model` says which summary model wrote it. `embedding_text` is the text that stands for the conversation when it is
    embedded; it may quote the conversation, so it is never stored or serialised. `embedding` travels with the summary
    through clustering and naming, and is stored in a table of its own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    chat_id: str
    metadata: Metadata = Field(default_factory=dict)
    model: str = "unknown"
    embedding_text: str | None = Field(default=None, exclude=True, repr=False)
    embedding: Vector | None = Field(default=None, exclude=True, repr=False)


class ConversationEmbedding(BaseModel):
    """The vector of one conversation and the model that made it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    chat_id: str
    embedding: Vector = Field(repr=False)
    model: str


class GeneratedCluster(BaseModel):
    """What a language model says about one group of conversations."""

    name: str = Field(
        description="An imperative sentence of at most ten words that says what the users of this group ask for."
    )
    summary: str = Field(
        description="Two sentences in the past tense that describe the group and set it apart, without personal data."
    )
    slug: str = Field(description="Three words in snake_case, for example 'tax_return_help'.")


class Cluster(BaseModel):
    """A group of conversations: a base cluster, or a parent in the hierarchy.

    Serialised by alias (`model_dump(by_alias=True)`) it has Kura's field names, where the id is `id`. Beyond Kura:
    `is_outlier` marks the row that holds what the clustering method left unclustered, `centroid` is the mean of the
    members' unit vectors, and `model` says what named it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    cluster_id: str = Field(alias="id")
    name: str
    description: str
    slug: str
    chat_ids: list[str]
    parent_id: str | None = None
    is_outlier: bool = False
    model: str = "unknown"
    centroid: Vector | None = Field(default=None, exclude=True, repr=False)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def count(self) -> int:
        """How many conversations the cluster holds."""
        return len(self.chat_ids)


class ProjectedCluster(Cluster):
    """A cluster of the hierarchy with its place on the map; `level` is 0 for roots and grows downwards."""

    x_coord: float
    y_coord: float
    level: int = Field(ge=0)


class ProjectedConversation(BaseModel):
    """A conversation with its place on the map, its base cluster, and the model that placed that."""

    chat_id: str
    cluster_id: str
    x_coord: float
    y_coord: float
    model: str


class FailedItem(BaseModel):
    """A conversation or a cluster that a model gave no usable answer for; the next run asks again."""

    item_id: str
    error: str
    model: str


def cluster_id_of(chat_ids: Iterable[str]) -> str:
    """Return the id of the cluster with these members: 16 hex digits, the same for the same members in any order."""
    digest = hashlib.sha256()
    for chat_id in sorted(chat_ids):
        digest.update(chat_id.encode("utf-8", "surrogatepass"))
        digest.update(b"\x00")
    return digest.hexdigest()[:16]


def unit_rows(vectors: Any) -> np.ndarray:
    """Scale each row of an array of shape (n, n_dims) to length one (float32); zero rows stay zero."""
    array = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return np.divide(array, norms, out=np.zeros_like(array), where=norms > 0)
