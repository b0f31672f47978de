"""The landing folder as it is written: conversations from anywhere, put into the file of their day.

What formats they come in is `sources`' knowledge, and what a day's file means to those who read it `conversations`'.
Every file is replaced whole or stays as it was, and what is landed again changes nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from filelock import FileLock

from kura_dagster.pipeline.conversations import (
    REJECTED_SUFFIX,
    RejectedConversation,
    UnusableLineError,
    day_of_file,
    landed_lines,
    landing_file,
    parsed_line,
    rejected_file,
    rejected_in,
)
from kura_dagster.pipeline.replaced_file import replacing
from kura_dagster.pipeline.strict_json import parse_json
from kura_dagster.pipeline.types import Conversation

_LOCK = ".lock"
# How a line that was written here begins: its id can be told without parsing the rest.
_OUR_LINE = re.compile(rb'\{"chat_id":("(?:[^"\\]|\\.)*"),')


class Fate(StrEnum):
    """What becomes of a conversation that is landed: `older` has a later version in the folder already."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OLDER = "older"


@dataclass
class LandedDay:
    """What landing did to one day: conversations by what became of them, and records that were set aside."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    older: int = 0
    rejected: int = 0


class Landing:
    """Gathers conversations, and puts them into the landing folder when it is told to.

    Until `finish` the folder is as it was: what is added waits in a file that the system deletes with the process, so
    any number of conversations takes little memory. Of a conversation that is added twice, the version whose last
    message is the latest counts, of equals the one that was added last.

    Args:
        folder: the landing folder; made where it is missing.
        tz: the time zone that days are cut in.
        today: the day under which records are filed that can't tell their own.
    """

    def __init__(self, folder: Path, tz: tzinfo, *, today: date) -> None:
        self.folder = folder
        self.tz = tz
        self.today = today
        # No name: a file of SQLite's own, beyond 64 MB, that nobody else can open and no crash leaves behind.
        self._waiting = sqlite3.connect("")
        self._waiting.executescript(
            """
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -65536;
            CREATE TABLE conversations (
                day TEXT NOT NULL, chat_id TEXT NOT NULL, last_message_at REAL NOT NULL, line BLOB NOT NULL,
                UNIQUE (day, chat_id)
            );
            CREATE TABLE rejected (
                file TEXT NOT NULL, line INTEGER NOT NULL, day TEXT NOT NULL, record BLOB NOT NULL,
                PRIMARY KEY (file, line)
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

    def add(self, conversation: Conversation) -> None:
        """Take a conversation, with all its times in UTC."""
        day = conversation.created_at.astimezone(self.tz).date()
        self._waiting.execute(
            """
            INSERT INTO conversations VALUES (?, ?, ?, ?)
            ON CONFLICT (day, chat_id) DO UPDATE SET last_message_at = excluded.last_message_at, line = excluded.line
            WHERE excluded.last_message_at >= last_message_at
            """,
            [day.isoformat(), conversation.chat_id, _last_message_at(conversation), _line_of(conversation)],
        )

    def reject(self, rejected: RejectedConversation, created_at: datetime | None) -> None:
        """Take a record that can't be used; it is filed under its day, or under today's where it can't tell."""
        day = self.today if created_at is None else created_at.astimezone(self.tz).date()
        self._waiting.execute(
            "INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?)",
            [rejected.file, rejected.line, day.isoformat(), rejected.model_dump_json().encode()],
        )

    def finish(self) -> dict[date, LandedDay]:
        """Put into the folder what was added, day by day, and return what that did, by day.

        A day of which nothing changes is not written. A crash in between leaves some days done and the others as they
        were; landing the same again does the rest.

        Raises:
            OSError: the folder can't be written.
        """
        report: dict[date, LandedDay] = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder):
            for (day,) in self._waiting.execute("SELECT DISTINCT day FROM conversations ORDER BY day").fetchall():
                report[date.fromisoformat(day)] = self._land(day)
            self._replace_rejected()
        for day, number in self._waiting.execute("SELECT day, count(*) FROM rejected GROUP BY day"):
            report.setdefault(date.fromisoformat(day), LandedDay()).rejected = number
        return dict(sorted(report.items()))

    def _land(self, day: str) -> LandedDay:
        """Merge what waits for a day with its file."""
        path = landing_file(self.folder, date.fromisoformat(day))
        fates = self._fates(day, path)
        landed = LandedDay()
        for fate in fates.values():
            setattr(landed, fate, getattr(landed, fate) + 1)
        written = {chat_id for chat_id, fate in fates.items() if fate in (Fate.NEW, Fate.UPDATED)}
        if not written:
            return landed
        replaced = {chat_id for chat_id in written if fates[chat_id] is Fate.UPDATED}
        with replacing(path) as file:
            for line in landed_lines(path) if path.exists() else ():
                if _chat_id_of(line.content) not in replaced:
                    file.write(line.content + b"\n")
            query = "SELECT chat_id, line FROM conversations WHERE day = ? ORDER BY chat_id"
            for chat_id, content in self._waiting.execute(query, [day]):
                if chat_id in written:
                    file.write(content + b"\n")
        return landed

    def _fates(self, day: str, path: Path) -> dict[str, Fate]:
        """Return what becomes of each conversation that waits for a day, by its id."""
        query = "SELECT chat_id, last_message_at FROM conversations WHERE day = ?"
        waiting = dict(self._waiting.execute(query, [day]).fetchall())
        fates = dict.fromkeys(waiting, Fate.NEW)
        latest: dict[str, float] = {}
        for line in landed_lines(path) if path.exists() else ():
            chat_id = _chat_id_of(line.content)
            if chat_id is None or chat_id not in waiting:
                continue
            (content,) = self._waiting.execute(
                "SELECT line FROM conversations WHERE day = ? AND chat_id = ?", [day, chat_id]
            ).fetchone()
            if content == line.content:
                last_message_at, is_same = waiting[chat_id], True
            else:
                try:
                    conversation = parsed_line(line.content, date.fromisoformat(day), self.tz)
                except UnusableLineError:
                    continue  # it stays where it is, and who reads the folder is told of it
                last_message_at, is_same = _last_message_at(conversation), _line_of(conversation) == content
            if last_message_at < latest.get(chat_id, last_message_at):
                continue
            latest[chat_id] = last_message_at
            if is_same:
                fates[chat_id] = Fate.UNCHANGED
            else:
                fates[chat_id] = Fate.OLDER if last_message_at > waiting[chat_id] else Fate.UPDATED
        return fates

    def _replace_rejected(self) -> None:
        """Bring the files of rejected records to what the files that were read now hold."""
        read_now = {file for (file,) in self._waiting.execute("SELECT file FROM files")}
        days = {day for (day,) in self._waiting.execute("SELECT DISTINCT day FROM rejected")}
        days |= {day.isoformat() for path in self.folder.glob(f"*{REJECTED_SUFFIX}") if (day := day_of_file(path))}
        for day in sorted(days):
            path = rejected_file(self.folder, date.fromisoformat(day))
            before = [row.model_dump_json().encode() for row in rejected_in(path) if row.file not in read_now]
            query = "SELECT record FROM rejected WHERE day = ? ORDER BY file, line"
            _rewrite(path, [*before, *(record for (record,) in self._waiting.execute(query, [day]))])


