"""Many days of conversations, made up from the sample's: the same on every run."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import cycle
from pathlib import Path

from kura_dagster.sample.generator import generate_conversations

FIRST_DAY = date(2025, 1, 1)


def write_days(folder: Path, days: int, conversations: int) -> list[str]:
    """Write a landing file for each of so many days, each of so many conversations, and return the days' keys.

    The sample's conversations come again and again, moved to the day and under new ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sample = cycle([each.conversation for each in generate_conversations()])
    keys = []
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        lines = []
        for count in range(conversations):
            conversation = next(sample)
            later = timedelta(days=(day - conversation.created_at.date()).days)
            messages = [
                each.model_copy(update={"created_at": each.created_at + later}) for each in conversation.messages
            ]
            moved = {
                "chat_id": f"{day}-{count:05}",
                "created_at": conversation.created_at + later,
                "messages": messages,
            }
            lines.append(conversation.model_copy(update=moved).model_dump_json() + "\n")
        (folder / f"{day}.jsonl").write_text("".join(lines), encoding="utf-8")
        keys.append(day.isoformat())
    return keys
