"""Making an imperative shorter: leaving out what only one member of a group said, and what a name can do without.

One imperative in, shorter ones out; making imperatives is `imperative`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from kura_dagster.pipeline.embedded.grammar import (
    NEGATION,
    PARTICIPANTS,
    base_of_past,
    is_finite,
    is_nominal,
    is_number,
)
from kura_dagster.pipeline.embedded.request_sentence import content_words
from kura_dagster.pipeline.embedded.vocabulary import (
    AUXILIARIES,
    BE,
    BEFORE_INFINITIVE,
    CONJUNCTIONS,
    DETERMINERS,
    DO,
    HAVE,
    INCOMPLETE_ENDS,
    MODALS,
    NOUNS_IN_ING,
    PREDICATES,
    PREPOSITIONS,
    PRONOUNS,
    TIME_WORDS,
    TIMES,
    VERBS,
    VERBS_THAT_ARE_NOUNS,
)

_NO_END = (
    DETERMINERS
    | AUXILIARIES
    | PREPOSITIONS - {"off", "on", "out", "up", "down", "in", "over", "back"}
    | CONJUNCTIONS
    | INCOMPLETE_ENDS
)


_BREAKS = (PREPOSITIONS | CONJUNCTIONS | TIMES) - {"of", "than", "whether", "that", "out"}


_RESTRICTIVE = frozenset(["except", "unless", "instead", "until", "despite"])
_NEW_CLAUSE = frozenset(["and", "but", "because", "so", "or"])


def _is_negative(word: str) -> bool:
    return word.lower() in _RESTRICTIVE or NEGATION.fullmatch(word) is not None


def _starts_time(words: list[str], position: int) -> bool:
    """Whether "this week" or the like starts here."""
    following = words[position + 1].lower() if position + 1 < len(words) else ""
    return words[position].lower() in ("this", "next", "last", "every") and following in TIME_WORDS


def shortened_imperatives(text: str, is_rare: Callable[[str], bool], n_words: int = 10) -> list[str]:
    """Return what is left of an imperative when parts are left out that it can do without, longest first.

    Parts are what follows a preposition, a conjunction or a comma, and words before a noun. A part that holds a word
    for which `is_rare` is true is always left out where that is possible. No text has more than `n_words` words.
    """
    words = re.sub(r"([,;:]|(?<=\w)…| [-–—]+)(?= |$)", r" , ", text).split()
    if all(word in (",", SLOT) for word in words):
        return []
    earliest = 2
    if _CLAUSE.match(text):
        # A clause has to keep its verb, and a question that begins with an auxiliary what is asked of its subject.
        auxiliaries = (
            position
            for position in range(2, len(words))
            if words[position].lower() in AUXILIARIES or words[position].endswith("n't")
        )
        verb = next(
            auxiliaries,
            next(
                (
                    position
                    for position in range(2, len(words))
                    if is_finite(words[position]) and words[position - 1].lower() not in DETERMINERS
                ),
                None,
            ),
        )
        earliest = len(words) if verb is None else verb + 1
    breaks = [
        position
        for position in range(earliest, len(words))
        if words[position] == ","
        or _starts_time(words, position)
        or (
            words[position].lower() in _BREAKS
            and words[position - 1].lower() not in PREPOSITIONS | {","}
            and not (words[position].lower() == "to" and words[position - 1].lower() in BEFORE_INFINITIVE)
            and words[position : position + 2] != ["to", "know"]  # without it "get the bank to know" gets the bank
            and not (words[position].lower() == "like" and words[position - 1].lower() in VERBS | AUXILIARIES)
        )
    ]
    edges = [0, *breaks, len(words)]
    segments = [words[start:end] for start, end in pairwise(edges)]
    core, parts = segments[0], segments[1:]
    # What comes after a conjunction or a comma hangs together: it is kept to its end or not at all.
    hangs_on = (
        number
        for number, part in enumerate(parts)
        if part[0] == "," or part[0].lower() in CONJUNCTIONS | TIMES or _starts_time(part, 0)
    )
    tails = parts[: next(hangs_on, len(parts))]
    core = _without_rare_modifiers(core, is_rare)
    # An amount or a number that only this member has, with what it counts
    trimmed = core
    while len(trimmed) > 2 and (is_number(trimmed[-1]) or is_number(trimmed[-2])) and is_rare(trimmed[-1]):
        trimmed = trimmed[:-1]
    core = trimmed if trimmed[-1].lower() not in _NO_END else core
    # What says no is never left out: "works except on phones" is not "works". A clause of its own is another matter.
    new_clauses = (number for number, part in enumerate(parts) if part[0] == "," or part[0].lower() in _NEW_CLAUSE)
    required = [part for part in parts[: next(new_clauses, len(parts))] if any(map(_is_negative, part))]
    kept = [part for part in tails[:4] if not any(is_rare(word) for word in part)]
    combinations = [parts if "," not in words else tails, kept, *([part] for part in kept), kept[:2], []]
    found: dict[str, None] = {}
    for combination in combinations:
        if any(part not in combination for part in required):
            combination = [part for part in parts if part in combination or part in required]
        chosen = [word for segment in [core, *combination] for word in segment]
        phrase = " ".join(chosen).replace(" ,", ",").strip(" ,")
        if 1 < len(phrase.split()) <= n_words and (phrase == text or _can_end(phrase.lower().split())):
            found[phrase] = None
    if len(words) == 1:
        found[text] = None
    return sorted(found, key=lambda phrase: (-len(phrase.split()), phrase))


_CLAUSE = re.compile(
    r"(?i)(?:(?:find out|explain|check|report|decide|ask|see) )?(?:what|how|why|when|where|who|which|whose|whether|that|if)\b|"
    rf"(?:{'|'.join(sorted(AUXILIARIES - DO))}|does|did) "
)


SLOT = "…"
"""Stands in a name where its members' requests differ: "Explain the definition of …"."""


