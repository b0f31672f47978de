"""The one door to a language model: what every question passes through.

A client for one provider, its opening and closing, and the way of a question belong here: kept answers first, then the
gateway with its pace, limits and retries, then instructor, which asks again where an answer does not fit. What is asked
belongs to `prompts`, what is made of the answers to the models beside this module.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace, TracebackType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kura_dagster.pipeline.asked_about import marked
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.failures import (
    MAX_REASKS,
    NO_KEY,
    LanguageModelError,
    SetupError,
    StopAsking,
    explain,
    kind_and_place,
    may_be_billed,
    missing_key,
    no_completion,
    some_failed,
    stopping,
    wrong_url,
)
from kura_dagster.pipeline.language_model.answer_cache import answer_key
from kura_dagster.pipeline.language_model.answer_schema import AnswerSchema, hearing
from kura_dagster.pipeline.language_model.gateway import Gateway
from kura_dagster.pipeline.language_model.leases import Leases, Waiting, stand_in
from kura_dagster.pipeline.language_model.ledger import Ledger, Reservation
from kura_dagster.pipeline.language_model.pace import Pace
from kura_dagster.pipeline.language_model.patience import off_the_clock
from kura_dagster.pipeline.language_model.tokens import answer_tokens, expected_tokens, tokens_of

logger = logging.getLogger(__name__)

AnyAnswer = TypeVar("AnyAnswer", bound=BaseModel)
Item = TypeVar("Item")
Result = TypeVar("Result")

_NO_PART_OF_THE_QUESTION = frozenset(["model", "timeout", "user"])
"""Options that change no answer; the model's name has its own place in a question's key."""


@dataclass(frozen=True)
class Progress:
    """How far a stage's questions are: `what` they are, how many are done of how many, and the latest answer."""

    what: str
    done: int
    total: int
    failed: int
    latest: str


