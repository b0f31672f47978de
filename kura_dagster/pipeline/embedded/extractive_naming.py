"""Names and descriptions of clusters without a language model.

Here are the choice among the candidates (`name_candidates`), the telling apart of equal names, names for groups that
write in another language than English, and descriptions. Forming the groups, and their hierarchy, belongs elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kura_dagster.pipeline.base_classes import BaseClusterDescriptionModel, BaseEmbeddingModel
from kura_dagster.pipeline.cluster_names import joined_name, three_word_slug
from kura_dagster.pipeline.embedded.extractive_summary import MODEL, users_words
from kura_dagster.pipeline.embedded.group_words import (
    LEAST_SHARE_OF_DETAILS,
    LEAST_SHARE_OF_NOUNS,
    NUMBER,
    Group,
    common_spelling,
    noun_phrases,
    respelled,
    stems,
)
from kura_dagster.pipeline.embedded.languages import human_languages
from kura_dagster.pipeline.embedded.name_candidates import LEAST_SHARE_MEANT, N_WORDS, Candidate, rank_candidates
from kura_dagster.pipeline.embedded.request_sentence import (
    asks,
    content_words,
    has_problem,
    sentences,
    shortened,
    stem,
    strip_niceties,
)
from kura_dagster.pipeline.embedded.shortening import SLOT
from kura_dagster.pipeline.embedded.subjects import FIX_PROBLEMS, HELP_WITH, stands_for_a_thing
from kura_dagster.pipeline.embedded.vocabulary import DETERMINERS, ENGLISH_VERBS, LIGHT_VERBS, NOUNS_THAT_SAY_NOTHING
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.privacy.personal_data import MASK, find_personal_data
from kura_dagster.pipeline.types import Cluster, ConversationSummary, cluster_id_of, unit_rows

ASK_IN = "Ask in"  # a language, where a group shares little else
SAY = 'Say "'  # a sentence that asks for nothing

N_EXAMPLES = 3
EXAMPLE_CHARACTERS = 120
LEAST_APART = 0.5  # of members, that more of a group than of those with the same name have to say what tells it apart
SAME_THEME = 0.8  # cosine of two groups' middles, for one name to make one cluster of them
LEAST_SHARE_AT_ALL = 0.25  # of members that a name is true of, for it to come before the central member's sentence
LEAST_SHARE_OF_OTHERS = (
    0.8  # of members, that a name with a word of few has to be near to, to come before a subject of few
)
LEAST_OF_TOPIC = 0.43  # cosine of a group to the topic that names it although a request stands for it
AS_GOOD = 0.15  # in score
TELLING_APART_COST = 0.3  # how much worse a candidate may be that says something its rivals' names don't
MOST_BY_CHANCE = 4  # members, who may have in common what makes no theme
SAID_OF_ENOUGH = 0.67  # of members that a name is near to, for it to need no second one beside it
LEAST_SHARE_OF_SECOND = 0.3  # of members, that only the second of two names in one is near to
MOST_WORDS_OF_TWO = 14
LEAST_SHARE_ABROAD = 0.3  # of members that use a word that a group in another language than English is about


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
        """Return a cluster for each group, in the order of the groups' numbers; names differ from each other.

        Groups that ask the same, and have nothing that would tell one from the other, become one cluster, in the place
        of the first of them: ten names for one request would only be read ten times. Every other group serves as
        contrast, so `max_contrastive_examples` has no effect. Summaries without an embedding are embedded.

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
        names = await choose_names(list(map(_group, members, vectors)), self.embedding_model)
        by_name: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            by_name.setdefault(name, []).append(number)
        clusters = []
        for name, same in by_name.items():
            own = [one for number in same for one in members[number]]
            own_vectors = np.concatenate([vectors[number] for number in same])
            central = _central_first(own, own_vectors)
            clusters.append(
                Cluster(
                    cluster_id=cluster_id_of(one.chat_id for one in own),
                    name=name,
                    description=describe([one.request or one.summary for one in central]),
                    slug=slug_for(name, _group(own, own_vectors).asked),
                    chat_ids=sorted(one.chat_id for one in own),
                    model=MODEL,
                    centroid=own_vectors.mean(axis=0),
                )
            )
        return clusters

    async def _vectors(self, members: list[list[ConversationSummary]]) -> list[np.ndarray]:
        """Return the members' unit vectors, one array a group."""
        everyone = [one for own in members for one in own]
        missing = [one for one in everyone if one.embedding is None]
        texts = [one.embedding_text or _asked(one) for one in missing]
        made = await embed_texts(texts, self.embedding_model, about=[[one.chat_id] for one in missing])
        found = {id(one): np.asarray(vector, dtype=np.float32) for one, vector in zip(missing, made, strict=True)}
        rows = [found[id(one)] if one.embedding is None else one.embedding for one in everyone]
        sizes = {len(row) for row in rows}
        if len(sizes) > 1:
            raise ValueError(f"The summaries' embeddings have {sorted(sizes)} dimensions; embed them with one model.")
        vectors = unit_rows(np.stack(rows))
        return np.split(vectors, np.cumsum([len(own) for own in members])[:-1])


