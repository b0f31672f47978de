"""Base clusters: what holds whatever the clustering method and the description model return."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.base_classes import (
    BaseClusterDescriptionModel,
    BaseClusteringMethod,
    BaseEmbeddingModel,
)
from kura_dagster.pipeline.base_clusters import (
    NAMELESS,
    OUTLIERS_NAME,
    PartitionError,
    generate_base_clusters_from_conversation_summaries,
)
from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager
from kura_dagster.pipeline.clustering import KmeansClusteringModel
from kura_dagster.pipeline.failures import SomeTextsFailed
from kura_dagster.pipeline.types import Cluster, ConversationSummary, FailedItem, cluster_id_of


class LetterEmbedding(BaseEmbeddingModel):
    """Counts letters; remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: list[str]) -> Any:
        self.texts += texts
        return [[text.count(letter) + 0.1 for letter in "abcde"] for text in texts]

    def slug(self) -> str:
        return "letters"


class Refusing(LetterEmbedding):
    """Embeds none of the texts with this word in them."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    async def embed(self, texts: list[str]) -> Any:
        vectors = await super().embed(texts)
        raise SomeTextsFailed(
            [None if self.word in text else vector for text, vector in zip(texts, vectors, strict=True)],
            {position: "refused" for position, text in enumerate(texts) if self.word in text},
            "letters",
        )


class FirstName(BaseClusterDescriptionModel):
    """Names each group by its first summary; remembers what it was given."""

    def __init__(self, names: dict[int, str] | None = None) -> None:
        self.names = names
        self.calls: list[dict[str, Any]] = []

    async def generate_clusters(
        self,
        cluster_id_to_summaries: dict[int, list[ConversationSummary]],
        prompt: str | None = "the model's own",
        max_contrastive_examples: int = 10,
    ) -> list[Cluster]:
        self.calls.append(
            {"groups": cluster_id_to_summaries, "prompt": prompt, "max_contrastive_examples": max_contrastive_examples}
        )
        return [
            Cluster(
                cluster_id=f"own-id-{number}",
                name=group[0].summary if self.names is None else self.names[number],
                description="A group.",
                slug="a_group",
                chat_ids=[summary.chat_id for summary in reversed(group)],
                parent_id="nonsense",
                model="first-name",
            )
            for number, group in cluster_id_to_summaries.items()
        ]


class Fixed(BaseClusteringMethod):
    """Puts conversations into the groups it was made with."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self.numbers = numbers

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        groups: dict[int, list[ConversationSummary]] = {}
        for item in items:
            groups.setdefault(self.numbers[item["item"].chat_id], []).append(item["item"])
        return groups


def summaries_of(n: int, **fields: Any) -> list[ConversationSummary]:
    return [ConversationSummary(chat_id=f"c{i:03d}", summary=f"{'abcde'[i % 5] * 9} {i}", **fields) for i in range(n)]


def generate(summaries: list[ConversationSummary], **models: Any) -> list[Cluster]:
    models = {"embedding_model": LetterEmbedding(), "clustering_model": FirstName()} | models
    return asyncio.run(generate_base_clusters_from_conversation_summaries(summaries, **models))


def test_no_summaries_no_clusters() -> None:
    model = FirstName()
    assert generate([], clustering_model=model) == []
    assert model.calls == []


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_summaries(n: int) -> None:
    (cluster,) = generate(summaries_of(n))
    assert cluster.count == n


def test_clusters_are_rebuilt_from_their_members_and_sorted() -> None:
    numbers = {f"c{i:03d}": i % 5 if i < 10 else 1 for i in range(12)}
    clusters = generate(summaries_of(12), clustering_method=Fixed(numbers))
    assert sorted(chat_id for cluster in clusters for chat_id in cluster.chat_ids) == sorted(numbers)
    for cluster in clusters:
        assert cluster.cluster_id == cluster_id_of(cluster.chat_ids)
        assert cluster.chat_ids == sorted(cluster.chat_ids)
        assert cluster.parent_id is None
        assert cluster.model == "first-name"
    assert [(-cluster.count, cluster.cluster_id) for cluster in clusters] == sorted(
        (-cluster.count, cluster.cluster_id) for cluster in clusters
    )
    assert clusters[0].count == 4


def test_the_centroid_is_the_mean_of_unit_vectors() -> None:
    summaries = [
        ConversationSummary(chat_id="a", summary="s", embedding=np.array([10.0, 0.0])),
        ConversationSummary(chat_id="b", summary="s", embedding=np.array([0.0, 0.5])),
    ]
    (cluster,) = generate(summaries)
    assert cluster.centroid is not None
    assert cluster.centroid.dtype == np.float32
    assert cluster.centroid.tolist() == [0.5, 0.5]


