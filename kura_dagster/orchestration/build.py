"""The one place where the code location is put together. Tests, the command line and users override parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import dagster as dg

from kura_dagster.orchestration.alerts import alert_sensors
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.assets.common import IO_MANAGER_KEY, AssetTemplate
from kura_dagster.orchestration.checks import asset_checks
from kura_dagster.orchestration.code_versions import code_versions
from kura_dagster.orchestration.freshness import freshness_checks, freshness_sensor
from kura_dagster.orchestration.jobs import analysis_job
from kura_dagster.orchestration.partitions import partitioning_from, partitions_from
from kura_dagster.orchestration.questions import LANGUAGE_MODEL_POOL, Questions, asked_models
from kura_dagster.orchestration.resources import KEPT_ANSWERS_KEY, kept_answers_resource, models_resource
from kura_dagster.orchestration.retention import retention_job, retention_schedule
from kura_dagster.orchestration.running import holding_executor
from kura_dagster.orchestration.schedules import schedules
from kura_dagster.orchestration.sensors import landed_conversations_sensor
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.language_model.summary_schema import check_response_schema
from kura_dagster.pipeline.providers import ModelOverrides
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import DuckDBIOManager, column_schema
from kura_dagster.storage.tables import EMBEDDINGS, SUMMARIES


def build_defs(
    settings: Settings | None = None,
    *,
    response_schema: type[GeneratedSummary] = GeneratedSummary,
    summary_prompt: str | None = None,
    cluster_prompt: str | None = None,
    extractors: Sequence[Any] = (),
    clients: Mapping[str, Any] | None = None,
    concurrent_requests: Mapping[str, int] | None = None,
    cache: CacheStrategy | None = None,
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
        extractors: functions `async def extract(conversation, sems, clients)` that return an `ExtractedProperty` or a
            list of them, which land in the metadata of `summaries`. They run beside the language model's summaries.
        clients: what the extractors find in `clients`, by name.
        concurrent_requests: how many places each of the extractors' `sems` has, by name.
        cache: where answers of language models and vectors of embedding APIs are kept, in place of the files in
            `KURA_CACHE`; as `RedisCacheStrategy`, where several machines run the project.
        **models: your own subclasses in place of the models that the settings choose, by the names in
            `kura_dagster.pipeline.providers.ModelOverrides`: `summary_model`, `embedding_model`, `clustering_method`,
            `cluster_description_model`, `meta_cluster_model`, `dimensionality_reduction`.

    Raises:
        SettingsError: an environment variable has a value that is not allowed.
        TypeError: `response_schema` is no subclass of `GeneratedSummary`.
        ValueError: a field of `response_schema` can't be part of a summary, or there are extractors, but no language
            model that they could run beside.
    """
    check_response_schema(response_schema)
    settings = settings or Settings.load()
    asked = asked_models(settings, models)
    if extractors and SUMMARIES.name not in asked:
        raise ValueError(
            "extractors run beside a language model's summaries, and none writes them; set KURA_LANGUAGE_MODEL or "
            "KURA_SUMMARY_LANGUAGE_MODEL"
        )
    questions = Questions(
        response_schema, summary_prompt, cluster_prompt, tuple(extractors), clients, concurrent_requests
    )
    partitions_def = partitions_from(settings)
    partitioning = partitioning_from(settings)
    database = Database(settings.database, partitioning)
    versions = code_versions(settings, models, questions)

    def declared(template: AssetTemplate) -> dg.AssetsDefinition:
        name = template.table.name
        return template.declare(
            partitions_def=partitions_def,
            code_version=versions.get(name),
            # Starting a run costs more than a day of conversations does; a killed run repeats what it held.
            backfill_policy=dg.BackfillPolicy.multi_run(settings.partitions_per_run),
            pool=LANGUAGE_MODEL_POOL if name in asked and name != EMBEDDINGS.name else None,
            metadata={"dagster/column_schema": column_schema(template.table, database.partition_type)},
        )

    of_freshness = freshness_checks(partitions_def, settings)
    job = analysis_job(without=of_freshness)
    retention_jobs = [] if settings.keep_messages_days is None else [retention_job(settings)]
    return dg.Definitions(
        assets=[declared(template) for template in ASSETS],
        asset_checks=[*asset_checks(partitions_def, settings, asked), *of_freshness],
        jobs=[job, *retention_jobs],
        schedules=[
            *schedules(job, partitions_def, settings, database),
            *(retention_schedule(each, settings) for each in retention_jobs),
        ],
        sensors=[
            landed_conversations_sensor(job, partitions_def, settings),
            freshness_sensor(partitions_def, settings),
            *alert_sensors(partitions_def, settings),
        ],
        resources={
            IO_MANAGER_KEY: DuckDBIOManager(
                database=str(settings.database), cadence=partitioning.cadence, timezone=partitioning.timezone
            ),
            "database": database,
            KEPT_ANSWERS_KEY: kept_answers_resource(settings, cache),
            "models": models_resource(settings, models, questions),
        },
        # The steps of a run share one process: importing and compiling what UMAP needs costs more than a day's work.
        # A step that failed for some partitions does not end its run: see held_back.
        executor=holding_executor,
    )