class LanguageModel:
    """A client for one provider, open for the time of an `async with`.

    The key and the base URL come from the provider's own environment variables.

    Args:
        model: instructor's provider string, `"<provider>/<model>"`.
        max_concurrent_requests: the most requests in flight.
        timeout: in seconds, for a request, from sending it to the last byte of its answer; a re-ask has its own.
        requests_per_minute: None means no limit.
        tokens_per_minute: of what is sent, about; None means no limit.
        cache: keeps answers, and gives them again to the same question; None keeps nothing.
        ledger: counts and limits; one of its own where None. Models of a run share one.

    Raises:
        ValueError: the model's name has no provider, or a number is out of range.
    """

    def __init__(
        self,
        model: str = "openai/gpt-4o-mini",
        *,
        max_concurrent_requests: int = 50,
        timeout: float = 60,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        cache: CacheStrategy | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.provider, _, self.model_name = model.partition("/")
        if not (self.provider and self.model_name):
            raise ValueError(f"model is {model!r}; allowed is '<provider>/<model>', for example 'openai/gpt-4o-mini'")
        if timeout <= 0:
            raise ValueError(f"timeout is {timeout}; allowed is a number of seconds above 0")
        self.model = model
        self.max_concurrent_requests = max_concurrent_requests
        self.timeout = timeout
        self.requests_per_minute = requests_per_minute
        self.tokens_per_minute = tokens_per_minute
        self.cache = cache
        self.ledger = ledger or Ledger()
        self.on_progress: Callable[[Progress], None] | None = None
        self.on_notice: Callable[[str], object] = logger.warning
        self._new_pace = partial(Pace, max_concurrent_requests, requests_per_minute, tokens_per_minute)
        self._new_pace()  # refuses numbers out of range now and not when the model is opened
        self._client: Any = None
        self._gateway: Gateway | None = None
        self._schemas: dict[Any, AnswerSchema] = {}
        self._asking: dict[str, asyncio.Future[Exception | None]] = {}
        self._leases = Leases(cache)
        # Where code written for an instructor client looks for it.
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self.create))

    async def __aenter__(self) -> LanguageModel:
        """Open the client.

        Raises:
            LanguageModelError: the provider is unknown, its package is not installed, or its key is not set.
        """
        if self._client is not None:
            raise RuntimeError(f"the language model {self.model} is open already")
        self._client = self._open()
        # Made anew: what waits belongs to the loop it waits in, and a model may be opened again in another one.
        self._gateway = Gateway(
            self.model,
            pace=self._new_pace(),
            ledger=self.ledger,
            timeout=self.timeout,
            most_requests=MAX_REASKS + 1,
            url=lambda: self.url,
            notice=lambda text: self.on_notice(text),  # whoever hears it by then
        )
        self._asking = {}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        await close_sdk(client.client)

    @property
    def url(self) -> str | None:
        """The provider's address, where its client tells."""
        url = getattr(self._client and self._client.client, "base_url", None)
        return str(url) if url else None

    async def ask(
        self,
        prompt: str,
        response_model: type[AnyAnswer],
        *,
        temperature: float | None = 0.2,
        context: dict[str, Any] | None = None,
    ) -> AnyAnswer:
        """Put one question and return the answer as an instance of `response_model`.

        No `temperature` is sent where it is None, as for a model that knows none. An answer that does not fit is asked
        for again, up to three times. The prompt reaches the provider as it is; `context` is what the schema's
        validators find in pydantic's `info.context`. It is no part of the question: a kept answer is checked by the
        validators again.

        Raises:
            StopAsking: no further question can be asked in this run.
            LanguageModelError: the provider failed, refused, or gave no answer that fits.
        """
        content, values = prompt, None
        if context:
            # With a context, instructor renders the message as a jinja template. The template is then only a name, so
            # that what the prompt holds is a value and never a template itself.
            content, values = "{{ kura_prompt }}", {**context, "kura_prompt": prompt}
        return await self._answer(
            [{"role": "user", "content": content}],
            response_model,
            {"temperature": temperature},
            values,
            asked={"messages": [{"role": "user", "content": prompt}]},
        )

    async def create(
        self,
        messages: list[dict[str, Any]],
        response_model: type[Result],
        *,
        context: dict[str, Any] | None = None,
        **options: Any,
    ) -> Result:
        """Put a question as to an instructor client; the answer is kept, paced and accounted as that of `ask`.

        `options` are the provider's, as `temperature` or another `model`. instructor's own about retries and caching
        have no effect, because both are seen to here; `timeout` and `user` are no part of the question.

        Raises:
            TypeError: messages, context or options are not JSON, and so can't be told apart.
            StopAsking: no further question can be asked in this run.
            LanguageModelError: the provider failed, refused, or gave no answer that fits.
        """
        for name in ("max_retries", "strict", "cache", "cache_ttl"):
            options.pop(name, None)
        asked = {"messages": messages, **({"context": context} if context else {})}
        return await self._answer(messages, response_model, options, context, asked=asked)

    def schema_tokens(self, response_model: Any) -> int:
        """Return about how many tokens the schema has as instructor sends it."""
        return self._schema_of(response_model).n_tokens

    async def _answer(
        self,
        messages: list[dict[str, Any]],
        response_model: Any,
        options: dict[str, Any],
        context: dict[str, Any] | None,
        *,
        asked: dict[str, Any],
    ) -> Any:
        """Return the kept answer, or that of a question in flight that is the same, or else ask."""
        if self._client is None:
            raise RuntimeError(f"the language model {self.model} is not open; use it inside `async with`")
        # Some models refuse the parameter; and 0 and 0.0 are one question.
        temperature = options.pop("temperature", None)
        if temperature is not None:
            options["temperature"] = float(temperature)
        schema = self._schema_of(response_model)
        model_name = options.get("model", self.model_name)
        key = answer_key(
            "chat",
            provider=self.provider,
            model=model_name,
            url=self.url,
            schema=schema.json_schema,
            **asked,
            **{name: value for name, value in options.items() if name not in _NO_PART_OF_THE_QUESTION},
        )
        with off_the_clock():
            return await self._found_or_asked(key, messages, schema, options, context, model_name, asked)

    async def _found_or_asked(
        self,
        key: str,
        messages: list[dict[str, Any]],
        schema: AnswerSchema,
        options: dict[str, Any],
        context: dict[str, Any] | None,
        model_name: str,
        asked: dict[str, Any],
    ) -> Any:
        waiting = Waiting()
        while True:
            kept = self.cache.get(key) if self.cache is not None else None
            if kept is not None:
                try:
                    answer = schema.read(kept, context)
                except Exception:
                    pass  # spoilt, or the schema's validators have changed or mind the context: it is asked for anew
                else:
                    self.ledger.count_cache_hit()
                    if self.cache is not None and (more := marked(kept)) is not None:
                        self.cache.set(key, more)
                    return answer
            in_flight = self._asking.get(key)
            if self.cache is None:
                break
            if in_flight is not None:
                # The same question: its answer will be kept, and its failure is this one's too. Asked anew for each,
                # one after the other, a question that stalls or is refused would hold up the run.
                await asyncio.wait([in_flight])
                if (failure := in_flight.result()) is not None:
                    raise failure
            elif kept is not None or self._leases.take(key):
                break
            else:
                await waiting.a_while()  # another process asks it
        self._asking[key] = done = asyncio.get_running_loop().create_future()
        failed: Exception | None = None
        answered = False
        try:
            with hearing() as heard:
                answer = await self._ask_provider(messages, schema, options, context, model_name, asked)
            if self.cache is not None:
                to_keep = schema.to_keep(answer, heard.said)
                self.cache.set(key, marked(to_keep) or to_keep)
                answered = True
            return answer
        except Exception as error:
            failed = error
            raise
        finally:
            self._leases.done(key, answered=answered)
            self._asking.pop(key, None)
            done.set_result(failed)  # None where it was cancelled, too: then the next one asks

    async def _ask_provider(
        self,
        messages: list[dict[str, Any]],
        schema: AnswerSchema,
        options: dict[str, Any],
        context: dict[str, Any] | None,
        model_name: str,
        asked: dict[str, Any],
    ) -> Any:
        # Imported with the client; here for the types of what is asked again.
        from instructor.core.exceptions import (
            AsyncValidationError,
            IncompleteOutputException,
            InstructorRetryException,
            ResponseParsingError,
        )
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        assert self._gateway is not None
        # No JSON, JSON that does not fit, an answer cut off, and a refusal, which instructor asserts the absence of
        unfit = (
            ValidationError,
            json.JSONDecodeError,
            AsyncValidationError,
            ResponseParsingError,
            IncompleteOutputException,
            AssertionError,
        )
        text = json.dumps(asked["messages"], ensure_ascii=False)
        # What is sent is the values of the context as well, and the schema.
        tokens = expected_tokens(json.dumps(asked, ensure_ascii=False)) + schema.n_tokens

        def worth_another_try(error: BaseException) -> bool:
            return isinstance(error, unfit) and no_completion(error) is None

        async def request() -> Any:
            failure: Exception
            open_request = _OpenRequest(self.ledger, self._gateway, f"{self.provider}/{model_name}", tokens)
            token = _open_request.set(open_request)
            # The SDKs' own limits are for each piece of an answer: one that trickles would never reach them.
            limit, own = asyncio.timeout(None), options.get("timeout")
            seconds = own if isinstance(own, int | float) else self.timeout

            async def begin(state: Any) -> None:
                limit.reschedule(None)  # what a re-ask waits for its turn is no time of the provider's
                await open_request.begin(state)
                limit.reschedule(asyncio.get_running_loop().time() + seconds)

            try:
                async with limit:
                    return await self._client.create(
                        messages=messages,
                        response_model=schema.asked,
                        # As instructor's own for a number, but each request, the re-asks too, has to be within the
                        # limits.
                        max_retries=AsyncRetrying(
                            stop=stop_after_attempt(MAX_REASKS + 1),
                            retry=retry_if_exception(worth_another_try),
                            before=begin,
                            reraise=True,
                        ),
                        context=context,
                        # "3" for a number is good enough; pydantic's strict mode would ask again.
                        strict=False,
                        **options,
                    )
            except asyncio.CancelledError:
                open_request.lost()  # given up while the provider was at it
                raise
            except Exception as error:
                # instructor wraps whatever ended its attempts, though a server's trouble is not the answers'. Where it
                # could not even ask again, that is what it wraps, and the trouble is the context.
                cause = error.__cause__ if isinstance(error, InstructorRetryException) else None
                failure = no_completion(error) or (cause if isinstance(cause, Exception) else error)
                if may_be_billed(failure):
                    open_request.lost()
            finally:
                _open_request.reset(token)
                open_request.end()
            if isinstance(failure, unfit):
                failure = explain(failure, model=self.model, url=self.url, timeout=self.timeout, asked=text)
            raise failure  # outside of the handler: instructor's error would be its context, and quotes everything

        return await self._gateway.send(request, tokens=tokens, asked=text)

    def _schema_of(self, response_model: Any) -> AnswerSchema:
        """Return the response model's schema, made once."""
        if response_model not in self._schemas:
            self._schemas[response_model] = AnswerSchema(response_model)
        return self._schemas[response_model]

    def _open(self) -> Any:
        # instructor and openai take over a second to import, and a code location that only loads asks nothing.
        import instructor
        from instructor.auto_client import supported_providers

        # Instructor logs failed answers and failed log-ins with their text; what may be said is in our own errors.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        if self.provider not in supported_providers:
            raise SetupError(
                f"Unknown provider {self.provider!r} in {self.model!r}. Write '<provider>/<model>' with one of: "
                f"{', '.join(sorted(supported_providers))}. A server that speaks the OpenAI protocol (vLLM, llama.cpp, "
                f"a gateway) is 'openai/<model>' with OPENAI_BASE_URL set."
            )
        if wrong := wrong_url(self.provider):
            raise wrong
        options: dict[str, Any] = {}
        if self.provider == "ollama" and (host := os.environ.get("OLLAMA_HOST")):
            options["base_url"] = _ollama_url(host)
        if not self.ledger.sends and missing_key(self.provider, self.model):
            options["api_key"] = NO_KEY
        if self.provider == "openai":
            options["http_client"] = openai_http_client()
        try:
            client = instructor.from_provider(self.model, async_client=True, **options)
        except Exception as error:
            failure = self._explain_opening(error)
        else:
            sdk: Any = client.client
            if hasattr(sdk, "timeout"):
                # Only some of from_provider's builders pass a timeout on, but the SDKs agree on the attribute; their
                # own default is ten minutes.
                sdk.timeout = self.timeout
            if hasattr(sdk, "max_retries"):
                # The gateway tries again: it knows the pace, and counts.
                sdk.max_retries = 0
            self._shorten_way(client)
            client.on("completion:response", _on_response)
            client.on("parse:error", _on_unfit)
            return client
        raise failure

    def _shorten_way(self, client: Any) -> None:
        """Spare openai's SDK from going through each question against the types of all that it can send.

        It looks for names and files to convert, of which messages and tools from here have none; without HTTP, that was
        a fifth of a question's CPU time. What stands in `extra_body` is sent as it is.
        """
        import instructor
        import openai

        if not isinstance(client.client, openai.AsyncOpenAI):
            return
        sdk_create = client.client.chat.completions.create
        if getattr(client.create_fn, "__wrapped__", None) != sdk_create:
            return  # instructor asks by another of the SDK's methods, whose body may look different

        async def create(**options: Any) -> Any:
            options.setdefault("model", self.model_name)
            ready = {name: options.pop(name) for name in ("messages", "tools", "tool_choice") if name in options}
            extra = options.pop("extra_body", None) or {}
            return await sdk_create(messages=[], extra_body={**ready, **extra}, **options)

        client.create_fn = instructor.patch(create=create, mode=client.mode, provider=client.provider)

    def _explain_opening(self, error: Exception) -> LanguageModelError:
        text = str(error)
        if "nstall it with" in text:
            return SetupError(
                f"Cannot ask {self.model}: {text} (The version that instructor was made for comes with its extra of "
                f"that name, as in `pip install 'instructor[anthropic]'`.)"
            )
        if missing := missing_key(self.provider, self.model):
            return missing
        return SetupError(f"Cannot open a client for {self.model}: {type(error).__name__}: {text}")


