"""A text as a keyboard would have typed it, with the way back to how it was written.

Who copies a number from a letter or a web page gets non-breaking spaces and typographic hyphens, an Asian keyboard
types full-width digits, and nothing shows that a zero-width character stands between two of them. Patterns are matched
on a plain copy without all that; what they replace is put into the text as it was, so that the rest of it stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

_SPACES = "\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u2212\ufe63"
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # ! to ~, in the order of ASCII

# Dashes stand for hyphens within numbers only: elsewhere they divide a sentence, "I'm Anna—hello".
_DASH = re.compile("(?:(?<=[0-9)])|(?<=[0-9)] ))[\u2012-\u2015](?= ?[0-9(])")

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
# What becomes shorter: what can't be seen, and a letter whose accents are characters of their own, as macOS writes it,
# also where what can't be seen parts them.
_SHORTER = re.compile(rf"[{_INVISIBLE}]{{1,1000}}|[^\W\d_](?:[{_INVISIBLE}]{{0,1000}}+[\u0300-\u036f]){{1,4}}")
_UNSEEN = re.compile(f"[{_INVISIBLE}]+")


class _OneForOne(dict[int, str]):
    """What stands for a character, by its code; digits of other scripts are found when they come up."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = str(unicodedata.decimal(character)) if code >= 128 and character.isdecimal() else character
        return self[code]


_ONE_FOR_ONE = _OneForOne({code: chr(code - 0xFEE0) for code in _FULL_WIDTH})
_ONE_FOR_ONE |= dict.fromkeys(map(ord, _SPACES), " ") | dict.fromkeys(map(ord, _HYPHENS), "-") | {0xFE6B: "@"}


def plain(text: str) -> str:
    """Return the text with ASCII digits, spaces and hyphens, accents composed, and without what can't be seen."""
    return TracedText(text).text


class TracedText:
    """A plain copy of a text, in `text`, and of each of its characters where the original has it.

    Args:
        original: the text as it was written.
    """

    def __init__(self, original: str) -> None:
        self._original = original
        self.text = original
        # Of each character where its part of the original begins, and where the last one's ends.
        self._bounds: Sequence[int] = range(len(original) + 1)
        if not original.isascii():
            self._make_plain()
        # Then what is replaced in the copy is replaced in the original, and nothing has to be traced.
        self._is_original = self.text == original

    def _make_plain(self) -> None:
        parts: list[str] = []
        bounds: list[int] = []
        end = 0
        for match in _SHORTER.finditer(self._original):
            # In ASCII's width first: an accent composes with no full-width letter.
            composed = unicodedata.normalize("NFC", _UNSEEN.sub("", match[0]).translate(_ONE_FOR_ONE))
            parts += (self._original[end : match.start()], composed)
            bounds.extend(range(end, match.start()))
            bounds.extend([match.start(), *[match.end()] * (len(composed) - 1)] if composed else ())
            end = match.end()
        if end:
            bounds.extend(range(end, len(self._original) + 1))
            self._bounds = bounds
        shorter = "".join(parts) + self._original[end:]
        self.text = _DASH.sub("-", shorter.translate(_ONE_FOR_ONE))

    def replace(self, spans: Iterable[tuple[int, int, str]]) -> None:
        """Put other text in place of parts of `text`, each given by where it begins and ends there.

        Args:
            spans: in their order; none overlaps another, and none is replaced by nothing.
        """
        parts: list[str] = []
        bounds: list[int] = []
        done = 0
        for start, end, replacement in spans:
            parts += (self.text[done:start], replacement)
            if not self._is_original:
                bounds.extend(self._bounds[done:start])
                bounds.extend([self._bounds[start], *[self._bounds[end]] * (len(replacement) - 1)])
            done = end
        self.text = "".join(parts) + self.text[done:]
        if not self._is_original and parts:
            bounds.extend(self._bounds[done:])
            self._bounds = bounds

    def substitute(
        self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], kept: re.Pattern[str]
    ) -> None:
        """Replace what a pattern matches, as `re.sub` does.

        Args:
            pattern: what is looked for in `text`.
            replace: what stands there instead: pieces that `kept` matches, and of the match what is around them.
            kept: what may be new in a replacement.
        """
        spans: list[tuple[int, int, str]] = []
        for match in pattern.finditer(self.text):
            replacement = replace(match)
            if replacement != match[0]:
                spans += _changes(match, replacement, kept)
        self.replace(spans)

    def restored(self, pieces: re.Pattern[str]) -> str:
        """Return the original with whatever `pieces` matches in `text`, in place of what that was put there for."""
        if self._is_original:
            return self.text
        parts: list[str] = []
        done = 0
        for match in pieces.finditer(self.text):
            parts += (self._original[done : self._bounds[match.start()]], match[0])
            done = self._bounds[match.end()]
        return "".join(parts) + self._original[done:]


def _changes(match: re.Match[str], replacement: str, kept: re.Pattern[str]) -> Iterable[tuple[int, int, str]]:
    """Yield where the pieces of a replacement go, between the parts of the match that it repeats."""
    pieces = [piece[0] for piece in kept.finditer(replacement)]
    around = kept.split(replacement)
    start = match.start() + len(around[0])
    last = match.end() - len(around[-1])
    text = match.string
    for piece, following in zip(pieces[:-1], around[1:-1], strict=True):
        if text.startswith(piece, start):  # one that was there before
            start += len(piece) + len(following)
            continue
        # What a piece stands for is one character at least.
        end = text.index(following, start + 1, last)
        yield start, end, piece
        start = end + len(following)
    yield start, last, pieces[-1]
