"""What rewriting needs of English grammar: inflection, parts of speech by form, and the order of words in questions.

Everything here works on single words or on one clause, without knowing what a request is; the lists are `vocabulary`'s.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kura_dagster.pipeline.embedded.vocabulary import (
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    DO,
    IRREGULAR_PAST,
    MODALS,
    NOUNS_IN_ING,
    NUMBER_WORDS,
    PREDICATES,
    PREPOSITIONS,
    PRONOUNS,
    SINGULARS_IN_S,
    TIME_WORDS,
    TIMES,
    VERBS,
)

_BASE_OF_PAST = {past: base for base, past in IRREGULAR_PAST.items()}
PARTICIPANTS = frozenset(["user", "assistant"])
"""What "I" and "you" become."""

# Inflection -----------------------------------------------------------------------------------------------------------


def is_plural(word: str) -> bool:
    """Whether a noun has the form of a plural."""
    word = word.lower()
    return word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in SINGULARS_IN_S


def plural(noun: str) -> str:
    """Return a noun phrase with its last word in the plural: "passkey" gives "passkeys"."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


def third_person(verb: str) -> str:
    """Return a verb as it stands after "the user": "need" gives "needs"."""
    irregular = {
        "am": "is",
        "are": "is",
        "were": "was",
        "have": "has",
        "do": "does",
        "don't": "doesn't",
        "haven't": "hasn't",
    }
    irregular |= {"aren't": "isn't", "weren't": "wasn't", "go": "goes", "be": "is"}
    lower = verb.lower()
    if lower in irregular:
        return irregular[lower]
    if lower in MODALS or lower not in VERBS:
        return verb
    if lower.endswith(("s", "x", "z", "ch", "sh", "o")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", lower) else f"{verb}s"


def past(verb: str) -> str:
    """Return a verb's simple past: "go" gives "went"."""
    lower = verb.lower()
    if lower in IRREGULAR_PAST:
        return IRREGULAR_PAST[lower]
    if lower.endswith("e"):
        return f"{verb}d"
    if re.search(r"[^aeiou]y$", lower):
        return f"{verb[:-1]}ied"
    return f"{_doubled(verb)}ed"


def gerund(verb: str) -> str:
    """Return a verb's -ing form: "set" gives "setting"."""
    lower = verb.lower()
    if lower.endswith("ie"):
        return f"{verb[:-2]}ying"
    if lower.endswith("e") and not lower.endswith(("ee", "oe", "ye")) and lower != "be":
        return f"{verb[:-1]}ing"
    return f"{_doubled(verb)}ing"


def _doubled(verb: str) -> str:
    # One syllable, one vowel, one consonant: set → sett-. Longer words only where the stress is known to be last.
    short = re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", verb.lower()) or verb.lower() in {
        "forget",
        "begin",
        "submit",
        "commit",
        "refer",
    }
    return verb + verb[-1] if short else verb


def base_of_gerund(word: str) -> str | None:
    """Return the verb of an -ing form, or None where no known verb has it."""
    stem = word.lower().removesuffix("ing")
    if stem == word.lower():
        return None
    candidates = [stem, f"{stem}e", stem[:-1] if len(stem) > 2 and stem[-1] == stem[-2] else ""]
    if stem.endswith("y"):
        candidates.append(f"{stem[:-1]}ie")
    return next((candidate for candidate in candidates if candidate in VERBS), None)


def base_of_past(word: str) -> str | None:
    """Return the verb of a past form or participle, or None where no known verb has it."""
    lower = word.lower()
    if lower in _BASE_OF_PAST:
        return _BASE_OF_PAST[lower]
    if not lower.endswith("ed"):
        return None
    stem = lower[:-2]
    candidates = [
        stem,
        f"{stem}e",
        stem[:-1] if len(stem) > 2 and stem[-1] == stem[-2] else "",
        f"{stem[:-1]}y" if stem.endswith("i") else "",
    ]
    return next((candidate for candidate in candidates if candidate in VERBS), None)


def base_of_third_person(word: str) -> str | None:
    """Return the verb of a form in -s, or None where no known verb has it."""
    return next(
        (word.removesuffix(end) for end in ("s", "es") if word.endswith(end) and word.removesuffix(end) in VERBS), None
    )


# Parts of speech ------------------------------------------------------------------------------------------------------

NEGATION = re.compile(
    r"(?i)\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|unable|(?:under|by|in) no \w+|"
    r"\w+n['’]t|cant|wont|dont|doesnt|isnt|arent|wasnt|werent|didnt|hasnt|havent|hadnt|couldnt|wouldnt|shouldnt|mustnt)\b"
)
"""A word that denies, with or without its apostrophe."""

_NOT_NOMINAL = (
    DETERMINERS
    | AUXILIARIES
    | PRONOUNS
    | PREPOSITIONS
    | CONJUNCTIONS
    | frozenset([",", "to", "not", "never", "ever", "how", "what", "why"])
)


def is_number(word: str) -> bool:
    """Whether a word is a number, in digits or in letters."""
    return word.lstrip("$€£~+-")[:1].isdigit() or word.lower() in NUMBER_WORDS


@lru_cache(maxsize=20_000)
def is_finite(word: str) -> bool:
    """Whether a word has the form of a verb that a clause can have as its own."""
    lower = word.lower()
    return (
        lower in AUXILIARIES | VERBS
        or lower.endswith("n't")
        or base_of_past(lower) is not None
        or any(lower.removesuffix(ending) in VERBS for ending in ("s", "es"))
    )