def with_slots(text: str, is_rare: Callable[[str], bool]) -> str:
    """Return a phrase with "…" in the place of each noun, with what belongs to it, that `is_rare` is true of.

    Verbs stay, for people say the same in many verbs; nouns and numbers that few share say which of many one meant.
    """
    words = text.split()
    shown: list[str] = words[:1]
    position = 1
    while position < len(words):
        if _is_verbs_place(words, position):
            shown.append(words[position])
            position += 1
            continue
        end = position
        while end < len(words) and _is_filler(words[end]):
            end += 1
        run = words[position:end]
        if run and not _says_how(run[-1], words[end - 2 : end - 1] if len(run) == 1 else []) and any(map(is_rare, run)):
            # Of a compound the common head stays: "a four star hotel" is "a … hotel", which is no better than "a hotel".
            if not is_rare(run[-1]):
                run = _with_article(shown, [word for word in run if not is_rare(word)], run[0])
            elif end < len(words) and words[end].lower() in VERBS_THAT_ARE_NOUNS:
                run = []  # the head is what follows
            else:
                if len(shown) > 1 and shown[-1].lower() in ("a", "an"):
                    shown.pop()
                before = shown[-1].lower()
                if len(shown) == 1 or before in _BEFORE_SLOTS:
                    run = run if before in _NEEDS_NOUN else [SLOT]
                elif before not in _NEEDS_NOUN:
                    run = []  # after a noun there is nothing to fill in: "the to-do list items" are the to-do list
        shown += run
        if end < len(words):
            shown.append(words[end])
        position = end + 1
    return re.sub(rf"{SLOT}(?: {SLOT})+", SLOT, " ".join(shown))


