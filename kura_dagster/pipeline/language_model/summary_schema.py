"""Which schemas a summary may be asked for in: refused here is what would fail only after it was paid for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kura_dagster.pipeline.types import GeneratedSummary

RESERVED_METADATA = ("conversation_turns", "conversation_shortened")
"""What we say of a conversation in the metadata of its summary."""


def check_response_schema(response_schema: Any) -> None:
    """Refuse a schema whose answers could not be joined to their conversations.

    Raises:
        TypeError: it is no subclass of `GeneratedSummary`.
        ValueError: a field of `GeneratedSummary` may hold what a summary can't, or one beyond it has a reserved name.
    """
    if not (isinstance(response_schema, type) and issubclass(response_schema, GeneratedSummary)):
        raise TypeError(f"response_schema is {response_schema!r}; allowed is a subclass of GeneratedSummary")
    if response_schema is GeneratedSummary:
        return
    name = response_schema.__name__
    for field in sorted(added_fields(response_schema) & set(RESERVED_METADATA)):
        raise ValueError(f"{name} has the field {field!r}, which every summary's metadata has too; rename it.")
    # By what the fields are dumped as, because that is what is joined: an Enum of texts is a text.
    given = response_schema.model_json_schema(by_alias=False, mode="serialization")
    for field, allowed in GeneratedSummary.model_json_schema()["properties"].items():
        left_out = response_schema.model_fields[field].exclude
        if left_out or not _fits(given["properties"][field], allowed, given.get("$defs", {})):
            raise ValueError(
                f"{name} gives the field {field!r} another meaning than GeneratedSummary, whose tables and checks hold "
                "it. Narrow it, as with Literal, or add a field of another name."
            )


def added_fields(response_schema: type[GeneratedSummary]) -> set[str]:
    """Return the names of the fields beyond `GeneratedSummary`'s, which land in the metadata."""
    kept = {name for name, field in response_schema.model_fields.items() if not field.exclude}
    return (kept | response_schema.model_computed_fields.keys()) - GeneratedSummary.model_fields.keys()


def _fits(given: Mapping[str, Any], allowed: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    """Whether all that one JSON schema describes is within the other, which has types, bounds and items only."""
    if "$ref" in given:
        given = definitions[given["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in given:
        return all(_fits(each, allowed, definitions) for each in given["anyOf"])
    if "anyOf" in allowed:
        return any(_fits(given, each, definitions) for each in allowed["anyOf"])
    if "enum" in given or "const" in given:
        return all(_holds(allowed, value) for value in given.get("enum", [given.get("const")]))
    if given.get("type") != allowed["type"]:
        return False
    if allowed["type"] == "integer" and "minimum" in allowed:
        least = max(given.get("minimum", float("-inf")), given.get("exclusiveMinimum", float("-inf")) + 1)
        most = min(given.get("maximum", float("inf")), given.get("exclusiveMaximum", float("inf")) - 1)
        return bool(allowed["minimum"] <= least and most <= allowed["maximum"])
    return allowed["type"] != "array" or _fits(given.get("items", {}), allowed["items"], definitions)


def _holds(allowed: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, str) or value is None:
        return allowed["type"] == ("null" if value is None else "string")
    whole = isinstance(value, int) and not isinstance(value, bool) and allowed["type"] == "integer"
    return whole and allowed["minimum"] <= value <= allowed["maximum"]
