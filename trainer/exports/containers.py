"""Files that hold rows: the same rows, the same bytes.

Rows of one snapshot share much: a prompt comes with each of its pairs. What is the same object is encoded
once for as long as its rows are together in memory.
"""

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainer.exports.rows import Row

Write = Callable[[Sequence[Row]], None]

ROWS_IN_GROUP = 5_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell for a formula by."""

_encode_json = json.JSONEncoder(ensure_ascii=False).encode


class Once:
    """Encodes a list or dictionary once; holds on to it, since only what lives has an identity."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}

    def __call__(self, value: Any) -> str:
        if not isinstance(value, list | dict):
            return _encode_json(value)
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, _encode_json(value))
        return known[1]


@contextmanager
def json_lines(path: Path, schema: pa.Schema) -> Iterator[Write]:
    with path.open("wb") as file:
        yield _json_into(file)


@contextmanager
def gzipped_json_lines(path: Path, schema: pa.Schema) -> Iterator[Write]:
    # Neither the time nor a name goes into the file: it is the same whenever it is written.
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        yield _json_into(packed)


def _json_into(file: IO[bytes] | gzip.GzipFile) -> Write:
    def write(rows: Sequence[Row]) -> None:
        encode = Once()
        lines = [
            "{" + ", ".join([f'"{name}": {encode(value)}' for name, value in row.items()]) + "}\n"
            for row in rows
        ]
        file.write("".join(lines).encode())

    return write


@contextmanager
def parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    waiting: list[Row] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as file:

        def write(rows: Sequence[Row]) -> None:
            waiting.extend(rows)
            while len(waiting) >= ROWS_IN_GROUP:
                file.write_table(_table(waiting[:ROWS_IN_GROUP], schema))
                del waiting[:ROWS_IN_GROUP]

        yield write
        if waiting:
            file.write_table(_table(waiting, schema))


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    columns = [_column([row[field.name] for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_nested(kind):
        return pa.array(values, kind)
    different = {id(value): value for value in values}
    places = {key: place for place, key in enumerate(different)}
    return pa.array(list(different.values()), kind).take(pa.array([places[id(value)] for value in values]))


@contextmanager
def comma_separated(path: Path, schema: pa.Schema) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(schema.names)

        def write(rows: Sequence[Row]) -> None:
            encode = Once()
            table.writerows([[cell(value, encode) for value in row.values()] for row in rows])

        yield write


def cell(value: Any, encode: Callable[[Any], str] = _encode_json) -> Any:
    """A text that a spreadsheet would compute gets an apostrophe before it, and so does one that would read
    as if it had: taking one away gives the text back. Numbers stay numbers."""
    if isinstance(value, list | dict):
        return encode(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    if isinstance(value, str) and value.startswith("'") and value[1:].startswith(("'", *FORMULA_STARTS)):
        return f"'{value}"
    return value


CONTAINERS = {
    "jsonl": json_lines,
    "jsonl.gz": gzipped_json_lines,
    "parquet": parquet,
    "csv": comma_separated,
}
