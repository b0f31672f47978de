"""Landing a large export: records a second and peak memory, beside reading the same file with plain `json`.

Run by `make benchmark-ingest`. The file holds the sample's conversations again and again under new ids, as JSON lines
in Kura's form or as one list, as vendors' exports are. Each measurement is a process of its own; what is counted is all
of `kura-dagster ingest`: reading, checking, sorting into days and writing them. Landing again finds all unchanged.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PLAIN = """
import json, sys
read = 0
with open(sys.argv[1], "rb") as file:
    if sys.argv[2] == "list":
        read = len(json.load(file))
    else:
        for line in file:
            json.loads(line)
            read += 1
print(read)
"""


def main() -> None:
    """Write the file, land it twice, read it plainly, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the export (default: 1000)")
    parser.add_argument("--form", choices=("lines", "list"), default="lines", help="how it is written (default: lines)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = folder / f"export.{'json' if arguments.form == 'list' else 'jsonl'}"
        count = write_export(export, arguments.megabytes * 1_000_000, arguments.form)
        size = export.stat().st_size / 1e6
        ingest = [sys.executable, "-c", "from kura_dagster.cli import app; app()", "ingest", str(export)]
        plain = [sys.executable, "-c", PLAIN, str(export), arguments.form]
        rows = {
            "plain json": measured(plain, folder),
            "ingest": measured(ingest, folder),
            "ingest again": measured(ingest, folder),
        }
    print(f"{size:,.0f} MB, {count:,} conversations as {arguments.form}, {os.cpu_count()} cores\n")
    print(f"{'':14}{'seconds':>10}{'/ json':>10}{'records/s':>12}{'MB/s':>8}{'peak MB':>10}")
    reference = rows["plain json"][0]
    for what, (seconds, peak) in rows.items():
        rates = f"{count / seconds:12,.0f}{size / seconds:8.0f}"
        print(f"{what:14}{seconds:10.1f}{seconds / reference:10.2f}{rates}{peak:10.0f}")


def write_export(path: Path, n_bytes: int, form: str) -> int:
    """Write conversations until the file has so many bytes, and return how many."""
    count = written = 0
    with path.open("wb") as file:
        file.write(b"[\n" if form == "list" else b"")
        for line in conversations():
            file.write((b",\n" if count and form == "list" else b"") + line + (b"" if form == "list" else b"\n"))
            count, written = count + 1, written + len(line)
            if written >= n_bytes:
                break
        file.write(b"\n]\n" if form == "list" else b"")
    return count


def conversations() -> Iterator[bytes]:
    """Yield the sample's conversations as JSON for ever, each under an id of its own."""
    from kura_dagster.sample.generator import generate_conversations

    sample = [each.conversation.model_dump(mode="json") for each in generate_conversations()]
    number = 0
    while True:
        for conversation in sample:
            number += 1
            yield json.dumps(conversation | {"chat_id": f"{number:09}"}).encode()


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command with a landing folder in `folder`; return its seconds and the most memory it had, in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"KURA_CONVERSATIONS": str(folder / "landing")}, stdout=subprocess.DEVNULL, cwd=folder
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    assert isinstance(used, resource.struct_rusage)
    return time.perf_counter() - began, used.ru_maxrss / unit


if __name__ == "__main__":
    main()
