"""One round of the hierarchy, by a language model: candidates, labels, names of parents.

The loop over rounds, and the rules that a round is held to, are `pipeline.meta_clusters`; the words of the questions
are in `prompts`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, Field

from kura_dagster.pipeline.base_classes import BaseClusteringMethod, BaseEmbeddingModel, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import (
    NEAR_DUPLICATE,
    best_match,
    joined_name,
    near_duplicate,
    three_word_slug,
    tidy_name,
)
from kura_dagster.pipeline.clustering import NOISE, KmeansClusteringModel
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all, opened
from kura_dagster.pipeline.language_model.cluster_description_model import NamedGroup
from kura_dagster.pipeline.language_model.erasure import asked_about
from kura_dagster.pipeline.language_model.failures import SomeFailed, SomeTextsFailed
from kura_dagster.pipeline.meta_clusters import parent_of
from kura_dagster.pipeline.types import Cluster, FailedItem, unit_rows

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

UNNAMED = "none"
"""The model of a parent that no model named."""

CLUSTERS_PER_GROUP = 12
"""How many clusters the language model sees at once, on average, where no clustering model is given."""


class CandidateCategories(BaseModel):
    """Names of broader categories."""

    names: list[str] = Field(min_length=1, description="Names of the categories, each an imperative sentence.")


class CategoryLabel(BaseModel):
    """The category that a group belongs to."""

    category: str = Field(description="One of the offered categories, exactly as it is written there.")


class MetaClusterModel(BaseMetaClusterModel):
    """Asks a language model which clusters belong together, neighbourhood by neighbourhood, as Kura and Clio do.

    A round embeds names and descriptions, groups the clusters into neighbourhoods, and in each of them asks for
    candidate parents, for the candidate each cluster belongs to, and for a name of each parent that got two clusters or
    more. Clusters alone under a candidate pass upward without a parent, and so do outliers unless a single root is
    wanted.

    Args:
        max_concurrent_requests: questions in flight at once; of an open `LanguageModel`, its own number holds.
        model: a provider string, for which a client is opened for the time of each round, or an open `LanguageModel`.
        embedding_model: embeds clusters; None means the embedded MiniLM.
        clustering_model: forms neighbourhoods; None means k-means with 12 clusters to a neighbourhood.
        max_clusters: the most roots the hierarchy may have.
        temperature: sampling temperature; None sends none.

    References:
        Tamkin et al.: Clio: Privacy-Preserving Insights into Real-World AI Use, 2024.
    """

    def __init__(
        self,
        max_concurrent_requests: int = 50,
        model: str | LanguageModel = "openai/gpt-4o-mini",
        embedding_model: BaseEmbeddingModel | None = None,
        clustering_model: BaseClusteringMethod | None = None,
        max_clusters: int = 10,
        temperature: float | None = 0.2,
    ) -> None:
        if embedding_model is None:
            from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel

            embedding_model = MiniLMEmbeddingModel()
        self.max_concurrent_requests = max_concurrent_requests
        self.model = model
        self.embedding_model = embedding_model
        self.clustering_model = clustering_model or KmeansClusteringModel(clusters_per_group=CLUSTERS_PER_GROUP)
        self.max_clusters = max_clusters
        self.temperature = temperature

    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        """Return the given clusters, those that got a parent with its id, and the parents.

        Raises:
            EmbeddingError: the embedding model's answer can't be used.
            StopAsking: nothing more can be asked.
            SomeFailed: some questions failed, and all others were finished. It holds the whole result: a neighbourhood
                without candidates stays as it is, and so does a cluster that an embedding API refused; a cluster
                without a label goes to the candidate nearest in meaning, and a parent without a name is called by its
                children's.
        """
        merging = sorted(
            (cluster for cluster in clusters if self.max_clusters == 1 or not cluster.is_outlier),
            key=lambda cluster: cluster.cluster_id,
        )
        if len(merging) < 2:
            return list(clusters)
        refused: list[FailedItem] = []
        vectors = await embed_texts(
            [_text_of(cluster) for cluster in merging],
            self.embedding_model,
            names=[cluster.cluster_id for cluster in merging],
            failures=refused,
            about=[cluster.chat_ids for cluster in merging],
        )
        failed = {item.item_id: item.error for item in refused}
        merging = [cluster for cluster in merging if cluster.cluster_id not in failed]
        neighbourhoods = self._neighbourhoods(merging, unit_rows(vectors)) if len(merging) > 1 else []
        async with opened(self.model, self.max_concurrent_requests) as language_model:
            families = await self._families(language_model, neighbourhoods, failed)
            named = await _answers(
                language_model,
                families,
                lambda family: self._parent(language_model, family),
                "names of parents",
                [_unnamed_parent(family).cluster_id for family in families],
                failed,
            )
        parents = [parent or _unnamed_parent(family) for family, parent in zip(families, named, strict=True)]
        parent_ids = {
            child.cluster_id: parent.cluster_id
            for family, parent in zip(families, parents, strict=True)
            for child in family
        }
        with_parents = [
            cluster.model_copy(update={"parent_id": parent_ids.get(cluster.cluster_id)}) for cluster in clusters
        ]
        result = with_parents + parents
        if failed:
            names = list(failed)
            raise SomeFailed(
                f"{len(failed)} questions about the hierarchy failed. The first: {failed[names[0]]}",
                result,
                dict(enumerate(failed.values())),
                names,
                language_model.model,
            )
        return result

    def _neighbourhoods(self, clusters: Sequence[Cluster], vectors: np.ndarray) -> list[list[Cluster]]:
        items = [{"item": cluster, "embedding": vector} for cluster, vector in zip(clusters, vectors, strict=True)]
        groups: dict[int, Any] = self.clustering_model.cluster(items)
        return [members for number, members in sorted(groups.items()) if number != NOISE and len(members) > 1]

    async def _families(
        self, language_model: LanguageModel, neighbourhoods: Sequence[list[Cluster]], failed: dict[str, str]
    ) -> list[list[Cluster]]:
        """Return the groups of two and more that belong together; put what failed into `failed`, by cluster."""
        # Of two there is nothing to choose: one candidate would be asked for, and both put under it.
        families = [members for members in neighbourhoods if len(members) == 2]
        larger = [members for members in neighbourhoods if len(members) > 2]
        candidates = await _answers(
            language_model,
            larger,
            lambda members: self._candidates(language_model, members),
            "neighbourhoods of clusters",
            [members[0].cluster_id for members in larger],
            failed,
        )
        offers = [(members, offered) for members, offered in zip(larger, candidates, strict=True) if offered]
        choices = [(member, offered) for members, offered in offers if len(offered) > 1 for member in members]
        labels = await _answers(
            language_model,
            choices,
            lambda choice: self._label(language_model, *choice),
            "labels of clusters",
            [member.cluster_id for member, _ in choices],
            failed,
        )
        label_of = {
            member.cluster_id: label or await self._nearest(member, offered)
            for (member, offered), label in zip(choices, labels, strict=True)
        }
        for members, offered in offers:
            for candidate in offered:
                family = [each for each in members if label_of.get(each.cluster_id, offered[0]) == candidate]
                if len(family) > 1:
                    families.append(family)
        return families

    async def _candidates(self, language_model: LanguageModel, members: Sequence[Cluster]) -> list[str]:
        """Return the names of parents that a neighbourhood is sorted into, no two of which could be mistaken."""
        with _asked_about(members):
            answer = await language_model.ask(
                prompts.candidates_prompt(members, math.ceil(len(members) / 2)),
                CandidateCategories,
                temperature=self.temperature,
            )
        distinct: list[str] = []
        for name in map(tidy_name, answer.names):
            if name and near_duplicate(name, distinct) is None:
                distinct.append(name)
        return distinct

    async def _label(self, language_model: LanguageModel, cluster: Cluster, candidates: Sequence[str]) -> str:
        """Return the candidate the cluster belongs to.

        The model's answer is taken for the candidate it is most like; where it is like none, it is asked once more, and
        then the candidate nearest in meaning is taken.
        """
        rejected = None
        for _ in range(2):
            with _asked_about([cluster]):
                answer = await language_model.ask(
                    prompts.label_prompt(cluster, candidates, rejected), CategoryLabel, temperature=self.temperature
                )
            found = best_match(answer.category.removeprefix("- ").strip(), candidates)
            if found is not None and found[1] >= NEAR_DUPLICATE:
                return found[0]
            rejected = answer.category
        logger.warning("%s labelled cluster %s twice with no candidate", language_model.model, cluster.cluster_id)
        return await self._nearest(cluster, candidates)

    async def _nearest(self, cluster: Cluster, candidates: Sequence[str]) -> str:
        """Return the candidate nearest to the cluster in meaning, or in its letters where one can't be embedded."""
        texts = [_text_of(cluster), *candidates]
        about = [cluster.chat_ids] * len(texts)
        try:
            vectors = unit_rows(await embed_texts(texts, self.embedding_model, about=about))
        except SomeTextsFailed:
            found = best_match(cluster.name, candidates)
            return found[0] if found else candidates[0]
        return candidates[int(np.argmax(vectors[1:] @ vectors[0]))]

    async def _parent(self, language_model: LanguageModel, children: Sequence[Cluster]) -> Cluster:
        with _asked_about(children):
            answer = await language_model.ask(prompts.parent_prompt(children), NamedGroup, temperature=self.temperature)
        name = tidy_name(answer.name)
        return parent_of(
            children,
            name=name,
            description=" ".join(answer.summary.split()),
            slug=three_word_slug(answer.slug, name),
            model=language_model.model,
        )


