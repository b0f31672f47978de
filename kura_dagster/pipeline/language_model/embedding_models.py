"""Embedding models beside the embedded MiniLM: OpenAI's protocol, sentence-transformers, Cohere.

Each loads its library when it is first asked, and holds one client that is closed: at the end of `async with`, or after
each call where it is used without.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Any

import numpy as np

from kura_dagster.pipeline.asked_about import marked
from kura_dagster.pipeline.base_classes import BaseEmbeddingModel, CacheStrategy
from kura_dagster.pipeline.failures import (
    NO_KEY,
    LanguageModelError,
    SomeTextsFailed,
    StopAsking,
    explain,
    is_temporary,
    may_be_billed,
    may_be_the_content,
    missing_key,
    wrong_url,
)
from kura_dagster.pipeline.language_model.answer_cache import answer_key
from kura_dagster.pipeline.language_model.client import Progress, answer_all, close_sdk, openai_http_client
from kura_dagster.pipeline.language_model.gateway import Gateway
from kura_dagster.pipeline.language_model.leases import Leases, Waiting
from kura_dagster.pipeline.language_model.ledger import Ledger
from kura_dagster.pipeline.language_model.pace import Pace
from kura_dagster.pipeline.language_model.prompts import readable
from kura_dagster.pipeline.language_model.tokens import expected_tokens, tokens_of

logger = logging.getLogger(__name__)

TIMEOUT = 60.0
"""Seconds that a request may take."""

EMPTY_TEXT = "(no text)"
"""What is embedded for a text without a letter: APIs refuse empty ones, and every conversation needs a vector."""

MAX_BYTES = 8_000
"""What is sent of a long text. OpenAI's models take 8,191 tokens and refuse more; no token is shorter than a byte."""


MOST_REFUSED = 20
"""Texts refused one by one while none was embedded; after so many it is hardly the texts, and batches stay whole."""


