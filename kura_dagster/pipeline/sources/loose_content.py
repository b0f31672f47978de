"""The text of a message, however its source keeps it: a text, parts, or nothing; and which characters it may hold.

Only text belongs here. Who said it, when, and whether the conversation is usable is decided in `normalise`.
"""

from __future__ import annotations

import re
from typing import Any

from kura_dagster.pipeline.strict_json import without_surrogates

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.\- ]{0,39}")

IMAGE, FILE, AUDIO, VIDEO = "[image]", "[file]", "[audio]", "[video]"
"""What stands for a part that has no text."""

_UNTOLD = "[part]"  # for a part that does not even tell its kind

# The model's own work on its answer; no part of what was said.
_SILENT = frozenset(
    """tool_use tool_result tool_call tool_calls function_call thinking redacted_thinking reasoning server_tool_use
    web_search_tool_result token_budget flag""".split()
)
# A string under the first of these is text whatever the part is; under the others it may be a file's content.
_TEXT_KEYS = ("text", "input_text", "output_text", "refusal", "transcript")
_LOOSE_TEXT_KEYS = ("content", "value")
_DEEPEST_PART = 8


class ContentError(ValueError):
    """A message's content is of no kind that has a text. The message says of which, without quoting it."""


def clean_text(text: str) -> str:
    """Return the text with line feeds as its only line breaks, without other control characters than the tab.

    Pairs of surrogates are joined, lone ones become U+FFFD.
    """
    # Most lines of text are printable, which Python knows ten times faster than a pattern does.
    if text.isprintable() or not _UNWANTED.search(text):
        return text
    return _CONTROLS.sub("", without_surrogates(text.replace("\r\n", "\n").replace("\r", "\n")))


def text_of(content: Any) -> str:
    """Return the text of a message's content, not stripped; "" where there is none.

    The parts of a list are joined by line breaks. A part without text leaves a mark, such as `[image]`; a model's
    thinking and its calls of tools leave none.

    Raises:
        ContentError: it is neither a text, a list of parts, a part, nor null, or no part has a text or tells its kind.
    """
    if isinstance(content, str):
        return clean_text(content)
    if content is None:
        return ""
    found = content
    if isinstance(content, dict):
        found = content["parts"] if isinstance(content.get("parts"), list) else [content]
    if not isinstance(found, list):
        raise ContentError(f"{kind_of(content)}, not a text or a list of parts")
    texts = [text for part in found if (text := _part(part))]
    if texts and all(text is _UNTOLD for text in texts):
        # Nothing but marks would stand for what may well be what was said.
        raise ContentError(f"{kind_of(content)} in which no text can be told")
    return "\n".join(texts)


def kind_of(value: Any) -> str:
    """Return what JSON calls the kind of a value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    kinds = {"str": "a text", "list": "a list", "dict": "an object"}
    return kinds.get(type(value).__name__, f"a {type(value).__name__}")


def _part(part: Any, depth: int = 0) -> str:
    if isinstance(part, str):
        return clean_text(part)
    if part is None:
        return ""
    if not isinstance(part, dict):
        return _UNTOLD
    kind = part.get("type") or part.get("content_type") or ""
    kind = kind if isinstance(kind, str) else ""
    if kind in _SILENT:
        return ""
    mark = _mark_of(kind)
    found = [text for key in _TEXT_KEYS if (text := _string(part.get(key))) is not None]
    if mark is None or kind.endswith("transcription"):
        found += [text for key in _LOOSE_TEXT_KEYS if (text := _string(part.get(key))) is not None]
        inner = next((part[key] for key in ("content", "parts") if isinstance(part.get(key), list)), None)
        if not found and inner is not None and depth < _DEEPEST_PART:
            found = ["\n".join(text for each in inner if (text := _part(each, depth + 1)))]
    if text := next(filter(None, found), ""):
        return text if text is _UNTOLD else clean_text(text)
    if mark is not None:
        return mark
    if found:
        return ""
    return f"[{kind}]" if _KIND.fullmatch(kind) else _UNTOLD


def _string(value: Any) -> str | None:
    if isinstance(value, dict):  # {"type": "text", "text": {"value": "…"}}
        value = value.get("value")
    return value if isinstance(value, str) else None


def _mark_of(kind: str) -> str | None:
    # First what is both: ChatGPT's real_time_user_audio_video_asset_pointer is a turn that was spoken.
    for word, mark in (("audio", AUDIO), ("image", IMAGE), ("video", VIDEO), ("file", FILE), ("document", FILE)):
        if word in kind:
            return mark
    return None
