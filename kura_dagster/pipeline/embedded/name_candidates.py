"""Possible names of a group of conversations, from its members' own words, and how well each one fits.

Where a name comes from: a member's sentence as an imperative (`imperative`) or as it was said (`plain_requests`), rid of
what only that member said (`shortening`), or what the group is about (`subjects`). Which group gets which name is chosen in `extractive_naming`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.embedded.grammar import is_nominal
from kura_dagster.pipeline.embedded.group_words import (
    ENOUGH_SHARE,
    Group,
    Usage,
    common_spelling,
    respelled,
    stems,
    theme_weights,
)
from kura_dagster.pipeline.embedded.imperative import imperatives, infinitives
from kura_dagster.pipeline.embedded.joints import n_joints, word_neighbours
from kura_dagster.pipeline.embedded.plain_requests import as_said, cut_abroad, is_direct_question, without_lone_marks
from kura_dagster.pipeline.embedded.request_sentence import asks, content_words, has_problem, sentences
from kura_dagster.pipeline.embedded.shortening import SLOT, n_fillers, shortened_imperatives, with_slots
from kura_dagster.pipeline.embedded.subjects import Subject, fitted, names_by_subject, subjects_of, topics_of
from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.vocabulary import (
    ABSTRACT_NOUNS,
    AUXILIARIES,
    DETERMINERS,
    ENGLISH_VERBS,
    LIGHT_VERBS,
    NOUNS_THAT_SAY_NOTHING,
    PRONOUNS,
    TIME_WORDS,
    VERBS_THAT_ARE_NOUNS,
)
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.types import unit_rows

N_MEMBERS = 40  # nearest to the centroid that are read for candidates
N_SENTENCES = 6  # of each that are read
N_COMPARED = 12  # members whose requests a name is compared with, from the most central to the least
N_CANDIDATES = 13  # of a group that are embedded
N_WORDS = 10  # of the longest name
N_THEME_WORDS = 3  # that a name covers the theme with
N_NEIGHBOURS = 8  # nearest other groups that a name is held against
N_NEAREST = 3  # of them, those that the name is nearest to

# What the parts of a candidate's score weigh. Chosen on labelled requests and dialogues for how often the name is
# nearest to the label of most members, and by reading; between half and double each, little changes.
CONSENSUS_WEIGHT = 1.0
LEAST_AGREEING_WEIGHT = 1.0
CONTRAST_WEIGHT = 1.0
THEME_WEIGHT = 0.25
SUPPORT_WEIGHT = 0.4
COVERED_WEIGHT = 0.5  # of a name that only says what the group is about
SURENESS_WEIGHT = 0.5
SOURCES_WEIGHT = 0.2
SHARE_OF_SOURCES = 0.25  # of the members that have to say the same for the full weight
WORD_PENALTY = 0.02
LOW_SUPPORT_PENALTY = 0.25  # for a name whose words nobody uses; none where the words are used enough on average
UNSUPPORTED_PENALTY = 0.25  # for a word that nobody else uses
OF_MINORITY_PENALTY = 0.15  # for a noun or a number that no more than half use
OF_FEW_PENALTY = 0.3  # for a noun or a number that says which of many few meant
VERB_WEIGHT = 0.6  # of a name's first word in what is unsupported: people say the same in many verbs
JOINT_PENALTY = 0.5  # for two words side by side as nobody has them: what rewriting has broken
SLOT_PENALTY = 0.15  # at the end of a name, and twice that within it, where it hides what the rest is about
VAGUE_PENALTY = 0.5  # for a name with a pronoun, which nobody can know the meaning of
UNTOLD_PENALTY = 1.0  # for a name that lets somebody know, and not what
NOT_ASKED_PENALTY = 0.3  # for a sentence that is not the one that its member is shown with
CONTEXT_PENALTY = 1.2  # for a statement in a group of which more than half ask for something
LATER_SENTENCE_PENALTY = 0.04  # each: what a user says first is what they came for

SUBJECT_SURENESS = 0.1
TOPIC_SURENESS = 0.4
SURE = 0.7  # of the rewriting of a sentence that need not stand as it was said

# A name stands for its group if at least half of the members compared are near to it, or half use each of its words and
# it is not far from them.
LEAST_SHARE_MEANT = 0.5
CLEAR = 0.5  # consensus of a request, from which on nobody looks for a topic
NEAR = 0.45  # in cosine
NEAR_ABROAD = 0.5  # in other languages than English, where whatever is said in the same one is near
LEAST_USED_ABROAD = 0.1  # of members that use each word of it, and all words on average: there
LEAST_SUPPORT_ABROAD = 0.35  # a name is near for its language alone
NOT_FAR = 0.3


@dataclass
class Candidate:
    """A possible name with what speaks for it.

    `sureness` is the rewriting's, `support` the share of members that use its words, on average, and `theme` how much
    of what sets the group apart it mentions; all from 0 to 1. `unsupported` is how many of its words too few members use,
    in words; `of_few` counts the nouns and numbers among them that say which of many is meant, `of_minority` those that not
    many more than half use, and
    `joints` the words that stand side by side as nobody has them. `is_asked` is whether it comes from the sentence that a
    member's request is shown by. `made_of` is the name
    without its slots. `says_request` is False of a name that only says what the group is about, and `meant` is the share of the
    members that it may be said to stand for; `least_used` is the share that uses the word of it that fewest do. `near` says of each member
    compared whether the name is near to it, and `consensus` is how near it is to them on average, in cosine. `of_topic`
    is the cosine of the group to the everyday topic that the name is of, None of other names.
    """

    text: str
    sureness: float
    support: float
    theme: float
    unsupported: float
    of_few: int = 0
    of_minority: int = 0
    joints: int = 0
    is_asked: bool = True
    made_of: str = ""
    n_sources: int = 1
    says_request: bool = True
    of_topic: float | None = None
    consensus: float = 0.0
    meant: float = 1.0
    least_used: float = 0.0
    near: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool), compare=False)
    score: float = field(default=0.0)

    @property
    def stands(self) -> bool:
        """Whether it is a request that at least half of the group meant, and claims nothing that few did."""
        return self.says_request and self.meant >= LEAST_SHARE_MEANT and not self.of_few


def _names_a_thing(name: str, usage: Usage) -> bool:
    """Whether a name says what it is about, beside its verb: "Explain the difference" doesn't, and "Spell …" does."""
    verb, _, rest = name.partition(" ")
    if _BROKEN.search(name) or (verb.lower() in DETERMINERS and all(map(is_nominal, rest.split()[:-1]))):
        return False  # "my flight", and what of it?
    if SLOT in name:
        if rest.startswith(SLOT) and (not content_words(verb) or verb.lower() in LIGHT_VERBS):
            return False  # "make …" and "find …" may be anything
        nouns = set(content_words(rest)) - TIME_WORDS
        if rest == SLOT and verb.lower() not in ENGLISH_VERBS:
            return False  # "Wi-Fi …" says nothing of it
        return bool(nouns) or (verb.lower() not in LIGHT_VERBS and usage.share(verb) >= LEAST_SHARE_MEANT)
    words = set(content_words(rest)) - NOUNS_THAT_SAY_NOTHING - ABSTRACT_NOUNS
    return bool(words - (ENGLISH_VERBS - VERBS_THAT_ARE_NOUNS))


