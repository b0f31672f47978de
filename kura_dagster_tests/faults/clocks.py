"""Clocks that are changed: days of 23 and 25 hours, a clock set back between two runs, another time zone."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import CONVERSATIONS
from kura_dagster_tests import rows
from kura_dagster_tests.faults.project import Project, check_mended
from kura_dagster_tests.faults.scenario import Outcome, check, scenario

BERLIN = ZoneInfo("Europe/Berlin")
DAY, NEXT_DAY = "2026-11-02", "2026-11-03"
CHANGES = {23: datetime(2026, 3, 29, tzinfo=BERLIN), 25: datetime(2026, 10, 25, tzinfo=BERLIN)}
"""The days on which the clock is put forward and back, by how many hours they have."""


def change_the_clock(hours: int, cadence: str, folder: Path) -> Outcome:
    """A conversation every ten minutes, from an hour before the day to an hour after it, each in its own partition."""
    midnight = CHANGES[hours]
    first, last = midnight - timedelta(days=1), midnight + timedelta(days=1)
    project = Project(
        folder,
        {},
        KURA_TIMEZONE=BERLIN.key,
        KURA_CADENCE=cadence,
        KURA_START_DATE=first.date().isoformat(),
    )
    begin = midnight.astimezone(UTC)
    check(last.astimezone(UTC) - begin == timedelta(hours=hours), f"the day does not have {hours} hours")
    moments = [begin + timedelta(minutes=minutes) for minutes in range(-60, (hours + 1) * 60, 10)]
    expected = {}
    for number, moment in enumerate(moments):
        chat_id = f"at-{moment:%Y%m%dT%H%M}"
        local = moment.astimezone(BERLIN)
        if cadence == "daily":
            expected[chat_id] = local.date()
        elif local.date() == midnight.date():
            expected[chat_id] = moment.replace(minute=0)
        line = rows.conversation(number, "reset my password please", moment).model_dump(mode="json")
        # In local time with its offset: the doubled hour differs in nothing else.
        line |= {"chat_id": chat_id, "created_at": local.isoformat()}
        with (project.landing / f"{local.date()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
    days = (first, midnight, last) if cadence == "daily" else (midnight,)
    project.run(*sorted({days[0].date().isoformat(), days[-1].date().isoformat()}))
    frame = Database(project.database, project.partitioning).frame(CONVERSATIONS)
    check(frame.chat_id.is_unique, "a conversation is in two partitions")
    wrong = set(expected) ^ set(frame.chat_id)
    check(not wrong, f"{len(wrong)} conversations are lost or of another day")
    for chat_id, when in zip(frame.chat_id, frame.partition_date, strict=True):
        found = when.to_pydatetime().astimezone(UTC) if cadence == "hourly" else when.date()
        check(found == expected[chat_id], f"{chat_id} is in {found}, not {expected[chat_id]}")
    partitions = frame.partition_date.nunique()
    wanted = hours if cadence == "hourly" else 3
    check(partitions == wanted, f"{partitions} partitions have rows, not {wanted}")
    before = project.state()
    project.run(midnight.date().isoformat())
    check_mended(project.state(), before)
    project.check_no_run_is_left()
    return Outcome("nothing", f"{len(frame)} conversations in {partitions} partitions, each in its own", "same rows")


for hours in CHANGES:
    for cadence in ("daily", "hourly"):
        scenario(f"day-of-{hours}-hours-{cadence}")(partial(change_the_clock, hours, cadence))


@scenario("clock-set-back")
def set_the_clock_back(folder: Path) -> Outcome:
    """The clock was an hour ahead in the first run, and is right when more is landed.

    What that leaves is made here: a run history and a landing file whose times are an hour ahead.
    """
    project = Project(folder, {DAY: 12, NEXT_DAY: 12})
    project.run(DAY, NEXT_DAY)
    ahead = time.time() + 3600
    for file in project.landing.iterdir():
        os.utime(file, (ahead, ahead))
    for history in (folder / "data" / "dagster").rglob("runs.db"):
        with sqlite3.connect(history) as connection:
            connection.execute("UPDATE runs SET start_time = start_time + 3600, end_time = end_time + 3600")
        connection.close()
    # A conversation that says it begins in an hour, by the other clock, is of the day that it says.
    late = rows.conversation(99, "refund the second payment", datetime(2026, 11, 2, 23, 59, tzinfo=UTC))
    with (project.landing / f"{DAY}.jsonl").open("a") as file:
        file.write(late.model_dump_json() + "\n")
    undisturbed = project.undisturbed()
    run = project.command("run", "--landed")
    check(run.code == 0, f"the run failed: {run.said}")
    check_mended(project.state(), undisturbed)
    again = project.command("run", "--landed")
    check("No day" in again.out, f"what is analysed is analysed again: {again.said}")
    project.check_no_run_is_left()
    return Outcome("nothing", "what was landed after is analysed", "nothing left to do")


@scenario("timezone-changed")
def change_the_timezone(folder: Path) -> Outcome:
    """Rows that are cut in another time zone are not mixed with those that are there."""
    project = Project(folder, {DAY: 12})
    project.run(DAY)
    before = project.state()
    refused = project.command("run", DAY, KURA_TIMEZONE="Europe/Berlin")
    check(refused.code == 1 and not refused.has_traceback, f"it ended with {refused.code}: {refused.said}")
    check("KURA_TIMEZONE=UTC" in refused.said, f"the message does not say what it was: {refused.said}")
    check(project.state() == before, "rows have changed")
    project.run(DAY)
    check_mended(project.state(), before)
    project.check_no_run_is_left()
    return Outcome(refused.said, "all rows as before", "set back to UTC: same rows")
