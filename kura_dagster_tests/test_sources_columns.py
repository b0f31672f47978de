"""Tables: CSV, Parquet, queries; a row a conversation or a row a message."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kura_dagster.pipeline.sources import columns, csv_rows
from kura_dagster.pipeline.sources.columns import read_rows
from kura_dagster.pipeline.sources.loose_times import NOT_A_TIME, DateOrder
from kura_dagster.pipeline.sources.options import ColumnMapping
from kura_dagster.pipeline.sources.reading import Format, SourceError, SourceOptions, read_source
from kura_dagster.pipeline.sources.record import Read, Record, Unusable
from kura_dagster_tests.sources import NOW, OPTIONS, SOME_DAY, conversations, read, read_sample, reasons, said


def with_columns(**pairs: Any) -> SourceOptions:
    return SourceOptions(now=NOW, default_created_at=SOME_DAY, columns=ColumnMapping.of_pairs(pairs))


def read_csv(text: str | bytes, options: SourceOptions = OPTIONS) -> list[Record]:
    return read(text, "table.csv", options, Format.CSV)


def test_the_sample_with_a_row_a_conversation() -> None:
    records = read_sample("prompts.csv")
    assert reasons(records) == {
        3: "messages: the user says nothing",
        4: "7 fields, and 6 columns",
        5: f"created_at: {NOT_A_TIME}",
    }
    first, second = conversations(records)
    assert said(first) == [("user", "How do I cancel, and when?"), ("assistant", "On the billing page.\nAny time.")]
    assert first.created_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert first.metadata == {"plan": "pro", "score": "0.5"}
    assert said(second)[1] == ("assistant", "Auf der Seite „Abrechnung“.")


def test_the_sample_with_a_row_a_message() -> None:
    records = read_sample("messages.csv")
    assert [record.number for record in records] == [5, 2, 1, 6]
    assert reasons(records)[5] == "conversation_id: missing"
    assert reasons(records)[6].startswith("messages.0.role: unknown")
    charged, parcel = conversations(records)
    # Rows were neither together nor in order.
    assert said(charged) == [
        ("user", "I was charged twice"),
        ("assistant", "Which order?"),
        ("user", "Order 77"),
    ]
    assert charged.metadata == {"channel": "mail"}
    assert parcel.chat_id == "B"


def test_a_column_of_json_messages() -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerows([["id", "messages"], [1, json.dumps(messages)], [2, "no"], [3, "[]"], [4, ""]])
    records = read_csv(written.getvalue())
    (conversation,) = conversations(records)
    assert said(conversation) == [("user", "hi"), ("assistant", "hello")]
    assert conversation.created_at == SOME_DAY
    assert reasons(records) == {
        2: "messages: not JSON: Expecting value at character 1",
        3: "messages: there are none",
        4: "messages: not JSON: Expecting value at character 1",
    }


def test_named_columns_and_only_the_metadata_that_is_asked_for() -> None:
    options = with_columns(prompt="Frage", response="Antwort", created_at="Tag", metadata="Land, Alter")
    text = "Frage;Antwort;Tag;Land;Alter;Name\nWie?;So.;2026-11-20;DE;41;Ada\n"
    (conversation,) = conversations(read_csv(text, options))
    assert said(conversation) == [("user", "Wie?"), ("assistant", "So.")]
    assert conversation.metadata == {"Land": "DE", "Alter": "41"}


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ({}, "name either messages, or prompt"),
        ({"messages": "a", "prompt": "b"}, "name either messages, or prompt"),
        ({"response": "b"}, "response is named without prompt"),
        ({"role": "a", "content": "b"}, "one row a message needs role, content and chat_id"),
        ({"prompt": "a", "response": "a"}, "a stands for two things"),
        ({"prompts": "a"}, "prompts is no name; allowed are chat_id, created_at, messages"),
        ({"prompt": ""}, "prompt needs the name of one column"),
    ],
)
def test_mappings_that_make_no_conversation(pairs: dict[str, str], fault: str) -> None:
    with pytest.raises(SourceError, match=fault):
        ColumnMapping.of_pairs(pairs)


def test_columns_that_do_not_fit_the_table() -> None:
    with pytest.raises(SourceError, match=r"table\.csv has no column q; it has a, b"):
        read_csv("a,b\n1,2\n", with_columns(prompt="q"))
    with pytest.raises(SourceError, match=r"table\.csv has the columns a, b; say which is what"):
        read_csv("a,b\n1,2\n")


@pytest.mark.parametrize(
    ("header", "columns_found"),
    [
        ("prompt,response", {"prompt": "prompt", "response": "response"}),
        ("Question,Answer,Date", {"prompt": "Question", "response": "Answer", "created_at": "Date"}),
        ("id,conversation", {"chat_id": "id", "messages": "conversation"}),
        (
            "Ticket ID,Author type,Message body,Created on",
            {"chat_id": "Ticket ID", "role": "Author type", "content": "Message body", "created_at": "Created on"},
        ),
        (
            "Conversation ID,Sender,Text,Sent at",
            {"chat_id": "Conversation ID", "role": "Sender", "content": "Text", "created_at": "Sent at"},
        ),
    ],
)
def test_names_of_columns_tell_what_they_are(header: str, columns_found: dict[str, str]) -> None:
    assert ColumnMapping.guessed(header.split(","), "x") == ColumnMapping.of_pairs(columns_found)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(",", "\t").encode(),
    ],
)
def test_encodings_line_ends_and_delimiters(encode: Any) -> None:
    (conversation,) = conversations(read_csv(encode("prompt,response\n¿Qué?,日本\n")))
    assert said(conversation) == [("user", "¿Qué?"), ("assistant", "日本")]


def test_rows_that_are_no_text_or_no_csv() -> None:
    records = read_csv(b"prompt,response\nok,ok\ncaf\xe9,x\nfine,fine\n")
    assert reasons(records) == {
        2: "not UTF-8; say which encoding it is with --encoding, for example cp1252, in which Excel saves plain CSV"
    }
    assert [record.number for record in records] == [1, 2, 3]
    records = read_csv("prompt,response\na,b\rc,d\ne,f\n")
    assert next(iter(reasons(records).values())) == "not CSV: a line break inside of a field without quotes"


@pytest.mark.parametrize("encoding", ["cp1252", "Latin-1", "utf-16-le", "utf-8", "shift_jis"])
def test_an_encoding_can_be_named(encoding: str) -> None:
    text = "prompt,response\nok,日本\n" if encoding == "shift_jis" else "prompt,response\ncafé,ok\n"
    (conversation,) = conversations(read_csv(text.encode(encoding), replace(OPTIONS, encoding=encoding)))
    assert "".join(message for _, message in said(conversation)) in ("caféok", "ok日本")


def test_bytes_that_are_not_of_the_named_encoding() -> None:
    content = b"prompt,response\nok,ok\n\x81,x\nfine,\x80\n"
    records = read_csv(content, replace(OPTIONS, encoding="cp1252"))
    assert reasons(records) == {2: "not cp1252; say which encoding it is with --encoding"}
    assert said(conversations(records)[1]) == [("user", "fine"), ("assistant", "€")]
    with pytest.raises(SourceError, match="has a header that is not cp1252"):
        read_csv(b"\x81,b\n", replace(OPTIONS, encoding="cp1252"))
    assert len(conversations(read_csv("prompt\ncafé\n".encode("utf-8-sig"), replace(OPTIONS, encoding="cp1252")))) == 1


@pytest.mark.parametrize("name", ["ansi-art", "base64", "rot13", "undefined", "a\0b", "", "unicode_escape"])
def test_encodings_that_are_none(name: str) -> None:
    with pytest.raises(SourceError, match="is no encoding of texts; known are cp1252"):
        SourceOptions(encoding=name)


def test_dates_of_a_table_are_as_the_reader_says() -> None:
    text = "id,role,content,date\n1,user,second,06/11/2026\n1,user,first,05/11/2026\n"
    assert "--dates" in reasons(read_csv(text))[1]
    (conversation,) = conversations(read_csv(text, replace(OPTIONS, dates=DateOrder.DAY_FIRST)))
    assert said(conversation) == [("user", "first"), ("user", "second")]
    assert conversation.created_at == datetime(2026, 11, 5, tzinfo=UTC)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(csv_rows, "MAX_CONVERSATION_BYTES", 1_000)
    monkeypatch.setattr(csv_rows, "_CHUNK", 7)
    return 1_000


def prompts(records: list[Record]) -> list[str]:
    return [conversation.messages[0].content for conversation in conversations(records)]


@pytest.mark.parametrize("misquoted", ['c,"d', '"c"d,e', '"' + "c" * 3_000 + '"d,e', '"c","say "hi"!"', 'c,"""'])
@pytest.mark.parametrize("n_rows", [0, 3, 1_000])
def test_a_quote_that_does_not_end_costs_its_line_only(small_limit: int, misquoted: str, n_rows: int) -> None:
    records = read_csv(f"prompt,response\na,b\n{misquoted}\n" + "e,f\n" * n_rows + '"g",h\n"i\nj",k')
    assert prompts(records) == ["a", *["e"] * n_rows, "g", "i\nj"]
    assert [record.number for record in records] == list(range(1, n_rows + 5))
    assert reasons(records)[2].startswith("not CSV: a quote that does not end, or one inside of a field")
    (unusable,) = [record for record in records if isinstance(record, Unusable)]
    assert unusable.content
    assert f"{misquoted}\n".startswith(unusable.content)


