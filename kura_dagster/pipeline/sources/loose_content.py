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

# The model's own work on its answer; no part of what was said.
_SILENT = frozenset(
    """tool_use tool_result tool_call tool_calls function_call thinking redacted_thinking reasoning server_tool_use
    web_search_tool_result token_budget flag""".split()
)
_TEXT_KEYS = ("text", "refusal", "content", "value", "transcript")


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
        ContentError: it is neither a text, a list of parts, a part, nor null.
    """
    if isinstance(content, str):
        return clean_text(content)
    if content is None:
        return ""
    if isinstance(content, dict):
        content = content["parts"] if isinstance(content.get("parts"), list) else [content]
    if not isinstance(content, list):
        raise ContentError(f"{kind_of(content)}, not a text or a list of parts")
    return "\n".join(text for part in content if (text := _part(part)))


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


def _part(part: Any) -> str:
    if isinstance(part, str):
        return clean_text(part)
    if part is None:
        return ""
    if not isinstance(part, dict):
        return "[part]"
    kind = part.get("type") or part.get("content_type") or ""
    kind = kind if isinstance(kind, str) else ""
    if kind in _SILENT:
        return ""
    mark = _mark_of(kind)
    if mark is None or kind.endswith("transcription"):
        for key in _TEXT_KEYS:
            text = part.get(key)
            if isinstance(text, dict):  # {"type": "text", "text": {"value": "…"}}
                text = text.get("value")
            if isinstance(text, str):
                return clean_text(text)
    if mark is not None:
        return mark
    return f"[{kind}]" if _KIND.fullmatch(kind) else "[part]"


def _mark_of(kind: str) -> str | None:
    # First what is both: ChatGPT's real_time_user_audio_video_asset_pointer is a turn that was spoken.
    for word, mark in (("audio", AUDIO), ("image", IMAGE), ("video", VIDEO), ("file", FILE), ("document", FILE)):
        if word in kind:
            return mark
    return None
