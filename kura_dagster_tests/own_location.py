"""A user's own code location: the project's assets with the user's models."""

from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import own_models

defs = build_defs(**own_models())
