"""The code location that the command line runs: the project's own, or a user's that `build_defs` made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.jobs import JOB_NAME
from kura_dagster.orchestration.resources import KEPT_ANSWERS_KEY
from kura_dagster.own_code import own_module
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.settings import PREFIX, Settings


class CodeLocationError(ValueError):
    """The module that `KURA_DEFINITIONS` names can't be used. The message says why."""


def definitions_from(settings: Settings) -> dg.Definitions:
    """Return the `defs` of the module that `KURA_DEFINITIONS` names.

    A user's module reads the settings from the environment itself, so the limits among these are put there.

    Raises:
        CodeLocationError: there is no such module, or its `defs` are not what `build_defs` returns.
        SettingsError, TypeError, ValueError: as for `build_defs`.
    """
    module = settings.definitions
    if module == Settings.model_fields["definitions"].default:
        return build_defs(settings)
    for limit in ("max_calls", "max_cost_usd"):
        if (value := getattr(settings, limit)) is not None:
            os.environ[f"{PREFIX}{limit.upper()}"] = str(value)
    try:
        defs = getattr(own_module(module), "defs", None)
    except ImportError as error:
        raise CodeLocationError(
            f"KURA_DEFINITIONS is {module!r}, which can't be imported: {error}. It is the name of a module in this "
            "folder, or of an installed one"
        ) from error
    ours = isinstance(defs, dg.Definitions) and KEPT_ANSWERS_KEY in (defs.resources or {})
    if not ours or not any(job.name == JOB_NAME for job in defs.jobs or ()):
        raise CodeLocationError(
            f"KURA_DEFINITIONS is {module!r}, which has no `defs = build_defs(...)` of kura_dagster.orchestration.build"
        )
    return defs


@contextmanager
def kept_answers_of(defs: dg.Definitions) -> Iterator[CacheStrategy]:
    """Give the cache in which the runs of these definitions keep what models answered."""
    resource = (defs.resources or {})[KEPT_ANSWERS_KEY]
    with dg.build_resources({KEPT_ANSWERS_KEY: resource}) as opened:
        yield getattr(opened, KEPT_ANSWERS_KEY)