@lru_cache(maxsize=20_000)
def is_nominal(word: str) -> bool:
    """Whether a word can be an adjective or a noun within a noun's words."""
    lower = word.lower()
    if lower in _NOT_NOMINAL or lower.endswith("n't") or (base_of_gerund(lower) and lower not in NOUNS_IN_ING):
        return False
    return lower in PREDICATES or not is_finite(lower) or lower in PARTICIPANTS


_BEFORE_VERBS = frozenset("be have need look feel sound taste smell seem".split())  # "look | like" has its verb first

# Undoing the inversion of a question ----------------------------------------------------------------------------------


def split_subject(words: list[str], *, verb_follows: bool) -> int | None:
    """Return how many of the words, which follow an auxiliary, are the subject; None where it can't be told."""
    lower = [word.lower().strip(",") for word in words]
    if len(lower) < 2:
        return None
    if lower[0] in PRONOUNS and (
        lower[0] not in DETERMINERS or lower[1] in PREDICATES | DETERMINERS | VERBS or verb_follows is False
    ):
        if (
            lower[0] not in {"this", "that", "these", "those"}
            or lower[1] in PREDICATES | DETERMINERS | VERBS | PREPOSITIONS
        ):
            return 1
    first = 2 if lower[0] in DETERMINERS else 1
    if verb_follows:
        verbs = [position for position in range(first, len(lower)) if lower[position] in VERBS]
        # "did my credit score | drop", but "can a speaker | play rain sounds": the last of several words that can be
        # verbs is the verb if nothing depends on it, and else the first is.
        if len(verbs) > 1 and verbs[1] == verbs[0] + 1 and lower[verbs[0]] not in _BEFORE_VERBS:
            after = lower[verbs[1] + 1 : verbs[1] + 2]
            if not after or after[0] in PREPOSITIONS | CONJUNCTIONS | TIMES:
                return verbs[1]
        return verbs[0] if verbs else None
    for position in range(first, len(lower)):
        word = lower[position]
        participle = (word.endswith("ing") and base_of_gerund(word)) or base_of_past(word)
        rate = position + 1 < len(lower) and lower[position + 1] in {
            "day",
            "week",
            "month",
            "year",
            "night",
            "hour",
            "minute",
        }
        article = word in DETERMINERS and lower[position - 1] not in PREPOSITIONS and not rate
        if word in PREDICATES or participle or article:
            return position
    for position in range(first, len(lower)):
        if lower[position] in PREPOSITIONS - {"of"}:
            return position
    return len(lower) - 1 if first < len(lower) else None


def uninverted(auxiliary: str, rest: str) -> str | None:
    """Return the statement that a question with this auxiliary asks about: ("is", "my flight late") → "my flight is late"."""
    words = rest.split()
    negation = ""
    auxiliary = auxiliary.lower()
    if auxiliary.endswith("n't"):
        auxiliary, negation = {"won't": "will", "can't": "can"}.get(auxiliary, auxiliary[:-3]), " not"
    if auxiliary in DO:
        size = split_subject(words, verb_follows=True)
        if size is None:
            return None
        subject, verb, tail = " ".join(words[:size]), words[size].lower(), " ".join(words[size + 1 :])
        head = next(
            (word for word in reversed(words[:size]) if not re.search(r"(?i)(?:ly|still|ever|just|also)$", word)),
            words[0],
        )
        singular = subject.split()[0].lower() not in {"i", "you", "we", "they"} and not is_plural(head)
        if negation:
            verb = f"{auxiliary} not {verb}"
        elif auxiliary == "did":
            verb = past(verb)
        elif auxiliary == "does" and singular:
            verb = third_person(verb)
        return f"{subject} {verb} {tail}".strip()
    size = split_subject(words, verb_follows=auxiliary in MODALS)
    if size is None:
        return None
    spoken = "cannot" if auxiliary == "can" and negation else f"{auxiliary}{negation}"
    return f"{' '.join(words[:size])} {spoken} {' '.join(words[size:])}".strip()


# From the user's point of view to an onlooker's -----------------------------------------------------------------------

_SUBJECTS = {"i": "the user", "we": "the user", "you": "the assistant"}


def onlooker(text: str) -> str:
    """Return the text with "my" as "the", "I" as "the user" (its verb agreeing) and "you" as "the assistant"."""
    text = re.sub(r"(?i)\b(?:my|our|your) own\b", "one's own", text)
    text = re.sub(
        r"(?i)\b(?:for|to|with|from|near|around|by|of|at)? ?\b(?:me|us)\b(?= (?:a|an|the|my|some|any|to|with|for|about|in|on)\b|[,.?!]|$)",
        "",
        text,
    )
    words = text.split()
    changed: list[str] = []
    subject = False
    for position, word in enumerate(words):
        lower = word.lower().strip(",.")
        following = words[position + 1].lower() if position + 1 < len(words) else ""
        if subject:
            word, subject = third_person(word), False
        elif lower in ("i", "we") or (
            lower == "you" and (following in VERBS or following in AUXILIARIES or following.endswith("n't"))
        ):
            word, subject = _SUBJECTS[lower], True
        elif lower in ("my", "our", "your") or (
            lower in ("this", "these", "those") and following.isalpha() and following not in _NOT_NOMINAL | TIME_WORDS
        ):
            word = "the"
        elif lower in ("me", "us"):
            word = "the user"
        elif lower == "you":
            word = "the assistant"
        elif lower in ("myself", "ourselves", "yourself"):
            word = "oneself"
        elif lower in ("mine", "yours", "ours"):
            word = "one's own"
        changed.append(word)
    return " ".join(changed)
