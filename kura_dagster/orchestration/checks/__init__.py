"""Checks of what was stored: read back from the database, partition by partition, after the asset has been written.

A check covers the partitions of its run, or every materialised one when it is run without any. A failing check names
the partition and the rows, and says what to do. Blocking are those that would make everything downstream wrong; the
others warn where a person should look.
"""

from __future__ import annotations

from collections.abc import Collection

import dagster as dg

from kura_dagster.orchestration.checks.check import Check
from kura_dagster.orchestration.checks.cluster_names import CLUSTER_NAME_CHECKS
from kura_dagster.orchestration.checks.cluster_sizes import cluster_size_check
from kura_dagster.orchestration.checks.completeness import COMPLETENESS_CHECKS
from kura_dagster.orchestration.checks.cost import cost_checks
from kura_dagster.orchestration.checks.failures import failure_checks
from kura_dagster.orchestration.checks.landed_lines import landed_line_checks
from kura_dagster.orchestration.checks.personal_data import PERSONAL_DATA_CHECKS
from kura_dagster.orchestration.checks.steps import check_steps
from kura_dagster.orchestration.checks.volume import volume_check
from kura_dagster.settings import Settings


def asset_checks(
    partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings, asked: Collection[str]
) -> list[dg.AssetChecksDefinition]:
    """Return the Dagster checks for these partitions; `asked` names the assets that ask a provider's model."""
    checks: list[Check] = [
        *landed_line_checks(settings),
        volume_check(settings),
        *COMPLETENESS_CHECKS,
        *failure_checks(settings),
        cluster_size_check(settings),
        *CLUSTER_NAME_CHECKS,
        *PERSONAL_DATA_CHECKS,
        *cost_checks(settings, asked),
    ]
    return check_steps(checks, partitions_def)
