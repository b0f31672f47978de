"""A folder of Kura's checkpoints: which of its files holds the conversations.

What is in that file is `native`'s; the other checkpoints are results and no source.
"""

from __future__ import annotations

from pathlib import Path

from kura_dagster.pipeline.sources.record import SourceError

_NAMES = ("conversations.json", "conversations.jsonl")


def conversations_file(folder: Path) -> Path:
    """Return the file of a checkpoint folder that holds its conversations, `read_source` reads it as `kura`.

    Raises:
        SourceError: there is none.
    """
    for name in _NAMES:
        if (path := folder / name).is_file():
            return path
    raise SourceError(
        f"{folder} holds no {_NAMES[0]}; Kura writes one where it is told to: "
        "Conversation.generate_conversation_dump(conversations, 'conversations.json')"
    )
