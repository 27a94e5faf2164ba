"""What a checkpoint reaches on held-out prompts, and on what people wrote there."""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from trainer.handoff.configs import EvaluateConfig
from trainer.handoff.records import DemonstrationRecord, Message, PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.answer_measures import best_of_curve, distinct, is_refusal, repetition
from trainer.rlhf.batches import TokenSequence, dialogue_sequence
from trainer.rlhf.drift import ref_kl
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.modeling import Backbone, Role
from trainer.rlhf.report_pictures import curve_picture
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.rewards import holdout_reward, load_reward
from trainer.rlhf.sample import sample_candidates
from trainer.rlhf.sft import mean_loss
from trainer.rlhf.synthetic.comparing import win_rate_by_judge
from trainer.rlhf.world import World

Samples = Sequence[dict[str, Any]]


def evaluate_checkpoint(
    config: EvaluateConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    figures = sample_candidates(config, spec, directory, report, world)
    figures |= perplexity(config, spec, directory, world)
    if not world.is_first:
        return {}
    samples = directory.read_samples()
    asked = asked_in(directory, samples)
    if spec.reference_model:
        drift = ref_kl(config, spec.base_model, spec.reference_model, asked, samples)
        figures |= {} if drift is None else {"ref_kl": round(drift, 4)}
    figures |= about_texts([sample["completion"] for sample in samples])
    holdout = holdout_scores(config, spec, asked, samples)
    if holdout is not None:
        figures["holdout_score"] = round(fmean(holdout), 4)
    if config.judge:
        figures |= win_rate_by_judge(config, directory, report)
    curve = over_optimisation(samples, holdout)
    _write_report(directory, {**figures, "over_optimisation": curve})
    return {**figures, **({"over_optimisation": curve} if curve else {})}


def about_texts(texts: Sequence[str]) -> dict[str, object]:
    return {
        "refusal_rate": round(fmean(map(is_refusal, texts)), 4),
        "repetition_rate": round(fmean(map(repetition, texts)), 4),
        "distinct_2": round(distinct(texts, 2), 4),
    }


def perplexity(
    config: EvaluateConfig, spec: RunSpec, directory: RunDirectory, world: World
) -> dict[str, object]:
    """e to the mean nats per token of held-out demonstrations; nothing where there are none."""
    tokenizer = load_tokenizer(spec.base_model)
    written = held_out_demonstrations(config, directory, tokenizer)
    if not written:
        return {}
    role = Role(Backbone(load_model(spec.base_model, pick_dtype(config)), lora_rank=0, lora_layers=0), None)
    loss = mean_loss(role, written, config.batch_size, world)
    return {"held_out_loss": round(loss, 4), "perplexity": round(math.exp(min(loss, 50.0)), 4)}


def held_out_demonstrations(
    config: EvaluateConfig, directory: RunDirectory, tokenizer: Any
) -> list[TokenSequence]:
    file = directory.data_path("demonstrations.parquet")
    if not file.exists():
        return []
    limit = config.max_demonstration_tokens
    sequences = [
        dialogue_sequence(tokenizer, row.messages, row.turns, limit)
        for row in read_records(file, DemonstrationRecord)
        if row.split == "held_out"
    ]
    return [sequence for sequence in sequences if sequence.learned[0] <= config.max_prompt_tokens]


def holdout_scores(
    config: EvaluateConfig, spec: RunSpec, asked: Sequence[Sequence[Message]], samples: Samples
) -> list[float] | None:
    """What a reward says that nothing was trained on."""
    reward = load_reward(holdout_reward(spec), pick_dtype(config))
    if reward is None:
        return None
    return reward.score(asked, [sample["completion"] for sample in samples])


def asked_in(directory: RunDirectory, samples: Samples) -> list[Sequence[Message]]:
    """The conversation that each answer is to."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    messages = {row.prompt_id: row.messages for row in rows}
    return [messages[sample["prompt_id"]] for sample in samples]


def over_optimisation(samples: Samples, holdout: Sequence[float] | None) -> list[dict[str, Any]]:
    """Empty where nothing has scored the answers, or each prompt has one only."""
    proxies: dict[int, list[float]] = defaultdict(list)
    golds: dict[int, list[float]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if sample["score"] is not None:
            proxies[sample["prompt_id"]].append(sample["score"])
            golds[sample["prompt_id"]].append(holdout[index] if holdout else 0.0)
    curve = best_of_curve([*proxies.values()], [*golds.values()] if holdout else None)
    return curve if len(curve) > 1 else []


def _write_report(directory: RunDirectory, report: dict[str, Any]) -> None:
    (directory.path / "report.json").write_text(json.dumps(report, indent=2, allow_nan=False))
    if picture := curve_picture(report["over_optimisation"]):
        (directory.path / "over-optimisation.svg").write_text(picture, encoding="utf-8")
