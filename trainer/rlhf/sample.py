"""Candidates to rank: K completions of each prompt."""

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from trainer.handoff.configs import SampleConfig
from trainer.handoff.endpoints import is_endpoint
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.errors import BadData, LabError, Stopped
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.modeling import Backbone, Role
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.rewards import Reward, load_reward, whole_reward
from trainer.rlhf.sampling import sample
from trainer.rlhf.world import World


@dataclass(frozen=True)
class Candidate:
    prompt_id: int
    completion: str
    finished: bool
    tokens: int
    score: float | None


def sample_candidates(
    config: SampleConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    if is_endpoint(spec.base_model):
        from trainer.rlhf.sample_elsewhere import sample_elsewhere

        return sample_elsewhere(config, spec, directory, report) if world.is_first else {}
    if world.is_first:
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
    size = config.prompts_at_once
    starts = range(0, len(wanted), size)
    kept: list[Candidate] = []
    for step, start in enumerate(starts, start=1):
        part = wanted[start : start + size]
        luck = uniforms(len(part) * repeats, config.max_new_tokens, config.seed, "sample", step)
        mine = luck.view(len(part), repeats, -1)[world.rank :: world.size].flatten(0, 1)
        drawn = draw_candidates(config, role, reward, tokenizer, world.share(part), mine)
        found = [candidate for candidates in world.gather(drawn) for candidate in candidates]
        kept += found
        if world.is_first:
            for candidate in found:
                directory.append_sample(**asdict(candidate), ref_kl=None, step=None)
        measured = means(kept)
        report.step(step, len(starts), tokens=sum(candidate.tokens for candidate in found), **measured)
        if world.any(report.stopping):
            raise Stopped
    return {
        "completions": len(kept),
        **{name: round(mean, 4) for name, mean in measured.items()},
        **({"best_of_kl": round(best_of_kl(config.best_of), 4)} if config.best_of > 1 else {}),
        **({"left_out": left_out} if left_out else {}),
    }


def draw_candidates(
    config: SampleConfig,
    role: Role,
    reward: Reward | None,
    tokenizer: Any,
    prompts: Sequence[tuple[PromptRecord, list[int]]],
    luck: Tensor,
) -> list[list[Candidate]]:
    """The candidates of each prompt, each of them the best of its draws; ``luck`` as in ``sample``."""
    if not prompts:
        return []
    samples = sample(
        role,
        [ids for _row, ids in prompts],
        repeats=config.draws_per_prompt,
        temperature=config.temperature,
        max_new_tokens=config.max_new_tokens,
        eos=tokenizer.eos_token_id,
        luck=luck,
    )
    asked = [row for row, _ids in prompts for _ in range(config.draws_per_prompt)]
    texts = [said.text(tokenizer) for said in samples]
    scores = reward.score([row.messages for row in asked], texts) if reward else [0.0] * len(texts)
    kept = [
        Candidate(
            prompt_id=asked[index].prompt_id,
            completion=texts[index],
            finished=samples[index].finished,
            tokens=len(samples[index].tokens),
            score=round(scores[index], 4) if reward else None,
        )
        for index in best_draws(scores, config.best_of)
    ]
    count = config.completions_per_prompt
    return [kept[start : start + count] for start in range(0, len(kept), count)]


def means(candidates: Sequence[Candidate]) -> dict[str, float]:
    count = len(candidates)
    scores = [candidate.score for candidate in candidates if candidate.score is not None]
    return {
        "mean_length": sum(candidate.tokens for candidate in candidates) / count,
        "finished_share": sum(candidate.finished for candidate in candidates) / count,
        **({"score": sum(scores) / count} if scores else {}),
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
        raise BadData(
            f"There is no prompt to answer: the snapshot has {len(prompts)} in split {config.split!r}, "
            f"none with at most {config.max_prompt_tokens} tokens."
        )
    left_out = len(prompts) - len(short)
    if config.prompts and len(short) > config.prompts:
        short = random.Random(config.seed).sample(short, config.prompts)
    return short, left_out