@pytest.mark.parametrize("large", ["x" * 3_000, "x\n" * 3_000, '""' * 3_000, "é\r\n" * 3_000, 'x","' * 3_000])
def test_a_row_that_is_too_large_costs_itself_only(small_limit: int, large: str) -> None:
    records = read_csv(f'prompt,response\na,b\nc,"{large}"\ne,f\n"{large}","{large}"\n"{large}",g\nh,i\n')
    assert prompts(records) == ["a", "e", "h"]
    assert reasons(records) == dict.fromkeys((2, 4, 5), "larger than 16 MB")


def test_a_file_whose_every_line_leaves_a_quote_open_is_read_once() -> None:
    # Each line opens a quote where none is open, and where one is.
    lines = '",x","\n' * 100_000
    for end in ("", '"x"y\n'):
        assert len(reasons(read_csv("prompt,response\n" + lines + end))) >= 100_000


CELL = st.text(st.sampled_from('a",\n\r é\x00'), max_size=6) | st.just("x" * 80)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8), limit=st.sampled_from([50, 200, 10_000]))
def test_rows_that_were_written_as_csv_are_read_or_too_large(rows: list[tuple[str, ...]], limit: int) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "MAX_CONVERSATION_BYTES", limit)
        found = list(csv_rows.csv_rows(io.BufferedReader(io.BytesIO(written.getvalue().encode())), "x"))  # type: ignore[arg-type]
    assert len(found) == len(rows)
    for row, read_row in zip(rows, found, strict=True):
        if isinstance(read_row, columns.BadRow):
            assert read_row.reason == "larger than 16 MB"
            assert sum(len(cell.encode()) for cell in row) > limit / 3
        else:
            assert tuple(read_row.values()) == row


