"""The peer's side, in a process and with a Python of its own: ``python -m benchmarks.trl_side JOB.json``.

TRL through its public API. Its variants: ``defaults`` sets only what makes the work the same; ``fp32`` and
``bf16`` are tuned: no gradient checkpointing, batches of like length, adapters where we have adapters.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, inject_adapter_in_model
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    TrainerCallback,
)

from benchmarks.clock import Clock, ppo_quality

Job = dict[str, Any]
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(job["settings"]["seed"])
    job["out_folder"] = str(Path(job["out"]).with_suffix(".trl"))
    rows = json.loads((Path(job["rows"]) / "peer.json").read_text())
    measured = {"reward": reward, "sft": sft, "ppo": ppo}[job["kind"]](job, rows)
    Path(job["out"]).write_text(json.dumps(measured))


class Ticking(TrainerCallback):  # type: ignore[misc]
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_end(self, *anything: Any, **more: Any) -> None:
        self.clock.tick()


class Counting:
    """A data collator that notes how many tokens each batch has."""

    def __init__(self, collator: Any) -> None:
        self.collator = collator
        self.tokens: list[int] = []

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self.tokens.append(sum(sum(lengths(row)) for row in rows))
        return self.collator(rows)


def reward(job: Job, rows: dict[str, Any]) -> dict[str, float]:
    from trl import RewardConfig, RewardTrainer

    tokenizer = tokenizer_of(job)
    model = classifier(job, job["model"], tokenizer)
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(max_length=None, **arguments(job)),
        train_dataset=dataset(rows["train"]),
        eval_dataset=dataset(rows["held_out"]),
        processing_class=tokenizer,
        peft_config=adapters(job, model, "SEQ_CLS", modules_to_save=["score"]),
    )
    clock = train(trainer)
    return clock.measured(held_out_accuracy=trainer.evaluate()["eval_accuracy"])


def sft(job: Job, rows: dict[str, Any]) -> dict[str, float]:
    from trl import SFTConfig, SFTTrainer

    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=weights_dtype(job))
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(max_length=None, completion_only_loss=True, **arguments(job)),
        train_dataset=dataset(rows["train"]),
        processing_class=tokenizer_of(job),
        peft_config=adapters(job, model, "CAUSAL_LM"),
    )
    clock = train(trainer)
    return clock.measured(held_out_loss=mean_loss(trainer.model, rows["held_out"]))


def train(trainer: Any) -> Clock:
    """Train; how long each step may take is told by the tokens of its batches."""
    clock = Clock()
    trainer.data_collator = counting = Counting(trainer.data_collator)
    trainer.add_callback(Ticking(clock))
    trainer.train()
    each = trainer.args.gradient_accumulation_steps
    steps = range(0, len(counting.tokens), each)
    clock.work = [float(sum(counting.tokens[start : start + each])) for start in steps]
    if len(clock.work) != len(clock.times):
        raise SystemExit(f"{len(clock.work)} batches of tokens, but {len(clock.times)} steps.")
    return clock


@torch.no_grad()
def mean_loss(model: Any, rows: list[dict[str, Any]]) -> float:
    """Nats per learned token: the mean over all tokens."""
    model.eval()
    total = tokens = 0.0
    for row in rows:
        ids, learned = torch.tensor([row["input_ids"]]), torch.tensor(row["completion_mask"])[1:].bool()
        logprobs = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        total -= logprobs.gather(1, ids[0, 1:, None])[learned].sum().item()
        tokens += learned.sum().item()
    return total / tokens


def ppo(job: Job, rows: dict[str, Any]) -> dict[str, float]:
    from trl.experimental.ppo import PPOConfig, PPOTrainer

    tokenizer = tokenizer_of(job)
    tokenizer.padding_side = "left"
    policy = AutoModelForCausalLM.from_pretrained(job["model"], dtype=weights_dtype(job))
    value = classifier(job, job["model"], tokenizer)
    peft_config = adapters(job, policy, "CAUSAL_LM")
    if peft_config and is_tuned(job):
        # TRL wants a plain classifier as value model; it can have adapters all the same.
        value = inject_adapter_in_model(peft_config, value)
        value.score.requires_grad_(True)
    reference = None
    if not peft_config:
        reference = AutoModelForCausalLM.from_pretrained(job["model"], dtype=weights_dtype(job))
    trainer = PPOTrainer(
        args=PPOConfig(**ppo_arguments(job)),
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=reward_model(job, tokenizer),
        train_dataset=Dataset.from_list(rows["train"]),
        value_model=value,
        peft_config=peft_config,
    )
    clock = Clock()
    trainer.add_callback(Ticking(clock))
    # The PPOTrainer takes bf16=True and computes in float32 all the same.
    is_mixed = job["variant"] == "bf16" and not job["settings"]["lora_rank"]
    with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
        trainer.train()
    logs = [line for line in trainer.state.log_history if "objective/scores" in line]
    scores = [line["objective/scores"] for line in logs]
    return clock.measured(**ppo_quality(scores, [line["objective/kl"] for line in logs]))


def reward_model(job: Job, tokenizer: Any) -> Any:
    """Ours, on the scale that ours has: mean 0 and deviation 1 on its rankings."""
    model = classifier(job, job["reward_model"], tokenizer)
    about = json.loads((Path(job["reward_model"]) / "reward.json").read_text())
    head = torch.nn.Linear(model.score.in_features, 1, dtype=model.score.weight.dtype)
    head.weight.data = model.score.weight.data / about["scale"]
    head.bias.data = torch.full_like(head.bias, -about["bias"] / about["scale"])
    model.score = head
    model.model.forward = ended(model.model.forward, tokenizer.eos_token_id)
    return model


def ended(read: Any, eos: int) -> Any:
    """Reads a cut answer with an end mark behind it, as ours is read: that is what was learned from."""

    def forward(
        input_ids: torch.Tensor, attention_mask: torch.Tensor, position_ids: torch.Tensor, **options: Any
    ) -> Any:
        is_cut = (attention_mask[:, -1:] > 0) & (input_ids[:, -1:] != eos)
        output = read(
            input_ids=torch.cat([input_ids, torch.full_like(is_cut, eos, dtype=torch.long)], 1),
            attention_mask=torch.cat([attention_mask, is_cut.to(attention_mask.dtype)], 1),
            position_ids=torch.cat([position_ids, position_ids[:, -1:] + 1], 1),
            **options,
        )
        states = output.hidden_states[-1]
        last = torch.where(is_cut[..., None], states[:, -1:], states[:, -2:-1])
        output.hidden_states = (torch.cat([states[:, :-2], last], 1),)
        return output

    return forward


def dataset(rows: list[dict[str, Any]]) -> Dataset:
    return Dataset.from_list(rows).add_column("length", [max(lengths(row)) for row in rows])


def lengths(row: dict[str, Any]) -> list[int]:
    """Of the token sequences in a row."""
    return [len(ids) for name, ids in row.items() if name.endswith("_ids")]


def is_tuned(job: Job) -> bool:
    return bool(job["variant"] != "defaults")


def tokenizer_of(job: Job) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        # TRL finds a text's end by its padding.
        tokenizer.pad_token = next(t for t in tokenizer.all_special_tokens if t != tokenizer.eos_token)
    return tokenizer


def classifier(job: Job, folder: str, tokenizer: Any) -> Any:
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=weights_dtype(job))
    model.config.pad_token_id = tokenizer.pad_token_id
    return model


def weights_dtype(job: Job) -> Any:
    """Frozen weights are in bfloat16 where that is asked for; weights that are trained are in float32."""
    is_bf16 = job["variant"] == "bf16" and job["settings"]["lora_rank"]
    return torch.bfloat16 if is_bf16 else torch.float32


def adapters(job: Job, model: Any, task: str, **more: Any) -> LoraConfig | None:
    settings = job["settings"]
    if not settings["lora_rank"]:
        return None
    layers = model.config.num_hidden_layers
    return LoraConfig(
        r=settings["lora_rank"],
        lora_alpha=2 * settings["lora_rank"],
        target_modules=LINEARS,
        layers_to_transform=list(range(layers - settings["lora_layers"], layers)),
        task_type=task,
        **more,
    )


def arguments(job: Job) -> dict[str, Any]:
    """The same epochs, learning rate, schedule and, where tuned, updates as ours."""
    settings = job["settings"]
    same = {
        **quiet(job),
        "num_train_epochs": settings["epochs"],
        "learning_rate": settings["learning_rate"],
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "per_device_eval_batch_size": 32,
        "remove_unused_columns": False,
    }
    if not is_tuned(job):
        return same
    return {
        **same,
        "per_device_train_batch_size": job["peer_batch"],
        "gradient_accumulation_steps": job["peer_accumulation"],
        "gradient_checkpointing": False,
        "bf16": job["variant"] == "bf16",
        "train_sampling_strategy": "group_by_length",
    }


def ppo_arguments(job: Job) -> dict[str, Any]:
    settings = job["settings"]
    same = {
        **quiet(job),
        "learning_rate": settings["learning_rate"],
        "lr_scheduler_type": "constant",
        "adam_beta2": 0.95,
        "per_device_train_batch_size": settings["minibatch_size"],
        "gradient_accumulation_steps": 1,
        "num_mini_batches": 1,
        "total_episodes": settings["rollout_size"] * settings["iterations"],
        "num_ppo_epochs": settings["epochs"],
        "response_length": settings["max_new_tokens"],
        "temperature": 1.0,
        "kl_coef": settings["kl_coef"],
        "stop_token": "eos",
        "missing_eos_penalty": settings["missing_eos_penalty"],
        # Without evaluation prompts there is nothing to show.
        "num_sample_generations": 0,
        "logging_steps": 1,
    }
    if not is_tuned(job):
        return same
    return {**same, "gradient_checkpointing": False, "bf16": False}


def quiet(job: Job) -> dict[str, Any]:
    return {
        "output_dir": job["out_folder"],
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "seed": job["settings"]["seed"],
        "max_grad_norm": job["settings"]["max_grad_norm"],
        "disable_tqdm": True,
    }


if __name__ == "__main__":
    main()
