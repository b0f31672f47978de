"""The landing folder as it is written: conversations from anywhere, put into the file of their day.

What formats they come in is `sources`' knowledge, what two records of one id make `versions`', and what a day's file
means to those who read it `conversations`'. Every file is replaced whole or stays as it was, and what is landed again
changes nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from filelock import FileLock
from pydantic import ValidationError

from kura_dagster.pipeline.conversations import (
    CONTENT_CHARACTERS,
    RejectedConversation,
    UnusableLineError,
    day_files,
    holds_id,
    landed_lines,
    landing_file,
    parsed_line,
    rejected_file,
    rejected_files,
    rejected_in,
)
from kura_dagster.pipeline.replaced_file import remove_unfinished, replacing
from kura_dagster.pipeline.strict_json import parse_json
from kura_dagster.pipeline.types import Conversation
from kura_dagster.pipeline.versions import joined

LONGEST_CONVERSATION = timedelta(days=31)
"""So far from its day an earlier part of a conversation is looked for; the rest of the folder is left alone."""

CLASH = (
    "another conversation has this id already, and they have nothing in common; where these are turns of one, land "
    "them with --source NAME, and where they are of two systems, give each its own NAME"
)

_LOCK = ".lock"
# How a line that was written here begins: such an id can be told without parsing the rest.
_OUR_LINE = re.compile(rb'\{"chat_id":("[^"\\]{1,2000}"),')


class Fate(StrEnum):
    """What becomes of a conversation that is landed: `older` adds nothing to what is in the folder."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OLDER = "older"


@dataclass
class LandedDay:
    """What landing did to one day: records by what became of them.

    The first four count conversations; `repeated` are further records of these in the same landing, which were joined
    to them, and `rejected` those that were set aside. Together they are the records that were landed.
    """

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    older: int = 0
    repeated: int = 0
    rejected: int = 0


