"""A user's code location whose summaries ask the language model that the settings name; the rest is the user's own."""

from kura_dagster.orchestration.build import build_defs
from kura_dagster_tests.own_models import own_models

models = own_models()
del models["summary_model"]
defs = build_defs(**models)
