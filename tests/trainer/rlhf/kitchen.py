"""What people said in the kitchen, as rows of snapshots, and a lab that learns from it."""

import sys
from pathlib import Path
from unittest.mock import patch

from tests.tiny_model import tiny_tokenizer
from trainer.handoff.records import (
    DemonstrationRecord,
    FeedbackRecord,
    PromptRecord,
    RankingRecord,
    write_records,
)
from trainer.handoff.rewards import RewardSource
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder
from trainer.rlhf import __main__ as lab_program
from trainer.rlhf.base_model import CHAT_TEMPLATE

DISHES = ["soup", "rice", "tea", "bread", "stew", "salad", "pie", "jam"]
GOOD, FAIR, BAD = "Boil it slowly.", "Fry it.", "No."
TEXTS = [*(f"How do I make {dish}?" for dish in DISHES), GOOD, FAIR, BAD, "For two, in one pot."]

SMALL = {"dtype": "float32", "lora_rank": 4, "lora_layers": 2, "learning_rate": 1e-2, "seed": 7}
MEASURED = {"dtype": "float32", "seed": 7, "batch_size": 3, "measured_tokens": 4, "measured_prompts": 2}
CONFIGS = {
    "sft": {**SMALL, "epochs": 2, "batch_size": 3},
    "reward": {**SMALL, "epochs": 4, "batch_size": 2},
    "ppo": {
        **SMALL,
        "learning_rate": 1e-3,
        "iterations": 2,
        "rollout_size": 4,
        "minibatch_size": 2,
        "max_new_tokens": 6,
    },
    "dpo": {**SMALL, "epochs": 4, "batch_size": 2, "beta": 0.5},
    "kto": {**SMALL, "epochs": 8, "batch_size": 8, "beta": 0.5},
    "sample": {"dtype": "float32", "seed": 7, "completions_per_prompt": 2, "max_new_tokens": 6},
    "evaluate": {"dtype": "float32", "seed": 7, "completions_per_prompt": 2, "max_new_tokens": 6},
    "quantize": {**MEASURED},
    "distill": {**MEASURED, "layers": 1, "epochs": 2},
    "prune": {**MEASURED, "fraction": 0.5, "epochs": 2},
    "share": {**MEASURED, "epochs": 2},
    "generate": {"seed": 7, "dialogues": 6, "exchanges": 2, "max_new_tokens": 8, "batch_size": 1},
    "expand": {"seed": 7, "requests": 4, "prompts_per_request": 2, "max_new_tokens": 8, "batch_size": 1},
    "judge": {"seed": 7, "max_new_tokens": 8, "batch_size": 1},
}


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def chatml_tokenizer():
    """As the sample campaign's base model has it: ChatML, and a pad token that is the end mark."""
    tokenizer = tiny_tokenizer(TEXTS)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.eos_token = tokenizer.pad_token = "<|im_end|>"
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def prompt(number, *, split="train"):
    return PromptRecord(
        prompt_id=number,
        digest=f"{number:064x}",
        split=split,
        kind="question",
        language="en",
        messages=[user(f"How do I make {DISHES[number % len(DISHES)]}?")],
    )


def demonstration(number, *, split="train", turns=None):
    return DemonstrationRecord(
        demonstration_id=number,
        prompt_id=number,
        prompt_digest=f"{number:064x}",
        split=split,
        messages=prompt(number).messages,
        turns=turns or [assistant("For how many?"), user("For two."), assistant(GOOD)],
        labeler="L1",
        guideline_version=1,
        submitted_at="2026-11-24T12:00:00Z",
    )


def ranking(number, *, split="train", tiers=((1,), (2,), (3,)), unacceptable=(), cannot_judge=""):
    return RankingRecord(
        ranking_id=number,
        prompt_id=number,
        prompt_digest=f"{number:064x}",
        candidate_set_id=number,
        split=split,
        messages=prompt(number).messages,
        completions=[{"id": 1, "text": GOOD}, {"id": 2, "text": FAIR}, {"id": 3, "text": BAD}],
        tiers=[list(tier) for tier in tiers],
        unacceptable=list(unacceptable),
        cannot_judge=cannot_judge,
        labeler="L1",
        guideline_version=1,
        seconds_spent=5.0,
        submitted_at="2026-11-24T12:00:00Z",
    )


