"""Base clustering at k = n / 10: seconds, peak memory and NMI, ours beside scikit-learn's KMeans in the same run.

    make benchmark-clustering                       made-up vectors: 1,000, 10,000 and 100,000 x 384
    make benchmark-clustering ARGUMENTS='--data labelled.jsonl --rows 10000'
                                                    so many texts of a labelled file, embedded by MiniLM

Made-up vectors are loose clouds: themes of very different size, whose members are as near to each other as requests of
one intent are (cosine 0.45), in eight domains. Every run has a process of its own; memory is its peak, the vectors
included, and CPU seconds tell more than the clock's where something else runs. KMeans is quadratic in the rows at
k = n / 10: it runs up to --reference-rows. NMI after Ward is that of the clusters merged to as many as there are
labels.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

N_DIMS = 384
PER_CLUSTER = 10
MEMBERS_PER_THEME = 30  # on average
N_DOMAINS = 8
FIGURES = {
    "clusters": ",.0f",
    "seconds": ".1f",
    "CPU seconds": ".1f",
    "peak MB": ",.0f",
    "NMI": ".1f",
    "NMI after Ward": ".1f",
}


def main() -> None:
    """Run every size and method in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="sizes of days")
    parser.add_argument("--data", type=Path, help="a labelled file in place of made-up days; --rows are drawn from it")
    parser.add_argument("--reference-rows", type=int, default=25_000, help="KMeans runs up to here (default: 25,000)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        method, path = arguments.child
        print(json.dumps(measured(method, Path(path))))
        return
    print(f"| rows | method | {' | '.join(FIGURES)} |\n|---:|---|{'---:|' * len(FIGURES)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npz"
        read = of_file(arguments.data) if arguments.data else None
        for rows in arguments.rows:
            vectors, labels = drawn_from(*read, rows) if read else made_up(rows)
            np.savez(path, vectors=vectors, labels=labels)
            found = {"ours": run("ours", path)}
            if len(vectors) <= arguments.reference_rows:
                found["KMeans"] = run("KMeans", path)
            for method, row in found.items():
                print_row(len(vectors), method, row, FIGURES)
            if "KMeans" in found:
                ratios = {name: found["ours"][name] / figure for name, figure in found["KMeans"].items()}
                print_row(len(vectors), "ratio", ratios, dict.fromkeys(FIGURES, ".2f"))


def print_row(rows: int, method: str, figures: Mapping[str, float], formats: Mapping[str, str]) -> None:
    """Print a row of the table as soon as it is known."""
    shown = " | ".join(format(figures[name], form) for name, form in formats.items())
    print(f"| {rows:,} | {method} | {shown} |", flush=True)


def made_up(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors of shape (rows, 384), float32, and the theme of each."""
    random = np.random.default_rng(0)
    n_themes = max(2, rows // MEMBERS_PER_THEME)
    share = 1 / np.arange(1, n_themes + 1) ** 0.7
    labels = random.choice(n_themes, rows, p=share / share.sum())
    domains = random.normal(size=(N_DOMAINS, N_DIMS))
    themes = domains[random.integers(0, N_DOMAINS, n_themes)] * 0.5 + random.normal(size=(n_themes, N_DIMS))
    themes /= np.linalg.norm(themes, axis=1, keepdims=True)
    vectors = themes[labels] + random.normal(size=(rows, N_DIMS)) * (1.1 / N_DIMS**0.5)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def of_file(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit vectors of a labelled file's conversations and their labels as numbers."""
    from benchmarks.labelled_data import read_labelled
    from benchmarks.quality import embed

    labelled = read_labelled(path)
    vectors = np.stack([summary.embedding for summary in asyncio.run(embed(labelled))])
    return vectors, np.unique([each.label for each in labelled], return_inverse=True)[1]


def drawn_from(vectors: np.ndarray, labels: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many of the vectors, or all where there are no more, and their labels."""
    order = np.sort(np.random.default_rng(0).permutation(len(vectors))[:rows])
    return vectors[order], labels[order]


def run(method: str, path: Path) -> dict[str, float]:
    """Return what a process of its own measured."""
    command = [sys.executable, __file__, "--child", method, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measured(method: str, path: Path) -> dict[str, float]:
    """Cluster the vectors of a file and compare with its labels; the imports are not timed."""
    from dataclasses import dataclass

    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    from kura_dagster.pipeline.clustering import KmeansClusteringModel
    from kura_dagster.pipeline.types import unit_rows
    from kura_dagster.pipeline.vectors.ward import group_by_ward

    @dataclass(frozen=True)
    class Item:
        chat_id: str

    kept = np.load(path)
    vectors, labels = kept["vectors"], kept["labels"]
    items = [{"item": Item(f"{row:08d}"), "embedding": vector} for row, vector in enumerate(vectors)]
    started, cpu_started = time.perf_counter(), time.process_time()
    if method == "ours":
        groups = KmeansClusteringModel(PER_CLUSTER).cluster(items)
        number = {member.chat_id: group for group, members in groups.items() for member in members}
        found = np.array([number[entry["item"].chat_id] for entry in items])
    else:
        found = KMeans(-(-len(vectors) // PER_CLUSTER), n_init=1, random_state=0).fit_predict(
            vectors.astype(np.float64)
        )
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, found = np.unique(found, return_inverse=True)
    counts = np.bincount(found)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, found, unit_rows(vectors))
    merged = group_by_ward(sums / counts[:, None], len(np.unique(labels)), counts**0.5)[found]
    return {
        "clusters": len(counts),
        "seconds": seconds,
        "CPU seconds": cpu_seconds,
        "peak MB": peak_mb,
        "NMI": 100 * normalized_mutual_info_score(labels, found),
        "NMI after Ward": 100 * normalized_mutual_info_score(labels, merged),
    }


if __name__ == "__main__":
    main()
