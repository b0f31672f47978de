"""Names that are known by now, wherever they come up in a text: in one pass, however many they are.

A pattern of all of them would be tried name by name at each word, which takes half a minute where somebody pastes a
list of twenty thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""The characters of a regular expression's class for scripts that may put another word right behind a name."""

_BEFORE_RISKY = re.compile(r"[\w,;] ")
_ENDS = ""  # the key of a node where a name may end: no word is empty

_Node = dict[str, Any]
"""From a word, and what stands between it and the last one, to the next node."""


class KnownNames:
    """Where any of some names stands in a text, as whole words; where several begin at one word, the longest.

    Args:
        names: each begins and ends with a letter.
        skipped: what a text holds that no name is looked for in.
        within_sentence: only where a name stands within a sentence and in the case that it is given in; otherwise in
            any case.
    """

    def __init__(self, names: Iterable[str], skipped: re.Pattern[str], *, within_sentence: bool = False) -> None:
        self._within_sentence = within_sentence
        self._token = re.compile(rf"{skipped.pattern}|[{UNSPACED}]|[^\W{UNSPACED}]+")
        self._root: _Node = {}
        for name in map(self._folded, names):
            node, end = self._root, 0
            for token in self._token.finditer(name):
                node = node.setdefault(name[end : token.end()], {})
                end = token.end()
            node[_ENDS] = {}

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the names in a text begin and end, in their order and without overlaps."""
        folded = self._folded(text)
        tokens = [token.span() for token in self._token.finditer(folded)]
        done = 0
        for number, (start, end) in enumerate(tokens):
            node = self._root.get(folded[start:end]) if start >= done else None
            if node is None or (self._within_sentence and not _BEFORE_RISKY.match(text, max(0, start - 2))):
                continue
            reached = 0
            while node is not None:
                if _ENDS in node:
                    reached = end
                number += 1
                if number == len(tokens):
                    break
                node = node.get(folded[end : tokens[number][1]])
                end = tokens[number][1]
            if reached:
                yield start, reached
                done = reached

    def _folded(self, text: str) -> str:
        """Return the text in small letters where case means nothing; no character becomes two."""
        if self._within_sentence:
            return text
        # The Turkish letters with a dot and without are i's as well.
        return text.replace("\u0130", "i").lower().replace("\u0131", "i").replace("ς", "σ")
