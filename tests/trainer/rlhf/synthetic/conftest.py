"""Synthetic runs against a model server that says what a test wants."""

import json

import pytest

from tests.trainer.rlhf.kitchen import BAD, FAIR, GOOD, prompt, run_program
from trainer.rlhf import sample_elsewhere


@pytest.fixture
def prepare(lab, monkeypatch):
    """A run directory that asks the server ``kitchen``, ready to run."""
    monkeypatch.setattr(sample_elsewhere, "PAUSES", (0.0, 0.0))

    def prepare(kind, *, model="endpoint:kitchen", sets=None, guideline=None, **settings):
        directory = lab.directory(kind, **settings)
        config = directory.path / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model": model}))
        if kind == "judge":
            lines = [json.dumps(one) for one in (sets or [candidates(number) for number in range(4)])]
            directory.data_path("candidates.jsonl").write_text("\n".join(lines) + "\n")
        if guideline is not None:
            directory.data_path("guideline.json").write_text(json.dumps({"version": 3, "text": guideline}))
        return directory

    return prepare


@pytest.fixture
def carry_out(prepare):
    def carry_out(kind, **options):
        directory = prepare(kind, **options)
        run_program(directory.path)
        return directory

    return carry_out


def candidates(number, texts=(GOOD, FAIR, BAD), *, split="train", rankings=0, consensus=()):
    row = prompt(number)
    return {
        "candidate_set_id": 100 + number,
        "prompt_id": row.prompt_id,
        "split": split,
        "messages": row.messages,
        "completions": [{"id": 10 * number + place, "text": text} for place, text in enumerate(texts, 1)],
        "rankings": rankings,
        "consensus": [list(tier) for tier in consensus],
    }
