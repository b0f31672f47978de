"""Names of clusters: tidied, told apart, and their slugs.

What a name says is the naming models' work; here is only its form, which is the same for all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

NEAR_DUPLICATE = 90
"""Two names at least this alike (thefuzz's ratio, 0 to 100, upper and lower case alike) count as the same name."""

SAME_MEANING = 0.85
"""Two names whose vectors have at least this cosine mean the same.

Measured with MiniLM on 80 pairs of names (`kura_dagster_tests.labelled_names`): 40 mean the same in other words, of
which 21 are found (by thefuzz none), and 40 lie close together and don't, of which 1 is taken for the same. From 0.80
on it would be 31 and 3. Of other embedding models it was not measured.
"""

MAX_WORDS = 10
MAX_CHARACTERS = 120

_WORDS = re.compile(r"[^\W_]+")
_JOINED_CHARACTERS = 50
_SLUG_WORDS = 3
_SLUG_FILLERS = ("conversation", "group", "topic")
# thefuzz rounds before it compares, halves to the even number.
_LEAST_RATIO = NEAR_DUPLICATE - 0.5
_BLOCK_ROWS = 500


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


def near_duplicates(names: Sequence[str], vectors: np.ndarray | None = None) -> list[int | None]:
    """Return for each name the position of the earlier one that it could be mistaken for, None where there is none.

    Of several it is the most alike in letters, or else in meaning, and of equals the first: what `near_duplicate` finds
    among the names before each, of 10,000 names in seconds. A blank name is like none.

    Args:
        names: any.
        vectors: unit vectors of the names, shape (n, n_dims), rows of zeros where there is none; with them, names of
            `SAME_MEANING` count too.
    """
    found: list[int | None] = []
    folded = [name.casefold() for name in names]
    for start in range(0, len(names), _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, len(names))
        blank = np.array([not name.strip() for name in names[start:stop]])
        by_letters = _earlier(_ratios(folded[start:stop], folded[:stop]), start, blank, _LEAST_RATIO)
        if vectors is None:
            found += by_letters
            continue
        # Rounded, so that equals are that on every machine.
        cosines = (vectors[start:stop] @ vectors[:stop].T).round(5)
        by_meaning = _earlier(cosines, start, blank, SAME_MEANING)
        found += [meant if spelt is None else spelt for spelt, meant in zip(by_letters, by_meaning, strict=True)]
    return found


def _earlier(likeness: np.ndarray, start: int, blank: np.ndarray, least: float) -> list[int | None]:
    """Return for each row, which stands at `start` and after, the most alike column before it, None below `least`."""
    rows, columns = likeness.shape
    likeness[np.arange(columns) >= start + np.arange(rows)[:, None]] = -1
    likeness[blank] = -1
    best = likeness.argmax(axis=1)
    return [int(at) if likeness[row, at] >= least else None for row, at in enumerate(best)]


def _ratios(folded: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Return how alike each is to each of the others, shape (n, n_others): not rounded, and 0 below what it takes."""
    # thefuzz is a thin layer over it, and has nothing for many texts at once.
    from rapidfuzz import fuzz, process

    return process.cdist(folded, others, scorer=fuzz.ratio, score_cutoff=_LEAST_RATIO, dtype=np.float64)


def distinct_name(name: str, slug: str, taken: Collection[str]) -> str:
    """Return the name, with its slug's words or else a number behind it where it could be mistaken for a taken one.

    This is for models that word names freely, where two that are alike mean two groups that are; `numbered_names` is
    the guarantee that holds for every model.
    """
    others = list(taken)
    if near_duplicate(name, others) is None:
        return name
    return _told_apart(name, slug, others, {_comparable(other) for other in others}, Counter())


def distinct_names(named: Iterable[tuple[str, str]]) -> list[str]:
    """Return one name for each (name, slug), in order, each told apart from those before it as by `distinct_name`."""
    pairs = list(named)
    names: list[str] = []
    used: set[str] = set()
    numbers: Counter[str] = Counter()
    for start in range(0, len(pairs), _BLOCK_ROWS):
        block = pairs[start : start + _BLOCK_ROWS]
        folded = [name.casefold() for name, _ in block]
        like_one_before = np.any(_ratios(folded, [name.casefold() for name in names]) >= _LEAST_RATIO, axis=1)
        ratios = _ratios(folded, folded)
        for row, (given, slug) in enumerate(block):
            name = given
            if given.strip() and (like_one_before[row] or np.any(ratios[row, :row] >= _LEAST_RATIO)):
                name = _told_apart(given, slug, names, used, numbers)
                ratios[:, row] = _ratios(folded, [name.casefold()])[:, 0]
            names.append(name)
            used.add(_comparable(name))
    return names


def _told_apart(name: str, slug: str, others: Sequence[str], used: Collection[str], numbers: Counter[str]) -> str:
    """Return the name with its slug's words behind it, or with a number where that is taken too.

    `used` are the others as they are compared, `numbers` the last one given to each name.
    """
    with_slug = f"{name} ({slug.replace('_', ' ')})"
    if near_duplicate(with_slug, others) is None:
        return with_slug
    return _numbered(name, used, numbers)


def numbered_names(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names on one line each, in order, a number behind those that another one or a taken one has already.

    Names that differ only in upper and lower case or in spaces are the same. The first of several keeps its own, and
    what another was called from the start is never given to a numbered one.
    """
    used = {_comparable(name) for name in taken}
    reserved = used | {_comparable(name) for name in names}
    numbers: Counter[str] = Counter()
    numbered = []
    for name in (" ".join(name.split()) for name in names):
        unique = name if _comparable(name) not in used else _numbered(name, reserved, numbers)
        used.add(_comparable(unique))
        reserved.add(_comparable(unique))
        numbered.append(unique)
    return numbered


def _numbered(name: str, used: Collection[str], numbers: Counter[str]) -> str:
    key = _comparable(name)
    numbers[key] = max(numbers[key], 2)
    while _comparable(f"{name} ({numbers[key]})") in used:
        numbers[key] += 1
    return f"{name} ({numbers[key]})"


def _comparable(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(text)]
