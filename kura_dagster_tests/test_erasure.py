"""What is kept beside an answer about whose it is, and that it is gone with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kura_dagster.pipeline.asked_about import asked_about, embedded_about, hash_of
from kura_dagster.pipeline.embedded.extractive_naming import ExtractiveClusterDescriptionModel
from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel
from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.ward_hierarchy import WardMetaClusterModel
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import Conversation, Message
from kura_dagster_tests.loopback_server import LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


class Answer(BaseModel):
    summary: str


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DiskCacheStrategy]:
    strategy = DiskCacheStrategy(tmp_path / "answers")
    yield strategy
    strategy.close()


def ask(cache: DiskCacheStrategy, prompt: str, *chat_ids: str) -> Any:
    async def run() -> Any:
        async with LanguageModel(cache=cache) as language_model:
            with asked_about(chat_ids):
                return await language_model.ask(prompt, Answer)

    return asyncio.run(run())


def embed(cache: DiskCacheStrategy, texts: list[str], about: list[list[str]]) -> Any:
    with embedded_about(texts, about):
        return asyncio.run(OpenAIEmbeddingModel(cache=cache).embed(texts))


def test_an_answer_goes_with_any_conversation_it_was_made_of(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    ask(cache, "violet kettle", "a", "b")
    ask(cache, "green door", "b")
    ask(cache, "blue window")
    assert cache.forget("c") == 0
    assert cache.forget("a") == 1
    ask(cache, "violet kettle", "b")
    ask(cache, "green door", "b")
    assert server.stats.chat == 4, "the first was asked again, the second was kept"
    assert cache.forget("b") == 2
    assert cache.statistics().n_answers == 1


def test_an_answer_that_serves_a_second_conversation_goes_with_that_too(
    server: LoopbackServer, cache: DiskCacheStrategy
) -> None:
    ask(cache, "violet kettle", "a")
    ask(cache, "violet kettle", "b")
    assert server.stats.chat == 1
    assert cache.forget("b") == 1


def test_vectors_go_with_the_conversations_of_their_text(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    embed(cache, ["violet kettle", "green door", "violet kettle"], [["a"], ["b"], ["c"]])
    assert cache.forget("c") == 1
    assert cache.forget("a") == 0
    embed(cache, ["green door"], [["d"]])
    assert server.stats.embedded_texts == 2
    assert cache.forget("d") == 1


def test_neither_the_id_nor_what_was_erased_can_be_read_in_the_files(
    server: LoopbackServer, cache: DiskCacheStrategy, tmp_path: Path
) -> None:
    ask(cache, "violet kettle", "chat-4711")
    for number in range(20):
        ask(cache, f"question {number}", f"other-{number}")
    cache.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"chat-4711" in path.read_bytes() for path in files)
    assert any(hash_of("chat-4711").encode() in path.read_bytes() for path in files)
    assert cache.forget("chat-4711") == 1
    cache.close()
    assert not any(hash_of("chat-4711").encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert cache.statistics().n_answers == 20


def test_what_local_models_had_embedded_by_an_api_goes_too(server: LoopbackServer, cache: DiskCacheStrategy) -> None:
    """The names they choose between are made of what users wrote."""
    wanted = ["Cancel my violet kettle order", "Cancel the kettle order", "Reset my password", "Reset a password"]
    now = datetime(2026, 11, 20, tzinfo=UTC)
    conversations = [
        Conversation(
            chat_id=f"c{number}", created_at=now, messages=[Message(role="user", content=text, created_at=now)]
        )
        for number, text in enumerate(wanted)
    ]

    async def analyse() -> None:
        embedding_model = OpenAIEmbeddingModel(cache=cache)
        summaries = await summarise_conversations(conversations, model=ExtractiveSummaryModel())
        clusters = await ExtractiveClusterDescriptionModel(embedding_model).generate_clusters(
            {0: summaries[:2], 1: summaries[2:]}
        )
        await WardMetaClusterModel(embedding_model=embedding_model, max_clusters=1).reduce_clusters(clusters)

    asyncio.run(analyse())
    before = cache.statistics().n_answers
    assert cache.forget("c0") > 1, "its own vector, and those of its group's names"
    for chat_id in ("c1", "c2", "c3"):
        assert cache.forget(chat_id) > 0
    assert cache.statistics().n_answers <= len(TOPICS) < before, "what is left is about nobody"