class Landing:
    """Gathers conversations, and puts them into the landing folder when it is told to.

    Until `finish` the folder is as it was: what is added waits in a file that the system deletes with the process, so
    any number of conversations takes little memory. Records of one id become one conversation where `versions.joined`
    makes one of them; otherwise the one that came first stays, and the other is set aside.

    Args:
        folder: the landing folder; made where it is missing.
        tz: the time zone that days are cut in.
        today: the day under which records are filed that can't tell their own.
        since: conversations that began before are not to be landed; None means that all are.
    """

    def __init__(self, folder: Path, tz: tzinfo, *, today: date, since: datetime | None = None) -> None:
        self.folder = folder
        self.tz = tz
        self.today = today
        self.since = since
        self.n_clashes = 0
        """Records that `finish` set aside, because another conversation had their id."""
        self._repeated: Counter[str] = Counter()
        # No name: a file of SQLite's own, beyond 64 MB, that nobody else can open and no crash leaves behind.
        self._waiting = sqlite3.connect("")
        self._waiting.executescript(
            """
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -65536;
            CREATE TABLE conversations (
                chat_id TEXT PRIMARY KEY, day TEXT NOT NULL, line BLOB NOT NULL, one_source INTEGER NOT NULL,
                file TEXT NOT NULL, number INTEGER NOT NULL, fate TEXT NOT NULL DEFAULT 'new'
            );
            CREATE TABLE apart (
                chat_id TEXT NOT NULL, line BLOB NOT NULL, one_source INTEGER NOT NULL,
                file TEXT NOT NULL, number INTEGER NOT NULL
            );
            CREATE TABLE landed (chat_id TEXT NOT NULL, day TEXT NOT NULL, number INTEGER NOT NULL, line BLOB);
            CREATE TABLE replaced (day TEXT NOT NULL, number INTEGER NOT NULL, chat_id TEXT NOT NULL);
            CREATE TABLE rejected (
                file TEXT NOT NULL, line INTEGER NOT NULL, day TEXT NOT NULL, record TEXT NOT NULL,
                n_records INTEGER NOT NULL, PRIMARY KEY (file, line)
            );
            CREATE TABLE files (file TEXT PRIMARY KEY);
            """
        )

    def __enter__(self) -> Landing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waiting.close()

    def begin_file(self, file: str) -> None:
        """Say that the records to come are of `file`: what was set aside of it before is replaced by what is now."""
        self._waiting.execute("INSERT OR IGNORE INTO files VALUES (?)", [file])

    def add(self, conversation: Conversation, file: str, number: int, *, one_source: bool = False) -> None:
        """Take a conversation, with all its times in UTC.

        Args:
            conversation: what to land.
            file: where it is from, for the case that it is set aside.
            number: its record's place there, from 1.
            one_source: as for `versions.joined`.
        """
        chat_id, line = conversation.chat_id, _line_of(conversation)
        values = [chat_id, self._day_of(conversation), line, one_source, file, number]
        if self._waiting.execute(
            "INSERT OR IGNORE INTO conversations (chat_id, day, line, one_source, file, number) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            values,
        ).rowcount:
            return
        (known,) = self._waiting.execute("SELECT line FROM conversations WHERE chat_id = ?", [chat_id]).fetchone()
        if known != line:
            both = joined(Conversation.model_validate_json(known), conversation, one_source=one_source)
            if both is None:
                # A record that is yet to come, or one that is landed, may have something in common with both.
                self._waiting.execute(
                    "INSERT INTO apart VALUES (?, ?, ?, ?, ?)", [chat_id, line, one_source, file, number]
                )
                return
            self._waiting.execute(
                "UPDATE conversations SET day = ?, line = ? WHERE chat_id = ?",
                [self._day_of(both), _line_of(both), chat_id],
            )
        self._repeated[chat_id] += 1

    def reject(self, rejected: RejectedConversation, created_at: datetime | None, *, is_record: bool = True) -> None:
        """Take a record that can't be used, or word of a file that can't be read.

        It is filed under its day, or under today's where it can't tell. Only a record is counted.
        """
        day = self.today if created_at is None else created_at.astimezone(self.tz).date()
        self._file_rejected(rejected, day.isoformat(), int(is_record))

    def finish(self) -> dict[date, LandedDay]:
        """Put into the folder what was added, day by day, and return what that did, by day.

        A day of which nothing changes is not written. A crash in between leaves some days done and the others as they
        were; landing the same again does the rest.

        Raises:
            OSError: the folder can't be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            remove_unfinished(self.folder)
            self._find_landed()
            self._settle()
            query = "SELECT DISTINCT day FROM conversations WHERE fate IN ('new', 'updated') ORDER BY day"
            for (day,) in self._waiting.execute(query).fetchall():
                self._write(day)
            # Last: what moves to another day is in both after a crash, and not in none.
            for day, chat_ids in self._moved().items():
                self._take_out(day, chat_ids)
            self._replace_rejected()
        return self._report()

    def _report(self) -> dict[date, LandedDay]:
        report: dict[date, LandedDay] = {}

        def count(day: str, what: str, number: int) -> None:
            of_day = report.setdefault(date.fromisoformat(day), LandedDay())
            setattr(of_day, what, getattr(of_day, what) + number)

        fates = "SELECT day, fate, count(*) FROM conversations WHERE fate <> 'clash' GROUP BY day, fate"
        for day, fate, number in self._waiting.execute(fates):
            count(day, fate, number)
        for chat_id, number in self._repeated.items():
            query = "SELECT day FROM conversations WHERE chat_id = ?"
            count(self._waiting.execute(query, [chat_id]).fetchone()[0], "repeated", number)
        for day, number in self._waiting.execute("SELECT day, sum(n_records) FROM rejected GROUP BY day"):
            count(day, "rejected", number)
        return dict(sorted(report.items()))

    def _find_landed(self) -> None:
        """Note the lines of the folder that have the id of what waits; the line itself where it is not the same."""
        first, last = self._waiting.execute("SELECT min(day), max(day) FROM conversations").fetchone()
        if first is None:
            return
        earliest = date.fromisoformat(first) - LONGEST_CONVERSATION
        latest = date.fromisoformat(last) + LONGEST_CONVERSATION
        for day, path in day_files(self.folder):
            if not earliest <= day <= latest:
                continue
            for line in landed_lines(path):
                chat_id = _chat_id_of(line.content)
                waiting = "SELECT line, day FROM conversations WHERE chat_id = ?"
                found = None if chat_id is None else self._waiting.execute(waiting, [chat_id]).fetchone()
                if found is not None:
                    content = None if found == (line.content, day.isoformat()) else line.content
                    self._waiting.execute(
                        "INSERT INTO landed VALUES (?, ?, ?, ?)", [chat_id, day.isoformat(), line.number, content]
                    )

    def _settle(self) -> None:
        """Decide what becomes of each conversation that waits."""
        self._waiting.executescript(
            """
            CREATE INDEX landed_by_id ON landed (chat_id);
            CREATE TEMP TABLE same AS
                SELECT chat_id FROM landed WHERE chat_id NOT IN (SELECT chat_id FROM apart)
                GROUP BY chat_id HAVING count(*) = 1 AND max(line) IS NULL;
            UPDATE conversations SET fate = 'unchanged' WHERE chat_id IN (SELECT chat_id FROM same);
            DELETE FROM landed WHERE chat_id IN (SELECT chat_id FROM same);
            """
        )
        query = "SELECT chat_id FROM landed UNION SELECT chat_id FROM apart ORDER BY chat_id"
        for (chat_id,) in self._waiting.execute(query).fetchall():
            self._settle_one(chat_id)

    def _settle_one(self, chat_id: str) -> None:
        line, one_source, file, number = self._waiting.execute(
            "SELECT line, one_source, file, number FROM conversations WHERE chat_id = ?", [chat_id]
        ).fetchone()
        apart = self._apart(chat_id)
        n_joined, arrived = _with_those_that_fit(Conversation.model_validate_json(line), apart)
        self._repeated[chat_id] += n_joined
        versions: list[tuple[str, int, Conversation]] = []
        query = "SELECT day, number, line FROM landed WHERE chat_id = ? ORDER BY day, number"
        for day, in_day, content in self._waiting.execute(query, [chat_id]).fetchall():
            with suppress(UnusableLineError):  # it stays where it is, and who reads the folder is told of it
                version = parsed_line(line if content is None else content, date.fromisoformat(day), self.tz)
                versions.append((day, in_day, version))
        together = arrived
        for _, _, version in versions:
            both = joined(version, together, one_source=bool(one_source))
            if both is None:
                # What is landed stays; of what arrived, each record is for itself.
                if not any(version == arrived for _, _, version in versions):
                    apart.insert(0, _Apart(arrived, bool(one_source), file, number, 1 + self._repeated.pop(chat_id, 0)))
                    self._set_fate(chat_id, "clash", arrived)
                else:
                    self._set_fate(chat_id, Fate.UNCHANGED, arrived)
                for each in apart:
                    self._reject_clash(each)
                return
            together = both
        n_joined, together = _with_those_that_fit(together, apart)
        self._repeated[chat_id] += n_joined
        for each in apart:
            self._reject_clash(each)
        if not versions:
            self._set_fate(chat_id, Fate.NEW, together)
            return
        day, _, version = versions[0]
        if len(versions) == 1 and together == version and self._day_of(together) == day:
            fate = Fate.UNCHANGED if version == arrived else Fate.OLDER
        else:
            fate = Fate.UPDATED
            places = [(day, in_day, chat_id) for day, in_day, _ in versions]
            self._waiting.executemany("INSERT INTO replaced VALUES (?, ?, ?)", places)
        self._set_fate(chat_id, fate, together)

    def _apart(self, chat_id: str) -> list[_Apart]:
        query = "SELECT line, one_source, file, number FROM apart WHERE chat_id = ? ORDER BY rowid"
        return [
            _Apart(Conversation.model_validate_json(line), bool(one_source), file, number)
            for line, one_source, file, number in self._waiting.execute(query, [chat_id])
        ]

    def _set_fate(self, chat_id: str, fate: str, conversation: Conversation) -> None:
        self._waiting.execute(
            "UPDATE conversations SET day = ?, line = ?, fate = ? WHERE chat_id = ?",
            [self._day_of(conversation), _line_of(conversation), fate, chat_id],
        )

    def _write(self, day: str) -> None:
        """Put what waits for a day into its file, in place of the lines there that it was made of."""
        path = landing_file(self.folder, date.fromisoformat(day))
        query = "SELECT replaced.number FROM replaced JOIN conversations USING (chat_id, day) WHERE day = ?"
        replaced = {number for (number,) in self._waiting.execute(query, [day])}
        with replacing(path) as file:
            for line in landed_lines(path) if path.exists() else ():
                if line.number not in replaced:
                    file.write(line.content + b"\n")
            query = "SELECT line FROM conversations WHERE day = ? AND fate IN ('new', 'updated') ORDER BY chat_id"
            for (content,) in self._waiting.execute(query, [day]):
                file.write(content + b"\n")

    def _moved(self) -> dict[str, set[str]]:
        """Return which conversations no longer belong to a day, by day."""
        moved: dict[str, set[str]] = {}
        query = """
            SELECT replaced.day, chat_id FROM replaced JOIN conversations USING (chat_id)
            WHERE replaced.day <> conversations.day
        """
        for day, chat_id in self._waiting.execute(query):
            moved.setdefault(day, set()).add(chat_id)
        return dict(sorted(moved.items()))

    def _take_out(self, day: str, chat_ids: set[str]) -> None:
        """Take conversations out of a day's file; a file that then holds nothing goes."""
        path = landing_file(self.folder, date.fromisoformat(day))
        out = {
            line.number
            for line in landed_lines(path)
            if _chat_id_of(line.content) in chat_ids and self._is_usable(line.content, day)
        }
        if not leave_out(path, out):
            path.unlink()

    def _is_usable(self, content: bytes, day: str) -> bool:
        try:
            parsed_line(content, date.fromisoformat(day), self.tz)
        except UnusableLineError:
            return False
        return True

    def _reject_clash(self, record: _Apart) -> None:
        conversation = record.conversation
        rejected = RejectedConversation(
            file=record.file,
            line=record.number,
            chat_id=conversation.chat_id,
            reason=CLASH,
            content=_line_of(conversation).decode()[:CONTENT_CHARACTERS],
        )
        self._file_rejected(rejected, self._day_of(conversation), record.n_records)
        self.n_clashes += record.n_records

    def _file_rejected(self, rejected: RejectedConversation, day: str, n_records: int) -> None:
        self._waiting.execute(
            "INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?, ?)",
            [rejected.file, rejected.line, day, rejected.model_dump_json(), n_records],
        )

    def _replace_rejected(self) -> None:
        """Bring the files of rejected records to what the files that were read now hold.

        What was set aside before stays where it is, also where the same record comes from a file of another name now,
        or could not tell its day: a file that nothing changes in has nobody analyse its day again.
        """
        read_now = {file for (file,) in self._waiting.execute("SELECT file FROM files")}
        now: dict[tuple[str, ...], dict[tuple[str, int], RejectedConversation]] = {}
        day_of: dict[tuple[str, int], str] = {}
        for day, record in self._waiting.execute(
            "SELECT day, record FROM rejected ORDER BY day, file, line"
        ).fetchall():
            row = RejectedConversation.model_validate_json(record)
            now.setdefault(_identity(row), {})[row.file, row.line] = row
            day_of[row.file, row.line] = day
        kept: dict[str, list[RejectedConversation]] = {}
        for filed_under, path in rejected_files(self.folder):
            day = filed_under.isoformat()
            kept[day] = []
            for row in rejected_in(path):
                found = now.get(_identity(row))
                if found:
                    again = _taken(found, row)
                    self._waiting.execute(
                        "UPDATE rejected SET day = ? WHERE file = ? AND line = ?", [day, again.file, again.line]
                    )
                    kept[day].append(again if row.file == again.file else row)
                elif row.file not in read_now:
                    kept[day].append(row)
        for rows in now.values():
            for row in rows.values():
                kept.setdefault(day_of[row.file, row.line], []).append(row)
        for day, of_day in sorted(kept.items()):
            in_order = sorted(of_day, key=lambda row: (row.file, row.line))
            _rewrite(rejected_file(self.folder, date.fromisoformat(day)), [_line_of(row) for row in in_order])

    def _day_of(self, conversation: Conversation) -> str:
        return conversation.created_at.astimezone(self.tz).date().isoformat()


