"""A language model that lives on 127.0.0.1: the OpenAI protocol, answers made from the question, faults on demand.

The tests and the benchmarks speak to it over real sockets. It understands chat completions (tools, `json_schema`,
`json_object`), embeddings in OpenAI's and in Cohere's form, and answers what a sensible model might: names from the
keywords of what it was shown, a label from the candidates it was offered. It knows schemas and the shape of delimited
prompts, and nothing of the pipeline, so other clients can be measured against it too.

    python -m kura_dagster_tests.loopback_server --port 8900 --latency 0.2 --fault server_error=0.05

`GET /stats` answers the counters, `POST /reset` clears them and the faults, `POST /faults` sets faults.

Faults come by count (`Faults.status_every`), by a word in the prompt (`fail_on`, `refuse_on`), from a capacity that is
passed, or with a share of their own (`shares`). The last are drawn from a seed, the question and how often it was asked
before: the same run meets the same faults in whatever order its requests arrive, and a question that failed is usually
answered when it is asked again.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import math
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

EMBEDDING_DIMENSIONS = 384
_WORD = re.compile(r"[a-z][a-z']{2,}")
_FILLER = frozenset(
    _WORD.findall(
        "about all and any are assistant been but can could did does for from had has have help her him his how into "
        "its just like message need not now one our out overall please request she should some that the their them "
        "then there they this used user users want was were what when where which who why will with would you your"
    )
)
_BLOCK = re.compile(r"<([a-z_]+(?:-[0-9a-f]{6,})?)>(.*?)</\1>", re.DOTALL)
_OFFERED = re.compile(r"<(?:higher_level_cluster|candidate|category|option)>(.*?)</", re.DOTALL)
_LIST_TAG = re.compile(r"<((?:categories|candidates|options)(?:-[0-9a-f]+)?)>(.*?)</\1>", re.DOTALL)
_AT_MOST = re.compile(r"at most (\d+)")
NEVER_OFFERED = "Nothing that was ever offered"

TRANSPORT_FAULTS = {
    "rate_limited": "429 without Retry-After",
    "rate_limited_retry_after": "429 with Retry-After",
    "server_error": "500",
    "overloaded": "503",
    "dropped": "connection closed without an answer",
    "stalled": "never answered; the connection stays open until the client gives up",
    "truncated_body": "HTTP body that ends before its Content-Length",
    "unauthorized": "401",
    "unknown_model": "404",
    "quota": "429 that says insufficient_quota: waiting does not help",
}
"""Faults of any request, chat or embeddings."""

ANSWER_FAULTS = {
    "invalid_json": "answer that is not JSON",
    "truncated_json": "answer that ends in the middle",
    "cut_off": "answer that ends in the middle, and says so (finish_reason length)",
    "missing_field": "answer without a field that the schema requires",
    "wrong_type": "answer with a field of another type",
    "refusal": "refusal in OpenAI's field for it",
    "wrong_label": "label that was never offered; where none are offered, the answer is as it should be",
}
"""Faults of a chat answer, which arrives with status 200 and is paid for."""

FAULT_KINDS = TRANSPORT_FAULTS | ANSWER_FAULTS


@dataclass
class Faults:
    """What goes wrong. Counts are of chat requests: `every=3` means the third, sixth, ninth …; 0 means never."""

    status_every: int = 0
    status: int = 500
    retry_after: str | None = None
    bad_json_every: int = 0
    fail_on: str | None = None  # a prompt that holds this text gets `status`
    embedding_fail_on: str | None = None  # so does a batch to embed that holds it
    nan_on: str | None = None  # the vector of a text that holds this is not finite
    wrong_labels: bool = False  # labels that were never offered
    identity_labels: bool = False  # candidates and labels are the clusters' own names
    require_key: str | None = None
    known_models: tuple[str, ...] | None = None
    same_answer: bool = False  # the same name for every group
    refuse_on: str | None = None  # a prompt that holds this text is refused however often it is asked
    capacity: int | None = None  # more requests in flight than this get 429, with `retry_after` where it is set
    token_factor: float = 1.0  # usage counts so many times the tokens, as that of another tokenizer would
    no_usage: bool = False  # answers do not say what they cost; the counters know it
    shares: Mapping[str, float] = field(default_factory=dict)  # kind of FAULT_KINDS -> share of all requests
    seed: int = 0  # of the draw that `shares` are for

    def __post_init__(self) -> None:
        if unknown := self.shares.keys() - FAULT_KINDS:
            raise ValueError(f"unknown faults {sorted(unknown)}; allowed are {', '.join(FAULT_KINDS)}")
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) > 1:
            raise ValueError(f"shares are {dict(self.shares)}; none is below 0, and together they are 1 at most")

    def drawn(self, question: str, attempt: int) -> str | None:
        """Return the kind of fault that this attempt (from 1) at this question meets, None for none."""
        digest = hashlib.sha256(f"{self.seed}/{question}/{attempt}".encode()).digest()
        left = int.from_bytes(digest[:8], "big") / 2**64
        for kind, share in self.shares.items():
            left -= share
            if left < 0:
                return kind
        return None


@dataclass
class Stats:
    """Counters since the start or the last reset. `prompts` keeps the last thousand, for tests in this process.

    A question is what a chat was asked first, without what a repetition adds to it, or one text to embed;
    `question_key` gives its key. What was answered with status 200 counts as paid for. Tokens are counted as a provider
    bills them: of the whole body, the tools' schema too, and also where the answer was never read to its end or came to
    none (`stalled`, `dropped`, `truncated_body`); what has a status of failure costs nothing.
    """

    chat: int = 0
    embeddings: int = 0
    embedded_texts: int = 0
    faults: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    prompt_characters: int = 0
    answer_characters: int = 0
    first: float | None = None
    last: float | None = None
    by_schema: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)  # "ok" and kinds of faults, chat and embeddings
    calls_by_question: Counter[str] = field(default_factory=Counter)
    paid_by_question: Counter[str] = field(default_factory=Counter)
    abandoned: Counter[str] = field(default_factory=Counter)  # questions whose client was gone before the answer
    input_tokens: int = 0
    output_tokens: int = 0
    tokens_by_model: dict[str, tuple[int, int]] = field(default_factory=dict)
    prompts: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    bodies: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))

    def as_json(self) -> dict[str, Any]:
        """Return the counters without the prompts."""
        kept = {name: value for name, value in self.__dict__.items() if name not in ("prompts", "bodies")}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in kept.items()} | {
            "unique_prompts": len(self.calls_by_question)
        }

    def bill(self, model: str, input_tokens: int, output_tokens: int = 0) -> None:
        """Count the tokens of a request that is to be paid for."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        so_far = self.tokens_by_model.get(model, (0, 0))
        self.tokens_by_model[model] = (so_far[0] + input_tokens, so_far[1] + output_tokens)

    def enter(self, questions: list[str]) -> int:
        """Count a request and return the how-manieth of its first question it is."""
        self.first = self.first or time.time()
        self.calls_by_question.update(questions)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return self.calls_by_question[questions[0]]

    def leave(self, questions: list[str], kind: str, status: int, client_is_gone: bool) -> None:
        """Count what became of a request: the kind of its answer, its status, and whether anybody was there for it."""
        self.in_flight -= 1
        self.last = time.time()
        self.answers[kind] += 1
        self.faults += kind != "ok"
        if status == 200:
            self.paid_by_question.update(questions)
            if client_is_gone:
                self.abandoned.update(questions)


