"""Names and descriptions of clusters without a language model.

Here are the choice among the candidates (`name_candidates`), the telling apart of equal names, names for groups that
write in another language than English, and descriptions. Forming the groups, and their hierarchy, belongs elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.base_classes import BaseClusterDescriptionModel, BaseEmbeddingModel
from kura_dagster.pipeline.cluster_names import three_word_slug
from kura_dagster.pipeline.embedded.extractive_summary import MODEL, users_words
from kura_dagster.pipeline.embedded.group_words import (
    LEAST_SHARE_OF_DETAILS,
    Group,
    common_spelling,
    noun_phrases,
    respelled,
    stems,
)
from kura_dagster.pipeline.embedded.languages import human_languages
from kura_dagster.pipeline.embedded.name_candidates import Candidate, rank_candidates
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
from kura_dagster.pipeline.embedded.vocabulary import DETERMINERS, NOUNS_THAT_SAY_NOTHING
from kura_dagster.pipeline.embeddings import embed_texts
from kura_dagster.pipeline.personal_data import MASK, find_personal_data
from kura_dagster.pipeline.types import Cluster, ConversationSummary, cluster_id_of, unit_rows

ASK_IN = "Ask in"  # a language, where a group shares little else
SAY = 'Say "'  # a sentence that asks for nothing

N_EXAMPLES = 3
EXAMPLE_CHARACTERS = 120
LEAST_APART = (
    0.3  # of the members, that more of a group than of those with the same name have to say what tells it apart
)
LEAST_SHARE_AT_ALL = 0.25  # of members that a name is true of, for it to come before the central member's sentence
TELLING_APART_COST = 0.3  # how much worse a candidate may be that says something its rivals' names don't
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
            language = _language(central)
            readable = [one for one in central if _language([one]) == language] or central
            groups.append(
                Group(
                    [_asked(one) for one in readable],
                    [users_words(one) for one in readable],
                    own_vectors,
                    middle,
                    language,
                    [one.chat_id for one in own],
                )
            )
        names = await choose_names(groups, self.embedding_model)
        return [
            Cluster(
                cluster_id=cluster_id_of(one.chat_id for one in own),
                name=name,
                description=describe([one.request or one.summary for one in central]),
                slug=slug_for(name, group.asked),
                chat_ids=sorted(one.chat_id for one in own),
                model=MODEL,
                centroid=own_vectors.mean(axis=0),
            )
            for own, own_vectors, central, name, group in zip(members, vectors, ordered, names, groups, strict=True)
        ]

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
    """Return a name for each group; they differ from each other, whatever the case.

    A group without a candidate that stands for it is named by the sentence of its most central member, and one that
    writes in another language than English by that language and what most of it is about.
    """
    ranked = await rank_candidates(groups, embedding_model)
    options = [
        _acceptable(group, own) or [Candidate(_fallback_name(group), 0.0, 1.0, 0.0, 0.0)]
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
            name = options[number][0].text
            if number == numbers[0] and _key(name) not in used:
                names[number] = name
                used.add(_key(name))
                used_meanings.add(meaning)
            else:
                later.append(number)
    for number in later:
        rivals = [groups[other] for other in by_meaning[_meaning(options[number][0].text)] if other != number]
        name = _told_apart(options[number], ranked[number], groups[number], rivals, used, used_meanings)
        names[number] = name
        used.add(_key(name))
        used_meanings.add(_meaning(name))
    return [names[number] for number in range(len(groups))]


def _acceptable(group: Group, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates that stand for their group; where none does, those that only say what it is about."""
    requests = [one for one in candidates if one.says_request]
    if len(group.asked) == 1:
        requests = [one for one in requests if one.is_asked]  # of one member what it is shown by is known
    true = [one for one in requests if one.stands]
    return (
        [one for one in true if one.is_asked]
        or true
        or [one for one in candidates if not one.says_request and one.meant >= LEAST_SHARE_AT_ALL]
        or [one for one in requests if one.meant >= LEAST_SHARE_AT_ALL and group.language == "english"]
    )


def _meaning(name: str) -> frozenset[str]:
    """Return the words that tell a name from others: "Fix problems with" what one gets help with is the same thing."""
    subject = name.removeprefix(HELP_WITH).removeprefix(FIX_PROBLEMS)
    return frozenset(stems(subject)) or frozenset([name.lower()])


# Verbs that name no kind of request: "search for songs" is "find a song" again.
_LIGHT_VERBS = frozenset(
    map(stem, "find search look get locate see show give help tell need want have check know ask".split(" "))
)


def _key(name: str) -> frozenset[str]:
    """Return what two names have in common that could be mistaken for each other: all but articles and endings."""
    words = _WORD.findall(name.lower())
    return frozenset(stem(word) for word in words if word not in DETERMINERS) or frozenset([name.lower()])


_WORD = re.compile(r"[^\W_]+|…")


def _told_apart(
    options: list[Candidate],
    others: list[Candidate],
    group: Group,
    rivals: list[Group],
    used: set[frozenset[str]],
    used_meanings: set[frozenset[str]],
) -> str:
    """Return another name for a group whose best one is taken.

    It is the next candidate that says something more, where there is a good one, and else the best one with the noun
    phrase in brackets that sets the group apart from its `rivals`, the groups that it would share the name with.
    """
    common = stems(options[0].text)
    usage, rival_usages = group.usage, [rival.usage for rival in rivals]

    def apart(word: str) -> float:
        return usage.share_of_stem(word) - max((rival.share_of_stem(word) for rival in rival_usages), default=0.0)

    free = [
        option
        for option in options[1:]
        if _key(option.text) not in used
        and option.text.split()[1:2] != [SLOT]
        and not option.of_minority
        and _meaning(option.text) not in used_meanings
        and option.score > options[0].score - TELLING_APART_COST
    ]
    telling = [
        (option.score + max(map(apart, added)), option.text)
        for option in free
        if (added := stems(option.text) - common - _LIGHT_VERBS) and max(map(apart, added)) >= LEAST_APART
    ]
    if telling:
        return max(telling)[1]
    details = _details(options[0].text, group, rivals)
    for apartness, detail in details:
        name = f"{options[0].text} ({detail})"
        if apartness >= LEAST_APART and _key(name) not in used:
            return name
    # What sets it apart is nothing that a name could say: other words for the same say at least no more than is true.
    if free:
        return free[0].text
    for option in [*options[1:], *sorted(others, key=lambda one: not one.is_asked)]:
        if _key(option.text) not in used:
            return option.text
    number = 2
    while _key(f"{options[0].text} ({number})") in used:
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
            stripped = MASK.sub("…", strip_niceties(sentence) or sentence).strip(" .…!?¿¡,;:")
            words = stripped.split()
            if not words:
                continue
            name = " ".join(words[:12]) + ("…" if len(words) > 12 else "")
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
