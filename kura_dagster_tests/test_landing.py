"""Landing: the same conversations in any order and number of landings give the same files, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.conversations import (
    ID_FIELDS,
    RejectedConversation,
    day_of_file,
    read_conversations,
    rejected_in,
    set_aside,
)
from kura_dagster.pipeline.landing import CLASH, LandedDay, Landing, forget, landed_ids
from kura_dagster.pipeline.sources import openai_messages, options
from kura_dagster.pipeline.types import Conversation, Message

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
THAT_DAY = NOON.date()
TODAY = date(2026, 11, 25)


def conversation(chat_id: str, begun: datetime = NOON, turns: int = 1, text: str = "How do I …") -> Conversation:
    messages = [
        Message(role="user", content=f"{text} {turn}", created_at=begun + timedelta(minutes=turn))
        for turn in range(turns)
    ]
    return Conversation(chat_id=chat_id, created_at=begun, messages=messages, metadata={"plan": "pro"})


def land(
    folder: Path,
    conversations: Iterable[Conversation],
    rejected: Iterable[tuple[RejectedConversation, datetime | None]] = (),
    files: Iterable[str] = (),
    tz: str = "UTC",
    *,
    one_source: bool = False,
) -> dict[date, LandedDay]:
    with Landing(folder, ZoneInfo(tz), today=TODAY) as landing:
        for file in files:
            landing.begin_file(file)
        for number, each in enumerate(conversations, start=1):
            landing.add(each, "some.jsonl", number, one_source=one_source)
        for row, created_at in rejected:
            landing.reject(row, created_at)
        return landing.finish()


def landed(folder: Path, day: date = THAT_DAY, tz: str = "UTC") -> list[Conversation]:
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(tz))
    return read_conversations(folder, begin, begin + timedelta(days=1), ZoneInfo(tz)).conversations


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}


def test_each_conversation_lands_in_the_file_of_its_day_in_the_project_s_time_zone(tmp_path: Path) -> None:
    report = land(tmp_path, [conversation("a"), conversation("b", NOON.replace(hour=23))], tz="Europe/Berlin")
    assert report == {date(2026, 11, 20): LandedDay(new=1), date(2026, 11, 21): LandedDay(new=1)}
    assert [each.chat_id for each in landed(tmp_path, date(2026, 11, 21), "Europe/Berlin")] == ["b"]


def test_landing_again_changes_nothing_and_touches_no_file(tmp_path: Path) -> None:
    several = [conversation(f"c{number}") for number in range(5)]
    land(tmp_path, several)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")}
    assert land(tmp_path, reversed(several)) == {THAT_DAY: LandedDay(unchanged=5)}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jsonl")} == before


def test_a_conversation_that_has_grown_takes_its_older_version_s_place(tmp_path: Path) -> None:
    land(tmp_path, [conversation("a"), conversation("b")])
    assert land(tmp_path, [conversation("a", turns=3)]) == {THAT_DAY: LandedDay(updated=1)}
    assert {each.chat_id: len(each.messages) for each in landed(tmp_path)} == {"a": 3, "b": 1}
    # An older export, landed late, takes nothing back.
    assert land(tmp_path, [conversation("a")]) == {THAT_DAY: LandedDay(older=1)}
    assert {each.chat_id: len(each.messages) for each in landed(tmp_path)} == {"a": 3, "b": 1}
    assert not set_aside(tmp_path, THAT_DAY, UTC)


def test_of_two_versions_in_one_landing_the_one_that_went_on_longer_counts(tmp_path: Path) -> None:
    land(tmp_path, [conversation("a", turns=2), conversation("a", turns=3), conversation("a")])
    assert [len(each.messages) for each in landed(tmp_path)] == [3]


def test_a_conversation_that_goes_on_after_midnight_stays_in_the_day_it_began(tmp_path: Path) -> None:
    """A log of requests has a record for each, with all that was said before, and with the time of the request."""
    evening, night = NOON.replace(hour=23, minute=58), NOON + timedelta(hours=12, minutes=3)
    first = conversation("s", evening, turns=2)
    later = conversation("s", night, turns=4)
    for day in (first, later):
        land(tmp_path, [day])
    (found,) = landed(tmp_path)
    assert (found.created_at, len(found.messages)) == (evening, 4)
    assert found.messages[0].created_at == evening
    assert landed(tmp_path, THAT_DAY + timedelta(days=1)) == []
    assert land(tmp_path, [later]) == {THAT_DAY: LandedDay(older=1)}
    # The other way round the earlier part comes late, and takes the conversation with it.
    other = tmp_path / "other"
    assert land(other, [later]) == {THAT_DAY + timedelta(days=1): LandedDay(new=1)}
    assert land(other, [first]) == {THAT_DAY: LandedDay(updated=1)}
    assert landed(other) == [found]
    assert landed(other, THAT_DAY + timedelta(days=1)) == []


def test_two_conversations_of_one_id_are_told_apart(tmp_path: Path) -> None:
    """Two tables number their rows alike: neither may take the other's place."""
    shoes = conversation("csv:1", text="Do these shoes come in red?")
    kettle = conversation("csv:1", NOON + timedelta(days=1), text="The kettle leaks")
    assert land(tmp_path, [shoes, kettle]) == {
        THAT_DAY: LandedDay(new=1),
        THAT_DAY + timedelta(days=1): LandedDay(rejected=1),
    }
    assert land(tmp_path, [kettle]) == {THAT_DAY + timedelta(days=1): LandedDay(rejected=1)}
    assert landed(tmp_path) == [shoes]
    (row,) = set_aside(tmp_path, THAT_DAY + timedelta(days=1), UTC)
    assert (row.chat_id, row.reason) == ("csv:1", CLASH)
    assert "The kettle leaks" in row.content


