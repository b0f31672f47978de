"""Reading the landing folder: windows, time zones, and lines that can't be used."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.conversations import (
    CONTENT_CHARACTERS,
    LandedConversations,
    first_and_last_begun,
    read_conversations,
)

BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # clocks go from midnight to one on 8 March 2026


def a_line(chat_id: Any = "a", created_at: Any = "2026-11-02T10:00:00Z", **changes: Any) -> dict[str, Any]:
    message = {"role": "user", "content": "How do I reset my password?", "created_at": created_at}
    return {"chat_id": chat_id, "created_at": created_at, "messages": [message], "metadata": {}} | changes


def land(folder: Path, day: str, *lines: dict[str, Any] | bytes | str) -> Path:
    path = folder / f"{day}.jsonl"
    encoded = [
        line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    ]
    path.write_bytes(b"".join(line + b"\n" for line in encoded))
    return path


def read_day(folder: Path, day: str = "2026-11-02", tz: Any = UTC) -> LandedConversations:
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=tz)
    end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), tzinfo=tz)
    return read_conversations(folder, start, end, tz)


def only_reason(folder: Path, **window: Any) -> str:
    landed = read_day(folder, **window)
    assert landed.conversations == []
    assert len(landed.rejected) == 1
    return landed.rejected[0].reason


def test_reads_the_day_sorted_and_in_utc(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("b", "2026-11-02T10:00:00+02:00"), a_line("a"))
    landed = read_day(tmp_path)
    assert [conversation.chat_id for conversation in landed.conversations] == ["a", "b"]
    assert landed.conversations[1].created_at == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert landed.conversations[1].created_at.utcoffset() == timedelta(0)
    assert landed.conversations[1].messages[0].created_at.utcoffset() == timedelta(0)
    assert landed.rejected == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["2026-11-01T23:30:00Z", "2026-11-02T10:00:00Z"], ("2026-11-01T23:30:00", "2026-11-02T10:00:00")),
        (["2026-11-02T22:00:00-03:00", "2026-11-02T09:00:00"], ("2026-11-02T08:00:00", "2026-11-03T01:00:00")),
        (["2026-11-02T10:00:00Z"], ("2026-11-02T10:00:00", "2026-11-02T10:00:00")),
        (["2026-11-02T10:00:00Z", "yesterday"], ("2026-11-02T10:00:00", "2026-11-02T10:00:00")),
        (["yesterday", "0001-01-01T00:00:00+14:00"], None),
        ([], None),
    ],
)
def test_the_first_and_the_last_line_say_when_they_began(tmp_path: Path, lines: list[str], expected: Any) -> None:
    path = land(tmp_path, "2026-11-02", *(a_line(created_at=each) for each in lines))
    found = first_and_last_begun(path, BERLIN)
    assert found == (expected and tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in expected))


@pytest.mark.parametrize("characters", [10, 65_400, 65_536, 300_000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\n \n"])
def test_the_last_line_may_be_long_and_end_in_any_way(tmp_path: Path, characters: int, end: bytes) -> None:
    path = tmp_path / "2026-11-02.jsonl"
    first, last = a_line(), a_line(created_at="2026-11-03T01:00:00Z", title="x" * characters)
    path.write_bytes(b"\xef\xbb\xbf\n" + json.dumps(first).encode() + b"\n" + json.dumps(last).encode() + end)
    assert first_and_last_begun(path, UTC) == (
        datetime(2026, 11, 2, 10, tzinfo=UTC),
        datetime(2026, 11, 3, 1, tzinfo=UTC),
    )


def test_a_missing_file_is_empty_and_a_missing_folder_an_error(tmp_path: Path) -> None:
    assert read_day(tmp_path) == LandedConversations([], [], missing=["2026-11-02.jsonl"])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_day(tmp_path / "nowhere")


def test_the_end_of_the_window_is_outside(tmp_path: Path) -> None:
    land(
        tmp_path,
        "2026-11-02",
        a_line("first", "2026-11-02T00:00:00Z"),
        a_line("last", "2026-11-02T23:59:59.999999Z"),
        a_line("next", "2026-11-03T00:00:00Z"),
    )
    assert [c.chat_id for c in read_day(tmp_path).conversations] == ["first", "last"]
    assert [c.chat_id for c in read_day(tmp_path, "2026-11-03").conversations] == ["next"]


def test_files_cut_in_utc_serve_days_cut_elsewhere(tmp_path: Path) -> None:
    # 23:30 UTC on the first is half past midnight on the second in Berlin.
    land(tmp_path, "2026-11-01", a_line("late", "2026-11-01T23:30:00Z"))
    land(tmp_path, "2026-11-02", a_line("evening", "2026-11-02T23:30:00Z"))
    assert [c.chat_id for c in read_day(tmp_path, tz=BERLIN).conversations] == ["late"]
    assert [c.chat_id for c in read_day(tmp_path, "2026-11-03", tz=BERLIN).conversations] == ["evening"]


def test_times_without_offset_are_local(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("a", "2026-11-02T00:30:00"))
    (conversation,) = read_day(tmp_path, tz=BERLIN).conversations
    assert conversation.created_at == datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    assert conversation.messages[0].created_at == datetime(2026, 11, 1, 23, 30, tzinfo=UTC)


def test_an_hour_and_a_week_are_windows_too(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("nine", "2026-11-02T09:15:00Z"), a_line("ten", "2026-11-02T10:15:00Z"))
    land(tmp_path, "2026-11-05", a_line("thursday", "2026-11-05T10:15:00Z"))
    hour = datetime(2026, 11, 2, 10, tzinfo=UTC)
    hourly = read_conversations(tmp_path, hour, hour + timedelta(hours=1), UTC)
    assert [c.chat_id for c in hourly.conversations] == ["ten"]
    weekly = read_conversations(tmp_path, datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC), UTC)
    assert [c.chat_id for c in weekly.conversations] == ["nine", "ten", "thursday"]


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (datetime(2026, 11, 2), datetime(2026, 11, 3, tzinfo=UTC), "offset"),
        (datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3), "offset"),
        (datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC), "after its start"),
    ],
)
def test_windows_that_make_no_sense_are_refused(tmp_path: Path, start: datetime, end: datetime, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_conversations(tmp_path, start, end, UTC)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ('{"chat_id": "a", "metadata": {"score": NaN}}', "not JSON: NaN"),
        ("[" * 100_000, "nested too deeply"),
        ('{"chat_id": ' + "9" * 5_000 + "}", "not JSON"),
        ("[1, 2]", "not a conversation: a JSON list"),
        ("null", "not a conversation"),
        (json.dumps(a_line()).encode("utf-16"), "not UTF-8: it holds zero bytes"),
        (json.dumps(a_line("caf\u00e9"), ensure_ascii=False).encode("latin-1"), "not UTF-8"),
        (a_line(chat_id=""), "chat_id: "),
        (a_line(chat_id=7), "chat_id: "),
        (a_line(messages=[]), "messages: "),
        (a_line(messages=[{"role": "user", "content": "hi"}]), "messages.0.created_at: Field required"),
        (
            a_line(messages=[{"role": "moderator", "content": "Be kind.", "created_at": "2026-11-02T10:00:00Z"}]),
            "messages.0.role: Input should be 'user', 'assistant', 'system', 'developer' or 'tool'",
        ),
        (a_line(created_at="yesterday"), "created_at: "),
        (a_line(created_at=None), "created_at: "),
        ({"chat_id": "a", "messages": []}, "created_at: Field required"),
        (a_line(created_at="2026-11-09T10:00:00Z"), "created_at: began on 2026-11-09, more than a day"),
        (a_line(created_at="2025-11-02T10:00:00Z"), "created_at: began on 2025-11-02"),
        (a_line(created_at="0001-01-01T00:00:00"), "created_at: "),
        (a_line(metadata={"nested": {"a": 1}}), "metadata.nested: Input should be a text"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_a_reason(tmp_path: Path, line: Any, reason: str) -> None:
    land(tmp_path, "2026-11-02", line)
    assert reason in only_reason(tmp_path)
    # Days in which this file is only a neighbour stay silent.
    for day in ("2026-11-01", "2026-11-03"):
        assert read_day(tmp_path, day) == LandedConversations([], [], missing=[f"{day}.jsonl"])


def test_a_time_that_leaves_the_calendar_in_utc_is_set_aside(tmp_path: Path) -> None:
    early = "0001-01-01T00:00:00"
    message = {"role": "user", "content": "hi", "created_at": early}
    land(tmp_path, "2026-11-02", a_line(messages=[message]))
    assert only_reason(tmp_path, tz=BERLIN) == "created_at: a time is out of range"


def test_a_bad_line_does_not_stop_the_others(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("a"), "{", a_line("b"), b"\xff\xfe", a_line("c"))
    landed = read_day(tmp_path)
    assert [c.chat_id for c in landed.conversations] == ["a", "b", "c"]
    assert [(row.file, row.line) for row in landed.rejected] == [("2026-11-02.jsonl", 2), ("2026-11-02.jsonl", 4)]


def test_what_is_kept_of_a_line_is_short_and_its_content_is_in_no_reason(tmp_path: Path) -> None:
    secret = "correct horse battery staple " * 1_000
    land(tmp_path, "2026-11-02", a_line("chat-7", messages=[{"role": secret, "content": secret}]))
    (row,) = read_day(tmp_path).rejected
    assert row.chat_id == "chat-7"
    assert len(row.content) == CONTENT_CHARACTERS
    assert "horse" not in row.reason
    assert str(tmp_path) not in row.file


def test_many_faults_make_a_short_reason(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line(messages=[{}] * 50))
    assert only_reason(tmp_path).endswith("and 147 more")


def test_byte_order_mark_crlf_and_blank_lines_are_no_matter(tmp_path: Path) -> None:
    body = "\r\n".join(["", json.dumps(a_line("a")), "  ", json.dumps(a_line("b")), ""])
    (tmp_path / "2026-11-02.jsonl").write_bytes(b"\xef\xbb\xbf" + body.encode())
    landed = read_day(tmp_path)
    assert [c.chat_id for c in landed.conversations] == ["a", "b"]
    assert landed.rejected == []


def test_a_last_line_without_newline_is_read(tmp_path: Path) -> None:
    (tmp_path / "2026-11-02.jsonl").write_text(json.dumps(a_line("a")))
    assert len(read_day(tmp_path).conversations) == 1


@pytest.mark.parametrize(
    "content",
    [b'"\\ud83d cut"', b'"\\uDE00 cut"', b'"\xed\xa0\xbd cut"'],
    ids=["high escape", "low escape", "bytes"],
)
def test_lone_surrogates_are_replaced(tmp_path: Path, content: bytes) -> None:
    line = json.dumps(a_line(messages=[{"role": "user", "content": "X", "created_at": "2026-11-02T10:00:00Z"}]))
    land(tmp_path, "2026-11-02", line.encode().replace(b'"X"', content))
    (conversation,) = read_day(tmp_path).conversations
    assert conversation.messages[0].content == "\ufffd cut"
    assert conversation.model_dump_json()


@pytest.mark.parametrize("content", [b'"\\ud83d\\ude00"', '"\U0001f600"'.encode(), b'"\xed\xa0\xbd\xed\xb8\x80"'])
def test_pairs_of_surrogates_are_characters(tmp_path: Path, content: bytes) -> None:
    line = json.dumps(a_line(metadata={"mood": "X"}))
    land(tmp_path, "2026-11-02", line.encode().replace(b'"X"', content))
    (conversation,) = read_day(tmp_path).conversations
    assert conversation.metadata == {"mood": "\U0001f600"}


def grown(chat_id: str, *times: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"turn {n}", "created_at": time} for n, time in enumerate(times)]
    return a_line(chat_id, "2026-11-02T10:00:00Z", messages=messages)


def test_the_conversation_that_has_grown_wins_wherever_it_stands(tmp_path: Path) -> None:
    short, long = grown("a", "2026-11-02T10:00:00Z"), grown("a", "2026-11-02T10:00:00Z", "2026-11-02T10:05:00Z")
    for first, second, losing_line in ((short, long, 1), (long, short, 2)):
        land(tmp_path, "2026-11-02", first, second)
        landed = read_day(tmp_path)
        assert [len(c.messages) for c in landed.conversations] == [2]
        (row,) = landed.rejected
        assert (row.line, row.chat_id) == (losing_line, "a")
        assert row.reason == f"superseded by 2026-11-02.jsonl:{3 - losing_line}"
        assert json.loads(row.content) == short


def test_of_equals_the_line_written_last_wins(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("a", metadata={"v": 1}), a_line("a", metadata={"v": 2}), a_line("a"))
    land(tmp_path, "2026-11-03", a_line("a", metadata={"v": 4}))
    landed = read_day(tmp_path)
    assert [c.metadata for c in landed.conversations] == [{"v": 4}]
    assert [(row.file, row.line) for row in landed.rejected] == [("2026-11-02.jsonl", n) for n in (1, 2, 3)]
    assert {row.reason for row in landed.rejected} == {"superseded by 2026-11-03.jsonl:1"}
    assert read_day(tmp_path, "2026-11-03") == LandedConversations([], [], missing=[])


def test_a_broken_repeat_does_not_take_the_place_of_a_good_line(tmp_path: Path) -> None:
    land(tmp_path, "2026-11-02", a_line("a"), a_line("a", messages=[]))
    landed = read_day(tmp_path)
    assert len(landed.conversations) == 1
    assert [row.line for row in landed.rejected] == [2]


@pytest.mark.parametrize(
    ("tz", "hours"),
    [
        (UTC, 24),
        (BERLIN, 1),
        (HAVANA, 24),
        (HAVANA, 168),
        (ZoneInfo("Pacific/Kiritimati"), 24),
        (ZoneInfo("Pacific/Pago_Pago"), 24),
    ],
)
@settings(max_examples=10)
@given(data=st.data())
def test_every_line_is_in_exactly_one_window(
    tmp_path_factory: pytest.TempPathFactory, tz: Any, hours: int, data: st.DataObject
) -> None:
    """Whatever the cadence and the zone, over all windows each line is a conversation once or set aside once."""
    folder = tmp_path_factory.mktemp("landing")
    days = [date(2026, 3, 6) + timedelta(days=n) for n in range(4)]
    expected = []
    for day in days:
        shifts = data.draw(st.lists(st.integers(min_value=-30, max_value=54), max_size=5))
        lines: list[Any] = []
        for shift in shifts:
            began = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=shift, minutes=30)
            broken = data.draw(st.booleans())
            chat_id = data.draw(st.sampled_from(["x", f"{day}-{len(lines)}"]))
            lines.append(a_line(chat_id, began.isoformat(), **({"messages": []} if broken else {})))
        land(folder, day.isoformat(), *lines)
        expected += [(f"{day}.jsonl", number) for number in range(1, len(lines) + 1)]

    first = datetime(2026, 3, 2, tzinfo=tz).astimezone(UTC)
    found, kept = [], 0
    for step in range(14 * 24 // hours):
        start = first + timedelta(hours=hours * step)
        landed = read_conversations(folder, start, start + timedelta(hours=hours), tz)
        found += [(row.file, row.line) for row in landed.rejected]
        kept += len(landed.conversations)
        assert all(start <= c.created_at < start + timedelta(hours=hours) for c in landed.conversations)
    assert len(found) == len(set(found))
    assert set(found) <= set(expected)
    assert len(found) + kept == len(expected)


def test_a_large_neighbouring_file_is_not_held_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "2026-11-01.jsonl").open("w") as file:
        for number in range(2_000):
            words = "word " * 1_000
            message = {"role": "user", "content": words, "created_at": "2026-11-01T10:00:00Z"}
            file.write(json.dumps(a_line(f"c{number}", "2026-11-01T10:00:00Z", messages=[message])) + "\n")
    read_day(tmp_path)
    tracemalloc.start()
    read_day(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "2026-11-01.jsonl").stat().st_size > 10_000_000
    assert peak < 1_000_000
