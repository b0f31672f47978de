"""Names and descriptions of clusters without a language model.

A name is one of the members' own requests, rewritten as an imperative (`imperative`) and rid of what only that member
said. Here are the choice among the candidates, the telling apart of equal names, and the description. Forming the
groups, and their hierarchy, belongs elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kura_dagster.pipeline.base_classes import BaseClusterDescriptionModel, BaseEmbeddingModel
from kura_dagster.pipeline.cluster_names import near_duplicate
from kura_dagster.pipeline.embedded.imperative import (
    PREDICATES,
    imperatives,
    infinitives,
    is_nominal,
    is_number,
    shortened_imperatives,
)
from kura_dagster.pipeline.embedded.personal_data import MASK, find_personal_data
from kura_dagster.pipeline.embedded.request_sentence import (
    asks,
    content_words,
    has_problem,
    sentences,
    shortened,
    stem,
    strip_niceties,
)
from kura_dagster.pipeline.embedded.vocabulary import TIME_WORDS
from kura_dagster.pipeline.types import Cluster, ConversationSummary, cluster_id_of, unit_rows

MODEL = "extractive"

N_CENTRAL = 12  # members nearest to the centroid that are read for candidates
N_CANDIDATES = 14  # of a group that are embedded
N_WORDS = 10  # of the longest name, where it is rewritten
N_NEAREST = 3  # other groups that a name has to be far from
N_EXAMPLES = 3
EXAMPLE_CHARACTERS = 120

# What the parts of a candidate's score weigh. Chosen on labelled requests and dialogues for how often the name is
# nearest to the label of most members, and by reading; between half and double each, little changes.
CONSENSUS_WEIGHT = 1.25
CONTRAST_WEIGHT = 1.0
SUPPORT_WEIGHT = 0.25
SURENESS_WEIGHT = 0.3
WORD_PENALTY = 0.015
RARE_WORD_PENALTY = 0.05
THIN_PENALTY = 0.3  # for a name with a single word of meaning, as "Cancel now"
TELLING_APART_COST = 0.4  # how much worse a candidate may be that says something its rivals' names don't
VAGUE_PENALTY = 0.25  # for a name with a pronoun, which nobody can know the meaning of
LEAST_SCORE = 0.5  # below it no candidate stands for the group, and a member's sentence is shown instead

# A word stays in a name if at least two members use it, and this share of them.
LEAST_SHARE = 0.15
LEAST_SHARE_OF_NAMES = 0.5  # places, products and numbers: they say which, and mislead if it is only one of many

N_SUBJECTS = 4
HELP_WITH = "Get help with"
SUBJECT_SURENESS = 0.6


@dataclass(frozen=True)
class Group:
    """What naming sees of a group: what its members asked, most central first, and where its middle is.

    `sentences` has one text a member; `centroid` is of length one, shape (n_dims,).
    """

    sentences: list[str]
    centroid: np.ndarray
    is_english: bool = True


@dataclass
class Candidate:
    """A possible name with what speaks for it; `support` is the share of members that use its words, on average."""

    text: str
    sureness: float
    support: float
    n_rare_words: int
    n_sources: int = 1
    score: float = field(default=0.0)


class ExtractiveClusterDescriptionModel(BaseClusterDescriptionModel):
    """Names groups by their members' own words; local, deterministic and without a key.

    Args:
        embedding_model: embeds the candidate names. It has to be the model that embedded the summaries, because names
            are compared with the members' vectors.
    """

    def __init__(self, embedding_model: BaseEmbeddingModel) -> None:
        self.embedding_model = embedding_model

    async def generate_clusters(
        self,
        cluster_id_to_summaries: dict[int, list[ConversationSummary]],
        prompt: str | None = None,
        max_contrastive_examples: int = 10,
    ) -> list[Cluster]:
        """Return one cluster for each group, in the order of the groups' numbers; names differ from each other.

        Every other group serves as contrast, so `max_contrastive_examples` has no effect. Summaries without an
        embedding are embedded.

        Raises:
            ValueError: there is a prompt (no model is asked), a group is empty, or the summaries' vectors have another
                number of dimensions than the embedding model's.
        """
        if prompt is not None:
            raise ValueError(f"The naming model '{MODEL}' follows no prompt; choose a language model for that.")
        numbers = sorted(cluster_id_to_summaries)
        if not numbers:
            return []
        for number in numbers:
            if not cluster_id_to_summaries[number]:
                raise ValueError(f"Group {number} has no summaries.")
        members = [sorted(cluster_id_to_summaries[number], key=lambda one: one.chat_id) for number in numbers]
        vectors = await self._vectors(members)
        groups, ordered = [], []
        for own, own_vectors in zip(members, vectors, strict=True):
            middle = unit_rows(own_vectors.mean(axis=0, keepdims=True))[0]
            order = np.argsort(-(own_vectors @ middle), kind="stable")
            central = [own[position] for position in order]
            ordered.append(central)
            groups.append(Group([_said(one) for one in central], middle, _is_english(central)))
        names = await choose_names(groups, self.embedding_model)
        slugs = unique_slugs(names, groups)
        return [
            Cluster(
                cluster_id=cluster_id_of(one.chat_id for one in own),
                name=name,
                description=describe([one.request or one.summary for one in central]),
                slug=slug,
                chat_ids=sorted(one.chat_id for one in own),
                model=MODEL,
                centroid=own_vectors.mean(axis=0),
            )
            for own, own_vectors, central, name, slug in zip(members, vectors, ordered, names, slugs, strict=True)
        ]

    async def _vectors(self, members: list[list[ConversationSummary]]) -> list[np.ndarray]:
        """Return the members' unit vectors, one array a group."""
        everyone = [one for own in members for one in own]
        missing = [one for one in everyone if one.embedding is None]
        made = (
            await self.embedding_model.embed([one.embedding_text or _said(one) for one in missing]) if missing else []
        )
        found = {id(one): np.asarray(vector, dtype=np.float32) for one, vector in zip(missing, made, strict=True)}
        rows = [found[id(one)] if one.embedding is None else one.embedding for one in everyone]
        sizes = {len(row) for row in rows}
        if len(sizes) > 1:
            raise ValueError(f"The summaries' embeddings have {sorted(sizes)} dimensions; embed them with one model.")
        vectors = unit_rows(np.stack(rows))
        return np.split(vectors, np.cumsum([len(own) for own in members])[:-1])


