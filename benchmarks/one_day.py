"""One day of 1,000 conversations: time by stage and peak memory, ours beside Kura on the same language-model server.

Run by `make benchmark`. Three runs, each in a process of its own, one after the other, and that several times; the
table holds medians:

    embedded   the default: no key, no server; extractive summaries, MiniLM, Ward
    loopback   a language model and API embeddings, served by the tests' loopback server with a set latency
    kura       Kura from the package index (its own virtual environment) on the same server

A total is everything from the process's start, imports included: ours loads scikit-learn, umap-learn and the client
inside the stage that first needs them, Kura all of them at its start. The server costs CPU as well and shares the
cores, so quote ratios, not seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' server is not installed

from kura_dagster_tests.loopback_server import loopback_subprocess

if TYPE_CHECKING:
    from kura_dagster.settings import Settings

STAGES = ("summarise", "base clusters", "meta clusters", "project")
COLUMNS = ("imports", *STAGES, "total", "peak_mb", "base", "roots")


def main() -> None:
    """Run the three and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=Path, help="JSONL in Kura's form; the project's sample by default")
    parser.add_argument("-n", type=int, default=1000, help="how many of them (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default: 3)")
    parser.add_argument("--latency", type=float, default=0.2, help="of the server, in seconds (default: 0.2)")
    parser.add_argument("--kura-python", type=Path, help="a Python with kura==0.5.4; without it, no reference is run")
    parser.add_argument("--child", choices=("embedded", "loopback"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(asyncio.run(run_ours(arguments.child, arguments.conversations))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.jsonl"
        path.write_text("".join(first_lines(arguments.conversations, arguments.n)))
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(arguments.rounds):
            for name, row in one_round(path, arguments.latency, arguments.kura_python):
                runs.setdefault(name, []).append(row)
                print(f"{name:10}total {row['total']:.1f} s", file=sys.stderr)
    rows = {
        name: {column: statistics.median(row[column] for row in of_one) for column in COLUMNS}
        for name, of_one in runs.items()
    }
    print_table(rows, arguments.n, arguments.latency, arguments.rounds)


def one_round(path: Path, latency: float, kura_python: Path | None) -> Iterator[tuple[str, dict[str, float]]]:
    """Run each once, ours and Kura each on a fresh server."""
    yield "embedded", last_json(child_command("embedded", path))
    commands = {"loopback": child_command("loopback", path)}
    if kura_python:
        script = Path(__file__).with_name("kura_reference.py")
        commands["kura"] = [str(kura_python), str(script), str(path), str(path.parent)]
    for name, command in commands.items():
        with loopback_subprocess(latency=latency) as url:
            yield name, last_json(command, OPENAI_BASE_URL=url, OPENAI_API_KEY="loopback")


async def run_ours(kind: str, path: Path) -> dict[str, float]:
    """Run the four stages of the library with the settings that `kind` stands for."""
    started = time.perf_counter()
    from kura_dagster.settings import Settings

    # A folder of its own: answers that an earlier round was given would make this one free.
    choice = {
        "language_model": "openai/gpt-4o-mini",
        "embedding_model": "openai/text-embedding-3-small",
        "cache": path.parent / f"cache-{os.getpid()}",
    }
    return await run_stages(Settings.load(**choice if kind == "loopback" else {}), path, started)


async def run_stages(settings: Settings, path: Path, started: float) -> dict[str, float]:
    """Run the four stages over a file of conversations; return seconds by stage, counts and peak memory.

    `started` is when the process's own work began, in `time.perf_counter` seconds.
    """
    from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
    from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
    from kura_dagster.pipeline.projections import reduce_dimensionality_from_clusters
    from kura_dagster.pipeline.providers import open_models
    from kura_dagster.pipeline.summaries import summarise_conversations
    from kura_dagster.pipeline.types import Conversation

    conversations = [Conversation.model_validate_json(line) for line in path.open()]
    marks = [time.perf_counter()]
    async with open_models(settings) as models:
        summaries = await summarise_conversations(conversations, model=models.summary_model)
        marks.append(time.perf_counter())
        base = await generate_base_clusters_from_conversation_summaries(
            summaries,
            embedding_model=models.embedding_model,
            clustering_method=models.clustering_method,
            clustering_model=models.cluster_description_model,
        )
        marks.append(time.perf_counter())
        meta = await reduce_clusters_from_base_clusters(base, model=models.meta_cluster_model)
        marks.append(time.perf_counter())
        projected = await reduce_dimensionality_from_clusters(meta, model=models.dimensionality_reduction)
        marks.append(time.perf_counter())
    return {
        "imports": marks[0] - started,
        **{stage: after - before for stage, before, after in zip(STAGES, marks, marks[1:], strict=False)},
        "total": marks[-1] - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "base": len(base),
        "roots": sum(cluster.parent_id is None for cluster in projected),
    }


def first_lines(path: Path | None, count: int) -> list[str]:
    """Return `count` conversations as JSON lines, from a file or from the sample generator."""
    if path is not None:
        with path.open() as file:
            return [line for _, line in zip(range(count), file, strict=False)]
    from kura_dagster.sample.generator import generate_conversations

    lines = (each.conversation.model_dump_json() + "\n" for each in generate_conversations())
    return [line for _, line in zip(range(count), lines, strict=False)]


def child_command(kind: str, path: Path) -> list[str]:
    """Return the command that runs one of ours in a fresh process."""
    return [sys.executable, __file__, "--child", kind, "--conversations", str(path)]


def last_json(command: list[str], **variables: str) -> dict[str, float]:
    """Run a command with these environment variables added and return the JSON object on its last line."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(rows: dict[str, dict[str, float]], count: int, latency: float, rounds: int) -> None:
    """Print seconds by stage for each run, and the ratio to Kura where it ran."""
    print(f"{count} conversations, server latency {latency} s, 50 requests in flight, {os.cpu_count()} cores")
    print(f"medians of {rounds} rounds\n" if rounds > 1 else "")
    print("run".ljust(10) + "".join(column.rjust(15) for column in COLUMNS))
    for name, row in rows.items():
        print(name.ljust(10) + "".join(f"{row[column]:15.1f}" for column in COLUMNS))
    if kura := rows.get("kura"):
        for name in ("embedded", "loopback"):
            ratios = (f"{rows[name][column] / kura[column]:15.2f}" for column in COLUMNS)
            print(f"{name[:6]}/ku".ljust(10) + "".join(ratios))


if __name__ == "__main__":
    main()
