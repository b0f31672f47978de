"""What the user of each conversation wanted."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_summaries
from kura_dagster.orchestration.assets.common import asset_options
from kura_dagster.orchestration.partition_loop import EachPartition
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.storage.io_manager import PartitionRows
from kura_dagster.storage.tables import SUMMARIES


@dg.asset(**asset_options(SUMMARIES, group="understanding", kinds={"duckdb", "python"}))
def summaries(
    context: dg.AssetExecutionContext, models: dg.ResourceParam[RunModels], conversations: PartitionRows
) -> Any:
    """**A row is** one conversation in a sentence or two, without names or other personal data.

    **Computed from** `conversations` by the summary model (`KURA_LANGUAGE_MODEL`; the `model` column says which). The
    local `extractive` model shows the user's own request sentence and leaves what needs judgement empty.

    **Re-running** costs nothing with the local model, about a second for 1,000 conversations. With a language model it
    costs one call a conversation.
    """
    return EachPartition(
        context,
        lambda key: models.run(
            summarise_conversations(
                conversations[key],
                model=models.models.summary_model,
                response_schema=models.questions.response_schema,
                prompt=models.questions.summary_prompt,
                temperature=models.settings.temperature,
            )
        ),
        describe_summaries,
    )
