"""Summaries written by a language model, one question a conversation, and the user's extractors beside it.

The words of the question are in `prompts`, the client in `client`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kura_dagster.pipeline.asked_about import asked_about
from kura_dagster.pipeline.base_classes import BaseSummaryModel
from kura_dagster.pipeline.failures import LanguageModelError, StopAsking, faults_of, stopping
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all, opened
from kura_dagster.pipeline.language_model.conversation_budget import check_max_conversation_tokens
from kura_dagster.pipeline.language_model.gateway import MAX_ATTEMPTS
from kura_dagster.pipeline.language_model.patience import Patience, PatientSemaphore
from kura_dagster.pipeline.language_model.summary_schema import (
    RESERVED_METADATA,
    added_fields,
    check_response_schema,
)
from kura_dagster.pipeline.types import (
    Conversation,
    ConversationSummary,
    ExtractedProperty,
    GeneratedSummary,
    Metadata,
    MetadataValue,
)

Extractor = Callable[
    [Conversation, dict[str, asyncio.Semaphore], dict[str, Any]],
    Awaitable[ExtractedProperty | list[ExtractedProperty]],
]
"""An async function from a conversation, the semaphores and the clients by name to what it found."""

DEFAULT_CLIENT = "default"
"""The name under which extractors find the language model that writes the summaries."""

_METADATA_VALUE: TypeAdapter[MetadataValue] = TypeAdapter(MetadataValue)


class ExtractorError(LanguageModelError):
    """An extractor failed on a conversation, or its properties can't be used. The message names the extractor.

    Of errors that are not a language model's it says only kind and place, because their texts may quote the
    conversation.
    """


class SummaryModel(BaseSummaryModel):
    """Asks a language model for each summary, and runs the extractors on each conversation meanwhile.

    Args:
        model: a provider string, for which a client is opened for the time of each `summarise`, or an open
            `LanguageModel`.
        max_concurrent_requests: questions in flight at once; of an open `LanguageModel`, its own number holds.
        extractors: each is called once a conversation; what it returns lands in the summary's metadata.
        clients: what extractors find by name, beside `default`, the language model of the summaries: any object. A
            provider string becomes an open `LanguageModel` for the time of `summarise`, which shares cache, ledger and
            limits a minute with that of the summaries, and is that one where it names the same model. One of your own
            called `default` takes the place of ours there.
        concurrent_requests: by client, how many extractors its semaphore lets in at once; `max_concurrent_requests`
            where it does not say.
        max_conversation_tokens: longer conversations are shortened to about that, and their summaries have
            `conversation_shortened` in their metadata.

    Raises:
        ValueError: a number is too small, or `concurrent_requests` names a client that isn't there.
    """

    def __init__(
        self,
        model: str | LanguageModel = "openai/gpt-4o-mini",
        max_concurrent_requests: int = 50,
        *,
        extractors: Sequence[Extractor] = (),
        clients: Mapping[str, Any] | None = None,
        concurrent_requests: Mapping[str, int] | None = None,
        max_conversation_tokens: int = prompts.MAX_CONVERSATION_TOKENS,
    ) -> None:
        check_max_conversation_tokens(max_conversation_tokens)
        self.model = model
        self.max_concurrent_requests = max_concurrent_requests
        self.extractors = list(extractors)
        self.clients = dict(clients or {})
        self.concurrent_requests = dict(concurrent_requests or {})
        self.max_conversation_tokens = max_conversation_tokens
        known = {DEFAULT_CLIENT, *self.clients}
        for name, limit in self.concurrent_requests.items():
            if name not in known:
                raise ValueError(
                    f"concurrent_requests has {name!r}, which is no client; allowed are {', '.join(sorted(known))}"
                )
            if limit < 1:
                raise ValueError(f"concurrent_requests of {name!r} is {limit}; allowed is 1 or more")

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float | None = 0.2,
    ) -> list[ConversationSummary]:
        """Return one summary for each conversation, in order.

        The summary's metadata holds the conversation's own, `conversation_turns`, the fields that `response_schema`
        adds to `GeneratedSummary`, and the extractors' properties. Validators of the schema find the conversation in
        `info.context["conversation"]`. `prompt` replaces our own text and holds `{conversation}` where the transcript
        goes and, only if that is wanted, `{metadata}` where the conversation's metadata does.

        Raises:
            TypeError: `response_schema` is no subclass of `GeneratedSummary`.
            ValueError: `prompt` has no `{conversation}`, or a field of `response_schema` can't be part of a summary.
            StopAsking: the provider can't be asked, or not any more.
            SomeFailed: some conversations failed; the others were finished first, and it holds their summaries.
        """
        check_response_schema(response_schema)
        if prompt is not None:
            prompts.check_placeholder(prompt, "conversation")
        if not conversations:
            return []
        async with (
            opened(self.model, self.max_concurrent_requests) as language_model,
            self._opened_clients(language_model) as clients,
        ):
            # Made for each call: a semaphore belongs to the loop that first waits on it.
            sems: dict[str, asyncio.Semaphore] = {
                name: PatientSemaphore(self.concurrent_requests.get(name, language_model.max_concurrent_requests))
                for name in clients
            }

            seconds = language_model.timeout * MAX_ATTEMPTS  # what a question may take, without its waiting

            async def asked(conversation: Conversation) -> tuple[GeneratedSummary, bool]:
                question, shortened = prompts.summary_question(
                    conversation, prompt, max_conversation_tokens=self.max_conversation_tokens
                )
                answer = await language_model.ask(
                    question,
                    response_schema,
                    temperature=temperature,
                    # GeneratedSummary has no validators that could ask for it, and a context costs a rendering.
                    context=None if response_schema is GeneratedSummary else {"conversation": conversation},
                )
                return answer, shortened

            async def summary_of(conversation: Conversation) -> ConversationSummary:
                with asked_about([conversation.chat_id]):
                    return await summary_and_properties_of(conversation)

            async def summary_and_properties_of(conversation: Conversation) -> ConversationSummary:
                _refuse_clashes(conversation, response_schema)
                if not self.extractors:
                    return self._joined(conversation, *await asked(conversation), language_model.model, {})
                # All are finished before one's failure is told: what is in flight is paid.
                told, *found = await asyncio.gather(
                    asked(conversation),
                    *(_extracted(extractor, conversation, sems, clients, seconds) for extractor in self.extractors),
                    return_exceptions=True,
                )
                _raise_first([told, *found])
                assert isinstance(told, tuple)
                answer, shortened = told
                properties = self._properties(conversation, response_schema, found)
                return self._joined(conversation, answer, shortened, language_model.model, properties)

            return await answer_all(
                conversations,
                summary_of,
                at_once=language_model.max_concurrent_requests,
                what="summaries",
                names=[conversation.chat_id for conversation in conversations],
                progress=language_model.on_progress,
                show=lambda summary: summary.summary,
                model=language_model.model,
            )

    @asynccontextmanager
    async def _opened_clients(self, language_model: LanguageModel) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            clients: dict[str, Any] = {DEFAULT_CLIENT: language_model}
            for name, client in self.clients.items():
                if isinstance(client, str) and client == language_model.model:
                    client = language_model  # one pace for a model, whoever asks it
                elif isinstance(client, str):
                    client = await stack.enter_async_context(
                        LanguageModel(
                            client,
                            max_concurrent_requests=self.concurrent_requests.get(name, self.max_concurrent_requests),
                            timeout=language_model.timeout,
                            requests_per_minute=language_model.requests_per_minute,
                            tokens_per_minute=language_model.tokens_per_minute,
                            cache=language_model.cache,
                            ledger=language_model.ledger,
                        )
                    )
                clients[name] = client
            yield clients

    def _properties(
        self, conversation: Conversation, response_schema: type[GeneratedSummary], found: Iterable[Any]
    ) -> Metadata:
        """Return what the extractors found, by name."""
        owners = {
            **dict.fromkeys(conversation.metadata, "the conversation's metadata has"),
            **dict.fromkeys(RESERVED_METADATA, "every summary has"),
            **dict.fromkeys(response_schema.model_fields, f"{response_schema.__name__} has"),
        }
        properties: Metadata = {}
        for extractor, extracted in zip(self.extractors, found, strict=True):
            for each in extracted:
                if each.name in owners:
                    raise ExtractorError(
                        f"the extractor {_name_of(extractor)} gives {each.name!r}, which {owners[each.name]} too; "
                        "rename one of them."
                    )
                owners[each.name] = f"the extractor {_name_of(extractor)} gives"
                properties[each.name] = each.value
        return properties

    def _joined(
        self, conversation: Conversation, answer: GeneratedSummary, shortened: bool, model: str, properties: Metadata
    ) -> ConversationSummary:
        """Return the answer joined to its conversation: the answer itself knows nothing of whose it is."""
        fields = answer.model_dump(mode="json", by_alias=False)
        own = {name: fields.pop(name) for name in GeneratedSummary.model_fields}
        metadata = {
            **conversation.metadata,
            "conversation_turns": len(conversation.turns),
            **({"conversation_shortened": True} if shortened else {}),
            **{name: _metadata_value(value) for name, value in fields.items()},
            **properties,
        }
        try:
            summary = ConversationSummary(**own, chat_id=conversation.chat_id, metadata=metadata, model=model)
        except ValidationError as error:
            faults = faults_of(error)
        else:
            faults = ""
        if faults:  # outside of the handler: pydantic's own text quotes the answer
            raise LanguageModelError(f"A validator of the schema made of the answer what no summary holds: {faults}.")
        summary.embedding_text = self.embedding_text(conversation, summary)
        return summary


def _refuse_clashes(conversation: Conversation, response_schema: type[GeneratedSummary]) -> None:
    """Refuse a conversation whose metadata has names that its summary's metadata needs for something else.

    Raises:
        LanguageModelError: there is one.
    """
    taken = {
        **dict.fromkeys(RESERVED_METADATA, "what every summary has"),
        **dict.fromkeys(added_fields(response_schema), f"a field of {response_schema.__name__}"),
    }
    for name in sorted(taken.keys() & conversation.metadata.keys()):
        raise LanguageModelError(
            f"{name!r} is {taken[name]} and a name in the conversation's metadata, so one would be lost; rename one of "
            "them."
        )


async def _extracted(
    extractor: Extractor,
    conversation: Conversation,
    sems: dict[str, asyncio.Semaphore],
    clients: dict[str, Any],
    seconds: float,
) -> list[ExtractedProperty]:
    """Return what one extractor found in a conversation; it is given up after so many seconds of its own.

    Raises:
        StopAsking: a language model that the extractor asked said so.
        ExtractorError: anything else went wrong.
    """
    failure: LanguageModelError
    patience = Patience(seconds)
    try:
        outcome = extractor(conversation, sems, clients)
        if not inspect.isawaitable(outcome):
            raise ExtractorError(f"the extractor {_name_of(extractor)} can't be awaited; define it with async def.")
        async with patience:
            found = await outcome
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Something the extractor waited for was cancelled. Let through, it would end the worker without a word.
        failure = ExtractorError(f"the extractor {_name_of(extractor)} was cancelled from within.")
    except TimeoutError as error:
        failure = _failure_of(extractor, error)
        if patience.is_spent:
            failure = ExtractorError(f"the extractor {_name_of(extractor)} was given up after {seconds:g} s.")
    except Exception as error:
        failure = _failure_of(extractor, error)
    else:
        properties = found if isinstance(found, list) else [found]
        strangers = [type(each).__name__ for each in properties if not isinstance(each, ExtractedProperty)]
        if not strangers:
            return properties
        failure = ExtractorError(
            f"the extractor {_name_of(extractor)} returned {strangers[0]}; allowed is an ExtractedProperty or a list "
            "of them."
        )
    raise failure  # outside of the handler: an attached cause may quote the conversation


def _failure_of(extractor: Extractor, error: Exception) -> LanguageModelError:
    """Return what is told of an extractor's error."""
    while isinstance(error, ExceptionGroup):  # of a TaskGroup in the extractor
        stops = error.subgroup(StopAsking)
        error = (stops or error).exceptions[0]
    if stop := stopping(error):
        return stop
    if isinstance(error, ExtractorError):
        return error
    if isinstance(error, LanguageModelError):
        return ExtractorError(f"the extractor {_name_of(extractor)} failed: {error}")
    places = [
        f" in line {line} of {Path(frame.f_code.co_filename).name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename != __file__
    ]
    return ExtractorError(
        f"the extractor {_name_of(extractor)} failed with {type(error).__name__}{places[0] if places else ''}."
    )


def _raise_first(outcomes: Iterable[Any]) -> None:
    """Raise the error that counts most among what `gather` returned, if there is one."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    # What ends the run before what ends this conversation.
    for kind in (StopAsking, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error


def _name_of(extractor: Any) -> str:
    extractor = getattr(extractor, "func", extractor)  # of a functools.partial
    return getattr(extractor, "__name__", type(extractor).__name__)


def _metadata_value(value: Any) -> MetadataValue:
    """Return the value as it is where metadata can hold it, otherwise as JSON."""
    try:
        return _METADATA_VALUE.validate_python(value, strict=True)
    except ValidationError:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
