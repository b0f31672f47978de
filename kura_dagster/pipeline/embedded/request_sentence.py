"""The sentence in which a user says what they want, found among all that the user wrote.

Reading and choosing belong here. Rewriting a request as an imperative is `imperative`, masking it is `personal_data`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from kura_dagster.pipeline.embedded.courtesies import without_courtesies
from kura_dagster.pipeline.embedded.grammar import NEGATION
from kura_dagster.pipeline.embedded.vocabulary import (
    ENGLISH_VERBS,
    FUNCTION_WORDS,
    GERMAN_REQUEST_WORDS,
    PROBLEM_WORDS,
    SPANISH_REQUEST_WORDS,
)

MAX_CHARACTERS = 200  # of the sentence that is shown
MAX_TURN_CHARACTERS = 2_000  # read at the start of a turn, and as many at its end: a pasted document is neither
MAX_TURNS = 12

# Scores, in content words. A later turn is mostly an answer to the assistant, so it has to say much more.
REQUEST_BONUS = 3.0
PROBLEM_BONUS = 2.0
QUESTION_BONUS = 1.0
MOST_CONTENT_WORDS = 5
TURN_PENALTY = 1.0
ANSWER_PENALTY = 2.0
DETAIL_PENALTY = 4.0  # for where to send it and to whom, which is masked and leaves nothing to read
LATER_TURN_PENALTY = 0.1  # for the second sentence, which a later turn may well hold
LEAST_SECOND_SCORE = 5.0

_OTHER_REQUEST_WORDS = GERMAN_REQUEST_WORDS | SPANISH_REQUEST_WORDS

_FENCE = re.compile(r"```[^`]{0,4000}(?:```|$)")
_CODE_LINE = re.compile(
    r"^(?:\t| {4,}).{0,400}$|^ {0,3}(?:Traceback \(|File \"|at \w[\w.$]{0,80}\(|>>> |\$ |[<{}\])]|\[(?![a-z]{1,20}\])|(?:import|from|def|class|const|var|public|SELECT)\b).{0,400}$",
    re.MULTILINE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Where one stands nothing is seen: a space instead would tear an address apart, and its halves would not be masked.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_BOUNDARY = re.compile(
    r"(?<=[.!?…。！？])[\"')\]”’]{0,2}\s+|(?<=[a-z][.!?])(?=[A-Z][a-z]* )|(?<=[。！？])|\n+|\s+(?:[-*•]|\d{1,2}[.)])\s+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Sra|Jr|St|No|Nr|vs|etc|approx|e\.g|i\.e|z\.B|bzw|ca|usw|Std|\w)\.)$", re.I
)
# No sentence ends so: the next line goes on with it.
_UNFINISHED = re.compile(r"\b(?:to|and|or|the|a|an|my|your|of|for|with)$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

# Stripped before anything, and those that mean something of their own only before punctuation: "no, …" but "no sound".
_NICETY = (
    r"(?:hi|hello|hey|hiya|howdy|yo|greetings|dear (?:sir|madam|team|support|all)|good (?:morning|afternoon|evening|day)|"
    r"hallo|moin|servus|guten (?:tag|morgen|abend)|grüß gott|hola|buenas(?: tardes| noches)?|buenos días|bonjour|ciao|"
    r"please|pls|plz|bitte|por favor|kindly|ok(?:ay)?|alright|yes|yeah|yep|yup|so|um+|uh+|hmm+|ugh+|oh|ah|actually|basically|"
    r"also|and|but|anyway|ja|äh|sí|vale|bueno|pues)"
)
_NICETY_BEFORE_PUNCTUATION = (
    r"(?:(?:many )?thanks?(?: you)?(?: so much| very much| a lot)?|thx|danke(?: schön)?|vielen dank|(?:muchas )?gracias|"
    r"no|nope|nah|sure|great|perfect|cool|awesome|nice|excellent|good|fine|right|well|now|sorry|excuse me|pardon|"
    r"nein|gut|super|nun|no|claro|perfecto|quick question|question|frage|pregunta|help(?: me)?|hilfe|ayuda|urgent)"
)
_ADDRESSEE = r"(?: (?:there|again|everyone|everybody|all|team|guys|folks|support|bot|assistant|zusammen|a todos|buddy|friend|\[name\]))?"
_NICETIES = re.compile(
    rf"^(?:{_NICETY}{_ADDRESSEE}(?:[,.!:;…–—-]+\s*|\s+(?=\S))|{_NICETY_BEFORE_PUNCTUATION}{_ADDRESSEE}[,.!:;…–—-]+\s*)+",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"^(?:(?:how are you|hope you|i hope (?:you|this)|my name is|i am \[name\]|i'?m \[name\]|this is \[name\]|here is \[name\]|"
    r"wie geht|ich hei(?:ß|ss)e|mein name ist|me llamo|mi nombre es|soy \[name\]|espero que)[^,.!?;]{0,60})"
    r"(?:[,.!?;]\s*(?:and |und |y )?| and (?=i\b)|$)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:can|could|would|will) (?:you|u|i|we)\b|\bhow (?:do|can|to|would|should|does|did|much|many|long|far|often|come|is|are)\b|"
    r"\b(?:i|we)(?:'d| would)? (?:like|love|want|need|wish|hope)\b|\b(?:i|we)(?:'m| am|'re| are)? (?:looking|trying|searching|interested|"
    r"wondering|hoping|planning|thinking|considering|in need)\b|\b(?:help|show|tell|give|find|get|send) me\b|\bi have (?:a |some )?"
    r"(?:question|problem|issue)|\bis (?:there|it possible)\b|\b(?:what|where|when|why|who|which)(?:'s| is| are| was| were| do| does| "
    r"did| can| could| should| would| will)\b|\blet me know\b|\bi wanna\b|\bi(?:'d| would) rather\b|\bi feel like\b",
    re.IGNORECASE,
)
# Words of a turn that goes on with what was said before: it can't stand alone.
_ANSWERS = re.compile(
    r"\b(?:your|the) (?:previous|earlier|last) (?:answer|response|reply|message)\b|^(?:yes|yeah|yep|yup|no|nope|nah|sure|correct|exactly|right|ok|okay|great|perfect|sounds|that|it|those|these|them|this one|"
    r"the (?:first|second|third|last|other|same)|ja|nein|genau|das|sí|eso|either|both|any other|anything else|what about|how about|"
    r"and|also|i don't care|doesn't matter|never ?mind)\b",
    re.IGNORECASE,
)
_CLOSES = re.compile(
    r"\b(?:that(?:'s| is| will be|'ll be) (?:all|it|everything)|nothing else|all i need(?:ed)?|have a (?:nice|great|good)|good ?bye|bye|"
    r"you(?:'ve| have) been|thanks for|thank you for|thank you|no thanks|appreciate)\b",
    re.IGNORECASE,
)
# A question for a detail, where "can you …?" asks for a deed.
_QUESTION = re.compile(
    r"(?i)(?:what|which|where|when|who|why|how|is|are|was|were|do|does|did|has|have|had|will|would (?!you)|"
    r"(?:can|could|would) (?:you|i) (?:please |also )*(?:tell|give|let|know|have|share|provide)|tell|give|let)\b"
)
_DETAIL = re.compile(
    r"\S@\S|\b(?:my|the|in|under) (?:full )?names? (?:is|of|are)\b|\bname ist\b|\bnombre (?:de|es)\b|\bgoes to [A-Z]",
    re.IGNORECASE,
)
_DEICTIC = re.compile(r"\b(?:it|that|those|them|this|these|one|there|das|es|eso|esto)\b", re.IGNORECASE)


_NO_PROBLEM = re.compile(r"\b(?:have|has|had|i've|we've) never\b", re.IGNORECASE)


def clean(text: str) -> str:
    """Return the text on one line, without control characters, invisible characters and lone surrogates."""
    return " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", text)).split())


def sentences(text: str) -> list[str]:
    """Split a turn into its sentences, code and control characters left out."""
    text = _CODE_LINE.sub("\n", _FENCE.sub("\n", _both_ends(text)))
    found: list[str] = []
    for piece in _BOUNDARY.split(text):
        piece = clean(piece).strip(" -*•#>|_=~")
        if found and (_ABBREVIATION.search(found[-1]) or _UNFINISHED.search(found[-1])):
            found[-1] = f"{found[-1]} {piece}"
        elif found and piece[:1].islower() and _may_deny(found[-1]):
            found[-1] = f"{found[-1]} - {piece}"
        elif _WORD.search(piece):
            found.append(piece)
    return found


def _both_ends(text: str) -> str:
    if len(text) <= 2 * MAX_TURN_CHARACTERS + 1:
        return text
    return f"{text[:MAX_TURN_CHARACTERS]}\n{text[-MAX_TURN_CHARACTERS:]}"


def _may_deny(sentence: str) -> bool:
    """Whether what follows may be what the sentence denies: "I don't want to…", then "cancel my plan"."""
    return sentence.endswith(("…", "..")) or (sentence[-1] not in ".!?" and NEGATION.search(sentence) is not None)


def strip_niceties(sentence: str) -> str:
    """Return the sentence without greetings, thanks and fillers at its start; "" where it holds nothing else."""
    stripped = sentence
    for _ in range(4):
        before = stripped
        stripped = _NICETIES.sub("", f"{stripped} ").strip()
        stripped = _COURTESY.sub("", stripped, count=1).strip()
        if stripped == before:
            break
    return stripped if _WORD.search(stripped) else ""


def content_words(text: str) -> list[str]:
    """Return the words that carry meaning, in small letters: no function words, numbers or single letters."""
    words = (word.lower().replace("’", "'") for word in _WORD.findall(text))
    return [word for word in words if len(word) > 1 and word not in FUNCTION_WORDS and not word[0].isdigit()]


def shortened(text: str, n_characters: int) -> str:
    """Return the text, cut at a word and marked with "…" where it is longer than `n_characters`."""
    if len(text) <= n_characters:
        return text
    cut = text[: n_characters - 1]
    return cut[: cut.rfind(" ")].rstrip(" ,;:-") + "…" if " " in cut[n_characters // 2 :] else cut + "…"


def asks(sentence: str) -> bool:
    """Whether the sentence has the form of a request: a question for something, a wish, or an imperative."""
    tokens = [word.lower().replace("’", "'") for word in _WORD.findall(sentence)]
    return bool(
        _ASKS.search(sentence)
        or (tokens[:1] and tokens[0] in ENGLISH_VERBS)
        or _OTHER_REQUEST_WORDS.intersection(tokens)
    )


def has_problem(sentence: str) -> bool:
    """Whether the sentence says that something went wrong."""
    told = _NO_PROBLEM.sub(" ", sentence)
    return bool(PROBLEM_WORDS.intersection(word.lower().replace("’", "'") for word in _WORD.findall(told)))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without the commonest English endings, so that "flights" and "flight" count as one."""
    lower = word.lower().strip("'’.,!?\"()").removesuffix("'s").removesuffix("’s")
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if lower.endswith(ending) and len(lower) - len(ending) >= 3 and not lower.endswith(("ss", "us", "is")):
            lower = lower[: len(lower) - len(ending)] + replacement
            break
    lower = f"{lower[:-2]}y" if len(lower) > 4 and lower.endswith("ie") else lower  # "movies" have become "movy"
    doubled = len(lower) > 3 and lower[-1] == lower[-2] and lower[-1] not in ("s" if len(lower) > 4 else "ls")
    lower = lower[:-1] if doubled else lower  # "cancelled", but not "call"
    return lower.removesuffix("e")


