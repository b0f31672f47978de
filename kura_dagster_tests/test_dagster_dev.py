"""The real thing: `dagster dev` with its webserver, daemon and code server, driven through GraphQL as the UI does."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pandas as pd
import pytest

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.freshness import CHECK_NAME
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import TABLES
from kura_dagster_tests import rows
from kura_dagster_tests.alert_receiver import SECRET, AlertReceiver, Answer
from kura_dagster_tests.conftest import land_day
from kura_dagster_tests.dagster_dev import LAUNCH, PROJECT, RUNS, STATUS, DagsterDev
from kura_dagster_tests.own_location import FAILS, STALLS
from kura_dagster_tests.own_models import own_models

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

DAYS = [f"2026-11-{day:02}" for day in range(2, 13)]
PARTITIONS_PER_RUN = 6
LATER_DAYS = ["2026-11-13", "2026-11-14", "2026-11-15"]
ASSETS = [
    "conversations",
    "summaries",
    "embeddings",
    "base_clusters",
    "meta_clusters",
    "projections",
    "conversation_projections",
]


STEPS_OF_RUN = "query Steps($id: ID!) { runOrError(runId: $id) { ... on Run { stepStats { stepKey status } } } }"


class Own(NamedTuple):
    dagster_dev: DagsterDev
    landing: Path
    database: Database
    receiver: AlertReceiver


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Iterator[Own]:
    """`dagster dev` over the user's own models, and an empty landing folder in which each test has days of its own."""
    home = tmp_path_factory.mktemp("own")
    landing, database = home / "landing", home / "kura.duckdb"
    landing.mkdir()
    environment = {
        "KURA_DATABASE": str(database),
        "KURA_CONVERSATIONS": str(landing),
        "KURA_PARTITIONS_PER_RUN": str(PARTITIONS_PER_RUN),
    }
    with (
        AlertReceiver() as receiver,
        DagsterDev(
            home,
            environment | {"KURA_ALERT_WEBHOOK": receiver.url},
            "-m",
            "kura_dagster_tests.own_location",
        ) as dagster_dev,
    ):
        yield Own(dagster_dev, landing, Database(database), receiver)


