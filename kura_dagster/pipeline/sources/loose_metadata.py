"""A source's own fields as metadata: the values that a conversation's metadata may hold, whatever was there.

Only the typing of values belongs here; which fields are metadata is each format's to say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from kura_dagster.pipeline.sources.loose_content import clean_text
from kura_dagster.pipeline.types import Metadata, MetadataValue

_LARGEST_INTEGER = 2**63  # the database's; larger ones become text


def typed_metadata(fields: Mapping[Any, Any]) -> Metadata:
    """Return the fields as metadata: what is nested becomes JSON text, and so do integers that are too large.

    NaN and the infinities, which JSON lacks, become None.

    Raises:
        RecursionError: a value is nested too deeply to be written.
    """
    return {clean_text(str(name)): typed_value(value) for name, value in fields.items()}


def typed_value(value: Any) -> MetadataValue:
    """Return one value of `typed_metadata`."""
    plain = _plain(value)
    if not isinstance(plain, list):
        return plain
    items = [_plain(item) for item in plain]
    kinds = {type(item) for item in items}
    if kinds <= {int, float} and len(kinds) == 2:
        return [float(item) for item in items]  # type: ignore[arg-type]
    if len(kinds) <= 1 and kinds <= {str, int, float}:
        return items  # type: ignore[return-value]
    return _json_text(value)


def _plain(value: Any) -> Any:
    """Return the value itself where it is one that metadata or a list in it may hold, else a text for it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        return int(value) if -_LARGEST_INTEGER <= value < _LARGEST_INTEGER else _integer_text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, Mapping):
        return _json_text(value)
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    return clean_text(str(value))


def _integer_text(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        return hex(value)


def _json_text(value: Any) -> str:
    try:
        return clean_text(json.dumps(_without_nan(value), ensure_ascii=False, default=str))
    except (TypeError, ValueError):  # keys that are no texts, numbers that can't be written
        return clean_text(str(value))


def _without_nan(value: Any) -> Any:
    """Return a value whose floats are all finite, null in place of the others."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return value
