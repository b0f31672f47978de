"""Why records were set aside, counted, as it is printed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kura_dagster.cli.screen import counted
from kura_dagster.pipeline.plain_text import plain_line

if TYPE_CHECKING:
    pass


def reason_lines(reasons: Counter[str], most: int | None = None) -> list[str]:
    """Return the reasons with how many records have each, the most frequent first; at most so many are named."""
    shown = reasons.most_common(most)
    lines = [f"  {number:,} × {plain_line(reason)}" for reason, number in shown]
    if len(shown) < len(reasons):
        n_records = reasons.total() - sum(number for _, number in shown)
        others = counted(len(reasons) - len(shown), "other reason", "other reasons")
        lines.append(f"  and {counted(n_records, 'record', 'records')} for {others}")
    return lines
