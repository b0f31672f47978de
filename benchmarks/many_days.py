"""Many days: seconds a day in every way of running them, how much of it is Dagster's, and what a deployment takes.

Run by `make benchmark-many-days`. Embedded default models, everything seeded; one run after the other:

    a run a day    a backfill through GraphQL with KURA_PARTITIONS_PER_RUN=1: each run is a process of the run launcher
    in batches     the same with the default of KURA_PARTITIONS_PER_RUN
    one range      all days in one run, in one process that the command line starts

Of a backfill count the seconds of its runs, each from its launch until its end; not those between them, which are
intervals of Dagster's daemon and stand in a column of their own. Of a range counts its process, from start to end.

Beside each stands the same with empty bodies (`empty_assets`), Dagster's own share, and the pipeline alone: the same
functions, called for the same days in as many processes, without Dagster, database, checks or pictures. What the
product adds to these two is

    (seconds - pipeline alone - Dagster's own) a day

A run a day takes long and is measured on --single-days days; nothing is extrapolated. Then: how long after its start
`dagster dev` answers and has one day analysed, and what its processes take, idle and at most during a backfill of
all days with two runs at once, as RSS and PSS (of pages that processes share, each process's part) from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' dagster dev is not installed

from benchmarks.backfills import Way, launch, wait_for_backfill
from benchmarks.made_up_days import FIRST_DAY, write_days
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.freshness import CHECK_NAME
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.settings import Settings
from kura_dagster_tests.dagster_dev import RUNS, DagsterDev

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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_days(folder / "landing", arguments.days, arguments.conversations)
        single = keys[: arguments.single_days]
        print(
            f"{arguments.days} days of {arguments.conversations} conversations (a run a day: {len(single)} days), "
            f"{os.cpu_count()} cores\n"
        )
        # Builds MiniLM's graph and numba's caches: no measurement is of that.
        pipeline_alone(folder, keys[:1])
        print_days(
            {
                "a run a day": measure_backfill(folder, single, 1),
                f"in batches of {BATCH}": measure_backfill(folder, keys, BATCH),
                "one range": Measured(
                    one_range(folder, keys) / len(keys),
                    pipeline_alone(folder, keys) / len(keys),
                    empty_range(folder, keys) / len(keys),
                ),
            }
        )
        print_deployment(folder, keys)


@dataclass
class Measured:
    """Seconds a day of one way: in its runs, of the pipeline alone, with empty bodies, and between the runs."""

    full: float
    alone: float
    empty: float
    between: float = 0


def measure_backfill(folder: Path, keys: list[str], partitions_per_run: int) -> Measured:
    """Measure a backfill, the same with empty bodies, and the pipeline alone in as many processes."""
    waited, full = backfill(folder, keys, partitions_per_run, FULL)
    _, empty = backfill(folder, keys, partitions_per_run, EMPTY)
    batches = [keys[start : start + partitions_per_run] for start in range(0, len(keys), partitions_per_run)]
    alone = sum(pipeline_alone(folder, batch) for batch in batches)
    return Measured(*(seconds / len(keys) for seconds in (full, alone, empty, waited - full)))


def one_range(folder: Path, keys: list[str]) -> float:
    """Return the seconds of `kura-dagster run` over the days, from its start to its end."""
    way = new_way(folder, keys, len(keys))
    started = time.perf_counter()
    way.finish()
    return time.perf_counter() - started


def empty_range(folder: Path, keys: list[str]) -> float:
    """Return the seconds of a process that runs the empty assets over the days."""
    return seconds_of(new_way(folder, keys, len(keys)), [sys.executable, "-m", "benchmarks.empty_assets", *keys])


def pipeline_alone(folder: Path, keys: list[str]) -> float:
    """Return the seconds of a process that calls the pipeline for the days."""
    return seconds_of(new_way(folder, keys, len(keys)), [sys.executable, "-m", "benchmarks.pipeline_alone", *keys])


def seconds_of(way: Way, command: list[str]) -> float:
    """Return the seconds of a process, from its start to its end, which has to be a good one."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=way.folder, env=os.environ | way.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stdout.decode())
    print(f"{' '.join(command[1:4])}: {seconds:.1f} s", file=sys.stderr)
    return seconds


