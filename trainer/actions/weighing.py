"""How much each ranking of a snapshot counts, and where that comes from."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from annotation.actions.weights import METHOD, reliability_weights
from annotation.models import Assignment, Campaign
from trainer.errors import FilterDoesNotFit
from trainer.handoff.records import RankingRecord, Record
from trainer.models import Snapshot
from trainer.pseudonyms import pseudonym

NONE, RELIABILITY = "none", "reliability"
WEIGHTS = (NONE, RELIABILITY)


@dataclass(frozen=True)
class Weighing:
    by_labeler: Mapping[str, float] = field(default_factory=dict)
    """By pseudonym."""
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """For the manifest: what the weights are, of which estimate, and its digest."""
    of_models: float = 1.0
    """How much a model's order counts."""

    def weighed(self, records: Iterable[Record]) -> Iterator[Record]:
        """What labelers said counts as much as they are reliable; a reviewer's order counts as it is."""
        for record in records:
            if isinstance(record, RankingRecord):
                yield replace(record, weight=record.weight * self._factor(record))
            else:
                yield record

    def _factor(self, record: RankingRecord) -> float:
        if record.purpose == Assignment.Purpose.JUDGE:
            return self.of_models
        is_labelers = record.purpose == Assignment.Purpose.OVERLAP
        return self.by_labeler.get(record.labeler, 1.0) if is_labelers else 1.0


def weighing_by(weights: str, campaign: Campaign, kind: str, *, of_models: float = 1.0) -> Weighing:
    """:raises FilterDoesNotFit: the rows of this kind have no weights."""
    if weights == NONE:
        return Weighing(of_models=of_models)
    if kind != Snapshot.Kind.RANKINGS:
        raise FilterDoesNotFit(_("Only rankings have weights."))
    found = reliability_weights(campaign)
    by_labeler = {pseudonym(campaign, pk): weight for pk, weight in sorted(found.by_labeler.items())}
    estimate = {
        "weights": RELIABILITY,
        "method": METHOD,
        "labelers": len(by_labeler),
        "rankings": found.rankings,
        "comparisons": found.comparisons,
        # Anybody can make it again: pseudonyms and weights stand in the rows.
        "digest": hashlib.sha256(json.dumps(by_labeler, sort_keys=True).encode()).hexdigest(),
    }
    return Weighing(by_labeler, estimate, of_models)
