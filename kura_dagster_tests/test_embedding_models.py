from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kura_dagster.pipeline.failures import SetupError, SomeTextsFailed
from kura_dagster.pipeline.language_model import embedding_models
from kura_dagster.pipeline.language_model.answer_cache import DiskCacheStrategy
from kura_dagster.pipeline.language_model.client import LanguageModelError, Progress
from kura_dagster.pipeline.language_model.embedding_models import (
    EMPTY_TEXT,
    CohereEmbeddingModel,
    OpenAIEmbeddingModel,
    SentenceTransformerEmbeddingModel,
)
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster_tests.loopback_server import EMBEDDING_DIMENSIONS, Faults, LoopbackServer
from kura_dagster_tests.memory_cache import Memory

pytest_plugins = ["kura_dagster_tests.loopback_fixtures"]


def embed(texts: list[str], **options: Any) -> np.ndarray:
    return asyncio.run(OpenAIEmbeddingModel(**options).embed(texts))


def test_vectors_come_in_the_order_of_the_texts(server: LoopbackServer) -> None:
    texts = [f"kettle number{'x' * number} whispers" for number in range(23)]
    vectors = embed(texts, model_batch_size=5)
    assert vectors.shape == (23, EMBEDDING_DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, np.concatenate([embed([text]) for text in texts]))
    assert server.stats.embedded_texts == 46


def test_batches_and_jobs_keep_their_limits(server: LoopbackServer) -> None:
    server.latency = 0.05
    embed([f"text {number}" for number in range(40)], model_batch_size=4, n_concurrent_jobs=3)
    assert server.stats.embeddings == 10
    assert server.stats.max_in_flight == 3


def test_no_texts_need_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert embed([]).shape == (0, 0)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_empty_text_gets_a_vector(text: str, server: LoopbackServer) -> None:
    vectors = embed([text, "kettle"])
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors[0]) > 0
    np.testing.assert_array_equal(vectors[:1], embed([EMPTY_TEXT]))


def test_long_and_broken_texts_are_made_sendable(server: LoopbackServer) -> None:
    long = "kettle " * 10_000
    vectors = embed([long, "half a pair \ud83d", "雪" * 5_000, "?!"])
    assert np.isfinite(vectors).all()
    np.testing.assert_array_equal(vectors[:1], embed([long[: embedding_models.MAX_BYTES]]))


def test_slugs_are_provider_and_model() -> None:
    assert OpenAIEmbeddingModel().slug() == "openai/text-embedding-3-small"
    assert OpenAIEmbeddingModel(model_name="own").slug() == "openai/own"


def test_client_is_one_for_the_time_of_the_with_and_closed_after(server: LoopbackServer) -> None:
    async def run() -> None:
        async with OpenAIEmbeddingModel() as model:
            first = await model.embed(["one"])
            assert server.open_connections == 1
            await model.embed(["two"])
            assert server.open_connections == 1
            with pytest.raises(RuntimeError, match="open already"):
                await model.__aenter__()
        await asyncio.sleep(0.2)
        assert server.open_connections == 0
        # Without a `with` it opens and closes for each call.
        np.testing.assert_array_equal(await model.embed(["one"]), first)
        await asyncio.sleep(0.2)
        assert server.open_connections == 0

    asyncio.run(run())


def test_calls_at_once_do_not_close_each_others_client(server: LoopbackServer) -> None:
    model = OpenAIEmbeddingModel()

    async def run() -> list[np.ndarray]:
        async def later(number: int) -> np.ndarray:
            await asyncio.sleep(0.005 * number)
            return await model.embed([f"text {number}"] * (1 + 60 * (number % 2)))

        vectors = await asyncio.gather(*(later(number) for number in range(12)))
        await asyncio.sleep(0.2)
        assert server.open_connections == 0
        return list(vectors)

    server.latency = 0.02
    assert [len(vectors) for vectors in asyncio.run(run())] == [1, 61] * 6


