"""Many days: seconds a day in every way of running them, how much of it is Dagster's, and what a deployment takes.

Run by `make benchmark-many-days`. Embedded default models, everything seeded; one measurement after the other:

    a run a day    a backfill through GraphQL with KURA_PARTITIONS_PER_RUN=1: each run is a process of the run launcher
    in batches     the same with the default of KURA_PARTITIONS_PER_RUN
    one range      all days in one run, in one process that the command line starts

Beside each stands the same with empty bodies (`empty_assets`): Dagster's own share. The pipeline alone is the same
functions called from Python, without Dagster, database, checks or pictures; what the product adds to it is

    (seconds - pipeline alone - Dagster's own) a day

A run a day takes long and is measured on --single-days days; nothing is extrapolated. Then: how long after its start
`dagster dev` answers and has one small day analysed, and what its processes take, idle and at most during a run, as RSS
and PSS (of pages that processes share, each process's part) from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' dagster dev is not installed

from benchmarks.backfills import Way, launch, wait_for_backfill
from benchmarks.made_up_days import write_days
from kura_dagster.settings import Settings
from kura_dagster_tests.dagster_dev import DagsterDev

FULL = ("-m", "kura_dagster.definitions")
EMPTY = ("-m", "benchmarks.empty_assets")
BATCH = Settings.model_fields["partitions_per_run"].default
SECONDS_BETWEEN_SAMPLES = 0.5
ROLES = {
    "dagster_webserver": "webserver",
    "dagster._daemon": "daemon",
    "spawn_main": "run worker",
    "execute_run": "run worker",
    "api grpc": "code server",
    "code-server": "code server",
    "dagster dev": "dagster dev itself",
}
"""What stands in the command line of a process of the deployment, and what that is; the first that fits."""


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60, help="how many days (default: 60)")
    parser.add_argument("--conversations", type=int, default=200, help="of each day (default: 200)")
    parser.add_argument("--single-days", type=int, default=10, help="days of a run each (default: 10)")
    parser.add_argument("--child", choices=("range", "empty range", "pipeline"), help=argparse.SUPPRESS)
    parser.add_argument("--keys", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child == "pipeline":
        asyncio.run(pipeline_alone(arguments.keys))
        return
    if arguments.child:
        one_range(arguments.keys, empty=arguments.child == "empty range")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_days(folder / "landing", arguments.days, arguments.conversations)
        single = keys[: arguments.single_days]
        print(
            f"{arguments.days} days of {arguments.conversations} conversations (a run a day: {len(single)} days), "
            f"{os.cpu_count()} cores\n"
        )
        warm_up(folder, keys)
        alone = in_a_process(folder, keys, "pipeline") / len(keys)
        rows = {
            "a run a day": [backfill(folder, single, 1, location) / len(single) for location in (FULL, EMPTY)],
            f"in batches of {BATCH}": [
                backfill(folder, keys, BATCH, location) / len(keys) for location in (FULL, EMPTY)
            ],
            "one range": [in_a_process(folder, keys, child) / len(keys) for child in ("range", "empty range")],
        }
        print_days(rows, alone)
        print_deployment(folder, single[:1], keys)


def warm_up(folder: Path, keys: list[str]) -> None:
    """Let the first process that needs them build MiniLM's graph and numba's caches: no measurement is of that."""
    in_a_process(folder, keys[:1], "pipeline")


def in_a_process(folder: Path, keys: list[str], child: str) -> float:
    """Return the seconds that a process of this script takes for the days, from its start to its end."""
    way = new_way(folder, keys, len(keys))
    command = [sys.executable, __file__, "--child", child, "--keys", *keys]
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=way.folder, env=os.environ | way.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stdout.decode())
    print(f"{child}: {seconds:.1f} s", file=sys.stderr)
    return seconds


def backfill(folder: Path, keys: list[str], partitions_per_run: int, location: tuple[str, ...]) -> float:
    """Return the seconds from the launch of a backfill until it is done."""
    way = new_way(folder, keys, partitions_per_run)
    with DagsterDev(way.folder, way.environment, *location) as dagster_dev:
        started = time.perf_counter()
        found = wait_for_backfill(dagster_dev, launch(dagster_dev, keys))
        seconds = time.perf_counter() - started
    if found["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill is {found}")
    print(f"{' '.join(location)}, {partitions_per_run} a run: {seconds:.1f} s", file=sys.stderr)
    return seconds


def new_way(folder: Path, keys: list[str], partitions_per_run: int) -> Way:
    """Return a new database and run history over the landed days, with the two runs at once that are the default."""
    taken = sum(each.name.startswith("way") for each in folder.iterdir())
    return Way(folder / f"way{taken}", folder / "landing", keys, partitions_per_run, "umap", concurrent_runs=2)


def one_range(keys: list[str], *, empty: bool) -> None:
    """Analyse the days in one run of this process, as the command line does."""
    from kura_dagster.orchestration.build import build_defs
    from kura_dagster.orchestration.materialise import materialise, open_instance

    if empty:
        from benchmarks.empty_assets import defs
    else:
        defs = build_defs()
    with open_instance() as instance:
        report = materialise(defs, keys, instance)
    if not report.success:
        raise SystemExit(str(report.failures))


async def pipeline_alone(keys: list[str]) -> None:
    """Analyse the days with the functions that the assets call, and store nothing."""
    from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
    from kura_dagster.pipeline.conversation_projections import place_conversations
    from kura_dagster.pipeline.conversations import read_conversations
    from kura_dagster.pipeline.embeddings import embed_summaries
    from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
    from kura_dagster.pipeline.projections import reduce_dimensionality_from_clusters
    from kura_dagster.pipeline.providers import open_models
    from kura_dagster.pipeline.summaries import summarise_conversations

    settings = Settings.load()
    async with open_models(settings) as models:
        for key in keys:
            begin = datetime.combine(date.fromisoformat(key), time_of_day(), settings.tzinfo)
            landed = read_conversations(settings.conversations, begin, begin + timedelta(days=1), settings.tzinfo)
            by_chat_id = {each.chat_id: each for each in landed.conversations}
            rows = await summarise_conversations(landed.conversations, model=models.summary_model)
            for row in rows:
                row.embedding_text = models.summary_model.embedding_text(by_chat_id[row.chat_id], row)
            vectors = await embed_summaries(rows, models.embedding_model)
            for row, vector in zip(rows, vectors, strict=True):
                row.embedding = vector.embedding
            clusters = await generate_base_clusters_from_conversation_summaries(
                rows,
                embedding_model=models.embedding_model,
                clustering_method=models.clustering_method,
                clustering_model=models.cluster_description_model,
                max_contrastive_examples=settings.max_contrastive_examples,
            )
            hierarchy = await reduce_clusters_from_base_clusters(clusters, model=models.meta_cluster_model)
            places = await reduce_dimensionality_from_clusters(hierarchy, model=models.dimensionality_reduction)
            place_conversations(places, vectors)


def print_days(rows: dict[str, list[float]], alone: float) -> None:
    """Print seconds a day: in all, with empty bodies, what the product adds to the pipeline, and that beside Dagster's.

    All numbers of a row but the pipeline's are of that way of running.
    """
    print(
        "| seconds a day | all | pipeline alone | Dagster (empty bodies) | our own overhead | all / pipeline "
        "| ours / Dagster's |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, (full, empty) in rows.items():
        own = full - alone - empty
        print(
            f"| {name} | {full:.2f} | {alone:.2f} | {empty:.2f} | {own:.2f} | {full / alone:.2f} | {own / empty:.2f} |",
            flush=True,
        )


def print_deployment(folder: Path, small: list[str], keys: list[str]) -> None:
    """Print how soon `dagster dev` is of use, and what its processes take, idle and during a run of all days."""
    way = new_way(folder, small, BATCH)
    started = time.perf_counter()
    with DagsterDev(way.folder, way.environment, *FULL) as dagster_dev:
        answers = time.perf_counter() - started
        wait_for_backfill(dagster_dev, launch(dagster_dev, small))
        first = time.perf_counter() - started
        print(
            f"\nFrom the start of `dagster dev`, GraphQL answers after {answers:.1f} s, and a first day is on the map "
            f"after {first:.1f} s.\n"
        )
        time.sleep(10)
        idle = memory_of(dagster_dev.process.pid)
        most: Counter[tuple[str, str]] = Counter()
        done = threading.Event()

        def watch() -> None:
            while not done.wait(SECONDS_BETWEEN_SAMPLES):
                sample = memory_of(dagster_dev.process.pid)
                for key in sample:
                    most[key] = max(most[key], sample[key])

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            wait_for_backfill(dagster_dev, launch(dagster_dev, keys))
        finally:
            done.set()
            watching.join()
    print("| MB | RSS idle | PSS idle | RSS at most | PSS at most |\n|---|---:|---:|---:|---:|")
    for role in sorted({role for role, _ in [*idle, *most]}):
        figures = [found[role, kind] for found in (idle, most) for kind in ("Rss", "Pss")]
        print(f"| {role} | " + " | ".join(f"{kb / 1024:,.0f}" for kb in figures) + " |", flush=True)
    sums = [sum(kb for (_, of), kb in found.items() if of == kind) for found in (idle, most) for kind in ("Rss", "Pss")]
    print("| sum | " + " | ".join(f"{kb / 1024:,.0f}" for kb in sums) + " |")


def memory_of(process: int) -> Counter[tuple[str, str]]:
    """Return the kilobytes of a process and all that it started, by role, as RSS and as PSS."""
    found: Counter[tuple[str, str]] = Counter()
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    for each in parents:
        line = [each]
        while line[-1] in parents and line[-1] != process:
            line.append(parents[line[-1]])
        if line[-1] != process:
            continue
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            role = role_of(Path(f"/proc/{each}/cmdline").read_bytes().decode().split("\0"))
        except OSError:
            continue
        for kind in ("Rss", "Pss"):
            kilobytes = next(row.split()[1] for row in rollup.splitlines() if row.startswith(f"{kind}:"))
            found[role, kind] += int(kilobytes)
    return found


def role_of(command: list[str]) -> str:
    """Return what a process of `dagster dev` is, by its command line."""
    text = " ".join(command)
    for said, role in ROLES.items():
        if said in text:
            return role
    return "other"


if __name__ == "__main__":
    main()
