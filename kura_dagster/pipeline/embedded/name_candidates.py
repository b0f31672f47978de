"""Possible names of a group of conversations, from its members' own words, and how well each one fits.

Where a name comes from: a member's sentence as an imperative (`imperative`), rid of what only that member said
(`shortening`), or what the group is about (`subjects`). Which group gets which name is chosen in `extractive_naming`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.embedded.group_words import (
    ENOUGH_SHARE,
    Group,
    common_spelling,
    respelled,
    stems,
    theme_weights,
)
from kura_dagster.pipeline.embedded.imperative import imperatives
from kura_dagster.pipeline.embedded.request_sentence import content_words, sentences
from kura_dagster.pipeline.embedded.shortening import shortened_imperatives
from kura_dagster.pipeline.embedded.subjects import Subject, contrasts, fitted, names_by_subject, subjects_of, topics_of
from kura_dagster.pipeline.embedded.topics import TOPICS
from kura_dagster.pipeline.embedded.vocabulary import (
    ABSTRACT_NOUNS,
    ENGLISH_VERBS,
    NOUNS_THAT_SAY_NOTHING,
    VERBS_THAT_ARE_NOUNS,
)
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.types import unit_rows

N_MEMBERS = 40  # nearest to the centroid that are read for candidates
N_SENTENCES = 6  # of each that are read
N_CENTRAL = 12  # whose requests a name is compared with
N_CANDIDATES = 24  # of a group that are embedded
N_WORDS = 9  # of the longest name
N_THEME_WORDS = 3  # that a name covers the theme with

# What the parts of a candidate's score weigh. Chosen on labelled requests and dialogues for how often the name is
# nearest to the label of most members, and by reading; between half and double each, little changes.
CONSENSUS_WEIGHT = 1.25
CONTRAST_WEIGHT = 1.4
THEME_WEIGHT = 0.5
SUPPORT_WEIGHT = 0.7
SURENESS_WEIGHT = 0.5
SOURCES_WEIGHT = 0.4
SHARE_OF_SOURCES = 0.25  # of the members that have to say the same for the full weight
WORD_PENALTY = 0.03
LOW_SUPPORT_PENALTY = 0.25  # for a name whose words nobody uses; none where the words are used enough on average
UNSUPPORTED_PENALTY = 0.25  # for a word that nobody else uses
VAGUE_PENALTY = 0.5  # for a name with a pronoun, which nobody can know the meaning of
LATER_SENTENCE_PENALTY = 0.04  # each: what a user says first is what they came for

SUBJECT_SURENESS = 0.1
TOPIC_SURENESS = 0.25


@dataclass
class Candidate:
    """A possible name with what speaks for it.

    `sureness` is the rewriting's, `support` the share of members that use its words, on average, and `theme` how much
    of what sets the group apart it mentions; all from 0 to 1. `unsupported` is how many of its words too few members use,
    in words.
    """

    text: str
    sureness: float
    support: float
    theme: float
    unsupported: float
    n_sources: int = 1
    score: float = field(default=0.0)


def _names_a_thing(name: str) -> bool:
    """Whether a name says what it is about, beside its verb: "Explain the difference" doesn't."""
    words = set(content_words(name.partition(" ")[2])) - NOUNS_THAT_SAY_NOTHING - ABSTRACT_NOUNS
    return bool(words - (ENGLISH_VERBS - VERBS_THAT_ARE_NOUNS))


_VAGUE = re.compile(
    r"(?i)\b(?:this|these|those|it|them|that|he|she|they|one|something|anything|someone|everything|thing|things|stuff|so|here|there|such)\b"
    r"(?! (?:is|was|are|to|costs?|takes?|will|would|has)\b)"
)


def _candidates(
    group: Group,
    theme: dict[str, float],
    spelling: dict[str, str],
    subjects: Sequence[Subject],
    topics: Sequence[Subject],
) -> list[Candidate]:
    """Return the candidates of an English-speaking group, the most promising first."""
    found: dict[str, Candidate] = {}
    for candidate in (
        *_imperatives(group, theme, spelling),
        *(
            _named_by(chosen, text, covered, SUBJECT_SURENESS)
            for text, chosen, covered in names_by_subject(group, subjects)
        ),
        *(
            _named_by(chosen, text, covered, TOPIC_SURENESS)
            for text, chosen, covered in names_by_subject(group, topics)
        ),
    ):
        if not _names_a_thing(candidate.text):
            continue
        known = found.setdefault(candidate.text.lower(), candidate)
        if known is not candidate:
            known.n_sources += 1
            known.sureness = max(known.sureness, candidate.sureness)

    def promise(one: Candidate) -> float:
        return (
            one.support
            + one.theme
            - 0.3 * one.unsupported
            + 0.5 * one.sureness
            + 0.05 * min(one.n_sources, 6)
            - 0.02 * len(one.text.split())
        )

    return sorted(found.values(), key=lambda one: (-promise(one), one.text))[:N_CANDIDATES]


