"""What of the landing folder began before a moment: telling it, and dropping it.

A line belongs to the time its conversation began at, whatever file it stands in; one that can't be used, and what could
not be landed of a day, to the beginning of its file's day. That is how `conversations` reads them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple

from kura_dagster.pipeline.conversations import (
    UnusableLineError,
    day_files,
    landed_lines,
    parsed_line,
    rejected_files,
)
from kura_dagster.pipeline.landing import leave_out, locked
from kura_dagster.pipeline.replaced_file import remove_unfinished

_ONE_DAY = timedelta(days=1)


class OldLines(NamedTuple):
    """The lines of one landing file that began before the moment: its day, and their numbers, from 1."""

    day: date
    numbers: list[int]


def old_lines(folder: Path, before: datetime, tz: tzinfo) -> dict[str, OldLines]:
    """Return the lines of the landing folder that began before a moment, by file name, with the files that have any.

    Args:
        folder: the landing folder; one that is missing holds nothing.
        before: the moment, with an offset.
        tz: the time zone that the project's days are cut in.

    Raises:
        OSError: the folder can't be read.
    """
    return {path.name: found for path, found in _old(folder, before, tz)} if folder.is_dir() else {}


def drop_old_lines(folder: Path, before: datetime, tz: tzinfo) -> dict[str, int]:
    """Take the lines out of the landing folder that began before a moment; a file that then holds nothing goes.

    Each file is replaced whole or stays as it was, so after a crash the same again does the rest.

    Returns:
        How many lines each file lost, by its name.

    Raises:
        OSError: the folder can't be written.
    """
    lost: dict[str, int] = {}
    if not folder.is_dir():
        return lost
    with locked(folder):
        remove_unfinished(folder)
        for path, found in _old(folder, before, tz):
            if not leave_out(path, found.numbers):
                path.unlink()
            lost[path.name] = len(found.numbers)
    return lost


def _old(folder: Path, before: datetime, tz: tzinfo) -> Iterator[tuple[Path, OldLines]]:
    before = before.astimezone(UTC)
    boundary = before.astimezone(tz).date()
    for day, path in day_files(folder):
        # What can be used began at most a day from its file's; so only these files may hold both kinds.
        if abs(day - boundary) <= _ONE_DAY:
            numbers = [line.number for line in landed_lines(path) if _began(line.content, day, tz) < before]
        else:
            numbers = [line.number for line in landed_lines(path)] if day < boundary else []
        if numbers:
            yield path, OldLines(day, numbers)
    for day, path in rejected_files(folder):
        if _begin_of(day, tz) < before:
            yield path, OldLines(day, [line.number for line in landed_lines(path)])


def _began(line: bytes, day: date, tz: tzinfo) -> datetime:
    try:
        return parsed_line(line, day, tz).created_at
    except UnusableLineError:
        return _begin_of(day, tz)


def _begin_of(day: date, tz: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
