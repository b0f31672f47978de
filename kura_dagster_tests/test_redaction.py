"""Redaction: nothing personal reaches a model, what is stored stays, and what was replaced is counted."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.checks.personal_data import PERSONAL_DATA_CHECKS
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.pipeline.base_classes import BaseEmbeddingModel, BaseSummaryModel
from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel
from kura_dagster.pipeline.estimate import estimate
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.privacy.personal_data import KINDS, MASK
from kura_dagster.pipeline.privacy.redaction import Redaction
from kura_dagster.pipeline.providers import open_models, redaction_from
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import (
    Conversation,
    ConversationSummary,
    ExtractedProperty,
    GeneratedSummary,
    Message,
)
from kura_dagster.sample.generator import generate_conversations
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import BASE_CLUSTERS, SUMMARIES
from kura_dagster_tests import rows
from kura_dagster_tests.own_models import own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

WHEN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def conversation(*turns: str, metadata: dict[str, Any] | None = None) -> Conversation:
    messages = [
        Message(role="assistant" if number % 2 else "user", content=turn, created_at=WHEN)
        for number, turn in enumerate(turns)
    ]
    return Conversation(chat_id="c-1", created_at=WHEN, messages=messages, metadata=metadata or {})


def redacted(*turns: str) -> list[str]:
    return [message.content for message in Redaction().redact(conversation(*turns)).messages]


# Texts that are dense in what patterns look for, so that pieces touch and overlap.
FRAGMENTS = st.sampled_from(
    [
        *(
            "a@b.test",
            "+49 170 1234567",
            "4111 1111 1111 1111",
            "DE89 3704 0044 0532 0130 00",
            "192.168.1.17",
            "[email]",
        ),
        *(
            "sk-proj-abcDEF1234567890",
            "my name is ",
            "Anna Schmidt",
            "Order #",
            "1234567",
            "password: ",
            "Hunter2!",
            "[name]",
        ),
        *(
            "https://",
            "x:y1@",
            "token=",
            "-",
            " ",
            ",",
            ".",
            "\n",
            "0",
            "7",
            "Will",
            "Mark ",
            "the ",
            "Hi ",
            "tel ",
            "[",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(FRAGMENTS, max_size=12).map("".join))


class TestConversations:
    def test_all_roles_are_redacted_by_what_any_of_them_reveals(self) -> None:
        said = {
            "system": "You help Priya Raman.",
            "user": "It is priya@mail.test, call +49 170 1234567",
            "tool": '{"owner": "Raman", "ip": "203.0.113.9"}',
            "assistant": "Thanks, Priya.",
        }
        messages = [Message(role=role, content=content, created_at=WHEN) for role, content in said.items()]
        given_one = conversation("x").model_copy(update={"messages": messages})
        redaction = Redaction()
        result = redaction.redact(given_one)
        assert [message.content for message in result.messages] == [
            "You help [name].",
            "It is [email], call [phone]",
            '{"owner": "[name]", "ip": "[ip]"}',
            "Thanks, [name].",
        ]
        assert [message.content for message in given_one.messages] == list(said.values())
        assert redaction.counts == {**dict.fromkeys(KINDS, 0), "name": 3, "email": 1, "phone": 1, "ip": 1}

    def test_a_name_in_the_middle_of_a_long_text_goes_too(self) -> None:
        assert redacted("a " * 9_000 + "my name is Anna Schmidt " + "b " * 9_000)[0].count("[name]") == 1

    def test_texts_of_metadata_are_redacted_and_the_rest_of_it_stays(self) -> None:
        metadata = {"mail": "a@b.test", "score": 0.5, "tags": ["beta", "c@d.test"], "ids": [1, 2], "nothing": None}
        redaction = Redaction()
        assert redaction.redact(conversation("hello", metadata=metadata)).metadata == {
            **metadata,
            "mail": "[email]",
            "tags": ["beta", "[email]"],
        }
        assert sum(redaction.counts.values()) == 0  # it is counted what messages lost

    def test_nothing_that_was_planted_in_the_sample_is_left(self) -> None:
        sample = list(generate_conversations())
        redaction = Redaction()
        left = [
            value
            for each, after in zip(sample, redaction.redact_all(each.conversation for each in sample), strict=True)
            for value in each.truth.personal_data
            if value.casefold() in "\n".join(message.content for message in after.messages).casefold()
        ]
        assert left == []
        assert redaction.counts["email"] > 100
        untouched = [each.conversation for each in sample if not each.truth.personal_data]
        assert sum(Redaction().redact(each) != each for each in untouched) < 0.01 * len(untouched)

    @settings(max_examples=300)
    @given(st.lists(TEXTS, min_size=1, max_size=3))
    def test_redacting_twice_changes_nothing_more(self, turns: list[str]) -> None:
        once = redacted(*turns)
        redaction = Redaction()
        again = redaction.redact(conversation(*once))
        assert [message.content for message in again.messages] == once
        assert sum(redaction.counts.values()) == 0

    @settings(max_examples=300)
    @given(TEXTS)
    def test_nothing_is_lost_but_what_is_replaced(self, text: str) -> None:
        place = 0
        for part in MASK.split(redacted(text)[0]):
            place = text.find(part, place)
            assert place >= 0
            place += len(part)

    @given(st.lists(st.sampled_from("how do i sort a list of words in two lines ? ! . , \n".split(" ")), max_size=40))
    def test_a_text_without_personal_data_is_the_very_same(self, words: list[str]) -> None:
        plain = conversation(" ".join(words))
        assert Redaction().redact(plain) is plain


class Seeing(BaseSummaryModel):
    """Keeps what it sees of conversations."""

    def __init__(self) -> None:
        self.seen: list[Conversation] = []

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float = 0.2,
    ) -> list[ConversationSummary]:
        self.seen += conversations
        return [
            ConversationSummary(chat_id=each.chat_id, summary="About", metadata={**each.metadata, "turns": 2})
            for each in conversations
        ]

    def embedding_text(self, conversation: Conversation, summary: ConversationSummary) -> str:
        return conversation.messages[0].content


class SeeingVectors(BaseEmbeddingModel):
    """Keeps what it sees of texts."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self.seen += texts
        return [[float(len(text)), 1.0, float(number)] for number, text in enumerate(texts)]

    def slug(self) -> str:
        return "seeing"