def test_only_what_lacks_an_embedding_is_embedded_and_the_caller_keeps_its_summaries() -> None:
    embedding_model, clustering_model = LetterEmbedding(), FirstName()
    summaries = [*summaries_of(2), ConversationSummary(chat_id="z", summary="zzz", embedding=np.ones(5))]
    before = [summary.model_copy() for summary in summaries]
    generate(summaries, embedding_model=embedding_model, clustering_model=clustering_model)
    assert embedding_model.texts == [summaries[0].summary, summaries[1].summary]
    assert [summary.embedding is None for summary in summaries] == [True, True, False]
    assert [summary.model_dump() for summary in summaries] == [summary.model_dump() for summary in before]
    given = [summary for group in clustering_model.calls[0]["groups"].values() for summary in group]
    assert all(summary.embedding is not None and summary.embedding.shape == (5,) for summary in given)


def test_what_the_embedding_model_refuses_is_set_aside_and_in_no_cluster(tmp_path: Path) -> None:
    summaries, failures = summaries_of(6), list[FailedItem]()
    checkpoints = JSONLCheckpointManager(tmp_path)
    model = Refusing("a")
    clusters = generate(summaries, embedding_model=model, failures=failures, checkpoint_manager=checkpoints)
    assert [item.item_id for item in failures] == ["c000", "c005"]
    assert sorted(chat_id for cluster in clusters for chat_id in cluster.chat_ids) == ["c001", "c002", "c003", "c004"]
    assert checkpoints.list_checkpoints() == []
    with pytest.raises(SomeTextsFailed, match="c000, c005"):
        generate(summaries, embedding_model=model)
    assert generate(summaries, embedding_model=Refusing(""), failures=[]) == []


def test_what_belongs_nowhere_is_one_row_and_no_theme() -> None:
    clustering_model = FirstName()
    numbers = {"c000": 0, "c001": 0, "c002": -1, "c003": -1, "c004": -1}
    clusters = generate(summaries_of(5), clustering_method=Fixed(numbers), clustering_model=clustering_model)
    assert list(clustering_model.calls[0]["groups"]) == [0]
    outliers = [cluster for cluster in clusters if cluster.is_outlier]
    assert [(c.name, c.slug, c.model, c.chat_ids) for c in outliers] == [
        (OUTLIERS_NAME, "unclustered_conversations", "Fixed", ["c002", "c003", "c004"])
    ]
    assert outliers[0].centroid is not None
    assert clusters[0] is outliers[0]


def test_when_nothing_belongs_anywhere_no_model_is_asked() -> None:
    clustering_model = FirstName()
    numbers = dict.fromkeys([f"c{i:03d}" for i in range(4)], -1)
    (cluster,) = generate(summaries_of(4), clustering_method=Fixed(numbers), clustering_model=clustering_model)
    assert cluster.is_outlier
    assert clustering_model.calls == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Reset a password", "Reset a password", "Book"], ["Reset a password", "Reset a password (2)", "Book"]),
        (["Book", "book ", "BOOK"], ["Book", "book (2)", "BOOK (3)"]),
        (["Book", "Book", "Book (2)"], ["Book", "Book (3)", "Book (2)"]),
        (["  two\n lines ", "", "  "], ["two lines", NAMELESS, f"{NAMELESS} (2)"]),
        ([OUTLIERS_NAME, "a", "b"], [f"{OUTLIERS_NAME} (2)", "a", "b"]),
    ],
)
def test_names_are_unique_and_never_empty(names: list[str], expected: list[str]) -> None:
    # Sizes 4, 3 and 2, so that the order of the clusters is that of the names.
    numbers = {f"c{i:03d}": number for i, number in enumerate([0, 0, 0, 0, 1, 1, 1, 2, 2])}
    clusters = generate(
        summaries_of(9), clustering_method=Fixed(numbers), clustering_model=FirstName(dict(enumerate(names)))
    )
    assert [cluster.name for cluster in clusters] == expected


def test_a_model_s_own_prompt_stands_unless_one_is_given() -> None:
    model = FirstName()
    generate(summaries_of(3), clustering_model=model)
    generate(summaries_of(3), clustering_model=model, prompt="mine", max_contrastive_examples=2)
    assert [call["prompt"] for call in model.calls] == ["the model's own", "mine"]
    assert [call["max_contrastive_examples"] for call in model.calls] == [10, 2]


class Tampering(KmeansClusteringModel, FirstName):
    """A clustering method and description model in one, whose result is tampered with."""

    def __init__(self, where: str, tamper: Any) -> None:
        KmeansClusteringModel.__init__(self, clusters_per_group=2)
        FirstName.__init__(self)
        self.where, self.tamper = where, tamper

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        groups = super().cluster(items)
        return self.tamper(groups) if self.where == "method" else groups

    async def generate_clusters(self, *args: Any, **kwargs: Any) -> list[Cluster]:
        clusters = await super().generate_clusters(*args, **kwargs)
        return self.tamper(clusters) if self.where == "model" else clusters


