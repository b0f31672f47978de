"""A user's own source: a class that yields conversations from wherever they are kept.

Only the step from what it yields to records belongs here; the class itself is `base_classes.BaseConversationSource`.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from kura_dagster.pipeline.base_classes import BaseConversationSource
from kura_dagster.pipeline.sources.loose_content import kind_of
from kura_dagster.pipeline.sources.native import conversation_of
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.record import Read, Record, SourceError, Unusable, UnusableRecordError, beginning_of
from kura_dagster.pipeline.types import Conversation


class OwnClassError(SourceError):
    """A user's own class failed. The message names it, the record, the kind of error, and where it was raised."""


def records_of(source: BaseConversationSource, options: SourceOptions) -> Iterator[Record]:
    """Yield a record for each conversation of a user's own source, numbered from 1.

    Raises:
        OwnClassError: `read` raised something, or returned nothing to go through.
    """
    number = 0
    try:
        for found in source.read():
            number += 1
            # What is no mapping costs itself; to read an item may run code of the user's own.
            record = _record(number, found, options)
            yield record
    except Exception as error:  # it is the user's own code, which may raise anything
        if isinstance(error, SourceError):
            raise
        raise OwnClassError(_failure(source, number, error)) from error


def _record(number: int, found: Any, options: SourceOptions) -> Record:
    if not isinstance(found, (Conversation, Mapping)):
        reason = f"not a conversation: {kind_of(found)}, neither a Conversation nor a mapping"
        return Unusable(number, reason, None, "", None)
    fields = found.model_dump() if isinstance(found, Conversation) else dict(found)
    try:
        return Read(number, conversation_of(fields, options))
    except UnusableRecordError as error:
        return Unusable(number, str(error), error.chat_id, beginning_of(str(fields)), error.created_at)


def _failure(source: BaseConversationSource, number: int, error: Exception) -> str:
    # Not its message, which may quote a conversation. The innermost place outside of here is where to look.
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    where = f" in {Path(places[-1].filename).name}, line {places[-1].lineno}" if places else ""
    kind = type(source)
    return (
        f"{kind.__module__}:{kind.__qualname__} raised {type(error).__name__}{where} after record {number:,}; "
        "nothing was landed. Mend it and ingest again"
    )


def source_called(where: str) -> BaseConversationSource:
    """Return an instance of the class that `package.module:Class` names, of the current folder or installed.

    Raises:
        SourceError: there is no such class, or it is no `BaseConversationSource` that can be made without arguments.
        OwnClassError: its module or its making raised something.
    """
    module, _, name = where.partition(":")
    if not module or not name:
        raise SourceError(f"{where or 'an empty text'} names no class; write package.module:Class")
    # A console script's path begins at the script's own folder, where that of python -m is the current one.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SourceError(f"{where} can't be imported: {error}; write package.module:Class") from None
    except Exception as error:  # the module is the user's own code
        raise OwnClassError(f"{where} can't be imported: its module raised {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, BaseConversationSource)):
        raise SourceError(f"{where} is no subclass of BaseConversationSource")
    try:
        return found()
    except TypeError as error:
        raise SourceError(f"{where} can't be made without arguments: {error}") from None
    except Exception as error:  # and so is this
        raise OwnClassError(f"{where} can't be made: it raised {type(error).__name__}: {error}") from error
