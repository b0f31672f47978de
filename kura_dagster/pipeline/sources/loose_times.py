"""Times as other programs write them: ISO texts, dates of e-mail, seconds to nanoseconds since 1970.

Only the step from one loosely typed value to an instant belongs here.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nobody has conversations with an assistant from before; such a time is an error in the source."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,2})?")
_DATE_DIGITS = 8  # YYYYMMDD; as seconds it would be in 1970
_LONGEST = 64  # characters; no time takes more

# A number below the first limit counts seconds, below the next milliseconds, and so on; each has room until about 5000.
_MICROSECONDS_BY_LIMIT = ((10**11, 1_000_000.0), (10**14, 1_000.0), (10**17, 1.0), (10**20, 0.001))


class TimeError(ValueError):
    """A value is no usable time. The message says why, without quoting it."""


def parse_time(value: Any, *, tz: tzinfo, latest: datetime) -> datetime | None:
    """Return the instant in UTC that a value stands for; None where there is no value (None, or an empty text).

    Args:
        value: a datetime, a date, ISO or e-mail text, or seconds, milliseconds, microseconds or nanoseconds since 1970
            as a number or as text.
        tz: where times without an offset are taken.
        latest: with an offset; what comes later is absurd.

    Raises:
        TimeError: it is no time, or one before 2000 or after `latest`.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
    try:
        instant = _iso_instant(value, tz) or _instant(value, tz)
        if instant is None:
            raise TimeError("not a time")
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


def _instant(value: Any, tz: tzinfo) -> datetime | None:
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
    parsed = _parsed_text(value)
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


def _to_utc(time: datetime, tz: tzinfo) -> datetime:
    # A plain datetime: pandas' own, which keeps nanoseconds, is not what the types mean.
    plain = datetime(
        time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond, fold=time.fold
    )
    return plain.replace(tzinfo=time.tzinfo or tz).astimezone(UTC)
