"""The one place where the code location is put together. Tests, the command line and users override parts of it."""

from __future__ import annotations

from typing import Unpack

import dagster as dg

from kura_dagster.orchestration.asset_checks import asset_checks
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.assets.common import IO_MANAGER_KEY
from kura_dagster.orchestration.jobs import analysis_job, analysis_schedule
from kura_dagster.orchestration.partitions import partitioning_from, partitions_from
from kura_dagster.orchestration.resources import Questions, models_resource
from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import DuckDBIOManager, column_schema
from kura_dagster.storage.tables import TABLES


def build_defs(
    settings: Settings | None = None,
    *,
    response_schema: type[GeneratedSummary] = GeneratedSummary,
    summary_prompt: str | None = None,
    cluster_prompt: str | None = None,
    **models: Unpack[ModelOverrides],
) -> dg.Definitions:
    """Return the project's definitions.

    Args:
        settings: read from the environment where not given.
        response_schema: what a language model is asked about each conversation, a subclass of `GeneratedSummary`; the
            fields it adds land in the metadata of `summaries`.
        summary_prompt: stands in for the summary model's own prompt and holds `{conversation}` where the transcript
            goes.
        cluster_prompt: stands in for the own prompt of the model that names base clusters and holds
            `{positive_examples}` and, where wanted, `{contrastive_examples}`.
        **models: your own subclasses in place of the models that the settings choose, by the names in
            `kura_dagster.pipeline.providers.ModelOverrides`: `summary_model`, `embedding_model`, `clustering_method`,
            `cluster_description_model`, `meta_cluster_model`, `dimensionality_reduction`.

    Raises:
        SettingsError: an environment variable has a value that is not allowed.
        TypeError: `response_schema` is no subclass of `GeneratedSummary`.
    """
    if not (isinstance(response_schema, type) and issubclass(response_schema, GeneratedSummary)):
        raise TypeError(f"response_schema is {response_schema!r}; allowed is a subclass of GeneratedSummary")
    settings = settings or Settings.load()
    partitions_def = partitions_from(settings)
    partitioning = partitioning_from(settings)
    database = Database(settings.database, partitioning)

    def with_partitions(spec: dg.AssetSpec) -> dg.AssetSpec:
        schema = column_schema(TABLES[spec.key.path[-1]], database.partition_type)
        return spec.replace_attributes(
            partitions_def=partitions_def, metadata={**spec.metadata, "dagster/column_schema": schema}
        )

    job = analysis_job()
    return dg.Definitions(
        assets=dg.map_asset_specs(with_partitions, ASSETS),
        asset_checks=asset_checks(partitions_def),
        jobs=[job],
        schedules=[analysis_schedule(job, settings.cadence)],
        resources={
            IO_MANAGER_KEY: DuckDBIOManager(
                database=str(settings.database), cadence=partitioning.cadence, timezone=partitioning.timezone
            ),
            "database": database,
            "models": models_resource(settings, models, Questions(response_schema, summary_prompt, cluster_prompt)),
        },
        # The steps of a run share one process: importing and compiling what UMAP needs costs more than a day's work.
        executor=dg.in_process_executor,
    )
