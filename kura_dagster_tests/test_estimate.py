"""The estimate beside what a run then asks: the loopback server's counters are the truth."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.estimate import StageEstimate, estimate
from kura_dagster.pipeline.failures import SetupError
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.providers import open_models
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import Conversation
from kura_dagster.settings import Settings
from kura_dagster_tests import rows

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]
SUBJECTS = "kettles violins bicycles tulips invoices telescopes passports sourdough kayaks beehives".split()
DOINGS = "repairing selling painting storing comparing cleaning insuring photographing".split()
CONVERSATIONS = [
    rows.conversation(number, f"Help me with {DOINGS[number // 10 % 8]} {SUBJECTS[number % 10]}, case {number}")
    for number in range(120)
]
Vectors = Mapping[str, np.ndarray]


@pytest.fixture
def asking(server, tmp_path: Path) -> Settings:
    return Settings.load(
        cache=tmp_path / "cache",
        language_model="openai/gpt-4o-mini",
        embedding_model="openai/text-embedding-3-small",
        clusters_per_group=4,
        max_clusters=5,
        prices={"openai/gpt-4o-mini": {"input": 1, "output": 4}, "openai/text-embedding-3-small": {"input": 1}},
    )


def estimated(settings: Settings, *partitions: list[Conversation], vectors: Vectors | None = None):
    found = asyncio.run(estimate([(each, vectors or {}) for each in partitions], settings))
    return {each.asset: each for each in found}


def run(settings: Settings, conversations: list[Conversation]) -> Vectors:
    """Ask everything that a run asks, and return the vectors."""

    async def stages() -> Vectors:
        async with open_models(settings) as models:
            summaries = await summarise_conversations(conversations, model=models.summary_model)
            texts = await models.embedding_model.embed([summary.embedding_text or "" for summary in summaries])
            vectors = {summary.chat_id: row for summary, row in zip(summaries, texts, strict=True)}
            clusters = await generate_base_clusters_from_conversation_summaries(
                [each.model_copy(update={"embedding": vectors[each.chat_id]}) for each in summaries],
                embedding_model=models.embedding_model,
                clustering_method=models.clustering_method,
                clustering_model=models.cluster_description_model,
            )
            await reduce_clusters_from_base_clusters(clusters, model=models.meta_cluster_model)
            return vectors

    return asyncio.run(stages())


def test_before_the_first_run_it_is_near_the_truth_and_sends_nothing(server, asking):
    found = estimated(asking, CONVERSATIONS)
    assert (server.stats.chat, server.stats.embeddings) == (0, 0)
    run(asking, CONVERSATIONS)
    assert found["summaries"].calls == server.stats.by_schema["GeneratedSummary"] == 120
    chats = [found[asset] for asset in ("summaries", "base_clusters", "meta_clusters")]
    assert server.stats.chat / 1.5 < sum(each.calls for each in chats) < server.stats.chat * 1.5
    tokens = sum(each.input_tokens for each in found.values())
    assert tokens == pytest.approx(server.stats.input_tokens, rel=0.15)
    assert found["summaries"].cost_usd == pytest.approx((found["summaries"].input_tokens + 4 * 150 * 120) / 1e6)


@pytest.mark.parametrize("text", ["Help me with {}, case {}", "請問{}要怎麼修理？這是第{}個案件，謝謝您的幫忙。" * 5])
def test_what_summaries_send_is_what_the_server_counts(server, asking, text):
    conversations = [
        rows.conversation(number, text.replace("{}", SUBJECTS[number % 10]) + str(number)) for number in range(60)
    ]
    found = estimated(asking, conversations)["summaries"]

    async def summarise() -> None:
        async with open_models(asking) as models:
            await summarise_conversations(conversations, model=models.summary_model)

    asyncio.run(summarise())
    assert found.input_tokens == pytest.approx(server.stats.input_tokens, rel=0.15)


def test_after_it_nothing_is_left_to_pay(asking, server):
    run(asking, CONVERSATIONS)
    found = estimated(asking, CONVERSATIONS)
    assert {asset: (each.calls, each.cost_usd) for asset, each in found.items()} == dict.fromkeys(found, (0, 0.0))
    assert found["summaries"].kept == found["embeddings"].kept == 120


def test_with_a_local_embedding_model_the_stored_vectors_tell_the_clusters(asking, server):
    vectors = run(asking, CONVERSATIONS)
    local = asking.model_copy(update={"embedding_model": "minilm"})
    assert estimated(local, CONVERSATIONS, vectors=vectors)["base_clusters"].calls == 0
    assert estimated(local, CONVERSATIONS)["base_clusters"].calls > 0


def test_a_conversation_more_is_one_summary_and_one_vector(asking, server):
    run(asking, CONVERSATIONS[:-1])
    found = estimated(asking, CONVERSATIONS)
    assert (found["summaries"].calls, found["summaries"].kept) == (1, 119)
    assert found["embeddings"].calls == 1


def test_the_same_conversation_is_paid_once(asking, server):
    twice = [rows.conversation(number, "How do I reset my password?") for number in range(9)]
    assert estimated(asking, twice, twice[:3])["summaries"].calls == 1


def test_limits_and_paces_do_not_hold_it_up(asking, server):
    limited = asking.model_copy(update={"max_calls": 3, "max_cost_usd": 0.0, "requests_per_minute": 1})
    assert estimated(limited, CONVERSATIONS)["summaries"].calls == 120


def test_the_price_of_an_unknown_model_is_unknown(asking, server):
    unknown = asking.model_copy(update={"cluster_language_model": "openai/our-own"})
    found = estimated(unknown, CONVERSATIONS[:20])
    assert found["base_clusters"].cost_usd is None
    assert isinstance(found["summaries"].cost_usd, float)


def test_local_models_ask_nothing(asking):
    local = asking.model_copy(update={"language_model": "extractive", "embedding_model": "minilm"})
    assert estimated(local, CONVERSATIONS) == {}


def test_an_empty_day_costs_nothing(asking, server):
    assert estimated(asking, [])["summaries"] == StageEstimate("summaries", "openai/gpt-4o-mini")


def test_it_needs_no_key_and_finds_what_is_kept(server, asking, monkeypatch):
    run(asking, CONVERSATIONS[:40])
    server.reset()
    monkeypatch.delenv("OPENAI_API_KEY")
    found = estimated(asking, CONVERSATIONS)
    assert (found["summaries"].calls, found["summaries"].kept) == (80, 40)
    assert (server.stats.chat, server.stats.embeddings) == (0, 0)
    assert "OPENAI_API_KEY" not in os.environ


def test_a_run_without_a_key_still_says_which(asking, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SetupError, match="OPENAI_API_KEY"):
        run(asking, CONVERSATIONS)


def test_an_unknown_provider_is_still_told(asking):
    with pytest.raises(SetupError, match="Unknown provider 'nowhere'"):
        estimated(asking.model_copy(update={"language_model": "nowhere/model"}), CONVERSATIONS)
