"""Bringing what a policy said to the people who rank it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from annotation.actions.candidates import MAX_CANDIDATES, MIN_CANDIDATES, add_candidate_set
from annotation.errors import BadInput
from annotation.messages import check_text
from annotation.models import Campaign, CandidateSet, Prompt
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint, Run, SampledCompletion
from trainer.uncertainty import asking_priority

NEW_FIRST = 1
"""The priority of fresh candidates: they are ranked before the older ones."""

Sample = Mapping[str, Any]


@transaction.atomic
def deliver_samples(run: Run, *, checkpoint: Checkpoint) -> list[CandidateSet]:
    """A candidate set per prompt that has at least two different answers among the run's samples."""
    by_prompt: dict[int, dict[str, Sample]] = defaultdict(dict)
    for sample in RunDirectory(run.folder).read_samples():
        if _can_be_shown(sample["completion"]):
            by_prompt[sample["prompt_id"]].setdefault(sample["completion"], sample)
    prompts = Prompt.objects.select_related("campaign").in_bulk(by_prompt)
    return [
        _deliver(run, checkpoint, prompts[prompt_id], answers)
        for prompt_id, answers in by_prompt.items()
        if prompt_id in prompts and len(answers) >= MIN_CANDIDATES
    ]


def _deliver(run: Run, checkpoint: Checkpoint, prompt: Prompt, answers: Mapping[str, Sample]) -> CandidateSet:
    texts = list(answers)[:MAX_CANDIDATES]
    priority = NEW_FIRST + _doubt(prompt.campaign, [answers[text].get("score") for text in texts])
    candidate_set = add_candidate_set(prompt=prompt, texts=texts, priority=priority)
    SampledCompletion.objects.bulk_create(
        SampledCompletion(
            completion=completion,
            run=run,
            checkpoint=checkpoint,
            finished=answers[completion.text]["finished"],
            tokens=answers[completion.text]["tokens"],
        )
        for completion in candidate_set.completions.order_by("pk")
    )
    return candidate_set


def _doubt(campaign: Campaign, scores: Sequence[float | None]) -> int:
    """How much sooner the candidates are asked about, where the campaign wants to know what its reward model
    does not; 0 where none has scored them."""
    known = [score for score in scores if score is not None]
    if campaign.selection != Campaign.Selection.UNCERTAIN or len(known) < len(scores):
        return 0
    return asking_priority(known)


def _can_be_shown(text: str) -> bool:
    """A model may say nothing at all, or what no database can hold."""
    try:
        return bool(check_text(text).strip())
    except BadInput:
        return False