class TestAsALibrary:
    def summarise(self, model: BaseSummaryModel, given_one: Conversation, **options: Any) -> ConversationSummary:
        (summary,) = asyncio.run(summarise_conversations([given_one], model=model, **options))
        return summary

    def test_the_model_and_the_text_to_embed_hold_none_and_the_metadata_is_as_it_was(self) -> None:
        metadata = {"contact": "a@b.test", "tags": ["c@d.test"], "plan": "pro"}
        model, redaction = Seeing(), Redaction()
        summary = self.summarise(model, conversation("mail me: a@b.test", metadata=metadata), redaction=redaction)
        assert model.seen[0].messages[0].content == summary.embedding_text == "mail me: [email]"
        assert "[email]" in prompts.summary_prompt(model.seen[0], "{metadata}{conversation}")
        assert "a@b.test" not in prompts.summary_prompt(model.seen[0], "{metadata}{conversation}")
        assert summary.metadata == {**metadata, "turns": 2}
        assert redaction.counts["email"] == 1

    def test_without_redaction_the_model_sees_what_was_said(self) -> None:
        model = Seeing()
        self.summarise(model, conversation("mail me: a@b.test"))
        assert model.seen[0].messages[0].content == "mail me: a@b.test"

    def test_the_extractive_embedding_text_is_redacted(self) -> None:
        given_one = conversation("My name is Anna Schmidt, reset a@b.test", "Sure, Anna.")
        plain = self.summarise(ExtractiveSummaryModel(), given_one)
        safe = self.summarise(ExtractiveSummaryModel(), given_one, redaction=Redaction())
        assert "a@b.test" in (plain.embedding_text or "")
        assert safe.embedding_text == "user: My name is [name], reset [email]\nassistant: Sure, [name]."
        assert safe.summary == plain.summary