class _OpenRequest:
    """The reservation of the request that is in flight for a question; a re-ask opens another."""

    def __init__(self, ledger: Ledger, gateway: Gateway | None, model: str, tokens: int) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._model = model
        self._tokens = tokens
        self._reservation: Reservation | None = None
        self._first = True

    async def begin(self, _: Any) -> None:
        self.end()
        assert self._gateway is not None
        if not self._first:
            await self._gateway.next_request(self._tokens)
        self._first = False
        async with self._gateway.own_waiting():
            self._reservation = await self._ledger.reserve_in_turn(self._model, self._tokens)

    def answered(self, response: Any) -> None:
        if self._reservation is not None:
            input_tokens, output_tokens = tokens_of(response)
            if output_tokens is None:
                output_tokens = answer_tokens(response)
            self._reservation.settle(input_tokens, output_tokens)
            self._tokens += output_tokens  # a re-ask sends the answer back

    def unfit(self, error: Exception) -> None:
        self._tokens += expected_tokens(str(error))  # and says what is wrong with it

    def lost(self) -> None:
        if self._reservation is not None:
            self._reservation.lose()

    def end(self) -> None:
        if self._reservation is not None:
            self._reservation.release()


_open_request: ContextVar[_OpenRequest | None] = ContextVar("_open_request", default=None)


