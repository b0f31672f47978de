from __future__ import annotations

import asyncio
import re
from typing import Any

import numpy as np
import pytest

from kura_dagster.pipeline import asked_about
from kura_dagster.pipeline.asked_about import hash_of
from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.cluster_names import near_duplicate
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError
from kura_dagster.pipeline.language_model.cluster_description_model import ClusterDescriptionModel
from kura_dagster.pipeline.language_model.tokens import expected_tokens
from kura_dagster.pipeline.types import Cluster, ConversationSummary, cluster_id_of, unit_rows
from kura_dagster_tests.loopback_server import Faults, LoopbackServer, _Answer

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


def summary(chat_id: str, text: str, embedding: Any, request: str | None = None) -> ConversationSummary:
    return ConversationSummary(
        chat_id=chat_id, summary=text, request=request, embedding=embedding, metadata={"account": "account-4711"}
    )


def angle(degrees: float, length: float = 1.0) -> list[float]:
    return [length * np.cos(np.radians(degrees)), length * np.sin(np.radians(degrees))]


GROUPS = {
    7: [summary("b", "kettle repair", angle(0)), summary("a", "kettle descaling", angle(10), "Descale it")],
    3: [summary("c", "violin strings", angle(90)), summary("d", "violin lessons", angle(100))],
    5: [summary("e", "glacier tours", angle(180)), summary("f", "glacier maps", angle(200))],
}


def describe(groups: dict[int, list[ConversationSummary]], model: Any = None, **options: Any) -> list[Cluster]:
    return asyncio.run((model or ClusterDescriptionModel()).generate_clusters(groups, **options))


def block(prompt: str, tag: str) -> list[str]:
    found = re.search(rf"<{tag}-([0-9a-f]{{12}})>\n(.*?)\n</{tag}-\1>", prompt, re.DOTALL)
    return [line.removeprefix("- ") for line in found.group(2).splitlines()] if found else []


def prompt_about(server: LoopbackServer, word: str) -> str:
    (prompt,) = [prompt for prompt in server.stats.prompts if any(word in line for line in block(prompt, "statements"))]
    return prompt


def test_each_group_becomes_a_named_cluster(server: LoopbackServer) -> None:
    kettles, violins, glaciers = describe(GROUPS)
    assert kettles.chat_ids == ["a", "b"]
    assert kettles.cluster_id == cluster_id_of(["a", "b"])
    assert "kettle" in kettles.name
    assert "kettle" in kettles.description
    assert re.fullmatch(r"[a-z]+_[a-z]+_[a-z]+", kettles.slug)
    assert kettles.model == "openai/gpt-4o-mini"
    assert not kettles.is_outlier
    assert "violin" in violins.name
    assert "glacier" in glaciers.name
    assert kettles.centroid is not None
    np.testing.assert_allclose(kettles.centroid, unit_rows([angle(0), angle(10)]).mean(axis=0), rtol=1e-6)


def test_only_meaning_reaches_the_provider(server: LoopbackServer) -> None:
    describe({0: [summary("chat-secret-77", "kettle repair", angle(0), "Repair a kettle")]})
    (body,) = server.stats.bodies
    assert "kettle repair Repair a kettle" in body["messages"][0]["content"]
    assert "chat-secret-77" not in str(body)
    assert "4711" not in str(body)


SUBJECTS = ["kettles", "violins", "glaciers", "orchards", "lanterns"]
IN_A_FAN = {
    number: [summary(f"{number}-{n}", f"{subject} part{n}", angle(40 * number + n)) for n in range(5)]
    for number, subject in enumerate(SUBJECTS)
}


def test_contrast_is_the_middle_of_the_nearest_groups(server: LoopbackServer) -> None:
    describe(IN_A_FAN, max_contrastive_examples=2)
    assert block(prompt_about(server, "kettles"), "other_statements") == ["violins part2", "glaciers part2"]
    assert block(prompt_about(server, "orchards"), "other_statements") == ["glaciers part2", "lanterns part2"]


def test_contrast_of_few_groups_goes_on_with_their_next_conversations(server: LoopbackServer) -> None:
    describe(GROUPS, max_contrastive_examples=3)
    # The violins' middle is 90 degrees from the kettles', the glaciers' 175; of each the first and then one more.
    assert block(prompt_about(server, "kettle"), "other_statements") == [
        "violin strings",
        "violin lessons",
        "glacier tours",
    ]


def test_a_conversation_more_changes_no_other_groups_question(server: LoopbackServer) -> None:
    describe(IN_A_FAN, max_contrastive_examples=2)
    asked = set(server.stats.prompts)
    # Of all conversations outside, it is the one nearest to the violins.
    describe(IN_A_FAN | {0: [*IN_A_FAN[0], summary("0-5", "kettles part5", angle(4.5))]}, max_contrastive_examples=2)
    assert len(set(server.stats.prompts) - asked) == 1