_VAGUE = re.compile(
    r"(?i)\b(?:this|these|those|it|them|that|he|she|they|one|something|anything|someone|everything|thing|things|stuff|so|here|there|such)\b"
    r"(?! (?:is|was|are|to|costs?|takes?|will|would|has)\b)"
)


_BROKEN = re.compile(rf"(?i)\bwhether (?:{'|'.join(sorted(AUXILIARIES))})\b")  # "check whether can be owner"
# "Let the bank know", and what?
_UNTOLD = re.compile(
    r"(?i)(?:let|have|get) .+ know$|(?:tell|inform|alert|notify|warn|remind|contact) (?:(?:the|my|our|an?) )?\w+$|.+ to know$"
)


def _candidates(
    group: Group, theme: dict[str, float], spelling: dict[str, str], neighbours: set[tuple[str, str]]
) -> list[Candidate]:
    """Return the requests that may name a group, the most promising first."""
    found: dict[str, Candidate] = {}
    for candidate in _requests(group, theme, spelling):
        known = found.setdefault(candidate.text.lower(), candidate)
        if known is not candidate:
            known.n_sources += 1
            known.sureness = max(known.sureness, candidate.sureness)
            known.is_asked |= candidate.is_asked
    for one in found.values():
        one.joints = n_joints(one.text, neighbours)

    def promise(one: Candidate) -> float:
        return (
            one.support
            + one.theme
            - 0.3 * one.unsupported
            - 0.5 * one.joints
            + 0.5 * one.sureness
            + 0.05 * min(one.n_sources, 6)
            - 0.02 * len(one.text.split())
        )

    return sorted(found.values(), key=lambda one: (-promise(one), one.text))[:N_CANDIDATES]