def _asked_about(clusters: Iterable[Cluster]) -> AbstractContextManager[None]:
    return asked_about(chat_id for cluster in clusters for chat_id in cluster.chat_ids)


def _text_of(cluster: Cluster) -> str:
    return f"{cluster.name}\n{cluster.description}"


async def _answers(
    language_model: LanguageModel,
    items: Sequence[Any],
    answer: Callable[[Any], Awaitable[Result]],
    what: str,
    names: Sequence[str],
    failed: dict[str, str],
) -> list[Result | None]:
    """Return the answers, None where one failed; `failed` gets the error under the item's name."""
    try:
        return list(
            await answer_all(
                items,
                answer,
                at_once=language_model.max_concurrent_requests,
                what=what,
                names=names,
                progress=language_model.on_progress,
                show=_shown,
                model=language_model.model,
            )
        )
    except SomeFailed as some:
        for position, error in some.failures.items():
            known = failed.get(names[position])
            failed[names[position]] = f"{known}; {error}" if known else error
        return some.results


def _shown(answer: Any) -> str:
    """Return an answer for a progress display."""
    if isinstance(answer, Cluster):
        return answer.name
    return answer if isinstance(answer, str) else " / ".join(answer)


def _unnamed_parent(children: Sequence[Cluster]) -> Cluster:
    """Return the parent as it is where nobody names it: called by its children's names."""
    name = joined_name([child.name for child in children])
    return parent_of(children, name=name, description="", slug=three_word_slug("", name), model=UNNAMED)
