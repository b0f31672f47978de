"""What a run would ask and pay, before it does: the pipeline itself, with a ledger that lets no request through.

So the prompts are the real ones, and what the cache holds is found as a run would find it. Where questions depend on
answers that are not there yet, as the names of clusters do on summaries, they are counted by rule of thumb and rendered
from texts of typical length. Nothing is sent, and nothing is stored.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.base_clusters import generate_base_clusters_from_conversation_summaries
from kura_dagster.pipeline.clustering import items_per_cluster
from kura_dagster.pipeline.embeddings import embed_summaries
from kura_dagster.pipeline.failures import LanguageModelError
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.cluster_description_model import NamedGroup
from kura_dagster.pipeline.language_model.ledger import Ledger, Reservation
from kura_dagster.pipeline.language_model.meta_cluster_model import (
    MOST_OPTIONS,
    SHOWN_OUTSIDE,
    CandidateCategories,
    CategoryLabel,
)
from kura_dagster.pipeline.language_model.tokens import expected_tokens
from kura_dagster.pipeline.meta_clusters import planned_roots, reduce_clusters_from_base_clusters
from kura_dagster.pipeline.prices import Prices
from kura_dagster.pipeline.providers import ANSWERS_FOLDER, EMBEDDING_APIS, Models, open_models, redaction_from
from kura_dagster.pipeline.summaries import summarise_conversations
from kura_dagster.pipeline.types import Cluster, Conversation, ConversationSummary, FailedItem
from kura_dagster.settings import EXTRACTIVE, STAGE_MODELS, Settings

ANSWER_TOKENS = {"summaries": 150, "embeddings": 0, "base_clusters": 100, "meta_clusters": 60}
"""What an answer to a question of each asset has, on average over its kinds of questions."""

STATEMENT = "what this user asked the assistant for, in the words of a summary that nobody has written yet, " * 2
"""Stands for a summary with its request: 190 characters."""

_EMBEDDING_BATCH = 50
_SHOWN_MEMBERS = 20
_NAMED_AGAIN = 0.25  # of the clusters, because their name is almost another's, about


@dataclass(frozen=True)
class StageEstimate:
    """What one asset would ask its model: calls, the answers that are kept, tokens, and USD (None: no known price)."""

    asset: str
    model: str
    calls: int = 0
    kept: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0


class _NotSentError(LanguageModelError):
    """In place of every request."""


_question: ContextVar[str | None] = ContextVar("_question", default=None)
"""The key of the question that the current task has looked for among the kept answers."""


class _NotingCache(CacheStrategy):
    """Kept answers, and which question was looked for last. Nothing is kept."""

    def __init__(self, kept: CacheStrategy) -> None:
        self._kept = kept

    def get(self, key: str) -> Any | None:
        _question.set(key)
        return self._kept.get(key)

    def set(self, key: str, value: Any) -> None:
        """Leave everything as it is: whose an answer is may be learnt here, and is learnt again by a run."""


class _CountingLedger(Ledger):
    """Counts the requests that were about to be sent, and stops each."""

    sends = False

    def __init__(self) -> None:
        super().__init__()
        self.held_back: list[int] = []
        self._questions: set[str] = set()

    def reserve(self, model: str, input_tokens: int, *, answers: bool = True) -> Reservation:
        # The same question is asked once in a run: its answer is kept then. (Embeddings are asked for in batches.)
        question = _question.get() if answers else None
        if question is None or question not in self._questions:
            self.held_back.append(input_tokens)
        if question is not None:
            self._questions.add(question)
        raise _NotSentError(f"{model} is not asked: this is an estimate.")


@dataclass
class _Count:
    """Calls with their tokens, and kept answers, of one asset."""

    calls: int = 0
    kept: int = 0
    input_tokens: int = 0

    def add(self, calls: int, prompt: str, schema_tokens: int = 0) -> None:
        self.calls += calls
        self.input_tokens += calls * (expected_tokens(prompt) + schema_tokens)


async def estimate(
    partitions: Iterable[tuple[list[Conversation], Mapping[str, np.ndarray]]], settings: Settings
) -> list[StageEstimate]:
    """Return what analysing these partitions would ask, asset by asset; [] where no provider is asked.

    Args:
        partitions: of each its conversations and what is stored of their vectors, by chat_id. With a vector for every
            conversation, and all summaries kept, the questions about clusters are the real ones too.
        settings: choose the models, which are asked our own questions. Limits and paces do not count.

    Raises:
        LanguageModelError: a model can't be opened, as without its SDK: the answers are kept by provider. Keys are not
            needed.
    """
    unlimited = {"max_calls": None, "max_cost_usd": None, "requests_per_minute": None, "tokens_per_minute": None}
    settings = settings.model_copy(update=unlimited)
    asked = {asset: settings.language_model_for(asset) for asset in STAGE_MODELS}
    asked["embeddings"] = settings.embedding_model if settings.embedding_model.startswith(EMBEDDING_APIS) else ""
    models_by_asset = {
        asset: asked[asset]
        for asset in ("summaries", "embeddings", "base_clusters", "meta_clusters")
        if asked[asset] not in ("", EXTRACTIVE)
    }
    if not models_by_asset:
        return []
    counts = {asset: _Count() for asset in models_by_asset}
    ledger = _CountingLedger()
    with closing(DiskCacheStrategy(settings.cache / ANSWERS_FOLDER, settings.cache_size_limit)) as kept:
        async with open_models(settings, cache=_NotingCache(kept), ledger=ledger) as models:
            for conversations, vectors in partitions:
                if conversations:
                    await _Partition(settings, models, ledger, counts).count(conversations, vectors)
    known = Prices(settings.prices)
    return [
        StageEstimate(
            asset=asset,
            model=models_by_asset[asset],
            calls=count.calls,
            kept=count.kept,
            input_tokens=count.input_tokens,
            output_tokens=(answered := count.calls * ANSWER_TOKENS[asset]),
            cost_usd=known.cost_usd(models_by_asset[asset], count.input_tokens, answered) if count.calls else 0.0,
        )
        for asset, count in counts.items()
    ]


class _Partition:
    """Goes through the assets of one partition as far as answers are there, and counts by rule of thumb from there."""

    def __init__(
        self, settings: Settings, models: Models, ledger: _CountingLedger, counts: Mapping[str, _Count]
    ) -> None:
        self.settings = settings
        self.models = models
        self.ledger = ledger
        self.counts = counts

    async def count(self, conversations: list[Conversation], vectors: Mapping[str, np.ndarray]) -> None:
        summaries = await self._summaries(conversations)
        if "embeddings" in self.counts:
            vectors = await self._embeddings(len(conversations) - len(summaries), summaries)
        clusters = await self._base_clusters(conversations, summaries, vectors)
        if "meta_clusters" in self.counts:
            await self._meta_clusters(self._n_clusters(len(conversations)), clusters)

    async def _summaries(self, conversations: list[Conversation]) -> list[ConversationSummary]:
        """Return the summaries that are kept, or made on this machine."""
        with self._counted("summaries"):
            return await summarise_conversations(
                conversations,
                model=self.models.summary_model,
                temperature=self.settings.temperature,
                failures=[],
                redaction=redaction_from(self.settings),
            )

    async def _embeddings(self, n_missing: int, summaries: list[ConversationSummary]) -> Mapping[str, np.ndarray]:
        """Return the vectors where all of these summaries' are kept, otherwise none."""
        if n_missing:
            self.counts["embeddings"].add(1, STATEMENT * n_missing)
            self.counts["embeddings"].calls += math.ceil(n_missing / _EMBEDDING_BATCH) - 1
        with self._counted("embeddings"), suppress(LanguageModelError):
            rows = await embed_summaries(summaries, self.models.embedding_model)
            return {row.chat_id: row.embedding for row in rows}
        return {}

    def _n_clusters(self, n: int) -> int:
        return math.ceil(n / items_per_cluster(n, self.settings.clusters_per_group))

    async def _base_clusters(
        self,
        conversations: Sequence[Conversation],
        summaries: Sequence[ConversationSummary],
        vectors: Mapping[str, np.ndarray],
    ) -> list[Cluster] | None:
        """Return the clusters where all names are kept."""
        if len(summaries) < len(conversations) or any(summary.chat_id not in vectors for summary in summaries):
            if "base_clusters" in self.counts:
                n_clusters = self._n_clusters(len(conversations))
                shown = min(_SHOWN_MEMBERS, math.ceil(len(conversations) / max(1, n_clusters)))
                prompt = prompts.cluster_prompt(
                    [STATEMENT] * shown, [STATEMENT] * self.settings.max_contrastive_examples
                )
                n_questions = math.ceil((1 + _NAMED_AGAIN) * n_clusters)
                self.counts["base_clusters"].add(n_questions, prompt, self._schema_tokens(NamedGroup))
            return None
        if "base_clusters" not in self.counts:
            return None  # named on this machine, which takes longer than an estimate may
        failures: list[FailedItem] = []
        with self._counted("base_clusters"):
            clusters = await generate_base_clusters_from_conversation_summaries(
                [summary.model_copy(update={"embedding": vectors[summary.chat_id]}) for summary in summaries],
                embedding_model=self.models.embedding_model,
                clustering_method=self.models.clustering_method,
                clustering_model=self.models.cluster_description_model,
                max_contrastive_examples=self.settings.max_contrastive_examples,
                failures=failures,
            )
        return None if failures else clusters

    async def _meta_clusters(self, n_clusters: int, clusters: list[Cluster] | None) -> None:
        if clusters is not None:
            count = self.counts["meta_clusters"]
            before = count.calls, count.input_tokens
            failures: list[FailedItem] = []
            with self._counted("meta_clusters"), suppress(LanguageModelError):
                await reduce_clusters_from_base_clusters(
                    clusters, model=self.models.meta_cluster_model, failures=failures
                )
            if (count.calls, count.input_tokens) == before:
                return
            # Of a hierarchy that is not kept whole, most questions come after answers that are not there.
            count.calls, count.input_tokens = before
            n_clusters = len(clusters)
        self._rounds(n_clusters)

    def _rounds(self, n_roots: int) -> None:
        """Count the questions of a hierarchy: in each round one a neighbourhood, one a cluster and one a parent.

        That is the plan of the levels. Large families, which get a level in between, are not counted.
        """
        count = self.counts["meta_clusters"]
        cluster = Cluster(
            cluster_id="typical", name=STATEMENT[:60], description=STATEMENT, slug="three_typical_words", chat_ids=[]
        )
        at_once = self.settings.meta_clusters_per_group
        while n_roots > self.settings.max_clusters:
            n_parents = planned_roots(n_roots, self.settings.max_clusters)
            n_neighbourhoods = math.ceil(n_roots / at_once)
            shown = math.ceil(n_roots / n_neighbourhoods)
            outside = [cluster] * min(SHOWN_OUTSIDE, n_roots - shown)
            candidates = prompts.candidates_prompt([cluster] * shown, math.ceil(n_parents / n_neighbourhoods), outside)
            label = prompts.label_prompt(cluster, [cluster.name] * min(MOST_OPTIONS, n_parents))
            parent = prompts.parent_prompt([cluster] * round(n_roots / n_parents))
            if n_parents > 1:
                count.add(n_neighbourhoods, candidates, self._schema_tokens(CandidateCategories))
                count.add(n_roots, label, self._schema_tokens(CategoryLabel))
            count.add(n_parents, parent, self._schema_tokens(NamedGroup))
            n_roots = n_parents

    def _schema_tokens(self, schema: type[BaseModel]) -> int:
        return self.models.language_models[0].schema_tokens(schema)

    @contextmanager
    def _counted(self, asset: str) -> Iterator[None]:
        """Count what the ledger holds back inside of the block as the asset's, where it asks a provider."""
        hits, self.ledger.held_back = self.ledger.spent.cache_hits, []
        # That questions are not answered is no news here.
        logger = logging.getLogger("kura_dagster.pipeline")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
            if asset in self.counts:
                count = self.counts[asset]
                count.calls += len(self.ledger.held_back)
                count.input_tokens += sum(self.ledger.held_back)
                count.kept += self.ledger.spent.cache_hits - hits