def test_records_of_a_source_that_is_vouched_for_are_the_turns_of_one(tmp_path: Path) -> None:
    turns = [conversation("s", NOON + timedelta(hours=5 * n), text=f"Turn {n}") for n in range(4)]
    assert land(tmp_path, turns[:3], one_source=True) == {THAT_DAY: LandedDay(new=1, repeated=2)}
    assert land(tmp_path, turns[3:], one_source=True) == {THAT_DAY: LandedDay(updated=1)}
    assert [len(each.messages) for each in landed(tmp_path)] == [4]
    assert land(tmp_path, turns, one_source=True) == {THAT_DAY: LandedDay(unchanged=1, repeated=3)}


def test_records_that_a_third_one_joins_are_one_in_any_order(tmp_path: Path) -> None:
    whole = conversation("s", turns=7)
    parts = [whole.model_copy(update={"messages": whole.messages[part]}) for part in (slice(2), slice(2, 7), slice(5))]
    parts = [part.model_copy(update={"created_at": part.messages[0].created_at}) for part in parts]
    for number, order in enumerate(permutations(parts)):
        folder = tmp_path / str(number)
        report = land(folder, order)
        assert report == {THAT_DAY: LandedDay(new=1, repeated=2)}
        assert landed(folder) == [whole]
        assert land(folder, order) == {THAT_DAY: LandedDay(unchanged=1, repeated=2)}


def test_a_crash_while_a_conversation_moves_leaves_it_in_both_days(tmp_path: Path) -> None:
    """Others may cut days elsewhere: their file of a day may hold what begins on the next."""
    after_midnight = NOON + timedelta(hours=15)
    known = conversation("a", after_midnight, turns=3)
    (tmp_path / "2026-11-20.jsonl").write_text(known.model_dump_json() + "\n")
    grown = conversation("a", after_midnight, turns=5)

    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Landing, "_take_out", stop)
        with pytest.raises(Stopped):
            land(tmp_path, [grown])
    assert landed(tmp_path, date(2026, 11, 21)) == [grown]
    assert landed_lines_of(tmp_path) == 2
    assert land(tmp_path, [grown]) == {date(2026, 11, 21): LandedDay(updated=1)}
    assert landed_lines_of(tmp_path) == 1
    assert not (tmp_path / "2026-11-20.jsonl").exists()


