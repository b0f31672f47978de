"""The hierarchy without a language model: Ward linkage on the clusters' centroids, a level at a time.

Here are the grouping and the parents' names. The plan of how many parents a level gets, and the loop over the rounds,
are `pipeline.meta_clusters`' work, and how a name is chosen among candidates is `extractive_naming`'s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import distinct_name, joined_name, near_duplicate, three_word_slug
from kura_dagster.pipeline.embedded.extractive_naming import ASK_IN, MODEL, SAY, slug_for
from kura_dagster.pipeline.embedded.grammar import is_plural, plural
from kura_dagster.pipeline.embedded.group_words import noun_phrases, stems
from kura_dagster.pipeline.embedded.subjects import (
    FIX_PROBLEMS,
    HELP_WITH,
    LEAST_COSINE,
    listed,
    shares_of_topic,
)
from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.vocabulary import AUXILIARIES, ENGLISH_VERBS, NOUNS_THAT_SAY_NOTHING
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.meta_clusters import planned_roots
from kura_dagster.pipeline.types import Cluster, cluster_id_of, unit_rows
from kura_dagster.pipeline.vectors.ward import group_by_ward

NAMES_IN_DESCRIPTION = 6
MOST_THINGS = 3  # in a parent's name
LEAST_SHARE_OF_THINGS = 0.1  # of a parent's conversations, that each thing in its name covers
LEAST_SHARE_COVERED = 0.6  # that the things in its name cover together
NEARLY_ALL = 0.8  # of them covered, so that there is no need to say that there is more
ALL_KINDS = "Get all kinds of help with"


class WardMetaClusterModel(BaseMetaClusterModel):
    """Groups clusters by Ward linkage and names the groups by what their members' names share; local, without a key.

    Args:
        max_clusters: the most roots the hierarchy may have.
        embedding_model: embeds candidate names, and clusters that come without centroids. It has to be the model that
            the centroids come from. None means MiniLM.

    Raises:
        ValueError: `max_clusters` is below 1.
    """

    def __init__(self, max_clusters: int = 10, embedding_model: BaseEmbeddingModel | None = None) -> None:
        if max_clusters < 1:
            raise ValueError(f"max_clusters is {max_clusters}; allowed is 1 or more")
        self.max_clusters = max_clusters
        if embedding_model is None:
            from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel  # only where it is the default

            embedding_model = MiniLMEmbeddingModel()
        self.embedding_model = embedding_model

    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        """Return the given clusters, each with its parent where it got one, and after them the new parents.

        One round adds one level. A cluster that nothing is close to stays a root. Outliers stay roots too, unless a
        single root is wanted. Where there are no more roots than allowed, the clusters are returned as they are.
        """
        roots = [cluster for cluster in clusters if cluster.parent_id is None]
        if len(roots) <= self.max_clusters:
            return list(clusters)
        outliers = [root for root in roots if root.is_outlier]
        merging = sorted((root for root in roots if not root.is_outlier), key=lambda root: root.cluster_id)
        target = planned_roots(len(merging), self.max_clusters - len(outliers))
        if self.max_clusters == 1 and target == 1:
            merging = sorted(roots, key=lambda root: root.cluster_id)
        if target >= len(merging):
            return list(clusters)
        vectors = await self._vectors(merging)
        from threadpoolctl import threadpool_limits

        # Between every cluster counting alike, where large ones swallow the small, and every conversation.
        with threadpool_limits(limits=1):
            labels = group_by_ward(vectors, target, [math.sqrt(max(1, cluster.count)) for cluster in merging])
        members = [np.flatnonzero(labels == label).tolist() for label in range(labels.max() + 1)]
        families = [
            sorted(family, key=lambda position: _biggest_first(merging[position]))
            for family in members
            if len(family) > 1
        ]
        children = [[merging[position] for position in family] for family in families]
        middles = [
            np.average(vectors[family], axis=0, weights=[merging[position].count for position in family])
            for family in families
        ]
        family_vectors = [vectors[family] for family in families]
        names = await self._names(children, family_vectors, [cluster.name for cluster in clusters])
        parents = []
        parent_of = {}
        for own, middle, name in zip(children, middles, names, strict=True):
            chat_ids = sorted({chat_id for child in own for chat_id in child.chat_ids})
            parent = Cluster(
                cluster_id=cluster_id_of(chat_ids),
                name=name,
                description=_description(own),
                slug=slug_for(name, [child.name for child in own]),
                chat_ids=chat_ids,
                model=MODEL,
                centroid=middle.astype(np.float32),
            )
            parents.append(parent)
            parent_of.update({child.cluster_id: parent.cluster_id for child in own})
        moved = [
            cluster.model_copy(update={"parent_id": parent_of[cluster.cluster_id]})
            if cluster.parent_id is None and cluster.cluster_id in parent_of
            else cluster
            for cluster in clusters
        ]
        return [*moved, *parents]

    async def _vectors(self, clusters: Sequence[Cluster]) -> np.ndarray:
        """Return the centroids, shape (n, n_dims), or vectors of names and descriptions where a centroid is missing."""
        centroids = [cluster.centroid for cluster in clusters if cluster.centroid is not None]
        if len(centroids) == len(clusters) and len({len(centroid) for centroid in centroids}) == 1:
            return np.stack(centroids)
        texts = [f"{cluster.name}. {cluster.description}" for cluster in clusters]
        return await embed_texts(texts, self.embedding_model, about=[cluster.chat_ids for cluster in clusters])

    async def _names(
        self, families: Sequence[list[Cluster]], families_vectors: Sequence[np.ndarray], taken: list[str]
    ) -> list[str]:
        """Return a name for each family of clusters, biggest first; they differ from each other and from `taken`."""
        named = [child for family in families for child in family]
        texts = [*TOPICS, *(child.name for child in named)]
        about = [*([()] * len(TOPICS)), *(child.chat_ids for child in named)]
        vectors = unit_rows(await embed_texts(texts, self.embedding_model, about=about))
        topic_vectors, name_vectors = vectors[: len(TOPICS)], iter(vectors[len(TOPICS) :])
        names: list[str] = []
        for family, middles in zip(families, families_vectors, strict=True):
            closeness = np.stack([next(name_vectors) for _ in family]) @ topic_vectors.T
            # Centroids that came from another model can't be compared with topics.
            if middles.shape[1] == topic_vectors.shape[1]:
                closeness = (closeness + unit_rows(middles) @ topic_vectors.T) / 2
            best = closeness.argmax(axis=1)
            topics = [
                TOPICS[topic] if own[topic] >= LEAST_COSINE and _is_mentioned(TOPICS[topic], child) else None
                for child, topic, own in zip(family, best, closeness, strict=True)
            ]
            children = [child.name for child in family]
            name = parent_name(children, topics, [child.count for child in family])
            if near_duplicate(name, [*taken, *names]) is not None:
                name = _joined(children)
            names.append(distinct_name(name, three_word_slug("", family[0].name), [*taken, *names]))
        return names


# Names ----------------------------------------------------------------------------------------------------------------


def _is_mentioned(topic: str, cluster: Cluster) -> bool:
    return shares_of_topic(topic, [f"{cluster.name} {cluster.description}"]) == [1.0]


def parent_name(children: Sequence[str], topics: Sequence[str | None], counts: Sequence[int]) -> str:
    """Return a name for what holds all of `children`, biggest first: what most of the conversations are about.

    `topics` has the everyday topic that each child is about, or None, and `counts` its conversations. Where few things
    don't cover most of them, or where nothing can be read, as in names in other languages than English, the parent is
    named by its biggest children's names.
    """
    weights: dict[str, int] = {}
    for name, topic, count in zip(children, topics, counts, strict=True):
        if thing := _thing(name, topic):
            same = next((other for other in weights if stems(thing) & stems(other)), thing)
            weights[same] = weights.get(same, 0) + count
    total = sum(counts)
    main = sorted(weights, key=lambda thing: -weights[thing])[:MOST_THINGS]
    main = [thing for thing in main if weights[thing] >= LEAST_SHARE_OF_THINGS * total]
    covered = sum(weights[thing] for thing in main)
    nearly_all = covered >= NEARLY_ALL * total
    if covered < LEAST_SHARE_COVERED * total or (len(main) == 1 and not nearly_all):
        return _joined(children)
    if len(main) == 1:
        # All children are about one thing, and one of them may well have its name.
        return f"{ALL_KINDS} {main[0]}"
    return f"{HELP_WITH} {listed(main if nearly_all else [*main[: MOST_THINGS - 1], 'more'])}"


def _joined(children: Sequence[str]) -> str:
    """Return the first children's names joined; of one that is joined itself, only its first part."""
    return joined_name([_JOINT.split(child)[0] for child in children])


