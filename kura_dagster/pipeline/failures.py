"""What a provider's failures mean: which are worth another try, which end the run, and what a person should set.

SDKs share no error classes, so all of this goes by status codes and class names along the chain of causes. Waiting and
trying again is `gateway`'s work.
"""

from __future__ import annotations

import email.utils
import math
import os
import re
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError

from kura_dagster.pipeline.types import FailedItem

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
_TEMPORARY_STATUSES = frozenset([408, 409, 425, 429, 500, 502, 503, 504, 522, 524, 529])
_NO_CONNECTION = frozenset(
    ["ConnectError", "ClientConnectorError", "ConnectionRefusedError", "gaierror", "InvalidURL", "UnsupportedProtocol"]
)
_LONGEST_WAIT = 300.0  # seconds that a provider may ask us to wait before the next try


class LanguageModelError(RuntimeError):
    """A provider could not be asked, or gave no usable answer. The message says what to set.

    It holds no key and nothing of what was asked or answered, and it has no cause attached, because the provider's own
    errors do: a run's log would keep them.
    """


class StopAsking(LanguageModelError):
    """Nothing more should be asked in this run; what was answered before is kept."""


class SetupError(StopAsking):
    """The next question would fail like this one: a key, a model's name, a quota or a package is wrong."""


class BudgetError(StopAsking):
    """The next question could cross the run's limit of calls or of cost."""


class ProviderDownError(StopAsking):
    """Question after question failed, and none was answered."""


class SomeFailed(LanguageModelError):
    """Some of many questions failed; the others were finished.

    `results` is what came of all of them: for each question its answer, None where it failed; raised by a stage's
    model, what the stage can go on with. `failures` has the error's text by position in `names`, which are the items'
    ids, and `model` is what was asked.
    """

    def __init__(
        self, message: str, results: Sequence[Any | None], failures: Mapping[int, str], names: Sequence[str], model: str
    ) -> None:
        super().__init__(message)
        self.results = list(results)
        self.failures = dict(failures)
        self.names = list(names)
        self.model = model

    @property
    def failed_items(self) -> list[FailedItem]:
        """The failed items, in order."""
        return [
            FailedItem(item_id=self.names[position], error=error, model=self.model)
            for position, error in sorted(self.failures.items())
        ]


class NoCompletion(Exception):
    """What came with status 200 is no answer of a model; never leaves this package.

    `status_code` and `body` are what SDKs' own errors have, from an error in the place of the answer. `page` says what
    else answered there, if it was no model at all.
    """

    def __init__(self, status_code: int | None = None, message: str | None = None, page: str | None = None) -> None:
        super().__init__()
        self.status_code = status_code
        self.body = {"message": message}
        self.page = page


class SomeTextsFailed(LanguageModelError):
    """An embedding model has no vector for some of the texts; it embedded the others.

    No `SomeFailed`, because a stage that embeds on its way would take that for what its own model could not do.
    `vectors` has one for each text, None where it failed, `failures` the error's text by position, and `model` is what
    was asked. `names` are what the message and `failed_items` call the texts, "text 1" and so on where there are none.
    """

    def __init__(
        self, vectors: Sequence[Any | None], failures: Mapping[int, str], model: str, names: Sequence[str] = ()
    ) -> None:
        some = some_failed(
            "texts", names or [f"text {number}" for number in range(1, len(vectors) + 1)], vectors, failures, model
        )
        super().__init__(str(some))
        self.vectors = some.results
        self.failures = some.failures
        self.model = model
        self.failed_items = some.failed_items


def some_failed(
    what: str, names: Sequence[str], results: Sequence[Any], failures: Mapping[int, str], model: str
) -> SomeFailed:
    """Return the error that says how many of the items failed, which by `names`, and why the first one did."""
    positions = sorted(failures)
    shown = ", ".join(names[position] for position in positions[:_SHOWN_IDS])
    more = f" and {len(positions) - _SHOWN_IDS} more" if len(positions) > _SHOWN_IDS else ""
    return SomeFailed(
        f"{len(positions)} of {len(names)} {what} failed. The first: {failures[positions[0]]} Failed: {shown}{more}.",
        results,
        failures,
        names,
        model,
    )


def is_temporary(error: BaseException) -> bool:
    """Whether the same request may well succeed in a moment: a rate limit, a server's or a connection's trouble."""
    if isinstance(error, LanguageModelError):
        return False
    status = _status_of(error)
    if status is not None:
        return status in _TEMPORARY_STATUSES and not _is_out_of_quota(error)
    connection_trouble = {"APIConnectionError", "ConnectionError", "TransportError", "HTTPError", "JSONDecodeError"}
    return is_timeout(error) or bool(connection_trouble & _class_names(error))


