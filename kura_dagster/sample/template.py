"""The little template language that the sample's content is written in.

`<one|another>` stands for one of its alternatives (an empty one is allowed, and they nest), `{name}` for the value that
the conversation has given that slot, `{Name}` for the same value with a capital first letter. Values are templates too.
Whatever does not look like that, as `<div>` or `\\d{4}`, is left as it is, so that code can be written plainly.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

_CHOICE = re.compile(r"<([^<>\n]*\|[^<>\n]*)>")
_SLOT = re.compile(r"\{([A-Za-z_]+)\}")


class Slots:
    """The slot values of one conversation: each is drawn when it is first needed and then stays."""

    def __init__(self, random_state: random.Random, fixed: Mapping[str, str], drawn: Mapping[str, Sequence[str]]):
        self._random_state = random_state
        self._values = dict(fixed)
        self._drawn = drawn

    def __getitem__(self, name: str) -> str:
        """Return the slot's value, drawing it at first use.

        Raises:
            KeyError: the content has no such slot.
        """
        if name not in self._values:
            self._values[name] = self._random_state.choice(self._drawn[name])
        return self._values[name]


def render(template: str, slots: Slots, random_state: random.Random) -> str:
    """Return one text that the template stands for, stripped, with a capital first letter.

    Raises:
        KeyError: the template names a slot that `slots` has no values for.
    """

    def choose(match: re.Match[str]) -> str:
        return random_state.choice(match[1].split("|"))

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        value = slots[name.lower()]
        return value if name[0].islower() else capitalised(value)

    text = template
    while _CHOICE.search(text) or _SLOT.search(text):
        # Choices go first, so that a slot in an alternative not taken is never drawn.
        while _CHOICE.search(text):
            text = _CHOICE.sub(choose, text)
        text = _SLOT.sub(fill, text)
    return capitalised(text.strip())


def capitalised(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]