def test_missing_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(LanguageModelError, match=r"text-embedding-3-small needs a key: .*OPENAI_API_KEY"):
        embed(["text"])


def test_refused_key_says_what_to_set(server: LoopbackServer) -> None:
    server.faults = Faults(require_key="another")
    with pytest.raises(LanguageModelError, match="refused the key") as caught:
        embed(["text"])
    assert "sk-loopback" not in str(caught.value)
    assert "Set OPENAI_API_KEY" in str(caught.value)


class TestTextsThatAreRefused:
    TEXTS = tuple(f"text {number}{' poison' if number in (7, 30) else ''}" for number in range(60))

    @pytest.mark.parametrize("faults", [Faults(embedding_fail_on="poison", status=400), Faults(nan_on="poison")])
    def test_only_they_are_left_out_and_the_rest_is_kept(
        self, faults: Faults, server: LoopbackServer, tmp_path: Path
    ) -> None:
        server.faults = faults
        cache, ledger = DiskCacheStrategy(tmp_path), Ledger()
        with pytest.raises(SomeTextsFailed, match="2 of 60 texts failed") as caught:
            embed(list(self.TEXTS), cache=cache, ledger=ledger)
        assert "poison" not in str(caught.value)
        assert caught.value.__cause__ is caught.value.__context__ is None
        assert sorted(caught.value.failures) == [7, 30]
        assert caught.value.model == "openai/text-embedding-3-small"
        assert [number for number, row in enumerate(caught.value.vectors) if row is None] == [7, 30]
        assert ledger.spent.failures == 2, "a batch that is split is not given up"

        server.reset()
        server.faults = faults
        with pytest.raises(SomeTextsFailed):
            embed(list(self.TEXTS), cache=cache)
        assert server.stats.embedded_texts == 4, "the two at once, and each alone"
        server.reset()
        np.testing.assert_array_equal(embed(list(self.TEXTS), cache=cache)[8], caught.value.vectors[8])
        assert server.stats.embedded_texts == 2
        cache.close()

    def test_what_a_server_breaks_at_again_and_again_is_found_too(self, server: LoopbackServer) -> None:
        server.faults = Faults(embedding_fail_on="poison", status=500)
        with pytest.raises(SomeTextsFailed) as caught:
            embed(list(self.TEXTS[:10]))
        assert list(caught.value.failures) == [7]

    def test_a_refused_key_is_no_refused_text(self, server: LoopbackServer) -> None:
        server.faults = Faults(embedding_fail_on="text", status=403)
        with pytest.raises(SetupError):
            embed(list(self.TEXTS))
        assert server.stats.embeddings <= 2

    def test_a_provider_that_refuses_everything_is_not_asked_text_by_text(self, server: LoopbackServer) -> None:
        server.faults = Faults(embedding_fail_on="text", status=422)
        with pytest.raises(SomeTextsFailed, match="600 of 600 texts failed"):
            embed([f"text {number}" for number in range(600)], model_batch_size=50, n_concurrent_jobs=2)
        assert server.stats.embeddings < 120

    def test_a_long_text_without_letters_is_cut_like_others(self, server: LoopbackServer) -> None:
        assert np.isfinite(embed(["<" * 1_000_000, "\ud83d?!"])).all()
        assert server.stats.embedded_texts == 2


@pytest.mark.parametrize("options", [{"model_batch_size": 0}, {"n_concurrent_jobs": 0}])
def test_numbers_below_one_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is 0"):
        OpenAIEmbeddingModel(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "extra"), [(CohereEmbeddingModel, "cohere"), (SentenceTransformerEmbeddingModel, "sentence-transformers")]
)
def test_missing_extra_says_what_to_install(model: Any, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_models, "find_spec", lambda name: None)
    with pytest.raises(ImportError) as caught:
        model()
    assert f"pip install 'kura_dagster[{extra}]'" in str(caught.value)