def is_timeout(error: BaseException) -> bool:
    """Whether no answer came within the time limit."""
    return bool({"TimeoutError", "APITimeoutError", "TimeoutException"} & _class_names(error))


def is_rate_limit(error: BaseException) -> bool:
    """Whether a provider says that it is asked too often or too much at once."""
    return _status_of(error) in (429, 529)


def may_be_the_content(error: BaseException) -> bool:
    """Whether a request may have failed at what was sent: refused, or one that the server breaks at every time."""
    return _status_of(error) == 500 or not is_temporary(error)


def retry_after(error: BaseException) -> float | None:
    """Return the seconds that a provider asks to wait, at most five minutes, or None where it says nothing clear."""
    for each in _causes(error):
        headers = getattr(getattr(each, "response", None), "headers", None)
        if headers is None:
            continue
        for name, seconds_of in (("retry-after-ms", _milliseconds), ("retry-after", _seconds_or_date)):
            told = headers.get(name)
            try:
                seconds = math.nan if told is None else seconds_of(told)
            except (ValueError, TypeError, OverflowError):
                continue  # neither a number nor a date that there is
            if not math.isnan(seconds):
                return min(max(0.0, seconds), _LONGEST_WAIT)
    return None


def no_completion(error: BaseException) -> NoCompletion | None:
    """Return what came in the place of a chat completion, by the error that reading it ended in, or None."""
    for each in _causes(error):
        answer: Any = getattr(each, "raw_response", None)
        if isinstance(answer, str):
            is_html = answer.lstrip()[:1] == "<"
            return NoCompletion(page="a page of HTML" if is_html else "a text")
        if not hasattr(answer, "choices"):
            continue  # there was no answer, or it is in another form than OpenAI's
        fault = getattr(answer, "error", None)
        for choice in answer.choices or ():
            fault = fault or getattr(choice, "error", None)
        if fault:
            told = fault if isinstance(fault, Mapping) else {"message": str(fault)}
            code, message = str(told.get("code")), told.get("message")
            status = int(code) if re.fullmatch(r"[1-5]\d\d", code) else None
            return NoCompletion(status, message if isinstance(message, str) else None)
        if not answer.choices:
            is_model = getattr(answer, "object", None) == "chat.completion"
            return NoCompletion(page=None if is_model else "JSON of another kind")
    return None


def may_concern_one_question(error: BaseException) -> bool:
    """Whether a provider that has answered others may give this error to one question only.

    A filter of contents answers with status 403, a gateway with 404 or a page of its own, and so do a wrong key, model
    or address, which every question meets.
    """
    return _status_of(error) in (403, 404) or (isinstance(error, NoCompletion) and error.page is not None)


def stopping(error: BaseException) -> StopAsking | None:
    """Return the reason to ask nothing more that an SDK has wrapped into an error of its own, or None."""
    return next((each for each in _causes(error) if isinstance(each, StopAsking)), None)


