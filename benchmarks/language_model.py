"""What a language model costs at scale: time beside the floor and beside Kura, calls that are paid, memory.

Run by `make benchmark-language-model`, on the tests' loopback server, which answers every request after a set latency.
Each measurement runs in a process of its own, one after the other.

    summaries   one day's summaries. The floor is calls x latency / requests in flight: what a client that costs nothing
                would take. CPU is that of the client's process, and so are the seconds: imports are done before.
    runs        the whole pipeline, language model and API embeddings: cold (no answer kept), warm (the same day again),
                with one conversation added, with another one, and Kura, which keeps no answers by default. Imports
                count. The day has n - 1 conversations; with n a multiple of ten, and ten to a cluster, the first one
                added keeps the number of clusters and the second makes one more.
    memory      many conversations at more requests in flight, and the resident memory on the way. "beyond" is what has
                come since the start, less the summaries made so far; flat means that it does not follow their number.

Calls are those that the server counted. Conversations that repeat one before them get their number as a first line:
kept answers would make them free otherwise. The server costs CPU as well and shares the cores, so quote ratios, not
seconds. A ratio to the floor that stays above 1.3 while CPU ms x in flight comes near to latency says that a core is
the limit and not the waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' server is not installed

from one_day import first_lines, last_json

from kura_dagster_tests.loopback_server import loopback_subprocess, read_stats, reset

LANGUAGE_MODEL = "openai/gpt-4o-mini"
EMBEDDING_MODEL = "openai/text-embedding-3-small"
PARTS = ("summaries", "runs", "memory")


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=Path, help="JSONL in Kura's form; the project's sample by default")
    parser.add_argument("-n", type=int, default=1000, help="conversations of a day (default: 1000)")
    parser.add_argument("--many", type=int, default=10_000, help="conversations of the memory part (default: 10000)")
    parser.add_argument("--in-flight", type=int, default=50, help="requests at once (default: 50)")
    parser.add_argument("--many-in-flight", type=int, default=200, help="of the memory part (default: 200)")
    parser.add_argument("--latency", type=float, default=0.2, help="of the server, in seconds (default: 0.2)")
    parser.add_argument("--rounds", type=int, default=3, help="of summaries and runs; medians are shown (default: 3)")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated (default: all)")
    parser.add_argument("--kura-python", type=Path, help="a Python with kura==0.5.4; without it, no reference is run")
    parser.add_argument("--child", choices=("summaries", "run"), help=argparse.SUPPRESS)
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure = measure_summaries if arguments.child == "summaries" else measure_run
        print(json.dumps(asyncio.run(measure(arguments.conversations, arguments.answers, arguments.in_flight))))
        return
    parts = arguments.only or PARTS
    with tempfile.TemporaryDirectory() as name, loopback_subprocess(latency=arguments.latency) as url:
        bench = Benchmark(Path(name), url, arguments)
        print(f"server latency {arguments.latency} s, {os.cpu_count()} cores, medians of {arguments.rounds} rounds")
        if "summaries" in parts:
            bench.summaries()
        if "runs" in parts:
            bench.runs()
        if "memory" in parts:
            bench.memory()


class Benchmark:
    """The parts, over one server and one folder for what they need."""

    def __init__(self, folder: Path, url: str, arguments: argparse.Namespace) -> None:
        self.folder = folder
        self.url = url
        self.arguments = arguments
        self.n_children = 0

    def summaries(self) -> None:
        """Print seconds of the summaries' stage beside the floor and Kura's."""
        n, in_flight = self.arguments.n, self.arguments.in_flight
        path = self._write(n)
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "ours, warm": []}
        for _ in range(self.arguments.rounds):
            answers = self._fresh_folder()
            runs["ours"].append(self._ours("summaries", path, answers, in_flight))
            runs["ours, warm"].append(self._ours("summaries", path, answers, in_flight))
            if self.arguments.kura_python:
                runs.setdefault("kura", []).append(self._kura(path, "summaries"))
        rows = {name: medians(of_one) for name, of_one in runs.items()}
        kura = rows.get("kura")
        print_table(
            f"Summaries of {n:,} conversations, {in_flight} requests in flight",
            ("", "calls", "seconds", "/ floor", "/ Kura", "CPU s", "CPU ms a call", "peak MB"),
            [
                (
                    name,
                    f"{row['calls']:,.0f}",
                    f"{row['seconds']:.2f}",
                    ratio(row["seconds"], row["calls"] * self.arguments.latency / in_flight),
                    ratio(row["seconds"], kura["seconds"] if kura else 0),
                    f"{row['cpu']:.1f}",
                    f"{1000 * row['cpu'] / row['calls']:.1f}" if row["calls"] else "–",
                    f"{row['peak_mb']:.0f}",
                )
                for name, row in rows.items()
            ],
        )

    def runs(self) -> None:
        """Print seconds and calls of whole runs: cold, warm, and with one conversation more."""
        n, in_flight = self.arguments.n, self.arguments.in_flight
        days = [self.folder / f"day-{count}.jsonl" for count in (n - 1, n, n + 1)]
        lines = distinct_lines(self.arguments.conversations, n + 1)
        for path, count in zip(days, (n - 1, n, n + 1), strict=True):
            path.write_text("".join(lines[:count]))
        day, *grown = days
        steps = [
            ("cold", day),
            ("warm", day),
            *zip(("one conversation added", "another one added"), grown, strict=True),
        ]
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(self.arguments.rounds):
            answers = self._fresh_folder()
            for name, path in steps:
                runs.setdefault(name, []).append(self._ours("run", path, answers, in_flight))
            if self.arguments.kura_python:
                runs.setdefault("kura, cold", []).append(self._kura(day, "run"))
        rows = {name: medians(of_one) for name, of_one in runs.items()}
        cold, kura = rows["cold"], rows.get("kura, cold")
        print_table(
            f"Whole runs over {n - 1:,} conversations, {in_flight} requests in flight",
            (
                "",
                "calls",
                "/ cold",
                "seconds",
                "/ cold",
                "/ Kura",
                "summaries",
                "naming",
                "hierarchy",
                "map",
                "peak MB",
            ),
            [
                (
                    name,
                    f"{row['calls']:,.0f}",
                    ratio(row["calls"], cold["calls"]),
                    f"{row['total']:.1f}",
                    ratio(row["total"], cold["total"]),
                    ratio(row["total"], kura["total"] if kura else 0),
                    *(f"{row[stage]:.1f}" for stage in ("summarise", "base clusters", "meta clusters", "project")),
                    f"{row['peak_mb']:.0f}",
                )
                for name, row in rows.items()
            ],
        )
        kinds = sorted({kind for row in rows.values() for kind in row if kind.startswith("asks ")})
        print_table(
            "What these calls asked for, by the name of the answer's schema",
            ("", *(kind.removeprefix("asks ") for kind in kinds)),
            [(name, *(f"{row.get(kind, 0):,.0f}" for kind in kinds)) for name, row in rows.items()],
        )

    def memory(self) -> None:
        """Print the resident memory while many conversations are summarised."""
        n, in_flight = self.arguments.many, self.arguments.many_in_flight
        row = self._ours("summaries", self._write(n), self._fresh_folder(), in_flight)
        floor = row["calls"] * self.arguments.latency / in_flight
        samples: list[tuple[float, int, float]] = row["samples"]
        marks = [0, *(n * tenth // 10 for tenth in range(1, 11))]
        chosen = [next((each for each in samples if each[1] >= mark), samples[-1]) for mark in marks]
        a_thousand = 1000 * row["summaries_mb"] / n
        print_table(
            f"Memory while {n:,} conversations are summarised, {in_flight} requests in flight: "
            f"{row['seconds']:.1f} s, {row['seconds'] / floor:.2f} x the floor, {row['calls']:,} calls, "
            f"CPU {1000 * row['cpu'] / row['calls']:.1f} ms a call; a thousand summaries take {a_thousand:.1f} MB",
            ("asked", "seconds", "resident MB", "since start", "summaries", "beyond"),
            [
                (
                    f"{asked:,}",
                    f"{seconds:.1f}",
                    f"{resident:.0f}",
                    f"{resident - samples[0][2]:.1f}",
                    f"{asked / 1000 * a_thousand:.1f}",
                    f"{resident - samples[0][2] - asked / 1000 * a_thousand:.1f}",
                )
                for seconds, asked, resident in chosen
            ],
        )

    def _ours(self, child: str, path: Path, answers: Path, in_flight: int) -> dict[str, Any]:
        options = ["--conversations", path, "--answers", answers, "--in-flight", in_flight]
        return self._counted([sys.executable, __file__, "--child", child, *map(str, options)])

    def _kura(self, path: Path, stages: str) -> dict[str, Any]:
        script = Path(__file__).with_name("kura_reference.py")
        return self._counted([str(self.arguments.kura_python), str(script), str(path), str(self.folder), stages])

    def _counted(self, command: list[str]) -> dict[str, Any]:
        reset(self.url)
        row: dict[str, Any] = last_json(command, OPENAI_BASE_URL=self.url, OPENAI_API_KEY="loopback")
        stats = read_stats(self.url)
        print(f"  {' '.join(command[2:4])}: {json.dumps(row)[:100]} …", file=sys.stderr)
        asked = stats["by_schema"] | {"embeddings": stats["embeddings"]}
        kinds = {f"asks {name}": number for name, number in asked.items()}
        return row | kinds | {"calls": stats["chat"] + stats["embeddings"]}

    def _fresh_folder(self) -> Path:
        self.n_children += 1
        return self.folder / f"answers-{self.n_children}"

    def _write(self, count: int) -> Path:
        path = self.folder / f"{count}.jsonl"
        path.write_text("".join(distinct_lines(self.arguments.conversations, count)))
        return path


async def measure_summaries(path: Path, answers: Path, in_flight: int) -> dict[str, Any]:
    """Summarise the conversations and return seconds, CPU seconds, samples of memory and what the summaries take."""
    from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
    from kura_dagster.pipeline.language_model.client import LanguageModel
    from kura_dagster.pipeline.language_model.ledger import Ledger
    from kura_dagster.pipeline.language_model.summary_model import SummaryModel
    from kura_dagster.pipeline.summaries import summarise_conversations
    from kura_dagster.pipeline.types import Conversation, ConversationSummary

    conversations = [Conversation.model_validate_json(line) for line in path.open()]
    cache, ledger = DiskCacheStrategy(answers), Ledger()
    samples: list[tuple[float, int, float]] = []
    async with LanguageModel(LANGUAGE_MODEL, max_concurrent_requests=in_flight, cache=cache, ledger=ledger) as model:
        began, cpu = time.perf_counter(), cpu_seconds()

        async def sample() -> None:
            while True:
                samples.append((time.perf_counter() - began, ledger.spent.calls, resident_mb()))
                await asyncio.sleep(0.5)

        sampling = asyncio.create_task(sample())
        summaries = await summarise_conversations(conversations, model=SummaryModel(model))
        seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu
        sampling.cancel()
        samples.append((seconds, ledger.spent.calls, resident_mb()))
    cache.close()
    peak = peak_mb()
    gc.collect()
    tracemalloc.start()
    again = [ConversationSummary.model_validate_json(summary.model_dump_json()) for summary in summaries]
    for copy, summary in zip(again, summaries, strict=True):
        copy.embedding_text = (summary.embedding_text or "").encode().decode()  # it is left out of the JSON
    taken, _ = tracemalloc.get_traced_memory()
    return {"seconds": seconds, "cpu": cpu, "peak_mb": peak, "samples": samples, "summaries_mb": taken / 2**20}


async def measure_run(path: Path, answers: Path, in_flight: int) -> dict[str, Any]:
    """Run the four stages as a day's run does and return seconds by stage."""
    began = time.perf_counter()
    from one_day import run_stages

    from kura_dagster.settings import Settings

    settings = Settings.load(
        language_model=LANGUAGE_MODEL,
        embedding_model=EMBEDDING_MODEL,
        max_concurrent_requests=in_flight,
        cache=answers,
    )
    return await run_stages(settings, path, began)


