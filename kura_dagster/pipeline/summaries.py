"""From conversations to summaries: one for each, whatever the model does.

The models that write them are in `embedded.extractive_summary` and `language_model.summary_model`.
"""

from __future__ import annotations

import logging
from collections import Counter

from kura_dagster.pipeline.accounting import unaccounted
from kura_dagster.pipeline.base_classes import BaseCheckpointManager, BaseSummaryModel
from kura_dagster.pipeline.failures import SomeFailed
from kura_dagster.pipeline.hierarchy import some_of
from kura_dagster.pipeline.privacy.redaction import Redaction, restore_metadata
from kura_dagster.pipeline.types import Conversation, ConversationSummary, FailedItem, GeneratedSummary

logger = logging.getLogger(__name__)


class SummaryError(ValueError):
    """A summary model lost, doubled or invented summaries. The message names the model and the conversations."""


async def summarise_conversations(
    conversations: list[Conversation],
    *,
    model: BaseSummaryModel,
    response_schema: type[GeneratedSummary] = GeneratedSummary,
    prompt: str | None = None,
    temperature: float | None = 0.2,
    checkpoint_manager: BaseCheckpointManager | None = None,
    failures: list[FailedItem] | None = None,
    redaction: Redaction | None = None,
) -> list[ConversationSummary]:
    """Return one summary for each conversation, in the order of the conversations.

    Every summary leaves with the text that stands for its conversation when it is embedded.

    Args:
        conversations: no two with the same chat_id.
        model: writes the summaries.
        response_schema: what is asked for; fields beyond `GeneratedSummary` land in the metadata.
        prompt: stands in for the model's own prompt.
        temperature: sampling temperature of a language model; None sends none.
        checkpoint_manager: where a checkpoint of exactly these conversations exists, it is the result. What lacks
            some is not kept.
        failures: gets the conversations that a language model gave no summary for; they are left out of the result.
            None makes the first one an error, after all others were finished.
        redaction: takes personal data out of what the model and its extractors see, and out of the text that is
            embedded. The summaries keep the metadata as it was given.

    Raises:
        ValueError: a chat_id occurs twice.
        LanguageModelError: a summary failed and there is no list for failures, or nothing more can be asked.
        SummaryError: the model lost, doubled or invented summaries.
    """
    by_chat_id = {conversation.chat_id: conversation for conversation in conversations}
    if len(by_chat_id) < len(conversations):
        counts = Counter(conversation.chat_id for conversation in conversations)
        repeated = [chat_id for chat_id, count in counts.items() if count > 1]
        raise ValueError(f"conversations hold {some_of(repeated)} more than once; each has an id of its own")
    given = by_chat_id
    if redaction is not None:
        by_chat_id = {chat_id: redaction.redact(conversation) for chat_id, conversation in given.items()}

    summaries = None
    if checkpoint_manager is not None:
        summaries = checkpoint_manager.load_checkpoint(model.checkpoint_filename, ConversationSummary)
        if summaries is not None and sorted(summary.chat_id for summary in summaries) != sorted(by_chat_id):
            logger.warning("the checkpoint of summaries holds other conversations; they are summarised again")
            summaries = None
    if summaries is None:
        # A class written for Kura has its own prompt as a default; None would stand in its way.
        own_prompt = {} if prompt is None else {"prompt": prompt}
        failed: list[FailedItem] = []
        try:
            summaries = await model.summarise(
                list(by_chat_id.values()), response_schema=response_schema, temperature=temperature, **own_prompt
            )
        except SomeFailed as some:
            if failures is None:
                raise
            failed = some.failed_items
            failures.extend(failed)
            summaries = [summary for summary in some.results if summary is not None]
        returned = [*(summary.chat_id for summary in summaries), *(item.item_id for item in failed)]
        if faults := unaccounted(by_chat_id, returned):
            raise SummaryError(f"summary model {type(model).__name__} {faults}")
        for summary in summaries:
            chat_id = summary.chat_id
            restore_metadata(summary, given[chat_id].metadata, by_chat_id[chat_id].metadata)
        if checkpoint_manager is not None and not failed:
            checkpoint_manager.save_checkpoint(model.checkpoint_filename, _in_order(summaries, by_chat_id))
    for summary in summaries:
        if summary.embedding_text is None:
            summary.embedding_text = model.embedding_text(by_chat_id[summary.chat_id], summary)
    return _in_order(summaries, by_chat_id)


def _in_order(summaries: list[ConversationSummary], by_chat_id: dict[str, Conversation]) -> list[ConversationSummary]:
    found = {summary.chat_id: summary for summary in summaries}
    return [found[chat_id] for chat_id in by_chat_id if chat_id in found]
