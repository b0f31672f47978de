"""`dagster dev` as a process, driven through GraphQL as the UI does: for tests and for the injection of faults."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).parents[1]


class DagsterDev:
    """`dagster dev` in a folder of its own, for the length of a with block."""

    def __init__(self, home: Path, environment: dict[str, str], location: str = "own_location") -> None:
        shutil.copy(PROJECT / "dagster.yaml", home)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.log = home / "dagster-dev.log"
        command = [sys.executable, "-m", "dagster", "dev", "-m", f"kura_dagster_tests.{location}"]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", self.url.rsplit(":", 1)[1]],
            cwd=home,
            env=os.environ | environment | {"DAGSTER_HOME": str(home), "PYTHONPATH": str(PROJECT)},
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> DagsterDev:
        self.wait_for(lambda: self.query("{ workspaceOrError { ... on Workspace { id } } }"))
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def query(self, query: str, **variables: object) -> dict:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def wait_for(self, condition, seconds: float = 120):
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.5)
