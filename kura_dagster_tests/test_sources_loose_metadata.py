"""Metadata of any source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.sources.loose_metadata import typed_metadata, typed_value
from kura_dagster.pipeline.types import Conversation


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("a\x00", "a"),
        (5, 5),
        (True, True),
        (1.5, 1.5),
        (None, None),
        (2**63, str(2**63)),
        (float("nan"), None),
        (float("-inf"), None),
        ([1.5, float("nan")], "[1.5, null]"),
        ({"a": [float("inf")]}, '{"a": [null]}'),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([], []),
        ([True, False], "[true, false]"),
        ([1, "a"], '[1, "a"]'),
        ([[1]], "[[1]]"),
        ([None], "[null]"),
        ({"a": "ä"}, '{"a": "ä"}'),
        (("a", "b"), ["a", "b"]),
        (datetime(2026, 11, 20, tzinfo=UTC), "2026-11-20T00:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (b"abc", "[3 bytes]"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
    ],
)
def test_values_are_kept_and_typed(value: Any, typed: Any) -> None:
    assert typed_value(value) == typed
    assert type(typed_value(value)) is type(typed)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_any_json_becomes_valid_metadata_that_can_be_stored(fields: dict[str, Any]) -> None:
    time = "2026-11-20T09:00:00Z"
    conversation = Conversation.model_validate(
        {
            "chat_id": "a",
            "created_at": time,
            "messages": [{"role": "user", "content": "hi", "created_at": time}],
            "metadata": typed_metadata(fields),
        }
    )
    json.dumps(conversation.metadata, allow_nan=False).encode()
    assert Conversation.model_validate_json(conversation.model_dump_json()) == conversation