def forget(folder: Path, chat_id: str) -> dict[str, int]:
    """Take a conversation out of the landing folder, every version of it and what was set aside of it.

    Lines that can't be parsed go too where they hold the id as a JSON text.

    Returns:
        How many lines each file lost, by its name; a file that loses all its lines stays, empty.

    Raises:
        OSError: the folder can't be written.
    """
    quoted = (json.dumps(chat_id).encode(), json.dumps(chat_id, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    lost: dict[str, int] = {}
    if not folder.is_dir():
        return lost
    with _locked(folder):
        for path in sorted(folder.iterdir()):
            if not day_of_file(path):
                continue
            about = [line.number for line in landed_lines(path) if _is_about(line.content, chat_id, quoted)]
            if not about:
                continue
            with replacing(path) as file:
                for line in landed_lines(path):
                    if line.number not in about:
                        file.write(line.content + b"\n")
            lost[path.name] = len(about)
    return lost


def _is_about(line: bytes, chat_id: str, quoted: tuple[bytes, ...]) -> bool:
    if _chat_id_of(line) == chat_id:
        return True
    # Elsewhere in a line that can be read, as in another conversation's text, the id is only a word.
    return any(each in line for each in quoted) and _chat_id_of(line) is None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other landings away for the length of the block; readers are never kept away."""
    with FileLock(folder / _LOCK):
        yield


def _rewrite(path: Path, lines: list[bytes]) -> None:
    """Bring a file to these lines, if it is not so already; without lines there is no file."""
    content = b"".join(line + b"\n" for line in lines)
    if not content:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != content:
        with replacing(path) as file:
            file.write(content)


def _line_of(conversation: Conversation) -> bytes:
    return conversation.model_dump_json().encode()


def _last_message_at(conversation: Conversation) -> float:
    return max(message.created_at for message in conversation.messages).timestamp()


def _chat_id_of(line: bytes) -> str | None:
    """Return whose conversation a line is, None where it does not tell."""
    ours = _OUR_LINE.match(line)
    try:
        found = json.loads(ours[1]) if ours else parse_json(line).get("chat_id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
