"""The local summaries: the user's request, without personal data, and nothing that would need judgement."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.extractive_summary import ExtractiveSummaryModel, users_words
from kura_dagster.pipeline.embedded.languages import find_languages
from kura_dagster.pipeline.privacy.personal_data import find_personal_data
from kura_dagster.pipeline.types import Conversation, ConversationSummary, GeneratedSummary, Message
from kura_dagster.sample.generator import generate_conversations

WHEN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def conversation(*turns: str, metadata=None) -> Conversation:
    roles = ("user", "assistant")
    messages = [Message(role=roles[n % 2], content=turn, created_at=WHEN) for n, turn in enumerate(turns)]
    return Conversation(chat_id="c-1", created_at=WHEN, messages=messages, metadata=metadata or {})


def summarised(*turns: str, metadata=None):
    (summary,) = asyncio.run(ExtractiveSummaryModel().summarise([conversation(*turns, metadata=metadata)]))
    return summary


@pytest.fixture(scope="module")
def sample_summaries():
    sample = list(generate_conversations())
    summaries = asyncio.run(ExtractiveSummaryModel().summarise([each.conversation for each in sample]))
    return list(zip(sample, summaries, strict=True))


class TestRequest:
    @pytest.mark.parametrize(
        ("turns", "request_"),
        [
            (("hi", "Hello! How can I help?", "How do I reset my password?"), "How do I reset my password?"),
            (("Hello there. I was charged twice for my order.", "Sorry."), "I was charged twice for my order"),
            (("Good morning", "Hi!", "ok", "Yes?", "can you cancel my subscription"), "cancel my subscription"),
            (("Hallo", "Hallo!", "Wie kündige ich mein Abo?"), "Wie kündige ich mein Abo?"),
        ],
    )
    def test_the_request_is_found_behind_greetings(self, turns, request_):
        assert request_ in summarised(*turns).request

    def test_what_needs_judgement_stays_empty(self):
        summary = summarised("This is the third time I ask and it is still broken!!", "Sorry.")
        assert (summary.topic, summary.task, summary.concerning_score) == (None, None, None)
        assert (summary.user_frustration, summary.assistant_errors, summary.model) == (None, None, "extractive")

    def test_instructions_and_tools_are_no_part_of_it(self):
        said = {
            "system": "You are the help desk. How do I sing? Call Ada Lovelace.",
            "developer": "Never mention prices.",
            "user": "How do I export?",
            "tool": "How do I fly? {}",
            "assistant": "Like this.",
        }
        messages = [Message(role=role, content=content, created_at=WHEN) for role, content in said.items()]
        plain = conversation("How do I export?", "Like this.")
        (summary,) = asyncio.run(ExtractiveSummaryModel().summarise([plain.model_copy(update={"messages": messages})]))
        (expected,) = asyncio.run(ExtractiveSummaryModel().summarise([plain]))
        assert summary == expected
        assert summary.metadata["conversation_turns"] == 2
        assert summary.embedding_text == expected.embedding_text == "user: How do I export?\nassistant: Like this."

    def test_turns_are_counted_and_the_owners_metadata_is_kept(self):
        summary = summarised("How do I export?", "Like this.", "Thanks", metadata={"plan": "pro"})
        assert summary.metadata == {"plan": "pro", "conversation_turns": 3, "user_words": "How do I export?"}

    def test_without_a_user_the_assistant_is_shown_and_nothing_is_claimed_as_a_request(self):
        message = Message(role="assistant", content="Your export is ready.", created_at=WHEN)
        silent = Conversation(chat_id="c", created_at=WHEN, messages=[message])
        (summary,) = asyncio.run(ExtractiveSummaryModel().summarise([silent]))
        assert (summary.summary, summary.request) == ("Your export is ready.", None)

    def test_what_it_cannot_do_is_refused(self):
        class Detailed(GeneratedSummary):
            sentiment: str

        with pytest.raises(ValueError, match="choose a language model"):
            asyncio.run(ExtractiveSummaryModel().summarise([conversation("hi")], response_schema=Detailed))
        with pytest.raises(ValueError, match="follows no prompt"):
            asyncio.run(ExtractiveSummaryModel().summarise([conversation("hi")], prompt="Summarise {conversation}"))

    @settings(max_examples=60)
    @given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
    def test_any_text_gives_one_readable_line(self, turns):
        summary = summarised(*turns)
        assert summary.summary.strip()
        assert len(summary.summary) <= 450
        assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in summary.summary)


class TestUserWords:
    def test_they_are_what_the_user_wrote_masked_by_what_any_turn_reveals(self):
        summary = summarised(
            "The Kowalczyk folder does not open",
            "Which one?",
            "It is jo.doe@example.com's folder",
            "Sure.",
            "Thanks a lot, Kowalczyk. It opens.",
        )
        assert users_words(summary) == (
            "The [name] folder does not open\nIt is [email]'s folder\nThanks a lot, [name]. It opens."
        )

    def test_salutations_and_sign_offs_are_no_part_of_them(self):
        summary = summarised(
            "Hallo zusammen,\ndie Rechnung fehlt.\n\nViele Grüße\nJörg", "Welche?", "Thanks a lot, Jörg."
        )
        assert users_words(summary) == "die Rechnung fehlt."

    def test_they_are_short_and_a_long_turn_hides_no_other(self):
        words = users_words(summarised("a long story " * 500, "Yes?", "and what I came for", "Yes?", "bye " * 99))
        assert len(words) <= 600
        assert "…\nand what I came for\nbye" in words

    def test_they_come_from_what_is_stored_and_from_nothing_else(self):
        summary = summarised("Hi. How do I export?", "Open the menu.", "It has no such entry")
        stored = ConversationSummary.model_validate_json(summary.model_dump_json())
        assert stored.embedding_text is None
        assert users_words(stored) == users_words(summary) == "Hi. How do I export?\nIt has no such entry"

    def test_other_models_summaries_are_their_own_words(self):
        metadata = {"user_words": "the owner's own"}
        assert users_words(ConversationSummary(chat_id="c", summary="An export", metadata=metadata)) == "An export"
        assert users_words(ConversationSummary(chat_id="c", summary="An export", model="extractive")) == "An export"

    @given(st.lists(st.text(max_size=900), max_size=4))
    def test_any_text_gives_turns_of_one_line(self, turns):
        summary = summarised("hello", *turns)
        assert len(users_words(summary)) <= 600
        assert len(users_words(summary).split("\n")) <= 3


class TestEmbeddingText:
    def test_it_is_the_transcript_with_roles_and_holds_no_ids_or_metadata(self):
        text = summarised("How do I export?", "Open the menu.", metadata={"plan": "secret-plan"}).embedding_text
        assert text == "user: How do I export?\nassistant: Open the menu."

    def test_it_is_never_serialised(self):
        assert "embedding" not in summarised("How do I export?").model_dump_json()


class TestPersonalData:
    def test_nothing_that_was_planted_in_the_sample_surfaces(self, sample_summaries):
        planted = 0
        for each, summary in sample_summaries:
            shown = f"{summary.summary} {summary.request} {users_words(summary)}".casefold()
            for value in each.truth.personal_data:
                planted += 1
                assert value.casefold() not in shown
        assert planted > 400

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("Write to jo.doe@example.com today", "Write to [email] today"),
            ("My card is 4111 1111 1111 1111.", "My card is [card]."),
            ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [iban] please"),
            ("Connect to 192.168.10.44 now", "Connect to [ip] now"),
            ("Call +1 555 0134 2299", "Call [phone]"),
            ("My name is Priya Okonkwo and I can't log in", "My name is [name] and I can't log in"),
            ("ask oscar pembroke about it", "ask [name] about it"),
            ("Me llamo Marisol Quintanilla", "Me llamo [name]"),
        ],
    )
    def test_what_identifies_is_masked(self, text, masked):
        assert find_personal_data([text]).mask(text) == masked

    @pytest.mark.parametrize(
        "text",
        [
            "I'm Frustrated with Visual Studio",
            "This is Urgent, the flight is on 14 May 2026",
            "Python 3.11 gives 1234 rows in Excel",
            "The recipe needs 4111 grams",
            "Monday and Tuesday work for me",
        ],
    )
    def test_ordinary_words_and_numbers_stay(self, text):
        assert find_personal_data([text]).mask(text) == text

    def test_a_name_once_introduced_is_masked_in_every_turn(self):
        found = find_personal_data(["Hi, my name is Ingrid Lohmeyer", "Hello Ingrid!"])
        assert found.mask("Dear Ingrid, your ticket, Lohmeyer") == "Dear [name], your ticket, [name]"


class TestLanguages:
    def test_the_sample_is_told_apart(self, sample_summaries):
        right = sum((summary.languages or [""])[0] == each.truth.language for each, summary in sample_summaries)
        assert right / len(sample_summaries) > 0.99

    def test_programming_languages_come_from_code_fences(self):
        found = find_languages(["Why does this fail?\n```python\nprint(1)\n```"], [])
        assert set(found) >= {"english"}
        assert "python" in find_languages(["Why does this code fail today?"], ["```python\nprint(1)\n```"])
