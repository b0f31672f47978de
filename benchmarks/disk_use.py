"""What the project takes on disk for 1,000 conversations: landing folder, tables, kept answers, run history.

Run by `make benchmark-disk`; docs/operations.md quotes its table. The sample's conversations are analysed day by day, a
run each as the schedule does, twice: by the local models, and by a language model and API embeddings on the tests'
loopback server. Its answers are about as long as a model's, but not the same: take the figure of kept answers as a
size, not as a promise.

    tables      blocks of the DuckDB file that belong to a table. The file is larger: deleted rows leave free blocks,
                which later days fill.
    history     SQLite files of Dagster, by run. What the sensor's looks add to them is measured on a landing folder of
                a year, for the week that Dagster keeps those that found nothing.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' server is not installed

from kura_dagster_tests.loopback_server import loopback_subprocess

DAGSTER_YAML = """\
storage: {sqlite: {base_dir: dagster/storage}}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {base_dir: dagster/compute_logs}
telemetry: {enabled: false}
"""
LOOKS_A_WEEK = 7 * 24 * 60 * 2


def main() -> None:
    """Measure both and print the tables."""
    with in_a_folder():
        show("local models", *analysed())
        show_ticks()
    with loopback_subprocess() as url, in_a_folder():
        os.environ |= {
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "loopback",
            "KURA_LANGUAGE_MODEL": "openai/gpt-4o-mini",
            "KURA_EMBEDDING_MODEL": "openai/text-embedding-3-small",
        }
        show("language model and API embeddings", *analysed())


@contextmanager
def in_a_folder() -> Iterator[None]:
    """Work in a project of its own, and nowhere else."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["DAGSTER_HOME"] = folder
        Path("dagster.yaml").write_text(DAGSTER_YAML)
        try:
            yield
        finally:
            os.chdir(before)


def analysed() -> tuple[int, int]:
    """Analyse every day of the sample in a run of its own; return how many conversations and runs that were."""
    from kura_dagster.orchestration.build import build_defs
    from kura_dagster.orchestration.materialise import materialise, open_instance
    from kura_dagster.sample.generator import write_sample
    from kura_dagster.settings import Settings

    settings = Settings.load()
    sample = write_sample(settings.conversations, Path("sample_truth.jsonl"))
    days = sorted(path.name.removesuffix(".jsonl") for path in settings.conversations.glob("*.jsonl"))
    with open_instance() as instance:
        for day in days:
            report = materialise(build_defs(settings), [day], instance)
            assert report.success, report
    return sample.conversations, len(days)


def show(title: str, n_conversations: int, n_runs: int) -> None:
    """Print what is there now."""
    rows = {"landing folder": size_of("data/conversations")}
    rows |= {f"table {name}": n_bytes for name, n_bytes in bytes_by_table().items()}
    rows["data/kura.duckdb, the whole file"] = size_of("data/kura.duckdb")
    if answers := size_of("data/cache/answers"):
        rows["kept answers"] = answers
    print(f"\n{title}: {n_conversations:,} conversations, {n_runs} runs")
    for name, n_bytes in rows.items():
        print(f"| {name} | {n_bytes / n_conversations * 1000 / 1e6:.2f} MB |")
    print("a run:")
    of_runs = [path for path in Path("dagster/storage").rglob("*.db*") if path.parent.name == "runs"]
    index = [path for path in of_runs if path.name.startswith("index.db")]
    own = sum(size_of(path) for path in of_runs if path not in index)
    whole = size_of("dagster/storage")
    print(f"| its event log | {own / n_runs / 1e6:.2f} MB |")
    print(f"| its share of the index and of runs.db | {(whole - own) / n_runs / 1e6:.2f} MB |")
    print(f"| its output (compute_logs) | {size_of('dagster/compute_logs') / n_runs / 1e6:.3f} MB |", flush=True)


def bytes_by_table() -> dict[str, int]:
    """Return the bytes of the blocks that each table has in the DuckDB file."""
    import duckdb

    with duckdb.connect("data/kura.duckdb", read_only=True) as kura:
        ((block_size,),) = kura.execute("SELECT block_size FROM pragma_database_size()").fetchall()
        names = [name for (name,) in kura.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()]
        blocks = {
            name: kura.execute(
                f"SELECT count(DISTINCT block_id) FROM pragma_storage_info('{name}') WHERE persistent"
            ).fetchall()[0][0]
            for name in names
        }
    return {name: number * block_size for name, number in blocks.items() if number}


def show_ticks() -> None:
    """Print what a week of looks at a landing folder of a year adds."""
    import dagster as dg
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import TickData, TickStatus

    before = size_of("dagster/storage/schedules")
    cursor = "x" * 40 * 365
    n_looks = LOOKS_A_WEEK // 20
    with dg.DagsterInstance.get() as instance:
        for number in range(n_looks):
            instance.create_tick(
                TickData(
                    instigator_origin_id="0" * 40,
                    instigator_name="landed_conversations",
                    instigator_type=InstigatorType.SENSOR,
                    status=TickStatus.SKIPPED,
                    timestamp=1.7e9 + 30 * number,
                    end_timestamp=1.7e9 + 30 * number + 1,
                    selector_id="0" * 40,
                    cursor=cursor,
                    skip_reason="no landing file has changed",
                )
            )
    grown = size_of("dagster/storage/schedules") - before
    print(f"| a week of looks of the sensor, {LOOKS_A_WEEK:,} | {grown / n_looks * LOOKS_A_WEEK / 1e6:.0f} MB |")


def size_of(path: str | Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    path = Path(path)
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


if __name__ == "__main__":
    main()
