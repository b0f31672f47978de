"""Importing what a user wrote: a module in the folder they work in, or one that is installed."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def own_module(name: str) -> ModuleType:
    """Return a module by its name, looked for in the current folder last.

    Raises:
        ImportError: there is none, or it imports something that can't be imported.
        ValueError: this is no module's name.
    """
    # A console script's path begins at the script's own folder, where python -m and dagster take the current one.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    return import_module(name)
