"""docs/privacy.md says what is true: its figures are the measured ones, and it names every kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kura_dagster.pipeline.privacy.personal_data import KINDS, MASK, find_personal_data
from kura_dagster_tests.labelled_sentences import Piece, Sentence, held_out, pieces_of, score
from kura_dagster_tests.loopback_server import LoopbackServer
from kura_dagster_tests.test_language_model_docs import run

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]

PAGE = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")


def found(text: str) -> list[Piece]:
    return pieces_of(text, find_personal_data([text]).mask(text), MASK)


def measured_table(of: Iterable[Sentence]) -> str:
    result = score(found, of)
    rows = ["| kind | pieces | recall | precision |", "|---|---|---|---|"]
    rows += [
        f"| `{kind}` | {result.marked[kind]} | {result.recall(kind):.2f} | {result.precision(kind):.2f} |"
        for kind in KINDS
    ]
    return "\n".join(rows)


def test_the_figures_are_the_measured_ones() -> None:
    assert measured_table(held_out()) in PAGE
    pieces = sum(len(sentence.pieces) for sentence in held_out())
    assert f"Measured on {len(held_out())} sentences" in PAGE
    assert f"They hold {pieces} pieces" in PAGE


def test_typography_changes_no_figure() -> None:
    retyped = str.maketrans(" -0123456789", "\u00a0\u2011０１２３４５６７８９")
    sentences = [Sentence(sentence.text.translate(retyped), sentence.pieces) for sentence in held_out()]
    assert "give the same\nfigures in every row" in PAGE
    assert measured_table(sentences) in PAGE


def test_every_kind_is_described() -> None:
    (described,) = re.findall(r"\| kind \| what it is \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    assert tuple(re.findall(r"^\| `(\w+)` ", described, re.MULTILINE)) == KINDS


def test_the_shown_redaction_is_what_happens() -> None:
    (before, after) = re.findall(r"```text\n(.*?) +→ +(.*?)\n```", PAGE)[0]
    assert find_personal_data([before]).mask(before) == after


def test_the_example_runs(server: LoopbackServer, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (line,) = run(example, tmp_path)
    assert line.startswith("Counter({'email': 0")
    assert server.stats.chat == 4