def _central_first(members: Sequence[ConversationSummary], vectors: np.ndarray) -> list[ConversationSummary]:
    """Return a group's members by how near they are to its middle; `vectors` are theirs, of length one."""
    order = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
    return [members[position] for position in order]


def _group(members: Sequence[ConversationSummary], vectors: np.ndarray) -> Group:
    central = _central_first(members, vectors)
    language = _language(central)
    readable = [one for one in central if _language([one]) == language] or central
    return Group(
        [_asked(one) for one in readable],
        [users_words(one) for one in readable],
        vectors,
        unit_rows(vectors.mean(axis=0, keepdims=True))[0],
        language,
        [one.chat_id for one in members],
    )


def _asked(summary: ConversationSummary) -> str:
    return summary.summary or summary.request or ""


def _language(summaries: Sequence[ConversationSummary]) -> str:
    """Return the language that most members write in; where languages are unknown they count as English."""
    human = [[one for one in summary.languages or [] if one in human_languages()] for summary in summaries]
    n_english = sum(not own or "english" in own for own in human)
    if 2 * n_english >= len(summaries):
        return "english"
    counts = Counter(own[0] for own in human if own)
    return min(counts, key=lambda language: (-counts[language], language))


# The choice -----------------------------------------------------------------------------------------------------------


async def choose_names(groups: Sequence[Group], embedding_model: BaseEmbeddingModel) -> list[str]:
    """Return a name for each group; groups near each other that ask the same have one, and others differ.

    A group without a candidate that stands for it is named by the sentence of its most central member, and one that
    writes in another language than English by that language and what most of it is about.
    """
    ranked = await rank_candidates(groups, embedding_model)
    options = [
        _claiming_less(group, _acceptable(group, own)) or [Candidate(_fallback_name(group), 0.0, 1.0, 0.0, 0.0)]
        for group, own in zip(groups, ranked, strict=True)
    ]
    by_meaning: dict[frozenset[str], list[int]] = {}
    for number, own in enumerate(options):
        by_meaning.setdefault(_meaning(own[0].text), []).append(number)
    used: set[frozenset[str]] = set()
    used_meanings: set[frozenset[str]] = set()
    names: dict[int, str] = {}
    later: list[int] = []
    for meaning, numbers in sorted(
        by_meaning.items(), key=lambda one: -max(options[number][0].score for number in one[1])
    ):
        # Of groups that would have the same name the one it fits best keeps it.
        numbers.sort(key=lambda number: (-options[number][0].score, -len(groups[number].asked), number))
        for number in numbers:
            name = _in_full(options[number])
            if number == numbers[0] and _key(name) not in used:
                names[number] = name
                used.add(_key(name))
                used_meanings.add(meaning)
            else:
                later.append(number)
    for number in later:
        meaning = _meaning(options[number][0].text)
        same = [other for other in by_meaning[meaning] if other != number]
        taken = _Taken([groups[other] for other in same], used, used_meanings)
        near = (names[other] for other in same if other in names and _is_near(groups[other], groups[number]))
        names[number] = (
            _told_apart(options[number], groups[number], taken)
            # Not that of a group that was told apart: it says what this one doesn't.
            or next((name for name in near if _meaning(name) == meaning), None)
            or _still_free(options[number], ranked[number], taken)
        )
        used.add(_key(names[number]))
        used_meanings.add(_meaning(names[number]))
    for number, group in enumerate(groups):
        names[number] = _more_general(number, group, groups, names) or names[number]
    return [names[number] for number in range(len(groups))]


def _more_general(number: int, group: Group, groups: Sequence[Group], names: dict[int, str]) -> str | None:
    """Return the name of a larger group near a small one, if all of it stands in the small one's own.

    What two or three members have in common by chance, as a place, makes no request of its own.
    """
    if len(group.chat_ids) > MOST_BY_CHANCE:
        return None
    own = _meaning(names[number])
    larger = [
        other
        for other in names
        if len(groups[other].chat_ids) > MOST_BY_CHANCE
        and _meaning(names[other]) < own
        and _is_near(groups[other], group)
    ]
    nearest = max(larger, key=lambda other: (float(groups[other].centroid @ group.centroid), -other), default=None)
    return None if nearest is None else names[nearest]


@dataclass
class _Taken:
    """Why a name can't be had: the groups that it would be shared with, and what all names so far have in them."""

    rivals: list[Group]
    keys: set[frozenset[str]]
    meanings: set[frozenset[str]]