@pytest.mark.skipif(importlib.util.find_spec("cohere") is None, reason="the extra `cohere` is not installed")
def test_cohere_embeds_in_order_and_closes(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CO_API_KEY", "any")
    monkeypatch.setenv("CO_API_URL", server.base_url.removesuffix("/v1"))
    model = CohereEmbeddingModel(model_batch_size=2)
    assert model.slug() == "cohere/embed-v4.0"

    async def run() -> np.ndarray:
        vectors = await model.embed(["kettle", "violin", "glacier"])
        await asyncio.sleep(0.2)
        assert server.open_connections == 0
        return vectors

    np.testing.assert_allclose(asyncio.run(run()), embed(["kettle", "violin", "glacier"]), rtol=1e-6)
    with pytest.raises(ValueError, match="allowed is 96 or less"):
        CohereEmbeddingModel(model_batch_size=97)


class RecordingSentenceTransformer:
    """The part of the library's class that is used; the library itself needs torch and a model from its hub."""

    made: list[tuple[str, str]]
    calls: list[dict[str, Any]]

    def __init__(self, name: str, device: str) -> None:
        self.made.append((name, device))

    def encode(self, texts: list[str], **options: Any) -> np.ndarray:
        self.calls.append({"texts": texts, **options})
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float64)


def test_sentence_transformer_is_loaded_once_and_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer = RecordingSentenceTransformer  # type: ignore[attr-defined]
    RecordingSentenceTransformer.made, RecordingSentenceTransformer.calls = [], []
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    monkeypatch.setattr(embedding_models, "find_spec", lambda name: object())
    model = SentenceTransformerEmbeddingModel("own-model", model_batch_size=7, device="cuda")
    assert model.slug() == "sentence-transformers/own-model"
    assert RecordingSentenceTransformer.made == []
    assert asyncio.run(model.embed([])).shape == (0, 0)
    vectors = asyncio.run(model.embed(["ab", "c"]))
    asyncio.run(model.embed(["d"]))
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[2, 1], [1, 1]]
    assert RecordingSentenceTransformer.made == [("own-model", "cuda")]
    assert RecordingSentenceTransformer.calls[0]["batch_size"] == 7
    with pytest.raises(ValueError, match="model_batch_size is 0"):
        SentenceTransformerEmbeddingModel(model_batch_size=0)


def test_requests_a_minute_hold_for_all_that_an_open_model_is_asked(server: LoopbackServer) -> None:
    async def run() -> float:
        # Four a second, forty at once; and a slow-down that one call learns holds for the next.
        async with OpenAIEmbeddingModel(model_batch_size=1, requests_per_minute=240) as model:
            began = time.monotonic()
            for start in (0, 22):
                await model.embed([f"text {number}" for number in range(start, start + 22)])
            return time.monotonic() - began

    assert asyncio.run(run()) > 0.7
    assert server.stats.embeddings == 44


def test_tokens_a_minute_hold_for_texts(server: LoopbackServer) -> None:
    began = time.monotonic()
    embed(["kettle " * 400 for _ in range(3)] + ["violet " * 400], model_batch_size=1, tokens_per_minute=6_000)
    assert time.monotonic() - began > 0.3  # 1,000 at once and 100 a second


def test_progress_counts_texts_and_those_that_are_kept(server: LoopbackServer) -> None:
    heard: list[Progress] = []

    async def run() -> None:
        cache = Memory()
        async with OpenAIEmbeddingModel(model_batch_size=5, n_concurrent_jobs=1, cache=cache) as model:
            model.on_progress = heard.append
            await model.embed([f"text {number}" for number in range(7)] * 2)
            assert [(each.done, each.total) for each in heard] == [(5, 7), (7, 7)]
            await model.embed([f"text {number}" for number in range(9)])
            assert [(each.done, each.total) for each in heard[2:]] == [(7, 9), (9, 9)]
            server.faults = Faults(shares={"server_error": 1})
            with pytest.raises(LanguageModelError):
                await model.embed([f"text {number}" for number in range(12)])
            assert heard[-1] == Progress("embeddings", 12, 12, 3, "")

    asyncio.run(run())
