"""The abstract bases a user subclasses to plug in something of their own.

Names and signatures are Kura's, so a class written for Kura works here. Each may also be an async context manager: the
pipeline enters what has `__aenter__` once a run and closes it at the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from kura_dagster.pipeline.types import (
    Cluster,
    Conversation,
    ConversationSummary,
    GeneratedSummary,
    ProjectedCluster,
)

AnyModel = TypeVar("AnyModel", bound=BaseModel)


class BaseConversationSource(ABC):
    """Conversations from wherever a user keeps them; `kura-dagster ingest --class MODULE:CLASS` lands them."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the source is called; it stands before the conversations' ids."""

    @abstractmethod
    def read(self) -> Iterable[Conversation | Mapping[str, Any]]:
        """Yield conversations, or mappings with their fields as loosely as files have them.

        One that is not usable is set aside with a reason, and the rest goes on.
        """


class BaseEmbeddingModel(ABC):
    """Turns texts into vectors."""

    @abstractmethod
    async def embed(self, texts: list[str]) -> Sequence[Sequence[float]]:
        """Return an array-like of shape (n_texts, n_dims), in the order of `texts`.

        A model that has a vector for some of them only raises `SomeTextsFailed`, which holds those.
        """

    @abstractmethod
    def slug(self) -> str:
        """Return the name that is stored beside each vector, for example `minilm`."""


class BaseSummaryModel(ABC):
    """Turns conversations into summaries."""

    @abstractmethod
    async def summarise(
        self,
        conversations: list[Conversation],
        prompt: str | None = None,
        *,
        response_schema: type[GeneratedSummary] = GeneratedSummary,
        temperature: float | None = 0.2,
    ) -> list[ConversationSummary]:
        """Return one summary for each conversation, in order. `prompt=None` means the model's own prompt."""

    @property
    def checkpoint_filename(self) -> str:
        """The name under which the library's checkpoints keep this stage."""
        return "summaries"

    def embedding_text(self, conversation: Conversation, summary: ConversationSummary) -> str:
        """Return the text that stands for the conversation when it is embedded: meaning only, no ids, no metadata.

        By default the summary and the request; a model whose summaries carry less meaning than the conversation
        overrides it.
        """
        return "\n".join(part for part in (summary.summary, summary.request) if part)


class BaseClusteringMethod(ABC):
    """Groups embedded summaries."""

    @abstractmethod
    def cluster(self, items: list[dict[str, Any]]) -> dict[int, list[ConversationSummary]]:
        """Group `items`, each `{"item": ConversationSummary, "embedding": vector}`.

        Returns the items by cluster number. The key -1, where present, holds what belongs to no cluster.
        """


class BaseClusterDescriptionModel(ABC):
    """Names and describes groups of summaries."""

    @abstractmethod
    async def generate_clusters(
        self,
        cluster_id_to_summaries: dict[int, list[ConversationSummary]],
        prompt: str | None = None,
        max_contrastive_examples: int = 10,
    ) -> list[Cluster]:
        """Return a cluster for each group, or fewer where some ask the same; each conversation is in one of them.

        The summaries carry their `embedding` for models that need geometry.
        """

    @property
    def checkpoint_filename(self) -> str:
        """The name under which the library's checkpoints keep this stage."""
        return "clusters"


class BaseMetaClusterModel(ABC):
    """Builds the hierarchy, a round at a time. `max_clusters` is the most roots the hierarchy may have."""

    max_clusters: int = 10

    @abstractmethod
    async def reduce_clusters(self, clusters: list[Cluster]) -> list[Cluster]:
        """Return the given clusters, each with its `parent_id` where it got a parent, and their new parents."""

    @property
    def checkpoint_filename(self) -> str:
        """The name under which the library's checkpoints keep this stage."""
        return "meta_clusters"


class BaseDimensionalityReduction(ABC):
    """Places clusters on a plane."""

    @abstractmethod
    async def reduce_dimensionality(self, clusters: list[Cluster]) -> list[ProjectedCluster]:
        """Return every given cluster with finite coordinates and its level in the hierarchy."""

    @property
    def checkpoint_filename(self) -> str:
        """The name under which the library's checkpoints keep this stage."""
        return "dimensionality"


class BaseCheckpointManager(ABC):
    """Keeps the result of each stage for the library's procedural functions. (The Dagster project stores in DuckDB.)"""

    def __init__(self, checkpoint_dir: str | Path, *, enabled: bool = True) -> None:
        self.checkpoint_dir = Path(checkpoint_dir)
        self.enabled = enabled
        if enabled:
            self.setup_checkpoint_dir()

    @abstractmethod
    def setup_checkpoint_dir(self) -> None:
        """Make the place that holds the checkpoints."""

    @abstractmethod
    def load_checkpoint(self, filename: str, model_class: type[AnyModel]) -> list[AnyModel] | None:
        """Return what was saved under `filename`, or None where nothing was."""

    @abstractmethod
    def save_checkpoint(self, filename: str, data: list[AnyModel]) -> None:
        """Save `data` under `filename`, replacing what was there."""

    @abstractmethod
    def list_checkpoints(self) -> list[str]:
        """Return the names of the saved checkpoints, sorted."""

    @abstractmethod
    def delete_checkpoint(self, filename: str) -> bool:
        """Delete a checkpoint; True where there was one."""


class CacheStrategy(ABC):
    """Keeps answers of language models by key.

    Where several processes share what is kept, `lease`, `renew` and `release` keep them from paying for the same answer
    at the same time; without them, each question is asked by whoever finds no answer.
    """

    @abstractmethod
    def get(self, key: str) -> Any | None:
        """Return the value kept under `key`, or None."""

    @abstractmethod
    def set(self, key: str, value: Any) -> None:
        """Keep `value` under `key`."""

    def forget(self, chat_id: str) -> int:
        """Erase what was made of a conversation, and return how many values that were.

        What they are about stands in the values, see `language_model.erasure`. Without this method,
        `kura-dagster forget` can't erase them.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forget")

    def lease(self, key: str, seconds: float) -> bool:
        """Mark `key`, which has no value, as being asked for; False where somebody did or where it has a value by now.

        The mark ends after so many seconds, or when a value is set. `get` returns None for a key that is only marked.
        """
        return True

    def renew(self, key: str, seconds: float) -> None:  # noqa: B027 - nothing to do where nothing is marked
        """Let a mark end after so many seconds from now."""

    def release(self, key: str) -> None:  # noqa: B027
        """End a mark. A value that has been set stays."""
