"""A cache of answers for the time of a test."""

from __future__ import annotations

from typing import Any

from kura_dagster.pipeline.base_classes import CacheStrategy


class Memory(CacheStrategy):
    """The answers of a test, over several runs."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        return self.kept.get(key)

    def set(self, key: str, value: Any) -> None:
        self.kept[key] = value
