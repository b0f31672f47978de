"""Names and descriptions of base clusters, written by a language model: one question a cluster.

Which conversations the model is shown is decided here, from their vectors; the words of the question are in `prompts`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from pydantic import field_validator

from kura_dagster.pipeline.asked_about import asked_about
from kura_dagster.pipeline.base_classes import BaseClusterDescriptionModel, BaseEmbeddingModel
from kura_dagster.pipeline.cluster_names import (
    distinct_names,
    near_duplicate,
    near_duplicates,
    three_word_slug,
    tidy_name,
)
from kura_dagster.pipeline.embeddings import EmbeddingError, embed_texts
from kura_dagster.pipeline.failures import LanguageModelError, SomeFailed, StopAsking
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all, opened
from kura_dagster.pipeline.types import Cluster, ConversationSummary, GeneratedCluster, cluster_id_of, unit_rows
from kura_dagster.pipeline.vectors.closeness import closeness

logger = logging.getLogger(__name__)


class NamedGroup(GeneratedCluster):
    """Name, description and slug of one group of conversations."""

    @field_validator("name", "summary")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not any(letter.isalnum() for letter in text):
            raise ValueError("must hold words")
        return text


# Made without the validators, which would not let a model answer it
_UNNAMED = NamedGroup.model_construct(name="", summary="", slug="")


class ClusterDescriptionModel(BaseClusterDescriptionModel):
    """Asks a language model for the name and the description of each group.

    The model sees the group's members nearest its centre and a spread of the others, at most `max_members` in all, and
    for contrast the most central conversations of the nearest other groups. Together they take no more than 3,000
    tokens (`prompts.MAX_GROUP_TOKENS`): of longer ones as much is shown of each as of the others. Clio shows the
    conversations outside that are nearest; those change with every new conversation nearby, and each changed question
    is paid for.

    Args:
        model: a provider string, for which a client is opened for the time of each call, or an open `LanguageModel`.
        max_concurrent_requests: questions in flight at once; of an open `LanguageModel`, its own number holds.
        temperature: sampling temperature; None sends none.
        max_members: the most members of a group that are shown; more than 100 never are.
        embedding_model: embeds the names, so that two that say the same in other words are told apart as well; None
            means that only the letters count.

    Raises:
        ValueError: `max_members` is below 1.

    References:
        Tamkin et al.: Clio: Privacy-Preserving Insights into Real-World AI Use, 2024.
    """

    def __init__(
        self,
        model: str | LanguageModel = "openai/gpt-4o-mini",
        max_concurrent_requests: int = 50,
        temperature: float | None = 0.2,
        max_members: int = 20,
        embedding_model: BaseEmbeddingModel | None = None,
    ) -> None:
        if max_members < 1:
            raise ValueError(f"max_members is {max_members}; allowed is 1 or more")
        self.model = model
        self.max_concurrent_requests = max_concurrent_requests
        self.temperature = temperature
        self.max_members = max_members
        self.embedding_model = embedding_model

    async def generate_clusters(
        self,
        cluster_id_to_summaries: dict[int, list[ConversationSummary]],
        prompt: str | None = None,
        max_contrastive_examples: int = 10,
    ) -> list[Cluster]:
        """Return one cluster for each group, in the order of the groups; empty groups are left out.

        No two names of the result could be mistaken for each other: of two that are almost the same, in letters or in
        meaning, the later group is named once more with the other name in sight, and told apart by its slug if that
        does not help. `prompt` replaces our own text and holds `{positive_examples}` and, where wanted,
        `{contrastive_examples}`; of these, no more than 50 are shown.

        Raises:
            ValueError: a summary has no embedding, or `prompt` has no `{positive_examples}`.
            StopAsking: nothing more can be asked.
            SomeFailed: some groups were not named; it holds all clusters, those with "" as their name.
        """
        if prompt is not None:
            prompts.check_placeholder(prompt, "positive_examples")
        groups = [_Group(members) for members in cluster_id_to_summaries.values() if members]
        if not groups:
            return []
        contrasts = _contrasts(groups, min(max_contrastive_examples, prompts.MOST_NEIGHBOURS))
        async with opened(self.model, self.max_concurrent_requests) as language_model:

            async def describe(position: int, others: Sequence[int] = ()) -> NamedGroup:
                members = groups[position].shown(min(self.max_members, prompts.MOST_MEMBERS))
                neighbours = contrasts[position]
                question = prompts.cluster_prompt(
                    [statement_of(member) for member in members],
                    [statement_of(neighbour) for neighbour in neighbours],
                    prompt,
                    names_in_use=[named[other].name for other in others],
                )
                # A name is made of what its group's conversations say.
                of_names = [member for other in others for member in groups[other].members]
                with asked_about(each.chat_id for each in (*members, *neighbours, *of_names)):
                    answer = await language_model.ask(question, NamedGroup, temperature=self.temperature)
                return answer.model_copy(update={"name": tidy_name(answer.name)})

            async def describe_again(conflict: tuple[int, int]) -> NamedGroup:
                return await describe(conflict[0], [conflict[1]])

            ids = [group.cluster_id for group in groups]
            named: list[NamedGroup] = []
            failed: SomeFailed | None = None
            try:
                named = await answer_all(
                    range(len(groups)),
                    describe,
                    at_once=language_model.max_concurrent_requests,
                    what="cluster descriptions",
                    names=ids,
                    progress=language_model.on_progress,
                    show=lambda each: each.name,
                    model=language_model.model,
                )
            except SomeFailed as some:
                failed = some
                named = [each or _UNNAMED for each in some.results]
            conflicts = await self._conflicts([each.name for each in named], groups)
            try:
                renamed = await answer_all(
                    conflicts,
                    describe_again,
                    at_once=language_model.max_concurrent_requests,
                    what="second cluster descriptions",
                    names=[ids[position] for position, _ in conflicts],
                    model=language_model.model,
                )
            except SomeFailed as some:
                # The first name stands; its slug tells it apart.
                logger.warning("%s", some)
                renamed = [each or named[conflicts[place][0]] for place, each in enumerate(some.results)]
            for (position, _), again in zip(conflicts, renamed, strict=True):
                named[position] = again
            slugs = [three_word_slug(each.slug, each.name) for each in named]
            told_apart = [each.name for each in named]
            for position, other in await self._conflicts(told_apart, groups) if conflicts else ():
                if near_duplicate(told_apart[position], [named[other].name]) is None:  # spelt alike: follows below
                    told_apart[position] += f" ({slugs[position].replace('_', ' ')})"
            names = iter(distinct_names((name, slug) for name, slug in zip(told_apart, slugs, strict=True) if name))
            clusters = [
                Cluster(
                    cluster_id=group.cluster_id,
                    name=next(names) if each.name else "",
                    description=" ".join(each.summary.split()),
                    slug=slug,
                    chat_ids=[member.chat_id for member in group.members],
                    model=language_model.model,
                    centroid=group.centroid,
                )
                for group, each, slug in zip(groups, named, slugs, strict=True)
            ]
        if failed is not None:
            raise SomeFailed(str(failed), clusters, failed.failures, failed.names, failed.model)
        return clusters

    async def _conflicts(self, names: Sequence[str], groups: Sequence[_Group]) -> list[tuple[int, int]]:
        """Return the positions of names that could be mistaken for an earlier one, each with that one's."""
        earlier = near_duplicates(names, await self._name_vectors(names, groups))
        return [(position, other) for position, other in enumerate(earlier) if other is not None]

    async def _name_vectors(self, names: Sequence[str], groups: Sequence[_Group]) -> np.ndarray | None:
        """Return unit vectors of the names, zeros where there is no name; None where nothing embeds them."""
        named = [position for position, name in enumerate(names) if name]
        if self.embedding_model is None or len(named) < 2:
            return None
        about = [[member.chat_id for member in groups[position].members] for position in named]
        try:
            rows = await embed_texts([names[position] for position in named], self.embedding_model, about=about)
        except StopAsking:
            raise
        except (LanguageModelError, EmbeddingError) as error:
            # The names are there, and paid for.
            logger.warning("names of clusters are compared by their letters only: %s", error)
            return None
        vectors = np.zeros((len(names), rows.shape[1]), dtype=np.float32)
        vectors[named] = unit_rows(rows)
        return vectors


