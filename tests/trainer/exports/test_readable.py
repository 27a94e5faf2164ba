"""What is written opens with the consumer that the field reads files with."""

import json

import pytest
from datasets import load_dataset

from tests.trainer.exports.conftest import lines
from trainer.exports import FORMATS, export_snapshot

WRITABLE = [
    (name, kind, container)
    for name, format in FORMATS.items()
    for kind in format.kinds
    for container in format.containers
]
TREES = "oasst"
"""As deep as its conversations: ``datasets`` has no columns for that, and reads no such file."""


@pytest.fixture
def opened(full, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")

    def export_and_open(name, kind, container):
        out = tmp_path / "out"
        export_snapshot(full[kind], name, out, container)
        return load_dataset(str(out), cache_dir=str(tmp_path / "cache"))

    return export_and_open


class TestLoadDataset:
    @pytest.mark.parametrize(("name", "kind", "container"), [one for one in WRITABLE if one[0] != TREES])
    def test_opens_every_format_in_every_container(self, opened, name, kind, container):
        dataset = opened(name, kind, container)

        if name == "native":
            assert set(dataset) == {"train"}
        else:
            assert set(dataset) == {"train", "held_out"}
            assert dataset["train"].column_names == FORMATS[name].columns

    @pytest.mark.parametrize("name", [name for name in FORMATS if name not in {TREES, "native"}])
    def test_finds_the_same_rows_in_every_container(self, opened, full, tmp_path, name):
        kind = FORMATS[name].kinds[0]
        export_snapshot(full[kind], name, tmp_path / "plain", "jsonl")
        plain = lines(tmp_path / "plain")

        for container in ("jsonl", "jsonl.gz", "parquet"):
            dataset = opened(name, kind, container)
            read = [row for split in ("train", "held_out") for row in dataset[split]]
            assert read == plain

    @pytest.mark.parametrize("name", [name for name in FORMATS if name not in {TREES, "native"}])
    def test_finds_what_is_nested_as_json_in_csv(self, opened, full, tmp_path, name):
        kind = FORMATS[name].kinds[0]
        export_snapshot(full[kind], name, tmp_path / "plain", "jsonl")

        read = opened(name, kind, "csv")["train"][0]

        for column, value in lines(tmp_path / "plain")[0].items():
            nested = isinstance(value, list | dict)
            assert (json.loads(read[column]) if nested else read[column] or "") == (value or "")
