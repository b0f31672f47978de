"""Imperatives: what a request becomes, that questions stay questions, and that no negation is lost."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded.imperative import imperatives, infinitives
from kura_dagster.pipeline.embedded.request_sentence import sentences
from kura_dagster.pipeline.embedded.shortening import shortened_imperatives

NEGATIVE = re.compile(r"(?i)\b(?:not|no|never|nobody|nothing|neither|without|except|avoid|trouble|cannot)\b|n't\b")


@pytest.mark.parametrize(
    ("sentence", "imperative"),
    [
        ("How do I reset my password?", "Reset the password"),
        ("Can you book me a table for two at 7?", "Book a table for two at 7"),
        ("I need to cancel my flight to Rome", "Cancel the flight to Rome"),
        ("I'd like help with my homework", "Help with the homework"),
        ("I need help finding a dentist", "Find a dentist"),
        ("I'm looking for a cheap hotel in Paris", "Find a cheap hotel in Paris"),
        ("would you mind checking my order", "Check the order"),
        ("what's the best way to remove a stain", "Remove a stain"),
        ("remind me to call mom at 5", "Set a reminder to call mom at 5"),
        ("tell me a joke", "Tell a joke"),
        ("Tell me about the museum", "Learn about the museum"),
        ("unsubscribe me please", "Unsubscribe"),
        ("I lost my credit card", "Report a lost credit card"),
        ("I forgot my password", "Recover a forgotten password"),
        ("I was charged twice for the same order", "Report being charged twice for the same order"),
        ("my printer won't connect to wifi", "Report that the printer won't connect to wifi"),
        ("I can't log in to my account", "Fix trouble logging in to the account"),
        ("I can't find the cancel button", "Find the cancel button"),
        ("I didn't authorize this charge", "Report that the user didn't authorize the charge"),
        ("password reset", "Ask about password reset"),
        ("no sound on my laptop", "Report no sound on the laptop"),
        ("Why is my card declined?", "Explain why the card is declined"),
        ("why can't I log in", "Explain why the user cannot log in"),
        ("how does a heat pump work", "Explain how a heat pump works"),
        ("what does this error mean?", "Explain what the error means"),
        ("Where is my package?", "Find out where the package is"),
        ("how much does it cost to ship a package", "Find out how much it costs to ship a package"),
        ("How many calories are in a banana?", "Find out how many calories are in a banana"),
        ("what should i cook for dinner", "Find out what to cook for dinner"),
        ("what documents do i need for a visa", "Find out what documents the user needs for a visa"),
    ],
)
def test_a_request_becomes_an_imperative(sentence: str, imperative: str) -> None:
    assert imperatives(sentence)[0].text == imperative


@pytest.mark.parametrize(
    ("question", "imperative"),
    [
        ("Is my flight on time?", "Check whether the flight is on time"),
        ("Does Walmart have shampoo in stock?", "Check whether Walmart has shampoo in stock"),
        ("Did my payment go through?", "Check whether the payment went through"),
        ("did my credit score drop", "Check whether the credit score dropped"),
        ("Do I need a visa for Vietnam?", "Check whether the user needs a visa for Vietnam"),
        ("can a smart speaker play rain sounds", "Check whether a smart speaker can play rain sounds"),
        ("Can I bring liquids on the plane?", "Check whether it is possible to bring liquids on the plane"),
        ("Should I refinance my mortgage?", "Decide whether to refinance the mortgage"),
        ("I want to know if my car is covered", "Check whether the car is covered"),
    ],
)
def test_a_yes_or_no_question_is_not_answered(question: str, imperative: str) -> None:
    assert imperatives(question)[0].text == imperative


@pytest.mark.parametrize(
    "sentence",
    [
        "Don't renew my subscription",
        "Please do not send me any more emails",
        "I don't want to renew my plan",
        "I didn't receive my package",
        "I never got the email",
        "My package hasn't arrived yet",
        "Why can't I log in?",
        "I no longer need the newsletter",
        "I want a hotel without breakfast",
        "the heating is not working in my room",
        "I didn't authorize this charge on my card",
        "no, don't cancel the order",
        "Find out whether it works except on phones",
    ],
)
def test_no_rewriting_and_no_shortening_loses_a_negation(sentence: str) -> None:
    found = imperatives(sentence)
    assert found
    for imperative in found:
        assert NEGATIVE.search(imperative.text)
        for shorter in shortened_imperatives(imperative.text, lambda word: True):
            assert NEGATIVE.search(shorter)


@pytest.mark.parametrize(
    ("sentence", "imperative"),
    [
        ("Please don't, under any circumstances, delete my account", "Do not delete the account"),
        ("Never, ever delete my photos", "Do not delete the photos"),
        ("I do not, repeat not, want to renew my membership", "Do not renew the membership"),
        ("I don't want you to cancel, reset or delete my account", "Do not cancel, reset or delete the account"),
        ("Can you not cancel my order", "Do not cancel the order"),
        ("You should not delete my files", "Do not delete the files"),
        # What starts anew after a negation is as good as any other request.
        ("I'm not trying to cancel my order, I want to change the address", "Change the address"),
        ("We don't want to move, so how do we renew our lease", "Renew the lease"),
        # What a user can't do, or doesn't know, is what they want.
        ("Don't forget to cancel my plan", "Cancel the plan"),
        ("I don't know how to cancel my plan", "Cancel the plan"),
        ("I can't find the cancel button", "Find the cancel button"),
    ],
)
def test_what_is_denied_and_what_is_not(sentence: str, imperative: str) -> None:
    assert imperative in [one.text for one in imperatives(sentence)]


DENIALS = """
    I don't want to|I dont want to|I do not want you to|We no longer want to|I would rather not|I won't|I wont|We cannot
    I cant|Please don't|Dont|Do not|Never|Please never|You must not|Could you not|I never asked you to|I am not going to
    There is no need to|Nobody should|Nothing should|I do not think you should|It is not that I want to
    I didn't say that I want to|I doubt you can, and you should not|Neither you nor I should|Under no circumstances
    Without asking me
