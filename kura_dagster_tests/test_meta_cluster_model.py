from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import numpy as np
import pytest

from kura_dagster.pipeline.base_classes import BaseClusteringMethod, BaseEmbeddingModel
from kura_dagster.pipeline.clustering import KmeansClusteringModel
from kura_dagster.pipeline.hierarchy import check_tree, get_children_by_parent, get_root_clusters
from kura_dagster.pipeline.language_model.client import LanguageModel, LanguageModelError
from kura_dagster.pipeline.language_model.embedding_models import OpenAIEmbeddingModel
from kura_dagster.pipeline.language_model.failures import SomeFailed
from kura_dagster.pipeline.language_model.meta_cluster_model import MetaClusterModel
from kura_dagster.pipeline.meta_clusters import FALLBACK_MODEL, reduce_clusters_from_base_clusters
from kura_dagster.pipeline.types import Cluster, FailedItem, cluster_id_of
from kura_dagster_tests.loopback_server import Faults, LoopbackServer

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


def test_clusters_alone_under_their_label_pass_upward(server: LoopbackServer) -> None:
    server.faults = Faults(identity_labels=True)
    result = one_round([*KETTLES, *VIOLINS], clustering_model=InOneNeighbourhood())
    assert [each.parent_id for each in result] == [None] * 8
    assert questions(server, "NamedGroup") == 0


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
    asked = next(prompt for prompt in server.stats.prompts if "<categories-" in prompt)
    offered = re.search(r"<categories-.*?>\n(.*?)\n</categories", asked, re.DOTALL)
    assert offered is not None
    assert offered.group(1) == "- Use kettles\n- Play violins"


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
    server: LoopbackServer,
) -> None:
    server.faults = Faults(embedding_fail_on="", status=400)
    nearest = asyncio.run(model()._nearest(KETTLES[0], ["Play violins", "Mend and repair kettles"]))
    assert nearest == "Mend and repair kettles"


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


NAMES_UNLIKE = """\
Bake bread
Tune violins
Map glaciers
Fix a sink
Sort invoices
Learn Greek
Plan gardens
Debug SQL
Pack crates
Rent boats
Write odes
Train dogs
Count votes"""
UNLIKE = [cluster(number, name) for number, name in enumerate(NAMES_UNLIKE.splitlines())]


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


def test_labels_equal_to_the_clusters_still_end(server: LoopbackServer, caplog: pytest.LogCaptureFixture) -> None:
    server.faults = Faults(identity_labels=True)
    with caplog.at_level(logging.WARNING):
        result = reduce(UNLIKE, clustering_model=InOneNeighbourhood(), max_clusters=10)
    assert "merged none of its 13 clusters" in caplog.text
    assert check_tree(result) == []
    assert len(get_root_clusters(result)) <= 10
    assert {each.model for each in result[13:]} == {FALLBACK_MODEL}


def test_default_embedding_model_is_the_embedded_one() -> None:
    assert MetaClusterModel().embedding_model.slug() == "minilm"
    assert isinstance(MetaClusterModel().embedding_model, BaseEmbeddingModel)