def _is_statement(text: str) -> bool:
    """Whether a text begins as a sentence about somebody or something and neither asks nor tells of a problem."""
    first = re.split(r"[\W_]", text.lower(), maxsplit=1)[0]
    return first in PRONOUNS | DETERMINERS and not (asks(text) or "?" in text or has_problem(text))


def _requests(group: Group, theme: dict[str, float], spelling: dict[str, str]) -> Iterable[Candidate]:
    usage = group.usage
    whole_theme = sum(sorted(theme.values())[-N_THEME_WORDS:]) or 1.0
    english = group.language == "english"
    share = usage.share_of_stem if english else usage.share_of_beginning

    def is_of_minority(word: str) -> bool:
        return usage.is_of_minority(spelling.get(word, word))

    def is_of_few(word: str) -> bool:
        return usage.is_of_few(spelling.get(word, word))

    most_ask = 2 * sum(map(_is_statement, group.asked)) < len(group.asked)
    for asked, said in zip(group.asked[:N_MEMBERS], group.said[:N_MEMBERS], strict=True):
        shown = sentences(asked)
        told = list(dict.fromkeys([*shown, *sentences(said)]))[:N_SENTENCES]
        for position, sentence in enumerate(told):
            rewritten = imperatives(sentence)[:2] if english else infinitives(sentence)
            surely = any(one.sureness >= SURE for one in rewritten) and not is_direct_question(sentence)
            is_context = most_ask and _is_statement(sentence)
            may_stand = not surely and (sentence in shown or asks(sentence) or has_problem(sentence))
            for request in [*rewritten, *(as_said(sentence) if may_stand else [])]:
                if english:
                    shorter = shortened_imperatives(request.text, is_of_minority, N_WORDS)
                else:
                    shorter = cut_abroad(request.text, N_WORDS)
                for text in shorter:
                    general = with_slots(text, is_of_few) if english else text
                    for form in dict.fromkeys([text, general]):
                        name = respelled(without_lone_marks(form), spelling)
                        if not _names_a_thing(name, usage):
                            continue
                        words = sorted(stems(name))
                        yield Candidate(
                            name,
                            sureness=request.sureness
                            - LATER_SENTENCE_PENALTY * position
                            - NOT_ASKED_PENALTY * (sentence not in shown)
                            - VAGUE_PENALTY * bool(_VAGUE.search(name))
                            - UNTOLD_PENALTY * bool(_UNTOLD.match(name))
                            - CONTEXT_PENALTY * is_context,
                            least_used=min((share(word) for word in words if usage.counts[word]), default=0.0),
                            support=float(np.mean([share(word) for word in words])),
                            theme=min(1.0, sum(theme.get(word, 0.0) for word in words) / whole_theme),
                            unsupported=VERB_WEIGHT * usage.missing(name.split()[0].lower())
                            + sum(map(usage.missing, name.split()[1:])),
                            of_few=n_fillers(name, is_of_few),
                            of_minority=n_fillers(name, is_of_minority),
                            is_asked=sentence in shown,
                            made_of=respelled(text, spelling),
                        )


def _subject_names(group: Group, subjects: Sequence[Subject], topics: Sequence[Subject]) -> list[Candidate]:
    return [
        Candidate(
            text,
            sureness,
            covered,
            max(subject.weight for subject in chosen),
            0.0,
            says_request=False,
            of_topic=min(subject.closeness for subject in chosen) if own is topics else None,
            meant=covered,
        )
        for own, sureness in ((subjects, SUBJECT_SURENESS), (topics, TOPIC_SURENESS))
        for text, chosen, covered in names_by_subject(group, own)
    ]


