"""Parsing one JSON value that somebody else wrote, without ever quoting it in an error.

Only the step from bytes to a value belongs here, for the landing folder and for the sources alike. What the value means
is theirs to say.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any

_MAYBE_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


class NotJSONError(ValueError):
    """The bytes are no JSON. The message says why and where, without quoting them."""


def parse_json(content: bytes, *, numbers_as_python_writes: bool = False) -> Any:
    """Return the value of a JSON text in UTF-8; its texts can be encoded: lone surrogates become U+FFFD.

    Of a key that comes twice the last one holds.

    Args:
        content: the text, without a byte order mark.
        numbers_as_python_writes: reads NaN, Infinity and -Infinity, which Python's json writes though they are no JSON,
            and gives an integer of more digits than Python converts (4,300) as a text; otherwise both are refused.

    Raises:
        NotJSONError: it is not UTF-8 or not JSON, nested too deeply, or holds a number that is too large.
    """
    if b"\x00" in content:
        raise NotJSONError("not UTF-8: it holds zero bytes, as UTF-16 does")
    try:
        # Lone surrogates may stand in the bytes or in \\u escapes; without_surrogates takes care of both.
        text = content.decode("utf-8", "surrogatepass")
        try:
            value = (_AS_PYTHON if numbers_as_python_writes else _STRICT).decode(text)
        except json.JSONDecodeError:
            raise
        except ValueError:
            if not numbers_as_python_writes:
                raise
            value = _WITH_HUGE_INTEGERS.decode(text)
        return without_surrogates(value) if _may_hold_surrogates(content) else value
    except UnicodeDecodeError as error:
        raise NotJSONError(f"not UTF-8: {error.reason} at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise NotJSONError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise NotJSONError("not JSON: nested too deeply") from None
    except ValueError as error:
        raise NotJSONError(f"not JSON: {error}") from None


def without_surrogates(value: Any) -> Any:
    """Return a JSON value whose texts can be encoded: pairs of surrogates joined, lone ones replaced by U+FFFD."""
    if isinstance(value, str):
        return _joined(value)
    if isinstance(value, list):
        return [without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(each) for key, each in value.items()}
    return value


def _joined(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _may_hold_surrogates(content: bytes) -> bool:
    # Looking for plain bytes first takes a tenth of the pattern's time.
    if b"\xed" not in content and b"\\ud" not in content and b"\\uD" not in content:
        return False
    return _MAYBE_SURROGATES.search(content) is not None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_json_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _integer_or_text(text: str) -> int | str:
    limit = sys.get_int_max_str_digits()
    return text if limit and len(text) > limit else int(text)


# Kept: json.loads with arguments makes a decoder for every call, a tenth of its time on a line of some kilobytes.
_STRICT = json.JSONDecoder(parse_float=_finite, parse_constant=_no_json_constant)
_AS_PYTHON = json.JSONDecoder(parse_float=_finite)
_WITH_HUGE_INTEGERS = json.JSONDecoder(parse_float=_finite, parse_int=_integer_or_text)