class LoopbackServer:
    """The server in a thread of this process, for the time of a `with`; `faults` and `latency` may change meanwhile."""

    def __init__(self, *, port: int = 0, latency: float = 0.0, faults: Faults | None = None) -> None:
        self.latency = latency
        self.faults = faults or Faults()
        self.stats = Stats()
        self.port = port
        self._word_vectors: dict[str, np.ndarray] = {}
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        """How many clients hold a connection open at this moment."""
        return len(self._server.server_state.connections) if self._server else 0

    def reset(self) -> None:
        """Clear the counters and the faults; no latency."""
        self.stats, self.faults, self.latency = Stats(), Faults(), 0.0

    def __enter__(self) -> LoopbackServer:
        listener = self._listen()
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the loopback server did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)

    def serve(self) -> None:
        """Serve in this thread until interrupted; prints the base URL once connections are taken."""
        listener = self._listen()
        print(self.base_url, flush=True)
        uvicorn.Server(self._config()).run([listener])

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(512)
        self.port = listener.getsockname()[1]
        return listener

    def _config(self) -> uvicorn.Config:
        routes = [
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/embeddings", self._embeddings, methods=["POST"]),
            Route("/v2/embed", self._cohere_embed, methods=["POST"]),
            Route("/stats", self._show_stats),
            Route("/reset", self._do_reset, methods=["POST"]),
            Route("/faults", self._set_faults, methods=["POST"]),
        ]
        return uvicorn.Config(
            _with_connection(Starlette(routes=routes)),
            log_level="critical",  # it takes a truncated body for a mistake of ours
            access_log=False,
            lifespan="off",
            timeout_keep_alive=600,
        )

    async def _chat(self, request: Request) -> Response:
        began = time.time()
        body = json.loads(await request.body())
        stats = self.stats
        stats.chat += 1
        number = stats.chat

        def answer(fault: str | None) -> tuple[str, Response]:
            return self._chat_answer(request, body, number, fault)

        return await self._answered(request, [_question_of(body["messages"])], answer, began)

    async def _answered(
        self,
        request: Request,
        questions: list[str],
        answer: Callable[[str | None], tuple[str, Response]],
        began: float,
    ) -> Response:
        """Answer a request that began then, with the fault that is drawn for it, and count both."""
        stats, connection = self.stats, request.scope["connection"]
        keys = [question_key(each) for each in questions]
        attempt = stats.enter(keys)
        # Answered first and waited for then: the latency holds for the whole, and what making the answer costs does not
        # add to it.
        kind, response, status = "interrupted", Response(), 0
        try:
            if self.faults.capacity is not None and stats.in_flight > self.faults.capacity:
                headers = {"retry-after": self.faults.retry_after} if self.faults.retry_after else None
                kind, response = "over_capacity", _error(429, "Too many requests at once.", headers)
                status = response.status_code
                return response  # a provider that is full says so at once
            kind, response = answer(self.faults.drawn(keys[0], attempt))
            if kind == "stalled":
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                return response
            await self._wait(began)
            if kind == "dropped":
                connection.transport.abort()
                await asyncio.sleep(0.001)  # until uvicorn has heard of it; it would answer with a 500 otherwise
                return response
            status = response.status_code
            return response
        finally:
            stats.leave(keys, kind, status, connection.disconnected)

    def _chat_answer(
        self, request: Request, body: dict[str, Any], number: int, fault: str | None
    ) -> tuple[str, Response]:
        """Return the kind of the answer, "ok" or that of a fault, and the answer."""
        stats, faults = self.stats, self.faults
        prompt = _text_of(body["messages"])
        stats.prompts.append(prompt)
        stats.bodies.append(body)
        stats.prompt_characters += len(prompt)
        asked = self._tokens(_sent_text(body))
        refusal = self._refusal(request, body, prompt, number) or self._transport_fault(fault, body["model"])
        if refusal is not None:
            if refusal[0] in ("stalled", "dropped"):
                stats.bill(body["model"], asked)
            return refusal
        name, schema, as_tool = _asked_schema(body, prompt)
        stats.by_schema[name] += 1
        if faults.refuse_on is not None and faults.refuse_on in prompt:
            fault = "refusal"
        elif fault is None and faults.bad_json_every and number % faults.bad_json_every == 0:
            fault = "truncated_json"
        definitions = schema.get("$defs", {})
        content = json.dumps(_Answer(prompt, definitions, faults).value("", schema))
        if fault == "wrong_label":
            wrong = json.dumps(_Answer(prompt, definitions, replace(faults, wrong_labels=True)).value("", schema))
            content, fault = (wrong, fault) if wrong != content else (content, None)
        content = _spoilt(content, fault, schema)
        answered = self._tokens(content)
        completion = _completion(number, body["model"], name, content, as_tool, (asked, answered), fault)
        if faults.no_usage:
            del completion["usage"]
        stats.answer_characters += len(content)
        stats.bill(body["model"], asked, answered)
        return fault or "ok", _Truncated(completion) if fault == "truncated_body" else JSONResponse(completion)

    def _tokens(self, text: str) -> int:
        """Return how many tokens a text has: four letters of ASCII or three bytes of anything else are one."""
        ascii_bytes = len(text.encode("ascii", "ignore"))
        others = len(text.encode("utf-8", "surrogatepass")) - ascii_bytes
        return math.ceil(self.faults.token_factor * (ascii_bytes / 4 + others / 3))

    async def _wait(self, began: float) -> None:
        """Sleep for what is left of the latency since `began`, a reading of `time.time`."""
        left = began + self.latency - time.time()
        if left > 0:
            # In whole milliseconds, upwards: uvloop rounds to them, and an answer must not come early.
            await asyncio.sleep(math.ceil(left * 1000) / 1000)

    def _refusal(self, request: Request, body: dict[str, Any], prompt: str, number: int) -> tuple[str, Response] | None:
        faults = self.faults
        if faults.require_key and request.headers.get("authorization") != f"Bearer {faults.require_key}":
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            return "unauthorized", _error(401, f"Incorrect API key provided: {sent}.", None, "invalid_api_key")
        if faults.known_models is not None and body["model"] not in faults.known_models:
            return "unknown_model", _unknown_model(body["model"])
        marked = faults.fail_on is not None and faults.fail_on in prompt
        if marked or (faults.status_every and number % faults.status_every == 0):
            headers = {"retry-after": faults.retry_after} if faults.retry_after else None
            return f"status_{faults.status}", _error(faults.status, "The server was told to fail.", headers)
        return None

    def _transport_fault(self, fault: str | None, model: str) -> tuple[str, Response] | None:
        """Return the answer in which this fault consists, None where it is one of the answer's content or none."""
        answers: dict[str | None, Callable[[], Response]] = {
            "rate_limited": lambda: _error(429, "Rate limit reached for requests."),
            "rate_limited_retry_after": lambda: _error(
                429, "Rate limit reached for requests.", {"retry-after": self.faults.retry_after or "1"}
            ),
            "server_error": lambda: _error(500, "The server had an error while processing your request."),
            "overloaded": lambda: _error(503, "The engine is currently overloaded, please try again later."),
            "dropped": Response,
            "stalled": Response,
            "unauthorized": lambda: _error(401, "Incorrect API key provided."),
            "unknown_model": lambda: _unknown_model(model),
            "quota": lambda: _error(
                429,
                "You exceeded your current quota, please check your plan and billing details.",
                None,
                "insufficient_quota",
            ),
        }
        return (str(fault), answers[fault]()) if fault in answers else None

    async def _embeddings(self, request: Request) -> Response:
        began = time.time()
        body = json.loads(await request.body())
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        self.stats.embeddings += 1
        self.stats.embedded_texts += len(texts)

        def answer(fault: str | None) -> tuple[str, Response]:
            spoilt = self._transport_fault(fault, body["model"])
            if spoilt is not None and spoilt[0] in ("stalled", "dropped"):
                self.stats.bill(body["model"], self._tokens("".join(texts)))
            return spoilt or self._embeddings_answer(request, body, texts, fault == "truncated_body")

        return await self._answered(request, texts, answer, began)

    def _embeddings_answer(
        self, request: Request, body: dict[str, Any], texts: list[str], truncated: bool
    ) -> tuple[str, Response]:
        if not all(texts):
            return "status_400", _error(400, "'$.input' is invalid. Please check the API reference.")
        if self.faults.require_key and request.headers.get("authorization") != f"Bearer {self.faults.require_key}":
            return "unauthorized", _error(401, "Incorrect API key provided.")
        if (failing := self.faults.embedding_fail_on) is not None and any(failing in text for text in texts):
            return f"status_{self.faults.status}", _error(self.faults.status, "The server was told to fail.")
        vectors = [self._embed(text, body.get("dimensions") or EMBEDDING_DIMENSIONS) for text in texts]
        if self.faults.nan_on is not None:
            vectors = [
                np.full_like(each, np.nan) if self.faults.nan_on in text else each
                for each, text in zip(vectors, texts, strict=True)
            ]
        as_base64 = body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector.tobytes()).decode() if as_base64 else vector.tolist(),
            }
            for index, vector in enumerate(vectors)
        ]
        tokens = self._tokens("".join(texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self.stats.bill(body["model"], tokens)
        content = {"object": "list", "data": data, "model": body["model"]}
        if not self.faults.no_usage:
            content["usage"] = usage
        return ("truncated_body", _Truncated(content)) if truncated else ("ok", JSONResponse(content))

    async def _cohere_embed(self, request: Request) -> Response:
        began = time.time()
        body = json.loads(await request.body())
        self.stats.embeddings += 1
        self.stats.embedded_texts += len(body["texts"])

        def answer(fault: str | None) -> tuple[str, Response]:
            if spoilt := self._transport_fault(fault, body.get("model", "")):
                return spoilt
            vectors = [self._embed(text, EMBEDDING_DIMENSIONS).tolist() for text in body["texts"]]
            tokens = self._tokens("".join(body["texts"]))
            self.stats.bill(body.get("model", ""), tokens)
            content = {
                "id": "embed",
                "texts": body["texts"],
                "embeddings": {"float": vectors},
                "meta": {"billed_units": {"input_tokens": tokens}},
            }
            return (
                ("truncated_body", _Truncated(content)) if fault == "truncated_body" else ("ok", JSONResponse(content))
            )

        return await self._answered(request, body["texts"], answer, began)

    def _embed(self, text: str, dimensions: int) -> np.ndarray:
        """Return the unit sum of one random direction a word, so that texts that share words are near each other."""
        total = np.zeros(dimensions, dtype=np.float32)
        for word in _WORD.findall(text.lower()):
            if word in _FILLER:
                continue
            key = f"{word}/{dimensions}"
            if key not in self._word_vectors:
                seed = int.from_bytes(hashlib.md5(word.encode()).digest()[:8], "little")
                vector = np.random.default_rng(seed).standard_normal(dimensions, dtype=np.float32)
                self._word_vectors[key] = vector
            total += self._word_vectors[key]
        length = float(np.linalg.norm(total))
        if not length:
            total[0] = length = 1.0
        return total / length

    async def _show_stats(self, _: Request) -> Response:
        return JSONResponse(self.stats.as_json())

    async def _do_reset(self, _: Request) -> Response:
        latency = self.latency
        self.reset()
        self.latency = latency
        return JSONResponse({"ok": True})

    async def _set_faults(self, request: Request) -> Response:
        self.faults = replace(self.faults, **json.loads(await request.body()))
        return JSONResponse(asdict(self.faults))


class _Truncated(JSONResponse):
    """Half of a body whose length was announced; uvicorn closes the connection when the rest does not come."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _with_connection(app: ASGIApp) -> ASGIApp:
    """Put uvicorn's own view of a request into its scope: ASGI has no word for a connection that breaks."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "connection": receive.__self__}, receive, send)  # type: ignore[attr-defined]

    return wrapped


@contextmanager
def loopback_subprocess(*, latency: float = 0.0) -> Iterator[str]:
    """Run the server in a process of its own, as a measurement needs it, and give its base URL."""
    command = [sys.executable, "-m", "kura_dagster_tests.loopback_server", "--port", "0", "--latency", str(latency)]
    # From the folder that holds this package, which is not installed.
    home = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home)
    try:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        if not base_url:
            raise RuntimeError("the loopback server did not start")
        yield base_url
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


def read_stats(base_url: str) -> dict[str, Any]:
    """Return the counters of the server at this base URL."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats", timeout=10) as answer:
        return json.load(answer)


def reset(base_url: str) -> None:
    """Clear the counters and the faults of the server at this base URL; its latency stays."""
    _post(base_url, "/reset", {})


def set_faults(base_url: str, **faults: Any) -> None:
    """Change fields of `Faults` on the server at this base URL."""
    _post(base_url, "/faults", faults)


def _post(base_url: str, path: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(base_url.removesuffix("/v1") + path, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def question_key(question: str) -> str:
    """Return the key under which the counters hold a question (a prompt, or a text to embed)."""
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Answer:
    """The answer to one prompt, built down the schema. What it is about is the first block between tags."""

    def __init__(self, prompt: str, definitions: dict[str, Any], faults: Faults) -> None:
        self.prompt = prompt
        self.definitions = definitions
        self.faults = faults
        blocks = [(tag, text) for tag, text in _BLOCK.findall(prompt) if not _LIST_TAG.match(f"<{tag}></{tag}>")]
        self.subject = blocks[0][1] if blocks else prompt[-1500:]
        self.words = _keywords(self.subject, 12)

    def value(self, name: str, schema: dict[str, Any]) -> Any:
        """Return a value that fits the schema; `name` is the property's."""
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].rsplit("/", 1)[-1]]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self._draw(len(schema["enum"]))]
        if "allOf" in schema:
            return self.value(name, schema["allOf"][0])
        if "anyOf" in schema:
            return self.value(name, next(each for each in schema["anyOf"] if each.get("type") != "null"))
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return {key: self.value(key, each) for key, each in schema.get("properties", {}).items()}
        if kind == "array":
            return self._list(name, schema)
        if kind == "integer":
            least, most = schema.get("minimum", 1), schema.get("maximum", 5)
            return least + self._draw(most - least + 1)
        if kind == "number":
            return float(schema.get("minimum", 0))
        return False if kind == "boolean" else self._text(name)

    def _draw(self, sides: int) -> int:
        return int(hashlib.md5(self.subject.encode("utf-8", "replace")).hexdigest(), 16) % sides

    def _list(self, name: str, schema: dict[str, Any]) -> list[Any]:
        if "names" in name or "candidate" in name or "categories" in name:
            found = _AT_MOST.search(self.prompt)
            return self._candidates(int(found.group(1)) if found else 3)
        if "error" in name:
            return []
        if "language" in name:
            return ["english"]
        return [self.value(name, schema.get("items", {"type": "string"}))]

    def _candidates(self, at_most: int) -> list[str]:
        if self.faults.identity_labels:
            return [line.partition(":")[0] for line in _lines_of(self.subject)]
        words = _keywords(self.subject, 2 * at_most)
        pairs = zip(words[::2], words[1::2] or words, strict=False)
        return [f"Help with {first} and {second} tasks" for first, second in pairs][:at_most]

    def _text(self, name: str) -> str:
        if "slug" in name:
            return "_".join((self.words * 3)[:3])
        if "name" in name or "title" in name:
            return "Help with everything" if self.faults.same_answer else f"Help with {' '.join(self.words[:3])}"
        offered = self._offered()
        if offered and name not in ("summary", "description"):
            return self._label(offered)
        if "language" in name:
            return "english"
        if name in ("topic", "task"):
            return self.words[0]
        start = re.sub(r"\s+", " ", re.sub(r"<[^>]*>|\[[^\]]*\]", " ", self.subject)).strip()[:160]
        return f"The user asked about {' '.join(self.words[:4])}: {start}" if name == "summary" else start

    def _offered(self) -> list[str]:
        tagged = [each.strip() for each in _OFFERED.findall(self.prompt)]
        if tagged:
            return tagged
        listed = _LIST_TAG.search(self.prompt)
        return _lines_of(listed.group(2)) if listed else []

    def _label(self, offered: list[str]) -> str:
        if self.faults.wrong_labels:
            return NEVER_OFFERED
        if self.faults.identity_labels:
            own = _lines_of(self.subject)[0].partition(":")[0]
            return own if own in offered else offered[0]
        words = set(self.words)
        return max(offered, key=lambda each: (len(words & set(_WORD.findall(each.lower()))), -offered.index(each)))


