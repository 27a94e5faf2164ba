"""The lab beside TRL: one thread each, in turn, the same checkpoint and the same rows.

Each side runs in fresh processes. Ours runs as ``python -m trainer.rlhf`` does, in float32 and in bfloat16;
TRL at its defaults and, tuned, in float32 and in bfloat16. What is compared is CPU seconds of training
(without start, warm-up and evaluation), peak memory, and how well what was trained does.

TRL's defaults are there to tell what tuning is worth: they run once, everything else ``repeats`` times.

TRL learns a ranking as pairs: it gets all pairs of the same rankings for as many epochs and, where it is
tuned, as many of them per update as ours. Each side shuffles in its own way.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import texts, workload
from benchmarks.figures import ROOT, Figure
from benchmarks.peers import peer_python
from config.bootstrap import BASE_MODEL, VAR

SCRATCH = VAR / "benchmarks"
SMOL = Path(os.environ.get("BENCH_SMOL") or BASE_MODEL)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

OURS = {"fp32": {"dtype": "float32"}, "bf16": {"dtype": "bfloat16"}}
PEER = ("defaults", "fp32", "bf16")
UNITS = {
    "cpu_seconds": "s",
    "peak_mb": "MB",
    "steps": "steps",
    "held_out_accuracy": "share",
    "held_out_loss": "nats",
    "score": "deviations",
    "score_gain": "deviations",
    "ref_kl": "nats",
}

FULL = {"lora_rank": 0, "learning_rate": 5e-4}
ADAPTERS = {"lora_rank": 16, "lora_layers": 8, "learning_rate": 5e-4}
SAME = {"seed": 0, "max_grad_norm": 1.0}
PPO = {"critic": "policy", "kl_coef": 0.05, "missing_eos_penalty": 1.0, "score_clip": 0.0}


@dataclass(frozen=True)
class Case:
    kind: str
    model: str
    """tiny or smollm2."""
    rows: int
    held_out: int
    settings: dict[str, Any]
    """Of our config; the peer's are made from them."""
    answers: int = 1
    """To each prompt."""
    most_prompt_tokens: int = texts.MOST_PROMPT_TOKENS
    peer_batch: int = 0
    """Rows per pass of the peer, where it is tuned; as many passes per update as make it our update."""
    peer_accumulation: int = 1


CASES = {
    "reward_k4": Case(
        kind="reward",
        model="tiny",
        rows=128,
        held_out=64,
        answers=4,
        settings={**SAME, **FULL, "epochs": 1, "batch_size": 2},
        peer_batch=12,
    ),
    "reward_k9": Case(
        kind="reward",
        model="tiny",
        rows=32,
        held_out=32,
        answers=9,
        settings={**SAME, **FULL, "epochs": 1, "batch_size": 1},
        peer_batch=12,
        peer_accumulation=3,
    ),
    "sft": Case(
        kind="sft",
        model="tiny",
        rows=512,
        held_out=64,
        settings={**SAME, **FULL, "epochs": 1, "batch_size": 16},
        peer_batch=16,
    ),
    "ppo_tiny": Case(
        kind="ppo",
        model="tiny",
        rows=128,
        held_out=0,
        most_prompt_tokens=64,
        settings={
            **SAME,
            **FULL,
            **PPO,
            "learning_rate": 1e-4,
            "iterations": 5,
            "rollout_size": 32,
            "minibatch_size": 32,
            "epochs": 4,
            "max_new_tokens": 64,
        },
    ),
    "ppo_smollm2": Case(
        kind="ppo",
        model="smollm2",
        rows=64,
        held_out=0,
        most_prompt_tokens=48,
        settings={
            **SAME,
            **ADAPTERS,
            **PPO,
            "iterations": 5,
            "rollout_size": 8,
            "minibatch_size": 8,
            "epochs": 2,
            "max_new_tokens": 40,
        },
    ),
    "reward_k4_smollm2": Case(
        kind="reward",
        model="smollm2",
        rows=24,
        held_out=16,
        answers=4,
        settings={**SAME, **ADAPTERS, "epochs": 2, "batch_size": 2},
        peer_batch=12,
    ),
    "sft_smollm2": Case(
        kind="sft",
        model="smollm2",
        rows=64,
        held_out=16,
        settings={**SAME, **ADAPTERS, "epochs": 3, "batch_size": 8},
        peer_batch=8,
    ),
}


def facts() -> dict[str, object]:
    """What is kept beside the figures."""
    return {"texts": texts.source(), "threads": 1}


def measure(part: str, repeats: int) -> Iterator[Figure]:
    """The figures of all cases, or of one."""
    if part and part not in CASES:
        raise SystemExit(f"The lab's benchmark has no part {part}; choose from {', '.join(CASES)}.")
    shutil.rmtree(SCRATCH, ignore_errors=True)
    say(f"learning from {texts.source()}")
    models = Models()
    for name in (part,) if part else CASES:
        yield from compare(name, CASES[name], models, repeats)


