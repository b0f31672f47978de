"""A language model that lives on 127.0.0.1: the OpenAI protocol, answers made from the question, faults on demand.

The tests and the benchmarks speak to it over real sockets. It understands chat completions (tools, `json_schema`,
`json_object`), embeddings in OpenAI's and in Cohere's form, and answers what a sensible model might: names from the
keywords of what it was shown, a label from the candidates it was offered. It knows schemas and the shape of delimited
prompts, and nothing of the pipeline, so other clients can be measured against it too.

    python -m kura_dagster_tests.loopback_server --port 8900 --latency 0.2

`GET /stats` answers the counters, `POST /reset` clears them and the faults, `POST /faults` sets faults.
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
from collections.abc import Iterator
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


@dataclass
class Faults:
    """What goes wrong. Counts are of chat requests: `every=3` means the third, sixth, ninth …; 0 means never."""

    status_every: int = 0
    status: int = 500
    retry_after: str | None = None
    bad_json_every: int = 0
    fail_on: str | None = None  # a prompt that holds this text gets `status`
    wrong_labels: bool = False  # labels that were never offered
    identity_labels: bool = False  # candidates and labels are the clusters' own names
    require_key: str | None = None
    known_models: tuple[str, ...] | None = None
    same_answer: bool = False  # the same name for every group


@dataclass
class Stats:
    """Counters since the start or the last reset. `prompts` keeps the last thousand, for tests in this process."""

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
    prompts: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    bodies: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))

    def as_json(self) -> dict[str, Any]:
        """Return the counters without the prompts."""
        return {name: value for name, value in self.__dict__.items() if name not in ("prompts", "bodies")} | {
            "by_schema": dict(self.by_schema)
        }


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
            Starlette(routes=routes),
            log_level="error",
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
        stats.first = stats.first or began
        stats.in_flight += 1
        stats.max_in_flight = max(stats.max_in_flight, stats.in_flight)
        try:
            # Answered first and waited for then: the latency holds for the whole, and what making the answer costs
            # does not add to it.
            answer = self._chat_answer(request, body, number)
            await self._wait(began)
            return answer
        finally:
            stats.in_flight -= 1
            stats.last = time.time()

    def _chat_answer(self, request: Request, body: dict[str, Any], number: int) -> Response:
        stats, faults = self.stats, self.faults
        prompt = _text_of(body["messages"])
        stats.prompts.append(prompt)
        stats.bodies.append(body)
        stats.prompt_characters += len(prompt)
        refusal = self._refusal(request, body, prompt, number)
        if refusal is not None:
            stats.faults += 1
            return refusal
        name, schema, as_tool = _asked_schema(body, prompt)
        stats.by_schema[name] += 1
        content = json.dumps(_Answer(prompt, schema.get("$defs", {}), faults).value("", schema))
        if faults.bad_json_every and number % faults.bad_json_every == 0:
            stats.faults += 1
            content = content[: len(content) // 2]
        stats.answer_characters += len(content)
        return JSONResponse(_completion(number, body["model"], name, content, as_tool, len(prompt)))

    async def _wait(self, began: float) -> None:
        """Sleep for what is left of the latency since `began`, a reading of `time.time`."""
        left = began + self.latency - time.time()
        if left > 0:
            # In whole milliseconds, upwards: uvloop rounds to them, and an answer must not come early.
            await asyncio.sleep(math.ceil(left * 1000) / 1000)

    def _refusal(self, request: Request, body: dict[str, Any], prompt: str, number: int) -> Response | None:
        faults = self.faults
        if faults.require_key and request.headers.get("authorization") != f"Bearer {faults.require_key}":
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            return _error(401, f"Incorrect API key provided: {sent}.")
        if faults.known_models is not None and body["model"] not in faults.known_models:
            return _error(404, f"The model `{body['model']}` does not exist or you do not have access to it.")
        marked = faults.fail_on is not None and faults.fail_on in prompt
        if marked or (faults.status_every and number % faults.status_every == 0):
            headers = {"retry-after": faults.retry_after} if faults.retry_after else None
            return _error(faults.status, "The server was told to fail.", headers)
        return None

    async def _embeddings(self, request: Request) -> Response:
        began = time.time()
        body = json.loads(await request.body())
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        with self._counted(texts):
            answer = self._embeddings_answer(request, body, texts)
            await self._wait(began)
            return answer

    def _embeddings_answer(self, request: Request, body: dict[str, Any], texts: list[str]) -> Response:
        if not all(texts):
            return _error(400, "'$.input' is invalid. Please check the API reference.")
        if self.faults.require_key and request.headers.get("authorization") != f"Bearer {self.faults.require_key}":
            return _error(401, "Incorrect API key provided.")
        vectors = [self._embed(text, body.get("dimensions") or EMBEDDING_DIMENSIONS) for text in texts]
        as_base64 = body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector.tobytes()).decode() if as_base64 else vector.tolist(),
            }
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(map(len, texts)) // 4
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})

    async def _cohere_embed(self, request: Request) -> Response:
        began = time.time()
        body = json.loads(await request.body())
        with self._counted(body["texts"]):
            vectors = [self._embed(text, EMBEDDING_DIMENSIONS).tolist() for text in body["texts"]]
            await self._wait(began)
            return JSONResponse({"id": "embed", "texts": body["texts"], "embeddings": {"float": vectors}})

    @contextmanager
    def _counted(self, texts: list[str]) -> Iterator[None]:
        stats = self.stats
        stats.embeddings += 1
        stats.embedded_texts += len(texts)
        stats.in_flight += 1
        stats.max_in_flight = max(stats.max_in_flight, stats.in_flight)
        try:
            yield
        finally:
            stats.in_flight -= 1

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
            return "Nothing that was ever offered"
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
    number: int, model: str, name: str, content: str, as_tool: bool, prompt_characters: int
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None if as_tool else content, "refusal": None}
    if as_tool:
        call = {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": content}}
        message["tool_calls"] = [call]
    asked, answered = prompt_characters // 4, len(content) // 4
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
    }


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "type": "error"}}, status_code=status, headers=headers)


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8900, help="0 lets the system choose; the URL is printed")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that each answer takes")
    arguments = parser.parse_args()
    LoopbackServer(port=arguments.port, latency=arguments.latency).serve()


if __name__ == "__main__":
    main()
