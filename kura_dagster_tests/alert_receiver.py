"""A webhook on loopback: it keeps what is posted to it and answers as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "T0KEN-that-nobody-may-see"


@dataclass
class Answer:
    """How a post is answered; `hangs` says for how many seconds it is not."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0.0


class AlertReceiver:
    """Answers with `next_answers` one after the other, and then with `answer`; `taken` are the alerts it said 2xx to.

    What it says quotes the secret path, as some servers do.
    """

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.taken: list[dict[str, Any]] = []
        self.answer = Answer()
        self.next_answers: deque[Answer] = deque()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["content-type"] == "application/json"
                receiver._take(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def do_GET(self) -> None:
                receiver.paths.append(f"GET {self.path}")
                self.send_error(405)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/{SECRET}"

    def _take(self, handler: BaseHTTPRequestHandler, alert: dict[str, Any]) -> None:
        self.posts.append(alert)
        self.paths.append(handler.path)
        self.times.append(time.monotonic())
        answer = self.next_answers.popleft() if self.next_answers else self.answer
        time.sleep(answer.hangs)
        if answer.status < 300:
            self.taken.append(alert)  # before the other side knows
        try:
            handler.send_response(answer.status, f"says {SECRET}")
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(f"cannot POST {handler.path}".encode())
        except OSError:
            return  # nobody waits for it any more

    def __enter__(self) -> AlertReceiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
