"""Keeping the result of each stage in files, for the library's procedural functions and for export.

The formats are Kura's, so that either can read what the other wrote: `<filename>.jsonl` with one JSON object a line,
and conversations as one JSON list. What is never serialised (embeddings, centroids) is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from kura_dagster.pipeline.base_classes import AnyModel, BaseCheckpointManager
from kura_dagster.pipeline.replaced_file import replacing
from kura_dagster.pipeline.types import Conversation

_SUFFIX = ".jsonl"


class JSONLCheckpointManager(BaseCheckpointManager):
    """Keeps each checkpoint as a JSONL file in `checkpoint_dir`; with `enabled=False` it neither reads nor writes."""

    def setup_checkpoint_dir(self) -> None:
        """Make the folder, with its parents."""
        self.checkpoint_dir.mkdir(parents=True, exist_ok=True)

    def get_checkpoint_path(self, filename: str) -> Path:
        """Return the file that holds the checkpoint of this name.

        Raises:
            ValueError: the name is empty or leads out of the folder.
        """
        if not filename or Path(filename).name != filename:
            raise ValueError(f"checkpoint filename is {filename!r}; allowed is a name without folders")
        return self.checkpoint_dir / f"{filename}{_SUFFIX}"

    def load_checkpoint(self, filename: str, model_class: type[AnyModel]) -> list[AnyModel] | None:
        """Return what was saved under `filename`; None where nothing was, and [] where an empty list was.

        Raises:
            ValueError: a line does not fit `model_class`; the message names file and line.
        """
        path = self.get_checkpoint_path(filename)
        if not self.enabled or not path.exists():
            return None
        loaded = []
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    loaded.append(model_class.model_validate_json(line))
                except ValidationError as error:
                    first = error.errors(include_input=False, include_url=False)[0]
                    place = ".".join(str(part) for part in first["loc"])
                    raise ValueError(
                        f"{path}:{number} is no {model_class.__name__}: {place + ': ' if place else ''}{first['msg']}. "
                        f"Delete the file to compute it again."
                    ) from None
        return loaded

    def save_checkpoint(self, filename: str, data: list[AnyModel]) -> None:
        """Save `data` under `filename`. The file is replaced as a whole: a crash leaves the old one untouched."""
        path = self.get_checkpoint_path(filename)
        if not self.enabled:
            return
        with replacing(path) as lines:
            for item in data:
                lines.write(item.model_dump_json(by_alias=True).encode() + b"\n")

    def list_checkpoints(self) -> list[str]:
        """Return the names that `load_checkpoint` takes, sorted."""
        if not self.enabled:
            return []
        return sorted(path.stem for path in self.checkpoint_dir.glob(f"*{_SUFFIX}") if path.is_file())

    def delete_checkpoint(self, filename: str) -> bool:
        """Delete a checkpoint; True where there was one."""
        path = self.get_checkpoint_path(filename)
        if not self.enabled or not path.exists():
            return False
        path.unlink()
        return True


def write_conversations(path: Path, conversations: Iterable[Conversation]) -> None:
    """Write conversations as Kura's dump: one JSON list, which `Conversation.from_conversation_dump` of Kura reads.

    Only the turns of user and assistant are written: Kura knows no other roles and would refuse the file. The file is
    replaced as a whole, and its folder must exist.
    """
    with replacing(path) as dump:
        dump.write(b"[")
        for position, conversation in enumerate(conversations):
            turns_only = conversation.model_copy(update={"messages": conversation.turns})
            dump.write((b",\n" if position else b"\n") + turns_only.model_dump_json().encode())
        dump.write(b"\n]\n")
