"""What a run's policy said, beside what the model that it starts from says to the same prompts."""

from collections.abc import Sequence
from typing import Any

from annotation.models import Prompt
from trainer.handoff.rundir import RunDirectory
from trainer.models import Run

SHOWN = 6

Sample = dict[str, Any]


def said_by(run: Run) -> dict[str, Any] | None:
    """For the template; None where nothing was said yet, or the run directory is elsewhere."""
    try:
        samples = RunDirectory(run.folder).read_samples()
        shown = [sample for sample in samples if "base" in sample][-SHOWN:] or _last(run, samples)
        prompts = Prompt.objects.in_bulk([sample["prompt_id"] for sample in shown])
        rows = [{**sample, "prompt": prompts.get(sample["prompt_id"])} for sample in shown]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not rows:
        return None
    return {
        "rows": rows,
        "has_base": any(row.get("base") is not None for row in rows),
        "is_greedy": "base" in samples[-1],
        "makes_weights": run.makes_weights,
    }


def _last(run: Run, samples: Sequence[Sample]) -> list[Sample]:
    """Of an iteration, those first whose prompts the first iteration had too: it samples before anything is
    learned, so what it said is what the start says."""
    if run.kind != Run.Kind.PPO or not samples:
        return list(samples[-SHOWN:])
    start = {one["prompt_id"]: one["completion"] for one in samples if one["step"] == 1}
    latest = [one for one in samples if one["step"] == samples[-1]["step"] > 1]
    with_start = [{**one, "base": start.get(one["prompt_id"])} for one in latest]
    return sorted(with_start, key=lambda one: one["base"] is None)[:SHOWN] or list(samples[-SHOWN:])