def compare(name: str, case: Case, models: "Models", repeats: int) -> Iterator[Figure]:
    """Both sides in turn, ``repeats`` times; then the medians, and their ratios."""
    job = prepare(name, case, models)
    sides = [("ours", variant) for variant in OURS] + [("peer", variant) for variant in PEER]
    runs: dict[tuple[str, str], list[dict[str, float]]] = {side: [] for side in sides}
    for number in range(repeats):
        for side, variant in sides:
            if variant == "defaults" and number:
                continue
            measured = run_side(case, job, side, variant)
            say(f"{name} {number + 1}/{repeats} {side} {variant}: {measured}")
            runs[side, variant].append(measured)
    medians = {
        side: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for side, found in runs.items()
    }
    for (side, variant), median in medians.items():
        for key, value in median.items():
            yield Figure(f"{name}_{side}_{variant}_{key}", value, UNITS[key])
    yield from ratios(name, medians)


def ratios(name: str, medians: dict[tuple[str, str], dict[str, float]]) -> Iterator[Figure]:
    """How many times the CPU seconds the peer takes, each side as it is fastest; and our share of the memory
    that the same runs took."""

    def fastest(side: str) -> dict[str, float]:
        found = [median for (whose, _), median in medians.items() if whose == side]
        return min(found, key=lambda median: median["cpu_seconds"])

    pairs = {
        "": (fastest("ours"), fastest("peer")),
        "_fp32": (medians["ours", "fp32"], medians["peer", "fp32"]),
    }
    for suffix, (ours, peer) in pairs.items():
        yield Figure(f"{name}_ratio{suffix}", peer["cpu_seconds"] / ours["cpu_seconds"], "times")
        yield Figure(f"{name}_memory_ratio{suffix}", ours["peak_mb"] / peer["peak_mb"], "share")


class Models:
    """The checkpoints that both sides start from; made when they are first asked for."""

    def __init__(self) -> None:
        self.rewards: dict[str, str] = {}

    def path(self, name: str) -> Path:
        if name == "tiny":
            folder = SCRATCH / "tiny"
            return folder if folder.exists() else workload.make_tiny(folder)
        if not SMOL.exists():
            make = [sys.executable, "-m", "trainer.rlhf.base_model", str(SMOL)]
            subprocess.run(make, cwd=ROOT, check=True)
        return SMOL

    def reward(self, case: Case) -> str:
        """A reward model for PPO, trained by us from the same checkpoint; the peer takes the same."""
        if case.model not in self.rewards:
            adapted = ADAPTERS if case.settings["lora_rank"] else FULL
            teacher = Case(
                kind="reward",
                model=case.model,
                rows=64,
                held_out=16,
                answers=2,
                most_prompt_tokens=48,
                settings={**SAME, **adapted, "epochs": 1, "batch_size": 4},
            )
            job = prepare(f"teacher_{case.model}", teacher, self)
            variant = "bf16" if case.settings["lora_rank"] else "fp32"
            say(f"reward model for {case.model}: {run_side(teacher, job, 'ours', variant)}")
            self.rewards[case.model] = str(Path(job["folder"]) / f"ours_{variant}" / "result")
        return self.rewards[case.model]


def prepare(name: str, case: Case, models: Models) -> dict[str, Any]:
    """What both sides are told."""
    folder, model = SCRATCH / name, models.path(case.model)
    workload.write_rows(
        case.kind,
        folder / "rows",
        model,
        train=case.rows,
        held_out=case.held_out,
        answers=case.answers,
        most_prompt_tokens=case.most_prompt_tokens,
    )
    return {
        "kind": case.kind,
        "folder": str(folder),
        "rows": str(folder / "rows"),
        "model": str(model),
        "reward_model": models.reward(case) if case.kind == "ppo" else None,
        "peer_batch": case.peer_batch,
        "peer_accumulation": case.peer_accumulation,
    }


def run_side(case: Case, job: dict[str, Any], side: str, variant: str) -> dict[str, float]:
    """One run of one side in a fresh process. Returns what it measured."""
    folder = Path(job["folder"])
    scratch, told, out = folder / f"{side}_{variant}", folder / "job.json", folder / "measured.json"
    shutil.rmtree(scratch, ignore_errors=True)
    out.unlink(missing_ok=True)
    settings = {**case.settings, **(OURS[variant] if side == "ours" else {})}
    content = {**job, "settings": settings, "variant": variant, "scratch": str(scratch), "out": str(out)}
    told.write_text(json.dumps(content))
    if side == "ours":
        command = [sys.executable, "-m", "benchmarks.ours", str(told)]
    else:
        python = peer_python("trl-ppo" if case.kind == "ppo" else "trl")
        command = [str(python), "-m", "benchmarks.trl_side", str(told)]
    log = folder / f"{side}_{variant}.log"
    with log.open("w") as lines:
        environment = {**os.environ, **ONE_THREAD, **OFFLINE}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    if done.returncode:
        raise SystemExit(f"{side} {variant} broke; its last words:\n{log.read_text()[-3000:]}")
    measured: dict[str, float] = json.loads(out.read_text())
    return measured


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
