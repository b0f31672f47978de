"""Checks of `conversations` that look at the landed lines which could not be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kura_dagster.orchestration.asset_metadata import is_superseded
from kura_dagster.orchestration.checks.check import Check, Columns, Found, PartitionCheck
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import CONVERSATIONS, REJECTED_CONVERSATIONS

LEAST_UNUSABLE_LINES = 10
"""Of fewer, a small day may have a large share; they are warned of, and block nothing."""

_REASONS = f"The reasons are in table {REJECTED_CONVERSATIONS.name} and in kura-dagster rejected"


def landed_line_checks(settings: Settings) -> list[Check]:
    """Return the check that warns of any unusable line, and the one that blocks where there are too many."""
    limit = settings.check_rejected_share

    def find_share(tables: Columns) -> Found:
        unusable = _unusable(tables)
        lines = len(unusable) + len(tables[CONVERSATIONS.name])
        share = len(unusable) / lines if lines else 0.0
        figures = {"unusable_share": round(share, 4)}
        if len(unusable) < LEAST_UNUSABLE_LINES or share <= limit:
            return Found(figures=figures)
        said = (
            f"{len(unusable):,} of {lines:,} landed lines ({share:.2g}) can't be used, more than "
            f"KURA_CHECK_REJECTED_SHARE={limit:g}; the first is {unusable[0].file} line {unusable[0].line}: "
            f"{unusable[0].reason}"
        )
        return Found([said], figures)

    return [
        PartitionCheck(
            table=CONVERSATIONS,
            name="every_line_was_read",
            description="Every landed line could be used; look in table rejected_conversations for those that could "
            "not. Lines that a later version of their conversation supersedes are normal.",
            columns={REJECTED_CONVERSATIONS: ["file", "line", "reason"]},
            blocking=False,
            find=_find_unusable,
            remedy=f"{_REASONS}; land these conversations again once they are mended.",
        ),
        PartitionCheck(
            table=CONVERSATIONS,
            name="most_lines_were_read",
            description=f"In no partition could more than KURA_CHECK_REJECTED_SHARE ({limit:g}) of the landed lines "
            f"not be used, superseded ones aside: the themes of the others would not be the partition's. Fewer than "
            f"{LEAST_UNUSABLE_LINES} such lines are only warned of, by every_line_was_read.",
            columns={CONVERSATIONS: ["chat_id"], REJECTED_CONVERSATIONS: ["file", "line", "reason"]},
            blocking=True,
            find=find_share,
            remedy=f"{_REASONS}; mend what wrote them, land the partition again, or raise "
            "KURA_CHECK_REJECTED_SHARE to go on without these lines.",
        ),
    ]


def _find_unusable(tables: Columns) -> Found:
    unusable = _unusable(tables)
    return Found(
        [f"{row.file} line {row.line} is set aside in {REJECTED_CONVERSATIONS.name}: {row.reason}" for row in unusable],
        {"unusable_lines": len(unusable)},
    )


def _unusable(tables: Columns) -> Sequence[Any]:
    return [row for row in tables[REJECTED_CONVERSATIONS.name] if not is_superseded(row.reason)]
