"""Summaries written by a language model: one question a conversation.

The words of the question are in `prompts`, the client in `client`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kura_dagster.pipeline.base_classes import BaseSummaryModel
from kura_dagster.pipeline.language_model import prompts
from kura_dagster.pipeline.language_model.client import LanguageModel, answer_all, opened
from kura_dagster.pipeline.types import Conversation, ConversationSummary, GeneratedSummary, MetadataValue

_METADATA_VALUE: TypeAdapter[MetadataValue] = TypeAdapter(MetadataValue)


class SummaryModel(BaseSummaryModel):
    """Asks a language model for each summary.

    Args:
        model: a provider string, for which a client is opened for the time of each `summarise`, or an open
            `LanguageModel`.
        max_concurrent_requests: questions in flight at once; of an open `LanguageModel`, its own number holds.
    """

    def __init__(self, model: str | LanguageModel = "openai/gpt-4o-mini", max_concurrent_requests: int = 50) -> None:
        self.model = model
        self.max_concurrent_requests = max_concurrent_requests

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float = 0.2,
    ) -> list[ConversationSummary]:
        """Return one summary for each conversation, in order.

        Fields that `response_schema` adds to `GeneratedSummary` land in the summary's metadata, beside the
        conversation's own and `conversation_turns`; validators of the schema find the conversation in
        `info.context["conversation"]`. `prompt` replaces our own text and holds `{conversation}` where the transcript
        goes.

        Raises:
            ValueError: `prompt` has no `{conversation}`.
            LanguageModelError: the provider can't be asked, or some questions failed; the others were finished first.
        """
        if prompt is not None:
            prompts.check_placeholder(prompt, "conversation")
        if not conversations:
            return []
        async with opened(self.model, self.max_concurrent_requests) as language_model:

            async def summary_of(conversation: Conversation) -> ConversationSummary:
                answer = await language_model.ask(
                    prompts.summary_prompt(conversation, prompt),
                    response_schema,
                    temperature=temperature,
                    # GeneratedSummary has no validators that could ask for it, and a context costs a rendering.
                    context=None if response_schema is GeneratedSummary else {"conversation": conversation},
                )
                return self._joined(conversation, answer, language_model.model)

            return await answer_all(
                conversations,
                summary_of,
                at_once=language_model.max_concurrent_requests,
                what="summaries",
                names=[conversation.chat_id for conversation in conversations],
            )

    def _joined(self, conversation: Conversation, answer: GeneratedSummary, model: str) -> ConversationSummary:
        """Return the answer joined to its conversation: the answer itself knows nothing of whose it is."""
        fields = answer.model_dump(mode="json")
        own = {name: fields.pop(name) for name in GeneratedSummary.model_fields}
        summary = ConversationSummary(
            **own,
            chat_id=conversation.chat_id,
            metadata={
                **conversation.metadata,
                "conversation_turns": len(conversation.messages),
                **{name: _metadata_value(value) for name, value in fields.items()},
            },
            model=model,
        )
        summary.embedding_text = self.embedding_text(conversation, summary)
        return summary


def _metadata_value(value: Any) -> MetadataValue:
    """Return the value as it is where metadata can hold it, otherwise as JSON."""
    try:
        return _METADATA_VALUE.validate_python(value, strict=True)
    except ValidationError:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