@given(st.text(st.sampled_from('ab",\n'), max_size=60), st.sampled_from([5, 10_000]))
def test_any_text_after_a_header_loses_no_line(text: str, limit: int) -> None:
    """Every line is the beginning of a row that is told, or a part of one whose quotes are right."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "MAX_CONVERSATION_BYTES", limit)
        stream = io.BufferedReader(io.BytesIO(f"a,b\n{text}".encode()))  # type: ignore[arg-type]
        try:
            found = list(csv_rows.csv_rows(stream, "x"))
        except SourceError:
            return
    kept = "".join("".join(row.values()) for row in found)
    if limit > len(text):
        assert kept.count("a") + kept.count("b") == text.count("a") + text.count("b")
    assert bool(found) == bool(text.strip("\n"))


def test_a_header_of_many_columns_is_looked_through_once() -> None:
    names = ",".join(f"c{number}" for number in range(100_000))
    records = read_csv(f"prompt,{names}\nhi,{names}\n")
    assert prompts(records) == ["hi"]
    with pytest.raises(SourceError, match="has the column c7 twice"):
        read_csv(f"prompt,{names},c7\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [("\n \n,,\n", "has no header"), ("a,a\n1,2\n", "has the column a twice"), (b"\xff,b\n", "not UTF-8")],
)
def test_headers_that_are_none(text: str | bytes, fault: str) -> None:
    with pytest.raises(SourceError, match=fault):
        read_csv(text)


def test_a_conversation_whose_rows_are_too_large_together_is_unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_CONVERSATION_BYTES", 1_000)
    rows = [{"chat_id": "a", "role": "user", "content": "x" * 300} for _ in range(9)]
    rows += [
        {"chat_id": "b", "role": "user", "content": "hi"},
        {"chat_id": "c", "role": "user", "content": "x" * 2_000},
    ]
    records = list(read_rows(rows, "rows", OPTIONS))
    assert [conversation.chat_id for conversation in conversations(records)] == ["b"]
    assert reasons(records) == {1: "larger than 16 MB in its 9 rows", 11: "larger than 16 MB"}


TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.datetimes(), st.binary(max_size=3))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.fixed_dictionaries({"id": VALUE, "role": VALUE | st.just("user"), "text": VALUE, "m": VALUE})))
def test_every_row_of_messages_is_in_one_record(rows: list[dict[str, Any]]) -> None:
    records = list(read_rows(rows, "rows", with_columns(chat_id="id", role="role", content="text")))
    ids = [row["id"] for row in rows]
    named = {str(each).strip() for each in ids if each is not None}
    assert len(records) <= len(rows)
    assert bool(records) == bool(rows)
    assert len(records) >= len({name for name in named if name.isascii() and name.isprintable() and name})


@given(st.lists(st.fixed_dictionaries({"prompt": VALUE, "time": VALUE, "m": VALUE}), max_size=5))
def test_every_row_without_an_id_is_a_record(rows: list[dict[str, Any]]) -> None:
    records = list(read_rows(rows, "rows", with_columns(prompt="prompt", created_at="time")))
    assert [record.number for record in records] == list(range(1, len(rows) + 1))


def test_the_turns_of_a_session_are_one_conversation() -> None:
    """Logs often have a row for each question, and what they call its id is that of the session."""
    columns = ("session_id", "timestamp", "prompt", "response")
    turns = [
        ("S1", "2026-11-20T09:00:00Z", "Where is my parcel?", "Which order?"),
        ("S2", "2026-11-20T09:01:00Z", "Reset my password", "Done"),
        ("S1", "2026-11-20T09:02:00Z", "Order 7", "At your door"),
        (None, "2026-11-20T09:03:00Z", "Hello", "Hi"),
        ("S1", "2026-11-20T09:01:30Z", "The kettle", "Which one?"),
    ]
    records = read_rows([dict(zip(columns, turn, strict=True)) for turn in turns], "rows", SourceOptions(now=NOW))
    found = {each.chat_id: each for each in conversations(list(records))}
    assert len(found) == 3
    assert [content for _, content in said(found["S1"])] == [
        *("Where is my parcel?", "Which order?"),
        *("The kettle", "Which one?"),
        *("Order 7", "At your door"),
    ]
    assert found["S1"].messages[-1].created_at == datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
    assert found["S1"].created_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_with_messages_in_structs(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "chats [1]*.parquet",
        """SELECT 7 AS conversation_id, TIMESTAMPTZ '2026-11-20 09:00:00+00' AS timestamp, 'en' AS language,
        [{'role': 'user', 'content': 'Grüße'}, {'role': 'assistant', 'content': 'Hello'}] AS conversation
        UNION ALL SELECT 8, NULL, NULL, []""",
    )
    with path.open("rb") as file:
        records = list(read_source(file, path.name, OPTIONS))
    (conversation,) = conversations(records)
    assert conversation.chat_id == "7"
    assert conversation.created_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert said(conversation) == [("user", "Grüße"), ("assistant", "Hello")]
    assert conversation.metadata == {"language": "en"}
    assert reasons(records) == {2: "conversation: there are none"} or reasons(records) == {
        2: "messages: there are none"
    }
    # The same without a path to it.
    assert read(path.read_bytes(), "x.parquet") == records


def test_parquet_with_a_row_a_message(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "messages.parquet",
        """SELECT i % 3 AS conversation_id, 'user' AS role, 'text ' || i AS content,
        TIMESTAMP '2026-11-20 09:00:00' + INTERVAL (i) MINUTE AS created_at FROM range(9) AS t(i)""",
    )
    records = read(path.read_bytes(), "x.parquet")
    assert [len(conversation.messages) for conversation in conversations(records)] == [3, 3, 3]


def test_what_is_no_parquet_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"x\.parquet can't be read as Parquet"):
        read(b"PAR1" + b"\x00" * 100, "x.parquet")
    with pytest.raises(SourceError, match=r"x\.parquet is a Parquet file, and nothing was given to read those"):
        read(b"PAR1" + b"\x00" * 100, "x.parquet", SourceOptions())


def test_a_table_of_many_messages_takes_little_memory() -> None:
    import tracemalloc

    def rows() -> Any:
        for number in range(20_000):
            yield {"chat_id": number % 5_000, "role": "user", "content": f"{number} " + "x" * 1_000}

    tracemalloc.start()
    found = sum(isinstance(record, Read) for record in read_rows(rows(), "rows", OPTIONS))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 5_000
    assert peak < 10_000_000


def test_messages_in_the_columns_of_a_trace() -> None:
    asked = [{"role": "system", "content": "Sell."}, {"role": "user", "content": "Red?"}]
    answered = {"role": "assistant", "content": "Yes."}
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["input", "output"])
    rows.writerow([json.dumps(asked), json.dumps(answered)])
    rows.writerow([json.dumps({"messages": asked}), json.dumps({"choices": [{"message": answered}]})])
    rows.writerow(['[{"a": 1}] is what I sent', '{"b": 2}'])
    rows.writerow(['[{"a": 1}]', '{"b": 2}'])
    first, second, *texts = conversations(read_csv(written.getvalue()))
    assert said(first) == said(second) == [("system", "Sell."), ("user", "Red?"), ("assistant", "Yes.")]
    assert [said(each) for each in texts] == [
        [("user", '[{"a": 1}] is what I sent'), ("assistant", '{"b": 2}')],
        [("user", '[{"a": 1}]'), ("assistant", '{"b": 2}')],
    ]
    options = with_columns(prompt="q", response="a")
    records = read([{"q": asked, "a": answered}, {"q": ["a", "b"]}, {"q": {"x": 1}}], options=options)
    assert [said(each) for each in conversations(records)] == [said(first), [("user", "a\nb")]]
    assert reasons(records)[3].startswith("q: an object in which no messages can be told")


def test_rows_of_one_id_that_repeat_what_was_said_before_say_it_once() -> None:
    asked = [{"role": "user", "content": "Red?"}]
    later = [*asked, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Size?"}]
    items = [
        {"session_id": 1, "dialogue": asked, "answer": "Yes.", "time": "2026-11-20T09:00:00Z"},
        {"session_id": 1, "dialogue": later, "answer": "44.", "time": "2026-11-20T09:01:00Z"},
        {"session_id": 1, "dialogue": "Thanks", "answer": "Yes.", "time": "2026-11-20T09:02:00Z"},
    ]
    options = with_columns(chat_id="session_id", prompt="dialogue", response="answer", created_at="time")
    (conversation,) = conversations(read(items, options=options, format=Format.JSON))
    assert [text for _, text in said(conversation)] == ["Red?", "Yes.", "Size?", "44.", "Thanks", "Yes."]


def test_bad_rows_before_the_first_good_one_are_kept() -> None:
    records = read_csv("prompt,response\na\nb,c\n")
    assert isinstance(records[0], Unusable)
    assert reasons(records) == {1: "1 field, and 2 columns"}
    assert reasons(read_csv("prompt,response\na\n")) == {1: "1 field, and 2 columns"}


def test_json_objects_are_rows_too() -> None:
    lines = ['{"prompt": "Who?", "completion": "Ada.", "n": 1}', "", "{", "[]", '{"prompt": "Where?", "tags": ["a"]}']
    records = read("\n".join(lines))
    assert [said(conversation) for conversation in conversations(records)] == [
        [("user", "Who?"), ("assistant", "Ada.")],
        [("user", "Where?")],
    ]
    assert [conversation.metadata for conversation in conversations(records)] == [{"n": 1}, {"tags": ["a"]}]
    assert reasons(records) == {
        3: "not JSON: Expecting property name enclosed in double quotes at character 2",
        4: "not a conversation: a list, no JSON object",
    }
    items = [{"thread": 1, "by": "user", "said": "hi"}, {"thread": 1, "by": "bot", "said": "hello"}, {"thread": 2}]
    records = read(items, options=with_columns(chat_id="thread", role="by", content="said"), format=Format.JSON)
    assert said(conversations(records)[0]) == [("user", "hi"), ("assistant", "hello")]
    assert [record.number for record in records] == [1, 3]
