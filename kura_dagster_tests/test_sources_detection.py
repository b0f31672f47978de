"""Which format a source is in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from kura_dagster.pipeline.sources.detection import HEAD_BYTES, Format, detect
from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.record import SourceError
from kura_dagster_tests.sources import SAMPLES, a_conversation


@pytest.mark.parametrize(
    ("sample", "format"),
    [
        ("kura.jsonl", Format.KURA),
        ("kura_conversations.json", Format.KURA),
        ("claude_conversations.json", Format.CLAUDE),
        ("chatgpt_conversations.json", Format.CHATGPT),
        ("request_log.jsonl", Format.OPENAI),
        ("fine_tuning.jsonl", Format.OPENAI),
        ("sharegpt.json", Format.OPENAI),
        ("prompts.csv", Format.CSV),
        ("messages.csv", Format.CSV),
    ],
)
def test_samples(sample: str, format: Format) -> None:
    assert detect((SAMPLES / sample).read_bytes(), sample) is format
    if format is not Format.CSV:  # the content tells, not the name
        assert detect((SAMPLES / sample).read_bytes(), "download") is format


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"PAR1\x15", Format.PARQUET),
        (b"\xef\xbb\xbf \n[]", Format.KURA),
        (json.dumps(a_conversation(), indent=1).encode(), Format.KURA),
        (b'{"broken": \n' + json.dumps(a_conversation()).encode(), Format.KURA),
        (b'[{"question": "?", "answer": "!"}]', Format.JSON),
        (b'{"prompt": "?", "completion": "!"}', Format.JSON),
        # Fields inside of others, or in texts, say nothing.
        (json.dumps([a_conversation(metadata={"mapping": 1, "t": '{"chat_messages": []'})]).encode(), Format.KURA),
        # Texts are columns of a table, objects and lists are a log's.
        (b'{"prompt": "?", "response": "!"}', Format.JSON),
        (b'{"conversation": "A", "role": "user", "body": "?"}', Format.JSON),
        (b'{"id": 1, "messages": "[]"}', Format.JSON),
        (b'{"input": "?", "output": "!"}', Format.JSON),
        (b'{"input": "?", "output": "!"}\n{"input": [{}], "output": "!"}', Format.OPENAI),
        (b'{"input": "?", "output": [{"type": "message"}]}', Format.OPENAI),
        (b'{"input": "?", "output_text": "!"}', Format.OPENAI),
        (b'{"inputs" : {"messages": []}, "outputs": null}', Format.OPENAI),
        (b'{"request_body": {"messages": []}}', Format.OPENAI),
        # A beginning that stops in the middle of the first record.
        (b'[{"uuid": "x", "chat_messages": [{"text": "' + b"x" * HEAD_BYTES, Format.CLAUDE),
    ],
)
def test_contents(content: bytes, format: Format) -> None:
    assert detect(content[:HEAD_BYTES], "conversations.json") is format


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'[{"subject": "?", "closed": "!"}]', "JSON with the fields closed, subject"),
        (b"[1, 2]", "JSON without fields"),
        (b"<html>", "HTML or XML"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\x00", "binary data"),
        (b"Hello", "text that is not JSON"),
        (b" ", "nothing in its first 256 KB"),
        ('[{"messages": []}]'.encode("utf-16"), "text in UTF-16"),
    ],
)
def test_what_is_none_says_what_it_is_and_what_can_be_forced(content: bytes, found: str) -> None:
    with pytest.raises(SourceError) as error:
        detect(content, "export.bin")
    message = str(error.value)
    assert message.startswith(f"export.bin is in no known format: it holds {found}")
    assert "kura, claude, chatgpt, openai, json, csv, parquet" in message


def test_columns_that_are_named_make_a_table_of_what_has_them() -> None:
    log = b'{"input": {"q": "?"}, "asked": "?", "messages": []}'
    assert detect(log, "x.jsonl", ColumnMapping(prompt="asked")) is Format.JSON
    assert detect(log, "x.jsonl", ColumnMapping(prompt="question")) is Format.OPENAI
    assert detect(b'{"subject": "?"}', "x.jsonl", ColumnMapping(prompt="subject")) is Format.JSON


@pytest.mark.parametrize("pasted", ['{"chat_messages": []}', '"', "\\", "[[", "}]", '\\"]'])
def test_a_text_that_goes_on_after_the_beginning_hides_nothing_and_is_looked_at_once(pasted: str) -> None:
    messages = [{"role": "user", "content": "Analyse this: " + pasted * (HEAD_BYTES // len(pasted))}]
    for content in ([{"id": "x", "messages": messages}], {"id": "x", "messages": messages}):
        assert detect(json.dumps(content).encode()[:HEAD_BYTES], "log.json") is Format.OPENAI


@pytest.mark.parametrize(
    "repeated", [b'\\"', b"\\", b'"', b'""', b'"" ', b'"":', b"[", b"[]", b"}", b"{", b" ", b"\n", b'{"\n']
)
@pytest.mark.parametrize("start", [b"", b"[", b"{", b'[{"a', b'{"a": "'])
def test_hostile_beginnings_are_looked_through_once(start: bytes, repeated: bytes) -> None:
    with suppress(SourceError):
        detect((start + repeated * HEAD_BYTES)[:HEAD_BYTES], "x.json")


def test_any_bytes_are_a_format_or_an_error() -> None:
    samples: list[Any] = [bytes([number]) * 3 for number in range(256)] + [b"{" * 9_999, b'["' * 9_999, b'"\\' * 99]
    for content in samples:
        with suppress(SourceError):
            assert detect(content, "x") in Format
