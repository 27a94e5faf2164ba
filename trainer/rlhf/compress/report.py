"""What a compression has cost and gained: the original and the result, measured side by side."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch

from trainer.handoff.configs.compress import CompressConfig
from trainer.handoff.records import DemonstrationRecord, Message, read_records
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.rlhf.batches import TokenSequence, dialogue_sequence, pad, prompt_ids
from trainer.rlhf.loading import load_model, load_tokenizer, pick_dtype
from trainer.rlhf.modeling import Backbone, Role, learned_states
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.rewards import load_reward, whole_reward
from trainer.rlhf.sampling import sample

REPEATS = 5
MEGABYTE = 1e6


def compare(
    config: CompressConfig, spec: RunSpec, directory: RunDirectory, made: Path, report: Reporter
) -> dict[str, object]:
    """The figures of both, into ``report.json`` beside the result, and as the run's summary."""
    report.check()
    tokenizer = load_tokenizer(spec.base_model)
    rows = held_out(directory)
    roles = [speaker(place, config) for place in (spec.base_model, str(made))]
    sequences = [
        dialogue_sequence(tokenizer, row.messages, row.turns, config.max_completion_tokens) for row in rows
    ]
    sequences = [one for one in sequences if one.learned[0] <= config.max_prompt_tokens]
    figures: dict[str, Sequence[float | None]] = {
        "size_mb": [stored(place) / MEGABYTE for place in (spec.base_model, str(made))],
        "peak_memory_mb": [peak_memory(place, config) for place in (spec.base_model, str(made))],
        "tokens_per_second": speeds(roles, config.measured_tokens),
    }
    if sequences:
        told = [predictions(role, sequences, config.batch_size) for role in roles]
        figures["perplexity"] = [math.exp(min(nats, 50.0)) for nats, _right in told]
        figures["token_accuracy"] = [right for _nats, right in told]
    duels, scores = scored(config, spec, rows, roles, tokenizer)
    figures |= {"score": scores} if scores else {}
    compared = [_row(name, *pair) for name, pair in figures.items()]
    summary: dict[str, object] = {"compared": compared, **({"score_win_rate": duels} if scores else {})}
    (made / "report.json").write_text(json.dumps(summary, indent=2, allow_nan=False), encoding="utf-8")
    return summary


def held_out(directory: RunDirectory) -> list[DemonstrationRecord]:
    rows = read_records(directory.data_path("demonstrations.parquet"), DemonstrationRecord)
    return [row for row in rows if row.split == "held_out"]


def speaker(place: str, config: CompressConfig) -> Role:
    return Role(Backbone(load_model(place, pick_dtype(config)), lora_rank=0, lora_layers=0), None)


def stored(place: str) -> int:
    """Bytes of weights in a model's folder; of a model that is elsewhere, as many as its tensors take."""
    files = list(Path(place).glob("*.safetensors"))
    if files:
        return sum(file.stat().st_size for file in files)
    model = load_model(place, torch.bfloat16)
    return sum(parameter.nbytes for parameter in model.parameters())


@torch.no_grad()
def predictions(role: Role, sequences: Sequence[TokenSequence], batch_size: int) -> tuple[float, float]:
    """Nats per learned token, and the share of them that are the likeliest token there."""
    nats = right = tokens = 0.0
    by_length = sorted(sequences, key=lambda sequence: len(sequence.ids))
    for start in range(0, len(by_length), batch_size):
        batch = pad(by_length[start : start + batch_size], role.backbone.device)
        real = batch.mask.bool()
        logits = role.backbone.logits(learned_states(role.hidden(batch), batch)[real])
        wanted = batch.tokens[real]
        nats += torch.nn.functional.cross_entropy(logits, wanted, reduction="sum").item()
        right += (logits.argmax(-1) == wanted).sum().item()
        tokens += len(wanted)
    return nats / tokens, right / tokens


def speeds(roles: Sequence[Role], tokens: int, repeats: int = REPEATS) -> list[float]:
    """Tokens a second of one answer at a time; the median of turns taken one after the other, so that
    whatever else the machine does meets all of them."""
    taken: list[list[float]] = [[] for _ in roles]
    for repeat in range(repeats + 1):
        for role, seconds in zip(roles, taken, strict=True):
            started = time.perf_counter()
            write(role, [[1, 2, 3, 4, 5, 6, 7, 8]], tokens, seed=repeat, eos=-1)
            seconds.append(time.perf_counter() - started)
    return [tokens / median(seconds[1:]) for seconds in taken]


def write(role: Role, prompts: list[list[int]], tokens: int, *, seed: int, eos: int) -> list[Any]:
    """An answer to each prompt; the same luck for whoever answers."""
    luck = uniforms(len(prompts), tokens, seed, "compare")
    return sample(role, prompts, temperature=1.0, max_new_tokens=tokens, eos=eos, luck=luck)


def scored(
    config: CompressConfig,
    spec: RunSpec,
    rows: Sequence[DemonstrationRecord],
    roles: Sequence[Role],
    tokenizer: Any,
) -> tuple[float, list[float]]:
    """How often the second one's answer scores higher, ties half, and both mean scores; none without a reward
    model."""
    reward = load_reward(whole_reward(spec), pick_dtype(config))
    asked = [row.messages for row in rows][: config.measured_prompts]
    asked = [one for one in asked if len(prompt_ids(tokenizer, one)) <= config.max_prompt_tokens]
    if reward is None or not asked:
        return 0.0, []
    scores = [reward.score(asked, answers(config, role, asked, tokenizer)) for role in roles]
    duels = [(after > before) + 0.5 * (after == before) for before, after in zip(*scores, strict=True)]
    return round(fmean(duels), 4), [fmean(one) for one in scores]


def answers(
    config: CompressConfig, role: Role, asked: Sequence[Sequence[Message]], tokenizer: Any
) -> list[str]:
    said = []
    for start in range(0, len(asked), config.batch_size):
        prompts = [prompt_ids(tokenizer, one) for one in asked[start : start + config.batch_size]]
        end = tokenizer.eos_token_id
        drawn = write(role, prompts, config.measured_tokens, seed=config.seed + start, eos=end)
        said += [one.text(tokenizer) for one in drawn]
    return said


def peak_memory(place: str, config: CompressConfig) -> float | None:
    """Megabytes of a fresh process that loads the model and writes one answer; None where the system does
    not tell."""
    command = [sys.executable, "-m", "trainer.rlhf.compress.peak", place, config.dtype]
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603  # our own module, started with our own interpreter
            command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        return float(done.stdout.split()[-1]) / 1e3
    return None


def _row(name: str, before: float | None, after: float | None) -> dict[str, Any]:
    # A reward's zero is nobody's zero, so scores have no ratio.
    ratio = after / before if before and after is not None and name != "score" else None
    values = {"before": before, "after": after, "ratio": ratio}
    return {"name": name} | {key: None if one is None else round(one, 4) for key, one in values.items()}
