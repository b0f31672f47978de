"""Kura's conversation analysis as a Dagster project.

The library without Dagster is `kura_dagster.pipeline`; the Dagster code location is `kura_dagster.definitions`.
"""

__version__ = "0.1.0"
