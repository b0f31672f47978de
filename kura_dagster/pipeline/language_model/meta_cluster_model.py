"""One round of the hierarchy, by a language model: candidates, labels, names of parents.

The loop over rounds, and the rules that a round is held to, are `pipeline.meta_clusters`; the words of the questions
are in `prompts`.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, Field

from kura_dagster.pipeline.asked_about import asked_about
from kura_dagster.pipeline.base_classes import BaseClusteringMethod, BaseEmbeddingModel, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import (
    NEAR_DUPLICATE,
    best_match,
    joined_name,
    near_duplicates,
    three_word_slug,
    tidy_name,
)
from kura_dagster.pipeline.clustering import NOISE, KmeansClusteringModel
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all, opened
from kura_dagster.pipeline.language_model.cluster_description_model import NamedGroup
from kura_dagster.pipeline.meta_clusters import MOST_CHILDREN, parent_of, planned_roots
from kura_dagster.pipeline.types import Cluster, FailedItem, unit_rows
from kura_dagster.pipeline.vectors.closeness import closeness
from kura_dagster.pipeline.vectors.ward import group_by_ward

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

UNNAMED = "none"
"""The model of a parent that no model named."""

CLUSTERS_PER_GROUP = 12
"""How many clusters the language model sees at once, on average, where no clustering model is given."""

SHOWN_OUTSIDE = 5
"""How many of the nearest clusters outside a neighbourhood are shown with it."""

MOST_OPTIONS = 12
"""How many candidates a cluster is offered, unless its own neighbourhood has more."""

LARGEST_FAMILY = 20
"""A parent of more children gets a level in between, of four or five each."""


class CandidateCategories(BaseModel):
    """Names of broader categories."""

    names: list[str] = Field(min_length=1, description="Names of the categories, each an imperative sentence.")


class CategoryLabel(BaseModel):
    """The category that a group belongs to."""

    category: str = Field(description="One of the offered categories, exactly as it is written there.")


@dataclass
class _Neighbourhood:
    """Clusters that lie together, the nearest ones outside, and the names that are offered for their parents."""

    members: list[Cluster]
    outside: list[Cluster]
    share: int  # of the candidates of all neighbourhoods
    names: list[str] = field(default_factory=list)

    @property
    def chat_ids(self) -> list[str]:
        """The conversations that its candidates are made of."""
        return _chat_ids((*self.members, *self.outside))


@dataclass(frozen=True)
class _Candidate:
    """The name of a parent that clusters may be put under, its vector, and the conversations that it was made of."""

    name: str
    vector: np.ndarray  # zeros where it could not be embedded
    chat_ids: set[str]


@dataclass(frozen=True)
class _Choice:
    """A cluster, and the candidates it may be put under."""

    cluster: Cluster
    offered: list[_Candidate]

    @property
    def names(self) -> list[str]:
        return [candidate.name for candidate in self.offered]

    @property
    def chat_ids(self) -> set[str]:
        """The conversations that the question is about."""
        return set(self.cluster.chat_ids).union(*(candidate.chat_ids for candidate in self.offered))


class MetaClusterModel(BaseMetaClusterModel):
    """Asks a language model which clusters belong together, as Kura and Clio do.

    A round embeds names and descriptions and groups the clusters into neighbourhoods. In each it asks for candidate
    parents, in sight of the nearest clusters outside; together there are as many as the plan of the levels has roots
    (`meta_clusters.planned_roots`), so that a parent has 4 to 12 children on average on any but small days. Candidates
    of different neighbourhoods that could be mistaken for each other, or that mean the same, become one. Then it asks
    for the candidate that each cluster belongs to: of its own neighbourhood's and the nearest others', twelve in all,
    in an order of its own that nothing but their names and the cluster's id decides. Clusters of one label are a
    family, and it asks for a name of each.

    A cluster alone under its label passes upward without a parent, and so do outliers unless a single root is wanted.
    A family of more than twenty gets a level in between, formed by Ward linkage.

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
        vector_of = {
            cluster.cluster_id: vector
            for cluster, vector in zip(merging, unit_rows(vectors) if merging else [], strict=True)
        }
        async with opened(self.model, self.max_concurrent_requests) as language_model:
            families = await self._families(language_model, merging, vector_of, failed)
            parents, children = await self._parents(language_model, families, vector_of, failed)
        parent_ids = {
            child.cluster_id: parent.cluster_id
            for parent, family in zip(parents, children, strict=True)
            for child in family
        }
        parents = [parent.model_copy(update={"parent_id": parent_ids.get(parent.cluster_id)}) for parent in parents]
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

    async def _families(
        self,
        language_model: LanguageModel,
        clusters: Sequence[Cluster],
        vector_of: Mapping[str, np.ndarray],
        failed: dict[str, str],
    ) -> list[list[Cluster]]:
        """Return the groups of two and more that belong together; put what failed into `failed`, by cluster."""
        n_wanted = planned_roots(len(clusters), self.max_clusters) if len(clusters) > 1 else 0
        if n_wanted < 2:
            # There is nothing to choose: all would be put under one candidate.
            return [list(clusters)] if n_wanted else []
        neighbourhoods = self._neighbourhoods(clusters, vector_of, n_wanted)
        asked = [each for each in neighbourhoods if len(each.members) > 1]
        answers = await _answers(
            language_model,
            asked,
            lambda neighbourhood: self._candidates(language_model, neighbourhood),
            "neighbourhoods of clusters",
            [each.members[0].cluster_id for each in asked],
            failed,
        )
        for neighbourhood, names in zip(asked, answers, strict=True):
            neighbourhood.names = names or []
        options = await self._options(neighbourhoods, vector_of)
        choices = [choice for choice in options if len(choice.offered) > 1]
        labels = await _answers(
            language_model,
            choices,
            lambda choice: self._label(language_model, choice, vector_of[choice.cluster.cluster_id]),
            "labels of clusters",
            [choice.cluster.cluster_id for choice in choices],
            failed,
        )
        label_of = {choice.cluster.cluster_id: label for choice, label in zip(choices, labels, strict=True)}
        families: dict[str, list[Cluster]] = {}
        for choice in options:
            cluster_id = choice.cluster.cluster_id
            label = label_of.get(cluster_id) or _nearest(choice, vector_of[cluster_id])
            families.setdefault(label, []).append(choice.cluster)
        return [family for _, family in sorted(families.items()) if len(family) > 1]

    def _neighbourhoods(
        self, clusters: Sequence[Cluster], vector_of: Mapping[str, np.ndarray], n_candidates: int
    ) -> list[_Neighbourhood]:
        """Return the neighbourhoods by the least of their members' ids, each with its share of the candidates."""
        items = [{"item": cluster, "embedding": vector_of[cluster.cluster_id]} for cluster in clusters]
        groups: dict[int, Any] = self.clustering_model.cluster(items)
        found = sorted(
            (
                sorted(members, key=lambda member: member.cluster_id)
                for number, members in groups.items()
                if number != NOISE and members
            ),
            key=lambda members: members[0].cluster_id,
        )
        shares = _shares([len(members) for members in found], n_candidates)
        every = np.stack([vector_of[cluster.cluster_id] for cluster in clusters])
        neighbourhoods = []
        for members, share in zip(found, shares, strict=True):
            own = {member.cluster_id for member in members}
            middle = np.mean([vector_of[member.cluster_id] for member in members], axis=0)
            order = np.argsort(-closeness(every, middle), kind="stable")
            outside = [clusters[place] for place in order if clusters[place].cluster_id not in own][:SHOWN_OUTSIDE]
            # By their ids: a little nearer or farther is no other question.
            outside.sort(key=lambda cluster: cluster.cluster_id)
            # One alone needs no question: it may stay what it is, or others join it.
            alone = len(members) == 1
            names = [name] if alone and (name := tidy_name(members[0].name)) else []
            neighbourhoods.append(_Neighbourhood(members, [] if alone else outside, share, names))
        return neighbourhoods

    async def _candidates(self, language_model: LanguageModel, neighbourhood: _Neighbourhood) -> list[str]:
        """Return the names of parents that a neighbourhood is sorted into, no more than its share."""
        with asked_about(neighbourhood.chat_ids):
            answer = await language_model.ask(
                prompts.candidates_prompt(neighbourhood.members, neighbourhood.share, neighbourhood.outside),
                CandidateCategories,
                temperature=self.temperature,
            )
        names = [name for name in map(tidy_name, answer.names) if name]
        # A model that names each cluster again would leave as many roots as there were.
        return [name for name, same in zip(names, near_duplicates(names), strict=True) if same is None][
            : neighbourhood.share
        ]

    async def _options(
        self, neighbourhoods: Sequence[_Neighbourhood], vector_of: Mapping[str, np.ndarray]
    ) -> list[_Choice]:
        """Return what each cluster may choose between; no two of all candidates could be mistaken for each other.

        Clusters of neighbourhoods without candidates have no choice, and are left out.
        """
        candidates = await self._distinct_candidates(neighbourhoods, vector_of)
        vectors = np.array([candidate.vector for candidate in candidates])
        choices = []
        for neighbourhood in neighbourhoods:
            own = [place for place, each in enumerate(candidates) if each.name in neighbourhood.names]
            for cluster in neighbourhood.members if own else ():
                near = closeness(vectors, vector_of[cluster.cluster_id])
                nearest_first = np.argsort(-near, kind="stable").tolist()
                others = [place for place in nearest_first if place not in own]
                offered = [candidates[place] for place in (*own, *others[: max(0, MOST_OPTIONS - len(own))])]
                choices.append(_Choice(cluster, _in_an_order_of_its_own(cluster, offered)))
        return choices

    async def _distinct_candidates(
        self, neighbourhoods: Sequence[_Neighbourhood], vector_of: Mapping[str, np.ndarray]
    ) -> list[_Candidate]:
        """Return all candidates by name, of those that could be mistaken for each other the first.

        It also takes the place of the others in the neighbourhoods' names.
        """
        named = [(name, neighbourhood) for neighbourhood in neighbourhoods for name in neighbourhood.names]
        if not named:
            return []
        names = [name for name, _ in named]
        vectors = np.zeros((len(names), len(next(iter(vector_of.values())))), dtype=np.float32)
        refused: list[FailedItem] = []
        rows = await embed_texts(
            names,
            self.embedding_model,
            names=[str(place) for place in range(len(names))],
            failures=refused,
            about=[neighbourhood.chat_ids for _, neighbourhood in named],
        )
        without = {int(item.item_id) for item in refused}
        if len(rows):
            vectors[[place for place in range(len(names)) if place not in without]] = unit_rows(rows)
        stands_for = list(range(len(names)))
        for place, earlier in enumerate(near_duplicates(names, vectors)):
            if earlier is not None:
                stands_for[place] = stands_for[earlier]
        sources: dict[int, set[str]] = {}
        for neighbourhood in neighbourhoods:
            neighbourhood.names = []
        for place, (_, neighbourhood) in zip(stands_for, named, strict=True):
            sources.setdefault(place, set()).update(neighbourhood.chat_ids)
            neighbourhood.names.append(names[place])
        found = [_Candidate(names[place], vectors[place], chat_ids) for place, chat_ids in sources.items()]
        return sorted(found, key=lambda candidate: candidate.name)

    async def _label(self, language_model: LanguageModel, choice: _Choice, vector: np.ndarray) -> str:
        """Return the candidate the cluster belongs to.

        The model's answer is taken for the candidate it is most like; where it is like none, it is asked once more, and
        then the candidate nearest in meaning is taken.
        """
        rejected = None
        for _ in range(2):
            with asked_about(choice.chat_ids):
                answer = await language_model.ask(
                    prompts.label_prompt(choice.cluster, choice.names, rejected),
                    CategoryLabel,
                    temperature=self.temperature,
                )
            found = best_match(answer.category.removeprefix("- ").strip(), choice.names)
            if found is not None and found[1] >= NEAR_DUPLICATE:
                return found[0]
            rejected = answer.category
        logger.warning(
            "%s labelled cluster %s twice with no candidate", language_model.model, choice.cluster.cluster_id
        )
        return _nearest(choice, vector)

    async def _parents(
        self,
        language_model: LanguageModel,
        families: Sequence[list[Cluster]],
        vector_of: Mapping[str, np.ndarray],
        failed: dict[str, str],
    ) -> tuple[list[Cluster], list[list[Cluster]]]:
        """Return the parents of the families, lower levels first, and the children of each."""
        parents: list[Cluster] = []
        children: list[list[Cluster]] = []
        vector_of = dict(vector_of)

        async def make(of: Sequence[list[Cluster]]) -> list[Cluster]:
            of = list(of)
            while any(len(family) > LARGEST_FAMILY for family in of):
                split = [_split(family, vector_of) if len(family) > LARGEST_FAMILY else [] for family in of]
                between = iter(await make([part for parts in split for part in parts if len(part) > 1]))
                for place, parts in enumerate(split):
                    if parts:
                        of[place] = [part[0] if len(part) == 1 else next(between) for part in parts]
                        for child, part in zip(of[place], parts, strict=True):
                            vector_of[child.cluster_id] = np.mean([vector_of[each.cluster_id] for each in part], axis=0)
            answers = await _answers(
                language_model,
                of,
                lambda family: self._parent(language_model, family),
                "names of parents",
                [_unnamed_parent(family).cluster_id for family in of],
                failed,
            )
            made = [parent or _unnamed_parent(family) for family, parent in zip(of, answers, strict=True)]
            parents.extend(made)
            children.extend(of)
            return made

        await make(families)
        return parents, children

    async def _parent(self, language_model: LanguageModel, children: Sequence[Cluster]) -> Cluster:
        with asked_about(_chat_ids(children)):
            answer = await language_model.ask(prompts.parent_prompt(children), NamedGroup, temperature=self.temperature)
        name = tidy_name(answer.name)
        return parent_of(
            children,
            name=name,
            description=" ".join(answer.summary.split()),
            slug=three_word_slug(answer.slug, name),
            model=language_model.model,
        )


