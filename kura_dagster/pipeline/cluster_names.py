"""Names of clusters: tidied, told apart, and their slugs.

What a name says is the naming models' work; here is only its form, which is the same for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

NEAR_DUPLICATE = 90
"""Two names at least this alike (thefuzz's ratio, 0 to 100, upper and lower case alike) count as the same name."""

MAX_WORDS = 10
MAX_CHARACTERS = 120

_WORDS = re.compile(r"[^\W_]+")
_JOINED_CHARACTERS = 50
_SLUG_WORDS = 3
_SLUG_FILLERS = ("conversation", "group", "topic")


def tidy_name(name: str) -> str:
    """Return the name on one line without quotes around it or a full stop at its end, ten words at most."""
    line = " ".join(name.split()).strip("\"'“”„‘’` ").rstrip(".").strip()
    words = line.split(" ")
    if len(words) > MAX_WORDS:
        line = " ".join(words[:MAX_WORDS]) + "…"
    return _cut(line, MAX_CHARACTERS)


def joined_name(names: Sequence[str]) -> str:
    """Return a name for what holds all of these: the first two, and how many more there are."""
    shown = " / ".join(_cut(" ".join(name.split()), _JOINED_CHARACTERS) for name in names[:2])
    return f"{shown} and {len(names) - 2} more" if len(names) > 2 else shown


def three_word_slug(slug: str, name: str) -> str:
    """Return three words in snake_case: those of `slug`, made up from those of `name` where it has fewer."""
    words: list[str] = []
    for word in [*_words(slug), *_words(name), *_SLUG_FILLERS]:
        if word not in words:
            words.append(word)
    return "_".join(words[:_SLUG_WORDS])


def best_match(text: str, candidates: Sequence[str]) -> tuple[str, int] | None:
    """Return the candidate most like the text and how alike it is, 0 to 100; the first of equals, None of none."""
    # thefuzz takes 60 ms to import, and a code location that only loads names nothing.
    from thefuzz import fuzz, process

    if not text.strip() or not candidates:
        return None
    folded = [candidate.casefold() for candidate in candidates]
    found = process.extractOne(text.casefold(), folded, processor=None, scorer=fuzz.ratio)
    return candidates[folded.index(found[0])], round(found[1])


def near_duplicate(name: str, others: Sequence[str]) -> str | None:
    """Return the one of `others` that the name could be mistaken for, or None."""
    found = best_match(name, others)
    return found[0] if found is not None and found[1] >= NEAR_DUPLICATE else None


def distinct_name(name: str, slug: str, taken: Collection[str]) -> str:
    """Return the name, with its slug's words or else a number behind it where it could be mistaken for a taken one.

    This is for models that word names freely, where two that are alike mean two groups that are; `numbered_names` is
    the guarantee that holds for every model.
    """
    others = list(taken)
    if near_duplicate(name, others) is None:
        return name
    with_slug = f"{name} ({slug.replace('_', ' ')})"
    if near_duplicate(with_slug, others) is None:
        return with_slug
    return _numbered(name, {_comparable(other) for other in others})


def distinct_names(named: Iterable[tuple[str, str]]) -> list[str]:
    """Return one name for each (name, slug), in order, each told apart from those before it."""
    names: list[str] = []
    for name, slug in named:
        names.append(distinct_name(name, slug, names))
    return names


def numbered_names(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names on one line each, in order, a number behind those that another one or a taken one has already.

    Names that differ only in upper and lower case or in spaces are the same. The first of several keeps its own, and
    what another was called from the start is never given to a numbered one.
    """
    used = {_comparable(name) for name in taken}
    given = {_comparable(name) for name in names}
    numbered = []
    for name in (" ".join(name.split()) for name in names):
        unique = name if _comparable(name) not in used else _numbered(name, used | given)
        used.add(_comparable(unique))
        numbered.append(unique)
    return numbered


def _numbered(name: str, used: Collection[str]) -> str:
    number = 2
    while _comparable(f"{name} ({number})") in used:
        number += 1
    return f"{name} ({number})"


def _comparable(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(text)]