def statement_of(summary: ConversationSummary) -> str:
    """Return what is said about a conversation when its group is described: meaning only."""
    return " ".join(part for part in (summary.summary, summary.request) if part)


class _Group:
    """The members of one group, sorted by chat_id, and their unit vectors."""

    def __init__(self, members: Sequence[ConversationSummary]) -> None:
        self.members = sorted(members, key=lambda member: member.chat_id)
        without = [member.chat_id for member in self.members if member.embedding is None]
        if without:
            raise ValueError(
                f"summary {without[0]} has no embedding; cluster descriptions need one for each summary, as "
                "generate_base_clusters_from_conversation_summaries sees to"
            )
        self.vectors = unit_rows([member.embedding for member in self.members])
        self.centroid = self.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.cluster_id = cluster_id_of(member.chat_id for member in self.members)
        order = np.argsort(-closeness(self.vectors, self.centroid), kind="stable")
        self.nearest_first = [self.members[position] for position in order]

    def shown(self, at_most: int) -> list[ConversationSummary]:
        """Return the members a describer sees: half the places to the nearest of the centre, half spread evenly."""
        if len(self.nearest_first) <= at_most:
            return self.nearest_first
        core, rest = self.nearest_first[: (at_most + 1) // 2], self.nearest_first[(at_most + 1) // 2 :]
        # Evenly over the others by distance, the farthest included: a name should fit them too.
        places = np.linspace(0, len(rest) - 1, at_most - len(core) + 1)[1:]
        return core + [rest[place] for place in places.round().astype(int)]


def _contrasts(groups: Sequence[_Group], number: int) -> list[list[ConversationSummary]]:
    """Return for each group the most central conversations of the groups nearest to it: one of each, then a second.

    They are in the order of their chat_ids and not of their distances, which move a little with every new conversation.
    """
    centroids = unit_rows([group.centroid for group in groups])
    contrasts = []
    for position in range(len(groups)):
        near = closeness(centroids, centroids[position])
        others = sorted(
            (other for other in range(len(groups)) if other != position),
            key=lambda other: (-near[other], groups[other].cluster_id),
        )[:number]
        ranks = zip_longest(*(groups[other].nearest_first[:number] for other in others))
        by_rank = [member for rank in ranks for member in rank if member is not None]
        contrasts.append(sorted(by_rank[:number], key=lambda member: member.chat_id))
    return contrasts