def _on_response(response: Any) -> None:
    # instructor calls this in the task of the question, as soon as an answer is there, fitting or not.
    open_request = _open_request.get()
    if open_request is not None:
        open_request.answered(response)


def _on_unfit(error: Exception, **_: Any) -> None:
    open_request = _open_request.get()
    if open_request is not None:
        open_request.unfit(error)


@asynccontextmanager
async def opened(model: str | LanguageModel, max_concurrent_requests: int) -> AsyncIterator[LanguageModel]:
    """Give an open language model: one made for the time of the `with` for a string, an instance as it is."""
    if isinstance(model, LanguageModel):
        yield model
    else:
        async with LanguageModel(model, max_concurrent_requests=max_concurrent_requests) as own:
            yield own


async def answer_all(
    items: Sequence[Item],
    answer: Callable[[Item], Awaitable[Result]],
    *,
    at_once: int,
    what: str,
    names: Sequence[str],
    progress: Callable[[Progress], None] | None = None,
    show: Callable[[Result], str] = str,
    model: str = "",
) -> list[Result]:
    """Return `answer(item)` for every item, in order, with at most `at_once` in the works.

    One failure does not stop the others, unless it is a reason to ask nothing more: then what is in flight is finished,
    for it is paid, and nothing else is begun. Of an error that is no language model's only kind and place are told,
    because its text may quote a conversation. `names` are what messages call the items, as their ids; `progress` hears
    of each finished item, its result as `show` writes it. `model` is what is asked, for who reads the failures.

    Raises:
        StopAsking: nothing more can be asked.
        SomeFailed: some failed; the message says how many, which, and why the first one did. It holds the results.
    """
    results: list[Any] = [None] * len(items)
    failures: dict[int, str] = {}
    stop: list[StopAsking] = []
    waiting = iter(range(len(items)))
    n_done = 0

    # A few workers instead of a task an item: of a large day only the prompts in the works are in memory.
    async def work() -> None:
        nonlocal n_done
        for position in waiting:
            if stop:
                return
            latest = ""
            try:
                result = await answer(items[position])
                latest = show(result) if progress else ""
                results[position] = result
            except StopAsking as error:
                stop.append(error)
                return
            except LanguageModelError as error:
                failures[position] = str(error)
            except Exception as error:
                if reason := stopping(error):
                    stop.append(reason)
                    return
                # A mistake, of ours or in what a user wrote, that one item met: the others are still worth their price.
                failures[position] = f"It failed with {kind_and_place(error)}."
            n_done += 1
            if progress is not None:
                progress(Progress(what, n_done, len(items), len(failures), latest))

    async with asyncio.TaskGroup() as group:
        n_workers = 0

        def begin_another() -> None:
            # In place of a worker that waits for another process; the pace minds how many requests are in flight.
            nonlocal n_workers
            if n_workers < min(2 * at_once, len(items)):
                n_workers += 1
                group.create_task(work())

        in_task = stand_in.set(begin_another)
        for _ in range(min(at_once, len(items))):
            begin_another()
        stand_in.reset(in_task)
    if stop:
        raise stop[0]
    if failures:
        raise some_failed(what, names, results, failures, model)
    return results


