"""What the errors of SDKs mean, from the errors alone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from kura_dagster.pipeline.failures import retry_after


def told(**headers: str) -> float | None:
    error = RuntimeError()
    error.response = SimpleNamespace(  # type: ignore[attr-defined]
        headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return retry_after(error)


def test_retry_after_is_seconds_or_a_date() -> None:
    assert told(retry_after="2.5") == 2.5
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert told(retry_after=in_a_minute) == pytest.approx(60, abs=2)
    assert told(retry_after="Mon, 02 Nov 2020 09:30:00 GMT") == 0
    assert told(retry_after="86400") == 300
    assert told(other="2") is None


def test_a_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        in_a_minute = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S -0000")
        assert told(retry_after=in_a_minute) == pytest.approx(60, abs=2)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_milliseconds_are_understood_and_come_first() -> None:
    assert told(retry_after_ms="1500", retry_after="2") == 1.5
    assert told(retry_after_ms="soon", retry_after="2") == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        "soon",
        "",
        "1, 2",
        "Mon, 99 Nov 2026 09:30:00 GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Mon, 02 Nov 2026 09:30:00 +9999",
        "nan",
    ],
)
def test_retry_after_that_says_nothing_is_no_error(nonsense: str) -> None:
    assert told(retry_after=nonsense) is None
