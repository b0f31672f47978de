"""Where rewriting or cutting has broken a name: words side by side as nobody has them.

"Find out what company the designed" has a joint between "the" and "designed". Nothing is known here of grammar: what
stands side by side in what people wrote is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from kura_dagster.pipeline.embedded.vocabulary import (
    AUXILIARIES,
    BE,
    CONJUNCTIONS,
    DO,
    HAVE,
    PREPOSITIONS,
    VERBS,
    VERBS_THAT_ARE_NOUNS,
)

_END = "."
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[.,;:!?…]")
_POSSESSIVES = frozenset("a an my our your his her their this that these those some any".split())
_SPEAKERS = frozenset("i we you u me us".split())
_ENDING = PREPOSITIONS | CONJUNCTIONS | frozenset(["to"])
_ONLY_VERBS = VERBS - VERBS_THAT_ARE_NOUNS
_NOT_ENDING = frozenset(["like", "of", "than", "to"])


def _tokens(text: str) -> list[str]:
    """Return a text's words and ends, all determiners alike."""
    tokens = []
    for token in _TOKEN.findall(text.lower().replace("’", "'")):
        if token == "…":
            tokens.append(token)
        elif not token[0].isalnum():
            tokens.append(_END)
        else:
            tokens.append("the" if token in _POSSESSIVES else token)
    return [*tokens, _END]


def word_neighbours(texts: Iterable[str]) -> set[tuple[str, str]]:
    """Return all pairs of words that stand side by side in texts, with those who speak and without them.

    A word before a preposition may end a phrase, too, if it is no verb.
    """
    found: set[tuple[str, str]] = set()
    for text in texts:
        tokens = _tokens(text)
        for left, right in [*pairwise(tokens), *pairwise(token for token in tokens if token not in _SPEAKERS)]:
            found.add((left, right))
            if (
                right in _ENDING
                and right not in _NOT_ENDING
                and left not in _ONLY_VERBS
                and not left.endswith(("ed", "ing"))
            ):
                found.add((left, _END))
    return found


_REWRITTEN = re.compile(
    r"(?i)^(?:find out|check whether|explain|report(?: that)?|fix trouble|fix|recover|decide whether)\b ?|"
    r"\bthe (?:user|assistant)(?:'s)?\b"
)


def n_joints(name: str, neighbours: set[tuple[str, str]]) -> int:
    """Return how many words of a name stand side by side as nobody's do; what rewriting adds is nobody's mistake."""
    text = _REWRITTEN.sub("", name)
    tokens = _tokens(text)
    if text != name:
        # Rewriting turns questions around, so that an auxiliary has another neighbour.
        tokens = [token for token in tokens if token not in _SPEAKERS]
        pairs = [pair for pair in pairwise(tokens) if not (pair[0] in BE | DO | HAVE or pair[1] in AUXILIARIES)]
    else:
        pairs = list(pairwise(tokens))
    return sum(pair not in neighbours and "…" not in pair and not _ADDED.issuperset(pair) for pair in pairs)


_ADDED = frozenset([_END, "the"])
