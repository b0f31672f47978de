"""Cutting JSON files into records: what is cut, what is passed over, and where a broken file ends."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.sources import json_records
from kura_dagster.pipeline.sources.json_records import RawRecord, raw_records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
BLANK = st.text(alphabet=" \t\r\n", max_size=3)


def cut(content: bytes) -> list[RawRecord]:
    return list(raw_records(io.BufferedReader(io.BytesIO(content))))  # type: ignore[arg-type]


def values(records: list[RawRecord]) -> list[Any]:
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    assert all(record.fault is None for record in records), records
    return [json.loads(record.content) for record in records]


@given(st.lists(JSON, max_size=6), BLANK, BLANK, st.booleans(), st.sampled_from([1, 2, 7, 1 << 20]))
def test_a_list_is_cut_into_its_items(items: list[Any], before: str, between: str, escape: bool, chunk: int) -> None:
    written = [json.dumps(item, ensure_ascii=escape) for item in items]
    text = f"{before}[{between}" + f"{between},{between}".join(written) + f"{between}]{before}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_CHUNK", chunk)
        assert values(cut(text.encode("utf-8", "surrogatepass"))) == items


@given(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), max_size=6))
def test_lines_are_cut_into_lines(items: list[Any]) -> None:
    text = "\n".join(json.dumps(item) for item in items)
    assert values(cut(text.encode())) == items


@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=5), JSON, min_size=1, max_size=4), min_size=1, max_size=4))
def test_objects_over_several_lines_are_cut_into_objects(items: list[Any]) -> None:
    text = "\n".join(json.dumps(item, indent=2) for item in items)
    assert values(cut(text.encode())) == items


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\1a \n', max_size=60).map(str.encode))
def test_nothing_that_is_not_blank_is_lost(content: bytes) -> None:
    records = cut(content)
    text = content.replace(json_records.BYTE_ORDER_MARK, b"")
    assert records or text.split() in ([], [b"[]"], [b"[", b"]"])


def test_numbers_of_lines_count_blank_lines() -> None:
    assert [record.number for record in cut(b"\xef\xbb\xbf\n\n{}\r\n \n{}")] == [3, 5]


@pytest.mark.parametrize(
    ("content", "good", "fault"),
    [
        (b'[{"a": 1}, {"b": ]}, {}]', 1, "not JSON from byte 18 on: a bracket closes that is not open"),
        (b'[{"a": 1}, {"b": 2', 1, "not JSON from byte 12 on: the file ends inside of this record"),
        (b'[{"a": 1}, {"b": "x}, {}]', 1, "not JSON from byte 12 on: the file ends inside of this record"),
        (b'[{"a": 1} {"b": 2}]', 1, "not JSON from byte 11 on: a comma is missing between two items"),
        (b'[{"a": 1}', 1, "not JSON from byte 10 on: the file ends before its list does"),
        (b'[{"a": 1},', 1, "not JSON from byte 11 on: the file ends before its list does"),
        (b'[{"a": 1}, , {}]', 1, "not JSON from byte 12 on: a value is missing"),
        (b'[{"a": 1}, "x', 1, "not JSON from byte 12 on: a text does not end"),
        (b'[{"a": 1}] []', 1, "not JSON from byte 12 on: something follows the end of the list"),
        (b"[" + b"[" * 2_000_000, 0, "not JSON from byte 2 on: nested too deeply"),
    ],
)
def test_a_broken_list_says_from_where_on(content: bytes, good: int, fault: str) -> None:
    *before, broken = cut(content)
    assert len(before) == good
    assert all(record.fault is None for record in before)
    assert broken.number == good + 1
    assert broken.fault == f"{fault}; what follows could not be read"


def cut_in(field: str, content: bytes) -> list[RawRecord]:
    return list(raw_records(io.BufferedReader(io.BytesIO(content)), field))  # type: ignore[arg-type]


@given(st.lists(JSON, max_size=6), BLANK, st.sampled_from([1, 2, 7, 1 << 20]), st.integers(1, 3))
def test_the_list_in_an_object_is_cut_into_its_items(items: list[Any], blank: str, chunk: int, times: int) -> None:
    around = {"object": "list", "meta": {"data": [1]}, "data": items, "n": -1.5e3, "more": None, "empty": [], "x": [1]}
    text = json.dumps(around).replace('"data": [', f'"data"{blank}:{blank}[{blank}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_CHUNK", chunk)
        assert values(cut_in("data", (text + blank).encode() * times)) == items * times


@pytest.mark.parametrize(
    ("content", "good", "fault"),
    [
        (b'{"data": [{}, ', 1, "not JSON from byte 15 on: the file ends before its list does"),
        (b'{"data": [{}, {"a', 1, "not JSON from byte 15 on: the file ends inside of this record"),
        (b'{"data": [{}]', 1, "not JSON from byte 14 on: the file ends inside of an object"),
        (b'{"data": [{}], "a', 1, "not JSON from byte 16 on: a text does not end"),
        (b'{"data": [{}], "a" 1}', 1, "not JSON from byte 20 on: a colon is missing after a field's name"),
        (b'{"data": [{}], "a": {"b"', 1, "not JSON from byte 21 on: the file ends inside of this record"),
        (b'{"data": [{}], 5}', 1, "not JSON from byte 16 on: no field"),
        (b'{"data": [{}]} 5', 1, "not JSON from byte 16 on: something follows the object around data"),
    ],
)
def test_a_broken_object_around_records_says_from_where_on(content: bytes, good: int, fault: str) -> None:
    *before, broken = cut_in("data", content)
    assert len(before) == good
    assert (broken.number, broken.fault) == (good + 1, f"{fault}; what follows could not be read")


def test_another_list_of_objects_beside_the_records_is_told() -> None:
    first, second, beside = cut_in("data", b'{"data": [1, 2], "users": [{"id": 1}]}')
    assert (first.content, second.content, beside.number) == (b"1", b"2", 3)
    assert beside.fault is not None
    assert beside.fault.startswith("a list beside data, whose items were read; put it into a file of its own")


def test_a_comma_after_the_last_item_is_forgiven() -> None:
    assert values(cut(b'[{"a": 1},]')) == [{"a": 1}]


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(json_records, "MAX_CONVERSATION_BYTES", 10_000)
    monkeypatch.setattr(json_records, "_CHUNK", 1_000)
    return 10_000


@pytest.mark.parametrize("is_list", [True, False])
def test_what_is_too_large_is_passed_over(small_limit: int, is_list: bool) -> None:
    large = json.dumps({"text": '[{"quoted \\' * 10_000, "more": [[{}], "]"]}).encode()
    items = [b'{"a": 1}', large, b'{"b": 2}']
    content = b"[" + b",".join(items) + b"]" if is_list else b"\n".join(items)
    first, too_large, last = cut(content)
    assert (first.content, last.content) == (items[0], items[2])
    assert too_large.fault == "larger than 16 MB"
    assert large.startswith(too_large.content)
    assert 0 < len(too_large.content) <= 8_000
    assert [record.number for record in (first, too_large, last)] == [1, 2, 3]


def test_a_large_item_that_does_not_end_is_told_as_broken(small_limit: int) -> None:
    (broken,) = cut(b'[{"a": "' + b"x" * 50_000)
    assert broken.fault is not None
    assert "the file ends inside of this record" in broken.fault


@pytest.mark.parametrize(
    "item",
    [
        b'{"a": "' + b'\\"' * 300_000 + b'"}',
        b'"' + b"\\\\" * 300_000 + b'"',
        b"[" + b'"",' * 300_000 + b'""]',
        b'{"a": ' + b"[1]" * 300_000 + b"}",
        b'{"a": "' + b'{\\"b\\": [' * 100_000 + b'"}',
    ],
)
def test_a_record_full_of_escapes_texts_or_brackets_takes_no_more_memory_than_another(item: bytes) -> None:
    tracemalloc.start()
    records = cut(b"[" + item + b", 1]")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.content for record in records] == [item, b"1"]
    assert peak < 30_000_000


def test_no_more_than_one_record_is_in_memory() -> None:
    class Endless(io.RawIOBase):
        """A list with an item of 120 MB, made while it is read."""

        left = 120

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            if self.left < 0:
                return 0
            part = {120: b'[{"a": "', 0: b'"}]'}.get(self.left, b"x" * 1_000_000)[: len(buffer)]
            self.left -= 1
            buffer[: len(part)] = part
            return len(part)

    tracemalloc.start()
    (record,) = raw_records(io.BufferedReader(Endless(), 1 << 20))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert record.fault == "larger than 16 MB"
    assert peak < 100_000_000
