"""The sentences of `data/personal_data.txt` with what is marked in them, and how well something finds that.

A marked piece counts as found where everything of it is covered, by pieces of whatever kind: it does not leave the
machine then. A piece that was found counts as right where it touches a marked one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parent / "data" / "personal_data.txt"
_MARKED = re.compile(r"⟨(\w+)\|(.*?)⟩", re.DOTALL)


class Piece(NamedTuple):
    """A part of a text that is personal data of some kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Sentence:
    """A sentence without its marks, and the pieces that they were around."""

    text: str
    pieces: tuple[Piece, ...]


@cache
def sentences() -> tuple[Sentence, ...]:
    """Every sentence of the file, in its order."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return tuple(_sentence(line) for line in lines if line and not line.startswith("# "))


def held_out() -> tuple[Sentence, ...]:
    """The half that no pattern was fitted to."""
    return sentences()[1::2]


def _sentence(line: str) -> Sentence:
    line = line.replace("‖", "").replace("\\n", "\n")
    text, pieces, end = "", [], 0
    for match in _MARKED.finditer(line):
        text += line[end : match.start()]
        pieces.append(Piece(len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        end = match.end()
    return Sentence(text + line[end:], tuple(pieces))


@dataclass
class Score:
    """Of each kind how many pieces are marked, and found of those; how many were found, and rightly."""

    marked: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)

    def recall(self, *kinds: str) -> float:
        """The share of the marked pieces that was found."""
        return sum(self.covered[kind] for kind in kinds) / max(1, sum(self.marked[kind] for kind in kinds))

    def precision(self, *kinds: str) -> float:
        """The share of the found pieces that is marked."""
        return sum(self.right[kind] for kind in kinds) / max(1, sum(self.found[kind] for kind in kinds))


def score(find: Callable[[str], Iterable[Piece]], of: Iterable[Sentence], faults: list[str] | None = None) -> Score:
    """Hold what `find` finds in the sentences against what is marked; `faults` gets a line for each difference."""
    result = Score()
    for sentence in of:
        found = list(find(sentence.text))
        covered = {place for piece in found for place in range(piece.start, piece.end)}
        for piece in sentence.pieces:
            result.marked[piece.kind] += 1
            if all(place in covered or not sentence.text[place].isalnum() for place in range(piece.start, piece.end)):
                result.covered[piece.kind] += 1
            elif faults is not None:
                faults.append(f"missed {piece.kind}: {sentence.text}")
        for piece in found:
            result.found[piece.kind] += 1
            if any(piece.start < marked.end and marked.start < piece.end for marked in sentence.pieces):
                result.right[piece.kind] += 1
            elif faults is not None:
                faults.append(f"wrong {piece.kind} ({sentence.text[piece.start : piece.end]}): {sentence.text}")
    return result


def pieces_of(text: str, masked: str, mask: re.Pattern[str]) -> list[Piece]:
    """Return which pieces of a text were replaced in a masked one; both are short."""
    kinds = [match[0][1:-1] for match in mask.finditer(masked)]
    pattern = "(.+?)".join(re.escape(part) for part in mask.split(masked))
    match = re.fullmatch(pattern, text, re.DOTALL)
    assert match, (text, masked)
    return [Piece(*match.span(number), kind) for number, kind in enumerate(kinds, start=1)]
