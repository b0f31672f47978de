"""Requests as they were said: a question or a short sentence that names a group better than any rewriting of it.

Cutting away what is around the request belongs here; rewriting it is `imperative`, leaving out what only one member
said is `shortening`.
"""

from __future__ import annotations

import re

from kura_dagster.pipeline.embedded.imperative import NEGATION_ABROAD, TO_KNOW, Imperative
from kura_dagster.pipeline.embedded.request_sentence import asks, strip_niceties
from kura_dagster.pipeline.embedded.shortening import SLOT
from kura_dagster.pipeline.embedded.vocabulary import AUXILIARIES, DETERMINERS, PRONOUNS
from kura_dagster.pipeline.privacy.personal_data import MASK

QUESTION_SURENESS = 0.5
STATEMENT_SURENESS = 0.3
MOST_WORDS = 33  # of a sentence that holds a request and not a story

_AUXILIARY = "|".join(sorted(AUXILIARIES))
_SUBJECT = "|".join(sorted(PRONOUNS - DETERMINERS - {"there"}))
# "can you | tell me what my balance is"
_FAVOUR = re.compile(r"(?i)^(?:can|could|would|will) (?:you|u) (?:please |kindly )?(?=(?:tell|show|explain|let)\b)")
_AFTERTHOUGHT = re.compile(r"(?i)[, ]*\b(?:please|thanks|thank you|bitte|danke|por favor|gracias)\b[ .!?]*$")
_DIRECT_QUESTION = re.compile(
    rf"(?i)(?:(?:what|who|which|whose|where|when|why|how)\b.*(?: |['’])(?:{_AUXILIARY}|s|re|['’]s)\b|(?:{_AUXILIARY}) (?!you\b))"
)
_REPORTED = re.compile(rf"(?i)\b(?:{_SUBJECT}) (?:{_AUXILIARY})\b|\b(?:{_AUXILIARY})$")  # "who your boss | is"
# "can I get new checks | I'm out of mine"
_RUN_ON = re.compile(
    r"(?i)(?<=[^\W\d_]{3})(?<!\bthat)(?<!\bwhat)(?<!\bwhen)(?<!\bthan)(?<!\band)(?<!\bbut)(?<!\bhow)(?<!\bwhy) (?=i(?:['’]m| am|['’]ve| have| need| want| lost) )"
)
_LONE_I = re.compile(r"\bi\b(?=['’ ]|$)")
_CODE = re.compile(r"[{}<>=|\\\[\]#`]")
_UNPAIRED = re.compile(r"[`\"“”„«»()]|(?<!\w)['‘]|['’](?!\w)")


def is_direct_question(sentence: str) -> bool:
    """Whether a sentence asks for an answer by its form, and not, as "can you …?", for a deed."""
    return _DIRECT_QUESTION.match(sentence) is not None


def as_said(sentence: str) -> list[Imperative]:
    """Return a sentence without what is around its request, with how surely it is one; none where it is too long.

    What is masked becomes "…". A question that is only reported, as in "tell me whether …", is left to rewriting.
    """
    text = _FAVOUR.sub("", MASK.sub(SLOT, strip_niceties(sentence)))
    reported = TO_KNOW.match(text) if asks(text) else None
    if reported:
        text = reported["rest"]
        if not is_direct_question(text) or _REPORTED.search(text):
            return []
    text = _RUN_ON.split(text)[0]
    text = _AFTERTHOUGHT.sub("", text).strip(" .!?¿¡,;:-\"'`")
    if not 1 < len(text.split()) <= MOST_WORDS:
        return []
    text = _LONE_I.sub("I", text[0].upper() + text[1:])
    return [Imperative(text, QUESTION_SURENESS if asks(sentence) or "?" in sentence else STATEMENT_SURENESS)]


def cut_abroad(text: str, n_words: int) -> list[str]:
    """Return a sentence in another language than English and, where it can be cut at a comma, its beginning.

    None has more than `n_words` words; where that takes a cut within the sentence, "…" stands at its end. What follows
    a comma stays where it says no, and there is nothing of a sentence with code in it.
    """
    if _CODE.search(text):
        return []
    beginning, _, rest = text.partition(",")
    can_be_cut = len(beginning.split()) > 2 and not NEGATION_ABROAD.search(rest)
    forms = [text, beginning] if can_be_cut else [text]
    short = [form for form in forms if len(form.split()) <= n_words]
    return short or [" ".join(text.split()[:n_words]) + SLOT]


def without_lone_marks(text: str) -> str:
    """Return the text without quotation marks and brackets if cutting has left one of them alone."""
    lone = (
        text.count("(") != text.count(")")
        or any(text.count(mark) % 2 for mark in '`"')
        or len(re.findall(r"(?<!\w)['‘]", text)) != len(re.findall(r"['’](?!\w)", text))
        or text.count("“") != text.count("”")
    )
    return " ".join(_UNPAIRED.sub("", text).split()) if lone else text
