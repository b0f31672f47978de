"""How well clusters and hierarchy agree with true labels, beside plain baselines: a table and plots.

    make benchmark-quality DATA=labelled.jsonl            the file's lines: label, and text, dialogue or messages
    make benchmark-quality DATA=labelled.jsonl ARGUMENTS='--split test --parts 3'

Everything is computed on random parts of nine tenths of the file, drawn with the seeds 0, 1 …; the table holds means
over the parts and, for NMI, the spread (standard deviation). Baselines are seeded with the part's number; ours draw
nothing. What is embedded is what the product embeds without a language model. Of HDBSCAN, figures are of what it
clustered, and the share that it left out is beside them.

Clusters are named by a member here, since names change no cluster: the hierarchy is made of centroids.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.cluster_metrics import METRICS, agreement
from benchmarks.labelled_data import Labelled, read_labelled
from kura_dagster.pipeline.base_classes import BaseClusteringMethod
from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.clustering import (
    NOISE,
    AgglomerativeClusteringMethod,
    HDBSCANClusteringMethod,
    KmeansClusteringModel,
)
from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel
from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel
from kura_dagster.pipeline.embedded.ward_hierarchy import WardMetaClusterModel
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.hierarchy import get_leaf_clusters, get_levels
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import Cluster, ConversationSummary, unit_rows
from kura_dagster.pipeline.vectors.ward import group_by_ward
from kura_dagster_tests.own_models import NamedByFirstMember

SHARE_OF_PART = 0.9
PER_CLUSTER = 10  # conversations: the product's own k
UMAP_DIMENSIONS = 5


@dataclass(frozen=True)
class Result:
    """Clusters of some of a part's items: whose they are, how they were made and how they compare with the labels."""

    ours: bool
    method: str
    clusters: int
    unclustered: float
    metrics: dict[str, float]


def main() -> None:
    """Measure every file and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="JSON lines with labels")
    parser.add_argument("--split", help="only lines with this `split`")
    parser.add_argument("--parts", type=int, default=5, help="random parts that are measured (default: 5)")
    parser.add_argument("--output", type=Path, default=Path("data/quality"), help="folder of the plots")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in arguments.data:
        labelled = read_labelled(path, arguments.split)
        print(f"{path.name}: {len(labelled):,} conversations", file=sys.stderr)
        embedded = asyncio.run(embed(labelled))
        results: dict[tuple[bool, str], list[Result]] = {}
        for seed in range(arguments.parts):
            print(f"part {seed + 1} of {arguments.parts} …", file=sys.stderr)
            for result in measured(labelled, embedded, seed):
                results.setdefault((result.ours, result.method), []).append(result)
        print(table(path.stem, labelled, results))
        plot(arguments.output / f"{path.stem}.png", path.stem, results)


async def embed(labelled: Sequence[Labelled]) -> list[ConversationSummary]:
    """Return the product's summaries of the conversations, with their embeddings."""
    summaries = await summarise_conversations([each.conversation for each in labelled], model=ExtractiveSummaryModel())
    embeddings = await embed_summaries(summaries, MiniLMEmbeddingModel())
    return [
        summary.model_copy(update={"embedding": each.embedding})
        for summary, each in zip(summaries, embeddings, strict=True)
    ]


