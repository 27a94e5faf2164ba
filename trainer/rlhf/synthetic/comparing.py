"""Whether a judge likes a model's answers better than a baseline's: each two on both sides."""

import json
import shutil
from collections.abc import Mapping

from trainer.handoff.configs import EvaluateConfig
from trainer.handoff.configs.synthetic import JudgeConfig
from trainer.handoff.endpoints import UnknownEndpoint
from trainer.handoff.records import PromptRecord, read_records
from trainer.handoff.rundir import BASELINE, CONFIG, RunDirectory
from trainer.rlhf.errors import BadData, LabError
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.reward_report import wilson_interval
from trainer.rlhf.synthetic.guidelines import guideline_in
from trainer.rlhf.synthetic.items import Item, Line, Work
from trainer.rlhf.synthetic.judging import Candidates, judged
from trainer.rlhf.synthetic.orders import preferred
from trainer.rlhf.synthetic.speakers import speakers

OURS, THEIRS = 1, 2
FOLDER = "judge"
"""Of the judge's own lines, beside the answers."""


def win_rate_by_judge(config: EvaluateConfig, directory: RunDirectory, report: Reporter) -> dict[str, object]:
    """The figures; or why there are none, which is no reason to lose what else was measured."""
    try:
        return compare(config, directory, report)
    except (LabError, UnknownEndpoint) as error:
        return {"judge_failed": str(error)}


def compare(config: EvaluateConfig, directory: RunDirectory, report: Reporter) -> dict[str, object]:
    """:raises BadData: no prompt was answered by both.
    :raises LabError: the judge cannot be asked, or says nothing that can be used.
    """
    items, equal = pairs_of(directory)
    judge = JudgeConfig(
        seed=config.seed,
        batch_size=config.batch_size,
        most_tokens=config.most_tokens,
        requests_per_minute=config.requests_per_minute,
    )
    lines: list[Line] = []
    guideline = guideline_in(directory)
    if items:
        shutil.rmtree(directory.path / FOLDER, ignore_errors=True)
        (directory.path / FOLDER).mkdir()
        shutil.copy(directory.path / CONFIG, directory.path / FOLDER)
        beside = RunDirectory(directory.path / FOLDER)
        with speakers(judge, report, config.judge) as (model,):
            work = Work(
                judge,
                beside,
                _Beside(beside, report),
                answer=lambda item, asked: judged(judge, model, item.about, asked, guideline),
            )
            work.do(items)
        lines = work.lines
    return figures(lines, equal) | guideline.figures


def pairs_of(directory: RunDirectory) -> tuple[list[Item], int]:
    """The answers to be compared, and how many pairs are equal.

    :raises BadData: no prompt was answered by both.
    """
    ours = first_answers(directory.read_samples())
    told = directory.data_path(BASELINE).read_text(encoding="utf-8").split("\n")
    theirs = first_answers([json.loads(line) for line in told if line])
    prompts = read_records(directory.data_path("prompts.parquet"), PromptRecord)
    both = [row for row in prompts if row.prompt_id in ours.keys() & theirs.keys()]
    if not both:
        raise BadData("There is nothing to compare: the baseline answered none of these prompts.")
    items = [
        Item(row.prompt_id, 2, _pair(row, ours[row.prompt_id], theirs[row.prompt_id]))
        for row in both
        if ours[row.prompt_id] != theirs[row.prompt_id]
    ]
    return items, len(both) - len(items)


def first_answers(samples: list[Line]) -> dict[int, str]:
    found: dict[int, str] = {}
    for sample in samples:
        found.setdefault(sample["prompt_id"], sample["completion"].strip())
    return found


def figures(lines: list[Line], equal: int) -> dict[str, object]:
    usable = [line for line in lines if not line["problem"]]
    said = [preferred([asking["tiers"] for asking in line["askings"]], OURS, THEIRS) for line in usable] + [
        0
    ] * equal
    share = sum((one + 1) / 2 for one in said) / len(said)
    low, high = wilson_interval(share, len(said))
    return {
        "judge_win_rate": round(share, 4),
        "judge_win_rate_low": round(low, 4),
        "judge_win_rate_high": round(high, 4),
        "judge_prompts": len(said),
        "judge_ties": said.count(0),
        "judge_unusable": len(lines) - len(usable),
    }


def _pair(row: PromptRecord, ours: str, theirs: str) -> Candidates:
    texts: Mapping[int, str] = {OURS: ours, THEIRS: theirs}
    return Candidates(
        candidate_set_id=row.prompt_id,
        prompt_id=row.prompt_id,
        split=row.split,
        messages=row.messages,
        completions=dict(texts),
        rankings=0,
        consensus=[],
    )


class _Beside(Reporter):
    """Keeps the judge's steps out of the run's own curves, and stops when the run does."""

    def __init__(self, directory: RunDirectory, report: Reporter) -> None:
        super().__init__(directory)
        self.main = report

    def check(self) -> None:
        self.main.check()
