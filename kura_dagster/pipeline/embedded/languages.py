"""Which languages a user writes in, and which programming languages are in the code of a conversation.

Human languages come from py3langid, a naive Bayes classifier over byte n-grams (Lui and Baldwin 2012,
https://aclanthology.org/P12-3005/), programming languages from what code fences say of themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# py3langid takes half a second to load its model, pycountry reads its tables: both only where a language is asked for.

# The classifier knows 140. Asked about a short English sentence with a typo, it finds one of the small ones (Nigerian
# Pidgin, Latin, Afrikaans) more alike; among those that assistants are mostly written to, it errs a quarter as often.
CANDIDATES = (
    "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sr sv sw ta "
    "th tl tr uk ur vi zh"
)
LATIN_CONFIDENCE = 0.8  # below it, short texts in Latin letters are anything
OTHER_CONFIDENCE = 0.5  # another script narrows the choice by itself
MIN_LETTERS = 12
MIN_SHARE = 0.25  # of the text, for a second language to be one of the main ones
MAX_CHARACTERS = 600  # read per conversation: enough to be sure, and a book pasted costs no more than a letter

_LABELLED_FENCE = re.compile(r"^[ \t]{0,8}`{3,8}[ \t]{0,4}([A-Za-z][A-Za-z0-9+#.-]{0,20})(?=[ \t\r\n{:])", re.MULTILINE)
_NOT_PROSE = re.compile(r"```.{0,20000}?(?:```|$)|`[^`\n]{1,200}`|https?://\S+|\S*[@\d_\\/{}<>=]\S*|\[\w+\]", re.DOTALL)
_SHORT_NAMES = {
    "py": "python",
    "python3": "python",
    "js": "javascript",
    "jsx": "javascript",
    "node": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "console": "shell",
    "ps1": "powershell",
    "c++": "c++",
    "cpp": "c++",
    "c#": "c#",
    "cs": "c#",
    "csharp": "c#",
    "rb": "ruby",
    "rs": "rust",
    "golang": "go",
    "kt": "kotlin",
    "yml": "yaml",
    "htm": "html",
    "tex": "latex",
    "postgresql": "sql",
    "mysql": "sql",
    "sqlite": "sql",
}
_NO_LANGUAGE = frozenset(["text", "txt", "plain", "plaintext", "output", "diff", "log", "csv", "none", "mermaid"])


def find_languages(user_texts: Iterable[str], all_texts: Iterable[str]) -> list[str]:
    """Return the main languages of a conversation, human before programming, each most used first, in lower case.

    Human languages are those of `user_texts`, named as in ISO 639 (`english`, `german`). Where these are too short to
    tell, it is that of `all_texts`, since an assistant answers in the user's; where these are too, none is returned.
    Programming languages are those that code fences in `all_texts` name.
    """
    all_texts = list(all_texts)
    programming = Counter(language for text in all_texts for language in _fence_languages(text))
    human = _human_languages(user_texts) or _human_languages(all_texts)
    return human + [language for language, _ in programming.most_common()]


@cache
def human_languages() -> frozenset[str]:
    """Return the names of all human languages that `find_languages` can find."""
    return frozenset(map(_name, CANDIDATES.split()))


def _fence_languages(text: str) -> Iterable[str]:
    if "```" in text:
        for label in _LABELLED_FENCE.findall(text):
            language = _SHORT_NAMES.get(label.lower(), label.lower())
            if language not in _NO_LANGUAGE:
                yield language


def _human_languages(texts: Iterable[str]) -> list[str]:
    letters: Counter[str] = Counter()
    prose = []
    remaining = MAX_CHARACTERS
    for text in texts:
        if remaining <= 0:
            break
        part = " ".join(_NOT_PROSE.sub(" ", text[: 4 * MAX_CHARACTERS]).split())[:remaining]
        if part:
            prose.append(part)
            remaining -= len(part)
    if not prose:
        return []
    # As a whole first: it is the surest. Then each longer turn, for users who write in more than one.
    whole = _classified(" ".join(prose))
    if whole is None:
        return []
    letters[whole] = 1
    for part in prose if len(prose) > 1 else []:
        language = _classified(part) if len(part) >= 4 * MIN_LETTERS else None
        letters[language or whole] += len(part)
    total = letters.total()
    main = [language for language, count in letters.most_common() if count >= MIN_SHARE * total]
    return [_name(code) for code in main]


def _classified(text: str) -> str | None:
    """Return the ISO 639-1 code of the text's language, or None where it can't be told."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(character < "\u0250" for character in letters) > 0.5 * len(letters)
    if len(letters) < (MIN_LETTERS if latin else 2):
        return None
    language, confidence = _identifier().classify(text)
    if language == "en" and len(letters) > 2 * MIN_LETTERS:
        return language  # English is the likeliest to begin with, so less evidence will do
    return str(language) if confidence >= (LATIN_CONFIDENCE if latin else OTHER_CONFIDENCE) else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(CANDIDATES.split())
    return identifier


@cache
def _name(code: str) -> str:
    """Return a language's name without what ISO 639 adds in brackets: `greek`, not `Modern Greek (1453-)`."""
    import pycountry

    language = pycountry.languages.get(alpha_2=code)
    name = getattr(language, "common_name", None) or getattr(language, "name", code)
    return re.sub(r" \(.*\)|^Modern ", "", str(name)).lower()