def test_length_of_vectors_does_not_matter(server: LoopbackServer) -> None:
    long = {
        key: [each.model_copy(update={"embedding": 50 * np.array(each.embedding)}) for each in members]
        for key, members in GROUPS.items()
    }
    short = describe(GROUPS)
    asked = list(server.stats.prompts)
    stretched = describe(long)
    assert sorted(list(server.stats.prompts)[len(asked) :]) == sorted(asked)
    np.testing.assert_allclose(np.array(short[0].centroid), np.array(stretched[0].centroid), rtol=1e-5)


def test_no_contrast_where_none_is_wanted_or_there_is_none(server: LoopbackServer) -> None:
    describe(GROUPS, max_contrastive_examples=0)
    describe({0: GROUPS[7]})
    assert not any(block(prompt, "other_statements") for prompt in server.stats.prompts)


def test_large_group_shows_its_core_and_a_spread(server: LoopbackServer) -> None:
    # 100 members at 0 … 99 degrees: the centre is at 49.5.
    members = [summary(f"{degrees:03}", f"member {degrees}", angle(degrees)) for degrees in range(100)]
    describe({0: members}, ClusterDescriptionModel(max_members=10))
    shown = [int(line.split()[1]) for line in block(server.stats.prompts[0], "statements")]
    assert len(shown) == len(set(shown)) == 10
    distances = [abs(degrees - 49.5) for degrees in shown]
    assert distances[:5] == [0.5, 0.5, 1.5, 1.5, 2.5]
    # The others are spread evenly up to the farthest.
    np.testing.assert_allclose(distances[5:], [12, 21.4, 30.8, 40.2, 49.5], atol=1)


def test_small_group_is_shown_whole(server: LoopbackServer) -> None:
    describe({0: GROUPS[7]}, ClusterDescriptionModel(max_members=2))
    assert sorted(block(server.stats.prompts[0], "statements")) == ["kettle descaling Descale it", "kettle repair"]


def test_result_and_questions_do_not_depend_on_the_order_of_members(server: LoopbackServer) -> None:
    first = describe(GROUPS)
    asked = set(server.stats.prompts)
    server.stats.prompts.clear()
    second = describe({key: members[::-1] for key, members in reversed(GROUPS.items())})
    assert set(server.stats.prompts) == asked
    by_id = {cluster.cluster_id: cluster for cluster in second}
    for cluster in first:
        assert by_id[cluster.cluster_id].model_dump() == cluster.model_dump()


def test_names_that_could_be_mistaken_are_asked_for_once_more_and_told_apart(server: LoopbackServer) -> None:
    server.faults = Faults(same_answer=True)
    clusters = describe(GROUPS)
    assert server.stats.chat == 3 + 2
    again = [prompt for prompt in server.stats.prompts if block(prompt, "names")]
    assert len(again) == 2
    assert block(again[0], "names") == ["Help with everything"]
    names = [cluster.name for cluster in clusters]
    assert names[0] == "Help with everything"
    assert len({name.casefold() for name in names}) == 3
    assert all(near_duplicate(name, names[:position]) is None for position, name in enumerate(names))


def test_distinct_names_are_asked_for_once(server: LoopbackServer) -> None:
    describe(GROUPS)
    assert server.stats.chat == 3


