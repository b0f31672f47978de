"""Where sources are: files, folders, patterns and addresses of object stores, each opened when its turn comes.

What is inside a file is `reading`'s knowledge. Addresses (`s3://…`, `gs://…`, `https://…`) are fsspec's, which reads
credentials from the provider's own variables and files.
"""

from __future__ import annotations

import fnmatch
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import Any, BinaryIO

from kura_dagster.pipeline.sources.checkpoints import conversations_file
from kura_dagster.pipeline.sources.detection import HEAD_BYTES, Format, detect
from kura_dagster.pipeline.sources.exports import is_conversations, without_companions
from kura_dagster.pipeline.sources.record import SourceError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".zip", ".gz")
"""What of a folder is read; a file that is named itself may be called anything."""

_REMOTE_BUFFER = 1 << 20
_CHECKPOINTS = ("summaries.jsonl", "clusters.jsonl", "meta_clusters.jsonl", "dimensionality.jsonl")


@dataclass(frozen=True)
class Place:
    """A file to read: its name for people, its size in bytes where that is known, and how to open it.

    `state` returns what changes when somebody writes to the file, or None where that can't be told.
    """

    name: str
    n_bytes: int | None
    open: Callable[[], BinaryIO]
    state: Callable[[], object]


@dataclass(frozen=True)
class NotRead:
    """A file that is not read, and why."""

    name: str
    reason: str


def find_places(paths: Sequence[str]) -> list[Place | NotRead]:
    """Return the files that these paths mean, in the order of the paths, those of a folder or a pattern by name.

    A path is a file, a folder (its files in a known format, and those of its folders; of Kura's checkpoints the
    conversations, and so of Claude's and ChatGPT's exports), a pattern with `*`, or an address. Of a folder or a
    pattern nothing is read but files: links that lead out of it, pipes and devices are told as not read.

    Raises:
        SourceError: a path leads nowhere, or an address can't be used.
    """
    found = [place for path in paths for place in (_at_address(path) if "://" in path else _on_disk(path))]
    # A file that two paths mean is read once.
    return list({place.name: place for place in found}.values())


def _on_disk(path: str) -> Iterator[Place | NotRead]:
    found = Path(path).expanduser()
    if found.is_dir():
        yield from _in_folder(found)
    elif found.exists():
        yield _file(found)
    elif has_magic(path):
        folder, matches = _matches(found)
        if not matches:
            raise SourceError(f"no file is called {shown(path)}")
        yield from (_found_in(folder.resolve(), match) for match in matches)
    else:
        raise SourceError(f"{shown(path)} does not exist")


def _in_folder(folder: Path) -> Iterator[Place | NotRead]:
    if any((folder / name).is_file() for name in _CHECKPOINTS):
        yield _file(conversations_file(folder))
        return
    unlisted: list[NotRead] = []
    found = sorted(
        path
        for where, names in _walk(folder, unlisted)
        for path in _of_one_folder(where / name for name in names if name.lower().endswith(SUFFIXES))
    )
    if not found and not unlisted:
        raise SourceError(f"{shown(folder)} holds no file that ends in {', '.join(SUFFIXES)}")
    inside = folder.resolve()
    yield from (_found_in(inside, path) for path in found)
    yield from unlisted


