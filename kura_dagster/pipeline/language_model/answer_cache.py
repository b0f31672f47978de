"""Answers that were paid for, kept under everything that could change them.

instructor has a cache of its own, which does not do: its key holds the account's key, so that a new one would pay for
everything again, it keeps neither embeddings nor what an answer cost, and its DiskCache unpickles what it finds.
What is kept here is JSON, in diskcache's SQLite files, which processes share; a row that is a pickle is never loaded.
Whose answer it is (chat ids, metadata) is never part of it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kura_dagster.pipeline.asked_about import hash_of
from kura_dagster.pipeline.base_classes import CacheStrategy
from kura_dagster.pipeline.failures import StopAsking

if TYPE_CHECKING:
    import diskcache

SIZE_LIMIT = 2 * 1024**3
"""Bytes that the answers may take; above it the oldest go first."""

_OWN_PORTS = {"http": 80, "https": 443}


_BEING_ASKED = "null"
"""What stands under the key of a question that a process is asking: JSON, and no answer."""


class CacheError(StopAsking):
    """The cache cannot be used, so nothing is asked: the answers would be lost. The message says what to do."""


@dataclass(frozen=True)
class CacheStatistics:
    """What a cache holds: answers, the bytes they take on disk, and how many they may take."""

    n_answers: int
    n_bytes: int
    size_limit: int


def answer_key(kind: str, *, provider: str, model: str, url: str | None, **asked: Any) -> str:
    """Return the key of an answer: the hash of all that could change it.

    Args:
        kind: what sort of answer it is, as "chat" or "embedding".
        provider: the provider's name.
        model: the model's name there.
        url: the provider's address, of which the host counts, and the port where it is not the scheme's own; None for
            the provider's own.
        asked: the rest, as JSON: prompt, response schema, temperature.

    Raises:
        TypeError: something in `asked` is not JSON.
    """
    address = urlsplit(url or "")
    whole = {
        "kind": kind,
        "provider": provider,
        "model": model,
        "host": address.hostname,
        "port": None if address.port == _OWN_PORTS.get(address.scheme) else address.port,
        **asked,
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class DiskCacheStrategy(CacheStrategy):
    """Answers in a folder that several processes use at once; what is set survives a kill at any time.

    Args:
        folder: made where it is missing. One cache is one folder.
        size_limit: bytes; above it the answers stored longest ago are dropped.
    """

    def __init__(self, folder: str | Path, size_limit: int = SIZE_LIMIT) -> None:
        self.folder = Path(folder)
        self.size_limit = size_limit
        self._opened: diskcache.Cache | None = None

    def get(self, key: str) -> Any | None:
        """Return the answer kept under `key`, or None.

        Raises:
            CacheError: the folder can't be used.
        """
        return _read(self._cache("get", key))

    def set(self, key: str, value: Any) -> None:
        """Keep `value`, which has to be JSON, under `key`.

        Raises:
            CacheError: the folder can't be used.
            TypeError: the value is not JSON.
        """
        self._cache("set", key, json.dumps(value, ensure_ascii=True, separators=(",", ":")))

    def lease(self, key: str, seconds: float) -> bool:
        """Mark `key` as being asked for; False where it is marked, or has an answer.

        Raises:
            CacheError: the folder can't be used.
        """
        return bool(self._cache("add", key, _BEING_ASKED, seconds))

    def renew(self, key: str, seconds: float) -> None:
        """Let a mark end after so many seconds from now."""
        if self._cache("get", key) == _BEING_ASKED:
            self._cache("touch", key, seconds)

    def release(self, key: str) -> None:
        """End a mark."""
        if self._cache("get", key) == _BEING_ASKED:
            self._cache("delete", key)

    def delete(self, key: str) -> bool:
        """Forget an answer; True where there was one."""
        return bool(self._cache("delete", key))

    def forget(self, chat_id: str) -> int:
        """Erase every answer that was made of a conversation, also from the files' free space; return how many."""
        if not self._exists:
            return 0
        mark = f'"{hash_of(chat_id)}"'
        about = [key for key in self._cache("iterkeys") if mark in (self._cache("get", key) or "")]
        for key in about:
            self._cache("delete", key)
        if about:
            self.close()
            with closing(sqlite3.connect(self.folder / "cache.db", timeout=60)) as connection:
                connection.execute("VACUUM")  # what is deleted stays readable in free pages
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(about)

    def clear(self) -> int:
        """Forget all answers and return how many there were."""
        return int(self._cache("clear")) if self._exists else 0

    def statistics(self) -> CacheStatistics:
        """Return what the cache holds; one that is not there yet is not made for it."""
        if not self._exists:
            return CacheStatistics(0, 0, self.size_limit)
        self._cache("expire")  # marks of processes that were killed
        return CacheStatistics(int(self._cache("__len__")), int(self._cache("volume")), self.size_limit)

    def close(self) -> None:
        """Close the files."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _exists(self) -> bool:
        try:
            (self.folder / "cache.db").stat()
        except FileNotFoundError:
            return False
        except OSError:
            pass  # a file in the place of the folder, say: it is told of where the cache is used
        return True

    def _cache(self, operation: str, *arguments: Any) -> Any:
        """Do one operation of diskcache, its errors explained."""
        import diskcache

        try:
            if self._opened is None:
                self._opened = _open(self.folder, self.size_limit)
            return getattr(self._opened, operation)(*arguments)
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            raise CacheError(
                f"The cache of answers in {self.folder} can't be used ({type(error).__name__}: {error}). Is the folder "
                "writable and its disk not full? Where the files are damaged, delete the folder: its "
                "answers would be paid for again."
            ) from error


def _read(text: str | bytes | None) -> Any | None:
    """Return what a text holds, None where it is no JSON: such an answer is asked for anew."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, TypeError):
        return None


