"""Alerts of real runs over real HTTP: each failure is told of once, whatever the webhook does, and no secret shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG
from dagster._core.test_utils import create_run_for_test, freeze_time
from dagster._utils.error import serializable_error_info_from_exc_info

from kura_dagster.orchestration import webhook
from kura_dagster.orchestration.alerts import FAILED_CHECKS, FAILED_RUNS, MISSING_PARTITIONS, RETRY_STARTS_WITHIN
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.freshness import CHECK_NAME
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.webhook import DeliveryError
from kura_dagster.pipeline.failures import ProviderDownError
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import META_CLUSTERS
from kura_dagster_tests.alert_receiver import SECRET, AlertReceiver, Answer
from kura_dagster_tests.own_models import OpeningTurns, own_models

DAY = "2026-11-02"
DAYS = ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"]
HOSTILE = "<!channel> @everyone see https://evil.example"


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(webhook, "TRIES_END_AFTER", 1.0)


class Failing(OpeningTurns):
    """Raises an error for conversations of some days, or of all."""

    def __init__(self, error: Exception, *days: str) -> None:
        super().__init__()
        self._error = error
        self._days = days or ("",)

    async def summarise(self, conversations, *arguments, **options):
        if conversations[0].chat_id.startswith(self._days):
            raise self._error
        return await super().summarise(conversations, *arguments, **options)


class Alerts:
    """The project with its two sensors, and the cursors that the daemon would keep for them."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, receiver: AlertReceiver) -> None:
        self.settings = settings
        self.instance = instance
        self.receiver = receiver
        self.cursors: dict[str, str | None] = {FAILED_RUNS: None, FAILED_CHECKS: None}
        self.use()

    def use(self, *others: dg.Definitions, severity: str = "error", schedules: str = "off", **models: Any) -> None:
        """Take these models, and what others define beside the project, and let the sensors begin from here."""
        settings = Settings.load(
            **self.settings.model_dump()
            | {"alert_webhook": self.receiver.url, "alert_severity": severity, "ui_url": "http://ui.example/"}
            | {"schedules": schedules}
        )
        self.defs = dg.Definitions.merge(build_defs(settings, **own_models(**models)), *others)
        self.look()

    def look(self) -> list[dict[str, Any]]:
        """Let both sensors look, and return the alerts that the webhook took."""
        before = len(self.receiver.taken)
        for name in self.cursors:
            self.look_of(name)
        return self.receiver.taken[before:]

    def look_of(self, name: str) -> str:
        """Let one sensor look, and return what its tick says."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursors[name], repository_def=self.defs.get_repository_def()
        )
        tick = self.defs.resolve_sensor_def(name).evaluate_tick(context)
        assert not tick.run_requests
        self.cursors[name] = tick.cursor
        return tick.skip_message

    def run(self, *days: str) -> str:
        return materialise(self.defs, list(days), self.instance).run_id


@pytest.fixture
def alerts(settings, instance, receiver) -> Alerts:
    return Alerts(settings, instance, receiver)


def test_there_are_sensors_only_with_a_webhook_and_then_they_are_on(settings, alerts):
    assert {FAILED_RUNS, FAILED_CHECKS}.isdisjoint(each.name for each in build_defs(settings, **own_models()).sensors)
    for name in (FAILED_RUNS, FAILED_CHECKS):
        assert alerts.defs.resolve_sensor_def(name).default_status is dg.DefaultSensorStatus.RUNNING


def test_a_run_that_failed_is_told_of_once_with_its_days_and_reasons(alerts, land):
    for day in DAYS:
        land(day, 2)
    alerts.use(summary_model=Failing(ProviderDownError("no answer from openai: see its status page"), DAYS[2]))
    run_id = alerts.run(*DAYS)
    (alert,) = alerts.look()
    assert alert["kind"] == "run_failed"
    assert alert["partitions"] == {"first": DAYS[0], "last": DAYS[-1]}
    assert (alert["run_id"], alert["job"]) == (run_id, JOB_NAME)
    assert alert["link"] == f"http://ui.example/runs/{run_id}"
    (fault,) = alert["faults"]
    assert (fault["asset"], fault["check"], fault["severity"]) == ("summaries", None, "error")
    assert fault["reason"] == f"{DAYS[2]}, {DAYS[3]}, {DAYS[4]}: no answer from openai: see its status page"
    assert alert["text"].startswith(f"A run of {DAYS[0]} to {DAYS[-1]} failed.\n`summaries`\n")
    assert alerts.look() == []


def test_the_text_of_an_error_that_is_not_ours_stays_here(alerts, land):
    for day in DAYS:
        land(day, 2)
    alerts.use(summary_model=Failing(RuntimeError("can't summarise 'reset my password please'")))
    alerts.run(*DAYS)
    (alert,) = alerts.look()
    (fault,) = alert["faults"]
    assert fault["reason"] == f"{', '.join(DAYS[:3])} and 2 more: RuntimeError; the run's log has what it says"
    assert "password" not in str(alert)


def test_an_error_outside_of_the_partitions_is_told_too(alerts, land, settings):
    land(DAY, 2)
    settings.database.write_text("no database")
    alerts.run(DAY)
    (alert,) = alerts.look()
    assert [fault["asset"] for fault in alert["faults"]] == ["conversations"]
    assert f"{settings.database} is no database that DuckDB" in alert["faults"][0]["reason"]


def test_what_failed_before_the_first_look_is_not_told(alerts, land):
    land(DAY, 2)
    alerts.use(summary_model=Failing(RuntimeError("no")))
    alerts.run(DAY)
    alerts.cursors = dict.fromkeys(alerts.cursors)
    assert alerts.look() == []
    alerts.run(DAY)
    assert len(alerts.look()) == 1


@pytest.fixture
def broken_line(settings, land) -> None:
    """A line that makes a check warn."""
    land(DAY, 3)
    with (settings.conversations / f"{DAY}.jsonl").open("a") as file:
        file.write('{"chat_id": "broken\n')


@pytest.mark.parametrize(("severity", "told"), [("error", []), ("warn", [("conversations", "every_line_was_read")])])
def test_a_check_that_warns_is_told_where_warnings_are_asked_for(alerts, broken_line, severity, told):
    alerts.use(severity=severity)
    run_id = alerts.run(DAY)
    found = alerts.look()
    assert [(fault["asset"], fault["check"]) for alert in found for fault in alert["faults"]] == told
    for alert in found:
        assert (alert["kind"], alert["run_id"]) == ("checks_failed", run_id)
        assert alert["partitions"] == {"first": DAY, "last": DAY}
        assert alert["text"].startswith(f"A check of {DAY} failed.\n`conversations` `every_line_was_read` (warn)\n")
        assert "partition 2026-11-02: 2026-11-02.jsonl line 4" in alert["faults"][0]["reason"]
    assert alerts.look() == []


@dg.asset_check(asset="summaries", name="tone")
def tone() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description=HOSTILE)


@dg.asset_check(asset="embeddings", name="length")
def length() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


def test_several_checks_of_a_run_are_one_alert_and_hostile_ones_ping_nobody(alerts, land):
    land(DAY, 2)
    checks = dg.define_asset_job("checks", selection=dg.AssetSelection.checks(*tone.check_keys, *length.check_keys))
    alerts.use(dg.Definitions(asset_checks=[tone, length], jobs=[checks]))
    assert alerts.defs.resolve_job_def("checks").execute_in_process(instance=alerts.instance).success
    (alert,) = alerts.look()
    assert {fault["check"]: fault["severity"] for fault in alert["faults"]} == {"tone": "error", "length": "error"}
    assert alert["partitions"] is None
    assert alert["text"].startswith("2 checks failed.\n")
    assert "&lt;!channel&gt; @\u200beveryone see https:\u200b//evil.example" in alert["text"]
    assert alerts.look() == []


def test_a_check_that_fails_its_run_is_one_alert_of_the_run(alerts, land, settings):
    land(DAY, 8)
    checks = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    alerts.use(dg.Definitions(asset_checks=[tone], jobs=[checks]))
    alerts.run(DAY)
    alerts.look()
    database, day = Database(settings.database), date.fromisoformat(DAY)
    children = [row for row in database.load(META_CLUSTERS, day) if row.parent_id is not None]
    assert children
    database.replace_partitions({META_CLUSTERS: {day: children}})
    job = alerts.defs.resolve_job_def("checks")
    assert not job.execute_in_process(instance=alerts.instance, raise_on_error=False).success
    (alert,) = alerts.look()
    assert alert["kind"] == "run_failed"
    told = {(fault["asset"], fault["check"]): fault["reason"] for fault in alert["faults"]}
    assert "partition 2026-11-02" in told["meta_clusters", "hierarchy_is_a_tree"]
    assert told["summaries", "tone"] == HOSTILE
    assert all(check for _, check in told), "no step that only repeats that a check failed"
    assert alerts.look() == []


def started_run(alerts: Alerts, **arguments: Any) -> dg.DagsterRun:
    tags = {"dagster/partition": DAY} | arguments.pop("tags", {})
    return create_run_for_test(
        alerts.instance, job_name=JOB_NAME, status=dg.DagsterRunStatus.STARTED, tags=tags, **arguments
    )


def test_a_run_that_was_killed_is_told_of_once(alerts):
    run = started_run(alerts)
    alerts.instance.report_run_failed(run, "Process 7, which ran it, has ended. What it stored is kept.")
    alerts.instance.report_run_failed(run, "It was not dead, and failed all the same.")
    (alert,) = [alert for _ in range(3) for alert in alerts.look()]
    (fault,) = alert["faults"]
    assert (fault["asset"], fault["check"]) == (None, None)
    assert fault["reason"] == "Process 7, which ran it, has ended. What it stored is kept."


def test_a_run_that_somebody_canceled_is_no_failure(alerts):
    canceled, interrupted = started_run(alerts), started_run(alerts)
    alerts.instance.report_run_canceled(canceled)
    # As the command line does after Ctrl-C between two steps.
    alerts.instance.report_run_failed(interrupted)
    alerts.instance.report_run_canceled(interrupted)
    assert alerts.look() == []


def test_a_run_of_another_code_location_is_not_ours(alerts):
    other = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("other"), "__repository__")
    run = started_run(alerts, remote_job_origin=RemoteJobOrigin(other, JOB_NAME))
    alerts.instance.report_run_failed(run)
    unknown = create_run_for_test(alerts.instance, job_name="of_somebody_else", status=dg.DagsterRunStatus.STARTED)
    alerts.instance.report_run_failed(unknown)
    assert alerts.look() == []


@pytest.fixture
def retrying_alerts(settings, receiver) -> Iterator[Alerts]:
    """Alerts over an instance whose daemon retries a run once."""
    with dg.DagsterInstance.local_temp(overrides={"run_retries": {"enabled": True, "max_retries": 1}}) as instance:
        yield Alerts(settings, instance, receiver)


def test_a_run_that_is_retried_is_told_of_with_its_last_try_alone(retrying_alerts, land, broken_line):
    alerts = retrying_alerts
    alerts.use(severity="warn", summary_model=Failing(RuntimeError("no")))
    first = alerts.instance.get_run_by_id(alerts.run(DAY))
    assert alerts.look() == []
    assert alerts.look_of(FAILED_RUNS) == f"waiting for the retry of run {first.run_id}"
    # What the daemon does: the retry goes on where the first one failed, so it makes no check of conversations.
    of_first = {PARENT_RUN_ID_TAG: first.run_id, ROOT_RUN_ID_TAG: first.run_id}
    retry = started_run(alerts, parent_run_id=first.run_id, root_run_id=first.run_id, tags=of_first)
    alerts.instance.add_run_tags(first.run_id, {AUTO_RETRY_RUN_ID_TAG: retry.run_id})
    assert alerts.look() == []
    alerts.instance.report_run_failed(retry, "No better.")
    (alert,) = alerts.look()
    assert alert["run_id"] == retry.run_id
    assert [fault["check"] for fault in alert["faults"]] == ["every_line_was_read"]
    assert alerts.look() == []


def test_a_retry_that_never_comes_is_not_waited_for_longer_than_it_could_take(retrying_alerts, land, monkeypatch):
    alerts = retrying_alerts
    land(DAY, 2)
    alerts.use(summary_model=Failing(RuntimeError("no")))
    run_id = alerts.run(DAY)
    assert alerts.look() == []
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + RETRY_STARTS_WITHIN)
    assert [alert["run_id"] for alert in alerts.look()] == [run_id]


def test_a_missing_day_is_told_of_once_by_its_own_sensor_and_not_by_runs(alerts, land):
    alerts.use(schedules="on")
    alerts.cursors[MISSING_PARTITIONS] = None
    with freeze_time(datetime(2026, 11, 4, 8, tzinfo=UTC)):
        (alert,) = alerts.look()
        assert alerts.look() == []
    assert (alert["kind"], alert["run_id"]) == ("checks_failed", None)
    assert alert["partitions"] == {"first": "2026-11-03", "last": "2026-11-03"}
    assert alert["link"] == "http://ui.example/assets/conversation_projections?view=checks"
    assert alert["text"].startswith("The analysis of 2026-11-03 is missing.\n`conversation_projections`")
    assert alert["faults"][0]["reason"].startswith("Missing: 2026-11-03. See that the schedules")
    land(DAYS[0], 2)
    # As the UI launches it, with every check of what is selected.
    of_ui = alerts.defs.resolve_implicit_global_asset_job_def()
    ran = of_ui.execute_in_process(instance=alerts.instance, partition_key=DAYS[0])
    assert [each for each in ran.get_asset_check_evaluations() if each.check_name == CHECK_NAME and not each.passed]
    with freeze_time(datetime(2026, 11, 5, 8, tzinfo=UTC)):
        alerts.receiver.next_answers.append(Answer(404))
        with pytest.raises(DeliveryError):
            alerts.look()
        (alert,) = alerts.look()
    assert alert["partitions"] == {"first": "2026-11-03", "last": "2026-11-04"}


def test_what_is_not_delivered_fails_the_tick_and_comes_later_once_and_in_order(alerts, land):
    land(DAY, 2)
    alerts.use(summary_model=Failing(RuntimeError("no")))
    runs = [alerts.run(DAY), alerts.run(DAY)]
    alerts.receiver.answer = Answer(404)
    for _ in range(2):
        with pytest.raises(DeliveryError, match=r"did not reach 127.* answered 404 Not Found"):
            alerts.look_of(FAILED_RUNS)
    assert alerts.receiver.taken == []
    alerts.receiver.answer = Answer(200)
    assert [alert["run_id"] for _ in range(4) for alert in alerts.look()] == runs


def test_a_webhook_that_fails_twice_is_asked_a_third_time_in_the_same_look(alerts, land):
    land(DAY, 2)
    alerts.use(summary_model=Failing(RuntimeError("no")))
    alerts.run(DAY)
    alerts.receiver.next_answers.extend([Answer(500), Answer(500)])
    assert len(alerts.look()) == 1
    assert len(alerts.receiver.posts) == 3
    assert alerts.look() == []


def test_nothing_that_dagster_keeps_holds_the_secret(settings, receiver, land, tmp_path, caplog, capfd):
    home = tmp_path / "home"
    home.mkdir()
    land(DAY, 2)
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        alerts = Alerts(settings, instance, receiver)
        alerts.use(summary_model=Failing(RuntimeError("no")))
        alerts.run(DAY)
        receiver.answer = Answer(500)
        with pytest.raises(DeliveryError) as failed:
            alerts.look_of(FAILED_RUNS)
        # What the daemon stores of a tick that failed.
        told = serializable_error_info_from_exc_info((failed.type, failed.value, failed.tb)).to_string()
        assert "it answered 500" in told
        assert SECRET not in told
        receiver.answer = Answer(200)
        assert SECRET not in alerts.look_of(FAILED_RUNS)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text + repr(alerts.defs) + repr(alerts.settings)