def backfill(folder: Path, keys: list[str], partitions_per_run: int, location: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds from the launch of a backfill until it is done, and those of its runs."""
    way = new_way(folder, keys, partitions_per_run)
    with DagsterDev(way.folder, way.environment, *location) as dagster_dev:
        started = time.perf_counter()
        found = wait_for_backfill(dagster_dev, launch(dagster_dev, keys))
        waited = time.perf_counter() - started
    if found["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill is {found}")
    with way.instance() as instance:
        runs = [instance.get_run_stats(run["id"]) for run in found["runs"]]
    in_runs = sum(run.end_time - run.launch_time for run in runs)
    print(f"{location[1]}: {len(runs)} runs, {in_runs:.1f} s, waited {waited:.1f} s", file=sys.stderr)
    return waited, in_runs


def new_way(folder: Path, keys: list[str], partitions_per_run: int, concurrent_runs: int = 1) -> Way:
    """Return a new database and run history over the landed days."""
    taken = sum(each.name.startswith("way") for each in folder.iterdir())
    way = Way(folder / f"way{taken}", folder / "landing", keys, partitions_per_run, "umap", concurrent_runs)
    structure = way.folder / "structure.json"
    structure.write_text(json.dumps(structure_of_project(partitions_per_run)))
    way.environment["EMPTY_ASSETS"] = str(structure)
    return way


def structure_of_project(partitions_per_run: int) -> dict[str, Any]:
    """Return what `empty_assets` is made of: the project's assets and the steps of its checks, but freshness's.

    Those are no matter of a run's days, and the job leaves them out.
    """
    project = build_defs()
    assets = [project.resolve_assets_def(asset.key) for asset in ASSETS]
    steps = {step.node_def.name: list(step.check_specs) for step in project.asset_checks or ()}
    return {
        "job": JOB_NAME,
        "first_day": FIRST_DAY.isoformat(),
        "assets": [
            {
                "name": spec.key.to_user_string(),
                "deps": [dep.asset_key.to_user_string() for dep in spec.deps],
                "partitions_per_run": partitions_per_run,
            }
            for asset in assets
            for spec in asset.specs
        ],
        "check_steps": [
            {
                "name": name,
                "asset": specs[0].asset_key.to_user_string(),
                "checks": [spec.name for spec in specs],
                "blocking": specs[0].blocking,
            }
            for name, specs in steps.items()
            if specs[0].name != CHECK_NAME
        ],
    }


def print_days(rows: dict[str, Measured]) -> None:
    """Print seconds a day: in all, of what, and what the product adds beside what Dagster does."""
    print(
        "| seconds a day | all | pipeline alone | Dagster (empty bodies) | our own overhead | all / pipeline "
        "| ours / Dagster's | between runs |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for name, of in rows.items():
        own = of.full - of.alone - of.empty
        figures = (of.full, of.alone, of.empty, own, of.full / of.alone, own / of.empty, of.between)
        print(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |", flush=True)


def has_ended(dagster_dev: DagsterDev, run_id: str) -> bool:
    """Whether a run has ended, which has to be well."""
    (run,) = (run for run in dagster_dev.query(RUNS)["runsOrError"]["results"] if run["id"] == run_id)
    if run["status"] in ("FAILURE", "CANCELED"):
        raise SystemExit(f"run {run_id} of {dagster_dev.log} is {run['status']}")
    return run["status"] == "SUCCESS"


def print_deployment(folder: Path, keys: list[str]) -> None:
    """Print how soon `dagster dev` is of use, and what its processes take, idle and during a run of all days."""
    way = new_way(folder, keys, BATCH, concurrent_runs=2)
    started = time.perf_counter()
    with DagsterDev(way.folder, way.environment, *FULL) as dagster_dev:
        answers = time.perf_counter() - started
        run_id = dagster_dev.launch_run(dagster_dev.analysis_job(), keys[0])
        dagster_dev.wait_for(lambda: has_ended(dagster_dev, run_id))
        first = time.perf_counter() - started
        print(
            f"\nFrom the start of `dagster dev`, GraphQL answers after {answers:.1f} s, and a first day, launched "
            f"then, is on the map after {first:.1f} s.\n"
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
        started = time.perf_counter()
        try:
            found = wait_for_backfill(dagster_dev, launch(dagster_dev, keys))
        finally:
            done.set()
            watching.join()
        waited = time.perf_counter() - started
    if found["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill is {found}")
    print(f"All {len(keys)} days in batches of {BATCH}, two runs at once, are done {waited:.0f} s after the click.\n")
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
