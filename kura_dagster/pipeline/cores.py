"""How much of the machine this process may use."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return how many cores this process may use, which in a container or under taskset is fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