def _said(summary: ConversationSummary) -> str:
    return summary.summary or summary.request or ""


def _is_english(summaries: Sequence[ConversationSummary]) -> bool:
    """Whether most members are in English; where languages are unknown they count as English."""
    english = sum(not one.languages or "english" in one.languages for one in summaries)
    return 2 * english >= len(summaries)


_VAGUE = re.compile(r"(?i)\b(?:this|these|those|it|them)\b(?! (?:is|was|to|costs?|takes?|will|would|has)\b)")


# Candidates -----------------------------------------------------------------------------------------------------------


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}


class _Usage:
    """How many members of a group use a word."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.n_members = len(texts)
        self.counts = Counter(word for text in texts for word in _stems(text))

    def share(self, word: str) -> float:
        return self.counts[stem(word)] / self.n_members

    def is_rare(self, word: str) -> bool:
        """Whether too few members use a word for it to stand in the name; function words are never rare."""
        bare = word.strip("'’.,!?\"()")
        if not bare or self.n_members < 3:
            return False
        if any(character.isdigit() for character in bare):
            return True
        if not content_words(bare):
            return False
        least = LEAST_SHARE_OF_NAMES if bare[0].isupper() else LEAST_SHARE
        return self.counts[stem(bare)] < 2 or self.share(bare) < least


def _candidates(group: Group, usage: _Usage, background: Counter[str]) -> list[Candidate]:
    """Return the candidates of a group, those that most members' words support first."""
    found: dict[str, Candidate] = {}

    def add(text: str, sureness: float, subject: str = "") -> None:
        known = found.get(text.lower())
        if known:
            known.n_sources += 1
            known.sureness = max(known.sureness, sureness)
            return
        words = content_words(text)
        if words and not MASK.search(text):
            support = float(np.mean([usage.share(word) for word in content_words(subject) or words]))
            n_rare_words = sum(usage.is_rare(word) for word in text.split()[1:])
            found[text.lower()] = Candidate(
                text, sureness - (VAGUE_PENALTY if _VAGUE.search(text) else 0), support, n_rare_words
            )

    central = [part for text in group.sentences[:N_CENTRAL] for part in sentences(text)]
    if not group.is_english:
        for infinitive in [one for sentence in central for one in infinitives(sentence)]:
            add(infinitive.text, infinitive.sureness)
        return list(found.values())
    for sentence in central:
        for imperative in imperatives(sentence)[:2]:
            for text in shortened_imperatives(imperative.text, usage.is_rare, N_WORDS):
                add(text, imperative.sureness)
    for subject in _subjects(group, usage, background):
        add(f"{HELP_WITH} {subject}", SUBJECT_SURENESS, subject)

    def promise(one: Candidate) -> float:
        return one.support - 0.3 * one.n_rare_words + 0.3 * one.sureness + 0.05 * one.n_sources

    return sorted(found.values(), key=lambda one: (-promise(one), one.text))[:N_CANDIDATES]


