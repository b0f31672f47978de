from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from kura_dagster.pipeline import asked_about
from kura_dagster.pipeline.asked_about import hash_of
from kura_dagster.pipeline.base_classes import BaseClusteringMethod, BaseEmbeddingModel
from kura_dagster.pipeline.clustering import KmeansClusteringModel
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.pipeline.hierarchy import check_tree, get_children_by_parent, get_levels, get_root_clusters
from kura_dagster.pipeline.language_model import meta_cluster_model
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.language_model.meta_cluster_model import LARGEST_FAMILY, MOST_OPTIONS, MetaClusterModel
from kura_dagster.pipeline.meta_clusters import planned_roots, reduce_clusters_from_base_clusters
from kura_dagster.pipeline.types import Cluster, FailedItem, cluster_id_of
from kura_dagster_tests.loopback_server import Faults, LoopbackServer, _Answer, _keywords

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


def cluster(number: int, name: str, is_outlier: bool = False) -> Cluster:
    chat_ids = [f"chat-{number:03}-{member}" for member in range(1 + number % 3)]
    return Cluster(
        id=cluster_id_of(chat_ids),
        name=name,
        description=f"The users asked to {name.lower()}.",
        slug="a_b_c",
        chat_ids=chat_ids,
        is_outlier=is_outlier,
        centroid=np.random.default_rng(number).normal(size=16),
    )


KETTLES = [cluster(number, f"{verb} kettles") for number, verb in enumerate(["Repair", "Descale", "Compare", "Paint"])]
VIOLINS = [cluster(number + 10, f"{verb} violins") for number, verb in enumerate(["Tune", "Buy", "Teach", "Record"])]
VERBS = "repair sell paint store compare clean insure photograph describe translate".split()
NOUNS = "kettle violin bicycle tulip invoice telescope passport sourdough kayak beehive".split()
OUTLIER = cluster(90, "Unclustered conversations", is_outlier=True)


class InOneNeighbourhood(BaseClusteringMethod):
    def cluster(self, items: list[dict[str, Any]]) -> dict[int, Any]:
        return {0: [item["item"] for item in items]}


class WithNoise(BaseClusteringMethod):
    def cluster(self, items: list[dict[str, Any]]) -> dict[int, Any]:
        found = [item["item"] for item in items]
        return {-1: found[:3], 0: found[3:]}


def model(**options: Any) -> MetaClusterModel:
    # The server's own embeddings: texts that share words are near each other.
    return MetaClusterModel(**{"embedding_model": OpenAIEmbeddingModel()} | options)


def one_round(clusters: list[Cluster], **options: Any) -> list[Cluster]:
    return asyncio.run(model(**options).reduce_clusters(clusters))


def families(clusters: list[Cluster]) -> list[list[str]]:
    children = get_children_by_parent(clusters)
    return sorted(sorted(child.name for child in of) for parent, of in children.items() if parent is not None)


def questions(server: LoopbackServer, schema: str) -> int:
    return server.stats.by_schema[schema]


def test_clusters_are_merged_by_theme_and_parents_are_named(server: LoopbackServer) -> None:
    result = one_round([*KETTLES, *VIOLINS], clustering_model=KmeansClusteringModel(clusters_per_group=4))
    kettles, violins = sorted(each.name for each in KETTLES), sorted(each.name for each in VIOLINS)
    assert families(result) == [kettles, violins] or all(
        set(family) <= set(kettles) or set(family) <= set(violins) for family in families(result)
    )
    assert families(result)
    assert check_tree(result) == []
    parents = result[len(KETTLES) + len(VIOLINS) :]
    for parent in parents:
        assert parent.model == "openai/gpt-4o-mini"
        assert parent.cluster_id == cluster_id_of(parent.chat_ids)
        assert "kettles" in parent.name or "violins" in parent.name
        assert re.fullmatch(r"[a-z]+_[a-z]+_[a-z]+", parent.slug)


def test_given_clusters_come_back_as_they_were_apart_from_their_parent(server: LoopbackServer) -> None:
    given = [*KETTLES, *VIOLINS]
    result = one_round(given)
    for before, after in zip(given, result, strict=False):
        assert after.model_copy(update={"parent_id": None}).model_dump() == before.model_dump()
        assert before.parent_id is None