def _is_near(one: Group, other: Group) -> bool:
    return float(one.centroid @ other.centroid) >= SAME_THEME


def _in_full(options: Sequence[Candidate]) -> str:
    """Return the first option; where it is near to too few members, one as good that is near to more, or both.

    "List the ingredients / Find a recipe": a group of two requests is about either.
    """
    first = options[0]
    if not first.says_request or not first.near.size or first.near.mean() >= SAID_OF_ENOUGH:
        return first.text
    others = [one for one in options[1:] if one.says_request and not one.of_minority and not one.joints]
    for one in others:
        if one.near.mean() >= SAID_OF_ENOUGH and one.score > first.score - TELLING_APART_COST:
            return one.text
    seconds = [
        one
        for one in others
        if not stems(one.text) <= stems(first.text)
        and len(first.text.split()) + len(one.text.split()) <= MOST_WORDS_OF_TWO
        and (one.near & ~first.near).mean() >= LEAST_SHARE_OF_SECOND
    ]
    if not seconds:
        return first.text
    return joined_name(
        [first.text, max(seconds, key=lambda one: ((one.near & ~first.near).mean(), one.score, one.text)).text]
    )


def _acceptable(group: Group, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates that stand for their group; where none does, those that only say what it is about."""
    requests = [one for one in candidates if one.says_request]
    if len(group.asked) == 1:
        requests = [one for one in requests if one.is_asked]  # of one member what it is shown by is known
    true = [one for one in requests if one.stands]
    about = [one for one in candidates if not one.says_request]
    nearest = max((one.consensus for one in true), default=0.0)
    return (
        # Where each asks for something else of one subject, the subject is nearer to all than anybody's request.
        [one for one in about if one.of_topic is not None and one.of_topic > max(nearest, LEAST_OF_TOPIC)]
        or [one for one in true if one.is_asked]
        or true
        or [one for one in about if one.meant >= LEAST_SHARE_MEANT]
        or [one for one in requests if one.meant >= LEAST_SHARE_OF_OTHERS and group.language == "english"]
        or [one for one in about if one.meant >= LEAST_SHARE_AT_ALL]
        or [one for one in requests if one.meant >= LEAST_SHARE_AT_ALL and group.language == "english"]
    )


def _claiming_less(group: Group, options: list[Candidate]) -> list[Candidate]:
    """Return the options, the first one behind one that is as good and doesn't claim what is done with its thing.

    "Book a hotel" is "find a hotel" where few of those who ask for a hotel say that they want to book it.
    """
    if not options:
        return options
    verb, _, thing = options[0].text.lower().partition(" ")
    if verb not in ENGLISH_VERBS - LIGHT_VERBS:
        return options
    n_said = sum(stem(verb) in stems(asked) for asked in group.asked)
    if n_said >= LEAST_SHARE_OF_NOUNS * len(group.asked):
        return options
    for position, one in enumerate(options):
        light, _, same = one.text.lower().partition(" ")
        if light in LIGHT_VERBS and stems(same) == stems(thing) and one.score > options[0].score - AS_GOOD:
            return [one, *options[:position], *options[position + 1 :]]
    return options


def _meaning(name: str) -> frozenset[str]:
    """Return the words that tell a name from others: "Fix problems with" what one gets help with is the same thing."""
    subject = stems(name.removeprefix(HELP_WITH).removeprefix(FIX_PROBLEMS))
    if not subject:
        return frozenset([name.lower()])
    return frozenset(subject - _LIGHT_VERBS or subject) | _QUESTION_WORDS.intersection(name.lower().split())


_LIGHT_VERBS = frozenset(map(stem, LIGHT_VERBS))


# Two that ask for different things of the same; "what is" and "find out" don't.
_QUESTION_WORDS = frozenset(["how", "when", "where", "who", "why"])


def _key(name: str) -> frozenset[str]:
    """Return what two names have in common that could be mistaken for each other: all but articles and endings."""
    words = _WORD.findall(name.lower())
    return frozenset(stem(word) for word in words if word not in DETERMINERS) or frozenset([name.lower()])


_WORD = re.compile(r"[^\W_]+|…")


def _told_apart(options: list[Candidate], group: Group, taken: _Taken) -> str | None:
    """Return a name for a group whose best one is taken, if it has something to say that its rivals hardly say.

    It is the next candidate that says it, where there is a good one, and else the best one with a noun phrase in
    brackets.
    """
    common = stems(options[0].text)

    def apart(word: str) -> float:
        elsewhere = max((rival.usage.share_of_stem(word) for rival in taken.rivals), default=0.0)
        return group.usage.share_of_stem(word) - elsewhere

    telling = [
        (option.score + max(map(apart, added)), option.text)
        for option in _free(options, taken)
        if (added := stems(option.text) - common - _LIGHT_VERBS) and max(map(apart, added)) >= LEAST_APART
    ]
    if telling:
        return max(telling)[1]
    for apartness, detail in _details(options[0].text, group, taken.rivals):
        name = f"{options[0].text} ({detail})"
        if apartness >= LEAST_APART and _key(name) not in taken.keys:
            return name
    return None


def _free(options: list[Candidate], taken: _Taken) -> list[Candidate]:
    """Return the candidates that are not much worse than the first one and nobody else's name."""
    return [
        option
        for option in options[1:]
        if _key(option.text) not in taken.keys
        and option.text.split()[1:2] != [SLOT]
        and not option.of_minority
        and _meaning(option.text) not in taken.meanings
        and option.score > options[0].score - TELLING_APART_COST
    ]


def _still_free(options: list[Candidate], others: list[Candidate], taken: _Taken) -> str:
    """Return a name for a group that has nothing to be told apart by: other words for the same, at the worst a number."""
    if free := _free(options, taken):
        return free[0].text
    for option in [*options[1:], *sorted(others, key=lambda one: not one.is_asked)]:
        if _key(option.text) not in taken.keys:
            return option.text
    number = 2
    while _key(f"{options[0].text} ({number})") in taken.keys:
        number += 1
    return f"{options[0].text} ({number})"


def _details(name: str, group: Group, rivals: list[Group]) -> list[tuple[float, str]]:
    """Return what a group is about beside its name, as nouns, with the share of members by which it is apart, most first."""
    phrases = group.phrase_counts
    rival_phrases = [rival.phrase_counts for rival in rivals]
    forms = {key: form for text in reversed(group.said) for key, form in noun_phrases(text)}
    common = stems(name)
    found = []
    for key, form in forms.items():
        elsewhere = max(
            (own[key] / len(rival.said) for own, rival in zip(rival_phrases, rivals, strict=True)), default=0
        )
        says_nothing = NOUNS_THAT_SAY_NOTHING.intersection(form.lower().split())
        least = LEAST_SHARE_OF_DETAILS * len(group.said)
        if phrases[key] > least and not common & set(key) and not says_nothing and stands_for_a_thing(form):
            apartness = phrases[key] / len(group.said) - elsewhere + 0.02 * len(key)
            found.append((apartness, form.removeprefix("the ").removeprefix("a ").removeprefix("an ")))
    return sorted(found, key=lambda one: (-one[0], one[1]))


def _fallback_name(group: Group) -> str:
    return _sentence_name(group) if group.language == "english" else _name_abroad(group)


def _name_abroad(group: Group) -> str:
    """Return the language and the subjects of a group in which no request stands for most; nothing is translated."""
    counts = Counter(
        word for text in group.said for word in dict.fromkeys(content_words(MASK.sub(" ", text))) if len(word) > 3
    )
    least = max(2, LEAST_SHARE_ABROAD * len(group.said))
    # In German capitals tell nouns, and elsewhere names.
    spelling = common_spelling([group])
    common = [word for word, count in counts.items() if count >= least]
    common.sort(key=lambda word: (word not in spelling, -counts[word], word))
    language = group.language.title()
    if not common:
        return f"{ASK_IN} {language} about different things"
    return f"{ASK_IN} {language} about {respelled(' and '.join(common[:2]), spelling)}"


def _sentence_name(group: Group) -> str:
    """Return the most central member's sentence as a name, quoted where it asks for nothing."""
    for text in group.asked:
        for sentence in sentences(text):
            stripped = MASK.sub(SLOT, strip_niceties(sentence) or sentence).strip(" .…!?¿¡,;:")
            stripped = NUMBER.sub(lambda number: SLOT if group.usage.is_rare(number[0]) else number[0], stripped)
            words = stripped.split()
            if not words:
                continue
            name = " ".join(words[:N_WORDS]) + ("…" if len(words) > N_WORDS else "")
            name = name[0].upper() + name[1:]
            asked = asks(sentence) or has_problem(sentence) or "?" in sentence or len(content_words(sentence)) > 3
            if not asked:
                return f'{SAY}{name}"'
            return name
    return "Say nothing in words"


# Slugs and descriptions -----------------------------------------------------------------------------------------------


def slug_for(name: str, texts: Sequence[str]) -> str:
    """Return three ASCII words in snake_case: those of meaning in the name, and where it has fewer the texts' commonest."""
    counts = Counter(word for text in texts for word in set(_ascii_words(" ".join(content_words(text)))))
    common = [word for word, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    told = [word for word in _ascii_words(" ".join(content_words(name))) if word not in ("help", "kinds")]
    return three_word_slug(" ".join(told), " ".join([*common, *_ascii_words(name)]))


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
