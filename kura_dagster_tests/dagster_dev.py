"""`dagster dev` in a folder of its own, driven through GraphQL as the UI does: for tests, benchmarks and faults."""

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

from dagster._core.storage.tags import PARTITION_NAME_TAG

from kura_dagster.orchestration.jobs import JOB_NAME

PROJECT = Path(__file__).parents[1]


class DagsterDev:
    """`dagster dev` in a folder of its own, for the length of a with block.

    Args:
        home: gets the project's dagster.yaml, where it has none yet, and the run history.
        environment: variables that are added to those of this process.
        location: how `dagster dev` is told what to load.
    """

    def __init__(self, home: Path, environment: dict[str, str], *location: str) -> None:
        if not (home / "dagster.yaml").exists():
            shutil.copy(PROJECT / "dagster.yaml", home)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.log = home / "dagster-dev.log"
        command = [sys.executable, "-m", "dagster", "dev", *location]
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

    def analysis_job(self) -> dict[str, str]:
        """Return how GraphQL is told of the job over all assets; KeyError or ValueError while it is not loaded."""
        (repository,) = self.query(REPOSITORIES)["repositoriesOrError"]["nodes"]
        return {
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
            "jobName": JOB_NAME,
        }

    def launch_run(self, selector: dict[str, str], day: str) -> str | None:
        """Launch a run of a job for a day, as the UI does, and return its id; None where it was not launched."""
        tags = [{"key": PARTITION_NAME_TAG, "value": day}]
        run = {"selector": selector, "runConfigData": "{}", "executionMetadata": {"tags": tags}}
        launched = self.query(LAUNCH_RUN, run=run)["launchRun"]
        return launched["run"]["id"] if launched["__typename"] == "LaunchRunSuccess" else None

    def wait_for(self, condition, seconds: float = 120, pause: float = 0.5):
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if found := condition():
                    return found
            except OSError:
                pass
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(pause)


REPOSITORIES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
LAUNCH_RUN = """
mutation Launch($run: ExecutionParams!) {
  launchRun(executionParams: $run) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on PythonError { message }
  }
}
"""
LAUNCH = """
mutation Launch($backfill: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfill) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
  }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { id status startTime endTime tags { key value } } } } }"
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status numPartitions runs { id status tags { key value } } error { message } }
  }
}
"""
