"""A sheet of clusters' names beside their members' true intents, drawn with a seed, for a reader to judge.

    make benchmark-names DATA=labelled.jsonl ARGUMENTS='--split test --count 20 --seed 1' > sheet.md

The file is as for `quality.py`. Clusters are formed as for a day: summaries, embeddings, k-means with ten conversations
to a cluster, names. Of the clusters sorted by size one is drawn from each of `--count` equal parts. The last column is
the reader's: would somebody who sees the name alone act on it?
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.labelled_data import read_labelled
from benchmarks.quality import embed
from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.types import Cluster, ConversationSummary, unit_rows

N_CENTRAL = 3  # requests shown of a cluster


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
    labelled = read_labelled(arguments.data, arguments.split)
    labels = {each.conversation.chat_id: each.label for each in labelled}
    summaries = {summary.chat_id: summary for summary in asyncio.run(embed(labelled))}
    clusters = asyncio.run(generate_base_clusters_from_conversation_summaries(list(summaries.values())))
    print(f"{len(labelled)} conversations, {len(clusters)} clusters, drawn with seed {arguments.seed}\n")
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
