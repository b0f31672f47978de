"""What the Dagster UI shows of each partition: key figures it can plot, the tree and the map.

One function an asset, from rows to metadata. Row counts come from the IO manager. Metadata stays in the event log when
a conversation is forgotten, so nothing of a single conversation is part of it, neither its id nor its summary.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

import dagster as dg
import numpy as np

from kura_dagster.pipeline.cluster_map import draw_map
from kura_dagster.pipeline.hierarchy import get_levels, get_root_clusters
from kura_dagster.pipeline.language_model.ledger import Spent
from kura_dagster.pipeline.tree import render_markdown
from kura_dagster.pipeline.types import (
    Cluster,
    Conversation,
    ConversationEmbedding,
    ConversationSummary,
    ProjectedCluster,
    ProjectedConversation,
)
from kura_dagster.storage.tables import (
    BASE_CLUSTERS,
    CONVERSATIONS,
    EMBEDDINGS,
    META_CLUSTERS,
    REJECTED_CONVERSATIONS,
    SUMMARIES,
)

MOST_COUNTED = 12
"""So many topics and kinds of work are listed, the commonest first."""


def is_superseded(reason: str) -> bool:
    """Whether a line was set aside because the same conversation was landed again, which is no fault of the line."""
    return reason.startswith("superseded by ")


def describe_conversations(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Figures of one partition of `conversations`."""
    rows: Sequence[Conversation] = tables[CONVERSATIONS.name]
    turns = [len(row.turns) for row in rows]
    superseded = sum(is_superseded(row.reason) for row in tables[REJECTED_CONVERSATIONS.name])
    return {
        "messages": sum(len(row.messages) for row in rows),
        "mean_turns": _mean(turns),
        "superseded_lines": superseded,
        "unusable_lines": len(tables[REJECTED_CONVERSATIONS.name]) - superseded,
    }


def describe_summaries(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Figures of one partition of `summaries`."""
    rows: Sequence[ConversationSummary] = tables[SUMMARIES.name]
    languages = Counter(language for row in rows for language in row.languages or [])
    frustration = [row.user_frustration for row in rows if row.user_frustration is not None]
    figures: dict[str, Any] = {
        "mean_summary_characters": _mean([len(row.summary) for row in rows]),
        "languages": len(languages),
        "language_counts": dg.MetadataValue.json(dict(languages.most_common())),
        "topics": _counts(row.topic for row in rows),
        "tasks": _counts(row.task for row in rows),
    }
    if frustration:
        figures["mean_user_frustration"] = _mean(frustration)
        figures["conversations_with_assistant_errors"] = sum(bool(row.assistant_errors) for row in rows)
    return figures | _model(rows)


def describe_redaction(replaced: Mapping[str, int]) -> dict[str, Any]:
    """How many pieces of personal data were taken out of one partition's messages, by kind; nothing with redaction off.

    Zeros are told too: a plot over the days needs them.
    """
    return {f"redacted_{kind}": count for kind, count in replaced.items()}


def describe_embeddings(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Figures of one partition of `embeddings`."""
    rows: Sequence[ConversationEmbedding] = tables[EMBEDDINGS.name]
    return {"dimensions": len(rows[0].embedding) if rows else 0} | _model(rows)


def describe_base_clusters(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Figures of one partition of `base_clusters`; cohesion is the centroids' mean length, 1 for identical members."""
    rows: Sequence[Cluster] = tables[BASE_CLUSTERS.name]
    themes = [row for row in rows if not row.is_outlier]
    total = sum(row.count for row in rows)
    return {
        "clusters": len(themes),
        "largest_cluster": max((row.count for row in themes), default=0),
        "median_cluster": float(median([row.count for row in themes])) if themes else 0.0,
        "single_member_clusters": sum(row.count == 1 for row in themes),
        "unclustered_share": sum(row.count for row in rows if row.is_outlier) / total if total else 0.0,
        "mean_cohesion": _mean([float(np.linalg.norm(row.centroid)) for row in themes if row.centroid is not None]),
        "clusters_by_size": _table([_cluster_record(row) for row in themes[:40]]),
    } | _model(themes)


def describe_meta_clusters(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Figures and the tree of one partition of `meta_clusters`."""
    rows: Sequence[Cluster] = tables[META_CLUSTERS.name]
    roots = get_root_clusters(list(rows))
    return {
        "roots": len(roots),
        "clusters": len(rows),
        "levels": max(get_levels(list(rows)).values(), default=-1) + 1,
        "largest_root_share": max((root.count for root in roots), default=0)
        / max(1, sum(root.count for root in roots)),
        "hierarchy": dg.MetadataValue.md(render_markdown(list(rows))),
    } | _model(rows)


def describe_projections(rows: Sequence[ProjectedCluster]) -> dict[str, Any]:
    """Figures of one partition of `projections`; the map is drawn with the conversations on it."""
    return {"levels": max((row.level for row in rows), default=-1) + 1} | _model(rows)


def describe_conversation_projections(
    clusters: Sequence[ProjectedCluster], rows: Sequence[ProjectedConversation]
) -> dict[str, Any]:
    """The map of one partition of `conversation_projections`."""
    figures: dict[str, Any] = {"clusters": len({row.cluster_id for row in rows})}
    if rows:
        picture = base64.b64encode(draw_map(clusters, rows)).decode("ascii")
        figures["map"] = dg.MetadataValue.md(f"![map of the day's conversations](data:image/png;base64,{picture})")
    return figures | _model(rows)


def describe_spending(spent: Spent) -> dict[str, Any]:
    """What one partition of an asset asked of providers and paid; a cost that is not known is no number."""
    figures: dict[str, Any] = {
        "calls": spent.calls,
        "cache_hits": spent.cache_hits,
        "retries": spent.retries,
        "failures": spent.failures,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
    }
    if spent.cost_usd is None:
        figures["cost_usd_unknown_for"] = ", ".join(sorted(spent.unpriced_calls))
    else:
        figures["cost_usd"] = round(spent.cost_usd, 6)
    return figures


def recorded_spending(metadata: Mapping[str, dg.MetadataValue]) -> tuple[float | None, int] | None:
    """Return the USD, None where unknown, and tokens that `describe_spending` put into a materialisation's metadata.

    None where it is no materialisation of an asset that asks.
    """
    if "calls" not in metadata:
        return None
    figures: dict[str, Any] = {name: value.value for name, value in metadata.items() if name in _SPENDING}
    return figures.get("cost_usd"), figures["input_tokens"] + figures["output_tokens"]


_SPENDING = ("input_tokens", "output_tokens", "cost_usd")


def _counts(values: Iterable[str | None]) -> dg.JsonMetadataValue:
    """Return how often the commonest values occur; what only one conversation says is left out."""
    counts = Counter(value for value in values if value)
    return dg.MetadataValue.json({value: count for value, count in counts.most_common(MOST_COUNTED) if count > 1})


def _mean(values: Sequence[float]) -> float:
    return round(float(mean(values)), 3) if values else 0.0


def _model(rows: Sequence[Any]) -> dict[str, str]:
    models = sorted({row.model for row in rows})
    return {"model": ", ".join(models)} if models else {}


def _cluster_record(cluster: Cluster) -> dict[str, Any]:
    return {"name": cluster.name, "count": cluster.count, "description": cluster.description}


def _table(records: Sequence[Mapping[str, str | int | float]]) -> dg.TableMetadataValue:
    names = records[0].keys() if records else ("empty",)
    columns = [
        dg.TableColumn(name, "integer" if records and isinstance(records[0][name], int) else "string") for name in names
    ]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(record)) for record in records], schema=dg.TableSchema(columns=columns)
    )
