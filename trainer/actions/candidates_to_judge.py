"""What a judge reads besides its snapshot: its prompts' candidate sets, and the campaign's guideline."""

import json
from collections.abc import Callable

from django.db.models import Count, Exists, OuterRef, Q

from annotation.models import Assignment, CandidateSet, Consensus, Guideline
from trainer.handoff.configs.synthetic import JUDGE_TEMPLATE
from trainer.handoff.records import PromptRecord, stream_records
from trainer.handoff.rundir import GUIDELINE, RunDirectory
from trainer.handoff.templates import places_in
from trainer.models import Rehearsal, Run, Snapshot

FILE = "candidates.jsonl"
AT_ONCE = 500


def guideline_read_by(asked: Run | Rehearsal) -> Guideline | None:
    """The one in force when the run was asked for, whichever attempt this is; None where it has no judge, or
    a judge whose template does not ask for it."""
    has_judge = asked.kind == Run.Kind.JUDGE or bool(asked.config.get("judge"))
    if not has_judge or "guideline" not in places_in(asked.config.get("judge_template", JUDGE_TEMPLATE)):
        return None
    published = asked.snapshot.campaign.guidelines.filter(published_at__lte=asked.created_at)
    return published.order_by("-version").first()


def write_guideline(asked: Run | Rehearsal, directory: RunDirectory) -> None:
    if guideline := guideline_read_by(asked):
        told = {"version": guideline.version, "text": guideline.text}
        directory.data_path(GUIDELINE).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def write_candidates(snapshot: Snapshot, directory: RunDirectory, watch: Callable[[], None]) -> None:
    """A line for each, with what people's rankings say together. Practice is left out, and so are arenas: of
    what they measure nothing is to be learned."""
    splits = {row.prompt_id: row.split for row in stream_records(snapshot.file, PromptRecord)}
    by_people = [Assignment.Purpose.OVERLAP, Assignment.Purpose.ADJUDICATION]
    ranked = Q(assignments__status=Assignment.Status.SUBMITTED, assignments__purpose__in=by_people)
    measured = Assignment.objects.filter(candidate_set=OuterRef("pk"), purpose=Assignment.Purpose.ARENA)
    sets = (
        CandidateSet.objects.filter(prompt__campaign=snapshot.campaign, practice__isnull=True)
        .exclude(Exists(measured))
        .annotate(rankings=Count("assignments", filter=ranked))
        .select_related("prompt")
        .prefetch_related("completions", "consensus")
        .order_by("pk")
    )
    with directory.data_path(FILE).open("w", encoding="utf-8") as file:
        for one in sets.iterator(AT_ONCE):
            if one.prompt_id in splits:
                file.write(_line(one, splits[one.prompt_id]) + "\n")
            watch()


def _line(candidates: CandidateSet, split: str) -> str:
    consensus: Consensus | None = getattr(candidates, "consensus", None)
    told = {
        "candidate_set_id": candidates.pk,
        "prompt_id": candidates.prompt_id,
        "split": split,
        "messages": candidates.prompt.messages,
        "completions": [
            {"id": one.pk, "text": one.text}
            for one in sorted(candidates.completions.all(), key=lambda one: one.pk)
        ],
        "rankings": candidates.rankings,  # type: ignore[attr-defined]  # annotated
        "consensus": [*consensus.tiers, consensus.unacceptable] if consensus else [],
    }
    return json.dumps(told, ensure_ascii=False)