def _imperatives(group: Group, theme: dict[str, float], spelling: dict[str, str]) -> Iterable[Candidate]:
    usage = group.usage
    whole_theme = sum(sorted(theme.values())[-N_THEME_WORDS:]) or 1.0

    def is_rare(word: str) -> bool:
        return usage.is_rare(spelling.get(word, word))

    for asked, said in zip(group.asked[:N_MEMBERS], group.said[:N_MEMBERS], strict=True):
        told = list(dict.fromkeys([*sentences(asked), *sentences(said)]))[:N_SENTENCES]
        for position, sentence in enumerate(told):
            for imperative in imperatives(sentence)[:2]:
                for shorter in shortened_imperatives(imperative.text, is_rare, N_WORDS):
                    text = respelled(shorter, spelling)
                    if words := sorted(stems(text)):
                        yield Candidate(
                            text,
                            sureness=imperative.sureness
                            - LATER_SENTENCE_PENALTY * position
                            - VAGUE_PENALTY * bool(_VAGUE.search(text)),
                            support=float(np.mean([usage.share_of_stem(word) for word in words])),
                            theme=min(1.0, sum(theme.get(word, 0.0) for word in words) / whole_theme),
                            unsupported=sum(map(usage.missing, text.split()[1:])),
                        )


def _named_by(subjects: Sequence[Subject], text: str, covered: float, sureness: float) -> Candidate:
    return Candidate(text, sureness, covered, max(subject.weight for subject in subjects), 0.0)


async def rank_candidates(groups: Sequence[Group], embedding_model: BaseEmbeddingModel) -> list[list[Candidate]]:
    """Return each group's candidates with their scores, best first; none where no pattern fits, or not in English.

    A candidate scores by how close it is to what the members asked, how much closer to its own group's centroid than to
    the three nearest others', how many members use its words, how much of the theme they cover, and how sure its
    rewriting is.

    Raises:
        ValueError: the embedding model has another number of dimensions than the groups' centroids.
    """
    spelling = common_spelling(groups)
    themes = theme_weights(groups)
    centroids = np.stack([group.centroid for group in groups])
    english = [number for number, group in enumerate(groups) if group.language == "english"]
    n_dims = centroids.shape[1]
    topic_vectors = await _embedded([(topic, ()) for topic in TOPICS], embedding_model, n_dims)
    subjects = {number: subjects_of(groups[number], themes[number], spelling) for number in english}
    forms = [(one.form, groups[number].chat_ids) for number, own in subjects.items() for one in own]
    subject_vectors = iter(await _embedded(forms, embedding_model, n_dims))
    candidates: list[list[Candidate]] = [[] for _ in groups]
    for number in english:
        fitting = fitted(subjects[number], [next(subject_vectors) for _ in subjects[number]], centroids, number)
        topics = topics_of(groups[number], topic_vectors)
        topics = fitted(topics, [topic_vectors[TOPICS.index(one.form)] for one in topics], centroids, number)
        candidates[number] = _candidates(groups[number], themes[number], spelling, fitting, topics)
    asked = [
        list(dict.fromkeys(group.asked[:N_CENTRAL])) if own else []
        for group, own in zip(groups, candidates, strict=True)
    ]
    texts = [(one.text, group.chat_ids) for group, own in zip(groups, candidates, strict=True) for one in own]
    texts += [(text, group.chat_ids) for group, own in zip(groups, asked, strict=True) for text in own]
    vectors = await _embedded(texts, embedding_model, n_dims)
    start, start_asked = 0, sum(map(len, candidates))
    for number, own in enumerate(candidates):
        mine = vectors[start : start + len(own)]
        wanted = vectors[start_asked : start_asked + len(asked[number])]
        start, start_asked = start + len(own), start_asked + len(asked[number])
        if not own:
            continue
        consensus = (mine @ wanted.T).mean(axis=1)
        contrast = contrasts(mine, centroids, number)
        for candidate, agrees, differs in zip(own, consensus, contrast, strict=True):
            candidate.score = float(
                CONSENSUS_WEIGHT * agrees
                + CONTRAST_WEIGHT * differs
                + THEME_WEIGHT * candidate.theme
                + SUPPORT_WEIGHT * candidate.support
                + SURENESS_WEIGHT * candidate.sureness
                + SOURCES_WEIGHT * min(1.0, (candidate.n_sources - 1) / (SHARE_OF_SOURCES * len(groups[number].said)))
                - LOW_SUPPORT_PENALTY * max(0.0, 1 - candidate.support / ENOUGH_SHARE)
                - WORD_PENALTY * len(candidate.text.split())
                - UNSUPPORTED_PENALTY * candidate.unsupported
            )
        own.sort(key=lambda one: (-one.score, one.text))
    return candidates


async def _embedded(
    texts: Sequence[tuple[str, Sequence[str]]], embedding_model: BaseEmbeddingModel, n_dims: int
) -> np.ndarray:
    """Return a unit row for each text; beside each stand the conversations that it is made of."""
    if not texts:
        return np.zeros((0, n_dims), dtype=np.float32)
    about = [chat_ids for _, chat_ids in texts]
    vectors = unit_rows(await embed_texts([text for text, _ in texts], embedding_model, about=about))
    if vectors.shape[1] != n_dims:
        raise ValueError(
            f"The names' embeddings have {vectors.shape[1]} dimensions ({embedding_model.slug()}) and the summaries' "
            f"{n_dims}; name clusters with the model that embedded the summaries."
        )
    return vectors
