"""What a scenario is: a named function that breaks something, checks what is left and says what a user saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class NotPossibleError(Exception):
    """The fault can't be injected on this machine. The message says what is missing."""


class FaultError(AssertionError):
    """The product did not stand the fault. The message says which check failed."""


@dataclass(frozen=True)
class Outcome:
    """What became of a fault: the first line that a user sees, what is stored then, and what the next run does."""

    user_sees: str
    state_after: str
    next_run: str


Scenario = Callable[[Path], Outcome]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Make a function a scenario. It gets an empty folder, which is the current one while it runs."""

    def add(function: Scenario) -> Scenario:
        assert name not in SCENARIOS, name
        SCENARIOS[name] = function
        return function

    return add


def check(holds: object, what: str) -> None:
    """Fail the scenario with `what` where something does not hold."""
    if not holds:
        raise FaultError(what)