class TestLanguageModels:
    def test_prompts_and_extractors_get_none_and_an_estimate_asks_the_same(self, server, tmp_path) -> None:
        settings = Settings.load(
            cache=tmp_path / "cache",
            summary_language_model="openai/gpt-4o-mini",
            redaction="on",
            embedding_model="minilm",
        )
        extracted = []

        async def contact(each: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
            extracted.append(each)
            return ExtractedProperty(name="contact_known", value=bool(each.metadata["contact"]))

        given_one = conversation("mail me: a@b.test", metadata={"contact": "c@d.test"})

        async def summarised() -> list[ConversationSummary]:
            async with open_models(settings, extractors=[contact]) as models:
                return await summarise_conversations(
                    [given_one],
                    model=models.summary_model,
                    prompt="{metadata} {conversation}",
                    redaction=redaction_from(settings),
                )

        (summary,) = asyncio.run(summarised())
        assert server.stats.chat == len(extracted) == 1
        (asked,) = server.stats.prompts
        assert "[email]" in asked
        assert not any("@" in text for text in (asked, extracted[0].model_dump_json()))
        assert summary.metadata["contact"] == "c@d.test"

        # The kept answer of a run is found by an estimate, which redacts as well.
        async def run_without_extractor() -> None:
            async with open_models(settings) as models:
                await summarise_conversations(
                    [given_one], model=models.summary_model, redaction=redaction_from(settings)
                )

        asyncio.run(run_without_extractor())
        (stage,) = asyncio.run(estimate([([given_one], {})], settings))
        assert (stage.asset, stage.calls, stage.kept) == ("summaries", 0, 1)
        off = settings.model_copy(update={"redaction": "off"})
        (stage,) = asyncio.run(estimate([([given_one], {})], off))
        assert (stage.calls, stage.kept) == (1, 0)


class TestInDagster:
    TEXT = "My name is Anna Schmidt, mail anna@mail.test or call +49 170 1234567"

    def run(self, settings: Any, instance: dg.DagsterInstance, redaction: str) -> tuple[Any, Seeing, SeeingVectors]:
        settings = settings.model_copy(update={"redaction": redaction})
        settings.conversations.mkdir(parents=True, exist_ok=True)
        with (settings.conversations / "2026-11-02.jsonl").open("w") as file:
            for number in range(6):
                row = rows.conversation(number, f"{self.TEXT} {'abcdef'[number]}").model_dump(mode="json")
                file.write(json.dumps(row) + "\n")
        summary_model, embedding_model = Seeing(), SeeingVectors()
        models = {**own_models(), "summary_model": summary_model, "embedding_model": embedding_model}
        defs = build_defs(settings, **models)  # type: ignore[arg-type]
        assert materialise(defs, ["2026-11-02"], instance).success
        event = instance.get_latest_materialization_event(dg.AssetKey("summaries"))
        assert event is not None
        assert event.asset_materialization is not None
        return event.asset_materialization.metadata, summary_model, embedding_model

    def test_on_it_neither_model_sees_any_and_the_counts_are_told(self, settings, instance) -> None:
        metadata, summary_model, embedding_model = self.run(settings, instance, "on")
        figures = {
            name.removeprefix("redacted_"): entry.value for name, entry in metadata.items() if "redacted" in name
        }
        assert figures == {**dict.fromkeys(KINDS, 0), "name": 6, "email": 6, "phone": 6}
        seen = [each.messages[0].content for each in summary_model.seen] + embedding_model.seen
        assert len(seen) >= 12
        assert not any("anna" in text.lower() or "1234567" in text for text in seen)

    def test_what_is_stored_of_conversations_is_the_original(self, settings, instance) -> None:
        import duckdb

        self.run(settings, instance, "on")
        with duckdb.connect(str(settings.database), read_only=True) as kura:
            ((messages,),) = kura.sql("SELECT string_agg(messages::VARCHAR, '') FROM conversations").fetchall()
        assert messages.count("anna@mail.test") == 6

    def test_off_nothing_is_redacted_or_told(self, settings, instance) -> None:
        metadata, summary_model, embedding_model = self.run(settings, instance, "off")
        assert not any(name.startswith("redacted") for name in metadata)
        assert summary_model.seen[0].messages[0].content.startswith(self.TEXT)
        assert any(text.startswith(self.TEXT) for text in embedding_model.seen)


NO_PERSONAL_DATA = {check.table.name: check for check in PERSONAL_DATA_CHECKS}


class TestCheck:
    def test_it_warns_of_summaries_and_of_both_kinds_of_clusters(self) -> None:
        assert set(NO_PERSONAL_DATA) == {"summaries", "base_clusters", "meta_clusters"}
        assert not any(check.blocking for check in NO_PERSONAL_DATA.values())

    def test_it_tells_row_column_and_kind_but_not_the_value(self) -> None:
        summary = rows.summary(1, "Reset a password").model_copy(
            update={"request": "Write to a@b.test", "assistant_errors": ["fine", "gave +49 170 1234567 away"]}
        )
        faults = NO_PERSONAL_DATA["summaries"].find({SUMMARIES.name: [summary, rows.summary(2)]}).faults
        assert faults == [
            "summaries chat-0001 has what looks like an e-mail address in request",
            "summaries chat-0001 has what looks like a phone number in assistant_errors",
        ]
        cluster = rows.cluster(1, 2, name="Ask a@b.test for a refund")
        (fault,) = NO_PERSONAL_DATA["base_clusters"].find({BASE_CLUSTERS.name: [cluster]}).faults
        assert fault == f"base_clusters {cluster.cluster_id} has what looks like an e-mail address in name"

    @pytest.mark.parametrize(
        "name",
        [
            "Compare iPhone 15 Pro Max and Galaxy S24 Ultra",
            "Fix HTTP 404 and 503 errors on version 3.11.2",
            "Convert 1,000,000 JPY to 6,120.50 EUR",
            "Plan a trip from 2026-11-20 to 2026-12-03",
            "Explain ISO 27001:2022 and PCI DSS 4.0",
            "Update Windows 10.0.19045.3693 and Chrome 120.0.6099.109",
            "Reset the password and the PIN after 3 attempts",
            "Solve 3x + 12 = 1024 and sum 100 250 400",
            "Configure nginx to listen on 127.0.0.1:8080",
            "Ask about orders over 1500 euros, invoice 3 of 12",
            "Prepare for the 1990-2025 pension gap",
            "Write a biography of Friedrich Schiller, 1759-1805",
            "Compare a 30-60-90 day plan with 12-24-36 months",
            "Ask in German about different things",
        ],
    )
    def test_ordinary_names_raise_no_alarm(self, name: str) -> None:
        cluster = rows.cluster(1, name=name)
        assert NO_PERSONAL_DATA["base_clusters"].find({BASE_CLUSTERS.name: [cluster]}).faults == []

    def test_the_samples_own_summaries_raise_none_and_ten_thousand_take_seconds(self) -> None:
        sample = [each.conversation for each in generate_conversations()]
        summaries = asyncio.run(ExtractiveSummaryModel().summarise(sample))
        many = (summaries * 5)[:10_000]
        begin = time.process_time()
        faults = NO_PERSONAL_DATA["summaries"].find({SUMMARIES.name: many}).faults
        assert time.process_time() - begin < 5
        assert faults == []

    def test_it_runs_with_redaction_off_and_fails_without_blocking(self, settings, instance) -> None:
        class Repeating(Seeing):
            async def summarise(self, conversations, prompt=None, **options):
                return [
                    ConversationSummary(chat_id=each.chat_id, summary=each.messages[0].content)
                    for each in conversations
                ]

        settings.conversations.mkdir(parents=True)
        with (settings.conversations / "2026-11-02.jsonl").open("w") as file:
            for number in range(4):
                row = rows.conversation(number, f"mail a@b.test {number}").model_dump(mode="json")
                file.write(json.dumps(row) + "\n")
        models = {**own_models(), "summary_model": Repeating()}
        result = materialise(build_defs(settings, **models), ["2026-11-02"], instance)  # type: ignore[arg-type]
        assert result.success
        records = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("summaries"), "no_personal_data"), limit=1
        )
        evaluation = records[0].event.dagster_event.event_specific_data
        assert not evaluation.passed
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert "a@b.test" not in str(evaluation.metadata)
        assert "partition 2026-11-02: summaries chat-0000" in str(evaluation.metadata)
