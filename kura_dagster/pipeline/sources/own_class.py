"""A user's own source: a class that yields conversations from wherever they are kept.

Only the step from what it yields to records belongs here; the class itself is `base_classes.BaseConversationSource`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from kura_dagster.pipeline.base_classes import BaseConversationSource
from kura_dagster.pipeline.sources.native import conversation_of
from kura_dagster.pipeline.sources.options import SourceOptions
from kura_dagster.pipeline.sources.record import Read, Record, SourceError, Unusable, UnusableRecordError, beginning_of
from kura_dagster.pipeline.types import Conversation


def records_of(source: BaseConversationSource, options: SourceOptions) -> Iterator[Record]:
    """Yield a record for each conversation of a user's own source, numbered from 1."""
    for number, found in enumerate(source.read(), start=1):
        fields = found.model_dump() if isinstance(found, Conversation) else dict(found)
        try:
            yield Read(number, conversation_of(fields, options))
        except UnusableRecordError as error:
            yield Unusable(number, str(error), error.chat_id, beginning_of(str(fields)), error.created_at)


def source_called(where: str) -> BaseConversationSource:
    """Return an instance of the class that `package.module:Class` names, of the current folder or installed.

    Raises:
        SourceError: there is no such class, or it is no `BaseConversationSource` that can be made without arguments.
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
    if not (isinstance(found, type) and issubclass(found, BaseConversationSource)):
        raise SourceError(f"{where} is no subclass of BaseConversationSource")
    try:
        return found()
    except TypeError as error:
        raise SourceError(f"{where} can't be made without arguments: {error}") from None