def _subjects(group: Group, usage: _Usage, background: Counter[str]) -> list[str]:
    """Return noun phrases that many members use and other groups don't: what a group is about if its requests differ."""
    members = _phrase_counts(group)
    forms: dict[tuple[str, ...], Counter[str]] = {}
    for text in group.sentences:
        for key, form in noun_phrases(text):
            forms.setdefault(key, Counter())[form] += 1

    def weight(key: tuple[str, ...]) -> float:
        # Words that other groups use as much set nothing apart. Longer phrases say more.
        apart = float(np.mean([usage.counts[word] / max(1, background[word]) for word in key]))
        return members[key] / usage.n_members * (0.5 + 0.5 * len(key)) * (0.3 + apart)

    shared = [key for key, count in members.items() if count >= max(2, LEAST_SHARE * usage.n_members)]
    best = sorted(shared, key=lambda key: (-weight(key), key))[:N_SUBJECTS]
    return [min(forms[key].items(), key=lambda form: (-form[1], form[0]))[0] for key in best]


_NO_HEAD = re.compile(r"(?i)(?:ly|ing|ed|able|ible|ful|ous|less|est)$")
# Adjectives, and nouns that stand for nothing without what follows them
_NO_THINGS = PREDICATES | frozenset(
    "rid kind kinds lot way ways sort bit help something anything thing things double number".split(" ")
)


def noun_phrases(text: str) -> Iterable[tuple[tuple[str, ...], str]]:
    """Yield the runs of one to three nouns and adjectives in a text, as stems and as they are written in a name."""
    words = text.split()
    for start in range(len(words)):
        phrase: list[str] = []
        for position, word in enumerate(words[start : start + 3], start):
            bare = word.strip(".,!?;:\"'()…“”")
            if (
                not bare.replace("-", "").isalpha()
                or not is_nominal(bare)
                or is_number(bare)
                or not content_words(bare)
            ):
                break
            # A capital within a sentence is a name's, and at its start it is nobody's.
            opens = (start == 0 and not phrase) or (position and words[position - 1][-1:] in ".!?")
            phrase.append(bare.lower() if opens and bare[1:].islower() else bare)
            before = words[start - 1].lower() if start else ""
            article = ""
            if before in ("my", "the", "our", "your", "his", "her", "this"):
                article = "the "
            elif before in ("a", "an"):
                article = "an " if phrase[0][0].lower() in "aeiou" else "a "
            follows = words[position + 1 : position + 2] if word[-1:].isalpha() else []
            part_of_a_name = phrase[-1][0].isupper() and any(next_word[:1].isupper() for next_word in follows)
            part_of_a_name |= (
                phrase[0][0].isupper()
                and start > 0
                and words[start - 1][:1].isupper()
                and words[start - 1][-1:].isalpha()
            )
            part_of_a_name &= not phrase[0].isupper()
            if not part_of_a_name and not _NO_HEAD.search(phrase[-1]) and phrase[-1].lower() not in _NO_THINGS:
                yield tuple(stem(part) for part in phrase), article + " ".join(phrase)
            if word[-1:] in ".,!?;:)":
                break


