"""What a run holds open: the models and the event loop they live in. Storage has its own resource, the IO manager."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import dagster as dg

from kura_dagster.pipeline.providers import ModelOverrides, Models, open_models
from kura_dagster.pipeline.types import GeneratedSummary
from kura_dagster.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Questions:
    """What a language model is asked. A prompt that is None means the model's own."""

    response_schema: type[GeneratedSummary] = GeneratedSummary
    summary_prompt: str | None = None
    cluster_prompt: str | None = None


class RunModels:
    """The models of one run with what they are asked and the event loop that their clients belong to.

    Every step of a run shares the loop: a client that outlives its loop hangs, and one client a step would be opened
    and closed six times.
    """

    def __init__(self, settings: Settings, models: Models, questions: Questions, runner: asyncio.Runner) -> None:
        self.settings = settings
        self.models = models
        self.questions = questions
        self._runner = runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine of the pipeline and return its result."""
        return self._runner.run(work)


def models_resource(settings: Settings, overrides: ModelOverrides, questions: Questions) -> dg.ResourceDefinition:
    """Return the resource that opens the models when a run starts and closes them when it ends."""

    @contextmanager
    def open_for_run(_: dg.InitResourceContext) -> Iterator[RunModels]:
        with asyncio.Runner() as runner:
            opened = open_models(settings, overrides)
            models = runner.run(opened.__aenter__())
            try:
                yield RunModels(settings, models, questions, runner)
            finally:
                runner.run(opened.__aexit__(None, None, None))

    return dg.ResourceDefinition(
        open_for_run,
        description="The summary, embedding, clustering, naming, hierarchy and projection models of a run.",
    )