def _shares(sizes: Sequence[int], total: int) -> list[int]:
    """Return `total` shared out in proportion to the sizes, one each at least and no more than the size."""
    shares = [1] * len(sizes)
    # Each next one to whom it is farthest short of its due (Jefferson's method).
    while sum(shares) < total:
        open_to = [place for place, size in enumerate(sizes) if shares[place] < size]
        if not open_to:
            break
        shares[max(open_to, key=lambda place: (sizes[place] / (shares[place] + 1), -place))] += 1
    return shares


def _in_an_order_of_its_own(cluster: Cluster, candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Return the candidates shuffled by the cluster's id: models favour what stands first.

    It is an order by hashes, so that one candidate more moves none of the others.
    """

    def place(candidate: _Candidate) -> bytes:
        return hashlib.sha256(f"{cluster.cluster_id}\n{candidate.name}".encode("utf-8", "surrogatepass")).digest()

    return sorted(candidates, key=place)


def _nearest(choice: _Choice, vector: np.ndarray) -> str:
    """Return the candidate nearest to the cluster in meaning, or in its letters where none could be embedded."""
    by_name = sorted(choice.offered, key=lambda candidate: candidate.name)
    vectors = np.stack([candidate.vector for candidate in by_name])
    found = None if vectors.any() else best_match(choice.cluster.name, [candidate.name for candidate in by_name])
    return found[0] if found else by_name[int(np.argmax(closeness(vectors, vector)))].name


def _split(family: Sequence[Cluster], vector_of: Mapping[str, np.ndarray]) -> list[list[Cluster]]:
    """Return the family in as many groups as each then has members, about, but no more than a parent should have."""
    n_top = min(MOST_CHILDREN, round(math.sqrt(len(family))))
    n_groups = planned_roots(len(family), n_top + 1)
    labels = group_by_ward(np.stack([vector_of[each.cluster_id] for each in family]), n_groups)
    return [
        [family[place] for place in np.flatnonzero(labels == label).tolist()] for label in range(int(labels.max()) + 1)
    ]


def _chat_ids(clusters: Iterable[Cluster]) -> list[str]:
    return [chat_id for cluster in clusters for chat_id in cluster.chat_ids]


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
