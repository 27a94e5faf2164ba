"""One run from its directory: ``python -m trainer.rlhf RUN_DIR``. No Django, no queue.

A run that was stopped or killed goes on from its last checkpoint. On a machine with several GPUs it starts
one process for each. On several machines, start it on each with ``--nodes``, ``--rank`` and ``--meet``; each
has a run directory of its own with the same contents, and the first one writes.

Exits 0 when the run is done, 1 when it failed (RUN_DIR/FAILED says why), 143 when it was told to stop.
"""

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.handoff.configs import ConfigError, build_config
from trainer.handoff.failures import Failure, failure_of
from trainer.handoff.health import judge
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.processes import STOPPED, Place, are_launched, die_with_parent, launch

if TYPE_CHECKING:
    from trainer.rlhf.world import World

# Kind of run → module and function; imported when asked for, since torch takes seconds.
STAGES = {
    "sft": ("sft", "train_sft"),
    "reward": ("reward", "train_reward"),
    "ppo": ("ppo", "train_ppo"),
    "dpo": ("dpo", "train_dpo"),
    "kto": ("kto", "train_kto"),
    "sample": ("sample", "sample_candidates"),
    "evaluate": ("evaluate", "evaluate_checkpoint"),
    "quantize": ("compress.quantize", "quantize_checkpoint"),
    "distill": ("compress.distill", "distill_checkpoint"),
    "prune": ("compress.prune", "prune_checkpoint"),
    "share": ("compress.share", "share_checkpoint"),
    "generate": ("synthetic.dialogues", "generate_dialogues"),
    "expand": ("synthetic.expansion", "expand_prompts"),
    "judge": ("synthetic.judging", "judge_candidates"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m trainer.rlhf", description=__doc__)
    parser.add_argument("run_dir", type=Path, help="a folder with config.json and data/")
    parser.add_argument("--processes", type=int, help="how many share the run; one for each GPU unless told")
    parser.add_argument("--nodes", type=int, default=1, help="how many machines share the run")
    parser.add_argument("--rank", type=int, default=0, help="which of them this is, from 0")
    parser.add_argument("--meet", default="", metavar="HOST:PORT", help="of the first one, for all the same")
    parser.add_argument(
        "--dry-run",
        nargs="?",
        const="text",
        choices=["text", "json"],
        help="say what the run will do and need, and end",
    )
    options = parser.parse_args()
    directory = RunDirectory(options.run_dir)
    if not (directory.path / "config.json").exists():
        print(f"{directory.path} is no run directory: it has no config.json.", file=sys.stderr)
        return 1
    if options.dry_run:
        from trainer.rlhf.dry_run import rehearse

        as_json = options.dry_run == "json"
        return rehearse(directory, options.processes, nodes=options.nodes, as_json=as_json)
    if (outcome := directory.outcome()) and outcome.succeeded:
        print(f"{directory.path} is done already.", file=sys.stderr)
        return 0
    if are_launched():
        die_with_parent()
    else:
        import torch

        count = torch.cuda.device_count() if options.processes is None else options.processes
        if count > 1 or options.nodes > 1:
            place = Place(options.nodes, options.rank, options.meet)
            code = launch(max(count, 1), directory.path, place)
            if outcome := directory.outcome():
                return int(not outcome.succeeded)
            if code < 0:  # who waits for us shall see the signal that ended one of the processes
                os.kill(os.getpid(), -code)
            return code
    from trainer.rlhf.errors import Stopped
    from trainer.rlhf.world import World

    try:
        world = World()
        summary = run(directory, world)
        if world.is_first:
            directory.mark_done({**summary, "health": health(directory)})
        world.leave()
    except Stopped:
        world.leave()
        return STOPPED
    except Exception as error:  # whatever happened, the researcher is told
        traceback.print_exc()
        directory.mark_failed(in_plain_words(error), failure_of(error))
        return 1
    return 0


def run(directory: RunDirectory, world: "World") -> dict[str, object]:
    """Do what the run's config asks. Returns the figures it ended with."""
    spec = directory.spec()
    config = build_config(spec.kind, spec.config)
    from trainer.rlhf.dry_run import refuse_what_cannot_fit
    from trainer.rlhf.reporting import Reporter

    report = Reporter(directory, writes=world.is_first)
    report.stop_on_sigterm()
    refuse_what_cannot_fit(config, directory, world)
    module, function = STAGES[spec.kind]
    stage = getattr(importlib.import_module(f"trainer.rlhf.{module}"), function)
    try:
        summary: dict[str, object] = stage(config, spec, directory, report, world)
    finally:
        report.close()
    return summary


def health(directory: RunDirectory) -> dict[str, object]:
    """The verdict on the run's curves, which is printed as well."""
    spec = directory.spec()
    verdict = judge(spec.kind, directory.read_metrics()[0], spec.config)
    print(verdict, file=sys.stderr, flush=True)
    return verdict.as_dict()


def in_plain_words(error: BaseException) -> str:
    """What happened and what to change, for somebody who reads no tracebacks."""
    from trainer.rlhf.errors import LabError

    if isinstance(error, LabError | ConfigError):
        return str(error)
    match failure_of(error):
        case Failure.OUT_OF_MEMORY:
            return "The machine ran out of memory. Use a smaller batch, shorter texts, or a smaller model."
        case Failure.DISK_FULL:
            return "The disk is full. Free some space and start the run again."
    return (
        f"The run broke with an unexpected error, {type(error).__name__}: {error}. Its log has the details."
    )


if __name__ == "__main__":
    sys.exit(main())
