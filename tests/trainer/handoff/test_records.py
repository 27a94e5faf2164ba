from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from trainer.handoff.records import PromptRecord, RankingRecord, read_records, write_records
from trainer.handoff.rundir import digest_of_file

SOUP = RankingRecord(
    ranking_id=1,
    prompt_id=2,
    prompt_digest="ab",
    candidate_set_id=3,
    split="train",
    messages=[{"role": "user", "content": "汤怎么做？"}],
    completions=[{"id": 4, "text": "Boil."}, {"id": 5, "text": "Fry."}, {"id": 6, "text": ""}],
    tiers=[[4, 5]],
    unacceptable=[6],
    labeler="p1",
    guideline_version=1,
    seconds_spent=2.5,
    submitted_at="2026-11-24T12:00:00+00:00",
)


def test_what_is_written_is_read(tmp_path):
    write_records(tmp_path / "rankings.parquet", RankingRecord, [SOUP])

    assert read_records(tmp_path / "rankings.parquet", RankingRecord) == [SOUP]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_records(tmp_path / name, RankingRecord, [SOUP] * 50)

    assert digest_of_file(tmp_path / "one") == digest_of_file(tmp_path / "two")


def test_no_rows_are_a_file_too(tmp_path):
    write_records(tmp_path / "none", PromptRecord, [])

    assert read_records(tmp_path / "none", PromptRecord) == []


def test_a_file_of_other_rows_is_refused(tmp_path):
    write_records(tmp_path / "rankings.parquet", RankingRecord, [SOUP])

    with pytest.raises(ValueError, match="PromptRecord"):
        read_records(tmp_path / "rankings.parquet", PromptRecord)


def test_rankings_frozen_before_there_were_weights_count_once_each(tmp_path):
    write_records(tmp_path / "new", RankingRecord, [replace(SOUP, weight=0.5)])
    pq.write_table(pq.read_table(tmp_path / "new").drop_columns(["weight"]), tmp_path / "old")

    assert read_records(tmp_path / "new", RankingRecord)[0].weight == 0.5
    assert read_records(tmp_path / "old", RankingRecord) == [SOUP]


def test_a_file_that_lacks_an_older_column_is_refused(tmp_path):
    write_records(tmp_path / "rankings.parquet", RankingRecord, [SOUP])
    table = pq.read_table(tmp_path / "rankings.parquet").drop_columns(["tiers"])
    pq.write_table(table, tmp_path / "rankings.parquet")

    with pytest.raises(ValueError, match="RankingRecord"):
        read_records(tmp_path / "rankings.parquet", RankingRecord)
