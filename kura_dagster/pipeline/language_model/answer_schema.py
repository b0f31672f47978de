"""How what a model said becomes an instance of the asked schema: when it arrives, and again when it was kept.

What is kept is what the model itself said, and not what the schema made of it: a schema need not take back what it
dumps (aliases, excluded and computed fields, strict types), a validator may rewrite what it is given, and it may put in
what it knows of the conversation, which no kept answer may hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError, create_model

from kura_dagster.pipeline.failures import LanguageModelError, kind_and_place
from kura_dagster.pipeline.language_model.tokens import schema_tokens


class Heard:
    """What a model said last that fits its schema: JSON as text, or as an object where its SDK parses it."""

    def __init__(self) -> None:
        self.said: Any = None


_heard: ContextVar[Heard | None] = ContextVar("_heard", default=None)


@contextmanager
def hearing() -> Iterator[Heard]:
    """Give what is said to the questions that are asked inside."""
    heard = Heard()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class AnswerSchema:
    """A response model, as it is asked for and as answers to it are kept."""

    def __init__(self, response_model: Any) -> None:
        self._response_model = response_model
        self._adapter: TypeAdapter[Any] = TypeAdapter(response_model)
        self.json_schema = self._adapter.json_schema()

    @cached_property
    def asked(self) -> Any:
        """The class that instructor fills: its own of the response model, which remembers what it was filled from.

        Instructor makes a new one in each call: that took half of all client time (6.5 ms a call, 3.0 ms without), and
        kept its schema cache from ever being hit.
        """
        from instructor.utils import prepare_response_model

        prepared: Any = prepare_response_model(self._response_model)
        if not (isinstance(prepared, type) and issubclass(prepared, BaseModel)):
            return prepared
        return create_model(  # type: ignore[call-overload]  # a base that is no model adds only methods
            prepared.__name__,
            __base__=(_Remembering, prepared),
            __doc__=prepared.__doc__,
            __module__=prepared.__module__,
        )

    @cached_property
    def n_tokens(self) -> int:
        """About how many tokens the schema has as instructor sends it."""
        return schema_tokens(getattr(self.asked, "openai_schema", None) or self.json_schema)

    def to_keep(self, answer: Any, said: Any) -> dict[str, Any]:
        """Return the JSON that `read` makes the answer of again."""
        try:
            if said is not None:
                json.dumps(said)
                return {"said": said}
        except (TypeError, ValueError):
            pass  # an SDK's object: what became of it has to do
        return {"answer": self._adapter.dump_python(answer, mode="json")}

    def read(self, kept: Any, context: dict[str, Any] | None) -> Any:
        """Return the answer that was kept. Whatever error comes of it, this answer can't be used."""
        if "said" not in kept:
            return self._adapter.validate_python(kept["answer"], context=context, strict=False)
        said = kept["said"]
        validate = self.asked.model_validate_json if isinstance(said, str) else self.asked.model_validate
        return _unwrapped(validate(said, context=context, strict=False))


class _Remembering:
    """Goes before a pydantic model, and remembers what that is made of."""

    @classmethod
    def model_validate_json(cls, json_data: Any, **options: Any) -> Any:
        return _validated(cls, super().model_validate_json, json_data, options)  # type: ignore[misc]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Any:
        return _validated(cls, super().model_validate, obj, options)  # type: ignore[misc]


def _validated(schema: type, validate: Any, said: Any, options: dict[str, Any]) -> Any:
    failure: LanguageModelError
    try:
        answer = validate(said, **options)
    except (ValidationError, LanguageModelError):
        raise
    except Exception as error:
        failure = LanguageModelError(f"A validator of {schema.__name__} failed with {kind_and_place(error)}.")
    else:
        heard = _heard.get()
        if heard is not None:
            heard.said = said.decode() if isinstance(said, bytes | bytearray) else said
        return answer
    raise failure  # outside of the handler: what a validator says may quote the conversation


def _unwrapped(parsed: Any) -> Any:
    """Return what was asked for, as instructor does: what is no model travels inside of one."""
    from instructor.dsl.iterable import IterableBase
    from instructor.dsl.simple_type import AdapterBase

    if isinstance(parsed, IterableBase):
        return list(parsed.tasks)  # type: ignore[attr-defined]
    return parsed.content if isinstance(parsed, AdapterBase) else parsed  # type: ignore[attr-defined]
