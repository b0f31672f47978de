"""What a run holds open: the models and the event loop they live in. Storage has its own resource, the IO manager."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import dagster as dg

from kura_dagster.orchestration.progress import Meter
from kura_dagster.orchestration.questions import Questions, asked_models
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.providers import ModelOverrides, Models, answers_in_files, open_models
from kura_dagster.settings import Settings
from kura_dagster.storage.tables import Table

T = TypeVar("T")

KEPT_ANSWERS_KEY = "kept_answers"


class RunModels:
    """The models of one run with what they are asked and the event loop that their clients belong to.

    Every step of a run shares the loop: a client that outlives its loop hangs, and one client a step would be opened
    and closed seven times.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models,
        questions: Questions,
        runner: asyncio.Runner,
        asked: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self.models = models
        self.questions = questions
        self._runner = runner
        self._asked = asked
        self._meter = Meter(models.ledger, [*models.language_models, models.embedding_model])

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine of the pipeline and return its result."""
        return self._runner.run(work)

    def meter_for(self, table: Table) -> Meter | None:
        """Return what follows the questions of the asset that fills `table`, None where it asks no provider."""
        return self._meter if table.name in self._asked else None


def kept_answers_resource(settings: Settings, cache: CacheStrategy | None = None) -> dg.ResourceDefinition:
    """Return the resource that is `cache`, or else the answers in the folder that `KURA_CACHE` names."""

    @contextmanager
    def open_for_run(_: dg.InitResourceContext) -> Iterator[CacheStrategy]:
        if cache is not None:
            yield cache
            return
        with closing(answers_in_files(settings)) as kept:
            yield kept

    return dg.ResourceDefinition(open_for_run, description="Where the answers of models are kept, and found again.")


def models_resource(settings: Settings, overrides: ModelOverrides, questions: Questions) -> dg.ResourceDefinition:
    """Return the resource that opens the models when a run starts and closes them when it ends."""

    @contextmanager
    def open_for_run(context: dg.InitResourceContext) -> Iterator[RunModels]:
        with asyncio.Runner() as runner:
            opened = open_models(
                settings,
                overrides,
                extractors=questions.extractors,
                clients=questions.clients,
                concurrent_requests=questions.concurrent_requests,
                cache=getattr(context.resources, KEPT_ANSWERS_KEY),
            )
            models = runner.run(opened.__aenter__())
            try:
                yield RunModels(settings, models, questions, runner, asked_models(settings, overrides))
            finally:
                runner.run(opened.__aexit__(None, None, None))

    return dg.ResourceDefinition(
        open_for_run,
        required_resource_keys={KEPT_ANSWERS_KEY},
        description="The summary, embedding, clustering, naming, hierarchy and projection models of a run.",
    )
