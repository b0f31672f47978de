"""What Dagster hears of each partition that was stored: one materialisation, with the version of its own content.

Dagster reports the partitions of a run itself, when its step ends, and takes one data version for all of them. Then one
changed conversation would give every partition of a range a new version, and show as out of date what was made of the
others. So the IO manager reports each partition when it is stored, and Dagster is asked not to. Which tags stand on a
materialisation is Dagster's choice, made in `_build_data_version_tags` and read by `CachingStaleStatusResolver`.
"""

from __future__ import annotations

import hashlib

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

# Dagster's own mark of an output whose asset events are logged where it is computed, and not by Dagster.
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as REPORTED_MARK
from dagster._core.events import DagsterEvent


def report_each_partition(context: dg.AssetExecutionContext) -> None:
    """Ask Dagster to leave it to the IO manager to report the partitions of this run of an asset."""
    context.add_output_metadata({REPORTED_MARK: True})


class StoredPartitions:
    """Makes the materialisations of one step: what each partition was made of, and the version of what came out.

    Every upstream asset is partitioned like the step's own, partition by partition.

    Args:
        context: of the step's output.

    Raises:
        ValueError: Dagster would report the partitions as well, because `report_each_partition` was not called.
    """

    def __init__(self, context: dg.OutputContext) -> None:
        if REPORTED_MARK not in context.output_metadata:
            raise ValueError(f"{context.asset_key.to_user_string()} has to call report_each_partition(context)")
        self._context = context
        step = context.step_context
        asset = step.job_def.asset_layer.get(context.asset_key)
        self._code_version = asset.code_version or step.run_id
        # Asked before anything is computed: what is stored upstream from now on is not what these rows are made of.
        self._upstream = {key: step.maybe_fetch_and_get_input_asset_version_info(key) for key in asset.parent_keys}
        self._upstream_tags = {
            key: step.instance.event_log_storage.get_latest_tags_by_partition(
                key,
                dg.DagsterEventType.ASSET_MATERIALIZATION,
                [DATA_VERSION_TAG],
                asset_partitions=list(context.asset_partition_keys),
            )
            for key in asset.parent_keys
        }

    def event(self, partition_key: str, data_version: str) -> dg.DagsterEvent:
        """Return the materialisation of a partition, with the metadata that was added for it until now."""
        step, asset_key = self._context.step_context, self._context.asset_key
        metadata = {
            **{name: value for name, value in self._context.output_metadata.items() if name != REPORTED_MARK},
            **(step.get_asset_metadata(asset_key) or {}),
            **(step.get_asset_metadata(asset_key, partition_key) or {}),
        }
        tags = {
            CODE_VERSION_TAG: self._code_version,
            DATA_VERSION_TAG: data_version,
            DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        }
        for key, upstream in self._upstream.items():
            tags[get_input_event_pointer_tag(key)] = str(upstream.storage_id) if upstream else NULL_EVENT_POINTER
            of_partition = self._upstream_tags[key].get(partition_key, {}).get(DATA_VERSION_TAG)
            # As Dagster has it in a run of this one partition: the hash of the versions of the one that it is made of.
            tags[get_input_data_version_tag(key)] = (
                hashlib.sha256(of_partition.encode()).hexdigest() if of_partition else DEFAULT_DATA_VERSION.value
            )
        materialisation = dg.AssetMaterialization(asset_key, partition=partition_key, metadata=metadata, tags=tags)
        return DagsterEvent.asset_materialization(step, materialisation)
