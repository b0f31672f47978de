"""Which format a source is in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from kura_dagster.pipeline.sources.detection import HEAD_BYTES, Format, detect, list_field
from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.record import SourceError
from kura_dagster_tests.sources import SAMPLES, a_conversation, conversations, read, reasons, said


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


@pytest.mark.parametrize("field", ["data", "conversations", "items", "results"])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("sample", "format"),
    [
        ("claude_conversations.json", Format.CLAUDE),
        ("chatgpt_conversations.json", Format.CHATGPT),
        ("kura_conversations.json", Format.KURA),
    ],
)
def test_an_object_around_the_list_of_records_is_looked_into(
    field: str, indent: int | None, sample: str, format: Format
) -> None:
    records = json.loads((SAMPLES / sample).read_bytes())
    around = json.dumps({"object": "list", field: records, "has_more": False}, indent=indent)
    assert detect(around.encode()[:HEAD_BYTES], "x.json") is format
    assert list_field(around.encode()[:HEAD_BYTES]) == field
    plain = read(json.dumps(records))
    for found in (read(around), read(around, format=format)):
        assert conversations(found) == conversations(plain)
        assert reasons(found) == reasons(plain)
    assert len(read(around + around)) == 2 * len(records)


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": [{"from": "human", "value": "hi"}]},
        {"conversations": [{"role": "user", "content": "hi", "id": 1}]},
        {"messages": [{"role": "user", "content": "hi"}], "data": [{"messages": []}]},
        {"data": [{"messages": []}], "mapping": {}},
        {"prompt": "hi", "data": [{"x": 1}]},
    ],
)
def test_a_record_with_a_list_in_it_is_one(record: dict[str, Any]) -> None:
    assert list_field(json.dumps(record).encode()) is None


@pytest.mark.parametrize(
    "broken", [b'{[{"messages": 1}]}', b'{"data": 1, [{"messages": 1}', b'{"data": [{"messages": ']
)
def test_broken_json_around_a_list_is_no_error_of_the_telling(broken: bytes) -> None:
    with suppress(SourceError):
        detect(broken, "x.json")
    assert list_field(broken) in (None, "data")
    assert not conversations(read(broken, format=Format.OPENAI))


def test_an_object_around_a_list_of_rows_is_a_table() -> None:
    around = {"rows": [{"question": "Who?", "answer": "Ada."}, {"question": "Where?"}]}
    assert [said(each)[0] for each in conversations(read(around))] == [("user", "Who?"), ("user", "Where?")]
    with pytest.raises(SourceError, match=r"take it out, as jq does: jq '\.FIELD' FILE"):
        read({"mine": [{"question": "Who?"}]})