def openai_http_client() -> Any:
    """Return what openai's SDK is to send its requests with, None for its own."""
    # Imported with the client, as openai itself imports aiohttp and httpx2.
    import openai

    from kura_dagster.pipeline.language_model.http_transport import AiohttpTransport, needs_proxy

    return None if needs_proxy() else openai.DefaultAsyncHttpxClient(transport=AiohttpTransport())


async def close_sdk(sdk: Any) -> None:
    """Close a provider's client, whichever of the usual names its SDK gives the method."""
    # google-genai keeps its async connections under `aio`; cohere closes only as a context manager.
    parts: list[Any] = [part for part in (getattr(sdk, "aio", None), sdk) if part is not None]
    for part in parts:
        close = getattr(part, "aclose", None) or getattr(part, "close", None)
        if close is None and hasattr(part, "__aexit__"):
            close = partial(part.__aexit__, None, None, None)
        if close is not None:
            closing = close()
            if inspect.isawaitable(closing):
                await closing


def _ollama_url(host: str) -> str:
    """Return the OpenAI-protocol URL of what OLLAMA_HOST holds: a URL, `host:port` or a host alone."""
    if "://" not in host:
        host = f"http://{host}" if ":" in host else f"http://{host}:11434"
    return host.rstrip("/") + "/v1"
