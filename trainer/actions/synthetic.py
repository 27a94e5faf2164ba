"""Bringing what a model made up into the campaign: marked, and nowhere that people's work is counted."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Max

from annotation.actions.labelers import person_without_password
from annotation.actions.prompts import add_prompt
from annotation.errors import BadInput
from annotation.messages import check_text, check_turns
from annotation.models import Assignment, Campaign, CandidateSet, Demonstration, Person, Prompt, Ranking
from trainer.actions.candidates_to_judge import guideline_read_by
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint, Run, SyntheticRow

Line = Mapping[str, Any]

SOURCE = "synthetic"
"""The source of prompts that a model made up."""
_KEYS = UUID("5f7c8a54-0d43-4f0e-9a0b-6f2f7b1f7f0e")
"""A space of our own for the keys of what runs make."""


@transaction.atomic
def deliver_synthetic(run: Run, *, checkpoint: Checkpoint, now: datetime) -> int:
    """Prompts that wait for a researcher, demonstrations that await review, or rankings of a judge. What
    cannot be stored, or is there already, is left out. Returns how many rows there are now of this run."""
    deliver: dict[str, Callable[[Delivery, Line], None]] = {
        Run.Kind.GENERATE: Delivery.demonstration,
        Run.Kind.EXPAND: Delivery.prompts,
        Run.Kind.JUDGE: Delivery.ranking,
    }
    delivery = Delivery(run, checkpoint, now)
    lines = sorted(RunDirectory(run.folder).read_samples(), key=lambda line: line["item"])
    for line in lines:
        if not line["problem"]:
            deliver[run.kind](delivery, line)
    return run.synthetic_rows.count()


class Delivery:
    def __init__(self, run: Run, checkpoint: Checkpoint, now: datetime) -> None:
        self.run, self.checkpoint, self.now = run, checkpoint, now
        self.campaign: Campaign = run.campaign
        self.account = account_of(checkpoint)
        self.guideline = guideline_read_by(run)

    def prompts(self, line: Line) -> None:
        for text in line["prompts"]:
            messages = [{"role": "user", "content": text}]
            told = {"kind": line["kind"], "language": line["language"]}
            self._prompt(messages, made_from={"prompts": line["made_from"]}, **told)

    def demonstration(self, line: Line) -> None:
        try:
            turns = check_turns(line["messages"][1:])
        except BadInput:
            return
        made_from = {name: line[name] for name in ("topic", "persona")} | {"prompts": line["made_from"]}
        prompt = self._prompt(line["messages"][:1], made_from=made_from)
        if prompt is None or prompt.demonstrations.filter(labeler=self.account).exists():
            return
        demonstration = Demonstration.objects.create(
            prompt=prompt,
            labeler=self.account,
            status=Demonstration.Status.SUBMITTED,
            is_synthetic=True,
            turns=turns,
            idempotency_key=self._key(line),
            submitted_at=self.now,
        )
        self._note(demonstration=demonstration, made_from=made_from)

    def ranking(self, line: Line) -> None:
        candidates = CandidateSet.objects.filter(pk=line["item"], prompt__campaign=self.campaign).first()
        if candidates is None:
            return
        shown = line["askings"][0]["shown"] if len(line["askings"]) == 2 else sorted(sum(line["tiers"], []))
        turn, _is_new = Assignment.objects.get_or_create(
            candidate_set=candidates,
            labeler=self.account,
            defaults={
                "campaign": self.campaign,
                "purpose": Assignment.Purpose.JUDGE,
                "status": Assignment.Status.SUBMITTED,
                "shown_order": shown,
            },
        )
        # Whatever this model once judged of them and was voided stays so.
        if turn.purpose != Assignment.Purpose.JUDGE:
            return
        before = turn.rankings.aggregate(last=Max("revision"))["last"] or 0
        ranking = Ranking.objects.create(
            assignment=turn,
            labeler=self.account,
            revision=before + 1,
            tiers=line["tiers"],
            rationale=_storable(line["completion"]),
            shown_order=shown,
            guideline=self.guideline,
            seconds_spent=0,
            idempotency_key=self._key(line),
            submitted_at=self.now,
        )
        askings = [{**asking, "reason": _storable(asking["reason"])} for asking in line["askings"]]
        self._note(ranking=ranking, made_from={"askings": askings})

    def _prompt(self, messages: Any, *, made_from: Any, **told: str) -> Prompt | None:
        """The prompt, held until a researcher releases it; or the one that was there already."""
        try:
            prompt, is_new = add_prompt(campaign=self.campaign, messages=messages, source=SOURCE, **told)
        except BadInput:
            return None
        if is_new:
            prompt.status, prompt.is_synthetic = Prompt.Status.HELD, True
            prompt.save(update_fields=["status", "is_synthetic"])
            self._note(prompt=prompt, made_from=made_from)
        return prompt

    def _note(self, *, made_from: Any, **row: Any) -> None:
        SyntheticRow.objects.create(run=self.run, checkpoint=self.checkpoint, made_from=made_from, **row)

    def _key(self, line: Line) -> UUID:
        return uuid5(_KEYS, f"{self.run.pk} {line['item']}")


def account_of(checkpoint: Checkpoint) -> Person:
    """Stands where a person would. Nobody can sign in to it, and no form accepts such a name."""
    return person_without_password(f"model:{checkpoint.pk} {checkpoint.name}"[:150], is_active=False)


def _storable(text: str) -> str:
    try:
        return check_text(text)
    except BadInput:
        return ""
