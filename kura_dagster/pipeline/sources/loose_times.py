"""Times as other programs write them: ISO texts, dates of e-mail and spreadsheets, seconds to nanoseconds since 1970.

Only the step from one loosely typed value to an instant belongs here.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nobody has conversations with an assistant from before; such a time is an error in the source."""

NOT_A_TIME = (
    "not a time; read are 2026-11-24T09:30:00Z and other ISO times, 24.11.2026 09:30, 24/11/2026 09:30, "
    "11/24/2026 9:30 PM, dates of e-mail, and seconds to nanoseconds since 1970"
)
"""Why a value is refused that is of none of the forms."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,2})?")
_DATE_DIGITS = 8  # YYYYMMDD; as seconds it would be in 1970
_LONGEST = 64  # characters; no time takes more

# As spreadsheets write dates. Dots are day first everywhere; slashes and hyphens are either.
_DAY_OR_MONTH = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})"
    r"(?:(?:,?[ \u00a0\u202f]|T)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"
    r"(?:[ \u00a0\u202f]?([AaPp])\.?[Mm]\.?)?)?",
    re.ASCII,
)
_MONTHS = 12

# A number below the first limit counts seconds, below the next milliseconds, and so on; each has room until about 5000.
_MICROSECONDS_BY_LIMIT = ((10**11, 1_000_000.0), (10**14, 1_000.0), (10**17, 1.0), (10**20, 0.001))


class DateOrder(StrEnum):
    """What comes first in a date such as 05/11/2026."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class TimeError(ValueError):
    """A value is no usable time. The message says why, without quoting it."""


def parse_time(value: Any, *, tz: tzinfo, latest: datetime, dates: DateOrder | None = None) -> datetime | None:
    """Return the instant in UTC that a value stands for; None where there is no value (None, or an empty text).

    Args:
        value: a datetime, a date, a text of ISO, of e-mail or of a spreadsheet (24.11.2026 09:30), or seconds,
            milliseconds, microseconds or nanoseconds since 1970 as a number or as text.
        tz: where times without an offset are taken.
        latest: with an offset; what comes later is absurd.
        dates: what a date with slashes or hyphens begins with, where neither of its numbers is above 12.

    Raises:
        TimeError: it is no time, one before 2000 or after `latest`, or a date that `dates` would have to decide.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
    try:
        instant = _iso_instant(value, tz) or _instant(value, tz, dates)
        if instant is None:
            raise TimeError(NOT_A_TIME)
    except (OverflowError, ValueError, OSError) as error:
        if isinstance(error, TimeError):
            raise
        raise TimeError("a time out of range") from None
    if instant < EARLIEST:
        raise TimeError("a time before 2000-01-01")
    if instant > latest:
        raise TimeError("a time in the future")
    return instant


def _iso_instant(value: Any, tz: tzinfo) -> datetime | None:
    """Return the instant of the text that nearly all sources write, in a quarter of the time; None for any other."""
    # A number may look like a date without hyphens.
    if not isinstance(value, str) or value[4:5] != "-":
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is UTC else _to_utc(parsed, tz)


def _instant(value: Any, tz: tzinfo, dates: DateOrder | None) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        # pandas' NaT is a datetime that is not equal to itself.
        return None if value != value else _to_utc(value, tz)
    if isinstance(value, date):
        return _to_utc(datetime(value.year, value.month, value.day), tz)
    if isinstance(value, (int, float)):
        return _since_1970(value)
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    if _NUMBER.fullmatch(value) and not (len(value) == _DATE_DIGITS and value.isdigit()):
        # An integer stays one: a float has not enough digits for nanoseconds.
        return _since_1970(int(value) if value.lstrip("+-").isdigit() else float(value))
    found = _DAY_OR_MONTH.fullmatch(value)
    parsed = _parsed_text(value) if found is None else _of_spreadsheet(found, dates)
    return None if parsed is None else _to_utc(parsed, tz)


def _since_1970(number: int | float) -> datetime:
    for limit, microseconds in _MICROSECONDS_BY_LIMIT:
        if abs(number) < limit:
            if isinstance(number, int):
                whole = number * int(microseconds) if microseconds >= 1 else number // round(1 / microseconds)
                return _EPOCH + timedelta(microseconds=whole)
            return _EPOCH + timedelta(microseconds=round(number * microseconds))
    raise TimeError("a time out of range")


def _parsed_text(text: str) -> datetime | None:
    plain = text.removesuffix(" UTC").removesuffix(" Z") + "+00:00" if text.endswith((" UTC", " Z")) else text
    try:
        return datetime.fromisoformat(plain.replace("z", "Z").replace("t", "T"))
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _of_spreadsheet(found: re.Match[str], dates: DateOrder | None) -> datetime | None:
    """Return the time of a date that begins with its day or its month; None where it is none.

    Raises:
        TimeError: either could be first. AM and PM tell nothing: they stand behind 05/11 in Sydney as in New York.
    """
    one, separator, two, year, hour, minute, second, fraction, half = found.groups()
    first, other = int(one), int(two)
    if separator == "." or first > _MONTHS:
        order = DateOrder.DAY_FIRST
    elif other > _MONTHS or first == other:
        order = DateOrder.MONTH_FIRST
    elif dates is None:
        raise TimeError(
            f"a date that may be day or month first; say which with --dates {DateOrder.DAY_FIRST} or "
            f"--dates {DateOrder.MONTH_FIRST}"
        )
    else:
        order = dates
    day, month = (first, other) if order is DateOrder.DAY_FIRST else (other, first)
    hours = int(hour or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (half in "Pp")
    try:
        return datetime(
            int(year), month, day, hours, int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0"))
        )
    except ValueError:
        return None


def _to_utc(time: datetime, tz: tzinfo) -> datetime:
    # A plain datetime: pandas' own, which keeps nanoseconds, is not what the types mean.
    plain = datetime(
        time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond, fold=time.fold
    )
    return plain.replace(tzinfo=time.tzinfo or tz).astimezone(UTC)
