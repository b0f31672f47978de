"""Opening sources: what is around them, and that nothing in them is lost."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.sources import reading
from kura_dagster.pipeline.sources.detection import HEAD_BYTES
from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.reading import Format, SourceError, read_source
from kura_dagster.pipeline.sources.record import Read, Unusable
from kura_dagster_tests.sources import OPTIONS, SAMPLES, a_conversation, conversations, read, read_sample, reasons

EXPORTS = ["claude_conversations.json", "chatgpt_conversations.json"]


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize("sample", [*EXPORTS, "kura.jsonl", "prompts.csv"])
def test_packed_files_are_read_as_what_is_in_them(sample: str) -> None:
    plain = (SAMPLES / sample).read_bytes()
    expected = read_sample(sample)
    assert read(gzip.compress(plain), f"{sample}.gz") == expected
    assert read(gzip.compress(plain[:100]) + gzip.compress(plain[100:]), f"{sample}.gz") == expected
    assert read(zipped({sample: plain}), "export.zip") == expected


@pytest.mark.parametrize("sample", EXPORTS)
def test_of_a_vendors_zip_only_the_conversations_are_read(sample: str) -> None:
    export = zipped(
        {
            "user.json": b'{"id": "user-1"}',
            "message_feedback.json": b"[]",
            "chat.html": b"<html>",
            "__MACOSX/conversations.json": b"\x00\x05",
            "../../etc/conversations.json": (SAMPLES / sample).read_bytes(),
        }
    )
    assert read(export, "export.zip") == read_sample(sample)


def test_parts_of_an_export_are_read_in_order_and_their_numbers_go_on() -> None:
    parts = {
        "conversations-001.json": json.dumps([a_conversation(chat_id="c"), 5]).encode(),
        "conversations-000.json": json.dumps([a_conversation(chat_id="a"), a_conversation(chat_id="b")]).encode(),
    }
    records = read(zipped(parts), "export.zip", format=Format.KURA)
    assert [record.number for record in records] == [1, 2, 3, 4]
    assert [conversation.chat_id for conversation in conversations(records)] == ["a", "b", "c"]


def test_a_zip_of_other_files_is_read_whole() -> None:
    days = {f"2026-11-{day}.jsonl": json.dumps(a_conversation(chat_id=str(day))).encode() for day in (19, 20)}
    records = read(zipped(days | {"notes.txt": b"hi"}), "days.zip")
    assert [conversation.chat_id for conversation in conversations(records)] == ["19", "20"]


def test_zips_that_can_not_be_read_say_so() -> None:
    with pytest.raises(SourceError, match=r"empty\.zip holds no conversations\.json"):
        read(zipped({}), "empty.zip")
    with pytest.raises(SourceError, match=r"photos\.zip holds no conversations\.json"):
        read(zipped({"a.jpg": b"\xff"}), "photos.zip")
    with pytest.raises(SourceError, match=r"half\.zip can't be read as a zip file; it may be cut off"):
        read(zipped({"conversations.json": b"[]" * 500})[:60], "half.zip")
    encrypted = bytearray(zipped({"conversations.json": b"[]"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    encrypted[6] |= 1
    with pytest.raises(SourceError, match=r"locked\.zip/conversations\.json is encrypted"):
        read(bytes(encrypted), "locked.zip")


def test_zips_that_a_fuzzer_made() -> None:
    """Each made the standard library raise something of its own."""
    whole = zipped({"conversations.json": b"[]"})
    directory = whole.index(b"PK\x01\x02")
    far_ahead = bytearray(whole)
    far_ahead[whole.index(b"PK\x05\x06") + 16] += 90  # where the directory is said to begin
    nameless = io.BytesIO()
    with zipfile.ZipFile(nameless, "w") as archive:
        archive.writestr("x", b"[]")
        archive.infolist()[0].filename = ""
    packed_otherwise = bytearray(whole)
    packed_otherwise[directory + 10] = 14  # LZMA
    for content in (bytes(far_ahead), nameless.getvalue(), bytes(packed_otherwise)):
        with pytest.raises(SourceError, match=r"^z\.zip"):
            read(content, "z.zip")


def test_a_damaged_pack_keeps_what_came_before() -> None:
    noise = random.Random(0)
    lines = [json.dumps(a_conversation(chat_id=f"{number}", noise=noise.random())) for number in range(2_000)]
    packed = gzip.compress("\n".join(lines).encode())
    records = read(packed[: len(packed) // 2], "log.jsonl.gz")
    assert 100 < len(conversations(records)) < 2_000
    last = records[-1]
    assert isinstance(last, Unusable)
    assert last.reason == "the file is cut off or damaged here; what follows could not be unpacked"
    assert last.number == len(records)
    # All but the line that was cut, and the last record that says so.
    assert len(conversations(records)) >= len(records) - 2

    stored = bytearray(zipped({"log.jsonl": "\n".join(lines).encode()}, zipfile.ZIP_STORED))
    stored[200] ^= 1  # the checksum, at the end, is no longer right
    records = read(bytes(stored), "log.zip")
    assert 1_900 < len(records) < 2_001
    assert reasons(records)[len(records)] == last.reason


def test_what_unpacks_to_too_much_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ALWAYS_EXPANDED", 1_000_000)
    bomb = json.dumps(a_conversation()).encode() + b"\n" + b"\n" * 50_000_000
    for content, name in ((gzip.compress(bomb), "bomb.gz"), (zipped({"bomb.jsonl": bomb}), "bomb.zip")):
        good, told = read(content, name)
        assert isinstance(good, Read)
        assert isinstance(told, Unusable)
        assert told.reason == "the file unpacks to more than 250 times its size; the rest was not read"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xef\xbb\xbf", b"[]", b" [ ] ", gzip.compress(b"", mtime=0)])
def test_an_empty_source_holds_nothing(content: bytes) -> None:
    assert read(content) == []


def test_what_only_looks_empty_is_not() -> None:
    assert reasons(read(b"\x0c\n", format=Format.KURA)) == {1: "not JSON: Expecting value at character 1"}
    far_down = b" \n" * HEAD_BYTES + json.dumps(a_conversation()).encode()
    assert len(read(far_down, format=Format.KURA)) == 1
    with pytest.raises(SourceError, match="it holds nothing in its first 256 KB"):
        read(far_down)


def test_a_format_can_be_forced() -> None:
    content = b'{"role": "user"}'
    with pytest.raises(SourceError, match=r"source\.jsonl is in no known format: it holds JSON with the fields role"):
        read(content)
    assert reasons(read(content, format=Format.OPENAI)) == {1: "messages: missing"}
    assert reasons(read(content, format=Format.CLAUDE)) == {1: "chat_messages: missing"}
    assert reasons(read(content, format=Format.CHATGPT)) == {1: "mapping: missing"}


def test_a_stream_that_can_not_be_sought_in_is_read() -> None:
    class Pipe(io.RawIOBase):
        """Gives three bytes at a time."""

        inside = io.BytesIO(gzip.compress((SAMPLES / "kura.jsonl").read_bytes()))

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return self.inside.read(min(3, size))

    assert list(read_source(Pipe(), "log.gz", OPTIONS)) == read_sample("kura.jsonl")  # type: ignore[arg-type]


def test_the_file_is_left_open_and_read_only_as_far_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes((json.dumps(a_conversation()).encode() + b"\n") * 50_000)
    with path.open("rb") as file:
        records = read_source(file, path.name, OPTIONS)
        next(records)
        assert file.tell() < path.stat().st_size / 2
        records.close()
        assert not file.closed


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(
                """chat_id created_at messages role content metadata uuid chat_messages sender text type mapping
                current_node message author parent parts content_type create_time id request response choices
                conversations from value recipient files input output instructions system output_text kwargs
                generations body properties inputBodyJson prompt refusal audio""".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
JSON_FORMATS = [Format.KURA, Format.CLAUDE, Format.CHATGPT, Format.OPENAI, Format.JSON]


@pytest.mark.parametrize("format", JSON_FORMATS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(items=st.lists(ANY_JSON, max_size=4))
def test_any_json_becomes_one_record_an_item(format: Format, items: list[Any]) -> None:
    options = replace(OPTIONS, columns=ColumnMapping(prompt="text"))  # rows of one id would be one record
    records = read(items, options=options, format=format)
    assert [record.number for record in records] == list(range(1, len(items) + 1))
    lines = "\n".join(json.dumps(item) for item in items)
    if not lines.startswith("["):
        assert [record.number for record in read(lines, options=options, format=format)] == [
            record.number for record in records
        ]


def shuffled(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Change some values of a record that is right, at any depth."""

    def change(value: Any) -> st.SearchStrategy[Any]:
        if isinstance(value, dict):
            inner = st.fixed_dictionaries({name: change(each) for name, each in value.items()})
        elif isinstance(value, list):
            inner = st.tuples(*(change(each) for each in value)).map(list)
        else:
            inner = st.just(value)
        return st.one_of(inner, inner, inner, inner, ANY_JSON)

    return change(fields)


