"""The one place where the code location is put together. Tests, the command line and users override parts of it."""

from __future__ import annotations

from typing import Unpack

import dagster as dg

from kura_dagster.orchestration.asset_checks import asset_checks
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.assets.common import IO_MANAGER_KEY
from kura_dagster.orchestration.jobs import analysis_job, analysis_schedule
from kura_dagster.orchestration.partitions import partition_type, partitions_from
from kura_dagster.orchestration.resources import models_resource
from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import DuckDBIOManager


def build_defs(settings: Settings | None = None, **models: Unpack[ModelOverrides]) -> dg.Definitions:
    """Return the project's definitions.

    Args:
        settings: read from the environment where not given.
        **models: your own subclasses in place of the models that the settings choose, by the names in
            `kura_dagster.pipeline.providers.ModelOverrides`: `summary_model`, `embedding_model`, `clustering_method`,
            `cluster_description_model`, `meta_cluster_model`, `dimensionality_reduction`.

    Raises:
        SettingsError: an environment variable has a value that is not allowed.
    """
    settings = settings or Settings.load()
    partitions_def = partitions_from(settings)
    assets = dg.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=partitions_def), ASSETS)
    job = analysis_job()
    return dg.Definitions(
        assets=assets,
        asset_checks=asset_checks(partitions_def, partition_type(settings)),
        jobs=[job],
        schedules=[analysis_schedule(job, settings.cadence)],
        resources={
            IO_MANAGER_KEY: DuckDBIOManager(database=str(settings.database), partition_type=partition_type(settings)),
            "database": Database(settings.database, partition_type=partition_type(settings)),
            "models": models_resource(settings, models),
        },
        # The steps of a run share one process: importing and compiling what UMAP needs costs more than a day's work.
        executor=dg.in_process_executor,
    )
