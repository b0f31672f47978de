"""What a model said becomes the same answer again, whatever the schema makes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, computed_field, field_validator

from kura_dagster.pipeline.failures import LanguageModelError
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster_tests.loopback_server import LoopbackServer
from kura_dagster_tests.memory_cache import Memory
from kura_dagster_tests.scripted_server import completion, scripted

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


class Plain(BaseModel):
    mood: str


class Aliased(BaseModel):
    mood: str = Field(alias="userMood")


class Excluded(BaseModel):
    mood: str
    reasoning: str = Field(exclude=True)


class Computed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mood: str

    @computed_field
    @property
    def loud(self) -> bool:
        return self.mood.isupper()


class StrictDay(BaseModel):
    model_config = ConfigDict(strict=True)

    day: date


class Mood(Enum):
    HAPPY = "happy"
    SAD = "sad"


class StrictMood(BaseModel):
    model_config = ConfigDict(strict=True)

    mood: Mood


class Rewritten(BaseModel):
    mood: str

    @field_validator("mood")
    @classmethod
    def feels(cls, value: str) -> str:
        return f"feels {value}"


SAID = {"mood": "happy", "userMood": "fine", "reasoning": "because", "day": "2026-11-02"}


def asked_twice(
    monkeypatch: pytest.MonkeyPatch, schema: Any, arguments: Any, model: str = "openai/gpt-4o-mini"
) -> tuple[Any, Any, int]:
    """Return the answer, the kept answer and how many requests both took."""

    async def ask(cache: Memory) -> Any:
        async with LanguageModel(model, cache=cache) as language_model:
            return await language_model.create([{"role": "user", "content": "violet kettle"}], schema)

    cache = Memory()
    with scripted(monkeypatch, lambda body: completion(body, arguments)) as bodies:
        return asyncio.run(ask(cache)), asyncio.run(ask(cache)), len(bodies)


@pytest.mark.parametrize("schema", [Plain, Aliased, Excluded, Computed, StrictDay, StrictMood, Rewritten])
def test_a_kept_answer_is_found_and_is_what_it_was(monkeypatch: pytest.MonkeyPatch, schema: type[BaseModel]) -> None:
    names = [field.alias or name for name, field in schema.model_fields.items()]
    first, second, n_requests = asked_twice(monkeypatch, schema, {name: SAID[name] for name in names})
    assert n_requests == 1
    assert isinstance(second, schema)
    assert {name: getattr(first, name) for name in schema.model_fields} == {
        name: getattr(second, name) for name in schema.model_fields
    }


@pytest.mark.parametrize(
    ("schema", "arguments", "answer"),
    [
        (list[Plain], {"tasks": [{"mood": "happy"}, {"mood": "sad"}]}, ["happy", "sad"]),
        (Iterable[Rewritten], {"tasks": [{"mood": "happy"}]}, ["feels happy"]),
        (list[str], {"content": ["happy", "sad"]}, ["happy", "sad"]),
        (Literal["happy", "sad"], {"content": "sad"}, "sad"),
        (Mood, {"content": "sad"}, Mood.SAD),
        (int, {"content": 3}, 3),
    ],
)
def test_what_is_no_model_is_kept_too(
    monkeypatch: pytest.MonkeyPatch, schema: Any, arguments: dict[str, Any], answer: Any
) -> None:
    def shown(found: Any) -> Any:
        return [getattr(each, "mood", each) for each in found] if isinstance(found, list) else found

    first, second, n_requests = asked_twice(monkeypatch, schema, arguments)
    assert n_requests == 1
    assert shown(first) == shown(second) == answer


def test_what_a_validator_knows_of_the_conversation_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Signed(BaseModel):
        mood: str

        @field_validator("mood")
        @classmethod
        def sign(cls, value: str, info: ValidationInfo) -> str:
            return f"{value}, says {info.context['who']}"  # type: ignore[index]

    async def ask(who: str) -> str:
        async with LanguageModel(cache=cache) as language_model:
            return (await language_model.ask("violet kettle", Signed, context={"who": who})).mood

    cache = Memory()
    with scripted(monkeypatch, lambda body: completion(body, {"mood": "happy"})) as bodies:
        assert asyncio.run(ask("Ada")) == "happy, says Ada"
        assert asyncio.run(ask("Bob")) == "happy, says Bob"
    assert len(bodies) == 1
    assert "Ada" not in json.dumps(cache.kept)


class Described(BaseModel):
    """How the user feels."""

    mood: str = Field(description="In one word.")


@pytest.mark.parametrize("schema", [Plain, Described, Aliased])
def test_the_schema_that_is_sent_is_the_one_that_instructor_makes(
    monkeypatch: pytest.MonkeyPatch, schema: type[BaseModel]
) -> None:
    import instructor

    async def ask() -> None:
        async with LanguageModel() as language_model:
            await language_model.ask("violet kettle", schema)

    with scripted(monkeypatch, lambda body: completion(body, SAID)) as bodies:
        asyncio.run(ask())
    assert bodies[0]["tools"][0]["function"] == instructor.response_schema(schema).openai_schema  # type: ignore[attr-defined]


def test_an_answer_in_the_text_is_kept_as_well(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}")

    async def ask() -> Rewritten:
        # A model that instructor takes for one without tools, so schema and answer travel in the text.
        async with LanguageModel("ollama/phi", cache=cache) as language_model:
            return await language_model.ask("<conversation>violet kettle</conversation>", Rewritten)

    cache = Memory()
    first, second = asyncio.run(ask()), asyncio.run(ask())
    assert first.mood == second.mood
    assert server.stats.chat == 1
    assert [list(kept) for kept in cache.kept.values()] == [["said"]]


@pytest.mark.parametrize("spoilt", [{}, {"said": "{no json"}, {"said": 3}, {"answer": None}, [], "text"])
def test_what_cannot_be_read_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, spoilt: Any) -> None:
    async def ask() -> Plain:
        async with LanguageModel(cache=cache) as language_model:
            return await language_model.ask("violet kettle", Plain)

    cache = Memory()
    with scripted(monkeypatch, lambda body: completion(body, SAID)) as bodies:
        asyncio.run(ask())
        cache.kept = dict.fromkeys(cache.kept, spoilt)
        assert asyncio.run(ask()).mood == "happy"
        assert asyncio.run(ask()).mood == "happy"
    assert len(bodies) == 2


def test_an_answer_that_an_earlier_version_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> Plain:
        async with LanguageModel(cache=cache) as language_model:
            return await language_model.ask("violet kettle", Plain)

    cache = Memory()
    with scripted(monkeypatch, lambda body: completion(body, SAID)) as bodies:
        asyncio.run(ask())
        cache.kept = {key: {"answer": {"mood": "calm"}} for key in cache.kept}
        assert asyncio.run(ask()).mood == "calm"
    assert len(bodies) == 1


class Failing(BaseModel):
    mood: str

    @field_validator("mood")
    @classmethod
    def look_up(cls, value: str, info: ValidationInfo) -> str:
        known: dict[str, str] = {"Ada": value}
        return known[info.context["who"]]  # type: ignore[index]


def test_a_validator_that_fails_on_a_kept_answer_makes_it_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(who: str) -> Failing:
        async with LanguageModel(cache=cache) as language_model:
            return await language_model.ask("violet kettle", Failing, context={"who": who})

    cache = Memory()
    with scripted(monkeypatch, lambda body: completion(body, SAID)) as bodies:
        assert asyncio.run(ask("Ada")).mood == "happy"
        with pytest.raises(
            LanguageModelError, match=r"failed with KeyError in line \d+ of test_answer_schema.py"
        ) as told:
            asyncio.run(ask("Bob"))
    assert len(bodies) == 2
    assert "Bob" not in str(told.value)
    assert "happy" not in str(told.value)
