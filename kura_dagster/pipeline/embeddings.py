"""From summaries to vectors: what text stands for a conversation, and whether the model's answer can be used.

The embedding models themselves are in `embedded.minilm` and `language_model.embedding_models`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.types import ConversationEmbedding, ConversationSummary


class EmbeddingError(ValueError):
    """An embedding model returned something that can't be used. The message names the model and the fault."""


async def embed_summaries(
    summaries: Sequence[ConversationSummary], embedding_model: BaseEmbeddingModel
) -> list[ConversationEmbedding]:
    """Return the vector of each summary, in order; the model column is the embedding model's slug.

    What is embedded is the summary's `embedding_text`, or its summary and request where it has none: never ids, never
    metadata.

    Raises:
        EmbeddingError: the model returned other than one finite vector for each text, all of one length.
    """
    vectors = await embed_texts([_text_of(summary) for summary in summaries], embedding_model)
    model = embedding_model.slug()
    return [
        ConversationEmbedding(chat_id=summary.chat_id, embedding=vector, model=model)
        for summary, vector in zip(summaries, vectors, strict=True)
    ]


async def embed_texts(texts: list[str], embedding_model: BaseEmbeddingModel) -> np.ndarray:
    """Return the vectors of `texts`: a float32 array of shape (n_texts, n_dims), or (0, 0) without asking the model.

    Raises:
        EmbeddingError: as for `embed_summaries`.
    """
    if not texts:
        return np.empty((0, 0), dtype=np.float32)
    model = embedding_model.slug()
    rows = await embedding_model.embed(texts)
    if len(rows) != len(texts):
        raise EmbeddingError(f"embedding model {model} returned {len(rows)} vectors for {len(texts)} texts")
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
            f"of {len(texts)} ({int((~finite).sum())} such texts)"
        )
    return vectors


def _text_of(summary: ConversationSummary) -> str:
    return summary.embedding_text or "\n".join(part for part in (summary.summary, summary.request) if part)