def _walk(folder: Path, unlisted: list[NotRead]) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder, and the folders in it, with the names of their files; neither what is hidden nor links."""

    def not_listed(error: OSError) -> None:
        unlisted.append(NotRead(shown(error.filename), f"this folder can't be listed: {error.strerror}"))

    for where, folders, names in os.walk(folder, onerror=not_listed):
        # os.walk goes only into what is left.
        folders[:] = sorted(name for name in folders if name[0] != ".")
        yield Path(where), [name for name in names if name[0] != "."]


def _of_one_folder(files: Iterable[Path]) -> list[Path]:
    """Leave out what stands beside the conversations in an export that was unpacked, which is JSON in all of them."""
    found = list(files)
    beside = [path for path in found if path.suffix.lower() == ".json"]
    if not any(is_conversations(path) and _is_vendors(path) for path in beside):
        return found
    left_out = set(beside) - set(without_companions(beside))
    return [path for path in found if path not in left_out]


def _is_vendors(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return detect(file.read(HEAD_BYTES), path.name) in (Format.CLAUDE, Format.CHATGPT)
    except (SourceError, OSError):
        return False  # which is told when it is read


def _matches(pattern: Path) -> tuple[Path, list[Path]]:
    """Return the folder in which a pattern looks, and what it matches there by name; `**` goes through no links."""
    parts = pattern.parts
    n_plain = next(position for position, part in enumerate(parts) if has_magic(part))
    folder = Path(*parts[:n_plain])
    found = {folder}
    for part in (*parts[n_plain:], "*") if parts[-1] == "**" else parts[n_plain:]:
        found = {path for each in found for path in _one_further(each, part)}
    return folder, sorted(path for path in found if not path.is_dir())


def _one_further(folder: Path, part: str) -> Iterator[Path]:
    if part == "**":
        yield from (where for where, _ in _walk(folder, []))
    elif not has_magic(part):
        if os.path.lexists(folder / part):
            yield folder / part
    elif folder.is_dir():
        with suppress(OSError):  # a pattern matches what can be seen
            yield from (
                folder / name for name in fnmatch.filter(os.listdir(folder), part) if name[0] != "." or part[0] == "."
            )


def _found_in(folder: Path, path: Path) -> Place | NotRead:
    """Return a file that was found rather than named: only what is one, and in the folder."""
    try:
        if not path.resolve().is_relative_to(folder):
            return NotRead(shown(path), "a link that leads out of its folder; name the file itself to read it")
        if not stat.S_ISREG(path.stat().st_mode):
            return NotRead(shown(path), "no file, but a pipe, a socket or a device; name it itself to read it")
        return _file(path)
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 tell links in a circle by the latter
        why = error.strerror if isinstance(error, OSError) else "a link to itself"
        return NotRead(shown(path), f"it can't be read: {why}")


def shown(path: str | Path) -> str:
    """Return a path as a text that can be written: bytes of it that are no UTF-8 become `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _file(path: Path) -> Place:
    def opened() -> BinaryIO:
        return path.open("rb")

    def state() -> object:
        found = path.stat()
        # A pipe's times change as it is written to, which is what it is for.
        return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None

    found = path.stat()
    # From the root: what is set aside is known by its file, and two folders may have one of the same name.
    return Place(shown(path.absolute()), found.st_size if stat.S_ISREG(found.st_mode) else None, opened, state)


def _at_address(url: str) -> Iterator[Place]:
    # 0.1 s to import, and most people have their files on disk.
    import fsspec

    try:
        files, root = fsspec.core.url_to_fs(url)
        paths = _addressed(files, root)
        details = {path: files.info(path) for path in paths}
    except ImportError as error:
        raise SourceError(f"{url} needs a package that is not installed: {error}") from None
    except Exception as error:  # each provider's library has its own, botocore's are no OSError
        raise SourceError(f"{url} can't be read: {_explained(error)}") from None
    if not paths:
        raise SourceError(f"no file is called {url}")
    for path in paths:
        yield Place(
            files.unstrip_protocol(path),
            details[path].get("size"),
            partial(_opened_remote, files, path),
            partial(_remote_state, files, path),
        )


def _addressed(files: Any, root: str) -> Iterable[str]:
    if has_magic(root):
        return sorted(files.glob(root))
    if files.isdir(root):
        return sorted(path for path in files.find(root) if path.lower().endswith(SUFFIXES))
    return [root] if files.exists(root) else []


_HINTS = (
    (
        ("NoCredentials", "PartialCredentials", "ProfileNotFound"),
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    (("Permission", "Forbidden"), "the credentials that are set may not read it"),
    (("EndpointConnection",), "see whether the network leads there, and what AWS_ENDPOINT_URL says"),
    (("Connect", "Timeout"), "see whether the network leads there"),
)


def _explained(error: Exception) -> str:
    """Return what went wrong at an object store, and what to look at, on a line."""
    kind, message = type(error).__name__, " ".join(str(error).split())
    hint = next((f"; {hint}" for words, hint in _HINTS if any(word in kind for word in words)), "")
    return f"{kind}: {message}{hint}"


@contextmanager
def _os_errors() -> Iterator[None]:
    """Turn what a provider's library raises into an OSError, as a file on disk raises."""
    try:
        yield
    except Exception as error:
        raise OSError(_explained(error)) from error


class _RemoteFile(io.RawIOBase):
    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Any) -> int:
        with _os_errors():
            read = self._file.read(len(buffer))
        buffer[: len(read)] = read
        return len(read)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _os_errors():
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def _opened_remote(files: Any, path: str) -> BinaryIO:
    with _os_errors():
        return io.BufferedReader(_RemoteFile(files.open(path, "rb")), _REMOTE_BUFFER)


def _remote_state(files: Any, path: str) -> object:
    with _os_errors():
        files.invalidate_cache()
        found = files.info(path)
    return found.get("size"), str(found.get("ETag") or found.get("mtime") or found.get("LastModified"))
