"""MiniLM's load time, memory and texts a second by length, ours beside sentence-transformers on the same weights.

Run by `make benchmark-embedding`. Every run has a process of its own. Texts are made of common words and are as long in
tokens as the columns say, the start and end token included; the time is the best of three rounds. Loading is everything
from the import to the first vector; ours includes building the graph once, before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LENGTHS = {12: 1_024, 43: 512, 128: 192, 256: 96}
"""How many texts of each length in tokens are embedded in a round."""

WORDS = "please help me book the next train home and change my seat to one by the window for two people".split()
ROUNDS = 3


def main() -> None:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference-python", type=Path, help="a Python with sentence-transformers")
    parser.add_argument("--child", choices=("ours", "sentence-transformers"), help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        load = load_ours if arguments.child == "ours" else load_reference
        print(json.dumps(measured(load, arguments.weights)))
        return
    from kura_dagster.pipeline.embedded.minilm import find_weights

    weights = find_weights()
    pythons = {"ours": Path(sys.executable)}
    if arguments.reference_python:
        pythons["sentence-transformers"] = arguments.reference_python
    rows = {}
    for name, python in pythons.items():
        command = [str(python), __file__, "--child", name, "--weights", str(weights)]
        subprocess.run(command, capture_output=True, check=True)  # files into the cache of the disk, our graph built
        rows[name] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1])
    columns = list(rows["ours"])
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(f'{row[column]:.1f}' for column in columns)} |")
    if len(rows) == 2:
        ours, reference = rows.values()
        print(f"| ratio | {' | '.join(f'{ours[column] / reference[column]:.2f}' for column in columns)} |")


def measured(load: Callable[[Path], Callable[[list[str]], object]], weights: Path) -> dict[str, float]:
    """Load a model and embed texts of every length."""
    started = time.perf_counter()
    embed = load(weights)
    embed(["hello"])
    row = {"load s": time.perf_counter() - started}
    for length, count in LENGTHS.items():
        # Every word is one token. No two texts are the same.
        texts = [
            " ".join(WORDS[(number + place) % len(WORDS)] for place in range(length - 2)) for number in range(count)
        ]
        seconds = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            embed(texts)
            seconds.append(time.perf_counter() - before)
        row[f"{length} tokens/text, texts/s"] = count / min(seconds)
    row["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row


def load_ours(weights: Path) -> Callable[[list[str]], object]:
    """Return the product's embedding of a list of texts."""
    from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

    model = MiniLMEmbeddingModel()
    return lambda texts: asyncio.run(model.embed(texts))


def load_reference(weights: Path) -> Callable[[list[str]], object]:
    """Return sentence-transformers' embedding of a list of texts, with its own defaults."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(weights), device="cpu")
    return lambda texts: model.encode(texts, normalize_embeddings=True)


if __name__ == "__main__":
    main()
