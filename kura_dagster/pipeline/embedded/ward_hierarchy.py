"""The hierarchy without a language model: Ward linkage on the clusters' centroids, a level at a time.

Here are the grouping, the plan of how many parents a level gets, and the parents' names. The loop over the rounds is
`pipeline.meta_clusters`' work, and how a name is chosen among candidates is `extractive_naming`'s.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel, BaseMetaClusterModel
from kura_dagster.pipeline.cluster_names import near_duplicate
from kura_dagster.pipeline.embedded.extractive_naming import HELP_WITH, MODEL, Group, noun_phrases, unique_slugs
from kura_dagster.pipeline.embedded.request_sentence import content_words, stem
from kura_dagster.pipeline.embedded.vocabulary import ENGLISH_VERBS, TIME_WORDS
from kura_dagster.pipeline.types import Cluster, cluster_id_of, unit_rows

CHILDREN_PER_ROOT = 2.5  # on small days: 20 clusters get 8 roots; fewer roots mix themes
MOST_CHILDREN = 12  # on average; more clusters than that for each root get a level in between
NAMES_IN_DESCRIPTION = 6
LONGEST_NAME = 12  # words
WORD_COST = 0.03


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
        labels = group_by_ward(vectors, target)
        families = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
        families = [family for family in families if len(family) > 1]
        children = [_biggest_first([merging[position] for position in family]) for family in families]
        middles = [
            np.average(vectors[family], axis=0, weights=[merging[position].count for position in family])
            for family in families
        ]
        names = await self._names(children, middles, [cluster.name for cluster in clusters])
        groups = [Group([child.name for child in own], middle) for own, middle in zip(children, middles, strict=True)]
        parents = []
        parent_of = {}
        for own, middle, name, slug in zip(children, middles, names, unique_slugs(names, groups), strict=True):
            chat_ids = sorted({chat_id for child in own for chat_id in child.chat_ids})
            parent = Cluster(
                cluster_id=cluster_id_of(chat_ids),
                name=name,
                description=_description(own),
                slug=slug,
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
        return np.asarray(await self.embedding_model.embed(texts), dtype=np.float32)

    async def _names(
        self, families: Sequence[list[Cluster]], middles: Sequence[np.ndarray], taken: list[str]
    ) -> list[str]:
        """Return a name for each family of clusters, biggest first; they differ from each other and from `taken`."""
        options = [parent_names([child.name for child in own], [child.count for child in own]) for own in families]
        texts = [name for own in options for name in own]
        texts += [child.name for own in families for child in own]
        vectors = unit_rows(await self.embedding_model.embed(texts))
        centroids = unit_rows(np.stack(middles))
        # Where the names can't be compared with the centroids they are compared with the children's names alone.
        comparable = vectors.shape[1] == centroids.shape[1]
        start, start_children = 0, sum(map(len, options))
        names: list[str] = []
        for number, (own, family) in enumerate(zip(options, families, strict=True)):
            mine = vectors[start : start + len(own)]
            said = vectors[start_children : start_children + len(family)]
            start, start_children = start + len(own), start_children + len(family)
            score = (mine @ said.T) @ (weights := np.sqrt([child.count for child in family])) / weights.sum()
            if comparable:
                closeness = mine @ centroids.T
                others = np.delete(closeness, number, axis=1)
                score = score + closeness[:, number] - (others.max(axis=1) if others.size else 0.0)
            score = score + [value for value in own.values()]
            ranked = [name for _, name in sorted(zip(-score, own, strict=True))]
            free = (name for name in ranked if near_duplicate(name, [*taken, *names]) is None)
            names.append(next(free, None) or _numbered(ranked[0], [*taken, *names]))
        return names


def planned_roots(n_clusters: int, most_roots: int) -> int:
    """Return how many roots one round should leave of `n_clusters`, so that the last leaves at most `most_roots`.

    Few clusters get a root for every three or four, many get `most_roots`, with as many levels between as it takes for
    a parent to have a dozen children on average at most.
    """
    # One below the limit, so that a root for what fits nowhere is still allowed.
    limit = max(1, most_roots - 1 if most_roots > 2 else most_roots)
    final = min(limit, math.ceil(n_clusters / CHILDREN_PER_ROOT))
    n_levels = max(1, math.ceil(math.log(n_clusters / final, MOST_CHILDREN) - 1e-9))
    branching = (n_clusters / final) ** (1 / n_levels)
    return max(final, math.floor(n_clusters / branching + 1e-9))


def group_by_ward(vectors: np.ndarray, n_groups: int) -> np.ndarray:
    """Group vectors of shape (n, n_dims) by Ward linkage of their directions; return labels 0 … of shape (n,).

    Makes `n_groups` groups, or n where there are fewer vectors. Labels are numbered by first appearance. Rows of zeros
    and duplicates are allowed.

    Ward, J. H. (1963), https://doi.org/10.1080/01621459.1963.10500845.

    Raises:
        ValueError: `n_groups` is below 1 or `vectors` is not an array of rows.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2:
        raise ValueError(f"vectors has the shape {vectors.shape}; allowed is (n, n_dims)")
    if n_groups < 1:
        raise ValueError(f"n_groups is {n_groups}; allowed is 1 or more")
    n_vectors = len(vectors)
    if n_groups >= n_vectors:
        return np.arange(n_vectors)
    if n_groups == 1:
        return np.zeros(n_vectors, dtype=np.int64)
    # Here and not above: scipy takes half a second to load, and the Dagster code location loads this module.
    from scipy.cluster.hierarchy import cut_tree, linkage

    tree = linkage(unit_rows(vectors).astype(np.float64), method="ward")
    labels = cut_tree(tree, n_clusters=n_groups)[:, 0]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