@dataclass
class _Apart:
    """A record that has nothing in common with another of its id that came before, and where it is from."""

    conversation: Conversation
    one_source: bool
    file: str
    number: int
    n_records: int = 1


def _with_those_that_fit(together: Conversation, apart: list[_Apart]) -> tuple[int, Conversation]:
    """Join the records that now fit, taking them out of `apart`; return how many those were, and what they make."""
    n_joined = 0
    progress = True
    while progress:
        progress = False
        for record in list(apart):
            both = joined(together, record.conversation, one_source=record.one_source)
            if both is not None:
                together = both
                n_joined += record.n_records
                apart.remove(record)
                progress = True
    return n_joined, together


def forget(folder: Path, chat_id: str) -> dict[str, int]:
    """Take a conversation out of the landing folder, every version of it and what was set aside of it.

    Records that could not be read go too where they hold the id as a JSON text, with or without its source.

    Returns:
        How many lines each file lost, by its name; a file that loses all its lines stays, empty.

    Raises:
        OSError: the folder can't be written.
    """
    lost: dict[str, int] = {}
    if not folder.is_dir():
        return lost
    with locked(folder):
        remove_unfinished(folder)
        for files, is_about in ((day_files, _is_about), (rejected_files, _rejected_is_about)):
            for _, path in files(folder):
                about = {line.number for line in landed_lines(path) if is_about(line.content, chat_id)}
                if about:
                    leave_out(path, about)
                    lost[path.name] = len(about)
    return lost