def measured(labelled: Sequence[Labelled], embedded: Sequence[ConversationSummary], seed: int) -> Iterator[Result]:
    """Yield the results of one random part, baselines first."""
    random = np.random.default_rng(seed)
    rows = np.sort(random.choice(len(labelled), round(SHARE_OF_PART * len(labelled)), replace=False))
    labels = [labelled[row].label for row in rows]
    domains = [labelled[row].domain for row in rows]
    summaries = [embedded[row] for row in rows]
    vectors = unit_rows(np.stack([summary.embedding for summary in summaries]))
    k = len(set(labels))

    def result(ours: bool, method: str, found: np.ndarray, truth: Sequence[str | None] = labels) -> Result:
        inside = np.flatnonzero(found != NOISE)
        metrics = agreement([truth[row] for row in inside], found[inside].tolist()) if len(inside) else {}
        return Result(ours, method, len(set(found[inside].tolist())), 1 - len(inside) / len(found), dict(metrics))

    for method, found in baselines(vectors, k, seed):
        yield result(False, method, found)

    def own(method: BaseClusteringMethod) -> np.ndarray:
        groups = method.cluster([{"item": one, "embedding": one.embedding} for one in summaries])
        number = {one.chat_id: group for group, members in groups.items() for one in members}
        return np.array([number[one.chat_id] for one in summaries])

    yield result(True, "kmeans, true k", own(KmeansClusteringModel(max(1, len(rows) // k))))
    yield result(True, "agglomerative", own(AgglomerativeClusteringMethod()))
    yield result(True, "hdbscan", own(HDBSCANClusteringMethod()))
    clusters = asyncio.run(hierarchy(summaries))
    base = get_leaf_clusters(clusters)
    to_true_k = group_by_ward(
        np.stack([cluster.centroid for cluster in base]), k, [cluster.count**0.5 for cluster in base]
    )
    levels = get_levels(clusters)
    parents = {cluster.cluster_id: cluster.parent_id for cluster in clusters}
    place = {one.chat_id: position for position, one in enumerate(summaries)}
    deepest = max(levels.values())
    merged = np.empty(len(rows), dtype=np.int64)
    at_level = np.empty((deepest + 1, len(rows)), dtype=object)
    for cluster, group in zip(base, to_true_k, strict=True):
        own_rows = [place[chat_id] for chat_id in cluster.chat_ids]
        merged[own_rows] = group
        above: str | None = cluster.cluster_id
        at_level[:, own_rows] = above  # of a shallow branch the leaf stands for the levels below it
        while above is not None:
            at_level[levels[above], own_rows] = above
            above = parents[above]
    yield result(True, "kmeans, n/10", at_level[deepest])
    yield result(True, "kmeans, n/10, Ward to true k", merged)
    for level in range(deepest - 1, -1, -1):
        yield result(True, f"hierarchy, level {level}", at_level[level])
    if None not in domains:
        yield result(True, "hierarchy, roots, domains", at_level[0], domains)


async def hierarchy(summaries: list[ConversationSummary]) -> list[Cluster]:
    """Return the product's hierarchy over its base clusters."""
    model = MiniLMEmbeddingModel()
    base = await generate_base_clusters_from_conversation_summaries(
        summaries, model, KmeansClusteringModel(PER_CLUSTER), NamedByFirstMember()
    )
    return await reduce_clusters_from_base_clusters(base, model=WardMetaClusterModel(embedding_model=model))


def baselines(vectors: np.ndarray, k: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what scikit-learn and umap-learn make of the vectors, each with its name."""
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from umap import UMAP

    exact = vectors.astype(np.float64)
    n_base = -(-len(vectors) // PER_CLUSTER)

    def kmeans(points: np.ndarray, n_clusters: int) -> np.ndarray:
        return KMeans(n_clusters, n_init=1, random_state=seed).fit_predict(points)

    yield "KMeans, true k", kmeans(exact, k)
    yield "Ward, true k", AgglomerativeClustering(k, linkage="ward").fit_predict(exact)
    yield "KMeans, n/10", kmeans(exact, n_base)
    reduced = UMAP(n_components=UMAP_DIMENSIONS, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1)
    points = reduced.fit_transform(vectors).astype(np.float64)
    yield "UMAP-5d, KMeans, true k", kmeans(points, k)
    base = kmeans(points, n_base)
    yield "UMAP-5d, KMeans, n/10", base
    centroids = unit_rows(np.stack([vectors[base == number].mean(axis=0) for number in range(n_base)]))
    yield (
        "UMAP-5d, KMeans, n/10, Ward to true k",
        AgglomerativeClustering(k, linkage="ward").fit_predict(centroids.astype(np.float64))[base],
    )


def mean_of(results: Sequence[Result], metric: str) -> float:
    """Return the mean of a metric over the parts, in percent."""
    return 100 * float(np.mean([result.metrics[metric] for result in results]))


def table(name: str, labelled: Sequence[Labelled], results: dict[tuple[bool, str], list[Result]]) -> str:
    """Return the results as a Markdown table."""
    n_labels = len({each.label for each in labelled})
    lines = [
        f"\n### {name}: {len(labelled):,} conversations, {n_labels} labels\n",
        f"| | method | clusters | {' | '.join(METRICS)} | unclustered |",
        f"|---|---|---:|{'---:|' * len(METRICS)}---:|",
    ]
    for (ours, method), parts in results.items():
        spread = 100 * float(np.std([part.metrics["nmi"] for part in parts]))
        figures = [f"{mean_of(parts, metric):.1f}" for metric in METRICS]
        figures[0] += f" ± {spread:.1f}"
        clusters = np.mean([part.clusters for part in parts])
        unclustered = 100 * np.mean([part.unclustered for part in parts])
        who = "ours" if ours else "baseline"
        lines.append(f"| {who} | {method} | {clusters:.0f} | {' | '.join(figures)} | {unclustered:.0f} % |")
    return "\n".join(lines)


def plot(path: Path, name: str, results: dict[tuple[bool, str], list[Result]]) -> None:
    """Draw NMI and ARI of every method with their spread, and purity over the number of clusters."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 0.42 * len(results) + 1.5), layout="constrained")
    bars, curve = figure.subplots(1, 2, width_ratios=[2, 1])
    shown = [(key, parts) for key, parts in results.items() if not key[1].endswith("domains")]
    for offset, metric, colour in ((-0.2, "nmi", "#3b6ea5"), (0.2, "ari", "#e08e2b")):
        bars.barh(
            [position + offset for position in range(len(shown))],
            [mean_of(parts, metric) for _, parts in shown],
            height=0.38,
            xerr=[100 * float(np.std([part.metrics[metric] for part in parts])) for _, parts in shown],
            label=metric.upper(),
            color=colour,
        )
    bars.set_yticks(range(len(shown)), [f"{method}{' (ours)' if ours else ''}" for (ours, method), _ in shown])
    bars.invert_yaxis()
    bars.set_xlim(0, 100)
    bars.set_xlabel("agreement with the labels, %")
    bars.set_title(name)
    bars.legend(loc="lower right")
    for is_ours, colour in ((False, "#888888"), (True, "#2a8f5c")):
        points = [
            (np.mean([part.clusters for part in parts]), mean_of(parts, "purity"))
            for (ours, _), parts in shown
            if ours is is_ours
        ]
        curve.scatter(*zip(*points, strict=True), color=colour, label="ours" if is_ours else "baselines")
    curve.set_xscale("log")
    curve.set_xlabel("clusters")
    curve.set_ylabel("purity, %")
    curve.legend()
    figure.savefig(path, dpi=110)
    print(f"plot: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
