"""The one door to a language model: what every question passes through, and what its failures say.

A client for one provider, its limits, its closing and its error texts belong here. What is asked belongs to `prompts`,
what is made of the answers to the models beside this module.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ValidationError

AnyAnswer = TypeVar("AnyAnswer", bound=BaseModel)
Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_REASKS = 3
"""How often a question is put again, with what was wrong, when the answer does not fit the asked schema."""

KEY_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GOOGLE_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "cohere": "CO_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "together": "TOGETHER_API_KEY",
    "perplexity": "PERPLEXITY_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "cerebras": "CEREBRAS_API_KEY",
    "xai": "XAI_API_KEY",
    "azure_openai": "AZURE_OPENAI_API_KEY",
    "databricks": "DATABRICKS_TOKEN",
    "writer": "WRITER_API_KEY",
}
BASE_URL_VARIABLES = {
    "openai": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
    "ollama": "OLLAMA_HOST",
    "cohere": "CO_API_URL",
    "azure_openai": "AZURE_OPENAI_ENDPOINT",
    "databricks": "DATABRICKS_HOST",
}

_SHOWN_IDS = 20
_SHOWN_CHARACTERS = 200


class LanguageModelError(RuntimeError):
    """A provider could not be asked, or gave no usable answer. The message says what to set.

    It holds no key and nothing of what was asked or answered, and it has no cause attached, because the provider's own
    errors do: a run's log would keep them.
    """


class LanguageModel:
    """A client for one provider, open for the time of an `async with`.

    `model` is instructor's provider string, `"<provider>/<model>"`. The key and the base URL come from the provider's
    own environment variables. `timeout` is in seconds and holds for a request; a question with all its repetitions is
    given up after four times that.
    """

    def __init__(
        self, model: str = "openai/gpt-4o-mini", *, max_concurrent_requests: int = 50, timeout: float = 60
    ) -> None:
        self.provider, _, self.model_name = model.partition("/")
        if not (self.provider and self.model_name):
            raise ValueError(f"model is {model!r}; allowed is '<provider>/<model>', for example 'openai/gpt-4o-mini'")
        if max_concurrent_requests < 1:
            raise ValueError(f"max_concurrent_requests is {max_concurrent_requests}; allowed is 1 or more")
        if timeout <= 0:
            raise ValueError(f"timeout is {timeout}; allowed is a number of seconds above 0")
        self.model = model
        self.max_concurrent_requests = max_concurrent_requests
        self.timeout = timeout
        self._client: Any = None
        self._in_flight = asyncio.Semaphore(max_concurrent_requests)
        self._prepared: dict[type[BaseModel], type[BaseModel]] = {}

    async def __aenter__(self) -> LanguageModel:
        """Open the client.

        Raises:
            LanguageModelError: the provider is unknown, its package is not installed, or its key is not set.
        """
        if self._client is not None:
            raise RuntimeError(f"the language model {self.model} is open already")
        # A semaphore belongs to the loop that first waits on it, and a model may be opened again in another loop.
        self._in_flight = asyncio.Semaphore(self.max_concurrent_requests)
        self._client = self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        await close_sdk(client.client)

    async def ask(
        self,
        prompt: str,
        response_model: type[AnyAnswer],
        *,
        temperature: float = 0.2,
        context: dict[str, Any] | None = None,
    ) -> AnyAnswer:
        """Put one question and return the answer as an instance of `response_model`.

        An answer that does not fit is asked for again, up to three times. The prompt reaches the provider as it is;
        `context` is what the schema's validators find in pydantic's `info.context`.

        Raises:
            LanguageModelError: the provider failed, refused, or gave no answer that fits.
        """
        if self._client is None:
            raise RuntimeError(f"the language model {self.model} is not open; use it inside `async with`")
        content, values = prompt, None
        if context:
            # With a context, instructor renders the message as a jinja template. The template is then only a name, so
            # that what the prompt holds is a value and never a template itself.
            content, values = "{{ kura_prompt }}", {**context, "kura_prompt": prompt}
        async with self._in_flight:
            try:
                async with asyncio.timeout(self.timeout * (MAX_REASKS + 1)):
                    return await self._client.create(
                        messages=[{"role": "user", "content": content}],
                        response_model=self._prepare(response_model),
                        max_retries=MAX_REASKS,
                        context=values,
                        # "3" for a number is good enough; pydantic's strict mode would ask again.
                        strict=False,
                        temperature=temperature,
                    )
            except Exception as error:
                failure = self._explain(error, prompt)
        raise failure

    def _prepare(self, response_model: type[AnyAnswer]) -> type[AnyAnswer]:
        """Return the class that instructor would make of a schema.

        Instructor makes a new one in each call: that took half of all client time (6.5 ms a call, 3.0 ms without), and
        kept its schema cache from ever being hit.
        """
        if response_model not in self._prepared:
            import instructor

            self._prepared[response_model] = instructor.response_schema(response_model)
        return self._prepared[response_model]  # type: ignore[return-value]

    def _open(self) -> Any:
        # instructor and openai take over a second to import, and a code location that only loads asks nothing.
        import instructor
        from instructor.auto_client import supported_providers

        # Instructor logs failed answers and failed log-ins with their text; what may be said is in our own errors.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        if self.provider not in supported_providers:
            raise LanguageModelError(
                f"Unknown provider {self.provider!r} in {self.model!r}. Write '<provider>/<model>' with one of: "
                f"{', '.join(sorted(supported_providers))}. A server that speaks the OpenAI protocol (vLLM, llama.cpp, "
                f"a gateway) is 'openai/<model>' with OPENAI_BASE_URL set."
            )
        options: dict[str, Any] = {}
        if self.provider == "ollama" and (host := os.environ.get("OLLAMA_HOST")):
            options["base_url"] = _ollama_url(host)
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
            return client
        raise failure

    def _explain_opening(self, error: Exception) -> LanguageModelError:
        text = str(error)
        if "nstall it with" in text:
            return LanguageModelError(
                f"Cannot ask {self.model}: {text} (The version that instructor was made for comes with its extra of "
                f"that name, as in `pip install 'instructor[anthropic]'`.)"
            )
        if missing := missing_key(self.provider, self.model):
            return missing
        return LanguageModelError(f"Cannot open a client for {self.model}: {type(error).__name__}: {text}")

    def _explain(self, error: Exception, prompt: str) -> LanguageModelError:
        url = getattr(self._client and self._client.client, "base_url", None)
        return explain(error, model=self.model, url=str(url) if url else None, timeout=self.timeout, asked=prompt)


@asynccontextmanager
async def opened(model: str | LanguageModel, max_concurrent_requests: int) -> AsyncIterator[LanguageModel]:
    """Give an open language model: one made for the time of the `with` for a string, an instance as it is."""
    if isinstance(model, LanguageModel):
        yield model
    else:
        async with LanguageModel(model, max_concurrent_requests=max_concurrent_requests) as own:
            yield own


async def answer_all(
    items: Sequence[Item], answer: Callable[[Item], Awaitable[Result]], *, at_once: int, what: str, names: Sequence[str]
) -> list[Result]:
    """Return `answer(item)` for every item, in order, with at most `at_once` in the works.

    One failure does not stop the others: all finish first, so that nothing paid for is thrown away half-done. `names`
    are what the message calls the items, as their ids.

    Raises:
        LanguageModelError: some failed; the message says how many, which, and why the first one did.
    """
    results: list[Any] = [None] * len(items)
    failures: dict[int, Exception] = {}
    waiting = iter(range(len(items)))

    # A few workers instead of a task an item: of a large day only the prompts in the works are in memory.
    async def work() -> None:
        for position in waiting:
            try:
                results[position] = await answer(items[position])
            except Exception as error:
                failures[position] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(work())
    if failures:
        unforeseen = [error for error in failures.values() if not isinstance(error, LanguageModelError)]
        if unforeseen:
            raise unforeseen[0]
        positions = sorted(failures)
        shown = ", ".join(names[position] for position in positions[:_SHOWN_IDS])
        more = f" and {len(positions) - _SHOWN_IDS} more" if len(positions) > _SHOWN_IDS else ""
        raise LanguageModelError(
            f"{len(positions)} of {len(items)} {what} failed. The first: {failures[positions[0]]} "
            f"Failed: {shown}{more}."
        )
    return results


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


def missing_key(provider: str, model: str) -> LanguageModelError | None:
    """Return the error for a provider whose key variable is known and not set, otherwise None."""
    variable = KEY_VARIABLES.get(provider)
    if variable is None or os.environ.get(variable):
        return None
    hint = ""
    if os.environ.get(BASE_URL_VARIABLES.get(provider, "")):
        hint = " For a server that asks for none, any value does."
    return LanguageModelError(f"{model} needs a key: set the environment variable {variable}.{hint}")


def explain(error: Exception, *, model: str, url: str | None, timeout: float, asked: str) -> LanguageModelError:
    """Return what a failed request means and what to set, from the error of whichever SDK made it.

    SDKs share no error classes, so this goes by status codes and class names along the chain of causes. `asked` is the
    text that was sent: a provider's message that quotes it is left out.
    """
    provider, _, name = model.partition("/")
    chain = list(_causes(error))
    classes = {base.__name__ for each in chain for base in type(each).__mro__}
    statuses = (getattr(each, "status_code", None) for each in chain)
    status = next((each for each in statuses if isinstance(each, int)), None)
    url = _without_credentials(url) if url else None
    at = f" at {url}" if url else ""
    url_variable = BASE_URL_VARIABLES.get(provider)
    check_url = f" Is it running, and is {url_variable} right?" if url_variable else ""
    if status in (401, 403):
        variable = KEY_VARIABLES.get(provider)
        remedy = f" Set {variable} to a key that is valid there." if variable else ""
        return LanguageModelError(f"The provider{at} refused the key for {model} (status {status}).{remedy}")
    if status == 404:
        path = f", or {url_variable} lacks its path (often /v1)" if url_variable else ""
        return LanguageModelError(
            f"The provider{at} does not know the model {name!r} (status 404). Set the model to '{provider}/<a model it "
            f"serves>'{path}."
        )
    if status == 429:
        return LanguageModelError(
            f"The provider{at} limits the rate or the budget of {model} (status 429). Lower max_concurrent_requests, "
            f"or look at the account's limits.{_quoted(chain, asked)}"
        )
    if status is not None:
        return LanguageModelError(f"{model}{at} failed with status {status}.{_quoted(chain, asked)}")
    if {"APITimeoutError", "TimeoutException", "TimeoutError"} & classes:
        return LanguageModelError(f"{model}{at} gave no answer within {timeout:g} s.")
    if {"APIConnectionError", "ConnectError", "ConnectionError"} & classes:
        return LanguageModelError(f"Cannot reach {url or provider} for {model}.{check_url}")
    for each in chain:
        if isinstance(each, ValidationError):
            return LanguageModelError(f"{model} gave no fitting answer in {MAX_REASKS + 1} attempts: {_faults(each)}.")
    if "IncompleteOutputException" in classes:
        return LanguageModelError(f"{model} was cut off at the longest answer the provider allows.")
    if "AssertionError" in classes:
        return LanguageModelError(f"{model} refused to answer.")
    if {"ResponseParsingError", "JSONDecodeError"} & classes:
        return LanguageModelError(f"{model} gave no fitting answer in {MAX_REASKS + 1} attempts: no valid JSON.")
    return missing_key(provider, model) or LanguageModelError(
        f"{model}{at} failed: {type(chain[-1]).__name__}.{_quoted(chain, asked)}"
    )


def _without_credentials(url: str) -> str:
    """Return the URL without user, password and query: any of them may hold a key."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _ollama_url(host: str) -> str:
    """Return the OpenAI-protocol URL of what OLLAMA_HOST holds: a URL, `host:port` or a host alone."""
    if "://" not in host:
        host = f"http://{host}" if ":" in host else f"http://{host}:11434"
    return host.rstrip("/") + "/v1"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _faults(error: ValidationError) -> str:
    """Return what pydantic found, by place and kind: its own text quotes the answer."""
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'the answer'}: {fault['type'].replace('_', ' ')}"
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return _shortened("; ".join(faults))


def _quoted(chain: list[BaseException], asked: str) -> str:
    """Return what the provider says of the failure, or nothing where that repeats a piece of what was asked."""
    text = next((message for each in chain if (message := _message_of(each))), "")
    if not text and type(chain[-1]) in (TypeError, ValueError):
        # An SDK of another version than instructor expects: only its own words say what does not fit.
        text = str(chain[-1])
    text = _shortened(" ".join(text.split()))
    piece = 24
    if any(text[start : start + piece] in asked for start in range(max(1, len(text) - piece + 1))):
        return ""
    return f" It says: {text}"


def _message_of(error: BaseException) -> str:
    body = getattr(error, "body", None)
    if not isinstance(body, dict):
        return ""
    inner = body.get("error", body)
    message = inner.get("message") if isinstance(inner, dict) else None
    return message if isinstance(message, str) else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
