"""What files hold their rows in: lines of JSON or of text, CSV, Parquet, each gzipped or not, or a folder.

All of them are read row by row; what is broken is one Problem with its line.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path, PurePath
from typing import IO, Any, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from annotation.formats.items import UNREADABLE, Fields, Problem, Row

MAX_LINE = 16 * 1024 * 1024
"""Characters of a line. Longer ones are refused before they fill the memory."""
GZIP_MAGIC, PARQUET_MAGIC = b"\x1f\x8b", b"PAR1"
PARQUET_ROWS = 200
SUFFIXES = {".jsonl", ".json", ".csv", ".txt", ".parquet"}
FORMULA_STARTS = tuple("=+-@\t\r")
"""What writers of CSV put an apostrophe before, so that no spreadsheet computes it."""
CONVERSATIONS = {"prompt", "completion", "chosen", "rejected", "response1", "response2"}
"""Columns of CSV that hold a plain text, or a conversation as JSON."""


class Source:
    """A file, read row by row, that tells how far it is.

    Gzip and Parquet are known by their content; CSV and plain text only by the file's name.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._suffix = _suffix_of(name)
        self._parquet_bytes = 0

    @property
    def bytes_read(self) -> int:
        return self._parquet_bytes or self._file.tell()

    def rows(self) -> Iterator[Row]:
        line = 0
        try:
            for row in self._rows():
                line = row.line
                yield row
        except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
            detail = _("The file cannot be read beyond this line: %(error)s") % {"error": str(error)[:200]}
            yield Row(line, Problem(line=line, code=UNREADABLE, detail=detail))

    def _rows(self) -> Iterator[Row]:
        magic = self._file.read(len(PARQUET_MAGIC))
        self._file.seek(0)
        if magic == PARQUET_MAGIC:
            return self._parquet_rows()
        # Kept, since whoever forgets it closes the file, which can still be asked how far it is.
        self._text = as_text(self._file, is_gzip=magic.startswith(GZIP_MAGIC))
        return {".csv": csv_rows, ".txt": text_rows}.get(self._suffix, json_rows)(self._text)

    def _parquet_rows(self) -> Iterator[Row]:
        size = self._file.seek(0, 2)
        line = 0
        file = pq.ParquetFile(self._file)
        for batch in file.iter_batches(batch_size=PARQUET_ROWS):
            self._parquet_bytes = size * line // file.metadata.num_rows
            for row in batch.to_pylist():
                line += 1
                yield Row(line, row)
        self._parquet_bytes = size


def folder_rows(folder: Path) -> Iterator[Row]:
    """The rows of every data file in a folder, such as an export; each row knows its file."""
    files = (path for path in folder.iterdir() if _suffix_of(path.name) in SUFFIXES)
    for path in sorted(files):
        if path.name == "manifest.json":
            continue
        with path.open("rb") as file:
            for line, content, _none in Source(file, path.name).rows():
                is_problem = isinstance(content, Problem)
                yield Row(line, replace(content, file=path.name) if is_problem else content, path.name)  # type: ignore[type-var]


def as_text(file: IO[bytes], *, is_gzip: bool = False) -> TextIO:
    """Bytes that are no UTF-8 become lone surrogates, which each row then refuses."""
    content = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if is_gzip else file
    return TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")


def json_rows(file: TextIO) -> Iterator[Row]:
    """Line numbers from 1, each with its JSON object, or with the Problem that it is none.

    A file that is one JSON list instead is read whole; its items are counted from 1.
    """
    lines = enumerate(_lines(file), start=1)
    for line, text in lines:
        if text.lstrip().startswith("[") and line == 1:
            yield from _listed_rows([text, *(more for _line, more in lines)])
            return
        if text.strip():
            yield Row(line, _json_object(line, text))


def _listed_rows(lines: list[str]) -> Iterator[Row]:
    try:
        items = json.loads("".join(lines))
    except (ValueError, RecursionError) as error:
        detail = _("The list in this file is no valid JSON: %(error)s") % {"error": str(error)[:200]}
        yield Row(1, Problem(line=1, code="malformed_json", detail=detail))
        return
    for number, item in enumerate(items, start=1):
        detail = _("Item %(number)d of the list is no object.") % {"number": number}
        problem = Problem(line=number, code="malformed_json", detail=detail)
        yield Row(number, item if isinstance(item, dict) else problem)


def text_rows(file: TextIO) -> Iterator[Row]:
    """Each line is a prompt."""
    for line, text in enumerate(_lines(file), start=1):
        if text.strip():
            yield Row(line, _too_long(line) if len(text) > MAX_LINE else {"prompt": text.strip()})


def csv_rows(file: TextIO) -> Iterator[Row]:
    """Rows by the names in the first one. Empty cells are absent; lists and objects are written as JSON."""
    csv.field_size_limit(MAX_LINE)
    table = csv.reader(_lines(file))
    names: list[str] = []
    while True:
        line = table.line_num + 1
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            detail = _("This line is not valid CSV: %(error)s") % {"error": error}
            yield Row(line, Problem(line=line, code="malformed_csv", detail=detail))
            continue
        if not names:
            names = [name.strip() for name in cells]
        elif any(cells):
            yield Row(line, _csv_fields(line, names, cells))


def _csv_fields(line: int, names: list[str], cells: list[str]) -> Fields | Problem:
    if len(cells) > len(names):
        detail = _("This line has more cells than the first one, which names them.")
        return Problem(line=line, code="malformed_csv", detail=detail)
    return {name: _cell(name, text) for name, text in zip(names, cells, strict=False) if text}


def _cell(name: str, text: str) -> Any:
    if text.startswith("'") and text[1:].startswith(("'", *FORMULA_STARTS)):
        text = text[1:]
    if name == "label" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if not text.startswith(("[", "{")):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    is_text = name in CONVERSATIONS and not (value and all(isinstance(turn, dict) for turn in value))
    return text if is_text else value


def _lines(file: TextIO) -> Iterator[str]:
    """The file's lines; of a line that is too long only its beginning."""
    while text := file.readline(MAX_LINE + 1):
        yield text
        while text and not text.endswith(("\n", "\r")):
            text = file.readline(MAX_LINE)


def _json_object(line: int, text: str) -> Fields | Problem:
    if len(text) > MAX_LINE:
        return _too_long(line)
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        detail = _("This line is not valid JSON: %(error)s") % {"error": str(error)[:200]}
        return Problem(line=line, code="malformed_json", detail=detail)
    if not isinstance(row, dict):
        return Problem(line=line, code="malformed_row", detail=_("This line must be a JSON object."))
    return row


def _too_long(line: int) -> Problem:
    detail = _("This line has more than %(most)d characters.") % {"most": MAX_LINE}
    return Problem(line=line, code="text_too_long", detail=detail)


def _suffix_of(name: str) -> str:
    path = PurePath(name.lower().removesuffix(".gz"))
    return path.suffix
