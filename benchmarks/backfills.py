"""The same days analysed in every way that there is, compared row for row: every table, ids included.

Run by `make backfills`. Each way has a database and a run history of its own over one landing folder:

    one range      kura-dagster run --from … --to …, all days in one run
    in batches     the same with eight runs, one after the other
    four at once   a backfill through GraphQL, as the UI launches it, with four runs at once
    shuffled       a run a day, in random order
    cancelled      a backfill through GraphQL whose runs are terminated in the middle; then run --missing
    interrupted    a range that gets Ctrl-C in the middle; then run --missing

The first way is what the others are compared with. Exits with 1 where any table differs. A year, in the ways that take
minutes for it and not an hour:

    make backfills ARGUMENTS='--days 365 --conversations 10 --ways "one range" "four at once" cancelled'
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' dagster dev is not installed

from benchmarks.made_up_days import FIRST_DAY, write_days
from kura_dagster.orchestration.assets import ASSETS
from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.materialise import materialise
from kura_dagster.orchestration.missing_partitions import missing_partitions
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import TABLES
from kura_dagster_tests.dagster_dev import LAUNCH, PROJECT, RUNS, STATUS, DagsterDev

KURA_DAGSTER = [sys.executable, "-c", "from kura_dagster.cli import app; app()"]
TERMINATE = """
mutation Terminate($id: String!) { terminateRun(runId: $id) { __typename } }
"""
CANCEL = """
mutation Cancel($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }
"""


class Way:
    """One way's own folder, settings, environment and run history."""

    def __init__(
        self,
        folder: Path,
        landing: Path,
        keys: list[str],
        partitions_per_run: int,
        projection: str,
        concurrent_runs: int = 4,
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.keys = keys
        self.environment = {
            "KURA_DATABASE": str(folder / "kura.duckdb"),
            "KURA_CONVERSATIONS": str(landing),
            "KURA_CACHE": str(folder.parent / "cache"),
            "KURA_START_DATE": FIRST_DAY.isoformat(),
            "KURA_PROJECTION": projection,
            "KURA_PARTITIONS_PER_RUN": str(partitions_per_run),
            "DAGSTER_HOME": str(folder),
            "PYTHONPATH": str(PROJECT),
        }
        dagster_yaml = (PROJECT / "dagster.yaml").read_text()
        of_its_own = {
            "max_concurrent_runs: 2": f"max_concurrent_runs: {concurrent_runs}",
            # This process opens the history too, from another folder.
            "data/dagster": str(folder / "history"),
        }
        for was, becomes in of_its_own.items():
            assert was in dagster_yaml
            dagster_yaml = dagster_yaml.replace(was, becomes)
        (folder / "dagster.yaml").write_text(dagster_yaml)

    @property
    def database(self) -> Database:
        """Where the rows are."""
        return Database(self.environment["KURA_DATABASE"])

    def instance(self) -> dg.DagsterInstance:
        """Open the run history."""
        return dg.DagsterInstance.from_config(str(self.folder))

    def dagster_dev(self) -> DagsterDev:
        """Start the deployment."""
        return DagsterDev(self.folder, self.environment, "-m", "kura_dagster.definitions")

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kura-dagster run over all days."""
        asked = ["run", "--from", self.keys[0], "--to", self.keys[-1], *arguments]
        output = (self.folder / "output.txt").open("a")
        environment = os.environ | self.environment
        return subprocess.Popen(
            [*KURA_DAGSTER, *asked], cwd=self.folder, env=environment, stdout=output, stderr=output, text=True
        )

    def finish(self, *arguments: str) -> None:
        """Run kura-dagster run to its end, which has to be a good one."""
        if self.command(*arguments).wait():
            raise SystemExit((self.folder / "output.txt").read_text())

    def wait_for_a_day_of(self, asset: str) -> None:
        """Wait until the first day of an asset is materialised."""
        deadline = time.monotonic() + 3600
        with self.instance() as instance:
            while not instance.get_materialized_partitions(dg.AssetKey(asset)):
                if time.monotonic() > deadline:
                    raise SystemExit(f"nothing happens in {self.folder}")
                time.sleep(0.2)


def launch(dagster_dev: DagsterDev, keys: list[str]) -> str:
    """Launch a backfill of all assets, as the UI does, and return its id."""
    selection = [{"path": list(asset.key.path)} for asset in ASSETS]
    launched = dagster_dev.query(LAUNCH, backfill={"partitionNames": keys, "assetSelection": selection})
    return launched["launchPartitionBackfill"]["backfillId"]


def wait_for_backfill(dagster_dev: DagsterDev, backfill_id: str) -> dict:
    """Wait until a backfill has ended, well or not."""

    def ended() -> dict | None:
        found = dagster_dev.query(STATUS, id=backfill_id)["partitionBackfillOrError"]
        return found if found["status"] not in ("REQUESTED", "CANCELING") else None

    # Each look has the webserver read what the runs have to share two cores with.
    return dagster_dev.wait_for(ended, seconds=7200, pause=5)


def in_one_run(way: Way) -> None:
    """The reference, and what batches are: what differs is the setting."""
    way.finish()


def four_at_once(way: Way) -> None:
    """A backfill through GraphQL."""
    with way.dagster_dev() as dagster_dev:
        found = wait_for_backfill(dagster_dev, launch(dagster_dev, way.keys))
    if found["status"] != "COMPLETED_SUCCESS":
        raise SystemExit(f"the backfill is {found}")


def shuffled(way: Way) -> None:
    """A run a day, in random order."""
    names = {name.removeprefix("KURA_").lower(): value for name, value in way.environment.items() if "KURA_" in name}
    defs = build_defs(Settings.load(**names))
    in_any_order = random.Random(0).sample(way.keys, len(way.keys))
    with way.instance() as instance:
        for key in in_any_order:
            if not materialise(defs, [key], instance).success:
                raise SystemExit(f"{key} failed")


def cancelled(way: Way) -> None:
    """A backfill that is cancelled in the middle, and whose runs are terminated; the command line does the rest."""
    with way.dagster_dev() as dagster_dev:
        backfill_id = launch(dagster_dev, way.keys)
        way.wait_for_a_day_of("conversation_projections")  # there are days of every state then
        dagster_dev.query(CANCEL, id=backfill_id)

        def stopped() -> bool:
            runs = dagster_dev.query(RUNS)["runsOrError"]["results"]
            under_way = [run["id"] for run in runs if run["endTime"] is None and run["status"] != "CANCELING"]
            for run_id in under_way:
                dagster_dev.query(TERMINATE, id=run_id)
            return all(run["endTime"] for run in runs)

        dagster_dev.wait_for(stopped, seconds=600)
        wait_for_backfill(dagster_dev, backfill_id)
    say_what_is_left(way)
    way.finish("--missing")


def interrupted(way: Way) -> None:
    """A range that gets Ctrl-C in the middle, and then what is missing."""
    running = way.command()
    way.wait_for_a_day_of("embeddings")
    running.send_signal(signal.SIGINT)
    running.wait()
    say_what_is_left(way)
    way.finish("--missing")


def say_what_is_left(way: Way) -> None:
    """Say how much there is to be done; nothing would mean that the way was not cut short."""
    with way.instance() as instance:
        left = missing_partitions(instance, way.keys)
    print(f"{way.folder.name}: {len(left)} of {len(way.keys)} days are left", file=sys.stderr)
    if not left:
        raise SystemExit(f"{way.folder.name} was done before it could be stopped; take more --days")


def differing(way: Way, reference: Way) -> list[str]:
    """Return the tables that are not row for row as the reference's."""
    tables = []
    for table in TABLES.values():
        try:
            pd.testing.assert_frame_equal(way.database.frame(table), reference.database.frame(table))
        except AssertionError:
            tables.append(table.name)
    return tables


WAYS: dict[str, Callable[[Way], None]] = {
    "one range": in_one_run,
    "in batches": in_one_run,
    "four at once": four_at_once,
    "shuffled": shuffled,
    "cancelled": cancelled,
    "interrupted": interrupted,
}


def main() -> None:
    """Analyse the days in every way and print the table of comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60, help="how many days (default: 60)")
    parser.add_argument("--conversations", type=int, default=30, help="of each day (default: 30)")
    parser.add_argument("--projection", choices=("pca", "umap"), default="pca", help="KURA_PROJECTION (default: pca)")
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=WAYS,
        default=list(WAYS),
        help="only these; the first is what others are compared with",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_days(folder / "landing", arguments.days, arguments.conversations)
        print(f"{arguments.days} days of {arguments.conversations} conversations, {arguments.projection}\n")
        print("| way | runs | seconds | rows | tables that differ |\n|---|---:|---:|---:|---|")
        reference: Way | None = None
        all_same = True
        for name in dict.fromkeys(arguments.ways):
            batch = arguments.days if name in ("one range", "interrupted") else -(-arguments.days // 8)
            way = Way(folder / name.replace(" ", "_"), folder / "landing", keys, batch, arguments.projection)
            started = time.monotonic()
            WAYS[name](way)
            seconds = time.monotonic() - started
            tables = [] if reference is None else differing(way, reference)
            all_same = all_same and not tables
            found = "–" if reference is None else ", ".join(tables) or "none"
            reference = reference or way
            with way.instance() as instance:
                runs = instance.get_runs_count()
            rows = sum(sum(each.values()) for each in way.database.row_counts().values())
            print(f"| {name} | {runs} | {seconds:.0f} | {rows:,} | {found} |", flush=True)
    if not all_same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
