"""What failed in a run, as its event log has it, in words that may leave the machine.

The terminal is told more: see `materialise`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import dagster as dg
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG

from kura_dagster.orchestration.alert_message import Fault, Severity
from kura_dagster.orchestration.freshness import CHECK_NAME as FRESHNESS
from kura_dagster.orchestration.step_failures import error_behind, is_its_own
from kura_dagster.storage.io_manager import FAILED_PARTITIONS, keys_by_reason, reason_to_share

_NAMED_PARTITIONS = 3
_OWN_ERRORS = "kura_dagster."


def failed_steps(instance: dg.DagsterInstance, run_id: str) -> list[Fault]:
    """Return the steps of a run that failed, without those that only say that a check or what is upstream has."""
    faults = []
    for entry in _entries(instance, run_id, dg.DagsterEventType.STEP_FAILURE):
        failure = entry.step_failure_data
        if not is_its_own(failure):
            continue
        told = failure.user_failure_data
        if told is not None and FAILED_PARTITIONS in told.metadata:
            reason = _by_reason(cast("Mapping[str, str]", told.metadata[FAILED_PARTITIONS].value))
        else:
            reason = told.description if told is not None and told.description else _shared(failure.error)
        faults.append(Fault(reason, asset=entry.step_key))
    return faults


def failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun, severity: Severity) -> list[Fault]:
    """Return the checks that failed in a run, of this severity or a worse one.

    Where Dagster started the run to retry another, that one's checks count where they were not made again: of a run
    that is retried nobody was told. Freshness, which the UI checks with each run of the asset, is not the run's.
    """
    found: dict[Any, Fault | None] = {}
    for attempt in _attempts(instance, run):
        of_attempt = {}
        for entry in _entries(instance, attempt.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
            made = entry.asset_check_evaluation_data
            if made.check_name == FRESHNESS:
                continue
            is_error = made.severity is dg.AssetCheckSeverity.ERROR
            fault = Fault(
                made.description or "",
                asset=made.asset_key.to_user_string(),
                check=made.check_name,
                severity="error" if is_error else "warn",
            )
            is_told = not made.passed and (is_error or severity == "warn")
            of_attempt[made.asset_check_key, made.partition] = fault if is_told else None
        found = of_attempt | found
    return [fault for fault in found.values() if fault]


def fault_of_run(end: dg.DagsterEvent) -> Fault:
    """Return why a run failed in which no step did: it was killed, or could not even begin."""
    said = end.message or "Dagster does not say why."
    error = end.job_failure_data.error if end.event_specific_data is not None else None
    return Fault(f"{said}\n{_shared(error)}" if error is not None else said)


def _entries(instance: dg.DagsterInstance, run_id: str, of_type: dg.DagsterEventType) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=of_type).records:
        yield record.event_log_entry.get_dagster_event()


def _attempts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[dg.DagsterRun]:
    """Yield the run, and before it those that Dagster itself retried in turn."""
    attempt: dg.DagsterRun | None = run
    while attempt is not None:
        yield attempt
        before = instance.get_run_by_id(attempt.parent_run_id) if attempt.parent_run_id else None
        is_retried = before is not None and before.tags.get(AUTO_RETRY_RUN_ID_TAG) == attempt.run_id
        attempt = before if is_retried else None


def _by_reason(reasons: Mapping[str, str]) -> str:
    """Return a line for each reason, with the first of its partitions."""
    lines = []
    for reason, keys in keys_by_reason({key: reason_to_share(reason) for key, reason in reasons.items()}).items():
        more = f" and {len(keys) - _NAMED_PARTITIONS} more" if len(keys) > _NAMED_PARTITIONS else ""
        lines.append(f"{', '.join(keys[:_NAMED_PARTITIONS])}{more}: {reason}")
    return "\n".join(lines)


def _shared(error: Any) -> str:
    """Return what the error behind this one says, where that is our own; of another its kind alone.

    Its text may quote a conversation.
    """
    behind = error_behind(error)
    if behind is None:
        return "The run's log says why."
    name, _, text = behind.message.strip().partition(": ")
    return text if name.startswith(_OWN_ERRORS) else f"{behind.cls_name}; the run's log has what it says"
