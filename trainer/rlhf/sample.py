"""Candidates to rank: K completions of each prompt."""

import math
import random
from collections.abc import Sequence
from typing import Any

from trainer.handoff.configs import SampleConfig
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Backbone, Role, load_model, load_tokenizer, pick_dtype
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.rewards import load_reward, whole_reward
from trainer.rlhf.sampling import sample
from trainer.rlhf.world import World


def sample_candidates(
    config: SampleConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    directory.rewind(None)
    tokenizer = load_tokenizer(spec.base_model)
    prompts, left_out = prompts_to_answer(config, directory, tokenizer)
    role = Role(Backbone(load_model(spec.base_model, pick_dtype(config)), lora_rank=0, lora_layers=0), None)
    reward = load_reward(whole_reward(spec), pick_dtype(config))
    if config.best_of > 1 and reward is None:
        raise LabError(f"best_of is {config.best_of}, but no reward model says which answer is the best.")

    # Prompts of like length side by side; the longest first, so that a lack of memory shows at once.
    wanted = sorted(prompts, key=lambda item: -len(item[1]))
    repeats = config.draws_per_prompt
    size = max(1, config.batch_size // repeats)
    starts = range(0, len(wanted), size)
    lengths: list[int] = []
    kept_scores: list[float] = []
    finished = 0
    for step, start in enumerate(starts, start=1):
        part = wanted[start : start + size]
        samples = sample(
            role,
            [ids for _row, ids in part],
            repeats=repeats,
            temperature=config.temperature,
            max_new_tokens=config.max_new_tokens,
            eos=tokenizer.eos_token_id,
            luck=uniforms(len(part) * repeats, config.max_new_tokens, config.seed, "sample", step),
        )
        asked = [row for row, _ids in part for _ in range(repeats)]
        texts = [said.text(tokenizer) for said in samples]
        scores = reward.score([row.messages for row in asked], texts) if reward else [0.0] * len(texts)
        kept = best_draws(scores, config.best_of)
        for index in kept:
            directory.append_sample(
                prompt_id=asked[index].prompt_id,
                completion=texts[index],
                finished=samples[index].finished,
                tokens=len(samples[index].tokens),
                score=round(scores[index], 4) if reward else None,
                ref_kl=None,
                step=None,
            )
        lengths += [len(samples[index].tokens) for index in kept]
        kept_scores += [scores[index] for index in kept]
        finished += sum(samples[index].finished for index in kept)
        mean_score = {"score": sum(kept_scores) / len(kept_scores)} if reward else {}
        report.step(
            step,
            len(starts),
            tokens=sum(len(said.tokens) for said in samples),
            mean_length=sum(lengths) / len(lengths),
            finished_share=finished / len(lengths),
            **mean_score,
        )
        report.check()
    return {
        "completions": len(lengths),
        "mean_length": round(sum(lengths) / len(lengths), 2),
        "finished_share": round(finished / len(lengths), 4),
        **{name: round(score, 4) for name, score in mean_score.items()},
        **({"best_of_kl": round(best_of_kl(config.best_of), 4)} if config.best_of > 1 else {}),
        **({"left_out": left_out} if left_out else {}),
    }


def best_draws(scores: Sequence[float], draws: int) -> list[int]:
    """Of every ``draws`` neighbours the one with the highest score, as an index into ``scores``; the first of
    equals."""
    starts = range(0, len(scores), draws)
    return [max(range(start, start + draws), key=scores.__getitem__) for start in starts]


def best_of_kl(draws: int) -> float:
    """How far the best of so many draws is at most from one draw, in nats: log n − (n − 1) / n (Stiennon et
    al. 2020, appendix G.3); less where the same answer is likely to be drawn twice."""
    return math.log(draws) - (draws - 1) / draws


def prompts_to_answer(
    config: SampleConfig, directory: RunDirectory, tokenizer: Any
) -> tuple[list[tuple[PromptRecord, list[int]]], int]:
    """Prompts with their tokens; and how many were too long."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    rows = [row for row in rows if config.split in ("all", row.split)]
    prompts = [(row, prompt_ids(tokenizer, row.messages)) for row in rows]
    short = [item for item in prompts if len(item[1]) <= config.max_prompt_tokens]
    if not short:
        raise LabError(
            f"There is no prompt to answer: the snapshot has {len(prompts)} in split {config.split!r}, "
            f"none with at most {config.max_prompt_tokens} tokens."
        )
    left_out = len(prompts) - len(short)
    if config.prompts and len(short) > config.prompts:
        short = random.Random(config.seed).sample(short, config.prompts)
    return short, left_out
