"""What others wrote steers no terminal, whatever it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.plain_text import plain_line, plain_lines

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\x1b\n\r\t\u202e\u2066\u200d\x9b\x07"))


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("red \x1b[31mtext\x07", "red [31mtext", "red [31mtext"),
        ("  two\n  lines\r\n", "two lines", "  two\n  lines"),
        ("tab\there", "tab here", "tab here"),
        ("left\u202eright\u2066", "leftright", "leftright"),
        ("half \ud83d a pair", "half a pair", "half  a pair"),
        ("\U0001f469\u200d\U0001f4bb می‌خواهم 日本語", "\U0001f469\u200d\U0001f4bb می‌خواهم 日本語", None),
        ("", "", ""),
    ],
)
def test_controls_go_and_letters_stay(text: str, line: str, lines: str | None) -> None:
    assert plain_line(text) == line
    assert plain_lines(text) == (text if lines is None else lines)


@given(ANY_TEXT)
def test_nothing_steers_a_terminal(text: str) -> None:
    for shown in (plain_line(text), *plain_lines(text).split("\n")):
        assert not [c for c in shown if unicodedata.category(c)[0] == "C" and c not in "\u200c\u200d"]
        shown.encode("utf-8")
    assert plain_line(plain_line(text)) == plain_line(text)
