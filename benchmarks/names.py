"""A sheet of clusters' names beside their members' true intents, drawn with a seed, for a reader to judge.

    python benchmarks/names.py requests.jsonl [--split test] [--count 20] [--seed 1] > sheet.md

Each line of the file is an object with a `label` and either `text`, one request, or `dialogue`, a list of
`{"role": …, "content": …}`; `split` is optional. Clusters are formed as for a day: summaries, embeddings, k-means with
ten conversations to a cluster, names. Of the clusters sorted by size one is drawn from each of `--count` equal parts.
The last column is the reader's: would somebody who sees the name alone act on it?
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from kura_dagster.pipeline import (
    Conversation,
    ExtractiveSummaryModel,
    Message,
    generate_base_clusters_from_conversation_summaries,
    summarise_conversations,
)
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.types import Cluster, ConversationSummary, unit_rows

N_CENTRAL = 3  # requests shown of a cluster
NOW = datetime(2026, 11, 2, tzinfo=UTC)


def read(path: Path, split: str | None) -> tuple[list[Conversation], dict[str, str]]:
    """Return the file's conversations and the label of each."""
    conversations, labels = [], {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        if split is not None and row.get("split") != split:
            continue
        turns = row["dialogue"] if "dialogue" in row else [{"role": "user", "content": row["text"]}]
        chat_id = f"{number:06d}"
        messages = [Message(role=turn["role"], content=turn["content"], created_at=NOW) for turn in turns]
        conversations.append(Conversation(chat_id=chat_id, created_at=NOW, messages=messages))
        labels[chat_id] = row["label"]
    return conversations, labels


async def named(conversations: list[Conversation]) -> tuple[list[Cluster], dict[str, ConversationSummary]]:
    """Return the clusters of the conversations and the summaries, with their embeddings, by chat_id."""
    model = MiniLMEmbeddingModel()
    summaries = await summarise_conversations(conversations, model=ExtractiveSummaryModel())
    vectors = {one.chat_id: one.embedding for one in await embed_summaries(summaries, model)}
    summaries = [one.model_copy(update={"embedding": vectors[one.chat_id]}) for one in summaries]
    clusters = await generate_base_clusters_from_conversation_summaries(summaries, embedding_model=model)
    return clusters, {one.chat_id: one for one in summaries}


def drawn(clusters: Sequence[Cluster], count: int, seed: int) -> list[Cluster]:
    """Return one cluster of each of `count` equal parts of all, sorted by size."""
    ordered = sorted(clusters, key=lambda one: (-one.count, one.cluster_id))
    edges = [round(part * len(ordered) / count) for part in range(count + 1)]
    random_state = random.Random(seed)
    return [random_state.choice(ordered[start:end]) for start, end in pairwise(edges)]


def central(cluster: Cluster, summaries: dict[str, ConversationSummary]) -> list[str]:
    """Return the requests of the members nearest to a cluster's middle."""
    members = [summaries[chat_id] for chat_id in sorted(cluster.chat_ids)]
    vectors = unit_rows(np.stack([member.embedding for member in members]))
    order = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:N_CENTRAL]
    return [members[position].request or members[position].summary for position in order]


def main() -> None:
    """Print the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", help="only lines with this split")
    parser.add_argument("--count", type=int, default=20, help="clusters in the sheet (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the drawing (default: 1)")
    arguments = parser.parse_args()
    conversations, labels = read(arguments.data, arguments.split)
    clusters, summaries = asyncio.run(named(conversations))
    print(f"{len(conversations)} conversations, {len(clusters)} clusters, drawn with seed {arguments.seed}\n")
    print("| size | intent of most | share | name | central requests | acts on it? |")
    print("|---|---|---|---|---|---|")
    for cluster in drawn(clusters, min(arguments.count, len(clusters)), arguments.seed):
        counts = Counter(sorted(labels[chat_id] for chat_id in cluster.chat_ids))
        intent, n_members = counts.most_common(1)[0]
        shown = "<br>".join(text.replace("|", "\\|") for text in central(cluster, summaries))
        name = cluster.name.replace("|", "\\|")
        print(f"| {cluster.count} | {intent} | {n_members / cluster.count:.0%} | {name} | {shown} | |")


if __name__ == "__main__":
    main()
