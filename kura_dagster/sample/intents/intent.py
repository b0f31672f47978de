"""What an intent of the sample traffic is made of.

Only the shape of the content belongs here; the content is in one module per domain, and how a conversation is put
together from it is in `kura_dagster.sample.generator`. Every text is a template, see `kura_dagster.sample.template`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exchange:
    """A follow-up turn of the user, in several wordings, and the answers that fit any of them."""

    user: tuple[str, ...]
    assistant: tuple[str, ...]


@dataclass(frozen=True)
class Clarification:
    """A question the assistant asks before it answers, and what users reply."""

    question: str
    replies: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """A wrong first answer, the user's objection, and the answer that puts it right."""

    wrong: str
    objections: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class Script:
    """Everything that is said about one intent in one language.

    An opening is the request itself; a context sentence may precede it and a detail may follow it. A conversation uses
    one record of `facts` (values that belong together) and one value of each of `slots` (values that do not), and
    keeps them to its end. Exchanges fit after any answer and in any order. `setbacks` are exchanges of users for whom
    the answer did not work, `personal` are sentences that users of this intent give personal data in.
    """

    openings: tuple[str, ...]
    answers: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    setbacks: tuple[Exchange, ...]
    clarifications: tuple[Clarification, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    contexts: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    facts: tuple[Mapping[str, str], ...] = field(default_factory=lambda: ({},))
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Intent:
    """Something users ask for: its place in the taxonomy, its share of the traffic and what is said about it.

    `weight` is relative to the other intents on a weekday, `weekend` multiplies it on Saturdays and Sundays.
    `translations` maps 'german' and 'spanish' to scripts in those languages.
    """

    domain: str
    name: str
    weight: float
    script: Script
    weekend: float = 1.0
    translations: Mapping[str, Script] = field(default_factory=dict)
