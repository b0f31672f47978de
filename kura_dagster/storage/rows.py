"""The codec between row objects and frames that DuckDB takes without guessing.

Lists and dictionaries travel as JSON text and every scalar column has an explicit dtype, because DuckDB infers the type
of an object column from a sample of it and would stumble over a column of nulls. Only vectors stay objects: a column of
float32 arrays is unambiguous, and as JSON it would be forty times larger.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from kura_dagster.storage.tables import PARTITION_COLUMN, Column, Table

_DTYPES = {
    "VARCHAR": "str",
    "TINYINT": "Int8",
    "INTEGER": "Int32",
    "DOUBLE": "float64",
    "BOOLEAN": "bool",
    "TIMESTAMPTZ": "datetime64[us, UTC]",
}
_JSON_TYPES = ("JSON", "VARCHAR[]")
VECTOR = "FLOAT[]"


def to_frame(table: Table, partition_date: Any, rows: Sequence[BaseModel]) -> pd.DataFrame:
    """Return the rows of one partition as a frame with the table's columns, typed also when there are none.

    Raises:
        TypeError: a row is not of the table's row type.
        ValueError: two rows share the table's key.
    """
    for row in rows:
        if not isinstance(row, table.row_type):
            raise TypeError(f"{table.name} takes rows of {table.row_type.__name__}, not {type(row).__name__}")
    _refuse_duplicates(table, rows)
    columns = {column.name: _series(column, (getattr(row, column.name) for row in rows)) for column in table.columns}
    frame = pd.DataFrame(columns)
    frame.insert(0, PARTITION_COLUMN, pd.Series([partition_date] * len(rows), dtype=object))
    return frame


def content_digest(rows_by_table: Mapping[Table, Sequence[BaseModel]]) -> str:
    """Return a hash of what the rows say, the same for the same rows in any order."""
    digest = hashlib.sha256()
    for table, rows in rows_by_table.items():
        digest.update(f"\n{table.name}\n".encode())
        for row in sorted(rows, key=lambda row: [str(getattr(row, name)) for name in table.key]):
            for column in table.columns:
                value = getattr(row, column.name)
                if isinstance(value, np.ndarray):
                    digest.update(value.tobytes())
                else:
                    digest.update(_json(value, default=str).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def insert_projection(table: Table) -> str:
    """Return the SQL select list that turns such a frame's columns into the table's types."""
    partition = f"CAST({PARTITION_COLUMN} AS VARCHAR) AS {PARTITION_COLUMN}"
    return ", ".join([partition, *(_cast(column) for column in table.columns)])


def decoded(table: Table, names: Sequence[str], record: Sequence[Any]) -> dict[str, Any]:
    """Return a database record, whose values stand in the order of `names`, as the fields of a row."""
    json_columns = {column.name for column in table.columns if column.type == "JSON"}
    return {
        name: json.loads(value) if name in json_columns and value is not None else value
        for name, value in zip(names, record, strict=True)
    }


def _series(column: Column, values: Iterable[Any]) -> pd.Series:
    if column.type in _JSON_TYPES:
        return pd.Series([None if value is None else _json(value) for value in values], dtype="str")
    if column.type == VECTOR:
        return pd.Series(list(values), dtype=object)
    series = pd.Series(list(values), dtype=_DTYPES[column.type])
    if column.type == "DOUBLE" and series.isna().any():
        raise ValueError(f"{column.name} is not a number in {series.isna().sum()} rows")
    return series


def _json(value: Any, *, default: Callable[[Any], str] | None = None) -> str:
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        value = [item.model_dump(mode="json") for item in value]
    return json.dumps(value, ensure_ascii=False, default=default)


def _cast(column: Column) -> str:
    if column.type == "VARCHAR[]":
        return f'CAST(CAST("{column.name}" AS JSON) AS VARCHAR[]) AS "{column.name}"'
    return f'CAST("{column.name}" AS {column.type}) AS "{column.name}"'


def _refuse_duplicates(table: Table, rows: Sequence[BaseModel]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(getattr(row, name) for name in table.key)
        if key in seen:
            raise ValueError(f"{table.name} has two rows with {', '.join(table.key)} {key} in one partition")
        seen.add(key)
