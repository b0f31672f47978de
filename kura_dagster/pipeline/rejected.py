"""What was set aside, as a whole: which reasons are of one kind, and taking the list away.

What makes a record unusable is said where it is read; the list itself is written by `landing`.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from kura_dagster.pipeline.conversations import rejected_files, rejected_in
from kura_dagster.pipeline.landing import locked

# What differs from record to record in reasons that are the same.
_PLACES = (
    (re.compile(r"(?<=[A-Za-z_])\.\d+(?=[.:])"), ".N"),
    (re.compile(r"\b(byte|character|line) \d[\d,]*"), r"\1 N"),
    (re.compile(r"\b\d[\d,]* (field|column|row)s?\b"), r"N \1s"),
    (re.compile(r"\bsuperseded by \S+:\d+"), "superseded by a later line"),
    (re.compile(r"\bbegan on \d{4}-\d{2}-\d{2}"), "began on another day"),
)


def kind_of_reason(reason: str) -> str:
    """Return a reason without the places and numbers in it, so that records with the same fault have the same."""
    for place, replacement in _PLACES:
        reason = place.sub(replacement, reason)
    return reason


def count_rejected(folder: Path, day: date | None = None) -> int:
    """Return how many records `clear_rejected` would take off the list."""
    return sum(len(rejected_in(path)) for path in _lists(folder, day))


def clear_rejected(folder: Path, day: date | None = None) -> int:
    """Take away the list of what could not be landed; conversations and lines of the days' own files stay.

    Args:
        folder: the landing folder.
        day: whose list; None means every day's.

    Returns:
        How many records were on it.

    Raises:
        OSError: the folder can't be written.
    """
    if not folder.is_dir():
        return 0  # and no lock is made there
    number = 0
    with locked(folder):
        for path in _lists(folder, day):
            number += len(rejected_in(path))
            path.unlink()
    return number


def _lists(folder: Path, day: date | None) -> list[Path]:
    files = rejected_files(folder) if folder.is_dir() else ()
    return [path for of_day, path in files if day in (None, of_day)]