_JOINT = re.compile(r" / | and \d+ more$")


def _thing(name: str, topic: str | None) -> str | None:
    """Return what a cluster's name is about: the first subject it lists, or its topic, or else its first noun.

    None where it lists none and is no English request.
    """
    if name.startswith((ASK_IN, SAY)):
        return None
    for verb in (HELP_WITH, ALL_KINDS, FIX_PROBLEMS):
        if name.startswith(verb):
            return re.split(r", | and | \(", name.removeprefix(verb).strip())[0]
    if topic is not None:
        return topic
    verb, _, rest = name.partition(" ")
    if verb.lower().partition("'")[0] not in ENGLISH_VERBS | AUXILIARIES | _QUESTION_WORDS:
        return None
    phrases = [form for key, form in noun_phrases(f"to {rest}") if not NOUNS_THAT_SAY_NOTHING.intersection(key)]
    # "The order" is no noun phrase by its words, since "order" is a verb as well.
    phrases += [match[0] for match in _AFTER_ARTICLE.finditer(rest) if match[1].lower() in ENGLISH_VERBS]
    if not phrases:
        return None
    article, _, noun = phrases[0].partition(" ")
    return plural(noun) if article in ("a", "an") and not is_plural(noun) else phrases[0]


_QUESTION_WORDS = frozenset("what which whose how where when why who".split())
_AFTER_ARTICLE = re.compile(r"(?i)\b(?:the|an?) (\w+)(?= |$)")


def _description(children: Sequence[Cluster]) -> str:
    n_conversations = sum(child.count for child in children)
    shown = "; ".join(child.name for child in children[:NAMES_IN_DESCRIPTION])
    more = len(children) - NAMES_IN_DESCRIPTION
    rest = f"; and {more} more" if more > 0 else ""
    return f"Users asked for {len(children)} related things ({n_conversations} conversations): {shown}{rest}."


def _biggest_first(cluster: Cluster) -> tuple[int, str]:
    return -cluster.count, cluster.cluster_id
