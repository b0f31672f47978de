"""Conversations that are kept as trees: an edited message or a regenerated answer begins another branch.

Only the way from a leaf back to the root belongs here; what the nodes are is each format's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def way_to(leaf: Name, parent_of: Callable[[Name], Name | None]) -> list[Name]:
    """Return the nodes from the root to `leaf`, both included. A circle ends where it would begin again."""
    way: dict[Name, None] = {}
    node: Name | None = leaf
    while node is not None and node not in way:
        way[node] = None
        node = parent_of(node)
    return list(reversed(way))