async def rank_candidates(groups: Sequence[Group], embedding_model: BaseEmbeddingModel) -> list[list[Candidate]]:
    """Return each group's candidates with their scores, best first; none where nothing can be read.

    A candidate scores by how close it is to what the members asked, to all and to those that it is farthest from, how
    much closer to its own group's requests than to the nearest other groups', how many members use its words, how much
    of the theme they cover, and how sure its rewriting is. What a group is about is only looked for where no request
    stands for it.

    Raises:
        ValueError: the embedding model has another number of dimensions than the groups' centroids.
    """
    spelling = common_spelling(groups)
    themes = theme_weights(groups)
    centroids = np.stack([group.centroid for group in groups])
    asked = [_spread(group.asked, N_COMPARED) for group in groups]
    texts = [(text, group.chat_ids) for group, own in zip(groups, asked, strict=True) for text in own]
    embedded = await _embedded(texts, embedding_model, centroids.shape[1])
    requests = np.split(embedded, np.cumsum([*map(len, asked)])[:-1])
    neighbours = word_neighbours(text for group in groups for text in [*group.asked, *group.said])
    candidates = [_candidates(group, theme, spelling, neighbours) for group, theme in zip(groups, themes, strict=True)]
    await _score(groups, candidates, requests, centroids, embedding_model)
    vague = [
        number
        for number, own in enumerate(candidates)
        if groups[number].language == "english" and not any(one.stands and one.consensus >= CLEAR for one in own)
    ]
    about: list[list[Candidate]] = [[] for _ in groups]
    for number, own in zip(
        vague, await _about(groups, vague, themes, spelling, centroids, embedding_model), strict=True
    ):
        about[number] = own
    await _score(groups, about, requests, centroids, embedding_model)
    return [
        sorted([*own, *others], key=lambda one: (-one.score, one.text))
        for own, others in zip(candidates, about, strict=True)
    ]


async def _about(
    groups: Sequence[Group],
    numbers: Sequence[int],
    themes: Sequence[dict[str, float]],
    spelling: dict[str, str],
    centroids: np.ndarray,
    embedding_model: BaseEmbeddingModel,
) -> list[list[Candidate]]:
    """Return for each of the groups with these numbers the names that say what it is about."""
    if not numbers:
        return []
    subjects = [subjects_of(groups[number], themes[number], spelling) for number in numbers]
    forms = [(one.form, groups[number].chat_ids) for number, own in zip(numbers, subjects, strict=True) for one in own]
    n_dims = centroids.shape[1]
    subject_vectors = iter(await _embedded(forms, embedding_model, n_dims))
    topic_vectors = await _embedded([(topic, ()) for topic in TOPICS], embedding_model, n_dims)
    found = []
    for number, own in zip(numbers, subjects, strict=True):
        fitting = fitted(own, [next(subject_vectors) for _ in own], centroids, number)
        topics = topics_of(groups[number], topic_vectors)
        topics = fitted(topics, [topic_vectors[TOPICS.index(one.form)] for one in topics], centroids, number)
        found.append(_subject_names(groups[number], fitting, topics))
    return found


