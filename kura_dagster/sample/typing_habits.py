"""How users type: slips of the finger, no capitals, no full stop. Code and addresses are left as they were."""

from __future__ import annotations

import random
import re

_WORD = re.compile(r"[^\W\d_]{4,}")
_FENCE = re.compile(r"(```.*?```|`[^`]*`|\S+@\S+)", re.DOTALL)


def with_typos(text: str, random_state: random.Random, rate: float = 0.06) -> str:
    """Return the text with some words of four letters and more misspelt, as by a quick typist."""

    def misspell(match: re.Match[str]) -> str:
        word = match[0]
        if random_state.random() > rate:
            return word
        at = random_state.randrange(1, len(word) - 1)
        slip = random_state.choice(("swap", "drop", "double"))
        if slip == "swap":
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if slip == "drop":
            return word[:at] + word[at + 1 :]
        return word[:at] + word[at] + word[at:]

    return _outside_code(text, lambda part: _WORD.sub(misspell, part))


def in_a_hurry(text: str) -> str:
    """Return the text in lower case and without its closing full stop."""
    return _outside_code(text, str.lower).removesuffix(".")


def shouting(text: str) -> str:
    """Return the text in capitals, with more exclamation marks than it needs."""
    return _outside_code(text, str.upper).rstrip(".!") + "!!!"


def _outside_code(text: str, change) -> str:  # type: ignore[no-untyped-def]
    return "".join(part if position % 2 else change(part) for position, part in enumerate(_FENCE.split(text)))
