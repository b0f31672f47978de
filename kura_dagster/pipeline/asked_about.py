"""Which conversations a kept answer was made of, so that it can be erased with one of them.

Beside each answer stand hashes of the conversations' ids; they are no part of its key, and nobody gets an id from them.
What is asked inside of `asked_about` is about those conversations; erasing is the cache's work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

ABOUT = "about"
"""Where the hashes stand in what is kept."""

_about: ContextVar[frozenset[str]] = ContextVar("_about", default=frozenset())
_about_texts: ContextVar[Mapping[str, Iterable[str]]] = ContextVar("_about_texts", default={})  # noqa: B039


@contextmanager
def asked_about(chat_ids: Iterable[str]) -> Iterator[None]:
    """Say that what is asked inside is about these conversations."""
    token = _about.set(frozenset(map(hash_of, chat_ids)))
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def embedded_about(texts: Sequence[str], chat_ids: Sequence[Sequence[str]]) -> Iterator[None]:
    """Say which conversations each text that is embedded inside is about; without any, none is about one."""
    by_text: dict[str, list[str]] = {}
    for text, about in zip(texts, chat_ids, strict=False):
        by_text.setdefault(text, []).extend(about)
    token = _about_texts.set(by_text)
    try:
        yield
    finally:
        _about_texts.reset(token)


def marked(value: dict[str, Any], text: str | None = None) -> dict[str, Any] | None:
    """Return what is kept with the hashes of the conversations it is about now; None where it has all of them already.

    `text` is what was embedded, None for an answer.
    """
    now = _about.get() if text is None else frozenset(map(hash_of, _about_texts.get().get(text, ())))
    before = frozenset(value.get(ABOUT, ()))
    return {**value, ABOUT: sorted(before | now)} if now - before else None


# A question about a hierarchy is about thousands of conversations, the next one about nearly the same.
@lru_cache(maxsize=100_000)
def hash_of(chat_id: str) -> str:
    """Return what stands for a conversation beside the answers that were made of it."""
    return hashlib.sha256(b"kura " + chat_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]