def landed_lines_of(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.glob("*-*.jsonl"))


def test_what_stands_in_the_folder_twice_already_is_unchanged(tmp_path: Path) -> None:
    ours, other = conversation("a"), conversation("a", NOON + timedelta(days=2), text="The kettle leaks")
    for each in (ours, other):
        path = tmp_path / f"{each.created_at.date()}.jsonl"
        path.write_text(each.model_dump_json() + "\n")
    assert land(tmp_path, [other]) == {other.created_at.date(): LandedDay(unchanged=1)}


def test_many_records_that_are_unusable_in_the_same_way_take_no_longer(tmp_path: Path) -> None:
    rows = [(rejected("a.jsonl", number), NOON) for number in range(1, 20_001)]
    for _ in range(2):
        assert land(tmp_path, [], rows, ["a.jsonl"]) == {THAT_DAY: LandedDay(rejected=20_000)}


def test_what_is_set_aside_stays_where_it_is_whatever_its_file_is_called_now(tmp_path: Path) -> None:
    """Every week's export has the same abandoned chats: no day is analysed again for them."""
    without_time = rejected("week-1.zip", 2).model_copy(update={"content": "[]"})
    land(tmp_path, [], [(rejected("week-1.zip", 1), NOON), (without_time, None)], ["week-1.zip"])
    before = contents(tmp_path)
    again = [
        (rejected("week-2.zip", 4), NOON),
        (without_time.model_copy(update={"file": "week-2.zip", "line": 5}), NOON + timedelta(days=9)),
    ]
    report = land(tmp_path, [], again, ["week-2.zip"])
    assert report == {THAT_DAY: LandedDay(rejected=1), TODAY: LandedDay(rejected=1)}
    assert contents(tmp_path) == before


RECORDS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.lists(st.sampled_from("xyz"), min_size=1)))


@settings(max_examples=150)
@given(records=RECORDS, cut=st.integers(0, 20), one_source=st.booleans())
def test_every_record_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, int, list[str]]],
    cut: int,
    one_source: bool,
) -> None:
    folder = tmp_path_factory.mktemp("landing")
    all_of_them = []
    for chat_id, hours, texts in records:
        begun = NOON + timedelta(hours=hours)
        messages = [Message(role="user", content=text, created_at=begun) for text in texts]
        all_of_them.append(Conversation(chat_id=chat_id, created_at=begun, messages=messages))
    for part in (all_of_them[:cut], all_of_them[cut:]):
        report = land(folder, part, one_source=one_source)
        assert sum(sum(vars(day).values()) for day in report.values()) == len(part)
    days = [landed(folder, THAT_DAY + timedelta(days=n)) for n in range(4)]
    ids = [each.chat_id for day in days for each in day]
    assert sorted(ids) == sorted({chat_id for chat_id, *_ in records}), "each is in one day"


def test_what_others_wrote_into_a_day_stays_byte_for_byte(tmp_path: Path) -> None:
    theirs = [
        b'  {"messages": [{"role": "user", "content": "x", "created_at": "2026-11-20T09:00:00"}],'
        b' "created_at": "2026-11-20T09:00:00", "chat_id": "theirs"}',
        b"not JSON at all",
        b'{"chat_id": "a"}',
    ]
    path = tmp_path / "2026-11-20.jsonl"
    path.write_bytes(b"\n\n".join(theirs))
    land(tmp_path, [conversation("a"), conversation("new")])
    lines = path.read_bytes().splitlines()
    assert lines[:3] == [line.strip() for line in theirs]
    assert {json.loads(line)["chat_id"] for line in lines[3:]} == {"a", "new"}
    assert {each.chat_id for each in landed(tmp_path)} == {"theirs", "a", "new"}


def test_the_same_conversation_written_another_way_is_unchanged(tmp_path: Path) -> None:
    theirs = conversation("a").model_dump(mode="json")
    (tmp_path / "2026-11-20.jsonl").write_text(json.dumps(dict(reversed(theirs.items()))))
    assert land(tmp_path, [conversation("a")]) == {THAT_DAY: LandedDay(unchanged=1)}


IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)
VERSIONS = st.lists(st.tuples(IDS, st.integers(1, 4)), max_size=12)


@settings(max_examples=60)
@given(versions=VERSIONS, cuts=st.lists(st.integers(0, 12), max_size=3), random=st.randoms(use_true_random=False))
def test_any_order_and_number_of_landings_gives_the_same_conversations(
    tmp_path_factory: pytest.TempPathFactory, versions: list[tuple[str, int]], cuts: list[int], random: object
) -> None:
    all_of_them = [
        conversation(chat_id, NOON + timedelta(days=sum(map(ord, chat_id)) % 2), turns) for chat_id, turns in versions
    ]
    found = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("landing")
        bounds = [0, *sorted(cuts), len(all_of_them)]
        for start, stop in pairwise(bounds):
            land(folder, all_of_them[start:stop])
        found.append([landed(folder, THAT_DAY + timedelta(days=more)) for more in range(2)])
        random.shuffle(all_of_them)  # type: ignore[attr-defined]
    assert found[0] == found[1]
    assert {each.chat_id for day in found[0] for each in day} == {chat_id for chat_id, _ in versions}


def rejected(file: str, line: int, reason: str = "not JSON") -> RejectedConversation:
    return RejectedConversation(file=file, line=line, reason=reason, content="{")


def test_what_is_set_aside_is_filed_under_its_day_and_replaced_when_its_file_is_landed_again(tmp_path: Path) -> None:
    first = [(rejected("a.jsonl", 1), NOON), (rejected("a.jsonl", 2), None), (rejected("b.jsonl", 1), NOON)]
    report = land(tmp_path, [conversation("a")], first, ["a.jsonl", "b.jsonl"])
    assert report[THAT_DAY] == LandedDay(new=1, rejected=2)
    assert report[TODAY] == LandedDay(rejected=1)
    assert [row.line for row in set_aside(tmp_path, TODAY, UTC)] == [2]
    before = contents(tmp_path)
    land(tmp_path, [conversation("a")], first, ["a.jsonl", "b.jsonl"])
    assert contents(tmp_path) == before
    # The file was mended, but for one line; the other file was not looked at.
    land(tmp_path, [], [(rejected("a.jsonl", 1, "still wrong"), NOON)], ["a.jsonl"])
    of_day = rejected_in(tmp_path / "2026-11-20.rejected.jsonl")
    assert [(row.file, row.reason) for row in of_day] == [("a.jsonl", "still wrong"), ("b.jsonl", "not JSON")]
    assert not (tmp_path / "2026-11-25.rejected.jsonl").exists()


def test_files_are_told_by_their_names_alone() -> None:
    assert day_of_file(Path("2026-11-20.jsonl")) == day_of_file(Path("2026-11-20.rejected.jsonl")) == THAT_DAY
    assert day_of_file(Path("2026-13-20.jsonl")) is None
    assert day_of_file(Path("notes.jsonl")) is None


KILLED = """
import os, sys
from kura_dagster_tests.test_landing import *
from kura_dagster.pipeline import landing
real, left = landing.replacing, [int(sys.argv[2])]
from contextlib import contextmanager
@contextmanager
def stopping(path):
    with real(path) as file:
        yield file
        if not left[0]:
            file.flush(); os.kill(os.getpid(), 9)
        left[0] -= 1
landing.replacing = stopping
land(Path(sys.argv[1]), [conversation(f"c{n}", NOON + timedelta(days=n % 4), 2) for n in range(40)])
"""