""".strip().replace("\n", "|")
REMARKS = "|, under any circumstances,|, repeat not,|, ever,|, I beg you,|, please,|:|;| -|…|...|, and I mean it, | so"
DEEDS = """
    cancel my account|delete my photos and my files|cancel, reset or delete my account|charge my card, please
    renew the membership, and cancel the order|let me cancel the order: delete it|you cancel my order
    cancel it, cancel my account
""".strip().replace("\n", "|")


@pytest.mark.parametrize("denial", DENIALS.split("|"))
def test_what_follows_a_denial_is_never_asked_for(denial: str) -> None:
    for remark, deed in product(REMARKS.split("|"), DEEDS.split("|")):
        for sentence in sentences(f"{denial.strip()}{remark} {deed.strip()}"):
            for imperative in imperatives(sentence):
                assert NEGATIVE.search(imperative.text), sentence
                for shorter in shortened_imperatives(imperative.text, lambda word: True):
                    assert NEGATIVE.search(shorter), sentence


@pytest.mark.parametrize("sentence", ["my son is sick", "yes", "thanks a lot", "x = {1: 2}", ""])
def test_what_asks_for_nothing_is_not_rewritten(sentence: str) -> None:
    assert [one for one in imperatives(sentence) if one.sureness > 0.6] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "If you can't ship it today, cancel my order",
        "As nobody came, cancel the visit",
        "I don't think, honestly, I want to cancel my plan",
        "It is not that, as I said, we need to cancel the order",
    ],
)
def test_what_denies_is_not_left_out(sentence: str) -> None:
    assert imperatives(sentence) == []


def test_an_opinion_that_is_asked_for_is_no_command() -> None:
    assert not [one for one in imperatives("Would you say you are a robot?") if one.text.startswith("Say")]
    assert imperatives("Can you say hello in French?")[0].text == "Say hello in French"


def test_masked_data_never_stands_in_an_imperative() -> None:
    assert imperatives("Reserve a table under the name [name]")[0].text == "Reserve a table"
    assert [one.text for one in imperatives("Send the invoice to [email]")] == ["Send the invoice to …"]


@pytest.mark.parametrize(
    ("imperative", "rare", "shorter"),
    [
        ("Cancel the flight to Rome", {"Rome"}, "Cancel the flight"),
        ("Find a cheap Italian restaurant in Paris", {"cheap", "Italian", "Paris"}, "Find a restaurant"),
        ("Find a four star hotel", {"four", "star"}, "Find a hotel"),
        ("Learn 500 words of Polish", {"500"}, "Learn 500 words of Polish"),
        ("Dispute a charge of $24.00", {"$24.00"}, "Dispute a charge of $24.00"),
        ("Merge two tables but it fails", set(), "Merge two tables"),
        ("Cook pasta this week", set(), "Cook pasta"),
        ("Find out how much it costs to ship a package", {"package", "ship"}, "Find out how much it costs"),
    ],
)
def test_what_only_one_said_is_left_out(imperative: str, rare: set[str], shorter: str) -> None:
    assert shorter in shortened_imperatives(imperative, rare.__contains__)


@given(
    st.lists(
        st.sampled_from("find a the hotel in with and that is not for user 3 big , to".split()), min_size=2, max_size=14
    )
)
def test_shortenings_are_short_and_made_of_the_words_given(words: list[str]) -> None:
    text = " ".join(["Get", *words])
    for shorter in shortened_imperatives(text, lambda word: word in ("big", "3")):
        assert len(shorter.split()) <= 10
        assert set(shorter.replace(",", " ,").lower().split()) <= {*text.lower().split(), "an"}


@pytest.mark.parametrize(
    ("sentence", "infinitive"),
    [
        ("Wie kann ich mein Passwort zurücksetzen?", "Passwort zurücksetzen"),
        ("Kannst du mir drei Tage in Edinburgh planen?", "Drei Tage in Edinburgh planen"),
        ("Ich möchte mein Abo kündigen, bitte", "Abo kündigen"),
        ("¿Cómo puedo cancelar mi suscripción?", "Cancelar mi suscripción"),
        ("Hola, quiero cambiar mi contraseña", "Cambiar mi contraseña"),
    ],
)
def test_german_and_spanish_wishes_become_infinitives(sentence: str, infinitive: str) -> None:
    assert [one.text for one in infinitives(sentence)] == [infinitive]


@pytest.mark.parametrize(
    "sentence",
    [
        "Ich kann mein Konto nicht löschen",
        "No quiero renovar",
        "Was kostet das?",
        "",
        "Ich möchte [name] anrufen",
        "Ich will niemals kündigen müssen",
    ],
)
def test_what_is_no_wish_or_denied_gives_no_infinitive(sentence: str) -> None:
    assert infinitives(sentence) == []


@given(st.text(max_size=200))
def test_any_text_is_rewritten_or_left_alone(text: str) -> None:
    for imperative in imperatives(text):
        assert 0 <= imperative.sureness <= 1
        assert imperative.text == imperative.text.strip()
        assert not imperative.text.endswith((".", "!", "?", ","))


@pytest.mark.parametrize(
    "text",
    ["can you " * 5_000, "how do i " * 5_000, "my the " * 5_000, "a, " * 10_000, "I want to know if " * 2_000],
)
def test_hostile_text_costs_no_time(text: str) -> None:
    begin = time.perf_counter()
    imperatives(text)
    assert time.perf_counter() - begin < 5
