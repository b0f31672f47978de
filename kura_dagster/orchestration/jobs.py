"""The job that takes a partition's conversations all the way to the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from kura_dagster.orchestration.assets import ASSETS

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

JOB_NAME = "analyse_conversations"


def analysis_job(without: Sequence[dg.AssetChecksDefinition]) -> UnresolvedAssetJobDefinition:
    """Return the job over the seven assets and their checks, but for those that are no matter of a run's partitions."""
    assets = dg.AssetSelection.assets(*(asset.key for asset in ASSETS))
    return dg.define_asset_job(
        JOB_NAME,
        selection=assets - dg.AssetSelection.checks(*without),
        description="Conversations → summaries → embeddings → base clusters → meta clusters → projections "
        "→ conversation projections.",
    )
