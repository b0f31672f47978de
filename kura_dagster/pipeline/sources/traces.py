"""What was asked and what was answered, as the Responses API and tools for tracing log it: `input` and `output`.

Either may be a text, a message, a list of them, or an object around these. Only what can be told without guessing is
read; of anything else the reason names the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kura_dagster.pipeline.sources.api_messages import is_users, turns_of, turns_of_items
from kura_dagster.pipeline.sources.loose_content import ContentError, kind_of, text_of
from kura_dagster.pipeline.sources.normalise import LooseMessage
from kura_dagster.pipeline.sources.record import UnusableRecordError

# A text that stands alone in an object under one of these names is what was said.
_ASKED = frozenset(["input", "question", "query", "prompt", "text", "content", "message", "user_input"])
_ANSWERED = frozenset(["output", "answer", "response", "text", "completion", "result", "output_text", "generation"])


def asked(value: Any, name: str) -> Iterator[LooseMessage]:
    """Yield what was sent to a model.

    Args:
        value: of the field.
        name: of the field, for reasons.

    Raises:
        UnusableRecordError: no messages can be told in it.
    """
    if isinstance(value, dict):
        if isinstance(messages := value.get("messages"), list):
            if isinstance(system := value.get("system"), (str, list)):
                yield LooseMessage("system", system)
            yield from turns_of_items(_unnested(messages), f"{name}.messages", "user")
        elif "role" in value:
            yield from turns_of(value)
        elif isinstance(body := value.get("inputBodyJson"), dict):  # Bedrock's
            yield from asked(body, f"{name}.inputBodyJson")
        else:
            yield LooseMessage("user", _only_text(value, _ASKED, name))
    elif isinstance(value, list):
        yield from turns_of_items(_unnested(value), name, "user")
    elif isinstance(value, str):
        yield LooseMessage("user", value)
    else:
        raise _untold(value, name)


def answered(value: Any, name: str, before: Sequence[LooseMessage], time: Any = None) -> list[LooseMessage]:
    """Return what a model answered, without what of it was said before already.

    Args:
        value: of the field; None is no answer.
        name: of the field, for reasons.
        before: what was asked; some traces repeat it in the answer.
        time: of the answer, where it tells none.

    Raises:
        UnusableRecordError: no messages can be told in it.
    """
    answer = list(_answer(value, name, time))
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        if texts_of(answer[: len(before)]) == texts_of(before):
            answer = answer[len(before) :]
        if any(map(is_users, answer)):
            raise UnusableRecordError(f"{name}.messages: what the user says there is not what was asked")
    # A log that keeps whole conversations has the answer in them.
    return [] if answer and texts_of(before[-len(answer) :]) == texts_of(answer) else answer


def _answer(value: Any, name: str, time: Any) -> Iterator[LooseMessage]:
    if value is None:
        return
    if isinstance(value, str):
        yield LooseMessage("assistant", value, time)
    elif isinstance(value, list):
        yield from turns_of_items(_unnested(value), name, "assistant", time)
    elif not isinstance(value, dict):
        raise _untold(value, name)
    elif isinstance(messages := value.get("messages"), list):
        yield from turns_of_items(_unnested(messages), f"{name}.messages", "assistant", time)
    elif (choice := first_choice(value.get("choices"))) is not None:
        yield from turns_of(choice, time)
    elif (generation := first_choice(_unnested(value.get("generations")))) is not None:
        yield from turns_of(generation, time)
    elif isinstance(message := value.get("message"), dict):
        yield from turns_of({"role": "assistant"} | message, time)
    elif isinstance(body := value.get("outputBodyJson"), dict):
        yield from _answer(body, f"{name}.outputBodyJson", time)
    elif isinstance(items := value.get("output"), (list, dict)):
        yield from _answer(items, f"{name}.output", time)
    elif "role" in value or isinstance(value.get("content"), (str, list)):
        yield from turns_of({"role": "assistant"} | value, time)
    else:
        yield LooseMessage("assistant", _only_text(value, _ANSWERED, name), time)


def first_choice(choices: Any) -> dict[str, Any] | None:
    """Return the first answer among several that an API gave, as a message; None where there is none."""
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return None
    message = choice.get("message")
    if isinstance(message, dict):
        return message if "kwargs" in message else {"role": "assistant"} | message
    # Completions of a text have no message.
    return {"role": "assistant", "content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _unnested(messages: Any) -> Any:
    """Return the only list in a list; LangSmith keeps a batch of one."""
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], list):
        return messages[0]
    return messages


def _only_text(value: dict[str, Any], names: frozenset[str], field: str) -> str:
    if len(value) == 1:
        ((name, text),) = value.items()
        if name in names and isinstance(text, str):
            return text
    raise _untold(value, field)


def _untold(value: Any, name: str) -> UnusableRecordError:
    return UnusableRecordError(
        f"{name}: {kind_of(value)} in which no messages can be told; it has to be a text, a message, or a list of "
        "messages, which may stand in an object as messages"
    )


def texts_of(messages: Sequence[LooseMessage]) -> list[Any]:
    """Return what messages say, to compare it; what has no text that can be told is equal to nothing."""
    said: list[Any] = []
    for message in messages:
        try:
            said.append(text_of(message.content))
        except ContentError:
            said.append(object())  # the reason is told when it becomes a conversation
    return said