def test_a_neighbourhood_is_asked_for_candidates_labels_and_names(server: LoopbackServer) -> None:
    result = one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert questions(server, "CandidateCategories") == 1
    assert questions(server, "CategoryLabel") == 8
    assert questions(server, "NamedGroup") == len(families(result))
    (asked,) = [prompt for prompt in server.stats.prompts if "<groups-" in prompt and "Propose at most" in prompt]
    assert "Propose at most 4 " in asked
    for each in [*KETTLES, *VIOLINS]:
        assert f"- {each.name}: {each.description}" in asked
        assert each.cluster_id not in str(list(server.stats.bodies))


def test_two_clusters_are_merged_without_choosing(server: LoopbackServer) -> None:
    result = one_round(KETTLES[:2])
    assert families(result) == [["Descale kettles", "Repair kettles"]]
    assert server.stats.by_schema == {"NamedGroup": 1}


def answer_with(
    monkeypatch: pytest.MonkeyPatch, candidates: Callable[[str, int], list[str]], label: Callable[[str, list[str]], str]
) -> None:
    """Let the server answer with these: of the groups shown and how many are asked for, of the group and its choice."""
    monkeypatch.setattr(_Answer, "_candidates", lambda self, at_most: candidates(self.subject, at_most))
    monkeypatch.setattr(_Answer, "_label", lambda self, offered: label(self.subject, offered))


def by_word(subject: str, offered: list[str]) -> str:
    """Return the first candidate that has a word of the group's name."""
    words = {word for word in subject.split(":")[0].split() if len(word) > 3}
    return next((each for each in sorted(offered) if words & set(each.split())), sorted(offered)[0])


def offers(server: LoopbackServer) -> dict[str, list[str]]:
    """Return what each group was offered, by its name."""
    found = {}
    for prompt in server.stats.prompts:
        if offered := re.search(r"<categories-.*?>\n(.*?)\n</categories", prompt, re.DOTALL):
            group = re.search(r"<group-.*?>\n(.*?):", prompt)
            assert group is not None
            found[group.group(1)] = offered.group(1).replace("- ", "").splitlines()
    return found


def test_clusters_alone_under_their_label_pass_upward(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, lambda *_: ["All to Paint", "Own kettles", "Own violins"], by_word)
    result = one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert families(result) == [
        sorted(each.name for each in VIOLINS),
        ["Compare kettles", "Descale kettles", "Repair kettles"],
    ]
    (alone,) = [each for each in result[:8] if each.name == "Paint kettles"]
    assert alone.parent_id is None
    assert questions(server, "NamedGroup") == 2
    assert len(result) == 10, "there is no copy of it"


def test_noise_of_the_clustering_passes_upward(server: LoopbackServer) -> None:
    result = one_round([*KETTLES, *VIOLINS], clustering_model=WithNoise())
    by_id = {each.cluster_id: each for each in result}
    noise = sorted(each.cluster_id for each in [*KETTLES, *VIOLINS])[:3]
    assert all(by_id[each].parent_id is None for each in noise)
    assert families(result)


def test_outliers_stay_apart_unless_a_single_root_is_wanted(server: LoopbackServer) -> None:
    apart = one_round([*KETTLES, OUTLIER], clustering_model=InOneNeighbourhood())
    assert next(each for each in apart if each.is_outlier).parent_id is None
    assert not any("Unclustered" in prompt for prompt in server.stats.prompts)
    server.stats.prompts.clear()
    one_round([*KETTLES, OUTLIER], clustering_model=InOneNeighbourhood(), max_clusters=1)
    assert any("Unclustered" in prompt for prompt in server.stats.prompts)


@pytest.mark.parametrize("clusters", [[], KETTLES[:1], [OUTLIER], [KETTLES[0], OUTLIER]])
def test_nothing_to_merge_is_returned_without_asking(clusters: list[Cluster], server: LoopbackServer) -> None:
    assert one_round(clusters) == clusters
    assert server.stats.chat == server.stats.embeddings == 0