def test_a_backfill_through_graphql_gives_row_for_row_what_a_range_gives(own, settings):
    """What a range gives is what single days give: see test_assets."""
    for number, day in enumerate(DAYS):
        for folder in (own.landing, settings.conversations):
            land_day(folder, day, number * 2 % 9)
    launched = own.dagster_dev.query(
        LAUNCH, backfill={"partitionNames": DAYS, "assetSelection": [{"path": [name]} for name in ASSETS]}
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def finished():
        backfill = own.dagster_dev.query(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        return backfill if backfill["status"] not in ("REQUESTED", "CANCELING") else None

    backfill = own.dagster_dev.wait_for(finished, seconds=300)
    assert backfill["status"] == "COMPLETED_SUCCESS", backfill
    assert len(backfill["runs"]) == 2, "the backfill policy puts at most six days into a run"
    for run in backfill["runs"]:
        steps = own.dagster_dev.query(STEPS_OF_RUN, id=run["id"])["runOrError"]["stepStats"]
        made = {step["stepKey"] for step in steps if step["status"] == "SUCCESS"}
        assert made.issuperset(ASSETS), "all assets of a batch are in its run"

    with dg.DagsterInstance.ephemeral() as instance:
        assert materialise(build_defs(settings, **own_models()), DAYS, instance).success
    of_range, ends = Database(settings.database), (date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[-1]))
    for table in TABLES.values():
        pd.testing.assert_frame_equal(own.database.frame(table, *ends), of_range.frame(table))
    assert len(of_range.frame(TABLES["conversations"])) == sum(number * 2 % 9 for number in range(len(DAYS)))


def test_runs_that_ask_a_language_model_wait_for_one_another(tmp_path, settings, server, land):
    days = DAYS[:3]
    for day in days:
        land(day, 6)
    server.latency = 0.3
    environment = {
        "KURA_DATABASE": str(settings.database),
        "KURA_CONVERSATIONS": str(settings.conversations),
        "KURA_LANGUAGE_MODEL": "openai/gpt-4o-mini",
        "KURA_MAX_CONCURRENT_REQUESTS": "1",
        "KURA_TEMPERATURE": "0.3",
    }
    # The command line makes the pool: of the first runs it ever sees, Dagster lets two through.
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    command = [sys.executable, "-c", "from kura_dagster.cli import app; app()", "status"]
    subprocess.run(command, env=os.environ | environment | {"DAGSTER_HOME": str(tmp_path)}, check=True, timeout=60)
    with DagsterDev(tmp_path, environment, "-m", "kura_dagster_tests.asking_location") as dagster_dev:
        job = dagster_dev.analysis_job()
        for day in days:
            assert dagster_dev.launch_run(job, day)

        def finished():
            runs = dagster_dev.query(RUNS)["runsOrError"]["results"]
            return runs if len(runs) == len(days) and all(run["endTime"] for run in runs) else None

        runs = sorted(dagster_dev.wait_for(finished), key=lambda run: run["startTime"])
    assert [run["status"] for run in runs] == ["SUCCESS"] * len(days)
    for before, after in pairwise(runs):
        assert before["endTime"] <= after["startTime"]


def test_what_is_landed_is_analysed_without_being_asked_for(own):
    """The daemon's own ticks: a first landing, then one late conversation for a day that is long done."""

    def runs() -> list[dict]:
        found = own.dagster_dev.query(RUNS)["runsOrError"]["results"]
        asked_by_sensor = {"key": "dagster/sensor_name", "value": "landed_conversations"}
        return [run for run in found if asked_by_sensor in run["tags"]]

    def settled(count: int):
        return own.dagster_dev.wait_for(lambda: len(found := runs()) == count and all(r["endTime"] for r in found))

    def counts() -> list[int]:
        stored = own.database.row_counts()["conversations"]
        return [stored.get(date.fromisoformat(day), 0) for day in LATER_DAYS]

    for day, count in zip(LATER_DAYS, (4, 6, 8), strict=True):
        land_day(own.landing, day, count)
    own.dagster_dev.query(START_SENSOR, selector=_sensor_of(own.dagster_dev))
    settled(1)
    assert counts() == [4, 6, 8]
    with (own.landing / f"{LATER_DAYS[1]}.jsonl").open("r+") as file:
        late = json.loads(file.readline()) | {"chat_id": "late"}
        file.seek(0, os.SEEK_END)
        file.write(json.dumps(late) + "\n")
    settled(2)
    assert {run["status"] for run in runs()} == {"SUCCESS"}
    assert counts() == [4, 7, 8]
    stopped = own.dagster_dev.query(STOP_SENSOR, id=_sensor_id(own.dagster_dev))
    assert stopped["stopSensor"]["__typename"] == "StopSensorMutationResult", stopped


def test_a_missing_day_is_red_in_the_ui_without_a_run(own):
    """The sensor's first look: yesterday was never analysed."""

    def red() -> bool:
        node = own.dagster_dev.query(CHECKS)["assetNodeOrError"]
        (check,) = [each for each in node["assetChecksOrError"]["checks"] if each["name"] == CHECK_NAME]
        shown = check["executionForLatestMaterialization"]
        return bool(shown) and shown["status"] == "FAILED" and "Missing: " in shown["evaluation"]["description"]

    own.dagster_dev.query(START_SENSOR, selector=_sensor_of(own.dagster_dev) | {"sensorName": "freshness"})
    own.dagster_dev.wait_for(red)


CHECKS = """
{ assetNodeOrError(assetKey: {path: ["conversation_projections"]}) { ... on AssetNode { assetChecksOrError {
  ... on AssetChecks { checks { name executionForLatestMaterialization { status evaluation { description } } } }
} } } }
"""


def test_a_run_that_fails_and_one_that_is_killed_reach_the_webhook_and_the_secret_nothing_else(own):
    """Nobody switched the sensors on; the webhook is out of order at first, and what fails meanwhile is not lost."""

    def ticks() -> list[dict]:
        sensor = own.dagster_dev.query(TICKS, selector=_sensor_of(own.dagster_dev, "failed_runs"))["sensorOrError"]
        return sensor["sensorState"]["ticks"]

    own.dagster_dev.wait_for(ticks)
    own.receiver.answer = Answer(404)
    failing, stalling = TROUBLE
    _land_request(own.landing, failing, FAILS)
    assert own.dagster_dev.launch_run(own.dagster_dev.analysis_job(), failing)
    own.dagster_dev.wait_for(lambda: any(tick["status"] == "FAILURE" for tick in ticks()))
    (error, *_) = [tick["error"] for tick in ticks() if tick["error"]]
    assert "the alert did not reach 127.0.0.1: it answered 404 Not Found." in error["causes"][0]["message"]
    own.receiver.answer = Answer(200)
    own.dagster_dev.wait_for(lambda: own.receiver.taken)

    _land_request(own.landing, stalling, STALLS)
    assert own.dagster_dev.launch_run(own.dagster_dev.analysis_job(), stalling)
    # Dagster itself says which process runs it.
    os.kill(int(own.dagster_dev.wait_for(lambda: _process_of_run(own.dagster_dev, stalling))), signal.SIGKILL)
    own.dagster_dev.wait_for(lambda: len(own.receiver.taken) > 1)

    failed, killed = own.receiver.taken
    assert (failed["kind"], failed["job"]) == ("run_failed", JOB_NAME)
    assert failed["partitions"] == {"first": failing, "last": failing}
    assert [fault["asset"] for fault in failed["faults"]] == ["summaries"]
    assert failed["faults"][0]["reason"] == f"{failing}: RuntimeError; the run's log has what it says"
    assert killed["partitions"] == {"first": stalling, "last": stalling}
    assert [fault["asset"] for fault in killed["faults"]] == [None]
    home = own.dagster_dev.log.parent
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name == "schedules.db" for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


TROUBLE = ["2026-11-17", "2026-11-18"]
TICKS = """
query Ticks($selector: SensorSelector!) {
  sensorOrError(sensorSelector: $selector) {
    ... on Sensor { sensorState { ticks(limit: 50) { status error { message causes { message } } } } }
  }
}
"""
EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id) { ... on EventConnection { events { __typename ... on MessageEvent { message stepKey } } } }
}
"""


def _land_request(landing: Path, day: str, text: str) -> None:
    conversation = rows.conversation(1, text, datetime.fromisoformat(f"{day}T08:00:00+00:00"))
    (landing / f"{day}.jsonl").write_text(conversation.model_dump_json() + "\n")


def _process_of_run(dagster_dev: DagsterDev, day: str) -> str | None:
    """Return the process of the day's run once it summarises."""
    for run in dagster_dev.query(RUNS)["runsOrError"]["results"]:
        if day in [tag["value"] for tag in run["tags"]]:
            events = dagster_dev.query(EVENTS, id=run["id"])["logsForRun"]["events"]
            if any(e["__typename"] == "ExecutionStepStartEvent" and e["stepKey"] == "summaries" for e in events):
                return next(found[1] for e in events if (found := re.search(r"\(pid: (\d+)\)", e.get("message", ""))))
    return None


START_SENSOR = """
mutation Start($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename } }
"""


STOP_SENSOR = "mutation Stop($id: String!) { stopSensor(id: $id) { __typename } }"
SENSOR = """
query OurSensor($selector: SensorSelector!) {
  sensorOrError(sensorSelector: $selector) { ... on Sensor { sensorState { id } } }
}
"""


def _sensor_id(dagster_dev: DagsterDev) -> str:
    return dagster_dev.query(SENSOR, selector=_sensor_of(dagster_dev))["sensorOrError"]["sensorState"]["id"]


def _sensor_of(dagster_dev: DagsterDev, name: str = "landed_conversations") -> dict[str, str]:
    locations = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
    (repository,) = dagster_dev.query(locations)["repositoriesOrError"]["nodes"]
    return {
        "repositoryName": repository["name"],
        "repositoryLocationName": repository["location"]["name"],
        "sensorName": name,
    }
