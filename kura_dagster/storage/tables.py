"""What the database holds: every table with its columns, and the type whose objects are its rows.

This is the only definition of a table. The DDL, the codec between rows and frames, the schema shown in the UI and the
documentation all come from here. Column names are the field names of the row type.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from kura_dagster.pipeline.conversations import RejectedConversation
from kura_dagster.pipeline.types import (
    Cluster,
    Conversation,
    ConversationEmbedding,
    ConversationSummary,
    FailedItem,
    ProjectedCluster,
    ProjectedConversation,
)

PARTITION_COLUMN = "partition_date"


@dataclass(frozen=True)
class Column:
    """A column: its name, its DuckDB type and what it means."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A table, partitioned by `partition_date`, whose other columns are fields of `row_type`.

    `key` names the columns that tell the rows of a partition apart, and order them.
    """

    name: str
    description: str
    row_type: type[BaseModel]
    key: tuple[str, ...]
    columns: tuple[Column, ...]


_MODEL = Column("model", "VARCHAR", "What made the row: a provider string, or the name of the local model.")
_CHAT_ID = Column("chat_id", "VARCHAR", "The conversation.")
_CLUSTER = (
    Column("cluster_id", "VARCHAR", "Follows from the members, so that a re-run gives the same id."),
    Column("name", "VARCHAR", "What the users of this cluster ask for, as an imperative."),
    Column("description", "VARCHAR", "The cluster in a sentence or two."),
    Column("slug", "VARCHAR", "Three words in snake_case."),
    Column("chat_ids", "VARCHAR[]", "The conversations in the cluster, sorted."),
    Column("count", "INTEGER", "How many conversations the cluster holds."),
    Column("is_outlier", "BOOLEAN", "True for the one row that holds what the clustering method left unclustered."),
    _MODEL,
)
_PLACE = (
    Column("x_coord", "DOUBLE", "Place on the map; distances matter, units do not."),
    Column("y_coord", "DOUBLE", "Place on the map; distances matter, units do not."),
)
_PARENT_ID = Column("parent_id", "VARCHAR", "The cluster above, NULL for a root.")

CONVERSATIONS = Table(
    "conversations",
    "One row a conversation, routed to its partition by created_at.",
    Conversation,
    ("chat_id",),
    (
        _CHAT_ID,
        Column("created_at", "TIMESTAMPTZ", "When the conversation began."),
        Column("messages", "JSON", "What was said, in order: [{created_at, role, content}, …]; NULL once dropped."),
        Column("metadata", "JSON", "What the owner recorded about the conversation."),
    ),
)
REJECTED_CONVERSATIONS = Table(
    "rejected_conversations",
    "One row for each landed line that could not be used, with the reason.",
    RejectedConversation,
    ("file", "line"),
    (
        Column("file", "VARCHAR", "The landing file."),
        Column("line", "INTEGER", "The line in the file, from 1."),
        Column("chat_id", "VARCHAR", "The conversation, where the line could tell."),
        Column("reason", "VARCHAR", "Why the line was set aside."),
        Column("content", "VARCHAR", "The beginning of the line; empty once messages are dropped."),
    ),
)
SUMMARIES = Table(
    "summaries",
    "One row a conversation: what the user wanted.",
    ConversationSummary,
    ("chat_id",),
    (
        _CHAT_ID,
        Column("summary", "VARCHAR", "The conversation in at most two sentences."),
        Column("request", "VARCHAR", "What the user wants from the assistant."),
        Column("topic", "VARCHAR", "The broad subject; NULL where the model does not judge."),
        Column("languages", "VARCHAR[]", "Human and programming languages, lower case."),
        Column("task", "VARCHAR", "The kind of work asked for; NULL where the model does not judge."),
        Column("concerning_score", "TINYINT", "Safety concern, 1 to 5; NULL where the model does not judge."),
        Column("user_frustration", "TINYINT", "Frustration, 1 to 5; NULL where the model does not judge."),
        Column("assistant_errors", "VARCHAR[]", "The assistant's mistakes; NULL where the model does not judge."),
        Column(
            "metadata",
            "JSON",
            "The conversation's own metadata, conversation_turns, extracted properties, and of the local model "
            "user_words: the start of what the user wrote, masked, of which clusters' names are made. They are dropped "
            "with the messages.",
        ),
        _MODEL,
    ),
)
EMBEDDINGS = Table(
    "embeddings",
    "One row a conversation: the vector that stands for its meaning.",
    ConversationEmbedding,
    ("chat_id",),
    (_CHAT_ID, Column("embedding", "FLOAT[]", "The vector, as the model gave it."), _MODEL),
)
BASE_CLUSTERS = Table(
    "base_clusters",
    "One row a cluster of conversations that ask for the same thing.",
    Cluster,
    ("cluster_id",),
    (*_CLUSTER, Column("centroid", "FLOAT[]", "The mean of the members' unit vectors.")),
)
META_CLUSTERS = Table(
    "meta_clusters",
    "One row a cluster of the hierarchy: the base clusters and every level above them.",
    Cluster,
    ("cluster_id",),
    (*_CLUSTER, _PARENT_ID, Column("centroid", "FLOAT[]", "The mean of the members' unit vectors.")),
)
PROJECTIONS = Table(
    "projections",
    "One row a cluster of the hierarchy with its place on the map.",
    ProjectedCluster,
    ("cluster_id",),
    (
        *_CLUSTER,
        _PARENT_ID,
        Column("level", "INTEGER", "Depth in the hierarchy, 0 for a root."),
        *_PLACE,
    ),
)
CONVERSATION_PROJECTIONS = Table(
    "conversation_projections",
    "One row a conversation with its place on the map, near its base cluster's.",
    ProjectedConversation,
    ("chat_id",),
    (
        _CHAT_ID,
        Column("cluster_id", "VARCHAR", "The base cluster that holds it."),
        *_PLACE,
        Column("model", "VARCHAR", "What placed the cluster."),
    ),
)


def _failed(asset: Table, item: str, consequence: str, *, model: str = "a language model") -> Table:
    """Return the table of what a model failed at when it filled `asset`'s table."""
    return Table(
        f"failed_{asset.name}",
        f"One row for each {item} that {model} gave no answer for. {consequence} The next run of the partition asks "
        "again.",
        FailedItem,
        ("item_id",),
        (
            Column("item_id", "VARCHAR", f"The {item}'s id."),
            Column("error", "VARCHAR", "Why there is no answer, and what to do about it."),
            Column("model", "VARCHAR", "The model that was asked."),
        ),
    )


