"""The code location that the command line runs: what workspace.yaml names, as `dagster dev` does."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.code_pointer import load_python_file, load_python_module
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._utils.test.definitions import LazyDefinitions

from kura_dagster.orchestration.build import build_defs
from kura_dagster.orchestration.resources import KEPT_ANSWERS_KEY
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.settings import PREFIX, Settings

WORKSPACE = Path("workspace.yaml")
OWN_MODULE = "kura_dagster.definitions"


class CodeLocationError(ValueError):
    """What workspace.yaml names can't be used. The message says why."""


def definitions_from(settings: Settings) -> dg.Definitions:
    """Return the definitions that workspace.yaml of the current folder names; without it those of `build_defs`.

    A module of a user's own reads the settings from the environment itself, so the limits among these are put there.

    Raises:
        CodeLocationError: workspace.yaml or what it names can't be loaded, or nothing there was made by `build_defs`.
        SettingsError, TypeError, ValueError: as for `build_defs`.
    """
    if not WORKSPACE.exists():
        return build_defs(settings)
    try:
        # Those that a server of their own loads have none.
        origins = [
            origin.loadable_target_origin
            for origin in location_origins_from_yaml_paths([str(WORKSPACE)])
            if isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin)
        ]
    except Exception as error:
        # Dagster adds all that would be allowed, pages of it.
        reason = " ".join(str(error).partition(" Expected: ")[0].split())
        raise CodeLocationError(f"{WORKSPACE} can't be read: {reason}") from error
    for limit in ("max_calls", "max_cost_usd"):
        if (value := getattr(settings, limit)) is not None:
            os.environ[f"{PREFIX}{limit.upper()}"] = str(value)
    for origin in origins:
        if origin.module_name == OWN_MODULE:
            return build_defs(settings)
        if (defs := _definitions_at(origin)) is not None:
            return defs
    raise CodeLocationError(
        f"{WORKSPACE} names no module with `defs = build_defs(...)` of kura_dagster.orchestration.build"
    )


def _definitions_at(origin: Any) -> dg.Definitions | None:
    """Return the definitions that `build_defs` made in a module or a file, None where there are no such."""
    name = origin.python_file or origin.module_name or origin.package_name
    try:
        if origin.python_file:
            module = load_python_file(origin.python_file, origin.working_directory)
        else:
            sys.modules.pop(name, None)  # what it read of the environment may have been another run's limits
            module = load_python_module(name, origin.working_directory or str(Path.cwd()))
        found = [getattr(module, origin.attribute)] if origin.attribute else list(vars(module).values())
        # Functions that return definitions: those of `@dg.definitions`, and one that is named.
        found = [value() if isinstance(value, LazyDefinitions) else value for value in found]
        if origin.attribute and inspect.isfunction(found[0]):
            found = [found[0]()]
    except Exception as error:  # whatever the module does when it is imported
        reason = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        kind = "" if isinstance(reason, (ImportError, OSError)) else f"{type(reason).__name__}: "
        raise CodeLocationError(f"{WORKSPACE} names {name}, which can't be loaded: {kind}{reason}") from error
    for value in found:
        if isinstance(value, dg.Definitions) and KEPT_ANSWERS_KEY in (value.resources or {}):
            return value
    return None


@contextmanager
def kept_answers_of(defs: dg.Definitions) -> Iterator[CacheStrategy]:
    """Give the cache in which the runs of these definitions keep what models answered."""
    resource = (defs.resources or {})[KEPT_ANSWERS_KEY]
    with dg.build_resources({KEPT_ANSWERS_KEY: resource}) as opened:
        yield getattr(opened, KEPT_ANSWERS_KEY)
