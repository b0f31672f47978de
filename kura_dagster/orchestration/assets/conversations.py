"""The day's conversations, from the landing folder."""

from typing import Any

import dagster as dg

from kura_dagster.orchestration.asset_metadata import describe_conversations, is_superseded
from kura_dagster.orchestration.assets.common import asset_of
from kura_dagster.orchestration.erasure import erase_what_is_gone
from kura_dagster.orchestration.partition_loop import EachPartition
from kura_dagster.orchestration.resources import RunModels
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.conversations import read_conversations
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import partition_dates
from kura_dagster.storage.tables import CONVERSATIONS, REJECTED_CONVERSATIONS


@asset_of(CONVERSATIONS, group="conversations", kinds={"duckdb", "json"})
def conversations(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[RunModels],
    database: dg.ResourceParam[Database],
    kept_answers: dg.ResourceParam[CacheStrategy],
) -> Any:
    """A row is one conversation that began in the partition's time window.

    Computed from the landing folder (`KURA_CONVERSATIONS`): the files of the window's days, and those of the day
    before and after for files that were cut in another time zone. A line that cannot be used is set aside in the table
    `rejected_conversations` with its file, line number and reason; it never stops the rest. Of a conversation that was
    landed again, the version with the latest message counts; the superseded lines are kept there too.

    Re-running reads the files again: seconds, no cost. What was stored for the partition is replaced. What was
    taken out of the day's file is erased everywhere: from kept answers, all tables, and what older runs showed. A
    partition whose messages were dropped (`KURA_KEEP_MESSAGES_DAYS`) is refused, and keeps what it holds.
    """
    settings = models.settings
    partitions_def = context.assets_def.partitions_def
    assert isinstance(partitions_def, dg.TimeWindowPartitionsDefinition)

    def read(key: str) -> dict[str, list[Any]]:
        window = partitions_def.time_window_for_partition_key(key)  # type: ignore[attr-defined]
        landed = read_conversations(settings.conversations, window.start, window.end, settings.tzinfo)
        # Asked when the files are read: what is dropped is written down first, and then goes from them.
        database.require_messages(partition_dates(partitions_def, [key], database.partition_type)[key])
        if landed.missing:
            context.log.warning(
                f"{key}: there is no {', '.join(landed.missing)} in {settings.conversations}; what was stored from it "
                "before is replaced by nothing"
            )
        unusable = [row for row in landed.rejected if not is_superseded(row.reason)]
        if unusable:
            context.log.warning(
                f"{key}: {len(unusable)} lines cannot be used, see {REJECTED_CONVERSATIONS.name}; the first: "
                f"{unusable[0].file}:{unusable[0].line} {unusable[0].reason}"
            )
        gone = erase_what_is_gone(
            key,
            landed,
            folder=settings.conversations,
            kept_answers=kept_answers,
            database=database,
            instance=context.instance,
            partitions_def=partitions_def,
        )
        if gone.counts:
            context.log.info(f"{key}: conversations that are no longer landed are erased: {dict(gone.counts)}")
        for each in gone.left:
            context.log.warning(f"{key}: {each}")
        return {CONVERSATIONS.name: landed.conversations, REJECTED_CONVERSATIONS.name: landed.rejected}

    return EachPartition(context, read, describe_conversations)
