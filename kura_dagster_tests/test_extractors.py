from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kura_dagster.pipeline.failures import BudgetError, LanguageModelError, SomeFailed
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.language_model.summary_model import SummaryModel
from kura_dagster.pipeline.providers import open_models
from kura_dagster.pipeline.types import Conversation, ConversationSummary, ExtractedProperty, GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster_tests import rows
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


class Remembering(dict[str, Any]):
    """A cache for the time of a test."""

    get = dict.get  # type: ignore[assignment]

    def set(self, key: str, value: Any) -> None:
        self[key] = value


class Language(BaseModel):
    language_code: str


async def language(conversation: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
    async with sems["default"]:
        answer = await clients["default"].chat.completions.create(
            messages=[{"role": "user", "content": f"Which language? {conversation.messages[0].content}"}],
            response_model=Language,
        )
    return ExtractedProperty(name="language_code", value=answer.language_code)


async def lengths(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
    characters = [len(message.content) for message in conversation.messages]
    return [
        ExtractedProperty(name="characters", value=characters),
        ExtractedProperty(name="mean_characters", value=sum(characters) / len(characters)),
        ExtractedProperty(name="n_characters", value=sum(characters)),
        ExtractedProperty(name="is_long", value=sum(characters) > 1000),
        ExtractedProperty(name="opening", value=conversation.messages[0].content[:3]),
    ]


async def nothing(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
    return []


def giving(name: str, value: Any = "x") -> Any:
    async def extractor(conversation: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
        return ExtractedProperty(name=name, value=value)

    extractor.__name__ = f"giving_{name}"
    return extractor


def summarise(
    conversations: list[Conversation], extractors: list[Any], response_schema: Any = GeneratedSummary, **options: Any
) -> list[ConversationSummary]:
    model = SummaryModel(extractors=extractors, **options)
    return asyncio.run(model.summarise(conversations, response_schema=response_schema))


def failure(extractor: Any, **options: Any) -> SomeFailed:
    with pytest.raises(SomeFailed) as caught:
        summarise([rows.conversation(1)], [extractor], **options)
    return caught.value


def test_properties_land_in_metadata_with_their_types(server: LoopbackServer) -> None:
    (summary,) = summarise([rows.conversation(1, "How do I reset it?")], [lengths, language, nothing])
    assert summary.metadata == {
        **rows.conversation(1).metadata,
        "conversation_turns": 2,
        "characters": [18, 35],
        "mean_characters": 26.5,
        "n_characters": 53,
        "is_long": False,
        "opening": "How",
        "language_code": "english",
    }
    assert summary.metadata["is_long"] is False
    assert type(summary.metadata["n_characters"]) is int
    assert summary.metadata == ConversationSummary.model_validate_json(summary.model_dump_json()).metadata
    assert summary.embedding_text == f"{summary.summary}\n{summary.request}"


def test_each_conversation_gets_its_own_properties(server: LoopbackServer) -> None:
    server.latency = 0.01
    conversations = [rows.conversation(number, "x" * number) for number in range(1, 30)]
    summaries = summarise(conversations, [lengths])
    assert [summary.metadata["n_characters"] for summary in summaries] == [number + 35 for number in range(1, 30)]


def test_extractors_run_while_the_summary_is_made_and_beside_each_other(server: LoopbackServer) -> None:
    server.latency = 0.2

    async def run() -> list[ConversationSummary]:
        both_here = asyncio.Barrier(2)

        async def meeting(name: str, conversation: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
            await both_here.wait()
            while not server.stats.in_flight:
                await asyncio.sleep(0.001)
            return ExtractedProperty(name=name, value=server.stats.in_flight)

        model = SummaryModel(extractors=[partial(meeting, "first"), partial(meeting, "second")])
        return await asyncio.wait_for(model.summarise([rows.conversation(1)]), timeout=5)

    (summary,) = asyncio.run(run())
    assert (summary.metadata["first"], summary.metadata["second"]) == (1, 1)


def test_default_client_is_the_language_model_with_its_cache_and_its_ledger(server: LoopbackServer) -> None:
    seen: list[Any] = []

    async def looking(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
        seen.append(clients["default"])
        return []

    async def run() -> LanguageModel:
        async with LanguageModel(cache=Remembering(), ledger=Ledger()) as language_model:  # type: ignore[arg-type]
            model = SummaryModel(language_model, extractors=[language, looking])
            first = await model.summarise([rows.conversation(number, f"Kettle {number}") for number in range(4)])
            assert language_model.ledger.spent.calls == server.stats.chat == 8
            again = await model.summarise([rows.conversation(number, f"Kettle {number}") for number in range(4)])
            assert again == first
            return language_model

    language_model = asyncio.run(run())
    assert seen == [language_model] * 8
    assert server.stats.chat == 8
    assert language_model.ledger.spent.cache_hits == 8


def test_provider_string_becomes_a_client_for_the_time_of_the_run(server: LoopbackServer) -> None:
    opened: list[LanguageModel] = []

    async def asking(conversation: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
        opened.append(clients["small"])
        answer = await clients["small"].create(
            messages=[{"role": "user", "content": conversation.messages[0].content}], response_model=Language
        )
        return ExtractedProperty(name="code", value=answer.language_code)

    async def run() -> None:
        async with LanguageModel(cache=Remembering()) as language_model:  # type: ignore[arg-type]
            model = SummaryModel(
                language_model, extractors=[asking], clients={"small": "openai/small"}, concurrent_requests={"small": 3}
            )
            await model.summarise([rows.conversation(1)])
            assert (opened[0].model, opened[0].max_concurrent_requests) == ("openai/small", 3)
            assert opened[0].ledger is language_model.ledger
            assert language_model.ledger.spent.calls == 2
            with pytest.raises(RuntimeError, match="not open"):
                await opened[0].ask("closed?", Language)
            await model.summarise([rows.conversation(1)])
            assert language_model.ledger.spent.calls == 2
        await asyncio.sleep(0.2)
        assert server.open_connections == 0

    asyncio.run(run())
    assert sorted(body["model"] for body in server.stats.bodies) == ["gpt-4o-mini", "small"]


def test_clients_of_a_run_are_opened_once_and_keep_its_limits_a_minute(server: LoopbackServer, tmp_path: Path) -> None:
    found: list[dict[str, Any]] = []

    async def asking(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
        found.append(dict(clients))
        await clients["small"].create(
            messages=[{"role": "user", "content": conversation.messages[0].content}], response_model=Language
        )
        return []

    async def run() -> float:
        settings = Settings.load(
            cache=tmp_path, language_model="openai/large", requests_per_minute=120, max_concurrent_requests=5
        )
        began = time.monotonic()
        async with open_models(
            settings,
            extractors=[asking],
            clients={"small": "openai/small", "same": "openai/large", "other": len},
            concurrent_requests={"small": 30},
        ) as models:
            assert {each.model for each in models.language_models} == {"openai/large", "openai/small"}
            for start in (0, 12):
                texts = [rows.conversation(number, f"question {number}") for number in range(start, start + 12)]
                await models.summary_model.summarise(texts)
        return time.monotonic() - began

    seconds = asyncio.run(run())
    assert len({id(each["small"]) for each in found}) == 1, "the second partition got a client of its own"
    assert found[0]["small"].max_concurrent_requests == 30
    assert found[0]["same"] is found[0]["default"]
    assert found[0]["other"] is len
    assert [body["model"] for body in server.stats.bodies].count("small") == 24
    assert seconds > 1.5  # twenty at once, two a second


def test_in_a_library_clients_keep_the_limits_of_the_summaries(server: LoopbackServer) -> None:
    opened: list[Any] = []

    async def asking(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
        opened.append((clients["small"], clients["default"], clients["same"]))
        return []

    async def run() -> None:
        async with LanguageModel("openai/m", requests_per_minute=50, tokens_per_minute=90_000) as language_model:
            clients = {"small": "openai/small", "same": "openai/m"}
            model = SummaryModel(language_model, extractors=[asking], clients=clients)
            await model.summarise([rows.conversation(1)])

    asyncio.run(run())
    ((small, default, same),) = opened
    assert (small.requests_per_minute, small.tokens_per_minute) == (50, 90_000)
    assert same is default


def test_any_object_is_handed_over_as_it_is(server: LoopbackServer) -> None:
    own, default = object(), object()
    seen: dict[str, Any] = {}

    async def looking(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
        seen.update(clients)
        return []

    (summary,) = summarise([rows.conversation(1)], [looking], clients={"own": own, "default": default})
    assert seen == {"own": own, "default": default}
    assert summary.model == "openai/gpt-4o-mini"


def test_each_client_has_a_semaphore_with_its_limit(server: LoopbackServer) -> None:
    most: dict[str, int] = {"default": 0, "own": 0, "other": 0}

    def measuring(name: str) -> Any:
        inside = 0

        async def extractor(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
            nonlocal inside
            async with sems[name]:
                inside += 1
                most[name] = max(most[name], inside)
                await asyncio.sleep(0.01)
                inside -= 1
            return []

        return extractor

    conversations = [rows.conversation(number) for number in range(12)]
    limits = {"own": 2, "default": 3}
    clients = {"own": object(), "other": object()}
    model = SummaryModel(
        "openai/gpt-4o-mini", 6, extractors=list(map(measuring, most)), clients=clients, concurrent_requests=limits
    )
    asyncio.run(model.summarise(conversations))
    # A second time, in another loop.
    asyncio.run(model.summarise(conversations))
    assert most == {"default": 3, "own": 2, "other": 6}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"openai": 5}, r"concurrent_requests has 'openai', which is no client; allowed are default, own"),
        ({"own": 0}, r"concurrent_requests of 'own' is 0; allowed is 1 or more"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(limits: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SummaryModel(clients={"own": object()}, concurrent_requests=limits)


def test_failing_extractor_fails_its_conversation_and_the_others_go_on(server: LoopbackServer) -> None:
    async def picky(conversation: Conversation, sems: Any, clients: Any) -> list[ExtractedProperty]:
        if "violin" in conversation.messages[0].content:
            raise KeyError(conversation.messages[0].content)
        return []

    conversations = [
        rows.conversation(1, "kettle"),
        rows.conversation(2, "secret violin"),
        rows.conversation(3, "boat"),
    ]
    with pytest.raises(SomeFailed) as caught:
        summarise(conversations, [picky, lengths])
    assert [each and each.chat_id for each in caught.value.results] == ["chat-0001", None, "chat-0003"]
    assert caught.value.failures[1].startswith("the extractor picky failed with KeyError in line ")
    assert caught.value.failures[1].endswith(" of test_extractors.py.")
    assert "violin" not in "".join(traceback.format_exception(caught.value))
    # The summary that was asked for beside it is finished: with a cache, it is kept.
    assert server.stats.chat == 3


async def returning_a_dict(conversation: Conversation, sems: Any, clients: Any) -> Any:
    return {"name": "a", "value": 1}


async def returning_none(conversation: Conversation, sems: Any, clients: Any) -> Any:
    return None


def not_async(conversation: Conversation, sems: Any, clients: Any) -> Any:
    return ExtractedProperty(name="a", value=1)


async def asking_of_nobody(conversation: Conversation, sems: Any, clients: Any) -> Any:
    return clients["nobody"]


async def cancelled(conversation: Conversation, sems: Any, clients: Any) -> Any:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (returning_a_dict, "the extractor returning_a_dict returned dict; allowed is an ExtractedProperty or a list"),
        (returning_none, "the extractor returning_none returned NoneType; allowed is"),
        (not_async, "the extractor not_async can't be awaited; define it with async def"),
        (asking_of_nobody, "the extractor asking_of_nobody failed with KeyError in line"),
        (partial(asking_of_nobody), "the extractor asking_of_nobody failed with KeyError in line"),
        (cancelled, "the extractor cancelled was cancelled from within"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_misuse_is_told_with_the_extractors_name(
    server: LoopbackServer, extractor: Callable[..., Any], message: str
) -> None:
    assert message in failure(extractor).failures[0]


class Moody(GeneratedSummary):
    mood: str


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["channel"], "the extractor giving_channel gives 'channel', which the conversation's metadata has too"),
        (["mood"], "the extractor giving_mood gives 'mood', which Moody has too"),
        (["topic"], "the extractor giving_topic gives 'topic', which Moody has too"),
        (["conversation_turns"], "gives 'conversation_turns', which every summary has too"),
        (["a", "b", "a"], "the extractor giving_a gives 'a', which the extractor giving_a gives too"),
    ],
)
def test_names_that_are_taken_are_refused(server: LoopbackServer, names: list[str], told: str) -> None:
    with pytest.raises(LanguageModelError) as caught:
        summarise([rows.conversation(1)], [giving(name) for name in names], Moody)
    assert told in str(caught.value)


def test_a_language_models_failure_is_told_through_the_extractor(server: LoopbackServer) -> None:
    server.faults = Faults(fail_on="Which language?", status=422)
    assert "the extractor language failed: openai/gpt-4o-mini at http" in failure(language).failures[0]


async def stopping(conversation: Conversation, sems: Any, clients: Any) -> Any:
    raise BudgetError("enough")


async def stopping_as_a_cause(conversation: Conversation, sems: Any, clients: Any) -> Any:
    try:
        await stopping(conversation, sems, clients)
    except BudgetError as error:
        raise RuntimeError("wrapped") from error


async def stopping_in_a_group(conversation: Conversation, sems: Any, clients: Any) -> Any:
    async def failing() -> None:
        raise KeyError("something else")

    async with asyncio.TaskGroup() as group:
        group.create_task(failing())
        group.create_task(stopping(conversation, sems, clients))


@pytest.mark.parametrize("extractor", [stopping, stopping_as_a_cause, stopping_in_a_group])
def test_a_reason_to_stop_comes_before_any_other_failure(server: LoopbackServer, extractor: Any) -> None:
    server.faults = Faults(fail_on="reset my password", status=422)
    with pytest.raises(BudgetError, match=r"^enough$"):
        summarise([rows.conversation(1)], [asking_of_nobody, extractor])


def test_the_runs_limit_of_calls_holds_for_extractors_too(server: LoopbackServer) -> None:
    async def run() -> None:
        async with LanguageModel(ledger=Ledger(max_calls=4)) as language_model:
            model = SummaryModel(language_model, extractors=[language])
            await model.summarise([rows.conversation(number, f"Kettle {number}") for number in range(60)])

    with pytest.raises(BudgetError, match="KURA_MAX_CALLS"):
        asyncio.run(run())
    assert server.stats.chat == 4


async def endless(conversation: Conversation, sems: Any, clients: Any) -> Any:
    await asyncio.Event().wait()


async def timed_out(conversation: Conversation, sems: Any, clients: Any) -> Any:
    raise TimeoutError("secret")


def summarise_in(seconds: float, extractors: list[Any], n_conversations: int = 1) -> list[ConversationSummary]:
    async def run() -> list[ConversationSummary]:
        async with LanguageModel(timeout=seconds) as language_model:
            model = SummaryModel(language_model, extractors=extractors, concurrent_requests={"default": 1})
            return await model.summarise([rows.conversation(number) for number in range(n_conversations)])

    return asyncio.run(asyncio.wait_for(run(), 10))


def test_an_extractor_that_never_ends_is_given_up(server: LoopbackServer) -> None:
    with pytest.raises(SomeFailed) as caught:
        summarise_in(0.1, [endless])
    assert caught.value.failures[0] == "the extractor endless was given up after 0.8 s."


def test_a_timeout_of_the_extractors_own_is_its_error(server: LoopbackServer) -> None:
    assert "the extractor timed_out failed with TimeoutError in line" in failure(timed_out).failures[0]


def test_waiting_for_a_place_and_for_a_language_model_is_not_held_against_an_extractor(server: LoopbackServer) -> None:
    server.latency = 0.1

    async def patient(conversation: Conversation, sems: Any, clients: Any) -> ExtractedProperty:
        async with sems["default"]:
            for number in range(3):
                await clients["default"].ask(f"{number} {conversation.chat_id}", Language)
        return ExtractedProperty(name="n_asked", value=3)

    # One after the other: the last waits for longer than the 2.4 s that an extractor may take.
    summaries = summarise_in(0.3, [patient], n_conversations=10)
    assert [summary.metadata["n_asked"] for summary in summaries] == [3] * 10
