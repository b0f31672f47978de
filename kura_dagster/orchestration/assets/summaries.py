"""What the user of each conversation wanted."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_redaction, describe_summaries
from kura_dagster.orchestration.assets.common import asset_of, one_row_an_item
from kura_dagster.orchestration.partition_loop import EachPartition
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.providers import redaction_from
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import FailedItem
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import FAILED_SUMMARIES, SUMMARIES


@asset_of(SUMMARIES, group="understanding", kinds={"duckdb", "python"})
def summaries(
    context: dg.AssetExecutionContext, models: dg.ResourceParam[RunModels], conversations: PartitionRows
) -> Any:
    """A row is one conversation in a sentence or two, without names or other personal data.

    Computed from `conversations` by the summary model (`KURA_LANGUAGE_MODEL`; the `model` column says which). The
    local `extractive` model shows the user's own request sentence and leaves what needs judgement empty.

    A conversation that a language model gave no summary for is set aside in the table `failed_summaries` with its
    error; the rest of the partition goes on without it.

    With `KURA_REDACTION=on` the model sees conversations without personal data; how many pieces of each kind were
    replaced is in the metadata, as `redacted_email`.

    Re-running costs nothing with the local model, about a second for 1,000 conversations. With a language model it
    costs one call for each conversation whose answer is not kept yet: none for an unchanged partition, and one for each
    conversation that failed before. Where messages were dropped, a partition is refused, and keeps what it holds.
    """

    replaced: dict[str, int] = {}  # in the partition that was computed last

    def describe(tables: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        return describe_redaction(replaced) | describe_summaries(tables)

    def summarise(key: str) -> dict[str, list[Any]]:
        failures: list[FailedItem] = []
        redaction = redaction_from(models.settings)
        rows = models.run(
            summarise_conversations(
                conversations[key],
                model=models.models.summary_model,
                response_schema=models.questions.response_schema,
                prompt=models.questions.summary_prompt,
                temperature=models.settings.temperature,
                failures=failures,
                redaction=redaction,
            )
        )
        if redaction is not None:
            replaced.clear()
            replaced.update(redaction.counts)
        return {SUMMARIES.name: rows, FAILED_SUMMARIES.name: one_row_an_item(failures)}

    return EachPartition(context, summarise, describe, models.meter_for(SUMMARIES))
