from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.accounting import unaccounted


@pytest.mark.parametrize(
    ("returned", "faults"),
    [
        ("cab", ""),
        ("ab", "lost c"),
        ("abca", "doubled a"),
        ("abcx", "invented x"),
        ("bbxx", "lost a, c; doubled b, x; invented x"),
        ("", "lost a, b, c"),
    ],
)
def test_what_is_lost_doubled_or_invented_is_named(returned: str, faults: str) -> None:
    assert unaccounted("abc", returned) == faults


def test_a_message_holds_a_few_of_many() -> None:
    assert unaccounted((f"c{number}" for number in range(9)), []) == "lost c0, c1, c2 and 6 more"


@given(st.sets(st.text("abcd", min_size=1)), st.lists(st.text("abcd", min_size=1)))
def test_it_is_silent_exactly_when_each_came_back_once(expected: set[str], returned: list[str]) -> None:
    assert (unaccounted(expected, returned) == "") == (sorted(expected) == sorted(returned))
