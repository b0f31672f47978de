"""Where sources are: files, folders, patterns and addresses of object stores, each opened when its turn comes.

What is inside a file is `reading`'s knowledge. Addresses (`s3://…`, `gs://…`, `https://…`) are fsspec's, which reads
credentials from the provider's own variables and files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO

from kura_dagster.pipeline.sources.checkpoints import conversations_file
from kura_dagster.pipeline.sources.record import SourceError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".zip", ".gz")
"""What of a folder is read; a file that is named itself may be called anything."""

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
    conversations), a pattern with `*`, or an address. A link in a folder that leads out of it is not followed.

    Raises:
        SourceError: a path leads nowhere, or an address can't be used.
    """
    return [place for path in paths for place in (_at_address(path) if "://" in path else _on_disk(path))]


def _on_disk(path: str) -> Iterator[Place | NotRead]:
    found = Path(path).expanduser()
    if found.is_dir():
        yield from _in_folder(found)
    elif found.exists():
        yield _file(found)
    elif has_magic(path):
        matches = [Path(match) for match in sorted(glob(str(found), recursive=True))]
        if not matches:
            raise SourceError(f"no file is called {path}")
        for match in matches:
            if match.is_file():
                yield _file(match)
    else:
        raise SourceError(f"{path} does not exist")


def _in_folder(folder: Path) -> Iterator[Place | NotRead]:
    if any((folder / name).is_file() for name in _CHECKPOINTS):
        yield _file(conversations_file(folder))
        return
    inside = folder.resolve()
    found = sorted(
        Path(where) / name
        for where, folders, names in os.walk(folder)
        for name in names
        if _keep_visible(folders) and name[0] != "." and name.lower().endswith(SUFFIXES)
    )
    if not found:
        raise SourceError(f"{folder} holds no file that ends in {', '.join(SUFFIXES)}")
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            yield NotRead(str(path), "a link that leads out of its folder; name the file itself to read it")
        else:
            yield _file(path)


def _keep_visible(folders: list[str]) -> bool:
    # os.walk goes only into what is left.
    folders[:] = sorted(name for name in folders if name[0] != ".")
    return True


def _file(path: Path) -> Place:
    def opened() -> BinaryIO:
        return path.open("rb")

    def state() -> object:
        found = path.stat()
        return found.st_size, found.st_mtime_ns, found.st_ino

    return Place(str(path), path.stat().st_size, opened, state)


def _at_address(url: str) -> Iterator[Place]:
    # 0.1 s to import, and most people have their files on disk.
    import fsspec

    try:
        files, root = fsspec.core.url_to_fs(url)
        paths = _addressed(files, root)
        details = {path: files.info(path) for path in paths}
    except ImportError as error:
        raise SourceError(f"{url} needs a package that is not installed: {error}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{url} can't be read: {type(error).__name__}: {error}") from None
    if not paths:
        raise SourceError(f"no file is called {url}")
    for path in paths:
        yield Place(
            files.unstrip_protocol(path),
            details[path].get("size"),
            partial(files.open, path, "rb"),
            partial(_remote_state, files, path),
        )


def _addressed(files: Any, root: str) -> Iterable[str]:
    if has_magic(root):
        return sorted(files.glob(root))
    if files.isdir(root):
        return sorted(path for path in files.find(root) if path.lower().endswith(SUFFIXES))
    return [root] if files.exists(root) else []


def _remote_state(files: Any, path: str) -> object:
    files.invalidate_cache()
    found = files.info(path)
    return found.get("size"), str(found.get("ETag") or found.get("mtime") or found.get("LastModified"))
