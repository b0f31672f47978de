"""Texts however they are typed: what is found in the plain copy is replaced in the original, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kura_dagster.pipeline.privacy.personal_data import MASK, find_kinds, find_personal_data
from kura_dagster.pipeline.privacy.traced_text import TracedText, plain

VARIANTS = [
    ("+49\u00a0170\u00a01234567", "[phone]"),
    ("+49\u202f170\u20071234567", "[phone]"),
    ("+49\u2009170\u20091234567", "[phone]"),
    ("+49\u2011170\u20111234567", "[phone]"),
    ("030\u20139018\u201320, call me", "[phone], call me"),
    ("call 030\u2014901820 soon", "call [phone] soon"),
    ("＋４９ １７０ １２３４５６７", "[phone]"),
    ("call +٤٩ ١٧٠ ١٢٣٤٥٦٧", "call [phone]"),
    ("फ़ोन +९१ ९८७६५ ४३२१०", "फ़ोन [phone]"),
    ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "[iban]"),
    ("4111\u00a01111\u00a01111\u00a01111", "[card]"),
    ("4111\u20101111\u20101111\u20101111", "[card]"),
    ("4111\u200b1111\u200b1111\u200b1111", "[card]"),
    ("tom＠example.com", "[email]"),
    ("tom@exam\u00adple.com", "[email]"),
    ("192.\u2060168.\u20601.17", "[ip]"),
    ("My\u00a0name\u00a0is\u00a0Anna\u00a0Schmidt.", "My\u00a0name\u00a0is\u00a0[name]."),
    ("Ich heiße Ju\u0308rgen Mu\u0308ller.", "Ich heiße [name]."),
    ("my password\u00a0is\u00a0Hunter2!", "my password\u00a0is\u00a0[password]"),
]


@pytest.mark.parametrize(("text", "expected"), VARIANTS)
def test_typographic_variants_are_masked(text: str, expected: str) -> None:
    assert find_personal_data([text]).mask(text) == expected


@pytest.mark.parametrize(("text", "expected"), VARIANTS)
def test_the_check_sees_them_as_well(text: str, expected: str) -> None:
    kinds = [kind[1:-1] for kind in MASK.findall(expected) if kind != "[name]"]
    assert list(find_kinds(text).elements()) == kinds


def test_what_is_around_stays_as_it_was_written() -> None:
    text = "１０\u00a0000 Leute\u200b – S. 10–12, co\u00adop – e\u0301te\u0301 tom＠example.com\u00a0：٣ 👩\u200d💻"
    assert find_personal_data([text]).mask(text) == text.replace("tom＠example.com", "[email]")


@pytest.mark.parametrize(
    "text",
    [
        "Rooms 101–105 and 201\u2011203",
        "1990–2010",
        "10\u00a0000\u00a0000 inhabitants",
        "I'm Anna—like you said",
        "٢٠٢٤-٠٣-٠١",
    ],
)
def test_typography_alone_makes_nothing_personal(text: str) -> None:
    assert find_personal_data([text]).mask(text) == text


def test_several_masks_of_one_piece_stand_where_what_they_replace_stood() -> None:
    text = "https://app:Pa55word@db.test/a\u00adb?token=abc123\u200b&page=2&secret=x1y2z3 \u00a0"
    expected = "https://[secret]@db.test/a\u00adb?token=[secret]&page=2&secret=[secret] \u00a0"
    assert find_personal_data([text]).mask(text) == expected


def test_a_mask_that_was_there_stays_where_it_was() -> None:
    text = "[email]\u00a0a+49\u00a0170 [email]a[email] pw:\u00a0Hunter22! x"
    assert find_personal_data([text]).mask(text) == "[email]\u00a0a+49\u00a0170 [email]a[email] pw:\u00a0[password] x"


ODD = st.text(alphabet="1a .-\u00a0\u00ad\u200b\u0308\u2011１٣＠@é\u2014İß", max_size=60)


@given(ODD)
@example("a\u00ad\u0308")
@example("\uff21\u0308")
def test_a_text_that_nothing_is_replaced_in_comes_back(text: str) -> None:
    assert TracedText(text).restored(MASK) == text
    assert plain(plain(text)) == plain(text)


@given(ODD)
def test_what_is_replaced_is_all_that_changes(text: str) -> None:
    traced = TracedText(text)
    traced.substitute(re.compile("1+"), lambda match: "[ip]", MASK)
    restored = traced.restored(MASK)
    parts = restored.split("[ip]")
    # Whatever stands between the pieces is in the text, in that order, and holds no one.
    place = 0
    for part in parts:
        place = text.index(part, place) + len(part)
    assert "1" not in plain("".join(parts))
