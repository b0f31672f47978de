"""What a group of conversations is about, where its requests differ too much for one of them to name it.

Subjects are noun phrases that many members use and other groups don't; the names made of them claim no more than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kura_dagster.pipeline.embedded.grammar import is_plural, plural
from kura_dagster.pipeline.embedded.group_words import ENOUGH_SHARE, Group, noun_phrases, respelled, stems
from kura_dagster.pipeline.embedded.request_sentence import has_problem
from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.vocabulary import NOUNS_THAT_SAY_NOTHING

HELP_WITH = "Get help with"
FIX_PROBLEMS = "Fix problems with"

N_SUBJECTS = 12  # of a group that are considered
N_FIRST = 4  # that are tried as the first of a name
MOST_SUBJECTS = 3  # in a name
N_NEAREST = 3  # other groups that a name has to be far from
MOSTLY = 0.7  # of the members covered by the subjects of a name is enough
LEAST_FIT = 0.02  # of a subject, in cosine: a word that is as near to other groups says nothing
NEAR_ENOUGH = 0.4  # of a subject that others may share
LEAST_COSINE = 0.3  # of a member whose conversation is on a topic
LEAST_COSINE_OF_GROUP = 0.25  # whose middle is near a topic
LEAST_OF_BEST = 0.75  # of the best topic's cosine, that another one has to have
COSINE_OF_A_TOPIC = 0.6  # of a group that is about nothing else
SURE_COSINE = 0.43  # of a group with a topic that its members need not mention
LEAST_SHARE_OF_SUBJECTS = 0.1  # of the members that use one
LEAST_SHARE_OF_TOPICS = 0.15  # of the members that use a topic's words, on average over its words


@dataclass(frozen=True)
class Subject:
    """A noun phrase: its words' stems, how a name writes it, and the positions of the members that use it.

    `weight` is how much it sets the group apart by its words, from 0 to 1, and `fit` by its meaning, in cosine.
    `closeness` is that of the group's middle to a topic, in cosine.
    """

    key: tuple[str, ...]
    form: str
    members: frozenset[int]
    weight: float
    fit: float = 0.0
    closeness: float = field(default=0.0, compare=False)


def subjects_of(group: Group, theme: dict[str, float], spelling: dict[str, str]) -> list[Subject]:
    """Return the noun phrases that say best what a group is about, best first.

    `theme` is the group's of `theme_weights`, `spelling` that of `common_spelling`.
    """
    forms: dict[tuple[str, ...], Counter[str]] = {}
    members: dict[tuple[str, ...], set[int]] = {}
    for member, text in enumerate(group.said):
        for key, form in noun_phrases(text):
            if not NOUNS_THAT_SAY_NOTHING.intersection(form.lower().split()):
                forms.setdefault(key, Counter())[form] += 1
                members.setdefault(key, set()).add(member)
    least = max(2.0, LEAST_SHARE_OF_SUBJECTS * len(group.said))
    found = []
    for key, users in members.items():
        form = _general_form(forms[key], spelling)
        is_name = any(word[0].isupper() for word in form.split())
        if len(users) >= (max(least, ENOUGH_SHARE * len(group.said)) if is_name else least) and any(
            map(stands_for_a_thing, forms[key])
        ):
            # Longer phrases say more.
            weight = min(1.0, (0.6 + 0.4 * len(key)) * float(np.mean([theme.get(word, 0.0) for word in key])))
            found.append(Subject(key, form, frozenset(users), weight))
    return sorted(found, key=lambda one: (-one.weight * len(one.members), one.key))[:N_SUBJECTS]


def topics_of(group: Group, topic_vectors: np.ndarray) -> list[Subject]:
    """Return the everyday topics that a group is about, best first; none where it is far from all.

    A topic is one that the group is very near to, or that it is near to and some members mention: on a list of topics
    something is always nearest. `topic_vectors`, shape (n_topics, n_dims), are those of `TOPICS`, of length one.
    """
    closeness = topic_vectors @ group.centroid
    to_members = topic_vectors @ group.vectors.T
    best = np.argsort(-closeness, kind="stable")[:N_SUBJECTS]
    found = [
        Subject(
            tuple(sorted(stems(TOPICS[topic]))),
            TOPICS[topic],
            frozenset(np.flatnonzero(to_members[topic] >= LEAST_COSINE).tolist()),
            min(1.0, float(closeness[topic]) / COSINE_OF_A_TOPIC),
            closeness=float(closeness[topic]),
        )
        for topic in best
        if closeness[topic] >= max(LEAST_COSINE_OF_GROUP, LEAST_OF_BEST * closeness[best[0]])
        and (closeness[topic] >= SURE_COSINE or _is_mentioned(TOPICS[topic], group.said))
    ]
    return [one for one in found if one.members]


def shares_of_topic(topic: str, texts: Sequence[str]) -> list[float]:
    """Return for each text what share of a topic's words it uses, whatever their endings, from 0 to 1.

    Words that say nothing, as "problems" in "sign-in problems", count only where the topic has no others.
    """
    words = _words_of(topic) - _words_of(" ".join(NOUNS_THAT_SAY_NOTHING)) or _words_of(topic)
    return [len(words & _words_of(text)) / len(words) for text in texts]


def _is_mentioned(topic: str, texts: Sequence[str]) -> bool:
    shares = shares_of_topic(topic, texts)
    words = _words_of(topic) - _words_of(" ".join(NOUNS_THAT_SAY_NOTHING)) or _words_of(topic)
    every_word = words <= set().union(*map(_words_of, texts))
    return (
        every_word and sum(map(bool, shares)) >= min(2, len(texts)) and float(np.mean(shares)) >= LEAST_SHARE_OF_TOPICS
    )


def _words_of(text: str) -> set[str]:
    return stems(text.replace("-", ""))  # "Wi-Fi" is "wifi"


def fitted(
    subjects: Sequence[Subject], vectors: Sequence[np.ndarray], centroids: np.ndarray, number: int
) -> list[Subject]:
    """Return the subjects that are nearer to the group with this number than to others, with how much nearer.

    What the group is very near to stays where others are as near: several groups may be about one thing.
    """
    if not subjects:
        return []
    stacked = np.stack(vectors)
    fits = contrasts(stacked, centroids, number)
    closeness = stacked @ centroids[number]
    return [
        replace(one, fit=max(float(fit), LEAST_FIT))
        for one, fit, near in zip(subjects, fits, closeness, strict=True)
        if fit > LEAST_FIT or near >= NEAR_ENOUGH
    ]


def contrasts(vectors: np.ndarray, centroids: np.ndarray, number: int) -> np.ndarray:
    """Return how much nearer texts, shape (n, n_dims), are to their group's centroid than to the three nearest others'.

    All vectors are of length one; the result, shape (n,), is in cosine.
    """
    closeness = vectors @ centroids.T
    to_others = np.sort(np.delete(closeness, number, axis=1), axis=1)[:, -N_NEAREST:]
    return np.asarray(closeness[:, number] - (to_others.mean(axis=1) if to_others.size else 0.0))


def names_by_subject(group: Group, subjects: Sequence[Subject]) -> Iterable[tuple[str, list[Subject], float]]:
    """Yield names that say only what a group is about, each with its subjects and the share of members that use one.

    A name's subjects are those that, one after the other, cover most of the members not yet covered, each member
    counting as much as the subject fits and sets the group apart.
    """
    if not subjects:
        return
    # Topics are of all members, whatever their language, and noun phrases of those that can be read.
    n_members = max(len(group.said), *(1 + max(one.members) for one in subjects))
    worth = {one.key: one.fit * one.weight for one in subjects}
    in_trouble = 2 * sum(map(has_problem, group.asked)) > len(group.asked)
    for first in sorted(subjects, key=lambda one: (-worth[one.key] * len(one.members), one.key))[:N_FIRST]:
        chosen = [first]
        covered = set(first.members)
        while True:
            if len(chosen) == 1 or all(len(one.members) <= MOSTLY * n_members for one in chosen):
                shown = [one.form for one in sorted(chosen, key=lambda one: (-len(one.members), one.key))]
                verb = FIX_PROBLEMS if in_trouble and not any(map(has_problem, shown)) else HELP_WITH
                yield f"{verb} {listed(shown)}", chosen.copy(), len(covered) / n_members
            free = [one for one in subjects if not any(set(one.key) & set(other.key) for other in chosen)]
            best = min(free, key=lambda one: (-worth[one.key] * len(one.members - covered), one.key), default=None)
            if (
                best is None
                or len(chosen) == MOST_SUBJECTS
                or len(covered) > MOSTLY * n_members
                or len(best.members - covered) < 2
            ):
                break
            chosen.append(best)
            covered |= best.members


def listed(items: Sequence[str]) -> str:
    """Return the items as a list in a sentence: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def stands_for_a_thing(form: str) -> bool:
    """Whether a phrase was used as a noun is, and not as "realistic" in "is it realistic"."""
    return form.startswith(("the ", "a ", "an ")) or is_plural(form) or form[0].isupper()


def _general_form(forms: Counter[str], spelling: dict[str, str]) -> str:
    """Return the form of a noun phrase that stands for all: the plural where it has one, as "passkeys" of "a passkey"."""
    written = [form for form, _ in sorted(forms.items(), key=lambda one: (-one[1], one[0]))]
    for form in written:
        article, _, noun = form.partition(" ")
        if (article in ("a", "an") and not is_plural(noun)) or (noun := form).endswith("error"):
            return respelled(plural(noun), spelling)
    plurals = [form for form in written if is_plural(form)]
    chosen = (plurals or written)[0]
    return respelled(chosen.removeprefix("the ") if plurals else chosen, spelling)
