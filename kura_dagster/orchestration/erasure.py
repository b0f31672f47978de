"""Erasing conversations from all that the project keeps of them; the landing folder is `landing`'s."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from kura_dagster.orchestration.run_history import HistoryError, forget_in_history
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.conversations import LandedConversations
from kura_dagster.pipeline.landing import still_landed
from kura_dagster.storage.database import Database, PartitionDate
from kura_dagster.storage.tables import CONVERSATIONS


@dataclass(frozen=True)
class Erased:
    """What was erased: how much of what, the partitions it was in by their keys, and what could not be reached."""

    counts: Mapping[str, int]
    partition_keys: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def erase(
    chat_ids: Collection[str],
    *,
    kept_answers: CacheStrategy,
    database: Database,
    instance: dg.DagsterInstance,
    dates_by_key: Mapping[str, PartitionDate],
) -> Erased:
    """Erase conversations from kept answers, tables and run history.

    The partitions they were in lose their clusters, and have to be materialised again.

    Raises:
        CacheError, DatabaseError: the cache or the database can't be used.
    """
    left: list[str] = []
    answers = told = 0
    if not chat_ids:
        return Erased({})
    try:
        answers = sum(kept_answers.forget(chat_id) for chat_id in chat_ids)
    except NotImplementedError as error:
        left.append(f"{error}: what it keeps is not erased")
    rows, partitions = database.forget(chat_ids)
    keys = [key for key, when in dates_by_key.items() if when in partitions]
    if keys:
        try:
            told = forget_in_history(instance, chat_ids, keys)
        except HistoryError as error:
            left.append(str(error))
    counts = {**rows, "kept answers": answers, "entries of run history": told}
    return Erased({what: number for what, number in counts.items() if number}, keys, left)


def erase_what_is_gone(
    key: str,
    landed: LandedConversations,
    *,
    folder: Path,
    kept_answers: CacheStrategy,
    database: Database,
    instance: dg.DagsterInstance,
    dates_by_key: Mapping[str, PartitionDate],
) -> Erased:
    """Erase the conversations that are stored for a partition, and which somebody took out of the landing folder.

    Where a file of the partition is missing as a whole nothing is erased: it may be a disk that is.

    Args:
        key: the partition.
        landed: what the landing folder holds for it.
        folder: the landing folder.
        kept_answers: as for `erase`, like the others.

    Raises:
        CacheError, DatabaseError: as for `erase`.
    """
    when = dates_by_key[key]
    stored = database.load_columns({CONVERSATIONS: ["chat_id"]}, [when])[when][CONVERSATIONS.name]
    gone = {row.chat_id for row in stored} - {each.chat_id for each in landed.conversations}
    if not gone or landed.missing:
        return Erased({})
    gone -= still_landed(folder, gone)
    return erase(gone, kept_answers=kept_answers, database=database, instance=instance, dates_by_key=dates_by_key)