class ByNumber(BaseEmbeddingModel):
    """Texts with the same number mean the same; one that holds `refused` has no vector that can be used."""

    refused: str | None = None

    async def embed(self, texts: list[str]) -> list[list[float]]:
        return [[np.nan] * 8 if self.refused and self.refused in text else self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        return np.eye(8)[int(re.findall(r"\d", text)[0])].tolist()

    def slug(self) -> str:
        return "by number"


def name_them(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the server give these names, one after the other."""
    answers = iter(names)
    real = _Answer._text
    monkeypatch.setattr(_Answer, "_text", lambda self, name: next(answers) if name == "name" else real(self, name))


def one_by_one(embedding_model: BaseEmbeddingModel | None) -> ClusterDescriptionModel:
    return ClusterDescriptionModel(max_concurrent_requests=1, embedding_model=embedding_model)


def test_names_of_one_meaning_are_asked_for_once_more(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    name_them(monkeypatch, "Recover access 1", "Map glaciers 2", "Bring back passwords 1", "Bring back old mail 3")
    clusters = describe(GROUPS, one_by_one(ByNumber()))
    assert [each.name for each in clusters] == ["Recover access 1", "Map glaciers 2", "Bring back old mail 3"]
    assert [block(prompt, "names") for prompt in server.stats.prompts] == [[], [], [], ["Recover access 1"]]


def test_names_that_still_mean_the_same_are_told_apart_by_their_slug(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_them(monkeypatch, "Recover access 1", "Map glaciers 2", "Bring back passwords 1", "Win back logins 1")
    clusters = describe(GROUPS, one_by_one(ByNumber()))
    last = clusters[2]
    assert last.name == f"Win back logins 1 ({last.slug.replace('_', ' ')})"
    assert [each.name for each in clusters[:2]] == ["Recover access 1", "Map glaciers 2"]


def test_a_question_with_another_groups_name_is_about_that_group_too(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[frozenset[str]] = []
    ask = LanguageModel.ask

    async def noting(self: LanguageModel, *arguments: Any, **options: Any) -> Any:
        asked.append(asked_about._about.get())
        return await ask(self, *arguments, **options)

    monkeypatch.setattr(LanguageModel, "ask", noting)
    name_them(monkeypatch, "Recover access 1", "Map glaciers 2", "Recover acces 1", "Win back mail 3")
    describe(GROUPS, one_by_one(None), max_contrastive_examples=0)
    assert asked == [frozenset(map(hash_of, about)) for about in ("ab", "cd", "ef", "efab")]


def test_without_an_embedding_model_only_letters_count(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    name_them(monkeypatch, "Recover access 1", "Map glaciers 2", "Bring back passwords 1")
    assert [each.name for each in describe(GROUPS, one_by_one(None))][2] == "Bring back passwords 1"


def test_names_that_cannot_be_embedded_are_compared_by_their_letters(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    embedding = ByNumber()
    embedding.refused = "Map"
    name_them(monkeypatch, "Recover access 1", "Map glaciers 2", "Bring back passwords 1")
    assert len(describe(GROUPS, one_by_one(embedding))) == 3
    assert "compared by their letters only" in caplog.text


@pytest.mark.parametrize("text", ["word " * 400, "漢字と仮名" * 400, "слово " * 400])
@pytest.mark.parametrize("n_members", [1, 20, 300])
def test_what_is_shown_fits_in_a_small_models_context(server: LoopbackServer, text: str, n_members: int) -> None:
    groups = {
        number: [
            summary(f"{number}-{each}", f"{each} {text}", angle(90 * number + each / 9)) for each in range(n_members)
        ]
        for number in range(3)
    }
    describe(groups, ClusterDescriptionModel(max_members=300), max_contrastive_examples=10)
    for prompt in server.stats.prompts:
        assert expected_tokens(prompt) < 3_500
        assert len(block(prompt, "statements")) == min(n_members, 100)
        assert len(block(prompt, "other_statements")) == min(2 * n_members, 10)


def test_name_without_a_word_is_asked_for_again(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from kura_dagster_tests import loopback_server

    answers = iter(["…", '"Repair\n kettles."'])
    real = loopback_server._Answer._text
    monkeypatch.setattr(
        loopback_server._Answer, "_text", lambda self, name: next(answers) if name == "name" else real(self, name)
    )
    (cluster,) = describe({0: GROUPS[7]})
    assert cluster.name == "Repair kettles"
    assert server.stats.chat == 2


def test_empty_groups_are_left_out(server: LoopbackServer) -> None:
    assert [cluster.chat_ids for cluster in describe({0: [], 1: GROUPS[7]})] == [["a", "b"]]
    assert describe({}) == []
    assert server.stats.chat == 1


def test_summaries_without_embedding_are_refused(server: LoopbackServer) -> None:
    with pytest.raises(ValueError, match="summary x has no embedding"):
        describe({0: [summary("x", "kettle", None)]})
    assert server.stats.chat == 0


def test_own_prompt_is_used_and_must_hold_the_group(server: LoopbackServer) -> None:
    describe({0: GROUPS[7]}, prompt="Name these: {positive_examples}")
    assert server.stats.prompts[0].startswith("Name these: ")
    with pytest.raises(ValueError, match=r"\{positive_examples\}"):
        describe({0: GROUPS[7]}, prompt="Name these")
    assert server.stats.chat == 1


def test_failures_name_the_clusters_after_all_others_finished(server: LoopbackServer) -> None:
    server.faults = Faults(fail_on="- violin", status=422)
    with pytest.raises(LanguageModelError) as caught:
        describe(GROUPS, max_contrastive_examples=0)
    assert "1 of 3 cluster descriptions failed" in str(caught.value)
    assert cluster_id_of(["c", "d"]) in str(caught.value)
    assert server.stats.chat == 3


def test_temperature_and_shared_client_are_used(server: LoopbackServer) -> None:
    async def run() -> list[Cluster]:
        async with LanguageModel("openai/own-model") as language_model:
            return await ClusterDescriptionModel(language_model, temperature=0.7).generate_clusters(GROUPS)

    assert {cluster.model for cluster in asyncio.run(run())} == {"openai/own-model"}
    assert {body["temperature"] for body in server.stats.bodies} == {0.7}


def test_cap_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_members is 0"):
        ClusterDescriptionModel(max_members=0)
