"""Kura itself over a file of conversations: the reference of the benchmarks. Needs a Python with kura==0.5.4.

    python kura_reference.py CONVERSATIONS.jsonl FOLDER [summaries | run]

It runs the stage of the summaries alone or, by default, all four.
"""

import asyncio
import gc
import json
import resource
import sys
import time
from pathlib import Path

# Kura 0.5 closes none of its clients. When the collector frees one, a later connection on the reused descriptor may
# never wake, and the run hangs; without collection it runs through.
gc.disable()

started = time.perf_counter()
from kura.checkpoints import JSONLCheckpointManager  # noqa: E402
from kura.cluster import ClusterDescriptionModel, generate_base_clusters_from_conversation_summaries  # noqa: E402
from kura.dimensionality import HDBUMAP, reduce_dimensionality_from_clusters  # noqa: E402
from kura.meta_cluster import MetaClusterModel, reduce_clusters_from_base_clusters  # noqa: E402
from kura.summarisation import SummaryModel, summarise_conversations  # noqa: E402
from kura.types import Conversation  # noqa: E402


async def summaries_only(path: str, folder: str) -> dict[str, float]:
    """Run Kura's first stage with its defaults and return its seconds, CPU seconds and peak memory."""
    conversations = [Conversation.model_validate_json(line) for line in Path(path).read_text().splitlines()]
    nothing = JSONLCheckpointManager(folder, enabled=False)
    model = SummaryModel()
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    await summarise_conversations(conversations, model=model, checkpoint_manager=nothing)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
    }


async def run(path: str, folder: str) -> dict[str, float]:
    """Run Kura's four stages with its defaults and return seconds by stage, counts and peak memory."""
    conversations = [Conversation.model_validate_json(line) for line in Path(path).read_text().splitlines()]
    nothing = JSONLCheckpointManager(folder, enabled=False)
    marks = [time.perf_counter()]
    summaries = await summarise_conversations(conversations, model=SummaryModel(), checkpoint_manager=nothing)
    marks.append(time.perf_counter())
    base = await generate_base_clusters_from_conversation_summaries(
        summaries, clustering_model=ClusterDescriptionModel(), checkpoint_manager=nothing
    )
    marks.append(time.perf_counter())
    meta = await reduce_clusters_from_base_clusters(
        base, model=MetaClusterModel(max_clusters=10), checkpoint_manager=nothing
    )
    marks.append(time.perf_counter())
    projected = await reduce_dimensionality_from_clusters(meta, model=HDBUMAP(), checkpoint_manager=nothing)
    marks.append(time.perf_counter())
    return {
        "imports": marks[0] - started,
        "summarise": marks[1] - marks[0],
        "base clusters": marks[2] - marks[1],
        "meta clusters": marks[3] - marks[2],
        "project": marks[4] - marks[3],
        "total": marks[4] - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "base": len(base),
        "roots": sum(cluster.parent_id is None for cluster in projected),
    }


of_stages = summaries_only if sys.argv[3:] == ["summaries"] else run
print(json.dumps(asyncio.run(of_stages(sys.argv[1], sys.argv[2]))))
