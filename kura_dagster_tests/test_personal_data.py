"""Personal data: what is masked, what must not be, and that hostile text costs no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.personal_data import MASK, find_personal_data


def masked(text: str) -> str:
    return find_personal_data([text]).mask(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail me at jo.hn+x@ex-ample.co.uk.", "mail me at [email]."),
        ("call +49 170 1234567 or (212) 265-1040 or 408-247-8880", "call [phone] or [phone] or [phone]"),
        ("I log in from 192.168.1.17 mostly", "I log in from [ip] mostly"),
        ("use sk-proj-abcDEF1234567890abcdefgh", "use [secret]"),
        ("https://shop.test/cb?token=abc123&page=2", "https://shop.test/cb?token=[secret]&page=2"),
        ("my password is Hunter2! ok", "my password is [password] ok"),
        ("Order #1234567 hasn't arrived", "Order #[number] hasn't arrived"),
        ("My name is Anna Schmidt and I can't log in.", "My name is [name] and I can't log in."),
        ("my name is anna schmidt, please help", "my name is [name], please help"),
        ("This is Jane Doe from Acme, I need help", "This is [name] from Acme, I need help"),
        ("I'm Peter O'Neil, calling about my bill", "I'm [name], calling about my bill"),
        ("Please cancel it.\nThanks,\nMaria", "Please cancel it.\nThanks,\n[name]"),
        ("Dear Mr. Thompson,\nhello", "Dear Mr. [name],\nhello"),
        ("Hi Sarah, thanks for reaching out", "Hi [name], thanks for reaching out"),
        ("Can you book for my colleague Ravi Patel?", "Can you book for my colleague [name]?"),
        ("Ich heiße Jürgen Müller und mein Konto ist gesperrt", "Ich heiße [name] und mein Konto ist gesperrt"),
        ("Viele Grüße\nSabine Wolf", "Viele Grüße\n[name]"),
        ("Saludos,\nPablo", "Saludos,\n[name]"),
    ],
)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I'm Frustrated",
        "This is Ridiculous! Fix it.",
        "This is Microsoft Office 2019.",
        "I'm German.",
        "I'm Lost, please help",
        "Thanks, bye",
        "Thanks. Great",
        "Hi there, can you help?",
        "Dear Support, it broke",
        "my name is spelled wrong on the ticket",
        "My manager Monday said no",
        "my son March 3rd birthday",
        "on 2024-03-01 at 10:30, 10-12-2024",
        "there are 1 234 567 people and Pythagoras 3 4 5 12 13 17",
        "version 3.11.2 of postgres 16.2",
        "ich bin Kunde seit 2010",
        "Soy Cliente",
        "the password is not working",
        "I am called every day by spammers",
        "call me back later",
        "a function named parseDate",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert masked(text) == text


def test_a_name_that_is_a_word_spares_the_word() -> None:
    found = find_personal_data(["The name's Will Smith."])
    assert found.mask("Will it work for Will Smith?") == "Will it work for [name]?"


def test_masking_twice_is_masking_once() -> None:
    text = "My name is Anna Schmidt, anna@example.test, +49 170 1234567"
    found = find_personal_data([text])
    assert found.mask(found.mask(text)) == found.mask(text)
    assert len(MASK.findall(found.mask(text))) == 3


@given(st.integers(min_value=0, max_value=10**15))
def test_luhn_finds_a_wrong_check_digit(number: int) -> None:
    check = next(digit for digit in range(10) if passes_luhn(f"{number}{digit}"))
    assert not passes_luhn(f"{number}{(check + 1) % 10}")


def test_the_check_digits_of_account_numbers() -> None:
    assert passes_mod_97("GB82 WEST 1234 5698 7654 32")
    assert not passes_mod_97("GB82 WEST 1234 5698 7654 33")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "1 " * 50_000,
        "A1" * 50_000,
        "my name is " * 10_000,
        "@" * 50_000,
        "a.a" * 30_000 + "@",
        "http://" + "a" * 100_000,
        "Dear " * 20_000,
        "::" * 40_000,
        "1-" * 50_000,
        "x@" + "a." * 50_000,
    ],
)
def test_hostile_text_costs_no_time(text: str) -> None:
    begin = time.perf_counter()
    masked(text)
    assert time.perf_counter() - begin < 5


@given(st.text(max_size=300))
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(masked(text), str)