FAILED_SUMMARIES = _failed(SUMMARIES, "conversation", "It has no summary, and is in no cluster.")
FAILED_EMBEDDINGS = _failed(
    EMBEDDINGS, "conversation", "It has no vector, and is in no cluster.", model="an embedding API"
)
FAILED_BASE_CLUSTERS = _failed(BASE_CLUSTERS, "cluster", "It has no name of its own.")
FAILED_META_CLUSTERS = _failed(META_CLUSTERS, "cluster", "It was placed or named without the language model.")

FAILED = {
    SUMMARIES.name: FAILED_SUMMARIES,
    EMBEDDINGS.name: FAILED_EMBEDDINGS,
    BASE_CLUSTERS.name: FAILED_BASE_CLUSTERS,
    META_CLUSTERS.name: FAILED_META_CLUSTERS,
}
"""Where each asset that may ask a provider keeps what failed, by the asset's name."""

TABLES = {
    table.name: table
    for table in (
        CONVERSATIONS,
        REJECTED_CONVERSATIONS,
        SUMMARIES,
        EMBEDDINGS,
        BASE_CLUSTERS,
        META_CLUSTERS,
        PROJECTIONS,
        CONVERSATION_PROJECTIONS,
        *FAILED.values(),
    )
}


def create_statement(table: Table, partition_type: str) -> str:
    """Return the table's DDL; `partition_type` is the DuckDB type of `partition_date`."""
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {table.name} ({PARTITION_COLUMN} {partition_type} NOT NULL, {columns})"
