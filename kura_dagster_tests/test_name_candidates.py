"""The scores of possible names, one term at a time: everything else being equal, each term decides on its own."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.embedded.group_words import Group
from kura_dagster.pipeline.embedded.joints import n_joints, word_neighbours
from kura_dagster.pipeline.embedded.name_candidates import Candidate, rank_candidates

OWN, OTHER, NOWHERE = np.eye(3)
BETWEEN = (OWN + OTHER) / np.sqrt(2)
# Said by everybody, and nothing that a name could be made of: only the words count.
ALL_WORDS = "{reset cancel password ticket}"


class Chosen(BaseEmbeddingModel):
    """An embedding model with vectors of the test's choice; a text it wasn't told of is near to no group."""

    def __init__(self, **vectors: np.ndarray) -> None:
        self.vectors = {text.replace("_", " "): vector for text, vector in vectors.items()}

    async def embed(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]  # mypy calls no array a sequence
        return np.stack([self.vectors.get(text.lower(), NOWHERE) for text in texts])

    def slug(self) -> str:
        return "chosen"


def group(asked: list[str], said: list[str] | None = None, centroid: np.ndarray = OWN) -> Group:
    texts = said or [ALL_WORDS] * len(asked)
    return Group(asked, texts, np.tile(centroid, (len(asked), 1)), centroid)


def ranked(own: Group, model: Chosen | None = None, others: list[Group] | None = None) -> list[Candidate]:
    return asyncio.run(rank_candidates([own, *(others or [])], model or Chosen()))[0]


def best(own: Group, model: Chosen | None = None, others: list[Group] | None = None) -> str:
    return ranked(own, model, others)[0].text


def test_of_equals_the_first_in_the_alphabet_comes_first() -> None:
    names = [one.text for one in ranked(group(["reset my password", "cancel my ticket"]))]
    assert names == ["Cancel the ticket", "Reset the password"]


def test_what_is_nearer_to_what_members_asked_wins() -> None:
    model = Chosen(reset_my_password=OTHER, cancel_my_ticket=OTHER, reset_the_password=OTHER)
    assert best(group(["reset my password", "cancel my ticket"]), model) == "Reset the password"


def test_what_is_farther_from_other_groups_wins() -> None:
    others = [group(["show it"], centroid=OTHER)]
    as_near_to_both = (OWN + BETWEEN) / np.linalg.norm(OWN + BETWEEN)
    asked = {"reset_my_password": as_near_to_both, "cancel_my_ticket": as_near_to_both}
    model = Chosen(reset_the_password=OWN, cancel_the_ticket=BETWEEN, show_it=OTHER, **asked)
    assert best(group(["reset my password", "cancel my ticket"]), model, others) == "Reset the password"
    model = Chosen(reset_the_password=BETWEEN, cancel_the_ticket=OWN, show_it=OTHER, **asked)
    assert best(group(["reset my password", "cancel my ticket"]), model, others) == "Cancel the ticket"


def test_what_those_who_agree_least_are_nearer_to_wins() -> None:
    """Both names are as near to what members asked on average; one is near to half of them and far from the others."""
    near, far = (NOWHERE + OWN) / np.sqrt(2), OWN
    model = Chosen(
        reset_my_password=OWN, cancel_my_ticket=NOWHERE, reset_the_password=near, cancel_the_ticket=np.sqrt(2) * far
    )
    assert best(group(["reset my password", "cancel my ticket"]), model) == "Reset the password"


def test_words_that_nobody_has_side_by_side_cost() -> None:
    (name,) = [one for one in ranked(group(["where is the station"] * 3)) if one.text.startswith("Where")]
    assert name.joints == 0
    neighbours = word_neighbours(["what company were you designed by", "the station"])
    assert n_joints("What company were you designed by", neighbours) == 0
    assert n_joints("Find out what company the designed", neighbours) > 0


def test_a_noun_that_few_share_gives_way_to_a_slot() -> None:
    words = ["assiduous", "unencumbered", "adulation", "lucid", "terse"]
    names = [one.text for one in ranked(group([f"what is the definition of {word}" for word in words], words))]
    assert "What is the definition of …" in names


def test_a_request_is_meant_by_those_it_is_near_to() -> None:
    own = group(["reset my password", "cancel my ticket"], ["reset it", "cancel it"])
    model = Chosen(reset_my_password=OWN, cancel_my_ticket=NOWHERE, reset_the_password=OWN)
    meant = {one.text: one.meant for one in ranked(own, model)}
    assert meant["Reset the password"] == 0.5


def test_what_sets_the_group_apart_by_its_words_wins() -> None:
    others = [group(["cancel it", "ticket it", "reset it"], ["{cancel ticket reset}"] * 3, OTHER)]
    assert best(group(["reset my password", "cancel my ticket"]), None, others) == "Reset the password"


def test_what_more_members_have_the_words_of_wins() -> None:
    said = ["{reset password cancel ticket}"] * 3 + ["{reset password}"] * 2
    asked = ["reset my password", "cancel my ticket", *["{}"] * 3]
    others = [group(["{}"] * 5, ["{reset password cancel ticket}"] * 5, OTHER)]  # so that no word sets the group apart
    assert best(group(asked, said), None, others) == "Reset the password"


def test_what_more_members_ask_for_wins() -> None:
    assert best(group(["cancel my ticket", *["reset my password"] * 3])) == "Reset the password"


def test_what_is_rewritten_more_surely_wins() -> None:
    assert best(group(["I want to reset my password", "cancelling my ticket"])) == "Reset the password"


def test_what_is_said_first_wins() -> None:
    assert best(group(["Reset my password. Cancel my ticket."] * 2)) == "Reset the password"


def test_a_shorter_name_wins() -> None:
    said = ["{reset password cancel big ticket}"] * 2
    others = [group(["{}"] * 2, said, OTHER)]  # so that no word sets the group apart
    assert best(group(["reset my password", "cancel my big ticket"], said), None, others) == "Reset the password"


def test_a_name_that_leaves_open_what_it_means_loses() -> None:
    assert best(group(["reset my password", "cancel one ticket"])) == "Reset the password"


@pytest.mark.parametrize(("agreement", "name"), [(0.26, "Reset the password"), (0.4, "Cancel the ticket")])
def test_words_that_hardly_anyone_uses_outweigh_some_agreement(agreement: float, name: str) -> None:
    """Two of ten use one name's words and four the other's; without any one of the penalties the first would win."""
    said = ["{cancel ticket}"] * 2 + ["{reset password}"] * 4 + ["{}"] * 4
    own = group(["cancel my ticket", "reset my password", *["{}"] * 8], said)
    others = [group(["{}"] * 10, said, OTHER)]  # so that no word sets the group apart
    model = Chosen(
        cancel_the_ticket=agreement * NOWHERE + np.sqrt(1 - agreement**2) * BETWEEN, reset_the_password=BETWEEN
    )
    assert best(own, model, others) == name


def test_a_name_without_a_thing_is_none() -> None:
    assert ranked(group(["explain the difference", "show it"])) == []
    said = ["find Oslo in town", "find Rome in town", "find Lima in town", "find Cairo"]
    names = [one.text for one in ranked(group(said, said))]
    assert names
    assert not {"Find …", "Find … in town"}.intersection(names)
    assert not {"My flight", "My test"}.intersection(
        one.text for one in ranked(group(["my flight", "my flight is late", "my test", "my test is red"]))
    )
    said = ["Wi-Fi red", "Wi-Fi green", "Wi-Fi blue", "Wi-Fi black"]
    assert "Wi-Fi …" not in [one.text for one in ranked(group(said, said))]


def test_a_statement_names_no_group_that_asks() -> None:
    statement = "I bought a ticket"
    asked = [statement, "cancel my order", "cancel my order", "what is an order"]
    far = 0.3 * OWN + np.sqrt(1 - 0.3**2) * NOWHERE
    vectors = {text.lower(): OWN for text in asked} | {"cancel the order": far}
    names = {one.text: one.score for one in ranked(group(asked, asked), Chosen(**vectors))}
    told = [statement] * 3 + ["cancel my order"]
    without = {one.text: one.score for one in ranked(group(told, told), Chosen(**vectors))}
    assert names["I bought a ticket"] < names["Cancel the order"]
    assert without["I bought a ticket"] > without["Cancel the order"]


def test_a_name_that_lets_somebody_know_and_not_what_loses() -> None:
    said = ["let my bank know", "wash my car"]
    nearer = 0.1 * OWN + np.sqrt(1 - 0.1**2) * NOWHERE
    model = Chosen(let_my_bank_know=OWN, wash_my_car=OWN, let_the_bank_know=nearer)
    assert best(group(said, said), model) == "Wash the car"


def test_a_slot_for_what_something_is_hides_most() -> None:
    said = ["my harbour is Oslo", "my harbour is Rome", "my harbour is Lima", "see my harbour in Cairo"]
    by_text = {one.text: one.score for one in ranked(group(said, said))}
    assert by_text["My harbour is …"] < by_text["See the harbour in …"]


def test_a_name_goes_without_an_end_that_it_can_do_without() -> None:
    said = ["show films with Oslo", "show films with Rome", "show films with Lima", "show films with Cairo"]
    a_bit_less_near = 0.92 * OWN + np.sqrt(1 - 0.92**2) * NOWHERE
    vectors = {"show films": a_bit_less_near, **dict.fromkeys(map(str.lower, said), OWN)}
    assert best(group(said, said), Chosen(**vectors)) == "Show films"


def test_groups_in_other_languages_are_named_by_what_they_said() -> None:
    own = Group(["Wo ist mein Paket?"] * 2, ["Wo ist mein Paket?"] * 2, np.stack([OWN] * 2), OWN, "german")
    assert [one.text for one in ranked(own)] == ["Wo ist mein Paket"]


def test_a_model_with_other_dimensions_is_refused() -> None:
    own = Group(["Reset my password"], ["Reset my password"], np.ones((1, 2)), np.ones(2))
    with pytest.raises(ValueError, match=r"3 dimensions \(chosen\) and the summaries' 2"):
        ranked(own)