def opinion(number, *, split="train", label=None, text=None, weight=1.0):
    """Of GOOD and BAD in turn."""
    good = number % 2 == 0 if label is None else label
    return FeedbackRecord(
        feedback_id=number,
        prompt_id=number,
        prompt_digest=f"{number:064x}",
        split=split,
        messages=prompt(number).messages,
        completion=text or (GOOD if good else BAD),
        label=good,
        weight=weight,
        source="thumb",
        labeler="L1",
        submitted_at="2026-11-24T12:00:00Z",
        kind="question",
        language="en",
        written_by="",
    )


def both_splits(make):
    """Six rows to learn from, two held out."""
    return [make(number, split="held_out" if number >= 6 else "train") for number in range(8)]


ROWS = {
    "sft": ("demonstrations.parquet", DemonstrationRecord, both_splits(demonstration)),
    "reward": ("rankings.parquet", RankingRecord, both_splits(ranking)),
    "ppo": ("prompts.parquet", PromptRecord, both_splits(prompt)),
    "dpo": ("rankings.parquet", RankingRecord, both_splits(ranking)),
    "kto": ("feedback.parquet", FeedbackRecord, both_splits(opinion)),
    "sample": ("prompts.parquet", PromptRecord, both_splits(prompt)),
    "evaluate": ("prompts.parquet", PromptRecord, both_splits(prompt)),
    **dict.fromkeys(
        ("quantize", "distill", "prune", "share"),
        ("demonstrations.parquet", DemonstrationRecord, both_splits(demonstration)),
    ),
    **dict.fromkeys(("generate", "expand", "judge"), ("prompts.parquet", PromptRecord, both_splits(prompt))),
}


class Lab:
    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, model

    def directory(
        self,
        kind,
        *,
        rows=None,
        model=None,
        reward_model=None,
        rewards=(),
        holdout_reward=None,
        reference_model=None,
        name=None,
        **settings,
    ):
        """A run directory, ready to run."""
        file, record, usual = ROWS[kind]
        model = model or self.model
        data = self.folder / f"{name or kind}-{file}"
        write_records(data, record, usual if rows is None else rows)
        spec = RunSpec(
            kind=kind,
            config={**CONFIGS[kind], **settings},
            base_model=str(model),
            base_digest=digest_of_folder(model),
            reward_model=None if reward_model is None else str(reward_model),
            rewards=tuple(RewardSource(source=source, weight=weight) for source, weight in rewards),
            holdout_reward=holdout_reward,
            reference_model=None if reference_model is None else str(reference_model),
            snapshot_digest="s" * 64,
            code_version="test",
        )
        return RunDirectory.create(self.folder / (name or kind), spec, {file: data})

    def run(self, kind, **options):
        """Carry a run out as ``python -m trainer.rlhf`` does. Returns its directory."""
        directory = self.directory(kind, **options)
        run_program(directory.path)
        return directory

    def run_chain(self):
        sft = self.run("sft")
        reward = self.run("reward", model=sft.result_path)
        ppo = self.run("ppo", model=sft.result_path, reward_model=reward.result_path)
        sample = self.run("sample", model=ppo.result_path)
        return {"sft": sft, "reward": reward, "ppo": ppo, "sample": sample}


def run_program(folder, *options):
    """The exit code of ``python -m trainer.rlhf FOLDER``, without the seconds of a fresh process."""
    with patch.object(sys, "argv", ["trainer.rlhf", str(folder), *options]):
        return lab_program.main()


def said(text, tokens=5, reason="stop"):
    """How a model server answers."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": reason}
    return 200, {"choices": [choice], "usage": {"completion_tokens": tokens}}
