"""The job that takes a partition's conversations all the way to the map, and the schedule that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.settings import Cadence

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

JOB_NAME = "analyse_conversations"
# Late enough for exports that are written after midnight, early enough to be read in the morning.
HOUR_OF_DAY = 4


def analysis_job() -> UnresolvedAssetJobDefinition:
    """Return the job over the seven assets and their checks."""
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.assets(*(asset.key for asset in ASSETS)),
        description="Conversations → summaries → embeddings → base clusters → meta clusters → projections "
        "→ conversation projections.",
    )


def analysis_schedule(job: UnresolvedAssetJobDefinition, cadence: Cadence) -> Any:
    """Return the schedule that runs the job for each partition once it is over. It is off until switched on."""
    return dg.build_schedule_from_partitioned_job(
        job,
        description="Analyses the conversations of the partition that has just ended.",
        hour_of_day=None if cadence is Cadence.HOURLY else HOUR_OF_DAY,
    )
