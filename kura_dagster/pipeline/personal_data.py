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

from kura_dagster.pipeline.identifying_forms import IDENTIFYING_FORMS, Form
from kura_dagster.pipeline.introduced_names import find_names
from kura_dagster.pipeline.secret_forms import SECRET_FORMS

KINDS = ("email", "phone", "card", "iban", "ip", "secret", "password", "number", "name")
"""What a mask can stand for. `secret` is a key or a token, `number` one that papers, accounts or orders have."""

MASK = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
"""What a masked text holds in place of what was masked."""

_MASK_OR = rf"{MASK.pattern}|"
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
    where they are capitalised within a sentence.
    """

    names: tuple[str, ...] = ()
    risky_names: tuple[str, ...] = ()

    def mask(self, text: str) -> str:
        """Return the text with personal data replaced by its kind in brackets, as `[email]`; masks stay as they are."""
        for _ in range(_MOST_PASSES):
            masked = self._masked_once(text)
            if masked == text:
                break
            text = masked
        return text

    def _masked_once(self, text: str) -> str:
        text = _without_forms(text)
        for pattern in self._name_patterns:
            text = pattern.sub(lambda match: match[0] if match[0][0] == "[" else "[name]", text)
        return _REPEATED_NAME.sub("[name]", text) if "[name]" in text else text

    @cached_property
    def _name_patterns(self) -> tuple[re.Pattern[str], ...]:
        # The masks come first in each: somebody may be called Ip.
        patterns = []
        if self.names:
            names = "|".join(map(re.escape, self.names))
            patterns.append(re.compile(rf"{_MASK_OR}(?<!\w)(?:{names})(?!\w)", re.IGNORECASE))
        if self.risky_names:
            names = "|".join(map(re.escape, self.risky_names))
            patterns.append(re.compile(rf"{_MASK_OR}(?<=[\w,;] )(?:{names})(?!\w)"))
        return tuple(patterns)


def find_personal_data(texts: Iterable[str], *, everywhere: bool = False) -> PersonalData:
    """Find the names that are introduced in `texts`, the turns of one conversation.

    The result masks these names, and whatever identifies by its form, in any text about the conversation. Of a long
    text only both ends are searched for names, unless `everywhere` asks for more.
    """
    names, risky_names = find_names(part for text in texts for part in _searched(text, everywhere=everywhere))

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


def _without_forms(text: str) -> str:
    has_digit = _DIGIT.search(text) is not None
    for form in _FORMS:
        if (has_digit or not form.needs_digit) and (not form.hints or any(hint in text for hint in form.hints)):
            text = form.pattern.sub(form.replace, text)
    return text