def _lines_of(text: str) -> list[str]:
    return [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]


def _keywords(text: str, number: int) -> list[str]:
    counts = Counter(word for word in _WORD.findall(text.lower()) if word not in _FILLER)
    return sorted(counts, key=lambda word: (-counts[word], word))[:number] or ["things"]


def _text_of(messages: list[dict[str, Any]]) -> str:
    parts = []
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, list):
            content = " ".join(part.get("text", "") for part in content)
        parts.append(content)
    return "\n".join(parts)


def _sent_text(body: dict[str, Any]) -> str:
    """Return what a provider's tokenizer would see of a request: the messages, with calls of tools, and the schemas."""
    calls = [message["tool_calls"] for message in body["messages"] if message.get("tool_calls")]
    schemas = [body[name] for name in ("tools", "response_format") if name in body]
    return _text_of(body["messages"]) + "".join(json.dumps(each, ensure_ascii=False) for each in [*calls, *schemas])


def _question_of(messages: list[dict[str, Any]]) -> str:
    """Return the text up to the first user message: what comes after repeats the question with what was wrong."""
    first = next((at for at, message in enumerate(messages) if message["role"] == "user"), len(messages))
    return _text_of(messages[: first + 1])


def _spoilt(content: str, fault: str | None, schema: dict[str, Any]) -> str:
    """Return the content as it is after one of `ANSWER_FAULTS`."""
    if fault == "invalid_json":
        return "Sure! Here is what you asked for: {summary: it's a chat,,}"
    if fault in ("truncated_json", "cut_off"):
        return content[: len(content) // 2]
    if fault in ("missing_field", "wrong_type"):
        value = json.loads(content)
        name = (schema.get("required") or list(value))[0]
        if fault == "missing_field":
            del value[name]
        else:
            value[name] = {"not": ["what", "was", "asked"]}
        return json.dumps(value)
    return content


def _asked_schema(body: dict[str, Any], prompt: str) -> tuple[str, dict[str, Any], bool]:
    """Return name and schema of the answer that is asked for, and whether it goes into a tool call."""
    if tools := body.get("tools"):
        function = tools[0]["function"]
        return function["name"], function.get("parameters", {}), True
    response_format = body.get("response_format") or {}
    if response_format.get("type") == "json_schema":
        asked = response_format["json_schema"]
        return asked.get("name", "answer"), asked["schema"], False
    start = prompt.find("{", prompt.find("json_schema"))
    if response_format.get("type") == "json_object" and start >= 0:
        schema, _ = json.JSONDecoder().raw_decode(prompt, start)
        return schema.get("title", "answer"), schema, False
    return "text", {"type": "object", "properties": {}}, False


def _completion(
    number: int, model: str, name: str, content: str, as_tool: bool, tokens: tuple[int, int], fault: str | None
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if as_tool else content, "refusal": None}
    if fault == "refusal":
        message |= {"content": None, "refusal": "I'm sorry, I can't help with that."}
    elif as_tool:
        call = {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": content}}
        message["tool_calls"] = [call]
    finish_reason = "length" if fault == "cut_off" else "stop"
    asked, answered = tokens
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
    }


def _error(status: int, message: str, headers: Mapping[str, str] | None = None, code: str | None = None) -> Response:
    error = {"message": message, "type": code or "error", "code": code, "param": None}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def _unknown_model(model: str) -> Response:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return _error(404, message, None, "model_not_found")


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8900, help="0 lets the system choose; the URL is printed")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that each answer takes")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help="; ".join(f"{kind}: {what}" for kind, what in FAULT_KINDS.items()),
    )
    parser.add_argument("--capacity", type=int, help="more requests in flight than this get 429")
    arguments = parser.parse_args()
    shares = {kind: float(share) for kind, _, share in (each.partition("=") for each in arguments.fault)}
    faults = Faults(shares=shares, capacity=arguments.capacity)
    LoopbackServer(port=arguments.port, latency=arguments.latency, faults=faults).serve()


if __name__ == "__main__":
    main()