class _ApiEmbeddingModel(BaseEmbeddingModel):
    """Embeds in batches, several at once, over one client of a provider's SDK; vectors are kept text by text."""

    provider: str

    def __init__(
        self,
        model_name: str,
        model_batch_size: int,
        n_concurrent_jobs: int,
        cache: CacheStrategy | None,
        ledger: Ledger | None,
        timeout: float,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
    ) -> None:
        if model_batch_size < 1:
            raise ValueError(f"model_batch_size is {model_batch_size}; allowed is 1 or more")
        if n_concurrent_jobs < 1:
            raise ValueError(f"n_concurrent_jobs is {n_concurrent_jobs}; allowed is 1 or more")
        self.model_name = model_name
        self.model_batch_size = model_batch_size
        self.n_concurrent_jobs = n_concurrent_jobs
        self.cache = cache
        self.ledger = ledger or Ledger()
        self.timeout = timeout
        self.on_progress: Callable[[Progress], None] | None = None
        self.on_notice: Callable[[str], object] = logger.warning
        self._new_pace = partial(Pace, n_concurrent_jobs, requests_per_minute, tokens_per_minute)
        self._new_pace()  # refuses numbers out of range now and not when the model is opened
        self._sdk: Any = None
        self._gateway: Gateway | None = None

    def slug(self) -> str:
        """Return `<provider>/<model>`."""
        return f"{self.provider}/{self.model_name}"

    async def __aenter__(self) -> _ApiEmbeddingModel:
        """Open the client.

        Raises:
            LanguageModelError: the provider's key is not set.
        """
        if self._sdk is not None:
            raise RuntimeError(f"the embedding model {self.slug()} is open already")
        self._sdk = self._open()
        # One for all calls: what it learns of the provider's pace, and the limits a minute, hold from call to call.
        self._gateway = self._new_gateway(self._sdk)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sdk, self._sdk = self._sdk, None
        await close_sdk(sdk)

    async def embed(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]  # mypy calls no array a sequence
        """Return a float32 array of shape (n_texts, n_dims), in the order of `texts`; (0, 0) for no texts.

        Raises:
            StopAsking: the provider can't be asked, or not any more.
            SomeTextsFailed: some texts failed, as those that the provider refuses; it holds the vectors of the others.
        """
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        if self._sdk is not None and self._gateway is not None:
            return await self._embed(texts, self._sdk, self._gateway)
        # A client of this call's own: several calls may run at once, and none may close another's.
        sdk = self._open()
        try:
            return await self._embed(texts, sdk, self._new_gateway(sdk))
        finally:
            await close_sdk(sdk)

    def _new_gateway(self, sdk: Any) -> Gateway:
        return Gateway(
            self.slug(),
            pace=self._new_pace(),
            ledger=self.ledger,
            timeout=self.timeout,
            url=lambda: _url_of(sdk),
            notice=lambda text: self.on_notice(text),  # whoever hears it by then
        )

    async def _embed(self, texts: list[str], sdk: Any, gateway: Gateway) -> np.ndarray:
        url = _url_of(sdk)
        sent = [_sendable(text) for text in texts]
        keys = {text: self._key(text, url) for text in sent}
        whole = dict(zip(sent, texts, strict=True))
        vectors = {text: kept for text in keys if (kept := self._kept(keys[text], whole[text])) is not None}
        for _ in vectors:
            self.ledger.count_cache_hit()
        leases = Leases(self.cache)

        n_kept = len(vectors)
        failed: dict[str, str] = {}

        async def embed_batch(batch: list[str]) -> None:
            """Embed the texts; where they are refused together, each half by itself, down to those that are alone."""
            splits = len(batch) > 1 and (len(vectors) > n_kept or len(failed) < MOST_REFUSED)
            try:
                found = await self._embed_batch(batch, sdk, gateway, or_none=splits)
            except StopAsking:
                raise
            except LanguageModelError as error:
                failed.update(dict.fromkeys(batch, str(error)))
                return
            if found is None:
                middle = len(batch) // 2
                await embed_batch(batch[:middle])
                await embed_batch(batch[middle:])
                return
            for text, vector in zip(batch, found, strict=True):
                vectors[text] = vector
                self._keep(keys[text], vector, whole[text])

        async def embed_ours(batch: list[str]) -> None:
            """Embed what no other process is at."""
            ours = []
            for text in batch:
                if leases.take(keys[text]):
                    ours.append(text)
                elif (kept := self._kept(keys[text], whole[text])) is not None:  # by another process, meanwhile
                    vectors[text] = kept
                    self.ledger.count_cache_hit()
            try:
                if ours:
                    await embed_batch(ours)
            finally:
                for text in ours:
                    leases.done(keys[text], answered=text in vectors)
                report()

        def report() -> None:
            if self.on_progress is not None:
                done = len(vectors) + len(failed)
                self.on_progress(Progress("embeddings", done, len(keys), len(failed), ""))

        if vectors:
            report()
        waiting = Waiting()
        while missing := [text for text in keys if text not in vectors and text not in failed]:
            starts = range(0, len(missing), self.model_batch_size)
            await answer_all(
                [missing[start : start + self.model_batch_size] for start in starts],
                embed_ours,
                at_once=self.n_concurrent_jobs,
                what="batches of embeddings",
                names=[f"texts {start + 1} to {min(start + self.model_batch_size, len(missing))}" for start in starts],
            )
            if len(vectors) + len(failed) < len(keys):
                await waiting.a_while()  # other processes are at the rest
        if failed:
            failures = {position: failed[text] for position, text in enumerate(sent) if text in failed}
            raise SomeTextsFailed([vectors.get(text) for text in sent], failures, self.slug())
        return np.stack([vectors[text] for text in sent])

    def _key(self, text: str, url: str | None) -> str:
        return answer_key("embedding", provider=self.provider, model=self.model_name, url=url, text=text)

    def _kept(self, key: str, text: str) -> np.ndarray | None:
        kept = self.cache.get(key) if self.cache is not None else None
        if kept is None:
            return None
        if self.cache is not None and (more := marked(kept, text)) is not None:
            self.cache.set(key, more)
        return np.frombuffer(base64.b64decode(kept["float32"]), dtype="<f4")

    def _keep(self, key: str, vector: np.ndarray, text: str) -> None:
        if self.cache is not None:
            # A quarter of the same numbers as decimals.
            to_keep = {"float32": base64.b64encode(vector.astype("<f4").tobytes()).decode()}
            self.cache.set(key, marked(to_keep, text) or to_keep)

    async def _embed_batch(self, batch: list[str], sdk: Any, gateway: Gateway, *, or_none: bool) -> np.ndarray | None:
        """Return the vectors; with `or_none`, None where a part of the texts may be all that is refused."""
        tokens = sum(map(expected_tokens, batch))
        splits = False  # what the latest attempt says

        async def request() -> np.ndarray | None:
            nonlocal splits
            splits = False
            async with gateway.own_waiting():
                reservation = await self.ledger.reserve_in_turn(self.slug(), tokens, answers=False)
            try:
                response = await self._request(batch, sdk)
                counted, _ = tokens_of(response)
                reservation.settle(counted, 0)
                vectors = np.asarray(self._vectors(response), dtype=np.float32)
                if vectors.ndim != 2 or len(vectors) != len(batch):
                    raise LanguageModelError(
                        f"{self.slug()} answered {len(batch)} texts with an array of shape {vectors.shape}."
                    )
                if not np.isfinite(vectors).all():
                    raise LanguageModelError(f"{self.slug()} answered with a number that is not finite.")
                return vectors
            except asyncio.CancelledError:
                reservation.lose()  # given up while the provider was at it
                raise
            except Exception as error:
                if may_be_billed(error):
                    reservation.lose()
                splits = or_none and may_be_the_content(error)
                if splits and not is_temporary(error) and not self._stops(error):
                    return None  # an answer too: nothing is given up, and it is no use to send the same again
                raise
            finally:
                reservation.release()

        try:
            return await gateway.send(request, tokens=tokens, asked="\n".join(batch))
        except StopAsking:
            raise
        except LanguageModelError:
            if not splits:
                raise
        return None

    def _stops(self, error: Exception) -> bool:
        """Whether the gateway may take the error for a reason to ask nothing more, and not for the texts' fault."""
        return isinstance(explain(error, model=self.slug(), url=None, timeout=self.timeout, asked=""), StopAsking)

    def _api_key(self) -> str | None:
        """Return None, for the key in the provider's own variable, or what stands for one where nothing is sent.

        Raises:
            SetupError: the variable is not set.
        """
        failure = missing_key(self.provider, self.slug())
        if failure is not None and self.ledger.sends:
            raise failure
        return None if failure is None else NO_KEY

    @abstractmethod
    def _open(self) -> Any:
        """Return a client of the provider's SDK."""

    @abstractmethod
    async def _request(self, batch: list[str], sdk: Any) -> Any:
        """Return the SDK's response to one batch."""

    @abstractmethod
    def _vectors(self, response: Any) -> Sequence[Sequence[float]]:
        """Return the vectors in a response, in the order of the texts."""


