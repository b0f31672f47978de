"""Schemas whose answers could not be joined are refused before anything is asked; those that only narrow are not."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, computed_field, create_model

from kura_dagster.pipeline.language_model.summary_schema import added_fields, check_response_schema
from kura_dagster.pipeline.types import GeneratedSummary


class Subject(StrEnum):
    BILLING = "billing"
    ACCOUNT = "account"


class Score(IntEnum):
    HARMLESS = 1
    URGENT = 5


class TooLarge(IntEnum):
    HARMLESS = 1
    URGENT = 9


def schema_with(name: str, annotation: Any, default: Any = ...) -> type[GeneratedSummary]:
    return create_model("Own", __base__=GeneratedSummary, **{name: (annotation, default)})


@pytest.mark.parametrize(
    ("name", "annotation"),
    [
        ("concerning_score", Annotated[int, Field(ge=0, le=10)]),
        ("concerning_score", int),
        ("concerning_score", float),
        ("concerning_score", TooLarge),
        ("user_frustration", str),
        ("user_frustration", Literal["low", "high"]),
        ("topic", list[str]),
        ("topic", dict[str, str]),
        ("topic", Literal["billing", 1]),
        ("topic", Any),
        ("languages", str),
        ("languages", list[int]),
        ("summary", str | None),
    ],
)
def test_a_field_that_may_hold_something_else_is_refused(name: str, annotation: Any) -> None:
    with pytest.raises(ValueError, match=f"Own gives the field '{name}' another meaning"):
        check_response_schema(schema_with(name, annotation))


@pytest.mark.parametrize(
    ("name", "annotation", "default"),
    [
        ("topic", Literal["billing", "account"], ...),
        ("topic", Literal["billing"] | None, None),
        ("topic", Subject, ...),
        ("topic", str, Field(description="Ours.", max_length=20)),
        ("summary", str, Field(default="none", description="Ours.")),
        ("concerning_score", Annotated[int, Field(ge=1, le=3)], ...),
        ("concerning_score", Annotated[int, Field(gt=0, lt=6)] | None, None),
        ("concerning_score", Score, ...),
        ("concerning_score", Literal[1, 2, 3], ...),
        ("languages", list[Literal["english", "german"]], ...),
        ("assistant_errors", list[str] | None, Field(max_length=3)),
    ],
)
def test_a_field_that_is_only_narrowed_is_welcome(name: str, annotation: Any, default: Any) -> None:
    check_response_schema(schema_with(name, annotation, default))


def test_a_field_that_is_left_out_of_the_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="'topic'"):
        check_response_schema(schema_with("topic", str | None, Field(default=None, exclude=True)))


@pytest.mark.parametrize("name", ["conversation_turns", "conversation_shortened"])
def test_a_field_with_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"Own has the field '{name}', which every summary's metadata has too"):
        check_response_schema(schema_with(name, int))


@pytest.mark.parametrize("schema", [dict, str, GeneratedSummary(summary="x"), None])
def test_what_is_no_schema_of_a_summary_is_refused(schema: Any) -> None:
    with pytest.raises(TypeError, match="allowed is a subclass of GeneratedSummary"):
        check_response_schema(schema)


def test_added_fields_are_those_that_land_in_the_metadata() -> None:
    class Own(GeneratedSummary):
        mood: str
        reasoning: str = Field(exclude=True)

        @computed_field
        @property
        def loud(self) -> bool:
            return self.mood.isupper()

    assert added_fields(Own) == {"mood", "loud"}
    assert added_fields(GeneratedSummary) == set()
