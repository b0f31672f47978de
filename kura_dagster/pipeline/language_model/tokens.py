"""How many tokens a text has, about, while no provider has counted them.

Limits of cost and of tokens a minute, and the estimate, all count by it; what a model's provider then counts, and by
how much that is more, is the ledger's knowledge.
"""

from __future__ import annotations

import json
import math
from typing import Any

ASCII_BYTES_PER_TOKEN = 4
"""Of English, about."""

OTHER_BYTES_PER_TOKEN = 3
"""Of everything beyond ASCII, in UTF-8: a Chinese character is a token, two Cyrillic letters are a good one."""

_DEEPEST_TEXT = 10


def expected_tokens(text: str) -> int:
    """Return about how many tokens a text has, by its UTF-8 bytes."""
    if text.isascii():
        return math.ceil(len(text) / ASCII_BYTES_PER_TOKEN)
    n_ascii = len(text.encode("ascii", "ignore"))
    n_others = len(text.encode("utf-8", "surrogatepass")) - n_ascii
    return math.ceil(n_ascii / ASCII_BYTES_PER_TOKEN + n_others / OTHER_BYTES_PER_TOKEN)


def tokens_of(response: Any) -> tuple[int | None, int | None]:
    """Return the tokens in and out that a provider counted, each None where it does not say.

    SDKs name them differently: OpenAI's and Anthropic's, Google's, and Cohere's, which tells what is billed apart.
    """
    usage = getattr(response, "usage", None) or getattr(response, "usage_metadata", None)
    usage = usage or getattr(response, "meta", None)
    usage = getattr(usage, "billed_units", None) or getattr(usage, "tokens", None) or usage
    asked = _number(usage, "prompt_tokens", "input_tokens", "prompt_token_count")
    answered = _number(usage, "completion_tokens", "output_tokens", "candidates_token_count")
    # Google counts what a model thinks beside its answer, and bills both.
    thought = _number(usage, "thoughts_token_count")
    return asked, answered if thought is None else (answered or 0) + thought


def answer_tokens(response: Any) -> int:
    """Return about how many tokens an answer has whose provider does not count them."""
    parts = (getattr(response, name, None) for name in ("choices", "content", "candidates", "message"))
    return expected_tokens("".join(text for part in parts for text in _texts(part)))


def schema_tokens(schema: Any) -> int:
    """Return about how many tokens a JSON schema has, as it is sent beside the messages."""
    return expected_tokens(json.dumps(schema, ensure_ascii=False))


def _number(usage: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(usage, name, None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return math.ceil(value)  # Cohere's are decimals
    return None


def _texts(value: Any, depth: int = 0) -> list[str]:
    """Return all texts in an SDK's object, as deep as an answer has any."""
    if isinstance(value, str):
        return [value]
    if depth > _DEEPEST_TEXT:
        return []
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each, depth + 1)]
    fields = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return [text for each in fields.values() for text in _texts(each, depth + 1)]