def distinct_lines(path: Path | None, count: int) -> list[str]:
    """Return `count` conversations as JSON lines, no two with the same id or text; a short file is gone through again.

    Where the text of one occurred before, its number stands before its first message.
    """
    lines: list[str] = []
    seen: set[tuple[str, ...]] = set()
    originals = [json.loads(line) for line in first_lines(path, count)]
    for number in range(count):
        conversation = json.loads(json.dumps(originals[number % len(originals)]))
        text = tuple(message["content"] for message in conversation["messages"])
        if text in seen:
            first = conversation["messages"][0]
            first["content"] = f"({number})\n{first['content']}"
        seen.add(text)
        if number >= len(originals):
            conversation["chat_id"] = f"{number}-{conversation['chat_id']}"
        lines.append(json.dumps(conversation) + "\n")
    return lines


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Return the most resident memory that this process has had."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def resident_mb() -> float:
    """Return the resident memory of this process."""
    command = ["ps", "-o", "rss=", "-p", str(os.getpid())]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def medians(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the median of each number that the rows have."""
    names = {name for row in rows for name, value in row.items() if isinstance(value, int | float)}
    return {name: statistics.median(row.get(name, 0) for row in rows) for name in names}


def ratio(one: float, other: float) -> str:
    """Return how many times the other one is, – where there is no other."""
    return f"{one / other:.2f}" if other else "–"


def print_table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and a table, the first column to the left and numbers to the right."""
    widths = [max(len(row[at]) for row in (names, *rows)) for at in range(len(names))]
    print(f"\n{title}")
    for row in (names, *rows):
        first, *others = (each.rjust(width) for each, width in zip(row, widths, strict=True))
        print("  ".join([first.strip().ljust(widths[0]), *others]), flush=True)


if __name__ == "__main__":
    main()
