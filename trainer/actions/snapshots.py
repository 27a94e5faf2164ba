"""Freezing what people did into training data."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotation.actions.feedback_taken_back import take_back_withdrawn
from annotation.models import Campaign, Person, Tombstone
from trainer.actions.filters import Filters, chosen_rows
from trainer.actions.snapshot_rows import records_of, split_of
from trainer.actions.weighing import NONE, weighing_by
from trainer.errors import NothingToFreeze
from trainer.handoff.records import (
    RECORDS,
    FeedbackRecord,
    PromptRecord,
    RankingRecord,
    Record,
    write_records,
)
from trainer.handoff.rundir import digest_of_file
from trainer.models import Snapshot
from trainer.moments import one_moment

__all__ = ["Filters", "freeze_snapshot", "split_of"]

TAKEN = {
    Snapshot.Kind.DEMONSTRATIONS: gettext_noop("submitted or accepted"),
    Snapshot.Kind.RANKINGS: gettext_noop("latest revision of each"),
    Snapshot.Kind.PROMPTS: gettext_noop("all"),
    Snapshot.Kind.FEEDBACK: gettext_noop("of those who allow it now"),
}

_TO_PROMPT = {
    Snapshot.Kind.DEMONSTRATIONS: "prompt__",
    Snapshot.Kind.RANKINGS: "assignment__candidate_set__prompt__",
    Snapshot.Kind.PROMPTS: "",
    Snapshot.Kind.FEEDBACK: "prompt__",
}


def freeze_snapshot(
    *,
    campaign: Campaign,
    kind: str,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    weights: str = NONE,
    created_by: Person | None,
    now: datetime,
) -> Snapshot:
    """The campaign's rows of this kind as they are now; the same rows give the same snapshot.

    :raises FilterDoesNotFit: a filter, or a weight, is for another kind of snapshot.
    :raises NothingToFreeze: there are no such rows yet.
    """
    rows = chosen_rows(campaign, kind, filters)
    # What people allowed when it was made, they may not allow any more.
    take_back_withdrawn(campaign, now=now)
    with one_moment():
        if not rows.exists():
            raise NothingToFreeze(_nothing(campaign, kind, filters))
        tally = Tally()
        weighing = weighing_by(weights, campaign, kind, of_models=filters.synthetic_weight)
        digest = _store(weighing.weighed(tally.watching(records_of(campaign, kind, rows))), kind)
        manifest = {
            "campaign": campaign.name,
            "license": campaign.license,
            "kind": kind,
            "taken": TAKEN[Snapshot.Kind(kind)],
            "filters": filters.recorded(campaign),
            "held_out_percent": campaign.held_out_percent,
            **_prompts_in(rows, kind),
            **tally.told(),
            **({"weights": dict(weighing.recorded)} if weighing.recorded else {}),
            "tombstones": _tombstones(campaign, kind),
        }
    snapshot, _is_new = Snapshot.objects.get_or_create(
        digest=digest,
        defaults={
            "campaign": campaign,
            "kind": kind,
            "rows": sum(tally.rows.values()),
            "manifest": manifest,
            "created_by": created_by,
            "created_at": now,
        },
    )
    return snapshot


@dataclass
class Tally:
    """What is counted while the records pass by."""

    rows: Counter[str] = field(default_factory=Counter)
    labelers: set[str] = field(default_factory=set)
    guideline_versions: Counter[int] = field(default_factory=Counter)
    consent_versions: Counter[int] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    synthetic: Counter[str] = field(default_factory=Counter)
    cannot_judge: int = 0
    replaced: int = 0
    suggested: int = 0

    def watching(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self._count(record)
            yield record

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {"rows": _sorted(self.rows)}
        if self.synthetic:
            told["synthetic"] = _sorted(self.synthetic)
        if self.sources:
            counted = {"sources": _sorted(self.sources), "labels": _sorted(self.labels)}
            return told | {"labelers": len(self.labelers)} | counted
        if self.labelers:
            told |= {
                "labelers": len(self.labelers),
                "guideline_versions": _sorted(self.guideline_versions),
                "consent_versions": _sorted(self.consent_versions),
                "cannot_judge": self.cannot_judge,
            }
        if self.purposes:
            told |= {"purposes": _sorted(self.purposes), "replaced": self.replaced}
        elif self.labelers:
            told["suggested"] = self.suggested
        return told

    def _count(self, record: Record) -> None:
        self.rows[record.split] += 1
        self.synthetic.update(getattr(record, "synthetic", ()))
        if isinstance(record, PromptRecord):
            return
        if isinstance(record, RankingRecord):
            self.purposes[record.purpose] += 1
            self.replaced += record.weight == 0
        if not isinstance(record, FeedbackRecord) and {"turns", "order"} & set(record.synthetic):
            return  # no labeler's, under no guideline
        self.labelers.add(record.labeler)
        if isinstance(record, FeedbackRecord):
            self.sources[record.source] += 1
            self.labels["good" if record.label else "bad"] += 1
            return
        self.guideline_versions[record.guideline_version] += 1
        self.consent_versions[record.consent_version] += 1
        if isinstance(record, RankingRecord):
            self.cannot_judge += bool(record.cannot_judge)
        else:
            self.suggested += record.suggested


def _store(records: Iterable[Record], kind: str) -> str:
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


def _prompts_in(rows: QuerySet[Any], kind: str) -> dict[str, Any]:
    """How many different prompts, counted by the database: there may be millions."""
    path = _TO_PROMPT[Snapshot.Kind(kind)]
    counted = rows.order_by().values_list(f"{path}kind", f"{path}language")
    by_kind: Counter[str] = Counter()
    by_language: Counter[str] = Counter()
    for prompt_kind, language, count in counted.annotate(prompts=Count(f"{path}pk", distinct=True)):
        by_kind[prompt_kind] += count
        by_language[language] += count
    return {
        "prompts": sum(by_kind.values()),
        "prompts_by_kind": _sorted(by_kind),
        "prompts_by_language": _sorted(by_language),
    }


def _tombstones(campaign: Campaign, kind: str) -> dict[str, list[int]]:
    """The numbers of contributions of this kind that were erased or anonymised, by which of the two."""
    singular = {
        Snapshot.Kind.RANKINGS: Tombstone.Kind.RANKING,
        Snapshot.Kind.DEMONSTRATIONS: Tombstone.Kind.DEMONSTRATION,
        Snapshot.Kind.FEEDBACK: Tombstone.Kind.FEEDBACK,
    }
    if kind not in singular:
        return {}
    stones = campaign.tombstones.filter(kind=singular[Snapshot.Kind(kind)]).order_by("row")
    listed = {
        mode: list(stones.filter(mode=mode).values_list("row", flat=True)) for mode in Tombstone.Mode.values
    }
    return {mode: numbers for mode, numbers in listed.items() if numbers}


def _sorted(counts: Counter[Any]) -> dict[str, int]:
    return {str(value): count for value, count in sorted(counts.items())}


def _nothing(campaign: Campaign, kind: str, filters: Filters) -> str:
    if filters.given():
        return _("Nothing in %(campaign)s passes these filters.") % {"campaign": campaign.name}
    words = {
        Snapshot.Kind.DEMONSTRATIONS: _("Nobody has submitted a demonstration in %(campaign)s yet."),
        Snapshot.Kind.RANKINGS: _("Nobody has ranked anything in %(campaign)s yet."),
        Snapshot.Kind.PROMPTS: _("%(campaign)s has no prompts yet."),
        Snapshot.Kind.FEEDBACK: _("No chat feedback in %(campaign)s has been made into data yet."),
    }
    return words[Snapshot.Kind(kind)] % {"campaign": campaign.name}