def n_fillers(text: str, is_rare: Callable[[str], bool]) -> int:
    """Return how many nouns and numbers of a phrase `is_rare` is true of, its first word aside.

    After its first preposition words that may be verbs and days count, too: "the traffic | to work".
    """
    words = text.split()
    tail = next((position for position in range(2, len(words)) if words[position].lower() in _BREAKS), len(words))
    return sum(
        is_rare(words[position])
        and (
            (position > tail and words[position].lower() in VERBS_THAT_ARE_NOUNS | TIME_WORDS)
            or (
                _is_filler(words[position])
                and not _is_verbs_place(words, position)
                and not _says_how(words[position], words[position - 1 : position])
            )
        )
        for position in range(1, len(words))
    )


_BEFORE_SLOTS = PREPOSITIONS | VERBS | AUXILIARIES | frozenset(["to", "and", "or"])
_NEEDS_NOUN = DETERMINERS | frozenset(["what", "which", "whose", "how"])


def _with_article(before: list[str], run: list[str], first: str) -> list[str]:
    """Return the run; an article before it agrees with its first word where that is another one than `first`."""
    if before[-1].lower() in ("a", "an") and run[0] != first:
        before[-1] = "an" if run[0][0].lower() in "aeiou" else "a"
    return run


def _is_filler(word: str) -> bool:
    is_noun = is_nominal(word) and bool(content_words(word)) and word.lower() not in PARTICIPANTS
    return is_noun or is_number(word)


def _is_verbs_place(words: list[str], position: int) -> bool:
    """Whether a verb stands here, known or not: "can I | incur fees"."""
    before = words[position - 1].lower()
    return before in _SPEAKERS or (before in MODALS and words[position].lower() not in PRONOUNS | DETERMINERS)


_SPEAKERS = frozenset(["i", "we", "you"])


def _says_how(word: str, before: list[str]) -> bool:
    """Whether a word, with the one right before it, is no noun: "on the open", "speak louder"."""
    lower = word.lower()
    return lower in PREDICATES or (lower.endswith(("er", "est")) and before != [] and before[0].lower() in VERBS)


def _can_end(words: list[str]) -> bool:
    """Whether a phrase that was cut may end so; a word left to itself by the cut, as "directed" of "by", may not be last."""
    before, last = words[-2:]
    if last in _NO_END:
        return False
    left_over = (last.endswith("ing") and last not in NOUNS_IN_ING) or last.endswith("ed") or base_of_past(last)
    return not left_over or before in BE | HAVE | frozenset(["be", "been", "get", "not"])


def _without_rare_modifiers(core: list[str], is_rare: Callable[[str], bool]) -> list[str]:
    """Leave out rare words that stand before another noun: "a cheap Italian restaurant" → "a restaurant"."""
    kept = core[:1]
    position = 1
    while position < len(core):
        if _is_verbs_place(core, position):
            kept.append(core[position])
            position += 1
            continue
        end = position
        while end < len(core) and is_nominal(core[end]):
            end += 1
        run = core[position:end]
        if len(run) > 1 and not is_rare(run[-1]):
            run = _with_article(kept, _without_rare(run, is_rare, kept[-1].lower()), run[0])
        kept += run
        if end < len(core):
            kept.append(core[end])
        position = end + 1
    return kept


def _without_rare(run: list[str], is_rare: Callable[[str], bool], before: str) -> list[str]:
    """Leave out the rare words of a run of adjectives and nouns; its last word, the head, stays."""
    kept = []
    skip = False
    for position, word in enumerate(run[:-1]):
        if skip or (is_number(word) and is_rare(word)):
            # A number goes where "the" stays, and with what it counts where "a" does: "a four star hotel" is a hotel.
            # Elsewhere it stays: "learn 500 words".
            if skip or before in DETERMINERS:
                skip = not skip and before in ("a", "an") and position + 2 < len(run)
                continue
        elif is_rare(word) and word not in PARTICIPANTS:
            continue
        kept.append(word)
    return kept + run[-1:]
