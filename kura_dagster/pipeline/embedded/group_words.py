"""The words that a group of conversations is named by: who uses which, and which set the group apart.

Only counting and reading words belong here; `subjects` and `name_candidates` make names of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kura_dagster.pipeline.embedded.grammar import is_nominal, is_number
from kura_dagster.pipeline.embedded.request_sentence import content_words, sentences, stem
from kura_dagster.pipeline.embedded.vocabulary import PREDICATES, TIME_WORDS
from kura_dagster.pipeline.privacy.personal_data import MASK

# The share of members that has to use a word for it to stand in a name: `LEAST_SHARE` and two members at least for it
# to stay, `ENOUGH_SHARE` for nothing to be said against it. Names of places and products and numbers need more: they
# say which, and mislead if it is only one of many.
LEAST_SHARE = 0.15
LEAST_SHARE_OF_NOUNS = 0.34
LEAST_SHARE_OF_NAMES = 0.5
LEAST_SHARE_OF_DETAILS = 0.6  # more than that, for words that a name can do without
N_OF_BEGINNING = 5  # letters
ENOUGH_SHARE = 0.4
ENOUGH_SHARE_OF_NAMES = 0.7


@dataclass(frozen=True)
class Group:
    """What naming sees of a group: what its members asked, most central first, and where its middle is.

    `asked` has one request a member and `said` all that the member wrote, for those who write in the group's
    `language`, which is "english" where it is unknown. `vectors`, shape (n, n_dims), are all members', and `centroid`,
    shape (n_dims,), is their middle; all are of length one. `chat_ids` are all members' too: what an API is asked about
    the group is erased with any of them.
    """

    asked: list[str]
    said: list[str]
    vectors: np.ndarray
    centroid: np.ndarray
    language: str = "english"
    chat_ids: Sequence[str] = ()

    @cached_property
    def usage(self) -> Usage:
        """How many members use each word."""
        return Usage(self.said)

    @cached_property
    def phrase_counts(self) -> Counter[tuple[str, ...]]:
        """How many members use each noun phrase, in stems."""
        return Counter(key for text in self.said for key in {key for key, _ in noun_phrases(text)})


class Usage:
    """How many members of a group use a word, whatever its ending."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.n_members = len(texts)
        self.counts = Counter(word for text in texts for word in stems(text))
        self.numbers = Counter(number for text in texts for number in set(NUMBER.findall(text.lower())))

    def share(self, word: str) -> float:
        """Return the share of members that use the word."""
        return self.counts[stem(word)] / self.n_members

    def share_of_stem(self, word: str) -> float:
        """Return the share of members that use a word with this stem."""
        return self.counts[word] / self.n_members

    @cached_property
    def times(self) -> Counter[str]:
        """How many members use each word that says on which day."""
        return Counter(word for text in self.texts for word in _DAYS.intersection(_WORDS.findall(text.lower())))

    @cached_property
    def beginnings(self) -> Counter[str]:
        """How many members use a word that begins so: in other languages words have more endings than `stem` knows."""
        return Counter(
            beginning for text in self.texts for beginning in {word[:N_OF_BEGINNING] for word in stems(text)}
        )

    def share_of_beginning(self, word: str) -> float:
        """Return the share of members that use a word which begins like a stem."""
        return self.beginnings[word[:N_OF_BEGINNING]] / self.n_members

    def missing(self, word: str) -> float:
        """Return how much a word lacks the support that a name's words should have, from 0 (none) to 1."""
        if not content_words(word):
            return 0.0
        enough = ENOUGH_SHARE_OF_NAMES if word[0].isupper() else ENOUGH_SHARE
        return max(0.0, 1 - self.share(word) / enough)

    def is_rare(self, word: str) -> bool:
        """Whether too few members use a word for it to stand in the name; function words are never rare."""
        bare = word.strip(_AROUND)
        if bare == "…":
            return True
        if not bare or self.n_members < 2:
            return False
        if not content_words(bare) and not any(character.isdigit() for character in bare):
            return False
        if NUMBER.fullmatch(bare.lower()):
            count = self.numbers[bare.lower()]
            return self.n_members > 2 and (count < 2 or count / self.n_members < ENOUGH_SHARE_OF_NAMES)
        is_name = bare[0].isupper() or any(character.isdigit() for character in bare)
        if self.n_members == 2 and not is_name:
            return False
        least = LEAST_SHARE_OF_NAMES if is_name else LEAST_SHARE
        return self.counts[stem(bare)] < 2 or self.share(bare) < least

    def is_of_few(self, word: str) -> bool:
        """Whether so few members use a noun or a number that a name with it would claim what only they meant."""
        bare = word.strip(_AROUND)
        if NUMBER.fullmatch(bare.lower()):
            return self.is_rare(bare)
        if not self.counts[stem(bare)] and not any(character.isdigit() for character in bare):
            return False  # rewriting has added it: "fix trouble"
        if self.is_rare(bare):
            return True
        if self.n_members == 2:
            return bool(content_words(bare)) and self.counts[stem(bare)] < 2
        return self.n_members > 2 and bool(content_words(bare)) and self.share(bare) < LEAST_SHARE_OF_NOUNS

    def is_of_minority(self, word: str) -> bool:
        """Whether two thirds of the members or fewer use a word, so that a name is truer without it where it can go."""
        bare = word.strip(_AROUND)
        if bare.lower() in _DAYS:
            return self.n_members > 1 and self.times[bare.lower()] / self.n_members <= LEAST_SHARE_OF_DETAILS
        if not content_words(bare) or not self.counts[stem(bare)]:
            return self.is_rare(bare)
        return self.n_members > 1 and self.share(bare) <= LEAST_SHARE_OF_DETAILS


