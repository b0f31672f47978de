"""Every item of a stage accounted for: what a model or method gives back holds each one exactly once.

Only the counting is here. Which error is raised, and about whom, is said by the stage that counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kura_dagster.pipeline.hierarchy import some_of


def unaccounted(expected: Iterable[str], returned: Iterable[str]) -> str:
    """Return which ids were lost, doubled or invented ("lost a, b; doubled c"), "" where each came back once."""
    given, counts = set(expected), Counter(returned)
    faults = {
        "lost": given - counts.keys(),
        "doubled": {each for each, count in counts.items() if count > 1},
        "invented": counts.keys() - given,
    }
    return "; ".join(f"{fault} {some_of(ids)}" for fault, ids in faults.items() if ids)
