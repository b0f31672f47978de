"""Redaction: what conversations lose before a model or an extractor sees them.

What personal data is, and how a text is masked, is `personal_data`; here it is done to whole conversations, with what
any of their messages reveals, and counted. The conversation that was given stays as it is: it is what is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kura_dagster.pipeline.privacy.personal_data import KINDS, count_masks, find_personal_data
from kura_dagster.pipeline.types import Conversation, ConversationSummary, Metadata, MetadataValue

# What was replaced may bring another name into sight: masking goes on until nothing changes. More often than this only
# a conversation needs that was made for it.
_MOST_PASSES = 6


class Redaction:
    """Replaces the personal data of conversations by its kind in brackets, as `[email]`, and counts what it replaced.

    `counts` says how many pieces of each kind were replaced in messages, over all calls, zeros included.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))

    def redact(self, conversation: Conversation) -> Conversation:
        """Return the conversation without the personal data in its messages and in the texts of its metadata.

        Ids, times, roles, numbers and the names of metadata entries stay.
        """
        messages = [message.content for message in conversation.messages]
        names, values = list(conversation.metadata), list(conversation.metadata.values())
        texts = [text for value in values for text in _texts_of(value)]
        masked = _masked([*messages, *texts])
        if masked == [*messages, *texts]:
            return conversation
        for before, after in zip(messages, masked, strict=False):
            if before != after:
                # A secret that held what looks like a mask takes it along, which is no piece put back.
                self.counts.update(+(count_masks(after) - count_masks(before)))
        return conversation.model_copy(
            update={
                "messages": [
                    message.model_copy(update={"content": content})
                    for message, content in zip(conversation.messages, masked, strict=False)
                ],
                "metadata": dict(zip(names, _with_texts(values, masked[len(messages) :]), strict=True)),
            }
        )

    def redact_all(self, conversations: Iterable[Conversation]) -> list[Conversation]:
        """Return the conversations redacted, in their order."""
        return [self.redact(conversation) for conversation in conversations]


def restore_metadata(summary: ConversationSummary, given: Metadata, redacted: Metadata) -> None:
    """Put the owner's own metadata back into the summary of a redacted conversation: it is stored, and goes nowhere."""
    for name, value in given.items():
        if name in summary.metadata and summary.metadata[name] == redacted.get(name):
            summary.metadata[name] = value


def _masked(texts: list[str]) -> list[str]:
    for _ in range(_MOST_PASSES):
        # All of a text is searched for names: none may leave because it stands in the middle of a long one.
        personal_data = find_personal_data(texts, everywhere=True)
        masked = [personal_data.mask(text) for text in texts]
        if masked == texts:
            break
        texts = masked
    return texts


def _texts_of(value: MetadataValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _with_texts(values: Iterable[MetadataValue], texts: Iterable[str]) -> list[MetadataValue]:
    """Return the values with the next of `texts` wherever one of them is a text."""
    remaining = iter(texts)

    def with_text(value: MetadataValue) -> MetadataValue:
        if isinstance(value, str):
            return next(remaining)
        if isinstance(value, list):
            return [next(remaining) if isinstance(each, str) else each for each in value]  # type: ignore[return-value]
        return value

    return [with_text(value) for value in values]