# Names ----------------------------------------------------------------------------------------------------------------


def parent_names(names: Sequence[str], counts: Sequence[int]) -> dict[str, float]:
    """Return possible names of a parent with what speaks for each, from its children's names, biggest child first.

    They are "Get help with …" what several children mention or with the things of the biggest ones, one verb with
    several things where children do the same, and the two biggest children's names joined. What speaks for a name is
    the share of conversations whose cluster it mentions, less its length.
    """
    plain = [re.split(r" \(| / |…", name)[0] for name in names]
    english = [name for name in plain if name.split(" ")[0].lower() in ENGLISH_VERBS]
    if len(english) < len(plain) / 2:
        joined = " / ".join(" ".join(name.split()[: LONGEST_NAME // 2]) for name in dict.fromkeys(plain[:2]))
        return {joined: 0.0}
    options: set[str] = set()
    phrases = Counter(key for name in english for key in {key for key, _ in noun_phrases(_object(name))})
    forms = {key: form for name in reversed(english) for key, form in noun_phrases(_object(name))}
    options.update(f"{HELP_WITH} {forms[key]}" for key, count in phrases.items() if count > 1)

    things: dict[tuple[str, ...], str] = {}  # of each child the first thing it is about, in the order of the children
    verbs: dict[str, list[str]] = {}
    for name in english:
        found = list(noun_phrases(_object(name)))
        found = [
            one for one in found if not TIME_WORDS.union(["user", "assistant"]).intersection(one[1].lower().split())
        ]
        if not found:
            continue
        first = found[0][0][0]
        key, form = max((one for one in found if one[0][0] == first), key=lambda one: len(one[0]))
        if not any(set(key) & set(other) for other in things):
            things[key] = form
            verbs.setdefault(_verb(name), []).append(form)
    for verb, together in [(HELP_WITH, list(things.values())), *verbs.items()]:
        for chosen in (together[:2], together[:3]):
            if len(chosen) > 1:
                conjunction = "or" if verb not in (HELP_WITH, "Get") else "and"
                start = HELP_WITH if verb == "Get" else verb
                options.add(f"{start} {', '.join(chosen[:-1])} {conjunction} {chosen[-1]}")
    simple = [name for name in english if len(name.split()) < LONGEST_NAME // 2 and not name.startswith(HELP_WITH)]
    if len(simple) > 1 and simple[0] == english[0] and not _things(simple[0]) & _things(simple[1]):
        options.add(f"{simple[0]} and {simple[1][0].lower()}{simple[1][1:]}")
    # For children that all have one thing, and would have the parent's name.
    options.update(f"Get all kinds of help with {form}" for form in list(things.values())[:1])
    if not options:
        shortened = dict.fromkeys(" ".join(name.split()[: LONGEST_NAME // 2]) for name in plain)
        options.add(" / ".join(list(shortened)[:2]) if len(shortened) > 1 else f"{english[0]} and more")

    total = sum(counts)

    def covered(option: str) -> float:
        told = _things(option)
        return sum(count for name, count in zip(plain, counts, strict=True) if told & _things(name)) / total

    return {
        option: covered(option) - WORD_COST * len(option.split())
        for option in sorted(options)
        if len(option.split()) <= LONGEST_NAME
    } or {min(options): 0.0}


def _verb(name: str) -> str:
    return "Find out" if name.startswith("Find out ") else name.partition(" ")[0]


def _object(name: str) -> str:
    """Return a name without its verb, which is no part of the thing, after a word that keeps its first capital."""
    verb = HELP_WITH if name.startswith(HELP_WITH) else _verb(name)
    return f"to{name.removeprefix(verb)}"


def _things(name: str) -> set[str]:
    return {stem(word) for word in content_words(_object(name))}


def _description(children: Sequence[Cluster]) -> str:
    n_conversations = sum(child.count for child in children)
    shown = "; ".join(child.name for child in children[:NAMES_IN_DESCRIPTION])
    more = len(children) - NAMES_IN_DESCRIPTION
    rest = f"; and {more} more" if more > 0 else ""
    return f"Users asked for {len(children)} related things ({n_conversations} conversations): {shown}{rest}."


def _numbered(name: str, taken: Sequence[str]) -> str:
    used = {other.lower() for other in taken}
    number = 2
    while f"{name} ({number})".lower() in used:
        number += 1
    return f"{name} ({number})"


def _biggest_first(clusters: Sequence[Cluster]) -> list[Cluster]:
    return sorted(clusters, key=lambda cluster: (-cluster.count, cluster.cluster_id))