async def _score(
    groups: Sequence[Group],
    candidates: Sequence[list[Candidate]],
    requests: Sequence[np.ndarray],
    centroids: np.ndarray,
    embedding_model: BaseEmbeddingModel,
) -> None:
    """Give each group's candidates their scores and say how many members they are meant by.

    `requests` has the vectors of some members' requests, an array of shape (n, n_dims) for each group.
    """
    middles = np.stack([own.mean(axis=0) for own in requests])
    texts = [(one.text, group.chat_ids) for group, own in zip(groups, candidates, strict=True) for one in own]
    names = iter(np.split(await _embedded(texts, embedding_model, centroids.shape[1]), len(texts)) if texts else [])
    for number, own in enumerate(candidates):
        if not own:
            continue
        of_names = np.concatenate([next(names) for _ in own])
        closeness = of_names @ requests[number].T
        position_of = {one.text: position for position, one in enumerate(own)}
        for position, one in enumerate(own):
            # What is near with a word in the slot is no less true without it.
            if SLOT in one.text and one.made_of in position_of:
                closeness[position] = np.maximum(closeness[position], closeness[position_of[one.made_of]])
        n_least = max(1, closeness.shape[1] // 2)
        consensus = closeness.mean(axis=1)
        least_agreeing = np.sort(closeness, axis=1)[:, :n_least].mean(axis=1)
        nearest = _neighbours(centroids, number)
        to_others = np.sort(of_names @ middles[nearest].T, axis=1)[:, -N_NEAREST:]
        contrast = consensus - (to_others.mean(axis=1) if to_others.size else 0.0)
        english = groups[number].language == "english"
        is_near = closeness >= (NEAR if english else NEAR_ABROAD)
        near = is_near.mean(axis=1)
        not_far = (closeness >= NOT_FAR).mean(axis=1)
        for position, candidate in enumerate(own):
            candidate.near, candidate.consensus = is_near[position], float(consensus[position])
            if candidate.says_request:
                candidate.meant = _meant(candidate, float(near[position]), float(not_far[position]), english)
            candidate.score = float(
                CONSENSUS_WEIGHT * consensus[position]
                + COVERED_WEIGHT * (not candidate.says_request) * candidate.support
                + LEAST_AGREEING_WEIGHT * least_agreeing[position]
                + CONTRAST_WEIGHT * contrast[position]
                + THEME_WEIGHT * candidate.theme
                + SUPPORT_WEIGHT * candidate.support
                + SURENESS_WEIGHT * candidate.sureness
                + SOURCES_WEIGHT * min(1.0, (candidate.n_sources - 1) / (SHARE_OF_SOURCES * len(groups[number].said)))
                - LOW_SUPPORT_PENALTY * max(0.0, 1 - candidate.support / ENOUGH_SHARE)
                - WORD_PENALTY * len(candidate.text.split())
                - UNSUPPORTED_PENALTY * candidate.unsupported
                - OF_MINORITY_PENALTY * candidate.of_minority
                - OF_FEW_PENALTY * candidate.of_few
                - JOINT_PENALTY * candidate.joints
                - SLOT_PENALTY
                * (_hidden(candidate.text.split()) + _can_do_without_its_end(candidate.text, position_of))
            )


def _meant(candidate: Candidate, near: float, not_far: float, english: bool) -> float:
    """Return the share of members that a request may be said to stand for; `near` and `not_far` are shares of them."""
    if not english:
        in_use = candidate.least_used >= LEAST_USED_ABROAD and candidate.support >= LEAST_SUPPORT_ABROAD
        return near if in_use else 0.0
    return max(near, min(not_far, candidate.least_used))


def _hidden(words: Sequence[str]) -> int:
    """Return how much the slots of a name hide: one at its end the least, and one in its object's place the most.

    One for what something is or has, as in "my card has …", hides as much.
    """
    slots = sum(SLOT in word for word in words)
    predicates = sum(word == SLOT and before.lower() in AUXILIARIES for before, word in pairwise(words))
    return 2 * slots - (SLOT in words[-1]) + 2 * (words[1:2] == [SLOT] and len(words) > 2) + 2 * predicates


def _can_do_without_its_end(name: str, names: Container[str]) -> bool:
    """Whether a name that ends in a slot, as "find a film with …", is one of `names` without it."""
    return name.endswith(SLOT) and " ".join(name.split()[:-2]) in names


def _spread(texts: Sequence[str], n: int) -> list[str]:
    """Return n of the texts, from the first to the last at even distances, or all where there are no more."""
    if len(texts) <= n:
        return list(texts)
    return [texts[round(position * (len(texts) - 1) / (n - 1))] for position in range(n)]


def _neighbours(centroids: np.ndarray, number: int) -> np.ndarray:
    """Return the numbers of the groups nearest to one, shape (n,)."""
    closeness = centroids @ centroids[number]
    closeness[number] = -np.inf
    n = min(N_NEIGHBOURS, len(centroids) - 1)
    return np.argsort(-closeness, kind="stable")[:n]


async def _embedded(
    texts: Sequence[tuple[str, Sequence[str]]], embedding_model: BaseEmbeddingModel, n_dims: int
) -> np.ndarray:
    """Return a unit row for each text; beside each stand the conversations that it is made of."""
    if not texts:
        return np.zeros((0, n_dims), dtype=np.float32)
    about: dict[str, list[str]] = {}
    for text, chat_ids in texts:
        about.setdefault(text, []).extend(chat_ids)
    vectors = unit_rows(await embed_texts(list(about), embedding_model, about=list(about.values())))
    if vectors.shape[1] != n_dims:
        raise ValueError(
            f"The names' embeddings have {vectors.shape[1]} dimensions ({embedding_model.slug()}) and the summaries' "
            f"{n_dims}; name clusters with the model that embedded the summaries."
        )
    rows = {text: row for row, text in enumerate(about)}
    return np.asarray(vectors[[rows[text] for text, _ in texts]])
