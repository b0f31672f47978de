"""Labelled texts and dialogues, read from JSON lines for evaluation. None of them ship with the project."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kura_dagster.pipeline.types import Conversation, Message

_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Labelled:
    """A conversation with what it is truly about, and the broader domain where the data names one."""

    conversation: Conversation
    label: str
    domain: str | None


def read_labelled(path: Path, split: str | None = None) -> list[Labelled]:
    """Return the labelled conversations of a file of JSON lines, in its order.

    A line holds `label`, and one of `text` (a single request), `dialogue` and `messages` (lists of role and content);
    `id`, `domain` and `split` where there are any. With `split`, only its lines are read.

    Raises:
        ValueError: a line lacks its label or what was said.
    """
    found = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            row = json.loads(line)
            if split is not None and row.get("split") != split:
                continue
            turns = row.get("dialogue") or row.get("messages") or [{"role": "user", "content": row.get("text")}]
            if "label" not in row or not any(turn.get("content") for turn in turns):
                raise ValueError(f"{path}, line {number}: a line needs a label and text, dialogue or messages")
            messages = [
                Message(created_at=_TIME, role=turn["role"], content=turn.get("content") or "") for turn in turns
            ]
            conversation = Conversation(chat_id=str(row.get("id", number)), created_at=_TIME, messages=messages)
            found.append(Labelled(conversation, row["label"], row.get("domain")))
    if not found:
        raise ValueError(f"{path} has no lines" + (f" of the split {split!r}" if split else ""))
    return found
