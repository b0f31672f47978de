"""The sample conversations: the same on every run, with the rhythm, languages and pitfalls that they promise."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date

import pytest

from kura_dagster.pipeline.types import Conversation
from kura_dagster.sample.generator import (
    FADING_INTENT,
    RISING_INTENT,
    SampleConflictError,
    generate_conversations,
    write_sample,
)
from kura_dagster.sample.intents import INTENTS
from kura_dagster.sample.people import personal_values
from kura_dagster.sample.rhythm import CLOSED_DAY, OUTAGE_DAY
from kura_dagster.sample.template import Slots, render
from kura_dagster.sample.typing_habits import in_a_hurry, shouting, with_typos


@pytest.fixture(scope="module")
def sample():
    return list(generate_conversations())


def count_by_day(sample, intent=None) -> Counter[str]:
    return Counter(each.truth.date for each in sample if intent in (None, each.truth.intent))


class TestContent:
    def test_there_are_thirty_intents_in_six_domains_with_many_phrasings(self):
        assert len(INTENTS) >= 30
        assert len({intent.domain for intent in INTENTS}) >= 6
        for intent in INTENTS:
            assert len(intent.script.openings) >= 12
            assert len(intent.script.answers) >= 5
            assert sum(len(exchange.user) for exchange in intent.script.exchanges) >= 5

    @pytest.mark.parametrize("intent", INTENTS, ids=lambda intent: intent.name)
    def test_every_text_of_every_script_can_be_written(self, intent):
        for language, script in {"english": intent.script, **intent.translations}.items():
            for seed, facts in enumerate(script.facts):
                state = random.Random(seed)
                slots = Slots(state, personal_values(language, state) | dict(facts), script.slots)
                for text in texts_of(script):
                    assert render(text, slots, state)


def texts_of(part) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, tuple):
        return [text for each in part for text in texts_of(each)]
    names = [name for name in part.__dataclass_fields__ if name not in ("facts", "slots")]
    return [text for name in names for text in texts_of(getattr(part, name))]


class TestTraffic:
    def test_two_weeks_with_a_weekly_rhythm_an_outage_and_a_closed_day(self, sample):
        by_day = count_by_day(sample)
        assert (min(by_day), max(by_day), len(by_day)) == ("2026-11-02", "2026-11-15", 13)
        assert by_day[OUTAGE_DAY.isoformat()] == 3
        assert CLOSED_DAY.isoformat() not in by_day
        usual = {day: count for day, count in by_day.items() if count > 3}
        weekend = [count for day, count in usual.items() if date.fromisoformat(day).weekday() >= 5]
        weekdays = [count for day, count in usual.items() if date.fromisoformat(day).weekday() < 5]
        assert 150 <= min(weekend) <= max(weekend) < min(weekdays) <= max(weekdays) <= 245

    def test_one_theme_appears_on_the_ninth_day_and_grows(self, sample):
        by_day = count_by_day(sample, RISING_INTENT)
        assert min(by_day) == "2026-11-10"
        assert by_day["2026-11-15"] > 2 * by_day["2026-11-10"]

    def test_one_theme_fades(self, sample):
        by_day = count_by_day(sample, FADING_INTENT)
        assert sum(by_day[f"2026-11-0{day}"] for day in (2, 3, 4)) > 20
        assert sum(by_day[f"2026-11-{day}"] for day in (12, 13, 14, 15)) <= 3

    def test_two_other_languages_and_every_intent_occur(self, sample):
        languages = Counter(each.truth.language for each in sample)
        assert set(languages) == {"english", "german", "spanish"}
        assert 0.04 < 1 - languages["english"] / len(sample) < 0.12
        assert {each.truth.intent for each in sample} == {intent.name for intent in INTENTS}

    def test_chats_are_of_every_kind(self, sample):
        features = Counter(feature for each in sample for feature in each.truth.features)
        for feature in ("typos", "frustrated", "assistant_error", "greeting_first", "personal_data"):
            assert features[feature] > 0.05 * len(sample)
        assert {len(each.conversation.messages) for each in sample} >= {2, 4, 6, 8, 10}

    def test_no_two_chats_are_alike(self, sample):
        transcripts = {tuple(message.content for message in each.conversation.messages) for each in sample}
        assert len(transcripts) == len(sample)
        openings = [
            each.conversation.messages[0].content for each in sample if "greeting_first" not in each.truth.features
        ]
        assert len(set(openings)) > 0.95 * len(openings)

    def test_the_truth_names_the_personal_data_that_was_planted(self, sample):
        planted = [each for each in sample if each.truth.personal_data]
        assert 0.1 < len(planted) / len(sample) < 0.25
        for each in planted:
            said = " ".join(message.content for message in each.conversation.messages).casefold()
            assert all(value.casefold() in said for value in each.truth.personal_data)


class TestFiles:
    def test_the_same_bytes_are_written_every_time(self, tmp_path):
        for name in ("first", "second"):
            write_sample(tmp_path / name / "conversations", tmp_path / name / "truth.jsonl")
        written = sorted((tmp_path / "first").rglob("*.jsonl"))
        assert len(written) == 14
        for path in written:
            other = tmp_path / "second" / path.relative_to(tmp_path / "first")
            assert path.read_bytes() == other.read_bytes()

    def test_the_landing_files_hold_conversations_and_not_the_truth(self, tmp_path):
        write_sample(tmp_path / "conversations", tmp_path / "truth.jsonl")
        for path in (tmp_path / "conversations").iterdir():
            for line in path.read_text().splitlines():
                conversation = Conversation.model_validate_json(line)
                assert conversation.created_at.date().isoformat() == path.stem
                assert not {"intent", "domain"} & conversation.metadata.keys()
        truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
        assert {"chat_id", "intent", "domain"} <= truths[0].keys()

    def test_other_conversations_are_not_overwritten(self, tmp_path):
        (tmp_path / "2026-11-03.jsonl").write_text("mine\n")
        with pytest.raises(SampleConflictError, match="KURA_CONVERSATIONS"):
            write_sample(tmp_path, tmp_path.parent / "truth.jsonl")
        assert [path.name for path in tmp_path.iterdir()] == ["2026-11-03.jsonl"]


class TestTyping:
    def test_slips_change_words_and_leave_code_alone(self):
        text = "please explain `total_value` and reach me at someone@example.com because nothing works anymore"
        typed = with_typos(text, random.Random(1), rate=1.0)
        assert typed != text
        assert "`total_value`" in typed
        assert "someone@example.com" in typed

    def test_hurry_and_shouting_leave_code_alone(self):
        assert in_a_hurry("Why does `None` FAIL.") == "why does `None` fail"
        assert shouting("it fails with `None`.") == "IT FAILS WITH `None`!!!"
