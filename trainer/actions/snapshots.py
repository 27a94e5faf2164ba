"""Freezing what people did into training data."""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from annotation.messages import digest_of
from annotation.models import Campaign, Demonstration, Person, Prompt, Ranking
from trainer.errors import NothingToFreeze
from trainer.handoff.records import (
    RECORDS,
    DemonstrationRecord,
    PromptRecord,
    RankingRecord,
    Record,
    write_records,
)
from trainer.handoff.rundir import digest_of_file
from trainer.models import Snapshot

FILTERS = {
    Snapshot.Kind.DEMONSTRATIONS: "submitted or accepted",
    Snapshot.Kind.RANKINGS: "latest revision of each",
    Snapshot.Kind.PROMPTS: "all",
}


def freeze_snapshot(*, campaign: Campaign, kind: str, created_by: Person | None, now: datetime) -> Snapshot:
    """The campaign's rows of this kind as they are now; the same rows give the same snapshot.

    :raises NothingToFreeze: there are no such rows yet.
    """
    records = _records(campaign, kind)
    if not records:
        raise NothingToFreeze(_nothing(campaign, kind))
    digest = _store(records, kind)
    snapshot, _is_new = Snapshot.objects.get_or_create(
        digest=digest,
        defaults={
            "campaign": campaign,
            "kind": kind,
            "rows": len(records),
            "manifest": _manifest(campaign, kind, records),
            "created_by": created_by,
            "created_at": now,
        },
    )
    return snapshot


def split_of(prompt: Prompt, campaign: Campaign) -> str:
    """How its conversation opens decides: a prompt stays in its split whatever is added later, and so does
    every prompt that goes on from there (the branches of one tree)."""
    first_of_user = next(index for index, turn in enumerate(prompt.messages) if turn["role"] == "user")
    opening = digest_of(prompt.messages[: first_of_user + 1])
    lot = int(hashlib.sha256(opening.encode()).hexdigest(), 16) % 100
    return "held_out" if lot < campaign.held_out_percent else "train"


@transaction.atomic
def _records(campaign: Campaign, kind: str) -> Sequence[Record]:
    # One transaction: the rows of one moment.
    read = {
        Snapshot.Kind.DEMONSTRATIONS: _demonstrations,
        Snapshot.Kind.RANKINGS: _rankings,
        Snapshot.Kind.PROMPTS: _prompts,
    }
    return read[Snapshot.Kind(kind)](campaign)


def _prompts(campaign: Campaign) -> Sequence[Record]:
    return [
        PromptRecord(
            prompt_id=prompt.pk,
            digest=prompt.digest,
            split=split_of(prompt, campaign),
            kind=prompt.kind,
            language=prompt.language,
            messages=prompt.messages,
        )
        for prompt in campaign.prompts.order_by("pk")
    ]


def _demonstrations(campaign: Campaign) -> Sequence[Record]:
    usable = Demonstration.objects.usable().filter(prompt__campaign=campaign)
    return [
        DemonstrationRecord(
            demonstration_id=row.pk,
            prompt_id=row.prompt_id,
            prompt_digest=row.prompt.digest,
            split=split_of(row.prompt, campaign),
            messages=row.prompt.messages,
            turns=row.turns,
            labeler=_pseudonym(campaign, row.labeler_id),
            guideline_version=row.guideline.version if row.guideline else 0,
            submitted_at=_iso(row.submitted_at),
        )
        for row in usable.select_related("prompt", "guideline").order_by("pk")
    ]


def _rankings(campaign: Campaign) -> Sequence[Record]:
    current = Ranking.objects.current().filter(assignment__campaign=campaign)
    related = current.select_related("assignment__candidate_set__prompt", "guideline")
    records: list[Record] = []
    for row in related.prefetch_related("assignment__candidate_set__completions").order_by("pk"):
        candidate_set = row.assignment.candidate_set
        completions = sorted(candidate_set.completions.all(), key=lambda completion: completion.pk)
        records.append(
            RankingRecord(
                ranking_id=row.pk,
                prompt_id=candidate_set.prompt_id,
                prompt_digest=candidate_set.prompt.digest,
                candidate_set_id=candidate_set.pk,
                split=split_of(candidate_set.prompt, campaign),
                messages=candidate_set.prompt.messages,
                completions=[{"id": completion.pk, "text": completion.text} for completion in completions],
                tiers=row.tiers,
                unacceptable=row.unacceptable,
                cannot_judge=row.cannot_judge,
                labeler=_pseudonym(campaign, row.labeler_id),
                guideline_version=row.guideline.version if row.guideline else 0,
                seconds_spent=row.seconds_spent,
                submitted_at=_iso(row.submitted_at),
            )
        )
    return records


def _pseudonym(campaign: Campaign, labeler_id: int) -> str:
    """The same person in one campaign, nobody across campaigns."""
    return hashlib.sha256(f"{campaign.pk}/{labeler_id}".encode()).hexdigest()[:12]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _store(records: Sequence[Record], kind: str) -> str:
    """Write the shard where its digest says, and return the digest."""
    root = Path(settings.SNAPSHOTS_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="writing-", dir=root) as folder:
        written = Path(folder) / f"{kind}.parquet"
        write_records(written, RECORDS[kind], records)  # type: ignore[type-var]  # all of one kind
        digest = digest_of_file(written)
        kept = root / digest / written.name
        kept.parent.mkdir(exist_ok=True)
        os.replace(written, kept)
    return digest


def _manifest(campaign: Campaign, kind: str, records: Sequence[Record]) -> dict[str, Any]:
    prompts = {record.prompt_id for record in records}
    rows = campaign.prompts.filter(pk__in=prompts).values_list("kind", "language")
    return {
        "campaign": campaign.name,
        "kind": kind,
        "filters": FILTERS[Snapshot.Kind(kind)],
        "held_out_percent": campaign.held_out_percent,
        "rows": _counts(record.split for record in records),
        "prompts": len(prompts),
        "prompts_by_kind": _counts(kind for kind, _language in rows),
        "prompts_by_language": _counts(language for _kind, language in rows),
        **_people(records),
    }


def _people(records: Sequence[Record]) -> dict[str, Any]:
    judged = [record for record in records if not isinstance(record, PromptRecord)]
    if not judged:
        return {}
    return {
        "labelers": len({record.labeler for record in judged}),
        "guideline_versions": _counts(record.guideline_version for record in judged),
        "cannot_judge": sum(
            isinstance(record, RankingRecord) and bool(record.cannot_judge) for record in judged
        ),
    }


def _counts(values: Any) -> dict[str, int]:
    return {str(value): count for value, count in sorted(Counter(values).items())}


def _nothing(campaign: Campaign, kind: str) -> str:
    words = {
        Snapshot.Kind.DEMONSTRATIONS: _("Nobody has submitted a demonstration in %(campaign)s yet."),
        Snapshot.Kind.RANKINGS: _("Nobody has ranked anything in %(campaign)s yet."),
        Snapshot.Kind.PROMPTS: _("%(campaign)s has no prompts yet."),
    }
    return words[Snapshot.Kind(kind)] % {"campaign": campaign.name}
