"""The peer's side, with a Python of its own: ``python -m benchmarks.trl_reads_side TRAINER FOLDER…``."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from datasets import load_dataset
from transformers import AutoModelForSequenceClassification

from tests.tiny_model import make_tiny_model

STEPS = 2


def main() -> None:
    trainer, *folders = sys.argv[1:]
    for folder in map(Path, folders):
        with tempfile.TemporaryDirectory() as scratch:
            take_two_steps(trainer, folder, Path(scratch))


def take_two_steps(name: str, folder: Path, scratch: Path) -> None:
    rows = load_dataset(str(folder), cache_dir=str(scratch / "cache"))["train"]
    model = make_tiny_model(scratch / "model", [str(row) for row in rows], hidden=32, layers=1)
    trainer = TRAINERS[name](str(model), rows, str(scratch / "out"))
    trainer.train()
    if trainer.state.global_step != STEPS:
        raise SystemExit(f"{trainer.state.global_step} steps instead of {STEPS} on {folder}")
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(f"{name}: {STEPS} steps on {folder.name}, {len(rows)} rows, losses {losses}", flush=True)


def sft(model: str, rows: Any, out: str) -> Any:
    from trl import SFTConfig, SFTTrainer

    return SFTTrainer(model=model, args=SFTConfig(**quiet(out)), train_dataset=rows)


def reward(model: str, rows: Any, out: str) -> Any:
    from transformers import AutoTokenizer
    from trl import RewardConfig, RewardTrainer

    tokenizer = AutoTokenizer.from_pretrained(model)
    judge = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1)
    judge.config.pad_token_id = tokenizer.pad_token_id
    return RewardTrainer(
        model=judge, args=RewardConfig(**quiet(out)), train_dataset=rows, processing_class=tokenizer
    )


def dpo(model: str, rows: Any, out: str) -> Any:
    from trl import DPOConfig, DPOTrainer

    return DPOTrainer(model=model, args=DPOConfig(**quiet(out)), train_dataset=rows)


def kto(model: str, rows: Any, out: str) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    return KTOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        ref_model=AutoModelForCausalLM.from_pretrained(model),
        args=KTOConfig(**quiet(out)),
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(model),
    )


TRAINERS = {"sft": sft, "reward": reward, "dpo": dpo, "kto": kto}


def quiet(out: str) -> dict[str, Any]:
    return {
        "output_dir": out,
        "max_steps": STEPS,
        "per_device_train_batch_size": 2,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "logging_steps": 1,
    }


if __name__ == "__main__":
    main()