class OpenAIEmbeddingModel(_ApiEmbeddingModel):
    """OpenAI's embeddings, or any server's that speaks its protocol (`OPENAI_BASE_URL`); needs `OPENAI_API_KEY`.

    Args:
        model_name: the provider's name of the model.
        model_batch_size: texts to a request.
        n_concurrent_jobs: requests in flight at once.
        cache: keeps vectors, text by text; None keeps nothing.
        ledger: counts and limits; models of a run share one.
        timeout: in seconds, for a request.
        requests_per_minute: None means no limit.
        tokens_per_minute: of the texts, about; None means no limit.

    Raises:
        ValueError: a number is below 1.
    """

    provider = "openai"

    def __init__(
        self,
        model_name: str = "text-embedding-3-small",
        model_batch_size: int = 50,
        n_concurrent_jobs: int = 20,
        *,
        cache: CacheStrategy | None = None,
        ledger: Ledger | None = None,
        timeout: float = TIMEOUT,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> None:
        super().__init__(
            model_name,
            model_batch_size,
            n_concurrent_jobs,
            cache,
            ledger,
            timeout,
            requests_per_minute,
            tokens_per_minute,
        )

    def _open(self) -> Any:
        # openai takes half a second to import, and a code location that only loads embeds nothing.
        import openai

        if failure := wrong_url(self.provider):
            raise failure
        return openai.AsyncOpenAI(
            api_key=self._api_key(),
            timeout=self.timeout,
            max_retries=0,  # the gateway tries again
            http_client=openai_http_client(),
        )

    async def _request(self, batch: list[str], sdk: Any) -> Any:
        return await sdk.embeddings.create(input=batch, model=self.model_name)

    def _vectors(self, response: Any) -> Sequence[Sequence[float]]:
        return [each.embedding for each in sorted(response.data, key=lambda each: each.index)]


class CohereEmbeddingModel(_ApiEmbeddingModel):
    """Cohere's embeddings, made for clustering; needs `CO_API_KEY` and the extra `cohere`.

    Args:
        model_name: Cohere's name of the model.
        model_batch_size: texts to a request; Cohere takes 96 at most.
        n_concurrent_jobs: requests in flight at once.
        cache: keeps vectors, text by text; None keeps nothing.
        ledger: counts and limits; models of a run share one.
        timeout: in seconds, for a request.
        requests_per_minute: None means no limit.
        tokens_per_minute: of the texts, about; None means no limit.
        input_type: what the vectors are for, in Cohere's words.

    Raises:
        ValueError: a number is out of range.
        ImportError: the extra is not installed.
    """

    provider = "cohere"

    def __init__(
        self,
        model_name: str = "embed-v4.0",
        model_batch_size: int = 96,
        n_concurrent_jobs: int = 5,
        input_type: str = "clustering",
        *,
        cache: CacheStrategy | None = None,
        ledger: Ledger | None = None,
        timeout: float = TIMEOUT,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> None:
        _require("cohere", extra="cohere")
        if model_batch_size > 96:
            raise ValueError(f"model_batch_size is {model_batch_size}; allowed is 96 or less")
        super().__init__(
            model_name,
            model_batch_size,
            n_concurrent_jobs,
            cache,
            ledger,
            timeout,
            requests_per_minute,
            tokens_per_minute,
        )
        self.input_type = input_type

    def _open(self) -> Any:
        import cohere

        if failure := wrong_url(self.provider):
            raise failure
        # Its own default for the URL is read when the module is imported, which may be before the variable is set.
        return cohere.AsyncClientV2(
            api_key=self._api_key(), base_url=os.environ.get("CO_API_URL"), timeout=self.timeout
        )

    def _key(self, text: str, url: str | None) -> str:
        return answer_key(
            "embedding",
            provider=self.provider,
            model=self.model_name,
            url=os.environ.get("CO_API_URL"),
            text=text,
            input_type=self.input_type,
        )

    async def _request(self, batch: list[str], sdk: Any) -> Any:
        return await sdk.embed(
            texts=batch, model=self.model_name, input_type=self.input_type, embedding_types=["float"]
        )

    def _vectors(self, response: Any) -> Sequence[Sequence[float]]:
        return response.embeddings.float_  # type: ignore[no-any-return]


class SentenceTransformerEmbeddingModel(BaseEmbeddingModel):
    """Any model of the sentence-transformers library, on this machine; needs the extra `sentence-transformers`.

    The library fetches a model from its hub the first time it is named.

    Args:
        model_name: the model's name on the hub, or a folder.
        model_batch_size: texts to a batch.
        device: where it runs, in torch's words: `cpu`, `cuda`, `mps`.

    Raises:
        ValueError: `model_batch_size` is below 1.
        ImportError: the extra is not installed.
    """

    def __init__(self, model_name: str = "all-MiniLM-L6-v2", model_batch_size: int = 128, device: str = "cpu") -> None:
        _require("sentence_transformers", extra="sentence-transformers")
        if model_batch_size < 1:
            raise ValueError(f"model_batch_size is {model_batch_size}; allowed is 1 or more")
        self.model_name = model_name
        self.model_batch_size = model_batch_size
        self.device = device
        self._loaded: Any = None

    def slug(self) -> str:
        """Return `sentence-transformers/<model>`."""
        return f"sentence-transformers/{self.model_name}"

    async def embed(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]  # mypy calls no array a sequence
        """Return a float32 array of shape (n_texts, n_dims), in the order of `texts`; (0, 0) for no texts."""
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        return await asyncio.to_thread(self._encode, [readable(text) for text in texts])

    def _encode(self, texts: list[str]) -> np.ndarray:
        if self._loaded is None:
            from sentence_transformers import SentenceTransformer

            self._loaded = SentenceTransformer(self.model_name, device=self.device)
        vectors = self._loaded.encode(
            texts, batch_size=self.model_batch_size, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def _url_of(sdk: Any) -> str | None:
    return str(getattr(sdk, "base_url", "")) or None


def _sendable(text: str) -> str:
    # No character is shorter than a byte: of a text of megabytes only the beginning is looked at.
    start = readable(text[:MAX_BYTES]).encode()[:MAX_BYTES].decode("utf-8", "ignore")
    return start if start.strip() else EMPTY_TEXT


def _require(module: str, *, extra: str) -> None:
    if find_spec(module) is None:
        raise ImportError(
            f"the package {module.replace('_', '-')} is not installed; "
            f"install it with: pip install 'kura_dagster[{extra}]'"
        )
