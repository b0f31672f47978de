"""Erasing conversations from all that the project keeps of them; the landing folder is `landing`'s."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg

from kura_dagster.orchestration.partitions import key_of
from kura_dagster.orchestration.run_history import OtherHistoryError, forget_in_history
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.conversations import LandedConversations
from kura_dagster.pipeline.landing import still_landed
from kura_dagster.storage.database import Database
from kura_dagster.storage.io_manager import partition_dates
from kura_dagster.storage.snapshot import Snapshot, SnapshotError
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
    partitions_def: dg.TimeWindowPartitionsDefinition,
) -> Erased:
    """Erase conversations from run history, kept answers, tables and the snapshot.

    The partitions they were in lose their clusters, and have to be materialised again. Which these are stands in the
    tables, so they come last: what fails can be done again.

    Raises:
        HistoryError, CacheError, DatabaseError: run history, the cache or the database can't be used.
    """
    if not chat_ids:
        return Erased({})
    left: list[str] = []
    told = answers = 0
    keys = [key_of(partitions_def, when) for when in database.partitions_with(chat_ids)]
    if keys:
        try:
            told = forget_in_history(instance, chat_ids, keys)
        except OtherHistoryError as error:
            left.append(str(error))
    try:
        answers = sum(kept_answers.forget(chat_id) for chat_id in chat_ids)
    except NotImplementedError as error:  # which is how a cache of a user's own says that it can't
        left.append(f"{error}: what it keeps is not erased")
    rows, _ = database.forget(chat_ids)
    # Also where the tables hold nothing: a process that erased from them may have been killed before it came to this.
    try:
        Snapshot(database).publish_or_remove()
    except SnapshotError as error:
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
    partitions_def: dg.TimeWindowPartitionsDefinition,
) -> Erased:
    """Erase the conversations that are stored for a partition, and which somebody took out of the landing folder.

    Where a file of the partition is missing as a whole nothing is erased: it may be a disk that is. Of one that is in
    another day now, older runs of this partition no longer show anything: nobody would know later that it was here.

    Args:
        key: the partition.
        landed: what the landing folder holds for it.
        folder: the landing folder.
        kept_answers: as for `erase`, like the others.

    Raises:
        HistoryError, CacheError, DatabaseError: as for `erase`.
    """
    when = partition_dates(partitions_def, [key], database.partition_type)[key]
    stored = database.load_columns({CONVERSATIONS: ["chat_id"]}, [when])[when][CONVERSATIONS.name]
    gone = {row.chat_id for row in stored} - {each.chat_id for each in landed.conversations}
    if not gone or landed.missing:
        return Erased({})
    moved = still_landed(folder, gone)
    erased = erase(
        gone - moved,
        kept_answers=kept_answers,
        database=database,
        instance=instance,
        partitions_def=partitions_def,
    )
    if moved:
        try:
            forget_in_history(instance, (), [key])
        except OtherHistoryError as error:
            return replace(erased, left=[*erased.left, str(error)])
    return erased
