"""The database's rows as a snapshot's records, a few thousand in memory at a time."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from annotation.messages import digest_of
from annotation.models import (
    Assignment,
    Campaign,
    CandidateSet,
    Consensus,
    Demonstration,
    FeedbackUse,
    Prompt,
    Ranking,
)
from trainer.actions.filters import adjudications
from trainer.actions.writers import writers_in_chats, writers_of_completions, writers_of_messages
from trainer.handoff.records import (
    DemonstrationRecord,
    FeedbackRecord,
    PromptRecord,
    RankingRecord,
    Record,
)
from trainer.models import Snapshot
from trainer.pseudonyms import pseudonym

T = TypeVar("T")
Row = dict[str, Any]
Rows = QuerySet[Any]

AT_ONCE = 1_000
"""Rows to look up the surroundings of together."""


def records_of(campaign: Campaign, kind: str, rows: Rows) -> Iterator[Record]:
    """In an order that depends on nothing but the rows."""
    read: dict[Snapshot.Kind, Callable[[Campaign, Rows], Iterator[Record]]] = {
        Snapshot.Kind.DEMONSTRATIONS: _demonstrations,
        Snapshot.Kind.RANKINGS: _rankings,
        Snapshot.Kind.PROMPTS: _prompts,
        Snapshot.Kind.FEEDBACK: _feedback,
    }
    return read[Snapshot.Kind(kind)](campaign, rows)


def split_of(prompt: Prompt, campaign: Campaign) -> str:
    """How its conversation opens decides: a prompt stays in its split whatever is added later, and so does
    every prompt that goes on from there (the branches of one tree)."""
    first_of_user = next(index for index, turn in enumerate(prompt.messages) if turn["role"] == "user")
    opening = digest_of(prompt.messages[: first_of_user + 1])
    lot = int(hashlib.sha256(opening.encode()).hexdigest(), 16) % 100
    return "held_out" if lot < campaign.held_out_percent else "train"


def _prompts(campaign: Campaign, rows: Rows) -> Iterator[Record]:
    for prompt in rows.order_by("pk").iterator(AT_ONCE):
        yield PromptRecord(
            prompt_id=prompt.pk,
            digest=prompt.digest,
            split=split_of(prompt, campaign),
            kind=prompt.kind,
            language=prompt.language,
            messages=prompt.messages,
            synthetic=_synthetic(prompt=prompt.is_synthetic),
        )


def _demonstrations(campaign: Campaign, rows: Rows) -> Iterator[Record]:
    related: QuerySet[Demonstration] = rows.select_related("prompt", "guideline", "consent").order_by("pk")
    for row in related.iterator(AT_ONCE):
        yield DemonstrationRecord(
            demonstration_id=row.pk,
            prompt_id=row.prompt_id,
            prompt_digest=row.prompt.digest,
            split=split_of(row.prompt, campaign),
            messages=row.prompt.messages,
            turns=row.turns,
            labeler=pseudonym(campaign, row.labeler_id),
            guideline_version=row.guideline.version if row.guideline else 0,
            submitted_at=_iso(row.submitted_at),
            kind=row.prompt.kind,
            language=row.prompt.language,
            consent_version=row.consent.version if row.consent else 0,
            suggested=row.suggestion_id is not None,
            synthetic=_synthetic(prompt=row.prompt.is_synthetic, turns=row.is_synthetic),
        )


def _feedback(campaign: Campaign, rows: QuerySet[FeedbackUse]) -> Iterator[Record]:
    for some in _batches(rows.select_related("prompt").order_by("pk").iterator(AT_ONCE), AT_ONCE):
        writers = writers_of_messages([row.message_id for row in some if row.message_id])
        for row in some:
            yield FeedbackRecord(
                feedback_id=row.pk,
                prompt_id=row.prompt_id,
                prompt_digest=row.prompt.digest,
                split=split_of(row.prompt, campaign),
                messages=row.prompt.messages,
                completion=row.answer,
                label=bool(row.is_good),
                weight=row.weight,
                source=row.source,
                labeler=pseudonym(campaign, row.person_id),
                submitted_at=_iso(row.given_at),
                kind=row.prompt.kind,
                language=row.prompt.language,
                written_by=writers.get(row.message_id or 0, ""),
            )


_RANKING = ["pk", "labeler_id", "seconds_spent", "submitted_at", "tiers", "unacceptable", "cannot_judge"]
_RANKING += ["strength", "ratings", "flags", "spans", "rationale", "edited", "shown_order", "is_replaced"]
_RANKING += ["guideline__version", "consent__version", "assignment__purpose", "assignment__candidate_set"]
_RANKING += ["feedback_use__weight"]


def _rankings(campaign: Campaign, rows: QuerySet[Ranking]) -> Iterator[Record]:
    """The rankings of one candidate set one after the other, so that whoever reads them can put them
    together."""
    same_set = adjudications().filter(assignment__candidate_set=OuterRef("assignment__candidate_set"))
    told = rows.annotate(is_replaced=Exists(same_set)).order_by("assignment__candidate_set", "pk")
    for some in _batches(told.values(*_RANKING).iterator(AT_ONCE), AT_ONCE):
        sets = _candidate_sets(campaign, {row["assignment__candidate_set"] for row in some})
        for row in some:
            yield _ranking(campaign, row, sets[row["assignment__candidate_set"]])


def _ranking(campaign: Campaign, row: Row, candidate_set: Row) -> RankingRecord:
    is_judge = row["assignment__purpose"] == Assignment.Purpose.JUDGE
    gives_way = is_judge or row["assignment__purpose"] == Assignment.Purpose.OVERLAP
    candidate_set, is_prompt_synthetic = {**candidate_set}, candidate_set["is_synthetic"]
    del candidate_set["is_synthetic"]
    return RankingRecord(
        **candidate_set,
        ranking_id=row["pk"],
        tiers=row["tiers"],
        unacceptable=row["unacceptable"],
        cannot_judge=row["cannot_judge"],
        labeler=pseudonym(campaign, row["labeler_id"]),
        guideline_version=row["guideline__version"] or 0,
        seconds_spent=row["seconds_spent"],
        submitted_at=_iso(row["submitted_at"]),
        weight=0.0 if gives_way and row["is_replaced"] else row["feedback_use__weight"] or 1.0,
        purpose=row["assignment__purpose"],
        consent_version=row["consent__version"] or 0,
        strength=row["strength"],
        ratings=_ratings(row["ratings"]),
        flags=_flags(row["flags"]),
        spans=_spans(row["spans"]),
        rationale=row["rationale"],
        edited=_edited(row["edited"]),
        shown_order=row["shown_order"],
        synthetic=_synthetic(prompt=is_prompt_synthetic, order=is_judge),
    )


def _candidate_sets(campaign: Campaign, pks: set[int]) -> dict[int, Row]:
    """What the rankings of a candidate set have in common."""
    completions = _completions(pks)
    writers = writers_of_completions([one["id"] for some in completions.values() for one in some])
    writers |= writers_in_chats(pks)
    consensuses = {one.candidate_set_id: one for one in Consensus.objects.filter(candidate_set__in=pks)}
    return {
        row.pk: {
            "candidate_set_id": row.pk,
            "prompt_id": row.prompt_id,
            "prompt_digest": row.prompt.digest,
            "split": split_of(row.prompt, campaign),
            "kind": row.prompt.kind,
            "language": row.prompt.language,
            "messages": row.prompt.messages,
            "is_synthetic": row.prompt.is_synthetic,
            "completions": completions[row.pk],
            "written_by": [writers.get(one["id"], "") for one in completions[row.pk]],
            "consensus": _consensus(consensuses.get(row.pk)),
        }
        for row in CandidateSet.objects.filter(pk__in=pks).select_related("prompt")
    }


def _completions(pks: set[int]) -> dict[int, list[Row]]:
    members = CandidateSet.completions.through.objects.filter(candidateset__in=pks)
    completions: dict[int, list[Row]] = defaultdict(list)
    columns = ["candidateset_id", "completion_id", "completion__text"]
    for candidate_set, pk, text in members.order_by(*columns[:2]).values_list(*columns):
        completions[candidate_set].append({"id": pk, "text": text})
    return completions


def _consensus(consensus: Consensus | None) -> str:
    if consensus is None:
        return ""
    told = {
        "method": consensus.method,
        "tiers": consensus.tiers,
        "unacceptable": consensus.unacceptable,
        "scores": consensus.scores,
        "agreement": consensus.agreement,
        "rankings": consensus.rankings,
        "is_adjudicated": consensus.is_adjudicated,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


# PostgreSQL keeps the keys of JSON in an order of its own, SQLite as they came: one order for both.


def _ratings(ratings: Mapping[str, Mapping[str, int]]) -> list[Row]:
    told = ((int(pk), axis, rating) for pk, axes in ratings.items() for axis, rating in axes.items())
    return [{"id": pk, "axis": axis, "rating": rating} for pk, axis, rating in sorted(told)]


def _flags(flags: Mapping[str, Iterable[str]]) -> list[Row]:
    told = sorted((int(pk), flag) for pk, some in flags.items() for flag in some)
    return [{"id": pk, "flag": flag} for pk, flag in told]


def _spans(spans: Mapping[str, Iterable[Row]]) -> list[Row]:
    told = ((int(pk), one["start"], one["end"], one["flag"]) for pk, some in spans.items() for one in some)
    return [{"id": pk, "start": start, "end": end, "flag": flag} for pk, start, end, flag in sorted(told)]


def _edited(edited: Mapping[str, Any] | None) -> Row | None:
    return {"id": edited["id"], "text": edited["text"]} if edited else None


def _synthetic(**parts: bool) -> list[str]:
    return [name for name, is_synthetic in parts.items() if is_synthetic]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(rows)
    while some := list(islice(remaining, size)):
        yield some
