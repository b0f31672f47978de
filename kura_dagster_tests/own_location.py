"""A user's own code location: the project's assets with the user's models, and a sensor that a test can wait for."""

from kura_dagster.orchestration import sensors
from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import own_models

sensors.SECONDS_BETWEEN_LOOKS = 1
defs = build_defs(**own_models())
