"""How much is asked when: the days of the sample, their volumes, the hours of a day, and themes that come and go."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

FIRST_DAY = date(2026, 11, 2)  # a Monday
LAST_DAY = date(2026, 11, 15)
OUTAGE_DAY = date(2026, 11, 5)  # the assistant was down: three conversations
CLOSED_DAY = date(2026, 11, 8)  # maintenance on a Sunday: none, and so no landing file

# Share of a day's conversations that begin in each hour (UTC), relative.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 13, 16, 17, 16, 13, 15, 16, 15, 13, 11, 10, 11, 11, 9, 6, 4)
_WEEKDAY_VOLUME, _WEEKEND_VOLUME = 215, 165
_RISING_FROM = date(2026, 11, 10)


def days() -> list[date]:
    """Return the fourteen days of the sample."""
    return [FIRST_DAY + timedelta(days=offset) for offset in range((LAST_DAY - FIRST_DAY).days + 1)]


def volume(day: date, random_state: random.Random) -> int:
    """Return how many conversations begin on a day: fewer at weekends, and Mondays are the busiest."""
    if day == OUTAGE_DAY:
        return 3
    if day == CLOSED_DAY:
        return 0
    middle = _WEEKEND_VOLUME if day.weekday() >= 5 else _WEEKDAY_VOLUME + (12 if day.weekday() == 0 else 0)
    return middle + random_state.randint(-12, 12)


def begins_at(day: date, random_state: random.Random) -> datetime:
    """Return the instant, in UTC, at which a conversation of the day begins."""
    (hour,) = random_state.choices(range(24), _HOURS)
    return datetime(
        day.year, day.month, day.day, hour, random_state.randrange(60), random_state.randrange(60), tzinfo=UTC
    )


def rising(day: date) -> float:
    """Weight of the theme that appears on the ninth day and grows to the end."""
    return 0.0 if day < _RISING_FROM else 1.2 + 0.8 * (day - _RISING_FROM).days


def fading(day: date) -> float:
    """Weight of the theme that is strong on the first day and gone after the eleventh."""
    return max(0.0, 3.0 - 0.3 * (day - FIRST_DAY).days)
