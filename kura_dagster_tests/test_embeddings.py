"""What is embedded, and what an embedding model may return."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.embeddings import EmbeddingError, embed_summaries, embed_texts
from kura_dagster.pipeline.failures import SomeTextsFailed
from kura_dagster.pipeline.types import ConversationSummary, FailedItem


class Recorded(BaseEmbeddingModel):
    """Returns what it was made with and remembers what it was asked."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.texts: list[str] = []

    async def embed(self, texts: list[str]) -> Any:
        self.texts += texts
        return [[float(len(text)), 1.0] for text in texts] if self.answer is None else self.answer

    def slug(self) -> str:
        return "recorded"


def run(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def test_meaning_is_embedded_and_nothing_else() -> None:
    model = Recorded()
    summaries = [
        ConversationSummary(chat_id="id-1", summary="Asked for help.", request="Reset it", metadata={"secret": "x"}),
        ConversationSummary(chat_id="id-2", summary="Only a summary.", topic="travel", languages=["english"]),
        ConversationSummary(chat_id="id-3", summary="Short.", request="r", embedding_text="the transcript"),
    ]
    rows = run(embed_summaries(summaries, model))
    assert model.texts == ["Asked for help.\nReset it", "Only a summary.", "the transcript"]
    assert [(row.chat_id, row.model) for row in rows] == [
        ("id-1", "recorded"),
        ("id-2", "recorded"),
        ("id-3", "recorded"),
    ]
    assert rows[0].embedding.dtype == np.float32
    assert rows[2].embedding.tolist() == [14.0, 1.0]


def test_nothing_is_asked_for_nothing() -> None:
    model = Recorded(answer=RuntimeError)
    assert run(embed_summaries([], model)) == []
    assert run(embed_texts([], model)).shape == (0, 0)
    assert model.texts == []


@pytest.mark.parametrize("answer", [[[1, 2], [3, 4]], np.ones((2, 2)), [np.ones(2), [1.0, 2.0]], ((1, 2), (3, 4))])
def test_any_array_like_of_rows_will_do(answer: Any) -> None:
    vectors = run(embed_texts(["a", "b"], Recorded(answer)))
    assert vectors.shape == (2, 2)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ([[1.0, 2.0]], "embedding model recorded returned 1 vectors for 2 texts"),
        ([], "0 vectors for 2 texts"),
        ([[1.0], [1.0, 2.0]], r"different lengths: \[1, 2\]"),
        ([[], []], "empty vectors"),
        ([[1.0, 2.0], [math.nan, 1.0]], "not finite for text 2 of 2"),
        ([[math.inf, 2.0], [1.0, 1.0]], "not finite for text 1 of 2"),
        ([[1e300, 2.0], [1.0, 1.0]], "not finite for text 1 of 2"),
        ([[[1.0, 2.0]], [[1.0, 2.0]]], r"shape \(2, 1, 2\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_cannot_be_used_is_refused_and_the_model_named(answer: Any, fault: str) -> None:
    with pytest.raises(EmbeddingError, match=fault) as raised:
        run(embed_texts(["a", "b"], Recorded(answer)))
    assert "recorded" in str(raised.value)


class Refusing(Recorded):
    """Refuses what holds "poison", as embedding APIs do."""

    async def embed(self, texts: list[str]) -> Any:
        vectors = [None if "poison" in text else [float(len(text)), 1.0] for text in texts]
        refused = {position: "status 400" for position, vector in enumerate(vectors) if vector is None}
        if refused:
            raise SomeTextsFailed(vectors, refused, "refusing")
        return vectors


POISONED = [
    ConversationSummary(chat_id=f"id-{number}", summary="poison" if number == 1 else "kettle") for number in range(3)
]


def test_texts_that_are_refused_are_set_aside_and_the_others_embedded() -> None:
    failures: list[FailedItem] = []
    rows = run(embed_summaries(POISONED, Refusing(), failures=failures))
    assert [row.chat_id for row in rows] == ["id-0", "id-2"]
    assert failures == [FailedItem(item_id="id-1", error="status 400", model="refusing")]
    failures.clear()
    assert run(embed_texts(["poison", "kettle"], Refusing(), failures=failures)).tolist() == [[6.0, 1.0]]
    assert [item.item_id for item in failures] == ["text 1"]
    assert run(embed_texts(["poison"], Refusing(), failures=failures)).shape == (0, 0)


def test_without_a_list_for_failures_the_error_names_the_conversations() -> None:
    with pytest.raises(SomeTextsFailed, match=r"1 of 3 texts failed\. The first: status 400 Failed: id-1\."):
        run(embed_summaries(POISONED, Refusing()))
