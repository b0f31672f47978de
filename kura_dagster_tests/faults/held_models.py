"""The code location of the scenarios: a user's own small models, each of which waits while a file tells it to.

Where `hold/<asset>` is in the project's folder, the model of that asset waits for as long: time to inject a fault.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from pathlib import Path
from typing import Any

from kura_dagster.orchestration import sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster.storage.database import Database
from kura_dagster_tests.own_models import ByFirstWord, InPairs, OnALine, OpeningTurns, WordSums, own_models

HOLD = Path("hold")
WAIT_VARIABLE = "FAULTS_WAIT_SECONDS"
"""How many seconds a run waits for the database, where that is not the default."""
PLACE_FILE = Path("place")
"""Where SIGUSR1 has a process write which line of which function it is at."""

sensors.SECONDS_BETWEEN_LOOKS = 1
if WAIT_VARIABLE in os.environ:
    assert Database.__init__.__kwdefaults__
    Database.__init__.__kwdefaults__["wait_seconds"] = float(os.environ[WAIT_VARIABLE])
faulthandler.register(signal.SIGUSR1, PLACE_FILE.open("a"))


def wait_while_held(asset: str) -> None:
    """Wait for the file of that name to go."""
    while (HOLD / asset).exists():
        time.sleep(0.02)


class HeldSummaries(OpeningTurns):
    async def summarise(self, *arguments: Any, **options: Any) -> Any:
        wait_while_held("summaries")
        return await super().summarise(*arguments, **options)


class HeldEmbeddings(WordSums):
    async def embed(self, texts: list[str]) -> Any:
        wait_while_held("embeddings")
        return await super().embed(texts)


class HeldClustering(ByFirstWord):
    def cluster(self, items: Any) -> Any:
        wait_while_held("base_clusters")
        return super().cluster(items)


class HeldHierarchy(InPairs):
    async def reduce_clusters(self, clusters: Any) -> Any:
        wait_while_held("meta_clusters")
        return await super().reduce_clusters(clusters)


class HeldMap(OnALine):
    async def reduce_dimensionality(self, clusters: Any) -> Any:
        wait_while_held("projections")
        return await super().reduce_dimensionality(clusters)


defs = build_defs(
    **own_models(
        summary_model=HeldSummaries(),
        embedding_model=HeldEmbeddings(),
        clustering_method=HeldClustering(),
        meta_cluster_model=HeldHierarchy(),
        dimensionality_reduction=HeldMap(),
    )
)
