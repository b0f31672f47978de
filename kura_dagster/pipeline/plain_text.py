"""Text that others wrote, made fit to be shown: names, descriptions and messages that quote them.

Nothing in such a text may steer a terminal, break a line of a drawing or turn the reading direction. What a format adds
(Rich's markup, Markdown, mathtext) is escaped where that format is written.
"""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"  # emoji and Persian need them


def plain_line(text: str) -> str:
    """Return the text on one line, with single spaces, without what steers a terminal.

    Dropped are control characters (escape sequences begin with one), bidirectional controls, surrogates, private and
    unassigned characters.
    """
    return " ".join(_without_controls(text).split())


def plain_lines(text: str) -> str:
    """Return the text with its line breaks and indentation, and otherwise as `plain_line` does."""
    return "\n".join(_without_controls(line).rstrip() for line in text.splitlines())


def _without_controls(text: str) -> str:
    kept = (
        " " if character.isspace() else character
        for character in text
        if character.isspace() or character in _JOINERS or unicodedata.category(character)[0] != "C"
    )
    return "".join(kept)