def _open(folder: Path, size_limit: int) -> diskcache.Cache:
    # 30 ms to import, and a code location that only loads asks nothing.
    import diskcache

    class TextDisk(diskcache.Disk):
        """Stores text as it is, and loads nothing else: a pickle in the files would run code."""

        def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
            if mode == diskcache.core.MODE_PICKLE:
                return None
            return super().fetch(mode, filename, value, read)

        def get(self, key: Any, raw: bool) -> Any:
            return super().get(key, raw) if raw else None

    # A write waits for no disk (SQLite's NORMAL in WAL mode): what is written survives a killed process at once, and a
    # power cut up to the last checkpoint.
    # A question's row is read or written once in a run: a megabyte of pages does as well as diskcache's 32 and 64 of
    # mapped file, which filled with all that a long run was answered.
    return diskcache.Cache(
        str(folder),
        disk=TextDisk,
        size_limit=size_limit,
        eviction_policy="least-recently-stored",
        sqlite_synchronous=1,
        sqlite_cache_size=256,
        sqlite_mmap_size=0,
    )


class RedisCacheStrategy(CacheStrategy):
    """Answers on a Redis server, for machines that share no disk; needs the extra `redis`.

    Args:
        url: as `redis://host:6379/0`. Its password stays out of messages.
        prefix: of the keys.

    Raises:
        ImportError: the extra is not installed.
    """

    def __init__(self, url: str = "redis://127.0.0.1:6379/0", prefix: str = "kura:answer:") -> None:
        try:
            import redis
        except ImportError as error:
            raise ImportError(
                "the package redis is not installed; install it with: pip install 'kura_dagster[redis]'"
            ) from error
        self.prefix = prefix
        self._host = urlsplit(url).hostname
        self._error = redis.RedisError
        self._client = redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5)

    def get(self, key: str) -> Any | None:
        """Return the answer kept under `key`, or None.

        Raises:
            CacheError: the server can't be asked.
        """
        return _read(self._ask("get", self.prefix + key))

    def set(self, key: str, value: Any) -> None:
        """Keep `value`, which has to be JSON, under `key`.

        Raises:
            CacheError: the server can't be asked.
            TypeError: the value is not JSON.
        """
        self._ask("set", self.prefix + key, json.dumps(value, ensure_ascii=True, separators=(",", ":")))

    def lease(self, key: str, seconds: float) -> bool:
        """Mark `key` as being asked for; False where it is marked, or has an answer.

        Raises:
            CacheError: the server can't be asked.
        """
        return bool(self._ask("set", self.prefix + key, _BEING_ASKED, nx=True, px=int(1000 * seconds)))

    def renew(self, key: str, seconds: float) -> None:
        """Let a mark end after so many seconds from now."""
        if self._is_marked(key):
            self._ask("pexpire", self.prefix + key, int(1000 * seconds))

    def release(self, key: str) -> None:
        """End a mark."""
        if self._is_marked(key):
            self._ask("delete", self.prefix + key)

    def forget(self, chat_id: str) -> int:
        """Erase every answer that was made of a conversation; return how many.

        Raises:
            CacheError: the server can't be asked.
        """
        mark = f'"{hash_of(chat_id)}"'.encode()
        about = [
            key
            for key in self._ask("scan_iter", match=f"{self.prefix}*", count=1000)
            if mark in (self._ask("get", key) or b"")
        ]
        return int(self._ask("delete", *about)) if about else 0

    def _is_marked(self, key: str) -> bool:
        return self._ask("get", self.prefix + key) == _BEING_ASKED.encode()

    def _ask(self, operation: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._client, operation)(*arguments, **options)
        except self._error as error:
            raise CacheError(f"Redis at {self._host} can't be asked: {type(error).__name__}.") from error
