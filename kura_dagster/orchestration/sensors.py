"""The sensor that sees what was landed and has exactly those days analysed.

Which runs are requested is decided here; what they do is the job's business, and how files are landed `landing`'s.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from dagster._time import get_current_timestamp

from kura_dagster.orchestration.outstanding import runs_under_way
from kura_dagster.orchestration.partitions import key_of, partitioning_from, partitions_of_day
from kura_dagster.orchestration.run_requests import run_request, stretches
from kura_dagster.pipeline.conversations import REJECTED_SUFFIX, day_of_file, first_and_last_begun
from kura_dagster.settings import Settings
from kura_dagster.storage.database import Database
from kura_dagster.storage.tables import CONVERSATION_PROJECTIONS, CONVERSATIONS

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

logger = logging.getLogger(__name__)

_ONE_DAY = timedelta(days=1)

SENSOR_NAME = "landed_conversations"
SECONDS_BETWEEN_LOOKS = 30
SETTLED_AFTER = 5.0  # seconds without a write: somebody may still be writing the file
MOST_BYTES_A_LOOK = 4_000_000_000
"""So much is read to see whether contents changed, which takes seconds; Dagster gives a look one minute."""
MOST_PARTITIONS_A_LOOK = 2000
"""Of so many it is asked when they were analysed: five years of days, or three months of hours."""
SECONDS_TO_WAIT_FOR_DATABASE = 20.0
"""A look that finds it held by others for longer is done again with the next."""


def landed_conversations_sensor(
    job: UnresolvedAssetJobDefinition, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> dg.SensorDefinition:
    """Return the sensor that requests a run for the partitions whose landing files changed, neighbours in one run.

    A file counts once it has not been written to for five seconds, and a partition once it is over. A file has changed
    where its content has; partitions that somebody else has analysed since it was written, or is about to, are left
    alone, and so are those whose messages were dropped. Each change is asked for once, whatever becomes of the run.
    Where only what could not be landed has changed, only `conversations` is materialised. It is off until switched on
    in the UI, also where `KURA_SCHEDULES` is on: the schedules do without it.
    """

    @dg.sensor(
        name=SENSOR_NAME,
        job=job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        description="Analyses the partitions whose landing files changed, and only those.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if not settings.conversations.is_dir():
            return dg.SkipReason(f"the landing folder {settings.conversations} does not exist")
        before = _Cursor.of(context.cursor)
        look = _Look(before, context.instance, partitions_def, settings)
        in_order, most = partitions_def.get_partition_keys(), settings.partitions_per_run
        requests = [
            *_requests(stretches(look.changed, in_order, most), look.changed, before.turn),
            *_requests(
                stretches(look.only_rejected, in_order, most),
                look.only_rejected,
                before.turn,
                [dg.AssetKey(CONVERSATIONS.name)],
            ),
        ]
        after = look.cursor
        after.turn = before.turn + bool(requests)
        return dg.SensorResult(
            run_requests=requests,
            cursor=after.text(),
            skip_reason=None if requests else _nothing_to_do(look.waiting, look.dropped),
        )

    return sensor


def landed_since_analysed(
    instance: dg.DagsterInstance,
    partitions_def: dg.TimeWindowPartitionsDefinition,
    settings: Settings,
    since: date | None = None,
) -> list[list[str]]:
    """Return the partitions that are over and hold what was landed since they were analysed, neighbours together.

    With `since`, only files of the day before it and later ones are looked at. Of a file two lines are read.

    Raises:
        FileNotFoundError: the landing folder is missing.
    """
    materialised = _materialised(instance)
    wanted: set[str] = set()
    for file in _files(settings.conversations).values():
        if since is None or file.day >= since - _ONE_DAY:
            keys, _ = _partitions_of_file(file, partitions_def, settings)
            wanted |= {key for key in keys if not _is_analysed(instance, materialised, key, file)}
    dropped = wanted & dropped_keys(partitions_def, settings)
    if dropped:
        logger.warning(
            "%s: something is landed for them, but their messages were dropped; they are not analysed again",
            ", ".join(sorted(dropped)),
        )
    return list(stretches(wanted - dropped, partitions_def.get_partition_keys(), settings.partitions_per_run))


def dropped_keys(partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings) -> set[str]:
    """Return the partitions whose messages were dropped: they can't be analysed again."""
    database = Database(settings.database, partitioning_from(settings), wait_seconds=SECONDS_TO_WAIT_FOR_DATABASE)
    return {key_of(partitions_def, when) for when in database.dropped_partitions()}


