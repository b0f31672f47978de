"""The command line `kura-dagster`: a module for each command, and for what they share.

Each command reads settings, calls one thing of the project and shows the result. Dagster, DuckDB and the pipeline are
imported inside the commands: --help should not wait for them.
"""

# isort: off
from kura_dagster.cli.app import app

# In the order of the help.
from kura_dagster.cli import demo, ingest, forget, rejected, run, estimate, cache, tree, status, export, backup

__all__ = [
    "app",
    "backup",
    "cache",
    "demo",
    "estimate",
    "export",
    "forget",
    "ingest",
    "rejected",
    "run",
    "status",
    "tree",
]
