"""What the failure of a step says: whether the step itself failed, and what the error behind all others was.

Told to the terminal by `materialise`, and by `run_faults` in words that may leave the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster._core.errors import DagsterAssetCheckFailedError

from kura_dagster.orchestration.held_back import LEFT_ALONE

if TYPE_CHECKING:
    from dagster._core.execution.plan.objects import StepFailureData
    from dagster._utils.error import SerializableErrorInfo


def is_its_own(failure: StepFailureData) -> bool:
    """Whether the step itself failed, and not only a check that blocks or what is upstream, which has said why."""
    behind = error_behind(failure.error)
    if behind is not None and behind.cls_name == DagsterAssetCheckFailedError.__name__:
        return False
    told = failure.user_failure_data
    return told is None or LEFT_ALONE not in told.metadata


def error_behind(error: SerializableErrorInfo | None) -> SerializableErrorInfo | None:
    """Return the error behind all others, as Dagster keeps it; None where there is none."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error