async def rank_names(groups: Sequence[Group], embedding_model: BaseEmbeddingModel) -> list[list[Candidate]]:
    """Return each group's candidates with their scores, best first; the list is empty where no pattern fits.

    A candidate scores by how close it is to what the members asked, how much closer to its own group's centroid than to
    the three nearest others', how many members use its words, and how sure its rewriting is.
    """
    usages = [_Usage(group.sentences) for group in groups]
    background: Counter[str] = sum((usage.counts for usage in usages), Counter())
    candidates = [_candidates(group, usage, background) for group, usage in zip(groups, usages, strict=True)]
    asked = [
        list(dict.fromkeys(group.sentences[:N_CENTRAL])) if own else []
        for group, own in zip(groups, candidates, strict=True)
    ]
    texts = [candidate.text for own in candidates for candidate in own] + [text for own in asked for text in own]
    if not texts:
        return candidates
    vectors = unit_rows(await embedding_model.embed(texts))
    centroids = np.stack([group.centroid for group in groups])
    if vectors.shape[1] != centroids.shape[1]:
        raise ValueError(
            f"The names' embeddings have {vectors.shape[1]} dimensions ({embedding_model.slug()}) and the summaries' "
            f"{centroids.shape[1]}; name clusters with the model that embedded the summaries."
        )
    start, start_asked = 0, sum(map(len, candidates))
    for number, own in enumerate(candidates):
        mine = vectors[start : start + len(own)]
        wanted = vectors[start_asked : start_asked + len(asked[number])]
        start, start_asked = start + len(own), start_asked + len(asked[number])
        if not own:
            continue
        consensus = (mine @ wanted.T).mean(axis=1)
        closeness = mine @ centroids.T
        to_others = np.sort(np.delete(closeness, number, axis=1), axis=1)[:, -N_NEAREST:]
        contrast = closeness[:, number] - (to_others.mean(axis=1) if to_others.size else 0.0)
        for candidate, agrees, differs in zip(own, consensus, contrast, strict=True):
            candidate.score = float(
                CONSENSUS_WEIGHT * agrees
                + CONTRAST_WEIGHT * differs
                + SUPPORT_WEIGHT * candidate.support
                + SURENESS_WEIGHT * candidate.sureness
                - WORD_PENALTY * len(candidate.text.split())
                - RARE_WORD_PENALTY * min(candidate.n_rare_words, 3)
                - THIN_PENALTY * (len(content_words(candidate.text)) < 2)
            )
        own.sort(key=lambda one: (-one.score, one.text))
    return candidates


# The choice -----------------------------------------------------------------------------------------------------------


async def choose_names(
    groups: Sequence[Group], embedding_model: BaseEmbeddingModel, taken: Iterable[str] = ()
) -> list[str]:
    """Return a name for each group; they differ from each other and from those in `taken`, whatever the case.

    A group whose best candidate is weak, or whose members write in another language than English, is named by the
    sentence of its most central member.
    """
    ranked = await rank_names(groups, embedding_model)
    options = [
        _acceptable(own) or [Candidate(_sentence_name(group), 0.0, 1.0, 0)]
        for group, own in zip(groups, ranked, strict=True)
    ]
    by_meaning: dict[frozenset[str], list[int]] = {}
    for number, own in enumerate(options):
        by_meaning.setdefault(_meaning(own[0].text), []).append(number)
    used = {name.lower() for name in taken}
    used_meanings = {_meaning(name) for name in used}
    names: dict[int, str] = {}
    later: list[int] = []
    for meaning, numbers in sorted(
        by_meaning.items(), key=lambda one: -max(options[number][0].score for number in one[1])
    ):
        # Of groups that would have the same name the one it fits best keeps it.
        numbers.sort(key=lambda number: (-options[number][0].score, -len(groups[number].sentences), number))
        for number in numbers:
            name = options[number][0].text
            if number == numbers[0] and meaning not in used_meanings and _is_free(name, used):
                names[number] = name
                used.add(name.lower())
                used_meanings.add(meaning)
            else:
                later.append(number)
    for number in later:
        rivals = [groups[other] for other in by_meaning[_meaning(options[number][0].text)] if other != number]
        name = _told_apart(options[number], groups[number], rivals, used, used_meanings)
        names[number] = name
        used.add(name.lower())
        used_meanings.add(_meaning(name))
    return [names[number] for number in range(len(groups))]


