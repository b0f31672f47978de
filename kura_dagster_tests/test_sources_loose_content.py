"""Texts of messages and metadata, however their source keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.sources.loose_content import ContentError, clean_text, text_of


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        (None, ""),
        ([], ""),
        (["a", None, "", "b"], "a\nb"),
        ([{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}], "a\nb"),
        ([{"type": "text", "text": {"value": "a", "annotations": []}}], "a"),
        ({"type": "text", "text": "a"}, "a"),
        ({"content_type": "text", "parts": ["a", "b"]}, "a\nb"),
        ([{"type": "refusal", "refusal": "I can't"}], "I can't"),
        ([{"type": "image_url", "image_url": {"url": "data:…"}}], "[image]"),
        ([{"type": "input_image", "text": "alt"}], "alt"),
        ([{"type": "input_audio", "transcript": "said", "audio": "AAAA"}], "said"),
        ([{"type": "input_text", "input_text": "a"}, {"output_text": "b"}], "a\nb"),
        ([{"type": "document", "title": "x", "content": "AAAA"}], "[file]"),
        ([{"type": "message", "content": [{"type": "output_text", "text": "a"}]}], "a"),
        ([{"type": "card", "parts": ["a", {"text": {"value": "b"}}]}], "a\nb"),
        ([{"content_type": "image_asset_pointer"}], "[image]"),
        ([{"type": "input_audio", "input_audio": {}}], "[audio]"),
        ([{"content_type": "audio_transcription", "text": "said"}], "said"),
        ([{"type": "file", "file": {}}, {"type": "document", "source": {}}], "[file]\n[file]"),
        ([{"type": "video_url"}], "[video]"),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "input": {}}], ""),
        ([{"type": "hologram"}, {"type": "<b>"}, 7, {}], "[hologram]\n[part]\n[part]\n[part]"),
    ],
)
def test_contents_of_every_kind(content: Any, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize("content", [7, True, 1.5, b"x"])
def test_other_types_have_no_text(content: Any) -> None:
    with pytest.raises(ContentError):
        text_of(content)


@pytest.mark.parametrize("content", [{}, {"answer": "x"}, [{"answer": "x"}], [7, None], [[["a"]]]])
def test_no_mark_stands_for_what_is_no_part_at_all(content: Any) -> None:
    with pytest.raises(ContentError, match="in which no text can be told"):
        text_of(content)


def test_parts_in_parts_end_somewhere() -> None:
    content: Any = "deep"
    for _ in range(100):
        content = [{"type": "box", "content": content}]
    assert text_of(content) == "[box]"


def test_controls_go_and_line_breaks_are_line_feeds() -> None:
    assert clean_text("a\x00b\x1bc\td\r\ne\rf\ng\x0bh") == "abc\td\ne\nf\ngh"
    assert clean_text("\ud83d\ude00 \ud83d! \ude00") == "😀 \ufffd! \ufffd"
    assert clean_text("a\u200db\u2028c\x85") == "a\u200db\u2028c\x85"


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_a_clean_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert not any(character < " " and character not in "\t\n" for character in cleaned)
    assert clean_text(cleaned) == cleaned
