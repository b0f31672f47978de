"""A backup: a copy of all that a project keeps, taken while its runs go on, and the sums by which it is checked.

A backup is a folder laid out as `data/` is, so that restoring is copying it there.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kura_dagster.storage.database import Database

DATABASE = "kura.duckdb"
CONVERSATIONS = "conversations"
ANSWERS = "cache/answers"
HISTORY = "dagster/storage"
LOCKS = "dagster/artifacts/storage/running"
SUMS = "SHA256SUMS"
"""The file that `sha256sum --check` reads. It is written last."""

_UNFINISHED = ".unfinished"


class BackupError(RuntimeError):
    """A backup can't be made. The message says why and what to do."""


@dataclass(frozen=True)
class BackedUp:
    """What one part of a backup holds."""

    n_files: int
    n_bytes: int


def back_up(
    folder: Path,
    *,
    database: Database,
    conversations: Path,
    answers: Path,
    history: Path | None,
    locks: Path | None,
) -> dict[str, BackedUp]:
    """Copy a project into a folder that is not there yet; it appears when all of it is copied.

    Each file is copied as it is between two writes. What belongs to a run that is under way may be in one and not yet
    in another: after a restore that run counts as broken off, for its lock lies free there, and is run again.

    Args:
        folder: where to; only its owner may read it, for it holds conversations.
        database: the tables.
        conversations: the landing folder.
        answers: the folder of the kept answers.
        history: the folder of Dagster's SQLite files, None where run history is not kept in such.
        locks: the folder of the locks of runs that are under way, None with `history`.

    Returns:
        What each part holds, by its path in the folder; parts that there are none of are left out.

    Raises:
        BackupError: the folder is there already, or an SQLite file can't be read.
        DatabaseError: the database can't be read.
        OSError: a file can't be read, or the copy can't be written.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists already; a backup is a new folder each time")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}{_UNFINISHED}")
    shutil.rmtree(unfinished, ignore_errors=True)  # of one that was killed
    unfinished.mkdir(mode=0o700)
    try:
        # History first: it must not call a day done that is not in the tables. Then these: they tell of nothing that
        # is not in the landing folder by then.
        _copy_folder(history, unfinished / HISTORY)
        _copy_folder(locks, unfinished / LOCKS)
        if database.path.exists():
            database.copy_to(unfinished / DATABASE)
        _copy_folder(conversations, unfinished / CONVERSATIONS)
        _copy_folder(answers, unfinished / ANSWERS)
        parts = (DATABASE, CONVERSATIONS, ANSWERS, HISTORY, LOCKS)
        copied = {part: files for part in parts if (files := list(_files(unfinished / part)))}
        _write_sums(unfinished, [path for files in copied.values() for path in files])
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return {
        part: BackedUp(len(files), sum((folder / path.relative_to(unfinished)).stat().st_size for path in files))
        for part, files in copied.items()
    }


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (each for each in sorted(path.rglob("*")) if each.is_file())


def _copy_folder(source: Path | None, copy: Path) -> None:
    """Copy a folder, where there is one, whose SQLite files others write to; files that go meanwhile are left out."""
    if source is None or not source.is_dir():
        return
    files = list(_files(source))
    # SQLite's logs are part of its files' copies. These come first: what they name beside them is copied after.
    databases = [path for path in files if path.suffix == ".db"]
    others = [path for path in files if not path.name.endswith((".db", ".db-wal", ".db-shm", ".db-journal"))]
    for path in (*databases, *others):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            (_copy_sqlite if path in databases else shutil.copy2)(path, target)
        except FileNotFoundError:
            continue


def _copy_sqlite(path: Path, copy: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupError(
            f"{path} can't be copied ({error}); is it an SQLite file, and is the disk not full?"
        ) from error


def _write_sums(folder: Path, paths: list[Path]) -> None:
    with (folder / SUMS).open("w", encoding="utf-8") as sums:
        for path in paths:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            sums.write(f"{digest}  {path.relative_to(folder).as_posix()}\n")