@pytest.mark.parametrize("after", [0, 2])
def test_a_kill_leaves_days_whole_and_landing_again_does_the_rest(tmp_path: Path, after: int) -> None:
    land(tmp_path, [conversation(f"c{n}", NOON + timedelta(days=n % 4)) for n in range(40)])
    home = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(after)], cwd=home, capture_output=True)
    assert done.returncode == -9, done.stderr
    turns = [{len(each.messages) for each in landed(tmp_path, THAT_DAY + timedelta(days=n))} for n in range(4)]
    assert turns == [{2}] * after + [{1}] * (4 - after)
    assert list(tmp_path.glob(".*.unfinished"))
    land(tmp_path, [conversation(f"c{n}", NOON + timedelta(days=n % 4), 2) for n in range(40)])
    assert sum(len(landed(tmp_path, THAT_DAY + timedelta(days=n))) for n in range(4)) == 40
    assert not list(tmp_path.glob(".*.unfinished")), "a copy of a day that nobody would ever erase"


def test_two_landings_at_once_lose_nothing(tmp_path: Path) -> None:
    home = Path(__file__).parents[1]
    script = (
        "import sys; from kura_dagster_tests.test_landing import *\n"
        "land(Path(sys.argv[1]), [conversation(f'{sys.argv[2]}{n}') for n in range(300)])"
    )
    started = [subprocess.Popen([sys.executable, "-c", script, tmp_path, name], cwd=home) for name in "abc"]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert len(landed(tmp_path)) == 900


def test_a_forgotten_conversation_leaves_every_file(tmp_path: Path) -> None:
    odd = 'Ünïcode "quoted"'
    several = [conversation(odd), conversation("b", text=f"I spoke to {odd}"), conversation("c")]
    land(tmp_path, several, [(rejected("a.jsonl", 1).model_copy(update={"chat_id": odd}), NOON)], ["a.jsonl"])
    path = tmp_path / "2026-11-20.jsonl"
    broken = json.dumps({"chat_id": odd, "messages": []}, ensure_ascii=False)[:-1]
    with path.open("a") as file:
        file.write(broken + "\n" + json.dumps({"messages": [], "chat_id": odd}) + "\n")
    assert forget(tmp_path, odd) == {"2026-11-20.jsonl": 3, "2026-11-20.rejected.jsonl": 1}
    assert [each.chat_id for each in landed(tmp_path)] == ["b", "c"], "another's words are another's"
    assert not set_aside(tmp_path, THAT_DAY, UTC)
    before = {each: each.stat().st_mtime_ns for each in tmp_path.glob("*.jsonl")}
    assert forget(tmp_path, odd) == {}
    assert {each: each.stat().st_mtime_ns for each in tmp_path.glob("*.jsonl")} == before
    assert forget(tmp_path / "missing", odd) == {}


def test_what_could_not_be_read_is_forgotten_by_the_id_in_it_and_so_is_what_a_killed_landing_left(
    tmp_path: Path,
) -> None:
    content = '{"uuid": "4711", "chat_messages": [{"sender": "human", "text": "zeppelin'
    number = '{"id": 4711, "chat_messages": zeppelin'
    others = '{"id": "47110", "messages": [{"role": "4711"'
    rows = [rejected("a.json", 1), rejected("a.json", 2), rejected("a.json", 3)]
    rows = [row.model_copy(update={"content": text}) for row, text in zip(rows, (content, number, others), strict=True)]
    land(tmp_path, [], [(row, NOON) for row in rows], ["a.json"])
    (tmp_path / ".2026-11-20.jsonl.123.unfinished").write_text(content)
    assert forget(tmp_path, "claude:4711") == {"2026-11-20.rejected.jsonl": 2}
    assert [row.content for row in set_aside(tmp_path, THAT_DAY, UTC)] == [others]
    assert not any(b"zeppelin" in path.read_bytes() for path in tmp_path.iterdir())


def test_every_field_that_a_reader_takes_for_an_id_is_one_to_who_erases() -> None:
    assert {*openai_messages._IDS, *options._SYNONYMS["chat_id"], "uuid"} <= set(ID_FIELDS)


def test_ids_are_found_without_their_source(tmp_path: Path) -> None:
    land(tmp_path, [conversation(chat_id) for chat_id in ("web:7", "7", "app:7", "web:17")])
    assert landed_ids(tmp_path, without_source="7") == ["app:7", "web:7"]
    assert landed_ids(tmp_path / "missing", without_source="7") == []
