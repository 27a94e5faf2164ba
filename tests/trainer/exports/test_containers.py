import csv
import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.exports.containers import CONTAINERS, FORMULA_STARTS, cell
from trainer.exports.rows import CONVERSATION
from trainer.handoff.rundir import digest_of_file

SCHEMA = pa.schema([("prompt", CONVERSATION), ("text", pa.string()), ("label", pa.bool_())])
PROMPT = [{"role": "user", "content": "Soup?\n“汤”\u2028"}]
ROWS = [
    {"prompt": PROMPT, "text": "=HYPERLINK(A1)", "label": True},
    {"prompt": PROMPT, "text": 'a "quoted",\r\nword', "label": False},
    {"prompt": [{"role": "user", "content": ""}], "text": "", "label": True},
]


def write(container, path, *batches):
    with CONTAINERS[container](path, SCHEMA) as put:
        for rows in batches:
            put(rows)


@pytest.mark.parametrize("container", CONTAINERS)
class TestEachContainer:
    def test_gives_the_same_bytes_each_time(self, container, tmp_path):
        for name in ("one", "two"):
            write(container, tmp_path / name, ROWS)

        assert digest_of_file(tmp_path / "one") == digest_of_file(tmp_path / "two")

    def test_does_not_depend_on_how_rows_come(self, container, tmp_path):
        write(container, tmp_path / "at once", ROWS)
        write(container, tmp_path / "one by one", *([row] for row in ROWS))

        if container != "jsonl.gz":
            assert digest_of_file(tmp_path / "at once") == digest_of_file(tmp_path / "one by one")

    def test_may_be_empty(self, container, tmp_path):
        write(container, tmp_path / "none")

        assert (tmp_path / "none").exists()


class TestJsonLines:
    def test_packed_they_hold_neither_a_time_nor_a_name(self, tmp_path):
        write("jsonl.gz", tmp_path / "rows.jsonl.gz", ROWS)
        write("jsonl", tmp_path / "rows.jsonl", ROWS)

        packed = (tmp_path / "rows.jsonl.gz").read_bytes()
        assert packed[3:8] == bytes(5)
        assert gzip.decompress(packed) == (tmp_path / "rows.jsonl").read_bytes()


class TestParquet:
    def test_holds_the_rows(self, tmp_path):
        write("parquet", tmp_path / "rows", ROWS)

        assert pq.read_table(tmp_path / "rows").to_pylist() == ROWS

    def test_shares_no_value_between_rows_that_only_look_alike(self, tmp_path):
        rows = [
            {"prompt": [{"role": "user", "content": str(n)}], "text": "", "label": True} for n in range(99)
        ]
        write("parquet", tmp_path / "rows", *([row] for row in rows))

        assert pq.read_table(tmp_path / "rows").to_pylist() == rows


def bare(text):
    """What a reader does that knows of the apostrophes."""
    marked = text.startswith("'") and text[1:].startswith(("'", *FORMULA_STARTS))
    return text[1:] if marked else text


class TestCells:
    @given(st.text() | st.sampled_from(FORMULA_STARTS).flatmap(lambda start: st.text().map(start.__add__)))
    def test_are_never_a_formula_and_give_the_text_back(self, text):
        assert not cell(text).startswith(FORMULA_STARTS)
        assert bare(cell(text)) == text

    @given(st.sampled_from(["'", "''", "'="]), st.text())
    def test_that_begin_with_apostrophes_come_back_too(self, start, text):
        assert bare(cell(start + text)) == start + text

    def test_keep_numbers_as_they_are(self):
        assert (cell(-3), cell(True)) == (-3, True)

    def test_of_what_is_nested_are_json(self, tmp_path):
        write("csv", tmp_path / "rows", ROWS)

        read = list(csv.DictReader(io.StringIO((tmp_path / "rows").read_text(), newline="")))
        assert read[0]["prompt"].startswith('[{"role": "user"')
        assert read[0]["text"] == "'=HYPERLINK(A1)"
