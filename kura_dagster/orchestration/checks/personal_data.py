"""Checks that look for personal data in what is shown of conversations: their summaries, and clusters' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from kura_dagster.orchestration.checks.check import Columns, Found, PartitionCheck
from kura_dagster.pipeline.privacy.personal_data import find_kinds
from kura_dagster.storage.tables import BASE_CLUSTERS, META_CLUSTERS, SUMMARIES, Table

_KIND_NAMES = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "card": "the number of a card",
    "iban": "an IBAN",
    "ip": "an IP address",
    "secret": "a key or token",
    "password": "a password",
    "number": "the number of an account, an order or a paper",
}


def _personal_data_check(table: Table, row_id: str, columns: Sequence[str]) -> PartitionCheck:
    """Return what finds personal data in columns of texts; the value itself is never told, checks stay in the log."""

    def find_faults(tables: Columns) -> Iterator[str]:
        for row in tables[table.name]:
            for column in columns:
                value = getattr(row, column)
                kinds: Counter[str] = Counter()
                for text in value if isinstance(value, list) else [value or ""]:
                    kinds += find_kinds(text)
                for kind in sorted(kinds):
                    yield f"{table.name} {getattr(row, row_id)} has what looks like {_KIND_NAMES[kind]} in {column}"

    return PartitionCheck(
        table=table,
        name="no_personal_data",
        description="No e-mail address, phone number, card, IBAN, IP address, key, password or number of a paper "
        f"stands in {', '.join(columns)}. Names of people are not looked for. A finding may be a false alarm; the "
        "rows say.",
        columns={table: [row_id, *columns]},
        blocking=False,
        find=lambda tables: Found(list(find_faults(tables))),
        remedy="Look at these rows; KURA_REDACTION=on takes personal data out before a model sees it.",
    )


PERSONAL_DATA_CHECKS = (
    _personal_data_check(SUMMARIES, "chat_id", ["summary", "request", "topic", "task", "assistant_errors"]),
    _personal_data_check(BASE_CLUSTERS, "cluster_id", ["name", "description"]),
    _personal_data_check(META_CLUSTERS, "cluster_id", ["name", "description"]),
)
