"""Candidates to rank: K completions of each prompt."""

import random
from typing import Any

from trainer.handoff.configs import SampleConfig
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.errors import LabError
from trainer.rlhf.modeling import Backbone, Role, load_model, load_tokenizer, pick_dtype
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.sampling import sample
from trainer.rlhf.world import World


def sample_candidates(
    config: SampleConfig, spec: RunSpec, directory: RunDirectory, report: Reporter, world: World
) -> dict[str, object]:
    directory.rewind(None)
    tokenizer = load_tokenizer(spec.base_model)
    prompts, left_out = prompts_to_answer(config, directory, tokenizer)
    role = Role(Backbone(load_model(spec.base_model, pick_dtype(config)), lora_rank=0, lora_layers=0), None)

    # Prompts of like length side by side; the longest first, so that a lack of memory shows at once.
    wanted = sorted(prompts, key=lambda item: -len(item[1]))
    repeats = config.completions_per_prompt
    size = max(1, config.batch_size // repeats)
    starts = range(0, len(wanted), size)
    lengths: list[int] = []
    finished = 0
    for step, start in enumerate(starts, start=1):
        part = wanted[start : start + size]
        samples = sample(
            role,
            [ids for _key, ids in part],
            repeats=repeats,
            temperature=config.temperature,
            max_new_tokens=config.max_new_tokens,
            eos=tokenizer.eos_token_id,
            luck=uniforms(len(part) * repeats, config.max_new_tokens, config.seed, "sample", step),
        )
        asked = [prompt_id for prompt_id, _ids in part for _ in range(repeats)]
        for prompt_id, said in zip(asked, samples, strict=True):
            directory.append_sample(
                prompt_id=prompt_id,
                completion=tokenizer.decode(said.tokens, skip_special_tokens=True).strip(),
                finished=said.finished,
                tokens=len(said.tokens),
                score=None,
                ref_kl=None,
                step=None,
            )
        lengths += [len(said.tokens) for said in samples]
        finished += sum(said.finished for said in samples)
        report.step(
            step,
            len(starts),
            tokens=sum(lengths[-len(samples) :]),
            mean_length=sum(lengths) / len(lengths),
            finished_share=finished / len(lengths),
        )
        report.check()
    return {
        "completions": len(lengths),
        "mean_length": round(sum(lengths) / len(lengths), 2),
        "finished_share": round(finished / len(lengths), 4),
        **({"left_out": left_out} if left_out else {}),
    }


def prompts_to_answer(
    config: SampleConfig, directory: RunDirectory, tokenizer: Any
) -> tuple[list[tuple[int, list[int]]], int]:
    """Prompt ids with their tokens; and how many prompts were too long."""
    rows = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    rows = [row for row in rows if config.split in ("all", row.split)]
    prompts = [(row.prompt_id, prompt_ids(tokenizer, row.messages)) for row in rows]
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
