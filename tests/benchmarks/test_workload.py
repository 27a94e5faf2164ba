"""Both sides learn from the same rows."""

import json

import pytest

from benchmarks import workload
from tests.tiny_model import make_tiny_model
from trainer.handoff.comparisons import implied_comparisons
from trainer.handoff.records import RankingRecord, read_records
from trainer.rlhf.batches import completion_ids, prompt_ids


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.delenv("BENCH_DATA", raising=False)
    return make_tiny_model(tmp_path / "tiny", workload.plain_text(50), hidden=32)


def test_the_peers_pairs_are_the_comparisons_of_our_rankings_token_by_token(tiny, tmp_path):
    from transformers import AutoTokenizer

    wanted = {"train": 3, "held_out": 2, "answers": 3, "most_prompt_tokens": 160}
    workload.write_rows("reward", tmp_path / "rows", tiny, **wanted)

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    pairs = json.loads((tmp_path / "rows" / "peer.json").read_text())
    records = read_records(tmp_path / "rows" / "rankings.parquet", RankingRecord)
    for split in ("train", "held_out"):
        ours = [pair for record in records if record.split == split for pair in compared(tokenizer, record)]
        assert ours == [(pair["chosen_ids"], pair["rejected_ids"]) for pair in pairs[split]]
        assert len(ours) == 3 * wanted[split]


def compared(tokenizer, record):
    """The sequences that a ranking compares, better one first, in the lab's tokens."""
    prompt = prompt_ids(tokenizer, record.messages)
    ids = {row["id"]: prompt + completion_ids(tokenizer, row["text"], 512) for row in record.completions}
    comparisons = implied_comparisons(record.tiers, record.unacceptable)
    return [(ids[better], ids[worse]) for better, worse in comparisons]
