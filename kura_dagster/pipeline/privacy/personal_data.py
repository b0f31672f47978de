"""Masking of personal data: e-mail addresses, phones, cards, account numbers, addresses of machines, secrets, names.

Here what `secret_forms`, `identifying_forms` and `introduced_names` find becomes masks in a text. Which texts are
masked is for the callers to say: `redaction` masks what goes to a model, the extractive summaries what they show, and a
check looks for what was left over.

presidio does this too. Its phone numbers stand on the same library as ours; those of its recognisers that look for
cards, IBANs and IP addresses found less, or took versions for addresses. It knows neither keys nor passwords, finds
names with a model that has to be downloaded, and brings 390 MB. docs/privacy.md has the figures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from kura_dagster.pipeline.privacy.identifying_forms import IDENTIFYING_FORMS, Form
from kura_dagster.pipeline.privacy.introduced_names import find_names
from kura_dagster.pipeline.privacy.known_names import KnownNames
from kura_dagster.pipeline.privacy.secret_forms import SECRET_FORMS
from kura_dagster.pipeline.privacy.traced_text import TracedText, plain

KINDS = ("email", "phone", "card", "iban", "ip", "secret", "password", "number", "name")
"""What a mask can stand for. `secret` is a key or a token, `number` one that papers, accounts or orders have."""

MASK = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
"""What a masked text holds in place of what was masked."""

_FORMS: tuple[Form, ...] = (*SECRET_FORMS, *IDENTIFYING_FORMS)
_DIGIT = re.compile("[0-9]")
_REPEATED_NAME = re.compile(r"\[name\](?:[ ,]{1,2}\[name\]){1,9}")

# What stands beside a mask may only now look like something: a text is looked at again until nothing changes. Only a
# text that was made for it changes more often than this.
_MOST_PASSES = 6

# Introductions stand near a beginning or an end: who only wants to show a sentence need not search a pasted book.
_SEARCHED_ENDS = 2_000


@dataclass(frozen=True)
class PersonalData:
    """The names that were found in the texts of one conversation, longest first, and how to mask a text with them.

    `names` are masked wherever they stand. `risky_names` are also ordinary words, as Will or Mark, and are masked only
    where they are capitalised within a sentence. Both are as `traced_text.plain` writes them.
    """

    names: tuple[str, ...] = ()
    risky_names: tuple[str, ...] = ()

    def mask(self, text: str) -> str:
        """Return the text with personal data replaced by its kind in brackets, as `[email]`; masks stay as they are.

        However its digits, spaces and hyphens are written; around what is masked nothing of the text changes.
        """
        traced = TracedText(text)
        for _ in range(_MOST_PASSES):
            before = traced.text
            self._mask_once(traced)
            if traced.text == before:
                break
        return traced.restored(MASK)

    def _mask_once(self, traced: TracedText) -> None:
        _mask_forms(traced)
        for known in self._known_names:
            traced.replace((start, end, "[name]") for start, end in known.spans(traced.text))
        if "[name]" in traced.text:
            traced.substitute(_REPEATED_NAME, lambda match: "[name]", MASK)

    @cached_property
    def _known_names(self) -> tuple[KnownNames, ...]:
        return tuple(
            KnownNames(names, MASK, within_sentence=within_sentence)
            for names, within_sentence in ((self.names, False), (self.risky_names, True))
            if names
        )


def find_personal_data(texts: Iterable[str], *, everywhere: bool = False) -> PersonalData:
    """Find the names that are introduced in `texts`, the turns of one conversation.

    The result masks these names, and whatever identifies by its form, in any text about the conversation. Of a long
    text only both ends are searched for names, unless `everywhere` asks for more.
    """
    names, risky_names = find_names(plain(part) for text in texts for part in _searched(text, everywhere=everywhere))

    def ordered(found: set[str]) -> tuple[str, ...]:
        return tuple(sorted(found, key=lambda name: (-len(name), name)))

    return PersonalData(names=ordered(names), risky_names=ordered(risky_names))


def find_kinds(text: str) -> Counter[str]:
    """Return how often each kind stands in a text, by its form alone: names are not looked for.

    "Explain the theorem of Noether" and "Emmy Noether asked for a refund" look the same.
    """
    masked = PersonalData().mask(text)
    return count_masks(masked) - count_masks(text) if masked != text else Counter()


def count_masks(text: str) -> Counter[str]:
    """Return how many masks of each kind a text holds."""
    return Counter(match[0][1:-1] for match in MASK.finditer(text))


def _searched(text: str, *, everywhere: bool) -> tuple[str, ...]:
    if everywhere or len(text) <= 2 * _SEARCHED_ENDS:
        return (text,)
    return text[:_SEARCHED_ENDS], text[-_SEARCHED_ENDS:]


def _mask_forms(traced: TracedText) -> None:
    has_digit = _DIGIT.search(traced.text) is not None
    for form in _FORMS:
        text = traced.text
        if (has_digit or not form.needs_digit) and (not form.hints or any(hint in text for hint in form.hints)):
            traced.substitute(form.pattern, form.replace, MASK)