_AROUND = "'’.,!?\"()$€£%"
NUMBER = re.compile(r"\d[\w.,:%-]*\w|\d")


def stems(text: str) -> set[str]:
    """Return the words of meaning in a text, without their endings; a mask as `[name]` is nobody's word."""
    return {stem(word) for word in content_words(_ERROR_NAME.sub(r"\1", MASK.sub(" ", text)))}


def common_spelling(groups: Sequence[Group]) -> dict[str, str]:
    """Return how most people write the words that most people write with capitals: "kyoto" is "Kyoto"."""
    forms: dict[str, Counter[str]] = {}
    for group in groups:
        for text in group.said:
            for sentence in sentences(text):
                for word in _LETTERS.findall(sentence)[1:]:
                    forms.setdefault(word.lower(), Counter())[word] += 1
    most = {lower: min(counts, key=lambda form: (-counts[form], form)) for lower, counts in forms.items()}
    return {
        lower: form
        for lower, form in most.items()
        # Long words in capitals only are shouted.
        if form != lower and 2 * forms[lower][lower] <= forms[lower].total() and (len(form) < 6 or not form.isupper())
    }


def respelled(text: str, spelling: dict[str, str]) -> str:
    """Return the text with its words in small letters written as `spelling` has them."""
    return _SMALL_LETTERS.sub(lambda word: spelling.get(word[0], word[0]), text)


def theme_weights(groups: Sequence[Group]) -> list[dict[str, float]]:
    """Return for each group how much each word stem sets it apart: its share there less its mean share elsewhere."""
    total: Counter[str] = Counter()
    for group in groups:
        total.update({word: count / group.usage.n_members for word, count in group.usage.counts.items()})
    n_others = max(1, len(groups) - 1)
    weights = []
    for group in groups:
        own: dict[str, float] = {}
        for word, count in group.usage.counts.items():
            share = count / group.usage.n_members
            apart = share - (total[word] - share) / n_others
            if apart > 0 and (count > 1 or group.usage.n_members < 3):
                own[word] = apart
        weights.append(own)
    return weights


# "The next song" is another request than "the song", and "the weather today" hardly one.
_DAYS = TIME_WORDS - frozenset("second next last previous current time times date dates am pm".split())
_WORDS = re.compile(r"[a-z]+")
_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SMALL_LETTERS = re.compile(r"(?<![^\W\d_])[a-z]+(?:-[a-z]+)*(?![^\W\d_])")

_ERROR_NAME = re.compile(r"\b\w{2,40}(error|exception)\b", re.IGNORECASE)  # "KeyError" is an error
_MARKS = ".,!?;:\"'()…“”"
_NO_HEAD = re.compile(r"(?i)(?:ly|ing|ed|able|ible|ful|ous|less|est)$")
# Adjectives, and nouns that stand for nothing without what follows them
_NO_THINGS = PREDICATES | frozenset(
    "rid kind kinds lot way ways sort bit help something anything thing things double number".split(" ")
)


def _belongs_to_noun(word: str) -> bool:
    bare = word.strip(_MARKS)
    return bare.replace("-", "").isalpha() and is_nominal(bare) and not is_number(bare) and bool(content_words(bare))


def noun_phrases(text: str) -> Iterable[tuple[tuple[str, ...], str]]:
    """Yield the nouns in a text, each with none to two words before it that belong to it.

    A phrase comes as stems and as it is written in a name: "the new password" as ("new", "password") and in words.
    """
    words = _ERROR_NAME.sub(lambda name: name[1].lower(), text).split()
    for start in range(len(words)):
        phrase: list[str] = []
        for position, word in enumerate(words[start : start + 3], start):
            bare = word.strip(_MARKS)
            if not _belongs_to_noun(bare):
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
            goes_on = word[-1:].isalpha() and any(map(_belongs_to_noun, words[position + 1 : position + 2]))
            rest_of_a_name = (
                phrase[0][0].isupper()
                and not phrase[0].isupper()
                and start > 0
                and words[start - 1][:1].isupper()
                and words[start - 1][-1:].isalpha()
            )
            if (
                not goes_on
                and not rest_of_a_name
                and not _NO_HEAD.search(phrase[-1])
                and phrase[-1].lower() not in _NO_THINGS
            ):
                yield tuple(stem(part) for part in phrase), article + " ".join(phrase)
            if word[-1:] in ".,!?;:)":
                break