def landed_ids(folder: Path, *, without_source: str) -> list[str]:
    """Return the ids in the landing folder that are this one behind their source, `<source>:<id>`, sorted."""
    ending = f":{without_source}"
    found: set[str] = set()
    for _, path in day_files(folder) if folder.is_dir() else ():
        ids = (_chat_id_of(line.content) for line in landed_lines(path))
        found.update(chat_id for chat_id in ids if chat_id is not None and chat_id.endswith(ending))
    return sorted(found)


def still_landed(folder: Path, chat_ids: Collection[str]) -> set[str]:
    """Return those of the ids that a line of any day has, usable or not."""
    found: set[str] = set()
    for _, path in day_files(folder):
        for line in landed_lines(path):
            chat_id = _chat_id_of(line.content)
            if chat_id is None:
                text = line.content.decode("utf-8", "replace")
                found.update(each for each in chat_ids if holds_id(text, each))
            elif chat_id in chat_ids:
                found.add(chat_id)
    return found


def leave_out(path: Path, numbers: Collection[int]) -> int:
    """Take the lines of these numbers out of a file; return how many are left."""
    n_left = 0
    with replacing(path) as file:
        for line in landed_lines(path):
            if line.number not in numbers:
                file.write(line.content + b"\n")
                n_left += 1
    return n_left


