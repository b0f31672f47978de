"""Erasing what Dagster's run history holds of conversations: their ids, and what older runs showed of their days.

Dagster 1.13 erases an asset as a whole or a run as a whole, and either would take other days along. So this goes to its
tables, which every event log in SQL shares.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from kura_dagster.orchestration.run_requests import partition_ends

ERASED = "[erased]"

_SHOWN = {"MarkdownMetadataEntryData", "TableMetadataEntryData", "JsonMetadataEntryData"}
"""The kinds of metadata that hold names and descriptions; figures say nothing of a single conversation."""

_TOLD = {"message", "user_message", "description", "text"}
"""Where an event has words for people; elsewhere what looks like the id is something else."""


class HistoryError(RuntimeError):
    """The run history can't be erased from now. The message says why."""


class OtherHistoryError(RuntimeError):
    """The run history is kept in something that can't be erased from. The message says which."""


def history_folder(instance: dg.DagsterInstance) -> Path | None:
    """Return the folder that holds the history's SQLite files, None where it is kept in another way, or nowhere."""
    storage = instance.get_ref().storage if instance.is_persistent else None
    return Path(storage.base_dir) if isinstance(storage, DagsterSqliteStorage) else None


def forget_in_history(instance: dg.DagsterInstance, chat_ids: Collection[str], partition_keys: Sequence[str]) -> int:
    """Erase conversations' ids wherever runs of these partitions told them, and what they showed of these partitions.

    That is trees, tables and maps, and the rows and clusters that failing checks named. Key figures and the record of
    what was materialised when stay. In SQLite files, what was overwritten goes too.

    Returns:
        How many entries changed.

    Raises:
        HistoryError: somebody holds the history's files, or its server can't be reached.
        OtherHistoryError: the history is kept in something else than SQL.
    """
    storage: Any = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise OtherHistoryError(
            f"Dagster's run history is a {type(storage).__name__}, which can't be erased from: what runs of "
            f"{', '.join(partition_keys)} showed is still there"
        )
    erase = _Eraser(chat_ids, partition_keys)
    run_ids = [run.run_id for run in instance.get_runs() if _concerns(run, partition_keys)]
    try:
        return _forget_in_sql(storage, run_ids, erase)
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error)
        raise HistoryError(
            f"Dagster's run history can't be erased from ({reason}); erase again when no run is under way"
        ) from error


def _forget_in_sql(storage: Any, run_ids: Sequence[str], erase: _Eraser) -> int:
    n_changed = 0
    events = SqlEventLogStorageTable
    # SQLite's event log has a file for each run, and repeats what concerns assets in one for all.
    path_for = storage.path_for_shard if isinstance(storage, SqliteEventLogStorage) else None
    for run_id in run_ids:
        with storage.run_connection(run_id) as connection:
            of_run = _rewrite(connection, events, events.c.event, erase, events.c.run_id == run_id)
        n_changed += of_run
        if path_for and of_run:
            _compact(path_for(run_id))
    with storage.index_connection() as connection:
        if path_for:
            _rewrite(connection, events, events.c.event, erase, events.c.run_id.in_(run_ids))
        _rewrite(connection, AssetKeyTable, AssetKeyTable.c.last_materialization, erase)
        checks = AssetCheckExecutionsTable
        _rewrite(connection, checks, checks.c.evaluation_event, erase, checks.c.run_id.in_(run_ids))
    if path_for and n_changed:
        _compact(path_for(INDEX_SHARD_NAME))
    return n_changed


def _concerns(run: dg.DagsterRun, partition_keys: Sequence[str]) -> bool:
    """Whether a run was of one of these partitions; those of one kind are in the order of their keys.

    One without any was of checks by themselves, which cover all partitions.
    """
    ends = partition_ends(run)
    return ends is None or any(ends[0] <= key <= ends[1] for key in partition_keys)


def _rewrite(connection: Any, table: Any, column: Any, erase: Callable[[str], str], *conditions: Any) -> int:
    """Erase in one column of the rows that meet the conditions; return how many changed."""
    n_changed = 0
    for row_id, text in connection.execute(sqlalchemy.select(table.c.id, column).where(*conditions)).fetchall():
        if text and (erased := erase(text)) != text:
            connection.execute(table.update().where(table.c.id == row_id).values({column.name: erased}))
            n_changed += 1
    return n_changed


def _compact(path: str) -> None:
    """Write an SQLite file anew: what was overwritten stays readable in its free pages and its log."""
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Eraser:
    """Returns an event's JSON without the conversations' ids, and without what it showed of these partitions."""

    def __init__(self, chat_ids: Collection[str], partition_keys: Sequence[str]) -> None:
        # As words of their own: an id may be as short as a number.
        any_of_them = "|".join(map(re.escape, sorted(chat_ids, key=len, reverse=True))) or "(?!)"
        self._ids = re.compile(rf"(?<![\w:-])(?:{any_of_them})(?![\w-])")
        self._partition_keys = partition_keys
        self._changed = False
        self._sentences: list[str] = []

    def __call__(self, event: str) -> str:
        try:
            value = json.loads(event)
        except ValueError:
            return event
        self._changed = False
        self._sentences = []
        self._erase_in(value)
        return json.dumps(value) if self._changed else event

    def _erase_in(self, value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                self._erase_in(each)
        if not isinstance(value, dict):
            return
        if value.get("__class__") == "AssetMaterialization" and value.get("partition") in self._partition_keys:
            entries = value["metadata_entries"]
            kept = [entry for entry in entries if entry["entry_data"].get("__class__") not in _SHOWN]
            self._changed |= len(kept) < len(entries)
            value["metadata_entries"] = kept
        if value.get("__class__") == "AssetCheckEvaluation" and self._tells_of_a_partition(value):
            # What a failing check says quotes clusters' names, which may quote a conversation. The event's messages,
            # which repeat it, come after it in the JSON.
            self._sentences.append(self._without_what_was_told(value["description"]))
            value["description"] = ERASED
            figures = value["metadata"].items()
            value["metadata"] = {name: each for name, each in figures if each.get("__class__") not in _SHOWN}
            self._changed = True
        for name, each in value.items():
            if isinstance(each, str) and name in _TOLD:
                value[name] = self._without_what_was_told(each)
                self._changed |= value[name] != each
            else:
                self._erase_in(each)

    def _without_what_was_told(self, text: str) -> str:
        text = self._ids.sub(ERASED, text)
        for sentence in self._sentences:
            text = text.replace(sentence, ERASED)
        return text

    def _tells_of_a_partition(self, evaluation: Mapping[str, Any]) -> bool:
        shown = [each for each in evaluation["metadata"].values() if each.get("__class__") in _SHOWN]
        told = json.dumps([evaluation["description"], *shown])
        return bool(evaluation["description"]) and any(key in told for key in self._partition_keys)
