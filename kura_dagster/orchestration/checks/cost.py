"""Check of what a partition cost: where a provider's model is asked, no partition costs far more than those before.

The costs are those that run history keeps for each materialisation, of all runs of a partition together. So what a run
found among kept answers, and paid nothing for, leaves the partition's cost as it was; a partition that was run anew
with another prompt costs what it cost twice; and one that never paid, because all of its answers were kept, says
nothing of what is usual.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from kura_dagster.orchestration.asset_metadata import recorded_spending
from kura_dagster.orchestration.checks.check import Check, CheckedPartitions, Columns, Examination, Findings, Found
from kura_dagster.orchestration.checks.trailing import LEAST_BEFORE, TrailingPartitions
from kura_dagster.orchestration.partitions import key_of
from kura_dagster.orchestration.questions import STAGES
from kura_dagster.settings import Settings
from kura_dagster.storage.database import PartitionDate
from kura_dagster.storage.tables import CONVERSATIONS, TABLES

LEAST_CONVERSATIONS = 10
"""Of fewer, a single long conversation or the naming of one cluster makes the cost."""

PARTITIONS_AT_ONCE = 200
RECORDS_AT_ONCE = 500


def cost_checks(settings: Settings, asked: Collection[str]) -> list[Check]:
    """Return the check, which belongs to the last of the assets that ask, or none where none does."""
    assets = [name for name in STAGES if name in asked]
    if not assets:
        return []
    factor, trailing = settings.check_cost_factor, settings.check_trailing_partitions
    return [
        CostCheck(
            table=TABLES[assets[-1]],
            name="cost_is_usual",
            description=f"For {' and '.join(assets)} together, all runs of a partition paid no more than {factor:g} "
            "times (KURA_CHECK_COST_FACTOR) as much a conversation as the median of the "
            f"{trailing} partitions before it (KURA_CHECK_TRAILING_PARTITIONS) that paid anything; tokens are "
            f"compared where a price is unknown. Partitions of fewer than {LEAST_CONVERSATIONS} conversations don't "
            f"count, and it is not judged where fewer than {LEAST_BEFORE} came before.",
            columns={},
            blocking=False,
            remedy="Calls, retries and tokens of each run are in the metadata of these assets; a prompt, a schema, a "
            "model, its price or much longer conversations may be behind it. KURA_MAX_COST_USD stops a run before it "
            "costs more.",
            assets=assets,
            trailing=trailing,
            factor=factor,
        )
    ]


@dataclass
class _Paid:
    """What all runs of a partition paid; `usd` is None where one asked a model without a known price."""

    usd: float | None = 0.0
    tokens: int = 0
    usd_by_asset: Counter[str] = field(default_factory=Counter)
    tokens_by_asset: Counter[str] = field(default_factory=Counter)

    def add(self, asset: str, usd: float | None, tokens: int) -> None:
        self.usd = None if self.usd is None or usd is None else self.usd + usd
        self.tokens += tokens
        self.usd_by_asset[asset] += usd or 0.0  # type: ignore[assignment]
        self.tokens_by_asset[asset] += tokens


@dataclass(frozen=True, kw_only=True)
class CostCheck(Check):
    """A check of the cost of a conversation, by the runs of some assets."""

    assets: Sequence[str]
    trailing: int
    factor: float

    def begin(self, checked: CheckedPartitions) -> Examination:
        """Return a run of the check over these partitions."""
        all_counts = checked.database.row_counts([CONVERSATIONS])[CONVERSATIONS.name]
        counts = {when: count for when, count in all_counts.items() if count >= LEAST_CONVERSATIONS}
        key_by_date = {when: key_of(checked.partitions_def, when) for when in self._needed(checked, sorted(counts))}
        paid_by_key = paid_by_partition(checked.instance, self.assets, list(key_by_date.values()))
        paid = {when: paid_by_key.get(key, _Paid()) for when, key in key_by_date.items()}
        usd = {when: 1000 * each.usd / counts[when] for when, each in paid.items() if each.usd}
        tokens = {when: each.tokens / counts[when] for when, each in paid.items() if each.tokens}
        usual_usd, usual_tokens = (TrailingPartitions(each, self.trailing) for each in (usd, tokens))

        def find(key: str, _: Columns) -> Found:
            when = checked.dates[key]
            if when not in paid:
                return Found(not_judged=f"fewer than {LEAST_CONVERSATIONS} conversations")
            figures = {"tokens_per_conversation": round(tokens.get(when, 0.0), 1)}
            if paid[when].usd is not None:
                figures["usd_per_1000_conversations"] = round(usd.get(when, 0.0), 4)
            if not paid[when].tokens and not paid[when].usd:
                return Found(figures=figures)  # everything was kept
            usual = usual_usd.usual_at(when) if when in usd else None
            if usual is not None:
                found, what, by_asset = usd[when], "USD per 1,000 conversations", paid[when].usd_by_asset
                figures["median_usd_before"] = round(usual.median, 4)
            else:
                usual = usual_tokens.usual_at(when)
                found, what, by_asset = tokens.get(when, 0.0), "tokens a conversation", paid[when].tokens_by_asset
            if usual is None:
                return Found(figures=figures, not_judged=f"fewer than {LEAST_BEFORE} partitions before paid anything")
            if found <= self.factor * usual.median:
                return Found(figures=figures)
            ((most, share),) = by_asset.most_common(1)
            said = (
                f"{found:,.4g} {what}; the median of the {usual.partitions} partitions before is "
                f"{usual.median:,.4g}; {share / sum(by_asset.values()):.0%} of it is for {most}"
            )
            return Found([said], figures)

        return Findings(self, find)

    def _needed(self, checked: CheckedPartitions, in_order: Sequence[PartitionDate]) -> list[PartitionDate]:
        """Return those of the partitions that are checked, and twice as many before each as are compared.

        Some of these may have paid nothing.
        """
        needed: set[PartitionDate] = set()
        for when in checked.dates.values():
            at = bisect_left(in_order, when)  # type: ignore[type-var]  # all are dates, or all are times
            needed.update(in_order[max(0, at - 2 * self.trailing) : at])
            if at < len(in_order) and in_order[at] == when:
                needed.add(when)
        return sorted(needed)


def paid_by_partition(
    instance: dg.DagsterInstance, assets: Sequence[str], partition_keys: Sequence[str]
) -> Mapping[str, _Paid]:
    """Return what all materialisations of the assets' partitions paid, by partition key."""
    paid: defaultdict[str, _Paid] = defaultdict(_Paid)
    for asset in assets:
        for start in range(0, len(partition_keys), PARTITIONS_AT_ONCE):
            some = list(partition_keys[start : start + PARTITIONS_AT_ONCE])
            filters = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=some)
            cursor = None
            while True:
                page = instance.fetch_materializations(filters, limit=RECORDS_AT_ONCE, cursor=cursor)
                for record in page.records:
                    materialisation = record.asset_materialization
                    spent = recorded_spending(materialisation.metadata) if materialisation else None
                    if spent is not None and record.partition_key is not None:
                        paid[record.partition_key].add(asset, *spent)
                if not page.has_more:
                    break
                cursor = page.cursor
    return paid