@dataclass
class _Cursor:
    """What the sensor remembers from one look to the next; some forty bytes a file, for it is stored with every look.

    Args:
        turn: goes up with each look that requests runs. It is part of their keys, because the same change may come
            twice, as where a file is moved away, back and away again; and a look that Dagster repeats, because it broke
            off before the cursor was stored, has the same turn.
        files: the state of each file, by name, that its partitions were asked for, or analysed by somebody else.
        partly: of files whose day is not over, the state and the last partition that it was asked for.
        ahead: the stamp at the last look of files that say they were written in the future.
    """

    turn: int
    files: dict[str, str] = field(default_factory=dict)
    partly: dict[str, list[str]] = field(default_factory=dict)
    ahead: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str | None) -> _Cursor:
        """Return what was remembered; where there is nothing, or it was reset, turns that were not had before."""
        remembered = json.loads(text) if text else {}
        return cls(**remembered) if "turn" in remembered else cls(turn=time.time_ns() // 1_000_000)

    def text(self) -> str:
        """Return it as Dagster stores it."""
        return json.dumps(vars(self), separators=(",", ":"))


class _File:
    """A file of the landing folder: its day, its size in bytes, its stamp, and two times in seconds since the epoch.

    `written_at` is what the file says, which a copy may keep from long ago; `there_since` is when it came to be so.
    """

    def __init__(self, path: Path, day: date) -> None:
        found = path.stat()
        self.path = path
        self.day = day
        self.written_at = found.st_mtime
        # A time that is yet to come was taken from another clock.
        self.there_since = max(found.st_ctime, found.st_mtime if found.st_mtime <= time.time() else 0.0)
        self.n_bytes = found.st_size
        self.stamp = _short_hash(f"{found.st_size} {found.st_mtime_ns}".encode())

    @property
    def is_rejected(self) -> bool:
        """Whether it lists what could not be landed of its day."""
        return self.path.name.endswith(REJECTED_SUFFIX)

    def state(self) -> str:
        """Return the stamp and a hash of the content, which is read for it."""
        with self.path.open("rb") as file:
            return self.stamp + _short_hash(hashlib.file_digest(file, "sha256").digest())


def _short_hash(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()[:6]).decode("ascii")


_STAMP = len(_short_hash(b""))


class _Look:
    """One look at the landing folder: what has changed, by partition, what waits, and what to remember of it."""

    def __init__(
        self,
        before: _Cursor,
        instance: dg.DagsterInstance,
        partitions_def: dg.TimeWindowPartitionsDefinition,
        settings: Settings,
    ) -> None:
        self.changed: dict[str, list[str]] = {}
        self.only_rejected: dict[str, list[str]] = {}
        self.waiting: set[str] = set()
        self.cursor = _Cursor(before.turn, dict(before.files), dict(before.partly))
        self._before = before
        self._instance = instance
        self._partitions_def = partitions_def
        self._settings = settings
        self._bytes_read = self._partitions_seen = 0
        self._materialised = _materialised(instance)
        self._under_way = runs_under_way(instance)
        files = _files(settings.conversations)
        for name in (before.files.keys() | before.partly.keys()) - files.keys():
            # A file that was deleted took its conversations with it.
            of_partly, _ = self.cursor.partly.pop(name, ("", ""))
            state = self.cursor.files.pop(name, of_partly)
            if day := day_of_file(Path(name)):
                self._ask(partitions_of_day(day, partitions_def, settings)[0], name, f"{state} is gone")
        for name, file in files.items():
            if before.files.get(name, "")[:_STAMP] != file.stamp:
                try:
                    self._see(name, file)
                except FileNotFoundError:
                    continue  # deleted meanwhile: the next look sees it is gone
        for key in self.changed.keys() & self.only_rejected.keys():
            self.changed[key] += self.only_rejected.pop(key)
        self.dropped = self._take_out_dropped()

    def _take_out_dropped(self) -> list[str]:
        """Ask for none of the partitions whose messages were dropped, and return those that changed.

        Most of them did because their files were dropped as well; what was landed late for one can't be analysed.
        """
        if not self.changed and not self.only_rejected:
            return []
        dropped = dropped_keys(self._partitions_def, self._settings)
        changed = sorted(dropped & (self.changed.keys() | self.only_rejected.keys()))
        for key in changed:
            self.changed.pop(key, None)
            self.only_rejected.pop(key, None)
        return changed

    def _see(self, name: str, file: _File) -> None:
        """Ask for the partitions of a file whose size or time has changed, where its content has, or let it wait."""
        if not self._is_settled(name, file):
            self.waiting.add(name)
            return
        keys, all_over = _partitions_of_file(file, self._partitions_def, self._settings)
        if not all_over:
            self.waiting.add(name)
        if not keys:
            return
        asked_state, asked_until = self._before.partly.get(name, ("", ""))
        state = asked_state
        if asked_state[:_STAMP] != file.stamp:
            if self._has_done_enough(file.n_bytes, len(keys)):
                self.waiting.add(name)
                return
            state = file.state()
        if state[_STAMP:] == self.cursor.files.get(name, "")[_STAMP:]:
            new = []
        elif state[_STAMP:] == asked_state[_STAMP:] and asked_until in keys:
            new = keys[keys.index(asked_until) + 1 :]
        else:
            new = keys
        done = [
            key
            for key in new
            if self._will_be_read(key, file) or _is_analysed(self._instance, self._materialised, key, file)
        ]
        self._ask([key for key in new if key not in done], name, state)
        if all_over:
            self.cursor.partly.pop(name, None)
            self.cursor.files[name] = state
        else:
            self.cursor.partly[name] = [state, keys[-1]]

    def _has_done_enough(self, n_bytes: int, n_partitions: int) -> bool:
        """Whether so much more would be too much for one look; a first file never is."""
        if self._partitions_seen and (
            self._bytes_read + n_bytes > MOST_BYTES_A_LOOK
            or self._partitions_seen + n_partitions > MOST_PARTITIONS_A_LOOK
        ):
            return True
        self._bytes_read += n_bytes
        self._partitions_seen += n_partitions
        return False

    def _will_be_read(self, key: str, file: _File) -> bool:
        """Whether a run that waits, or that began since the file came to be, takes a partition to the map."""
        return any(run.covers(key) and run.started >= file.there_since for run in self._under_way)

    def _is_settled(self, name: str, file: _File) -> bool:
        """Whether nobody seems to write the file any more; of a time in the future only another look can tell."""
        age = time.time() - file.written_at
        if age >= 0:
            return age >= SETTLED_AFTER
        self.cursor.ahead[name] = file.stamp
        return self._before.ahead.get(name) == file.stamp

    def _ask(self, keys: Sequence[str], name: str, state: str) -> None:
        lot = self.only_rejected if name.endswith(REJECTED_SUFFIX) else self.changed
        for key in keys:
            lot.setdefault(key, []).append(f"{name} {state}")


def _files(folder: Path) -> dict[str, _File]:
    found: dict[str, _File] = {}
    for path in sorted(folder.iterdir()):
        if (day := day_of_file(path)) and path.is_file():
            try:
                found[path.name] = _File(path, day)
            except FileNotFoundError:
                continue  # deleted meanwhile: the next look sees it is gone
    return found


def _partitions_of_file(
    file: _File, partitions_def: dg.TimeWindowPartitionsDefinition, settings: Settings
) -> tuple[list[str], bool]:
    """Return the partitions that a file holds something of and that are over, and whether all of them are.

    Those are its day's, and of the day before or after those that it begins or ends in: whoever writes the file may cut
    days in another time zone.
    """
    keys, all_over = partitions_of_day(file.day, partitions_def, settings)
    try:
        begun = None if file.is_rejected else first_and_last_begun(file.path, settings.tzinfo)
    except OSError:
        begun = None  # who reads all of it says why
    if begun is None:
        return keys, all_over
    first, last = begun

    def reached(day: date) -> tuple[list[str], bool]:
        # Compared as they are: of a line that says the year 1, another zone's clock can't tell the time.
        midnight, next_midnight = (
            datetime(each.year, each.month, each.day, tzinfo=settings.tzinfo) for each in (day, day + _ONE_DAY)
        )
        if first >= next_midnight or last < midnight:
            return [], True
        near, are_over = partitions_of_day(day, partitions_def, settings)
        windows = {key: partitions_def.time_window_for_partition_key(key) for key in near}
        return [key for key, window in windows.items() if window.start <= last and window.end > first], are_over

    before, before_is_over = reached(file.day - _ONE_DAY)
    after, after_is_over = reached(file.day + _ONE_DAY)
    return list(dict.fromkeys([*before, *keys, *after])), before_is_over and all_over and after_is_over


def _materialised(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    """Return the materialised partitions of the first asset and of the last."""
    names = (CONVERSATIONS.name, CONVERSATION_PROJECTIONS.name)
    return {name: set(instance.get_materialized_partitions(dg.AssetKey(name))) for name in names}


def _is_analysed(
    instance: dg.DagsterInstance, materialised: Mapping[str, Collection[str]], key: str, file: _File
) -> bool:
    """Whether all that is made of the file was materialised for a partition since the file came to be."""
    names = [CONVERSATIONS.name] if file.is_rejected else [CONVERSATIONS.name, CONVERSATION_PROJECTIONS.name]
    return all(
        key in materialised[name] and _materialised_since(instance, name, key, file.there_since) for name in names
    )


def _materialised_since(instance: dg.DagsterInstance, asset: str, partition_key: str, moment: float) -> bool:
    """Whether the run that materialised a partition last began at `moment`, in seconds since the epoch, or later.

    A run that began before may have read the files before. One that is yet to begin was under another clock, which says
    nothing about these files.
    """
    filters = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[partition_key])
    records = instance.fetch_materializations(filters, limit=1).records
    run = instance.get_run_record_by_id(records[0].run_id) if records else None
    return run is not None and run.start_time is not None and moment <= run.start_time <= get_current_timestamp()


def _requests(
    neighbours: Iterable[Sequence[str]],
    states: Mapping[str, Sequence[str]],
    turn: int,
    assets: Sequence[dg.AssetKey] | None = None,
) -> Iterator[dg.RunRequest]:
    """Yield a request for each stretch of neighbouring partitions, of all assets or some.

    Its key is had again only by the same states of the files in the same turn.
    """
    for keys in neighbours:
        of_files = sorted({state for key in keys for state in states[key]})
        digest = hashlib.sha256("\n".join([*keys, *of_files]).encode()).hexdigest()[:16]
        yield run_request(keys, f"{keys[0]} {keys[-1]} {turn} {digest}", assets)


def _nothing_to_do(pending: set[str], dropped: Sequence[str]) -> str:
    if dropped:
        return f"{_some(dropped)} changed, whose messages were dropped: they stay as they are"
    if pending:
        return f"waiting for {_some(pending)}: still written to, not read yet, or not over yet"
    return "no landing file has changed"


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:3])