def _is_about(line: bytes, chat_id: str) -> bool:
    found = _chat_id_of(line)
    # Elsewhere in a line that can be read, as in another conversation's text, the id is only a word.
    return found == chat_id or (found is None and holds_id(line.decode("utf-8", "replace"), chat_id))


def _rejected_is_about(line: bytes, chat_id: str) -> bool:
    try:
        row = RejectedConversation.model_validate_json(line)
    except ValidationError:
        return False  # somebody edited the file
    return row.chat_id == chat_id or (row.chat_id is None and holds_id(row.content, chat_id))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other landings away for the length of the block; readers are never kept away."""
    with FileLock(folder / _LOCK):
        yield


def _identity(rejected: RejectedConversation) -> tuple[str, ...]:
    """Return what makes a rejected record the same one, whatever its file is called; a file is known by its name."""
    return rejected.reason, rejected.chat_id or "", rejected.content or rejected.file


def _taken(rows: dict[tuple[str, int], RejectedConversation], like: RejectedConversation) -> RejectedConversation:
    """Take the row at the same place out of these, or else the first."""
    place = (like.file, like.line)
    return rows.pop(place if place in rows else next(iter(rows)))


def _rewrite(path: Path, lines: list[bytes]) -> None:
    """Bring a file to these lines, if it is not so already; without lines there is no file."""
    content = b"".join(line + b"\n" for line in lines)
    if not content:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != content:
        with replacing(path) as file:
            file.write(content)


def _line_of(row: Conversation | RejectedConversation) -> bytes:
    return row.model_dump_json().encode()


def _chat_id_of(line: bytes) -> str | None:
    """Return whose conversation a line is, None where it does not tell."""
    ours = _OUR_LINE.match(line)
    try:
        found = json.loads(ours[1]) if ours else parse_json(line).get("chat_id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