def lose_a_group(groups: dict[int, Any]) -> dict[int, Any]:
    return {number: group for number, group in groups.items() if number != 0}


def double_a_group(groups: dict[int, Any]) -> dict[int, Any]:
    return groups | {99: groups[0]}


def invent(groups: dict[int, Any]) -> dict[int, Any]:
    return groups | {99: [ConversationSummary(chat_id="stranger", summary="s")]}


@pytest.mark.parametrize(
    ("where", "tamper", "fault"),
    [
        ("method", lose_a_group, "clustering method Tampering lost c0"),
        ("method", double_a_group, "doubled c0"),
        ("method", invent, "invented stranger"),
        ("model", lambda clusters: clusters[1:], "description model Tampering lost c0"),
        ("model", lambda clusters: [*clusters, clusters[0]], "doubled c0"),
    ],
)
def test_lost_and_doubled_conversations_are_named(where: str, tamper: Any, fault: str) -> None:
    both = Tampering(where, tamper)
    with pytest.raises(PartitionError, match=fault):
        generate(summaries_of(6), clustering_method=both, clustering_model=both)


def test_empty_groups_and_numpy_numbers_do_no_harm() -> None:
    both = Tampering("method", lambda groups: {np.int64(n): g for n, g in groups.items()} | {np.int64(77): []})
    clusters = generate(summaries_of(6), clustering_method=both, clustering_model=both)
    assert sum(cluster.count for cluster in clusters) == 6
    assert all(type(number) is int for number in both.calls[0]["groups"])


def test_a_conversation_with_two_summaries_is_refused() -> None:
    with pytest.raises(ValueError, match="c001 more than once"):
        generate([*summaries_of(3), *summaries_of(2)[1:]])


@pytest.mark.parametrize(
    ("embedding", "fault"), [([1.0, 2.0], "one embedding model"), ([1.0, 2.0, np.nan, 0.0, 0.0], "not finite")]
)
def test_embeddings_of_the_caller_are_checked(embedding: list[float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        generate([*summaries_of(3), ConversationSummary(chat_id="z", summary="s", embedding=np.array(embedding))])


def test_a_checkpoint_is_used_for_the_same_conversations_only(tmp_path: Path) -> None:
    manager, model = JSONLCheckpointManager(tmp_path), FirstName()
    first = generate(summaries_of(12), clustering_model=model, checkpoint_manager=manager)
    again = generate(summaries_of(12), clustering_model=model, checkpoint_manager=manager)
    assert len(model.calls) == 1
    assert [cluster.model_dump() for cluster in again] == [cluster.model_dump() for cluster in first]
    other = generate(summaries_of(13), clustering_model=model, checkpoint_manager=manager)
    assert len(model.calls) == 2
    assert sum(cluster.count for cluster in other) == 13


def test_an_empty_result_is_a_checkpoint_too(tmp_path: Path) -> None:
    manager = JSONLCheckpointManager(tmp_path)
    assert generate([], checkpoint_manager=manager) == []
    assert manager.load_checkpoint("clusters", Cluster) == []


@settings(max_examples=40)
@given(
    numbers=st.lists(st.integers(-1, 5), max_size=25),
    names=st.lists(st.sampled_from(["", "a", "A", "b", " b  ", "a (2)"]), min_size=6, max_size=6),
    random=st.randoms(use_true_random=False),
)
def test_any_grouping_gives_sound_clusters_in_any_order(numbers: list[int], names: list[str], random: Any) -> None:
    summaries = summaries_of(len(numbers))
    method = Fixed({f"c{i:03d}": number for i, number in enumerate(numbers)})
    model = FirstName(dict(enumerate(names)))
    clusters = generate(summaries, clustering_method=method, clustering_model=model)
    assert sorted(chat_id for c in clusters for chat_id in c.chat_ids) == [s.chat_id for s in summaries]
    assert len(clusters) == len(set(numbers))
    assert len({cluster.name.casefold() for cluster in clusters}) == len(clusters)
    assert all(cluster.name.strip() for cluster in clusters)
    assert [c.chat_ids for c in clusters if c.is_outlier] == (
        [[s.chat_id for s, number in zip(summaries, numbers, strict=True) if number == -1]] if -1 in numbers else []
    )
    random.shuffle(summaries)
    again = generate(summaries, clustering_method=method, clustering_model=model)
    assert [c.model_dump() for c in again] == [c.model_dump() for c in clusters]