def score(sentence: str, turn: int) -> float:
    """Return how much a sentence without its niceties looks like the user's request; `turn` counts from 0."""
    tokens = [word.lower().replace("’", "'") for word in _WORD.findall(sentence)]
    if not tokens:
        return float("-inf")
    words = set(content_words(sentence))
    # Names of places and products say which, not what: they don't count. (In German all sentences lose alike.)
    names = {word.lower() for word in _WORD.findall(sentence)[1:] if word[0].isupper()} & words
    value = min(len(words) - len(names), MOST_CONTENT_WORDS) - TURN_PENALTY * turn
    if asks(sentence):
        value += REQUEST_BONUS
    elif has_problem(sentence):
        value += PROBLEM_BONUS
    elif sentence.endswith("?"):
        value += QUESTION_BONUS
    if _DETAIL.search(sentence):
        value -= DETAIL_PENALTY
    if _CLOSES.search(sentence):
        value -= 2 * ANSWER_PENALTY
    if turn and (_ANSWERS.search(sentence) or (len(words) < 3 and _DEICTIC.search(sentence))):
        value -= ANSWER_PENALTY
    return value


def request_sentences(user_texts: Sequence[str]) -> list[str]:
    """Return the sentence of a user's turns that says best what they want and, where there is one, a second.

    The second comes from another turn and asks for something that the first does not mention: what a conversation that
    began with a search ended in. Each is on one line, without greetings, and as long as it was written. Where no
    sentence can be told apart the first turn with a word in it is returned whole, and nothing where there is none.
    """
    turns = [_both_ends(text) for text in user_texts[:MAX_TURNS]]
    without = list(map(without_courtesies, turns))
    if any(map(_WORD.search, without)):
        turns = without
    found = [
        (stripped, turn)
        for turn, text in enumerate(turns)
        for stripped in map(strip_niceties, sentences(text))
        if stripped
    ]
    if not found:
        whole = map(clean, user_texts)
        return [text for text in whole if _WORD.search(text)][:1]
    first, first_turn = max(found, key=lambda one: score(*one))  # the earliest of equals
    said = {stem(word) for word in content_words(first)}
    others = [
        (score(sentence, 0) - LATER_TURN_PENALTY * turn - bool(_DEICTIC.search(sentence)), sentence)
        for sentence, turn in found
        if turn != first_turn
        and asks(sentence)
        and not _QUESTION.match(sentence)
        and len({stem(word) for word in content_words(sentence)} - said) >= 2
    ]
    best = max(others, default=(0.0, ""), key=lambda one: one[0])
    return [first, best[1]] if best[0] >= LEAST_SECOND_SCORE else [first]
