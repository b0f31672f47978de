"""What was set aside, as a whole: kinds of reasons, and taking the list away."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path

import pytest

from kura_dagster.pipeline.conversations import RejectedConversation, rejected_in
from kura_dagster.pipeline.landing import Landing
from kura_dagster.pipeline.rejected import clear_rejected, kind_of_reason
from kura_dagster_tests.sources import SOME_DAY

DAYS = [date(2026, 11, 1), date(2026, 11, 2)]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("messages.12.role: missing", "messages.N.role: missing"),
        ("chat_messages.0: a list, not an object", "chat_messages.N: a list, not an object"),
        ("output.messages.3: x; input.0: y", "output.messages.N: x; input.N: y"),
        ("not JSON: Expecting value at character 71", "not JSON: Expecting value at character N"),
        ("not JSON from byte 1,234 on: a comma", "not JSON from byte N on: a comma"),
        ("7 fields, and 1 column", "N fields, and N columns"),
        ("larger than 16 MB in its 9 rows", "larger than 16 MB in its N rows"),
        ("superseded by 2026-11-20.jsonl:7", "superseded by a later line"),
        ("created_at: began on 2026-11-20, more than a day", "created_at: began on another day, more than a day"),
        ("created_at: a time before 2000-01-01", "created_at: a time before 2000-01-01"),
        ("not UTF-8; say which, for example cp1252", "not UTF-8; say which, for example cp1252"),
        ("read are 24.11.2026 09:30", "read are 24.11.2026 09:30"),
    ],
)
def test_reasons_that_differ_only_in_a_place_are_of_one_kind(reason: str, kind: str) -> None:
    assert kind_of_reason(reason) == kind
    assert kind_of_reason(kind) == kind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for day in DAYS:
        with Landing(tmp_path, UTC, today=day) as landing:
            landing.begin_file(f"{day}.csv")
            for line in (1, 2):
                landing.reject(RejectedConversation(file=f"{day}.csv", line=line, reason="bad", content=""), None)
            landing.finish()
    (tmp_path / "2026-11-01.jsonl").write_text("{\n")
    (tmp_path / "notes.rejected.jsonl").write_text("mine\n")
    return tmp_path


def test_the_whole_list_goes_and_nothing_else(folder: Path) -> None:
    assert clear_rejected(folder) == 4
    assert clear_rejected(folder) == 0
    left = {path.name for path in folder.iterdir() if path.suffix == ".jsonl"}
    assert left == {"2026-11-01.jsonl", "notes.rejected.jsonl"}


def test_the_list_of_a_day_goes_and_the_others_stay(folder: Path) -> None:
    assert clear_rejected(folder, SOME_DAY.date()) == 2
    assert not (folder / "2026-11-01.rejected.jsonl").exists()
    assert len(rejected_in(folder / "2026-11-02.rejected.jsonl")) == 2


def test_a_folder_that_is_missing_holds_nothing(tmp_path: Path) -> None:
    assert clear_rejected(tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()
