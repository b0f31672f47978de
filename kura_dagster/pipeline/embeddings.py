"""From summaries to vectors: what text stands for a conversation, and whether the model's answer can be used.

The embedding models themselves are in `embedded.minilm` and `language_model.embedding_models`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.asked_about import embedded_about
from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.failures import SomeTextsFailed
from kura_dagster.pipeline.types import ConversationEmbedding, ConversationSummary, FailedItem


class EmbeddingError(ValueError):
    """An embedding model returned something that can't be used. The message names the model and the fault."""


async def embed_summaries(
    summaries: Sequence[ConversationSummary],
    embedding_model: BaseEmbeddingModel,
    *,
    failures: list[FailedItem] | None = None,
) -> list[ConversationEmbedding]:
    """Return the vector of each summary, in order; the model column is the embedding model's slug.

    What is embedded is the summary's `embedding_text`, or its summary and request where it has none: never ids, never
    metadata.

    Args:
        summaries: one a conversation.
        embedding_model: makes the vectors.
        failures: gets the conversations whose text an embedding API refused; they are left out of the result. None
            makes the first one an error, after all others were embedded.

    Raises:
        EmbeddingError: the model returned other than one finite vector for each text, all of one length.
        LanguageModelError: a text was refused and there is no list for failures, or nothing more can be asked.
    """
    chat_ids = [summary.chat_id for summary in summaries]
    failed: list[FailedItem] | None = None if failures is None else []
    vectors = await embed_texts(
        [_text_of(summary) for summary in summaries],
        embedding_model,
        names=chat_ids,
        failures=failed,
        about=[[chat_id] for chat_id in chat_ids],
    )
    if failures is not None and failed:
        failures.extend(failed)
    refused = {item.item_id for item in failed or ()}
    model = embedding_model.slug()
    return [
        ConversationEmbedding(chat_id=chat_id, embedding=vector, model=model)
        for chat_id, vector in zip((each for each in chat_ids if each not in refused), vectors, strict=True)
    ]


async def embed_texts(
    texts: list[str],
    embedding_model: BaseEmbeddingModel,
    *,
    names: Sequence[str] = (),
    failures: list[FailedItem] | None = None,
    about: Sequence[Sequence[str]] = (),
) -> np.ndarray:
    """Return the vectors of `texts`: a float32 array of shape (n_texts, n_dims), or (0, 0) without asking the model.

    `names` are what failures call the texts, "text 1" and so on where there are none. `failures` gets the texts that
    were refused, whose rows are left out; None makes them an error. `about` has the conversations that each text is
    made of, so that what an API is paid for can be erased with them.

    Raises:
        EmbeddingError, LanguageModelError: as for `embed_summaries`.
    """
    if not texts:
        return np.empty((0, 0), dtype=np.float32)
    model = embedding_model.slug()
    n_texts = len(texts)
    try:
        with embedded_about(texts, about):
            rows = await embedding_model.embed(texts)
    except SomeTextsFailed as some:
        called = SomeTextsFailed(some.vectors, some.failures, some.model, names)
        if failures is None:
            raise called from None
        failures.extend(called.failed_items)
        rows = [row for row in some.vectors if row is not None]
        n_texts -= len(some.failures)
        if not n_texts:
            return np.empty((0, 0), dtype=np.float32)
    if len(rows) != n_texts:
        raise EmbeddingError(f"embedding model {model} returned {len(rows)} vectors for {n_texts} texts")
    widths = sorted({np.size(row) for row in rows})
    if len(widths) > 1:
        raise EmbeddingError(f"embedding model {model} returned vectors of different lengths: {widths}")
    if widths == [0]:
        raise EmbeddingError(f"embedding model {model} returned empty vectors")
    vectors = np.asarray(rows, dtype=np.float32)
    if vectors.ndim != 2:
        raise EmbeddingError(f"embedding model {model} returned an array of shape {vectors.shape}; expected rows")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise EmbeddingError(
            f"embedding model {model} returned a value that is not finite for text {int(np.argmin(finite)) + 1} "
            f"of {n_texts} ({int((~finite).sum())} such texts)"
        )
    return vectors


def _text_of(summary: ConversationSummary) -> str:
    return summary.embedding_text or "\n".join(part for part in (summary.summary, summary.request) if part)
