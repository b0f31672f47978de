"""A server that answers whatever a test says, where the loopback server would answer as a sensible provider."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Reply:
    """A status, a body and its headers; with `seconds_a_byte` the body trickles."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    seconds_a_byte: float = 0.0


Script = Callable[[dict[str, Any]], Reply]


def completion(body: Mapping[str, Any], arguments: Mapping[str, Any] | str) -> Reply:
    """Return a chat completion that calls the tool of a request's `body` with these arguments."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {
        "id": "call",
        "type": "function",
        "function": {"name": body["tools"][0]["function"]["name"], "arguments": text},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {
        "id": "chatcmpl",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
    }
    return Reply(json.dumps(whole))


def error_reply(status: int, message: str = "no", **headers: str) -> Reply:
    """Return an error in OpenAI's form; `headers` are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(json.dumps({"error": {"message": message}}), status, named)


@contextmanager
def scripted(monkeypatch: pytest.MonkeyPatch, script: Script) -> Iterator[list[dict[str, Any]]]:
    """Answer as the script says where OpenAI's client looks for OpenAI, and give the bodies of the requests so far."""
    bodies: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                bodies.append(body)
                reply = script(body)
            content = reply.body.encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", reply.content_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            try:
                if not reply.seconds_a_byte:
                    self.wfile.write(content)
                for byte in content if reply.seconds_a_byte else b"":
                    self.wfile.write(bytes([byte]))
                    time.sleep(reply.seconds_a_byte)
            except OSError:
                self.close_connection = True  # the client has given up

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
        try:
            yield bodies
        finally:
            server.shutdown()
            thread.join()
