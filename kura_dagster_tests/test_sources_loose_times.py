"""Times as other programs write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.sources.loose_times import EARLIEST, DateOrder, TimeError, parse_time

LATEST = datetime(2026, 12, 2, tzinfo=UTC)
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECONDS = 1795165200


def parse(value: Any, tz: Any = UTC, dates: DateOrder | None = None) -> datetime | None:
    return parse_time(value, tz=tz, latest=LATEST, dates=dates)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T09:00:00Z",
        "2026-11-20T09:00:00.000000Z",
        "2026-11-20t09:00:00z",
        "2026-11-20 09:00:00",
        "2026-11-20 09:00:00 UTC",
        "2026-11-20T10:00:00+01:00",
        "2026-11-20 10:00:00+0100",
        "20261120T090000Z",
        " 2026-11-20T09:00 ",
        "Fri, 20 Nov 2026 09:00:00 GMT",
        "Fri, 20 Nov 2026 10:00:00 +0100",
        SECONDS,
        float(SECONDS),
        SECONDS * 1_000,
        SECONDS * 1_000_000,
        SECONDS * 1_000_000_000,
        float(SECONDS * 1_000_000_000),
        str(SECONDS),
        f"{SECONDS}.0",
        f"{SECONDS}000",
        "1.7951652e9",
        NINE,
        datetime(2026, 11, 20, 9, 0),
        datetime(2026, 11, 20, 4, 0, tzinfo=timezone(timedelta(hours=-5))),
        pd.Timestamp("2026-11-20T09:00:00Z"),
        pd.Timestamp("2026-11-20T09:00:00"),
    ],
)
def test_all_of_these_are_nine_o_clock(value: Any) -> None:
    parsed = parse(value)
    assert parsed == NINE
    assert type(parsed) is datetime
    assert parsed.utcoffset() == timedelta(0)


def test_a_date_is_its_midnight_where_the_reader_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    midnight = datetime(2026, 11, 19, 23, tzinfo=UTC)
    for value in ("2026-11-20", "20261120", date(2026, 11, 20)):
        assert parse(value, berlin) == midnight
    assert parse("2026-11-20T00:00:00Z", berlin) == datetime(2026, 11, 20, tzinfo=UTC)


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert parse("1795165200.123456") == NINE + timedelta(microseconds=123_456)
    assert parse(1795165200123456789) == NINE + timedelta(microseconds=123_456)
    assert parse("2026-11-20T09:00:00.123456789Z") == NINE + timedelta(microseconds=123_456)


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_no_time_is_none(value: Any) -> None:
    assert parse(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("soon", "not a time"),
        ("2026-11-31", "not a time"),
        ("2026-11-20T25:00:00Z", "not a time"),
        ("nan", "not a time"),
        ("9" * 100, "not a time"),
        (True, "not a time"),
        ([], "not a time"),
        (b"2026", "not a time"),
        (pd.NaT, "not a time"),
        (0, "a time before 2000-01-01"),
        (-SECONDS, "a time before 2000-01-01"),
        ("1999-12-31T23:59:59Z", "a time before 2000-01-01"),
        ("2026-12-02T00:00:01Z", "a time in the future"),
        (SECONDS * 2, "a time in the future"),
        (float("inf"), "a time out of range"),
        (10**20, "a time out of range"),
        ("1e99", "a time out of range"),
        ("9999-12-31T23:59:59-12:00", "a time out of range"),
    ],
)
def test_what_is_no_usable_time_says_why(value: Any, fault: str) -> None:
    with pytest.raises(TimeError, match=f"^{fault}(?:; read are .*)?$"):
        parse(value)


HALF_PAST_NINE_AT_NIGHT = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "20.11.2026 21:30",
        "20.11.2026, 21:30:00",
        "20.11.2026 21:30:00.000",
        "20/11/2026 21:30",
        "11/20/2026 9:30 PM",
        "11/20/2026 9:30:00pm",
        "11/20/2026, 9:30 p.m.",
        "20-11-2026 21:30",
        "20/11/2026T21:30",
    ],
)
def test_dates_that_tell_day_from_month(value: str) -> None:
    for dates in (None, *DateOrder):
        assert parse(value, dates=dates) == HALF_PAST_NINE_AT_NIGHT


def test_dots_are_day_first_and_noon_is_twelve() -> None:
    assert parse("5.11.2026") == datetime(2026, 11, 5, tzinfo=UTC)
    assert parse("11/11/2026 12:05 AM") == datetime(2026, 11, 11, 0, 5, tzinfo=UTC)
    assert parse("11/20/2026 12:05 PM") == datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
    assert parse("20.11.2026 09:30", ZoneInfo("Europe/Berlin")) == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", ["05/11/2026", "5/11/2026 21:30", "05/11/2026 9:30 PM", "05-11-2026"])
def test_dates_that_do_not_tell_are_refused_until_the_reader_does(value: str) -> None:
    with pytest.raises(TimeError, match=r"^a date that may be day or month first; say which with --dates day-first or"):
        parse(value)
    first, second = parse(value, dates=DateOrder.DAY_FIRST), parse(value, dates=DateOrder.MONTH_FIRST)
    assert first is not None
    assert second is not None
    assert (first.month, first.day) == (11, 5)
    assert (second.month, second.day) == (5, 11)


@pytest.mark.parametrize(
    "value",
    [
        "31.02.2026",
        "11.20.2026",
        "20/20/2026",
        "20.11.26",
        "20.11.2026 25:00",
        "20.11.2026 13:00 PM",
        "1/2/2026 0:10 am",
    ],
)
def test_dates_that_are_none(value: str) -> None:
    with pytest.raises(TimeError, match=r"^not a time"):
        parse(value, dates=DateOrder.DAY_FIRST)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2026, 12, 1), timezones=st.timezones()))
def test_every_time_is_itself(time: datetime) -> None:
    expected = time.astimezone(UTC)
    assert parse(time) == expected
    assert parse(expected.isoformat()) == expected


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.datetimes(), st.dates(), st.booleans()))
def test_anything_is_a_time_or_none_or_an_error(value: Any) -> None:
    try:
        parsed = parse(value)
    except TimeError:
        return
    assert parsed is None or EARLIEST <= parsed <= LATEST