def _acceptable(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates that stand for their group; where none does, those that only say what it is about."""
    return [one for one in candidates if one.score >= LEAST_SCORE] or [
        one for one in candidates if one.text.startswith(HELP_WITH)
    ]


def _meaning(name: str) -> frozenset[str]:
    return frozenset(_stems(name)) or frozenset([name.lower()])


# Verbs that name no kind of request: "search for songs" is "find a song" again.
_LIGHT_VERBS = frozenset(
    map(stem, "find search look get locate see show give help tell need want have check know ask".split(" "))
)


def _is_free(name: str, used: Iterable[str]) -> bool:
    """Whether a name could not be mistaken for a used one, as two that differ by an article could."""
    return near_duplicate(name, list(used)) is None


def _told_apart(
    options: list[Candidate],
    group: Group,
    rivals: list[Group],
    used: set[str],
    used_meanings: set[frozenset[str]],
) -> str:
    """Return another name for a group whose best one is taken.

    It is the next candidate that says something more, where there is a good one, and else the best one with the noun
    phrase in brackets that sets the group apart from its `rivals`, the groups that it would share the name with.
    """
    common = _stems(options[0].text)
    usage, rival_usages = _Usage(group.sentences), [_Usage(rival.sentences) for rival in rivals]

    def apart(word: str) -> float:
        return usage.share(word) - max((rival.share(word) for rival in rival_usages), default=0.0)

    best = (options[0].score, "")
    for option in options[1:]:
        added = _stems(option.text) - common - _LIGHT_VERBS
        if (
            added
            and _is_free(option.text, used)
            and _meaning(option.text) not in used_meanings
            and option.score > options[0].score - TELLING_APART_COST
        ):
            best = max(best, (option.score + max(map(apart, added)), option.text))
    if best[1]:
        return best[1]

    phrases = _phrase_counts(group)
    rival_phrases = [_phrase_counts(rival) for rival in rivals]
    forms = {key: form for text in reversed(group.sentences) for key, form in noun_phrases(text)}

    def sets_apart(key: tuple[str, ...]) -> float:
        elsewhere = max(
            (own[key] / len(rival.sentences) for own, rival in zip(rival_phrases, rivals, strict=True)), default=0
        )
        return phrases[key] / len(group.sentences) - elsewhere + 0.02 * len(key)

    for key in sorted(phrases, key=lambda key: (-sets_apart(key), key)):
        form = forms[key].removeprefix("the ").removeprefix("a ").removeprefix("an ")
        name = f"{options[0].text} ({form})"
        when = TIME_WORDS.intersection(form.lower().split())
        if not common & set(key) and not when and not MASK.search(form) and _is_free(name, used):
            return name
    number = 2
    while f"{options[0].text} ({number})".lower() in used:
        number += 1
    return f"{options[0].text} ({number})"


def _phrase_counts(group: Group) -> Counter[tuple[str, ...]]:
    """Return how many members use each noun phrase."""
    return Counter(key for text in group.sentences for key in {key for key, _ in noun_phrases(text)})


def _sentence_name(group: Group) -> str:
    """Return the most central member's sentence as a name, quoted where it asks for nothing."""
    for text in group.sentences:
        for sentence in sentences(text):
            stripped = MASK.sub("…", strip_niceties(sentence) or sentence).strip(" .…!?¿¡,;:")
            words = stripped.split()
            if not words:
                continue
            name = " ".join(words[:12]) + ("…" if len(words) > 12 else "")
            name = name[0].upper() + name[1:]
            asked = asks(sentence) or has_problem(sentence) or "?" in sentence or len(content_words(sentence)) > 3
            if group.is_english and not asked:
                return f'Say "{name}"'
            return name
    return "Say nothing in words"


# Slugs and descriptions -----------------------------------------------------------------------------------------------


def unique_slugs(names: Sequence[str], groups: Sequence[Group]) -> list[str]:
    """Return three ASCII words in snake_case for each name, different ones as long as the group has more words."""
    used: set[str] = set()
    slugs = []
    for name, group in zip(names, groups, strict=True):
        counts = Counter(word for text in group.sentences for word in set(_ascii_words(" ".join(content_words(text)))))
        common = [word for word, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
        told = [word for word in _ascii_words(" ".join(content_words(name))) if word not in ("help", "kinds")]
        words = list(dict.fromkeys([*told, *common, *_ascii_words(name), "request", "of", "users"]))
        slug = "_".join(words[:3])
        for other in words[3:]:
            if slug not in used:
                break
            slug = "_".join([*words[:2], other])
        used.add(slug)
        slugs.append(slug)
    return slugs


def _ascii_words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode("ascii").lower()
    return [word for word in re.findall(r"[a-z][a-z0-9]{1,20}", folded)]


def describe(requests: Sequence[str]) -> str:
    """Return a sentence about a group: how many asked, and up to three of their `requests`, central ones first.

    It does not repeat the name: a name may be in another language, or a phrase that fits into no sentence.
    """
    times = "1 conversation" if len(requests) == 1 else f"{len(requests)} conversations"
    examples: dict[str, str] = {}
    for request in requests:
        masked = find_personal_data([request]).mask(request).strip().rstrip(".").replace('"', "'")
        example = shortened(masked, EXAMPLE_CHARACTERS)
        if example and len(examples) < N_EXAMPLES:
            examples.setdefault(example.lower(), example)
    quoted = "; ".join(f'"{example}"' for example in examples.values())
    return f"Users asked for this in {times}, for example: {quoted}."
