"""kill -9 at any point of a run: what was answered is kept, and only what was in flight is paid again.

As a program, this module is the run that is killed: the library's pipeline in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.clustering import KmeansClusteringModel
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModel
from kura_dagster.pipeline.language_model.cluster_description_model import ClusterDescriptionModel
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.language_model.meta_cluster_model import MetaClusterModel
from kura_dagster.pipeline.language_model.summary_model import SummaryModel
from kura_dagster.pipeline.meta_clusters import reduce_clusters_from_base_clusters
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import Conversation
from kura_dagster_tests import rows
from kura_dagster_tests.loopback_server import LoopbackServer, Stats

CONVERSATIONS = 95
IN_FLIGHT = 8
BATCH, BATCHES = 5, 2
SUBJECTS = "kettles violins bicycles tulips invoices telescopes passports sourdough kayaks beehives".split()
DOINGS = "repairing selling painting storing comparing cleaning insuring photographing".split()


async def run(conversations: list[Conversation], folder: Path) -> dict[str, Any]:
    """Run the three stages that ask a model, and return requests sent and clusters made."""
    cache, ledger = DiskCacheStrategy(folder), Ledger()
    async with (
        LanguageModel(max_concurrent_requests=IN_FLIGHT, cache=cache, ledger=ledger) as language_model,
        OpenAIEmbeddingModel(
            model_batch_size=BATCH, n_concurrent_jobs=BATCHES, cache=cache, ledger=ledger
        ) as embedding_model,
    ):
        summaries = await summarise_conversations(conversations, model=SummaryModel(language_model))
        base = await generate_base_clusters_from_conversation_summaries(
            summaries,
            embedding_model=embedding_model,
            clustering_method=KmeansClusteringModel(clusters_per_group=10),
            clustering_model=ClusterDescriptionModel(language_model),
        )
        hierarchy = await reduce_clusters_from_base_clusters(
            base, model=MetaClusterModel(model=language_model, embedding_model=embedding_model, max_clusters=4)
        )
    cache.close()
    return {
        "calls": ledger.spent.calls,
        "base": [cluster.cluster_id for cluster in base],
        "all": [cluster.cluster_id for cluster in hierarchy],
    }


def conversations(count: int) -> list[Conversation]:
    """Ten subjects in turn, far enough from each other to be the ten clusters, each with several doings."""
    texts = []
    for number in range(count):
        subject, doing = SUBJECTS[number % len(SUBJECTS)], DOINGS[number // len(SUBJECTS) % len(DOINGS)]
        texts.append(f"{subject}, {subject}, {subject}: I need help {doing} them, {number}")
    return [rows.conversation(number, text) for number, text in enumerate(texts)]


class Note(NamedTuple):
    """The server's counters when a run had ended: requests, answers paid for (an embedded text is one)."""

    name: str
    requests: int
    answers: int
    in_flight: int
    paid_again: int


class Runs:
    """Runs in processes of their own, one after the other, that share a folder of answers."""

    def __init__(self, server: LoopbackServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.notes: list[Note] = []
        self.environment = {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-loopback"}

    def start(self, count: int = CONVERSATIONS) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "kura_dagster_tests.test_kill", str(count), str(self.folder)]
        home = Path(__file__).parent.parent
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home, env=self.environment)

    def finish(self, count: int = CONVERSATIONS) -> dict[str, Any]:
        with self.start(count) as process:
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return json.loads(out)

    def kill_when(self, name: str, reached: Callable[[Stats], bool]) -> None:
        """Kill a run as soon as the server's counters are there."""
        with self.start() as process:
            while not reached(self.server.stats):
                assert process.poll() is None, f"the run ended before it was to be killed {name}"
                time.sleep(0.001)
            process.kill()
            in_flight = self.server.stats.in_flight
        while self.server.stats.in_flight:
            time.sleep(0.005)  # what was asked is answered all the same, and to be paid for
        self.note(name, in_flight)

    def note(self, name: str, in_flight: int) -> None:
        """Keep the counters as they are."""
        stats = self.server.stats
        answers = stats.paid_by_question.total()
        self.notes.append(Note(name, stats.chat + stats.embeddings, answers, in_flight, paid_again(stats)))


def paid_again(stats: Stats) -> int:
    """How many answers were paid for beyond the first to each question."""
    return stats.paid_by_question.total() - len(stats.paid_by_question)


POINTS: dict[str, Callable[[Stats], bool]] = {
    "in the summaries": lambda stats: stats.by_schema["GeneratedSummary"] >= 40,
    "in the embeddings": lambda stats: stats.embeddings >= 7,
    "in the naming": lambda stats: stats.by_schema["NamedGroup"] >= 3,
    "in the hierarchy": lambda stats: stats.by_schema["CategoryLabel"] >= 3,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Runs that were killed at each of the points and then finished; the server's counters are those of all of them."""
    with LoopbackServer(latency=0.03) as server:
        runs = Runs(server, tmp_path_factory.mktemp("answers"))
        for name, reached in POINTS.items():
            runs.kill_when(name, reached)
        runs.finish()
        runs.note("finished", 0)
        yield runs


def test_killed_runs_pay_again_only_for_what_was_in_flight(runs: Runs) -> None:
    print(f"\n{'':20}{'requests':>10}{'answers':>10}{'in flight':>11}{'paid again':>12}")
    for at, (name, requests, answers, in_flight, _) in enumerate(runs.notes):
        # What a kill cost shows when it is asked again: in the run after it.
        again = f"{runs.notes[at + 1].paid_again - runs.notes[at].paid_again:12,}" if name != "finished" else ""
        print(f"{name:20}{requests:10,}{answers:10,}{in_flight:11,}{again}")
    for note, then in zip(runs.notes, runs.notes[1:], strict=False):
        # On their way at a kill: asked, or answered and not yet kept.
        most = BATCH * BATCHES if note.name == "in the embeddings" else IN_FLIGHT
        assert then.paid_again - note.paid_again <= most
    stats = runs.server.stats
    assert paid_again(stats) > 0
    assert stats.paid_by_question == stats.calls_by_question
    assert max(stats.paid_by_question.values()) == 2


def test_unchanged_run_asks_nothing_and_one_conversation_more_little(runs: Runs) -> None:
    cold = runs.server.stats
    runs.server.reset()
    first = runs.finish()
    assert (runs.server.stats.chat, runs.server.stats.embeddings, first["calls"]) == (0, 0, 0)
    second = runs.finish(CONVERSATIONS + 1)
    added = runs.server.stats
    changed = set(second["base"]) - set(first["base"])
    print(f"\none conversation more changes {len(changed)} of {len(second['base'])} base clusters")
    print(f"{'paid for':24}{'cold':>8}{'one more':>10}")
    for name in ("GeneratedSummary", "NamedGroup", "CandidateCategories", "CategoryLabel"):
        print(f"{name:24}{cold.by_schema[name]:8,}{added.by_schema[name]:10,}")
    print(f"{'embedded texts':24}{cold.embedded_texts:8,}{added.embedded_texts:10,}")
    assert added.by_schema["GeneratedSummary"] == 1
    assert len(changed) == 1
    # Beside its own, clusters that show it as an example of what is near them, and parents.
    new_parents = set(second["all"]) - set(first["all"]) - changed
    assert 1 <= added.by_schema["NamedGroup"] <= 3 + len(new_parents)
    assert second["calls"] == added.chat + added.embeddings < CONVERSATIONS / 3
    assert set(added.paid_by_question.values()) == {1}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(conversations(int(sys.argv[1])), Path(sys.argv[2])))))
