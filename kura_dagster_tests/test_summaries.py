from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kura_dagster.pipeline.base_classes import BaseSummaryModel
from kura_dagster.pipeline.checkpoints import JSONLCheckpointManager
from kura_dagster.pipeline.summaries import SummaryError, summarise_conversations
from kura_dagster.pipeline.types import Conversation, ConversationSummary, GeneratedSummary
from kura_dagster_tests import rows


class Returning(BaseSummaryModel):
    """Returns whatever `change` makes of the right summaries, and counts its calls."""

    def __init__(self, change: Callable[[list[ConversationSummary]], list[ConversationSummary]] = list) -> None:
        self.change = change
        self.calls: list[dict[str, Any]] = []

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = "its own prompt",
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float = 0.2,
    ) -> list[ConversationSummary]:
        self.calls.append({"prompt": prompt, "response_schema": response_schema, "temperature": temperature})
        return self.change(
            [
                ConversationSummary(chat_id=each.chat_id, summary=f"About {each.chat_id[-1]}", request="Help")
                for each in conversations
            ]
        )


CONVERSATIONS = [rows.conversation(number) for number in (3, 1, 2)]


def summarise(model: BaseSummaryModel, **options: Any) -> list[ConversationSummary]:
    return asyncio.run(summarise_conversations(CONVERSATIONS, model=model, **options))


def test_summaries_come_in_the_order_of_the_conversations() -> None:
    summaries = summarise(Returning(lambda right: right[::-1]))
    assert [summary.chat_id for summary in summaries] == ["chat-0003", "chat-0001", "chat-0002"]
    assert [summary.summary for summary in summaries] == ["About 3", "About 1", "About 2"]


def test_every_summary_leaves_with_the_text_to_embed() -> None:
    assert summarise(Returning())[0].embedding_text == "About 3\nHelp"

    def with_own_text(right: list[ConversationSummary]) -> list[ConversationSummary]:
        return [summary.model_copy(update={"embedding_text": "transcript"}) for summary in right]

    assert summarise(Returning(with_own_text))[0].embedding_text == "transcript"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda right: right[1:], "Returning lost chat-0003"),
        (lambda right: [*right, right[0]], "doubled chat-0003"),
        (lambda right: [*right, right[0].model_copy(update={"chat_id": "ghost"})], "invented ghost"),
        (lambda right: [right[0], right[0], right[1]], "lost chat-0002; doubled chat-0003"),
        (lambda right: [], "lost chat-0001, chat-0002, chat-0003"),
    ],
)
def test_model_that_returns_others_is_named(change: Any, message: str) -> None:
    with pytest.raises(SummaryError, match=message):
        summarise(Returning(change))


def test_repeated_conversation_is_refused_before_anything_is_asked() -> None:
    model = Returning()
    with pytest.raises(ValueError, match="chat-0001 more than once"):
        asyncio.run(summarise_conversations([rows.conversation(1), rows.conversation(1)], model=model))
    assert model.calls == []


def test_no_conversations_make_no_summaries() -> None:
    assert asyncio.run(summarise_conversations([], model=Returning())) == []


def test_options_reach_the_model_and_its_own_prompt_stays_where_none_is_given() -> None:
    class Richer(GeneratedSummary):
        mood: str = "calm"

    model = Returning()
    summarise(model)
    summarise(model, prompt="Mine: {conversation}", response_schema=Richer, temperature=0.7)
    assert model.calls == [
        {"prompt": "its own prompt", "response_schema": GeneratedSummary, "temperature": 0.2},
        {"prompt": "Mine: {conversation}", "response_schema": Richer, "temperature": 0.7},
    ]


def test_checkpoint_saves_the_work(tmp_path: Path) -> None:
    checkpoints = JSONLCheckpointManager(tmp_path)
    first, second = Returning(), Returning()
    before = summarise(first, checkpoint_manager=checkpoints)
    after = summarise(second, checkpoint_manager=checkpoints)
    assert second.calls == []
    assert after == before
    assert after[0].embedding_text == "About 3\nHelp"


def test_checkpoint_of_other_conversations_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints = JSONLCheckpointManager(tmp_path)
    asyncio.run(summarise_conversations([rows.conversation(9)], model=Returning(), checkpoint_manager=checkpoints))
    model = Returning()
    with caplog.at_level(logging.WARNING):
        summaries = summarise(model, checkpoint_manager=checkpoints)
    assert [summary.chat_id for summary in summaries] == ["chat-0003", "chat-0001", "chat-0002"]
    assert len(model.calls) == 1
    assert "holds other conversations" in caplog.text
    assert summarise(Returning(), checkpoint_manager=checkpoints) == summaries
