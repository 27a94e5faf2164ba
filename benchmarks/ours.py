"""Our side, in a process of its own: ``python -m benchmarks.ours JOB.json``.

A job is a run directory's content. The run is done by the program ``python -m trainer.rlhf``: logs, samples
and checkpoints are written, and their cost counts.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.clock import Clock, ppo_quality
from trainer.handoff.rundir import RunDirectory, RunSpec, digest_of_folder


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    directory = run_directory(job)
    clock, summary = timed_run(directory, job["kind"])
    Path(job["out"]).write_text(json.dumps(clock.measured(**quality(job["kind"], directory, summary))))


def run_directory(job: dict[str, Any]) -> RunDirectory:
    spec = RunSpec(
        kind=job["kind"],
        config=job["settings"],
        base_model=job["model"],
        base_digest=digest_of_folder(Path(job["model"])),
        reward_model=job.get("reward_model"),
        snapshot_digest="0" * 64,
        code_version="benchmark",
    )
    data = {path.name: path for path in Path(job["rows"]).glob("*.parquet")}
    return RunDirectory.create(job["scratch"], spec, data)


def timed_run(directory: RunDirectory, kind: str) -> tuple[Clock, dict[str, Any]]:
    """Do the run; the clock ticks after each line of metrics that tells of a step."""
    from trainer.rlhf import __main__ as program
    from trainer.rlhf.reporting import Reporter

    clock, report_step = Clock(), Reporter.step

    def step(self: Reporter, step: int, steps: int, *, tokens: float = 0, **values: float) -> None:
        report_step(self, step, steps, tokens=tokens, **values)
        if tokens:
            # An iteration of PPO is an iteration; the other stages' batches differ in length.
            clock.tick(1.0 if kind == "ppo" else tokens)

    Reporter.step = step  # type: ignore[method-assign]
    sys.argv = ["trainer.rlhf", str(directory.path)]
    code, outcome = program.main(), directory.outcome()
    if outcome is None or not outcome.succeeded:
        raise SystemExit(f"The run ended with {code}: {outcome.reason if outcome else 'nobody knows why'}")
    return clock, outcome.summary


def quality(kind: str, directory: RunDirectory, summary: dict[str, Any]) -> dict[str, float]:
    if kind == "reward":
        return {"held_out_accuracy": summary["held_out_accuracy"]}
    if kind == "sft":
        return {"held_out_loss": summary["held_out_loss"]}
    rollouts = [line for line in directory.read_metrics()[0] if "score" in line]
    return ppo_quality([line["score"] for line in rollouts], [line["ref_kl"] for line in rollouts])


if __name__ == "__main__":
    main()
