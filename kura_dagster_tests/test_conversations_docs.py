"""What docs/conversations.md shows is what is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.reading import Format
from kura_dagster_tests.sources import only_conversation

PAGE = (Path(__file__).parents[1] / "docs" / "conversations.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```(json|csv)\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("text", [text for kind, text in SHOWN if kind == "json" and "speaker" not in text])
def test_each_sample_is_a_conversation_of_a_detected_format(text: str) -> None:
    assert only_conversation(text).messages


def test_the_sample_of_a_table_and_the_mapping_are_right() -> None:
    (table,) = [text for kind, text in SHOWN if kind == "csv"]
    assert len(only_conversation(table, name="messages.csv").messages) == 2
    (mapping,) = [text for kind, text in SHOWN if "speaker" in text]
    assert ColumnMapping.of_pairs(json.loads(mapping)).is_row_a_message


def test_every_format_is_named() -> None:
    assert all(f"`{format}`" in PAGE for format in Format)
