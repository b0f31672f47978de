"""The snapshot: a copy of the database beside it, for notebooks and other programs, which never wait and keep none.

It is replaced as a whole when a run has ended: who holds the old one open keeps it as it is, and who opens it then has
the new one. DuckDB's own way to copy a database, table by table, takes twenty times as long as copying its file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from filelock import FileLock, Timeout

from kura_dagster.storage.database import Database, DatabaseError, log_of


class SnapshotError(DatabaseError):
    """The snapshot can't be published or read. The message names the file, says why and what becomes of it."""


class _Published(NamedTuple):
    """What the snapshot's own table says of it."""

    published_at: datetime
    copied_from: str


class Snapshot:
    """The snapshot of a database, in a file of that one's name: `kura.snapshot.duckdb` beside `kura.duckdb`.

    Beside all tables of the database it holds `snapshot`, of one row: `published_at`, until when what was stored is in
    it, and `copied_from`, which tells whether the database was written since.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # Whatever links lead to a database, it has one snapshot: what is erased from the one is to leave the other.
        file = database.path.resolve() if database.path.is_symlink() else database.path
        self.path = file.with_name(f"{file.stem}.snapshot{file.suffix}")
        # Only who holds the lock may make it, so its name need not differ from process to process.
        self._unfinished = self.path.with_name(f".{self.path.name}.new")

    def published_at(self) -> datetime | None:
        """Return until when what was stored is in the snapshot; None where none is published.

        Raises:
            SnapshotError: the file can't be read.
        """
        import duckdb

        try:
            published = self._published()
        except duckdb.Error as error:
            raise SnapshotError(
                f"{self.path} could not be read ({error}). If another program opened it without read_only=True, close "
                "it there; if it is damaged, remove it: the next run publishes it again."
            ) from None
        return published.published_at if published else None

    def is_current(self) -> bool:
        """Whether nothing was written to the database since the snapshot was published."""
        import duckdb

        database = self._database.path
        if not database.exists() or log_of(database).exists():
            return False
        try:
            published = self._published()
        except duckdb.Error:  # the next one published takes its place
            return False
        return published is not None and published.copied_from == self._written()

    def publish(self) -> bool:
        """Publish what is stored now; False where nothing was written since the last time, or there is no database.

        Processes that publish at once do it one after the other. Writers wait while the database's file is copied, and
        nobody waits for whoever reads a snapshot.

        Raises:
            SnapshotError: it could not be done, as on a full disk; what was published before stays.
        """
        if not self._database.path.exists():
            return False
        with self._locked():
            try:
                return self._publish()
            except SnapshotError as error:
                stays = f"{self.path} stays as it was" if self.path.exists() else f"there is no {self.path}"
                raise SnapshotError(f"{error}; {stays} until the next run publishes it") from None

    def publish_or_remove(self) -> None:
        """Publish after something was erased from the database, which must not live on in the snapshot.

        Who still holds the old file open can read it until they close it.

        Raises:
            SnapshotError: it could not be published; it is removed where the message does not say otherwise.
        """
        if not self._database.path.exists() and not self.path.exists():
            return
        with self._locked(otherwise=f"; {self.path} may still hold what was erased"):
            if not self._database.path.exists():
                self._remove()
                return
            try:
                self._publish()
            except SnapshotError as error:
                self._remove()
                raise SnapshotError(f"{error}; {self.path} is removed until the next run publishes it") from None

    def _publish(self) -> bool:
        import duckdb

        try:
            # What a process that was killed here left: its log would be applied to this copy.
            self._remove_unfinished()
            if self.is_current():
                return False
            # Of before the copy: what is written in between is in it, and makes the next one at worst needless.
            published = _Published(datetime.now(UTC), self._written())
            # Nobody else may read it before it has the rights of the database.
            self._unfinished.touch(mode=0o600)
            self._database.copy_to(self._unfinished)
            with duckdb.connect(str(self._unfinished)) as connection:
                connection.execute(
                    "CREATE OR REPLACE TABLE snapshot AS "
                    "SELECT CAST(? AS TIMESTAMPTZ) AS published_at, CAST(? AS VARCHAR) AS copied_from",
                    list(published),
                )
                connection.execute("CHECKPOINT")  # closing does it too, but says nothing where the disk is full
            # Not to be written: who does it would keep other readers out, and lose it at the next run.
            self._unfinished.chmod(self._database.path.stat().st_mode & 0o444)
            with self._unfinished.open("rb") as file:
                os.fsync(file.fileno())
            # Of a program that wrote to the old one all the same. DuckDB would apply it to the new one.
            log_of(self.path).unlink(missing_ok=True)
            self._unfinished.replace(self.path)
        except (OSError, duckdb.Error, DatabaseError) as error:
            raise SnapshotError(f"the snapshot of {self._database.path} could not be published ({error})") from None
        finally:
            self._remove_unfinished()
        return True

    def _remove(self) -> None:
        try:
            for path in (log_of(self.path), self.path):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise SnapshotError(
                f"{self.path} may hold what was erased, and could not be removed ({error}); remove it"
            ) from None

    def _remove_unfinished(self) -> None:
        for path in (log_of(self._unfinished), self._unfinished):
            path.unlink(missing_ok=True)

    def _published(self) -> _Published | None:
        """Return what the snapshot's own table says; None where none is published."""
        import duckdb

        if not self.path.exists():
            return None
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found = connection.execute("SELECT published_at, copied_from FROM snapshot").fetchone()
        return _Published(*found) if found else None

    def _written(self) -> str:
        """Return what changes whenever the database's file is written."""
        file = self._database.path.stat()
        return f"inode {file.st_ino}, {file.st_size} bytes, {file.st_mtime_ns} ns"

    @contextmanager
    def _locked(self, *, otherwise: str = "") -> Iterator[None]:
        """Let nobody else publish: a copy of before an erasure would take the place of one of after it.

        Not the database's lock: only while its file is copied have writers to wait. Where the lock is not to be had,
        `otherwise` ends the message.
        """
        lock = FileLock(f"{self.path}.lock", timeout=self._database.wait_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise SnapshotError(
                f"the snapshot of {self._database.path} is being published by another process for "
                f"{self._database.wait_seconds:g} s; see what is running, then try again{otherwise}"
            ) from None
        except OSError as error:
            raise SnapshotError(f"{self.path} needs a folder in which files can be made: {error}") from None
        try:
            yield
        finally:
            lock.release()
