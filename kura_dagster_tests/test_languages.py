"""Languages: of the user's prose, and of code fences."""

from __future__ import annotations

import time

import pytest

from kura_dagster.pipeline.embedded.languages import find_languages


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("pls halp me i cant loggin to my acount", ["english"]),
        ("how many mexican pesos can i get for one us dollar", ["english"]),
        ("Wie kann ich mein Passwort zurücksetzen?", ["german"]),
        ("quiero cancelar la suscripción", ["spanish"]),
        ("comment annuler ma commande", ["french"]),
        ("我想退款", ["chinese"]),
        ("", []),
        ("ok", []),
        ("1234 :-) https://example.test/wie-kann-ich", []),
    ],
)
def test_the_language_of_a_text(text: str, languages: list[str]) -> None:
    assert find_languages([text], [text]) == languages


def test_a_short_turn_takes_the_language_of_the_answer() -> None:
    assert find_languages(["wo?"], ["wo?", "Ihr Paket ist unterwegs und kommt morgen an."]) == ["german"]


def test_programming_languages_follow_the_users_most_used_first() -> None:
    user = "Hola, necesito ayuda con mi pedido que no ha llegado todavía"
    fences = [
        "```py\nx = 1\n```",
        "```sql\nselect 1\n```",
        "```python\ny\n```",
        "```text\nplain\n```",
        "```\nnone\n```",
    ]
    assert find_languages([user], fences) == ["spanish", "python", "sql"]


def test_a_user_who_changes_language_has_two() -> None:
    turns = [
        "Hola, necesito ayuda con mi pedido que no ha llegado todavía",
        "Actually let me write this in English, my order did not arrive yet and I want a refund",
    ]
    assert find_languages(turns, turns) == ["english", "spanish"]


def test_code_is_no_prose() -> None:
    text = "Warum geht das nicht?\n```python\nfor line in open(path):\n    print(line.strip())\n```"
    assert find_languages([text], [text]) == ["german", "python"]


@pytest.mark.parametrize(
    "text", ["```" * 30_000, "```a" + "x" * 100_000, "[x" * 50_000, "`a" * 50_000, "\n```py" * 30_000]
)
def test_hostile_text_costs_no_time(text: str) -> None:
    begin = time.perf_counter()
    find_languages([text], [text])
    assert time.perf_counter() - begin < 5
