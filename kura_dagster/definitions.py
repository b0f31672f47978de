"""The Dagster code location: `dagster dev` finds `defs` here, through workspace.yaml."""

from kura_dagster.orchestration.build import build_defs

defs = build_defs()
