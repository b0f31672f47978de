"""Exports as vendors send them: which of their files hold the conversations.

The others (users, projects, feedback, a page for the browser) are no conversations, and no faults either. Whether they
come in a zip file or unpacked into a folder, the rule is the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TypeVar

_CONVERSATIONS = re.compile(r"conversations[-_.0-9]*\.(?:json|jsonl|ndjson)")

File = TypeVar("File", bound=PurePath)


def is_conversations(file: PurePath) -> bool:
    """Return whether a file is called as an export's conversations are, `conversations.json` or a part of it."""
    return _CONVERSATIONS.fullmatch(file.name) is not None


def without_companions(files: Sequence[File]) -> list[File]:
    """Return the files of one export that hold its conversations, or all where none is called so."""
    return [file for file in files if is_conversations(file)] or list(files)
