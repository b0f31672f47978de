"""Summaries without a language model: the sentence in which the user asks, masked, and what can be counted.

Finding that sentence is `request_sentence`, masking is `personal_data`, languages are `languages`; here they become a
summary, and here the text is made that stands for the conversation when it is embedded.
"""

from __future__ import annotations

from collections.abc import Iterable

from kura_dagster.pipeline.base_classes import BaseSummaryModel
from kura_dagster.pipeline.embedded.courtesies import without_courtesies
from kura_dagster.pipeline.embedded.languages import find_languages
from kura_dagster.pipeline.embedded.request_sentence import MAX_CHARACTERS, clean, request_sentences, shortened
from kura_dagster.pipeline.privacy.personal_data import PersonalData, find_personal_data
from kura_dagster.pipeline.types import USER_WORDS, Conversation, ConversationSummary, GeneratedSummary

MODEL = "extractive"
NO_TEXT = "(no text)"

# MiniLM sees 256 tokens, some 1,100 characters of English. A turn is cut before the conversation is, so that one long
# answer doesn't hide what the user said next.
EMBEDDED_CHARACTERS = 1_400
EMBEDDED_TURN_CHARACTERS = 500

USER_WORDS_CHARACTERS = 600
"""So much of what the user wrote first is kept, a turn a line: where the words of clusters' names come from.

Stored with the summary, since naming has nothing else to read. Of the summaries alone it made names that are as near to
what most members asked (0.80 and 0.81 of 252 clusters of the sample), but ten of them were whole sentences of one
member's, because nobody else used its words. More characters changed nothing.
"""


class ExtractiveSummaryModel(BaseSummaryModel):
    """Summarises a conversation by the user's own request sentence; local, deterministic and without a key.

    `summary` and `request` hold that sentence, `languages` and the metadata's `conversation_turns` and `user_words` are
    filled, and what needs judgement (topic, task and the scores) stays None.
    """

    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float | None = 0.2,
    ) -> list[ConversationSummary]:
        """Return one summary for each conversation, in order. No model is asked: `temperature` has no effect.

        Raises:
            ValueError: there is a prompt, or a `response_schema` with fields of its own; only a language model can
                follow either.
        """
        if prompt is not None:
            raise ValueError(f"The summary model '{MODEL}' follows no prompt; choose a language model for that.")
        if response_schema is not GeneratedSummary:
            raise ValueError(
                f"The summary model '{MODEL}' can't fill the fields of {response_schema.__name__}; choose a language "
                "model for that, or leave the schema at GeneratedSummary."
            )
        return [self._summarised(conversation) for conversation in conversations]

    def embedding_text(self, conversation: Conversation, summary: ConversationSummary) -> str:
        """Return the conversation's start as a transcript with roles, which clusters far better than the sentence.

        Instructions, the same in thousands of conversations, and what tools answered would hide what it is about.
        """
        lines = []
        length = 0
        for message in conversation.turns:
            # Several times the length kept is cleaned, not the whole: a turn may be a book.
            content = shortened(clean(message.content[: 4 * EMBEDDED_TURN_CHARACTERS]), EMBEDDED_TURN_CHARACTERS)
            if content:
                lines.append(f"{message.role}: {content}")
                length += len(lines[-1]) + 1
            if length >= EMBEDDED_CHARACTERS:
                break
        return shortened("\n".join(lines), EMBEDDED_CHARACTERS) or NO_TEXT

    def _summarised(self, conversation: Conversation) -> ConversationSummary:
        turns = conversation.turns
        texts = [message.content for message in turns]
        user_texts = [message.content for message in turns if message.role == "user"]
        asked = request_sentences(user_texts)
        # Without a word of the user's, what the assistant said first is the best there is to show.
        said = asked or request_sentences(texts)[:1] or [NO_TEXT]
        personal_data = find_personal_data(texts)
        shown = [shortened(clean(personal_data.mask(sentence)), MAX_CHARACTERS) for sentence in said]
        summary = ConversationSummary(
            chat_id=conversation.chat_id,
            summary=_as_text(shown),
            request=shown[0] if asked else None,
            languages=find_languages(user_texts, texts) or None,
            metadata={
                **conversation.metadata,
                "conversation_turns": len(turns),
                USER_WORDS: _user_words(user_texts, personal_data),
            },
            model=MODEL,
        )
        summary.embedding_text = self.embedding_text(conversation, summary)
        return summary


def _as_text(shown: list[str]) -> str:
    """Return sentences as one text; each but the last gets a full stop if it has no mark of its own."""
    ended = [sentence if sentence[-1] in ".!?…" else f"{sentence}." for sentence in shown[:-1]]
    return " ".join([*ended, shown[-1]])


def _user_words(user_texts: Iterable[str], personal_data: PersonalData) -> str:
    """Return the start of what the user wrote, masked, a turn a line, without courtesies; no turn hides the next ones."""
    turns: list[str] = []
    for text in user_texts:
        if sum(map(len, turns)) >= USER_WORDS_CHARACTERS:
            break
        # Masked before it is cut, so that no half of a number or a name is left over.
        masked = personal_data.mask(text[: 4 * EMBEDDED_TURN_CHARACTERS])
        # While it has lines, which is where salutations and sign-offs stand: they would name clusters.
        if turn := shortened(clean(without_courtesies(masked)), EMBEDDED_TURN_CHARACTERS):
            turns.append(turn)
    return shortened("\n".join(turns), USER_WORDS_CHARACTERS)


def users_words(summary: ConversationSummary) -> str:
    """Return what the user wrote, as it is stored with an extractive summary, or else the summary itself."""
    stored = summary.metadata.get(USER_WORDS)
    if summary.model == MODEL and isinstance(stored, str) and stored:
        return stored
    return summary.summary or summary.request or ""
