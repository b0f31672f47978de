"""From files to the landing folder: every record landed or set aside, from disk and from an object store."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from kura_dagster.pipeline.base_classes import BaseConversationSource
from kura_dagster.pipeline.conversations import read_conversations, set_aside
from kura_dagster.pipeline.ingest import IngestReport, ingest, ingest_records
from kura_dagster.pipeline.landing import Landing
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.own_class import OwnClassError, records_of, source_called
from kura_dagster.pipeline.sources.places import NotRead, Place, find_places
from kura_dagster.pipeline.sources.record import SourceError
from kura_dagster_tests.sources import NOW, SAMPLES, a_conversation

TODAY = date(2026, 12, 1)
DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def run(folder: Path, *paths: Path | str, **options: Any) -> IngestReport:
    with Landing(folder, UTC, today=TODAY) as landing:
        return ingest(find_places([str(path) for path in paths]), landing, SourceOptions(now=NOW, **options))


def lines(*conversations: Any) -> str:
    return "".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in conversations)


def landed(folder: Path) -> dict[str, list[str]]:
    found = read_conversations(folder, DAY, DAY.replace(day=21), UTC).conversations
    return {each.chat_id: [message.content for message in each.messages] for each in found}


def test_every_record_of_every_sample_is_landed_or_set_aside(folder: Path) -> None:
    report = run(folder, SAMPLES, default_created_at=DAY)
    total = report.total
    assert not report.not_read
    assert total.new + total.rejected == report.n_read > 25
    aside = [row for day in report.days for row in set_aside(folder, day, UTC)]
    assert len(aside) == total.rejected
    again = run(folder, SAMPLES, default_created_at=DAY).total
    assert (again.new, again.updated, again.unchanged, again.rejected) == (0, 0, total.new, total.rejected)


def test_a_file_that_is_named_twice_is_read_once(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(a_conversation(), "broken\n"))
    report = run(folder, path, tmp_path / "." / "a.jsonl", tmp_path / "*.jsonl")
    assert report.n_read == 2
    assert (report.total.new, report.total.rejected) == (1, 1)


def test_ids_of_two_systems_do_not_clash(folder: Path, tmp_path: Path) -> None:
    rows = "id,timestamp,prompt,response\n1,2026-11-20T09:00:00Z,{},ok\n"
    for name in ("web", "app"):
        (tmp_path / f"{name}.csv").write_text(rows.format(name))
        run(folder, tmp_path / f"{name}.csv", source=name)
    (tmp_path / "kura.jsonl").write_text(lines(a_conversation(chat_id="1")))
    run(folder, tmp_path / "kura.jsonl", tmp_path / "web.csv")
    assert landed(folder).keys() == {"web:1", "app:1", "1", "csv:1"}


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_landed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text("<html>")
    (tmp_path / "in" / "b.jsonl").write_text(lines(a_conversation()))
    (tmp_path / "in" / "c.zip").write_bytes(b"PK\x03\x04 broken")
    report = run(folder, tmp_path / "in")
    assert [Path(each.name).name for each in report.not_read] == ["a.json", "c.zip"]
    assert list(landed(folder)) == ["a"]
    assert {Path(row.file).name for row in set_aside(folder, TODAY, UTC)} == {"a.json", "c.zip"}


def test_a_file_that_changes_while_it_is_read_is_told(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.jsonl"
    path.write_text(lines(a_conversation()))
    (place,) = find_places([str(path)])
    assert isinstance(place, Place)

    def opened_and_written_to() -> Any:
        file = place.open()
        with path.open("a") as more:
            more.write('{"chat_id": "half')
        return file

    growing = Place(place.name, place.n_bytes, opened_and_written_to, place.state)
    with Landing(folder, UTC, today=TODAY) as landing:
        report = ingest([growing], landing, SourceOptions(now=NOW))
    assert "changed while it was read" in report.not_read[0].reason
    assert list(landed(folder)) == ["a"]


def test_a_mended_file_takes_back_what_was_set_aside_of_it(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(lines(a_conversation(), '{"chat_id": "b", \n'))
    assert run(folder, path).total.rejected == 1
    path.write_text(lines(a_conversation(), a_conversation(chat_id="b")))
    assert run(folder, path).total.rejected == 0
    assert not set_aside(folder, TODAY, UTC)
    assert landed(folder).keys() == {"a", "b"}


class TestPlaces:
    def test_a_folder_is_read_with_its_folders_but_nothing_hidden_or_of_another_kind(self, tmp_path: Path) -> None:
        for name in ("b.jsonl", "deep/a.csv", "notes.txt", ".hidden.json", ".git/x.json", "UPPER.JSON"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        found = [str(Path(place.name).relative_to(tmp_path)) for place in find_places([str(tmp_path)])]
        assert found == ["UPPER.JSON", "b.jsonl", "deep/a.csv"]

    def test_links_that_lead_out_of_a_folder_are_not_followed(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.json"
        secret.touch()
        inside = tmp_path / "in"
        inside.mkdir()
        (inside / "real.json").touch()
        (inside / "link.json").symlink_to(secret)
        (inside / "own.json").symlink_to(inside / "real.json")
        (inside / "away").symlink_to(tmp_path, target_is_directory=True)
        by_name = {Path(place.name).name: place for place in find_places([str(inside)])}
        assert by_name.keys() == {"link.json", "own.json", "real.json"}
        assert isinstance(by_name["link.json"], NotRead)
        assert "leads out of its folder" in by_name["link.json"].reason
        # Named itself, a link is what the user means.
        assert isinstance(find_places([str(inside / "link.json")])[0], Place)

    def test_what_is_no_file_in_a_folder_or_a_pattern_is_told_and_the_rest_is_read(
        self, folder: Path, tmp_path: Path
    ) -> None:
        inside = tmp_path / "in"
        inside.mkdir()
        (inside / "good.json").write_text(json.dumps([a_conversation()]))
        (inside / "gone.json").symlink_to(inside / "nowhere.json")
        (inside / "circle.json").symlink_to(inside / "circle.json")
        (inside / "null.json").symlink_to("/dev/null")
        os.mkfifo(inside / "pipe.json")
        for path in (inside, inside / "*.json", inside / "**"):
            report = run(folder, path)
            assert [Path(each.name).name for each in report.not_read] == [
                "circle.json",
                "gone.json",
                "null.json",
                "pipe.json",
            ]
            assert "no file, but a pipe" in report.not_read[3].reason
            assert report.n_read == 1
        assert list(landed(folder)) == ["a"]

    def test_a_folder_that_can_not_be_listed_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "locked").mkdir()
        (tmp_path / "a.json").touch()
        scandir = os.scandir

        def refusing(path: Any) -> Any:
            if Path(path).name == "locked":
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refusing)
        read, locked = find_places([str(tmp_path)])
        assert Path(read.name).name == "a.json"
        assert locked == NotRead(str(tmp_path / "locked"), "this folder can't be listed: Permission denied")

    def test_a_pipe_that_is_named_itself_is_read(self, folder: Path, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        content = lines(*(a_conversation(chat_id=str(number)) for number in range(500)))
        writer = threading.Thread(target=pipe.write_text, args=[content])
        writer.start()
        report = run(folder, pipe)
        writer.join()
        assert not report.not_read
        assert report.total.new == 500

    def test_patterns_go_through_no_links_that_lead_out(self, tmp_path: Path) -> None:
        for name in ("in/deep/a.json", "in/b.json", "in/.hidden/c.json", "out/secret.json"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / "in" / "away").symlink_to(tmp_path / "out", target_is_directory=True)
        (tmp_path / "in" / "deep" / "up").symlink_to(tmp_path / "in", target_is_directory=True)

        def found(pattern: str) -> dict[str, type]:
            return {
                str(Path(place.name).relative_to(tmp_path)): type(place)
                for place in find_places([str(tmp_path / pattern)])
            }

        files = {"in/b.json": Place, "in/deep/a.json": Place}
        assert found("in/**/*.json") == found("in/**") == files
        assert found("in/*/*.json") == {"in/away/secret.json": NotRead, "in/deep/a.json": Place}
        assert found("*/*/a.json") == {"in/deep/a.json": Place}
        assert found("in/.h*/*.json") == {"in/.hidden/c.json": Place}

    def test_names_that_are_no_utf_8_are_shown_and_their_files_read(self, folder: Path, tmp_path: Path) -> None:
        inside = tmp_path / "in"
        inside.mkdir()
        odd = os.fsencode(inside) + b"/caf\xe9.jsonl"
        with open(odd, "w") as file:
            file.write(lines(a_conversation(), "{"))
        for path in (inside, inside / "*.jsonl", Path(os.fsdecode(odd))):
            report = run(folder, path)
            assert (report.n_read, report.total.rejected) == (2, 1)
            (aside,) = set_aside(folder, TODAY, UTC)
            assert Path(aside.file).name == "caf\\xe9.jsonl"

    @pytest.mark.parametrize("sample", ["claude_conversations.json", "chatgpt_conversations.json"])
    def test_of_an_unpacked_export_the_conversations_are_read(self, sample: str, folder: Path, tmp_path: Path) -> None:
        export = tmp_path / "in" / "export"
        export.mkdir(parents=True)
        shutil.copy(SAMPLES / sample, export / "conversations-000.json")
        (export / "conversations-001.json").write_text("[]")
        for name in ("users.json", "user.json", "message_feedback.json", "memories.json", "chat.html"):
            (export / name).write_text('[{"uuid": "u"}]')
        # What no export holds is no part of one.
        (export / "own.jsonl").write_text(lines(a_conversation()))
        (tmp_path / "in" / "other.json").write_text('[{"uuid": "u"}]')
        report = run(folder, tmp_path / "in", default_created_at=DAY)
        assert [Path(each.name).name for each in report.not_read] == ["other.json"]
        assert "a" in landed(folder)
        assert not run(folder, export).not_read

    def test_conversations_json_of_no_vendor_hides_nothing(self, tmp_path: Path) -> None:
        for name in ("conversations.json", "more.json"):
            (tmp_path / name).write_text(json.dumps([a_conversation()]))
        assert [Path(place.name).name for place in find_places([str(tmp_path)])] == ["conversations.json", "more.json"]

    def test_patterns_and_files_that_are_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "2026-11.log").touch()
        assert [Path(place.name).name for place in find_places([f"{tmp_path}/*.log"])] == ["2026-11.log"]
        # A name that looks like a pattern is a name where there is such a file.
        (tmp_path / "odd[1].json").touch()
        assert len(find_places([f"{tmp_path}/odd[1].json"])) == 1
        for missing in ("none.json", "*.none"):
            with pytest.raises(SourceError, match="none"):
                find_places([str(tmp_path / missing)])
        with pytest.raises(SourceError, match="holds no file"):
            find_places([str(tmp_path / "empty")] if (tmp_path / "empty").mkdir() is None else [])

    def test_of_kuras_checkpoints_the_conversations_are_read(self, folder: Path, tmp_path: Path) -> None:
        checkpoints = tmp_path / "checkpoints"
        checkpoints.mkdir()
        shutil.copy(SAMPLES / "kura_conversations.json", checkpoints / "conversations.json")
        (checkpoints / "summaries.jsonl").write_text('{"chat_id": "a", "summary": "s"}\n')
        report = run(folder, checkpoints)
        assert report.total.new > 0
        assert not report.not_read

    def test_an_address_of_an_unknown_kind(self) -> None:
        with pytest.raises(SourceError, match="nowhere://x/y can't be read"):
            find_places(["nowhere://x/y"])


class TestObjectStore:
    """A real S3 server on loopback, read through fsspec as any bucket is."""

    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        s3fs = pytest.importorskip("s3fs", reason="the extra s3 is not installed")
        moto = pytest.importorskip("moto.server", reason="moto's S3 server is not installed")
        server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "loopback")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"))
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("exports")
        yield files
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()

    def test_files_folders_and_patterns_of_a_bucket(self, bucket: Any, folder: Path) -> None:
        for name, chat_id in (
            ("2026/a.jsonl", "a"),
            ("2026/b.jsonl.gz", "b"),
            ("2026/notes.txt", "c"),
            ("d.jsonl", "d"),
        ):
            content = lines(a_conversation(chat_id=chat_id)).encode()
            bucket.pipe(f"exports/{name}", gzip.compress(content) if name.endswith(".gz") else content)
        assert run(folder, "s3://exports/d.jsonl").total.new == 1
        assert run(folder, "s3://exports/2026/*.gz").total.new == 1
        report = run(folder, "s3://exports/2026")
        assert (report.total.new, report.total.unchanged) == (1, 1)
        assert landed(folder).keys() == {"a", "b", "d"}
        bucket.pipe("exports/2026/a.jsonl", lines(a_conversation(chat_id="a"), "{").encode())
        assert run(folder, "s3://exports/2026/a.jsonl").total.rejected == 1
        assert [row.file for row in set_aside(folder, TODAY, UTC)] == ["s3://exports/2026/a.jsonl"]

    @pytest.mark.parametrize(
        ("variables", "said"),
        [
            ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "NoCredentialsError.*set AWS_ACCESS_KEY_ID"),
            ({"AWS_PROFILE": "none"}, "ProfileNotFound.*or AWS_PROFILE"),
            ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnectionError.*what AWS_ENDPOINT_URL says"),
        ],
    )
    def test_a_store_that_can_not_be_asked_says_what_to_set(
        self, bucket: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
    ) -> None:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        for name, value in variables.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
        type(bucket).clear_instance_cache()
        with pytest.raises(SourceError, match=f"^s3://exports/x.json can't be read: {said}") as failed:
            find_places(["s3://exports/x.json"])
        assert "\n" not in str(failed.value)

    def test_a_file_that_may_not_be_read_or_breaks_off_leaves_the_others(
        self, bucket: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a", "b", "c"):
            bucket.pipe(f"exports/{name}.jsonl", lines(a_conversation(chat_id=name)).encode())
        opened = type(bucket).open

        class IncompleteReadError(Exception):
            """As a provider's library may raise, of a kind of its own."""

        class Breaking(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise IncompleteReadError("0 bytes read")

        def refusing(files: Any, path: str, *args: Any, **kwargs: Any) -> Any:
            if path.endswith("a.jsonl"):
                raise PermissionError("Access Denied")
            return Breaking() if path.endswith("b.jsonl") else opened(files, path, *args, **kwargs)

        monkeypatch.setattr(type(bucket), "open", refusing)
        report = run(folder, "s3://exports/*.jsonl")
        assert [each.reason for each in report.not_read] == [
            "it can't be read: PermissionError: Access Denied; the credentials that are set may not read it",
            "it can't be read: IncompleteReadError: 0 bytes read",
        ]
        assert list(landed(folder)) == ["c"]

    def test_what_is_not_there_or_not_allowed_is_said_without_the_key(self, bucket: Any) -> None:
        with pytest.raises(SourceError, match="s3://exports/none"):
            find_places(["s3://exports/none.json"])
        with pytest.raises(SourceError, match="s3://no-such-bucket") as failed:
            find_places(["s3://no-such-bucket/x.json"])
        assert "loopback" not in str(failed.value)


class Tickets(BaseConversationSource):
    name = "tickets"  # type: ignore[assignment]

    def read(self) -> Iterator[dict[str, Any]]:
        yield a_conversation(chat_id=7)
        yield a_conversation(messages=[])


def test_a_class_of_the_user_s_own(folder: Path) -> None:
    own = source_called("kura_dagster_tests.test_ingest:Tickets")
    with Landing(folder, UTC, today=TODAY) as landing:
        report = ingest_records(records_of(own, SourceOptions(now=NOW)), own.name, landing, source=own.name)
    assert (report.total.new, report.total.rejected) == (1, 1)
    assert list(landed(folder)) == ["tickets:7"]


class Odd(BaseConversationSource):
    name = "odd"  # type: ignore[assignment]
    items: Any = (None, 5, "text", [("chat_id", 1)], {}, {1: object()}, a_conversation(), float("nan"))

    def read(self) -> Any:
        return self.items


class Failing(Odd):
    def read(self) -> Iterator[Any]:
        yield a_conversation()
        yield a_conversation(chat_id="b")
        raise KeyError("what a customer said")


class Unmade(Odd):
    def __init__(self) -> None:
        raise RuntimeError("no password")


def test_what_a_class_yields_that_is_no_conversation_is_set_aside_by_its_number(folder: Path) -> None:
    with Landing(folder, UTC, today=TODAY) as landing:
        report = ingest_records(records_of(Odd(), SourceOptions(now=NOW)), "odd", landing)
    assert (report.total.new, report.total.rejected) == (1, 7)
    reasons = {row.line: row.reason for row in set_aside(folder, TODAY, UTC)}
    assert reasons.keys() == {1, 2, 3, 4, 5, 6, 8}
    assert reasons[1] == "not a conversation: null, neither a Conversation nor a mapping"


def test_a_class_that_fails_is_named_and_nothing_of_it_is_landed(folder: Path) -> None:
    with Landing(folder, UTC, today=TODAY) as landing, pytest.raises(OwnClassError) as failed:
        ingest_records(records_of(Failing(), SourceOptions(now=NOW)), "odd", landing)
    assert re.fullmatch(
        r"kura_dagster_tests\.test_ingest:Failing raised KeyError in test_ingest\.py, line \d+ after record 2; "
        r"nothing was landed\. Mend it and ingest again",
        str(failed.value),
    )
    assert not folder.exists()
    nothing = Odd()
    nothing.items = None
    with pytest.raises(OwnClassError, match="raised TypeError after record 0"):
        list(records_of(nothing, SourceOptions(now=NOW)))
    with pytest.raises(OwnClassError, match="test_ingest:Unmade can't be made: it raised RuntimeError"):
        source_called("kura_dagster_tests.test_ingest:Unmade")


@pytest.mark.parametrize("where", ["no_such_module:X", "json:loads", "kura_dagster_tests.test_ingest:Gone"])
def test_what_is_no_source_is_named(where: str) -> None:
    with pytest.raises(SourceError, match=where):
        source_called(where)


@pytest.mark.parametrize("where", ["json", "my_sources", "json:", ""])
def test_a_module_without_a_class_is_told(where: str) -> None:
    with pytest.raises(SourceError, match=r"names no class; write package\.module:Class"):
        source_called(where)


def test_reasons_are_counted_by_kind(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    user = {"role": "user", "content": "hi"}
    bad = [a_conversation(messages=[user] * n + [{"role": "x", "content": "y"}]) for n in range(3)]
    path.write_text(lines(a_conversation(), *bad, a_conversation(messages=...), "{"))
    report = run(folder, path)
    assert list(report.reasons.most_common(1)[0]) == [
        "messages.N.role: unknown; known are user, assistant, system, developer, tool and their synonyms; for another "
        "say --role NAME=assistant",
        3,
    ]
    assert report.reasons.total() == report.total.rejected == 5
    assert report.n_usable == 1


def test_files_without_a_record_are_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "kura.jsonl").write_text(lines(a_conversation()))
    report = run(folder, tmp_path / "empty.jsonl", tmp_path / "kura.jsonl", tmp_path / "list.json")
    assert report.empty == [str(tmp_path / "empty.jsonl"), str(tmp_path / "list.json")]
    with Landing(folder, UTC, today=TODAY) as landing:
        assert ingest_records([], "query", landing).empty == ["query"]


def test_a_reason_names_its_file_once(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text("<html>")
    ((name, reason),) = [(each.name, each.reason) for each in run(folder, path).not_read]
    assert name == str(path)
    assert reason.startswith("it is in no known format: it holds HTML or XML")
    assert [row.reason for row in set_aside(folder, TODAY, UTC)] == [reason]


def test_sources_are_only_read(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(lines(a_conversation()))
    path.chmod(0o444)
    before = os.stat(path)
    run(folder, path)
    assert os.stat(path).st_mtime_ns == before.st_mtime_ns