def first_of(sample: str) -> Any:
    content = (SAMPLES / sample).read_text()
    return json.loads(content)[0] if content.startswith("[") else json.loads(content.splitlines()[0])


@pytest.mark.parametrize(
    ("sample", "format"),
    [
        ("kura.jsonl", Format.KURA),
        ("claude_conversations.json", Format.CLAUDE),
        ("chatgpt_conversations.json", Format.CHATGPT),
        ("request_log.jsonl", Format.OPENAI),
    ],
)
# Making a failing record smaller takes minutes; the message of the error is enough.
@settings(
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_records_with_anything_in_place_of_a_value_are_one_record_each(
    sample: str, format: Format, data: st.DataObject
) -> None:
    record = data.draw(shuffled(first_of(sample)))
    (found,) = read([record], format=format)
    if isinstance(found, Read):
        assert any(message.role == "user" and message.content for message in found.conversation.messages)
        found.conversation.model_dump_json().encode()
    else:
        assert found.reason
        found.content.encode()


@settings(max_examples=300)
@given(
    content=st.binary(max_size=300),
    format=st.sampled_from([None, *JSON_FORMATS, Format.CSV]),
    start=st.sampled_from(
        [b"", b"[", b"{", b"\x1f\x8b", b"PK\x03\x04", b"\xef\xbb\xbf", b"\xff\xfe", b"a,b\n", b"PAR1"]
    ),
)
@example(content=b"\x1f\x8b\x08\x00", format=None, start=b"")
@example(content=b"\x00", format=Format.CSV, start=b"")
def test_any_bytes_are_records_or_no_source(content: bytes, format: Format | None, start: bytes) -> None:
    try:
        records = read(start + content, "x.csv", format=format)
    except SourceError:
        return
    assert all(record.number >= 1 for record in records)
