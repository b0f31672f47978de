"""The command line `kura-dagster`: a module for each command, and for what they share.

Each command reads settings, calls one thing of the project and shows the result. Dagster, DuckDB and the pipeline are
imported inside the commands: --help should not wait for them.
"""

# isort: off
from kura_dagster.cli.app import app

# In the order of the help.
from kura_dagster.cli import demo, ingest, forget, drop_old_messages, rejected
from kura_dagster.cli import run, estimate, cache, tree, status, export, backup, alert

__all__ = [
    "alert",
    "app",
    "backup",
    "cache",
    "demo",
    "drop_old_messages",
    "estimate",
    "export",
    "forget",
    "ingest",
    "rejected",
    "run",
    "status",
    "tree",
]