def kind_and_place(error: BaseException) -> str:
    """Return what may be told of an error that nobody foresaw, as its own text may quote a conversation."""
    places = [(Path(frame.f_code.co_filename).name, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return f"{type(error).__name__}" + (f" in line {places[-1][1]} of {places[-1][0]}" if places else "")


NO_KEY = "no key, because nothing is sent"
"""What a client gets for one that is opened and never sends a request."""


def missing_key(provider: str, model: str) -> SetupError | None:
    """Return the error for a provider whose key variable is known and not set, otherwise None."""
    variable = KEY_VARIABLES.get(provider)
    if variable is None or os.environ.get(variable):
        return None
    hint = ""
    if os.environ.get(BASE_URL_VARIABLES.get(provider, "")):
        hint = " For a server that asks for none, any value does."
    return SetupError(f"{model} needs a key: set the environment variable {variable}.{hint}")


def wrong_url(provider: str) -> SetupError | None:
    """Return the error for an address of the provider's that no request can be sent to, otherwise None."""
    variable = BASE_URL_VARIABLES.get(provider, "")
    url = os.environ.get(variable)
    if url is None or (provider == "ollama" and not url):
        return None
    if provider == "ollama" and "://" not in url:
        url = f"http://{url}"  # it takes a host alone
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that there is not
        is_right = False
    if is_right:
        return None
    return SetupError(
        f"{variable} is no address that can be asked; allowed are URLs, for example 'http://127.0.0.1:8000/v1'."
    )


def is_unreachable(error: BaseException) -> bool:
    """Whether no connection came about: nothing listens there, there is no such host, or the address is none."""
    return _status_of(error) is None and bool(_NO_CONNECTION & _class_names(error))


def may_be_billed(error: BaseException) -> bool:
    """Whether the provider may have read the request and answered it, though no answer arrived."""
    if isinstance(error, LanguageModelError) or is_unreachable(error) or _status_of(error) is not None:
        return False
    return is_temporary(error)


def kind_of(error: BaseException) -> str:
    """Return in a few words what kind of trouble an error is, for who waits meanwhile."""
    if (status := _status_of(error)) is not None:
        return f"status {status}"
    if is_timeout(error):
        return "no answer in time"
    return "cannot be reached" if is_unreachable(error) else "connection broken off"


def explain(
    error: BaseException, *, model: str, url: str | None, timeout: float, asked: str, only_this: bool = False
) -> LanguageModelError:
    """Return what a failed request means and what to set, from the error of whichever SDK made it.

    `asked` is the text that was sent: a provider's message that quotes it is left out. With `only_this`, an error that
    `may_concern_one_question` is taken for that, and otherwise for a reason to stop.
    """
    provider, _, name = model.partition("/")
    chain = list(_causes(error))
    classes = _class_names(error)
    status = _status_of(error)
    url = without_credentials(url) if url else None
    at = f" at {url}" if url else ""
    url_variable = BASE_URL_VARIABLES.get(provider)
    check_url = f" Is it running, and is {url_variable} right?" if url_variable else ""
    if only_this and status in (403, 404):
        return LanguageModelError(
            f"The provider{at} refused this question to {model} (status {status}), though it has answered others."
            f"{_quoted(chain, asked)}"
        )
    if status in (401, 403):
        variable = KEY_VARIABLES.get(provider)
        remedy = f" Set {variable} to a key that is valid there." if variable else ""
        return SetupError(f"The provider{at} refused the key for {model} (status {status}).{remedy}")
    if status == 404:
        path = f", or {url_variable} lacks its path (often /v1)" if url_variable else ""
        return SetupError(
            f"The provider{at} does not know the model {name!r} (status 404). Set the model to '{provider}/<a model it "
            f"serves>'{path}."
        )
    if status == 429 and _is_out_of_quota(error):
        return SetupError(
            f"The account at the provider{at} has no quota left for {model} (status 429). Look at its plan and billing."
        )
    if status == 429:
        return LanguageModelError(
            f"The provider{at} limits the rate or the budget of {model} (status 429). Lower max_concurrent_requests, "
            f"or look at the account's limits.{_quoted(chain, asked)}"
        )
    if status is not None:
        return LanguageModelError(f"{model}{at} failed with status {status}.{_quoted(chain, asked)}")
    if isinstance(error, NoCompletion):
        if error.page is None:
            what = "an error in the place of an answer" if _message_of(error) else "an empty answer"
            return LanguageModelError(f"{model}{at} gave {what}.{_quoted(chain, asked)}")
        kind = LanguageModelError if only_this else SetupError
        remedy = f" Look at {url_variable}: does it lack its path (often /v1), or does it ask for a login?"
        return kind(f"No model answers{at}, but {error.page}.{remedy if url_variable else ''}")
    if is_timeout(error):
        return LanguageModelError(f"{model}{at} gave no answer within {timeout:g} s.")
    if {"APIConnectionError", "ConnectError", "ConnectionError"} & classes:
        return LanguageModelError(f"Cannot reach {url or provider} for {model}.{check_url}")
    for each in chain:
        if isinstance(each, ValidationError):
            return LanguageModelError(
                f"{model} gave no fitting answer in {MAX_REASKS + 1} attempts: {faults_of(each)}."
            )
    if "IncompleteOutputException" in classes:
        return LanguageModelError(f"{model} was cut off at the longest answer the provider allows.")
    if "AssertionError" in classes:
        return LanguageModelError(f"{model} refused to answer.")
    if {"ResponseParsingError", "JSONDecodeError"} & classes:
        return LanguageModelError(f"{model} gave no fitting answer in {MAX_REASKS + 1} attempts: no valid JSON.")
    return missing_key(provider, model) or LanguageModelError(
        f"{model}{at} failed: {type(chain[-1]).__name__}.{_quoted(chain, asked)}"
    )


def without_credentials(url: str) -> str:
    """Return the URL without user, password and query: any of them may hold a key."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _milliseconds(told: str) -> float:
    return float(told) / 1000


def _seconds_or_date(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        when = email.utils.parsedate_to_datetime(told)
    # "-0000" is UTC of an unknown place, and parsed into a time of this machine.
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time()


def _status_of(error: BaseException) -> int | None:
    statuses = (getattr(each, "status_code", None) for each in _causes(error))
    return next((each for each in statuses if isinstance(each, int)), None)


def _class_names(error: BaseException) -> set[str]:
    return {base.__name__ for each in _causes(error) for base in type(each).__mro__}


def _is_out_of_quota(error: BaseException) -> bool:
    for each in _causes(error):
        body = getattr(each, "body", None)
        inner = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(inner, dict) and "insufficient_quota" in (inner.get("code"), inner.get("type")):
            return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def faults_of(error: ValidationError) -> str:
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