def test_wrong_label_is_asked_for_once_more_and_then_the_nearest_is_taken(
    server: LoopbackServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kura_dagster_tests import loopback_server

    candidates = ["Own kettles", "Own violins", "Own a boat"]
    monkeypatch.setattr(loopback_server._Answer, "_candidates", lambda *_: candidates)
    server.faults = Faults(wrong_labels=True)
    with caplog.at_level(logging.WARNING):
        result = one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert questions(server, "CategoryLabel") == 16
    assert sum("earlier answer is none" in prompt for prompt in server.stats.prompts) == 8
    assert caplog.text.count("labelled cluster") == 8
    assert families(result) == [sorted(each.name for each in VIOLINS), sorted(each.name for each in KETTLES)]


def test_label_spelt_almost_right_is_taken_for_the_best_match(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kura_dagster_tests import loopback_server

    candidates = ["Maintain many kettles", "Maintain many kettle", "Play on violins"]
    monkeypatch.setattr(loopback_server._Answer, "_candidates", lambda *_: candidates)

    def misspelt(self: Any, offered: list[str]) -> str:
        return "- play on violin" if "violins" in self.subject else "maintain many KETTLES."

    monkeypatch.setattr(loopback_server._Answer, "_label", misspelt)
    result = one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert questions(server, "CategoryLabel") == 8
    assert families(result) == [sorted(each.name for each in VIOLINS), sorted(each.name for each in KETTLES)]


def test_candidates_that_could_be_mistaken_are_offered_once(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kura_dagster_tests import loopback_server

    monkeypatch.setattr(
        loopback_server._Answer, "_candidates", lambda *_: ["Use kettles", "use kettles.", "", "Play violins"]
    )
    one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert {tuple(sorted(offered)) for offered in offers(server).values()} == {("Play violins", "Use kettles")}


class ByTheirNumber(BaseClusteringMethod):
    """Neighbourhoods of four that follow the last letter of the names, and not what they mean."""

    def cluster(self, items: list[dict[str, Any]]) -> dict[int, Any]:
        found = sorted((item["item"] for item in items), key=lambda cluster: cluster.name)
        return {place: found[place :: math.ceil(len(found) / 4)] for place in range(math.ceil(len(found) / 4))}


def test_candidates_of_all_neighbourhoods_are_distinct_and_families_cross_them(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["Own kettles", "Keep a boat"], ["own Kettles.", "Own violins"]])
    answer_with(monkeypatch, lambda *_: next(answers), by_word)
    result = one_round([*KETTLES, *VIOLINS], clustering_model=ByTheirNumber(), max_concurrent_requests=1)
    assert {tuple(sorted(offered)) for offered in offers(server).values()} in (
        {("Keep a boat", "Own kettles", "Own violins")},
        {("Keep a boat", "Own violins", "own Kettles")},
    )
    assert families(result) == [sorted(each.name for each in VIOLINS), sorted(each.name for each in KETTLES)]


def test_candidates_that_mean_the_same_become_one(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["Repair kettles", "Boil eggs"], ["Kettles they repair", "Own violins"]])
    answer_with(monkeypatch, lambda *_: next(answers), by_word)
    one_round([*KETTLES, *VIOLINS], clustering_model=ByTheirNumber(), max_concurrent_requests=1)
    # To the server's embeddings, words in another order mean the same.
    assert {len(offered) for offered in offers(server).values()} == {3}


def test_a_neighbourhood_is_shown_with_the_nearest_outside(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_round([*KETTLES, *VIOLINS], clustering_model=ByTheirNumber())
    asked = [prompt for prompt in server.stats.prompts if "Propose at most" in prompt]
    assert len(asked) == 2
    for prompt in asked:
        shown, outside = (
            re.search(rf"<{tag}-.*?>\n(.*?)\n</{tag}-", prompt, re.DOTALL).group(1).splitlines()  # type: ignore[union-attr]
            for tag in ("groups", "other_groups")
        )
        assert (len(shown), len(outside)) == (4, 4)
        assert not set(shown) & set(outside)
        assert "Propose at most 2 broader categories" in prompt


def test_each_cluster_has_its_own_order_which_others_do_not_change(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["Fly kites", "Bake bread", "Own kettles", "Play violins"]
    answer_with(monkeypatch, lambda *_: names, by_word)
    one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    first = offers(server)
    assert len({tuple(offered) for offered in first.values()}) > 3
    server.stats.prompts.clear()
    names.reverse()
    names.remove("Bake bread")
    one_round([*VIOLINS, *KETTLES], clustering_model=InOneNeighbourhood())
    assert offers(server) == {
        name: [each for each in offered if each != "Bake bread"] for name, offered in first.items()
    }


def test_a_cluster_is_offered_the_nearest_candidates_and_not_all(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, lambda subject, _: re.findall(r"^- (.*?):", subject, re.M), by_word)
    clusters = [cluster(number, f"{verb} the {noun}") for number, (verb, noun) in enumerate(product(VERBS, NOUNS))]
    one_round(clusters, clustering_model=KmeansClusteringModel(clusters_per_group=2), max_clusters=40)
    found = offers(server)
    assert {len(offered) for offered in found.values()} == {MOST_OPTIONS}
    for name, offered in found.items():
        assert set(name.replace("the ", "").split()) & set(" ".join(offered).split()), "what is nearest is among them"


def test_questions_are_about_every_conversation_whose_text_they_hold(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, frozenset[str]]] = []
    ask = LanguageModel.ask

    async def noting(self: LanguageModel, prompt: str, *arguments: Any, **options: Any) -> Any:
        asked.append((prompt, asked_about._about.get()))
        return await ask(self, prompt, *arguments, **options)

    monkeypatch.setattr(LanguageModel, "ask", noting)
    monkeypatch.setattr(meta_cluster_model, "SHOWN_OUTSIDE", 1)
    candidates = iter([["Own kettles", "Boil eggs"], ["Own violins", "Fly kites"]])
    answer_with(monkeypatch, lambda *_: next(candidates), by_word)
    one_round([*KETTLES, *VIOLINS], clustering_model=ByTheirNumber(), max_concurrent_requests=1)

    shown_for: dict[str, set[str]] = {}
    for prompt, about in asked:
        in_sight = {each.name for each in [*KETTLES, *VIOLINS] if f"{each.name}: " in prompt}
        if "Propose at most" in prompt:
            assert len(in_sight) == 4 + 1
            for name in ("Own kettles", "Boil eggs") if not shown_for else ("Own violins", "Fly kites"):
                shown_for[name] = in_sight
        if "<categories-" in prompt:
            in_sight = in_sight.union(*(shown_for[name] for name in shown_for if f"- {name}\n" in prompt))
            assert len(in_sight) > 5
        sources = [each for each in [*KETTLES, *VIOLINS] if each.name in in_sight]
        assert about == {hash_of(chat_id) for each in sources for chat_id in each.chat_ids}
    assert len(asked) == 2 + 8 + 2


def test_single_candidate_needs_no_labels(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from kura_dagster_tests import loopback_server

    monkeypatch.setattr(loopback_server._Answer, "_candidates", lambda *_: ["Use kettles"])
    result = one_round(KETTLES, clustering_model=InOneNeighbourhood())
    assert families(result) == [sorted(each.name for each in KETTLES)]
    assert questions(server, "CategoryLabel") == 0


def test_round_does_not_depend_on_the_order_of_clusters(server: LoopbackServer) -> None:
    given = [*KETTLES, *VIOLINS]
    first = one_round(given)
    asked = sorted(server.stats.prompts)
    server.stats.prompts.clear()
    second = one_round(given[::-1])
    assert sorted(server.stats.prompts) == asked
    assert {each.cluster_id: each.parent_id for each in first} == {each.cluster_id: each.parent_id for each in second}


def test_a_cluster_that_cannot_be_embedded_is_set_aside_and_stays_as_it_is(server: LoopbackServer) -> None:
    server.faults = Faults(embedding_fail_on="Paint", status=400)
    with pytest.raises(SomeFailed) as caught:
        one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    (item,) = caught.value.failed_items
    assert item.item_id == KETTLES[3].cluster_id
    assert "text-embedding-3-small" in item.error
    result = caught.value.results
    assert KETTLES[3].cluster_id in {root.cluster_id for root in get_root_clusters(result)}
    assert len(families(result)) > 0
    for refused in ("Paint", "kettles"):  # one cluster has a vector, or none has
        server.faults = Faults(embedding_fail_on=refused, status=400)
        failures: list[FailedItem] = []
        found = asyncio.run(
            reduce_clusters_from_base_clusters(KETTLES[-2:], model=model(max_clusters=1), failures=failures)
        )
        assert check_tree(found) == []
        assert len(get_root_clusters(found)) == 1
        assert failures


def test_a_label_that_is_no_candidate_is_matched_by_its_letters_where_nothing_can_be_embedded(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, lambda *_: ["Rekettles", "Reviolins"], lambda *_: "Nothing that was ever offered")
    server.faults = Faults(embedding_fail_on="Re", status=400)
    given = [each for each in [*KETTLES, *VIOLINS] if not each.name.startswith("Re")]
    result = one_round(given, clustering_model=InOneNeighbourhood())
    assert families(result) == [
        ["Buy violins", "Teach violins", "Tune violins"],
        ["Compare kettles", "Descale kettles", "Paint kettles"],
    ]


def test_failed_questions_stop_the_round(server: LoopbackServer) -> None:
    server.faults = Faults(status_every=1, status=422)
    with pytest.raises(LanguageModelError, match="status 422"):
        one_round([*KETTLES, *VIOLINS])


def test_temperature_and_limit_hold(server: LoopbackServer) -> None:
    server.latency = 0.01

    async def run() -> None:
        async with LanguageModel("openai/own-model", max_concurrent_requests=2) as language_model:
            await model(model=language_model, temperature=0.6).reduce_clusters([*KETTLES, *VIOLINS])

    asyncio.run(run())
    chats = [body for body in server.stats.bodies if "messages" in body]
    assert {body["temperature"] for body in chats} == {0.6}
    assert {body["model"] for body in chats} == {"own-model"}
    assert server.stats.max_in_flight == 2


WORDS = ["kettle", "violin", "glacier", "harbour", "lantern"]
MANY = [cluster(number, f"Ask about {WORDS[number % 5]} matter {number}") for number in range(40)]


def reduce(clusters: list[Cluster], **options: Any) -> list[Cluster]:
    return asyncio.run(reduce_clusters_from_base_clusters(clusters, model=model(**options)))


@pytest.mark.parametrize("max_clusters", [1, 3, 10])
def test_whole_hierarchy_over_the_server(max_clusters: int, server: LoopbackServer) -> None:
    result = reduce([*MANY, OUTLIER], max_clusters=max_clusters)
    assert check_tree(result) == []
    assert len(get_root_clusters(result)) <= max_clusters
    assert sorted(each.cluster_id for each in result[:41]) == sorted(each.cluster_id for each in [*MANY, OUTLIER])
    outlier = next(each for each in result if each.is_outlier)
    assert (outlier.parent_id is None) == (max_clusters > 1)


@pytest.mark.parametrize("n_clusters", [11, 13, 20, 30, 100])
@pytest.mark.parametrize("how", ["its own", "the first", "the same"])
def test_any_way_to_label_ends_in_a_hierarchy_that_can_be_read(
    how: str, n_clusters: int, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model may give each cluster a category of its own, put what it can into one, or always say the same."""
    answer_with(
        monkeypatch,
        lambda subject, _: ["Do everything"] if how == "the same" else re.findall(r"^- (.*?):", subject, re.M),
        lambda subject, offered: (
            min(offered) if how == "the first" else next((each for each in offered if each in subject), offered[0])
        ),
    )
    clusters = [cluster(number, f"{verb} the {noun}") for number, (verb, noun) in enumerate(product(VERBS, NOUNS))][
        :n_clusters
    ]
    result = reduce(clusters, max_clusters=10)
    assert check_tree(result) == []
    assert 1 <= len(get_root_clusters(result)) <= 10
    children = [len(of) for parent, of in get_children_by_parent(result).items() if parent is not None]
    assert max(children) <= LARGEST_FAMILY
    assert max(get_levels(result).values()) <= 3
    if n_clusters == 100:
        assert 5 <= np.mean(children) <= 12


def test_levels_of_a_hundred_clusters_are_as_planned(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, lambda subject, at_most: _keywords(subject, at_most), by_word)
    clusters = [cluster(number, f"{verb} the {noun}") for number, (verb, noun) in enumerate(product(VERBS, NOUNS))]
    result = reduce(clusters, max_clusters=10)
    assert questions(server, "CandidateCategories") <= 9
    assert questions(server, "CategoryLabel") == 100
    assert len(get_root_clusters(result)) <= planned_roots(100, 10) == 9


def test_default_embedding_model_is_the_embedded_one() -> None:
    assert MetaClusterModel().embedding_model.slug() == "minilm"
    assert isinstance(MetaClusterModel().embedding_model, BaseEmbeddingModel)
