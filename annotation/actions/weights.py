"""How much each labeler's rankings count in training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from annotation.comparisons import Ballot
from annotation.models import Assignment, Campaign, Ranking
from annotation.reliability import collect_comparisons, estimate_reliability

METHOD = "Bradley–Terry with labeler ability and Davidson's ties"


@dataclass(frozen=True)
class ReliabilityWeights:
    """Weights by labeler's id; over all rankings that they are estimated from, their mean is 1."""

    by_labeler: Mapping[int, float]
    rankings: int
    comparisons: int

    def of(self, labeler_id: int) -> float:
        """1, the mean, where nothing is known."""
        return self.by_labeler.get(labeler_id, 1.0)


def reliability_weights(campaign: Campaign) -> ReliabilityWeights:
    """Each labeler's estimated ability: 0 where their orders say nothing or turn orders round.

    Where labeler l is right with log odds a_l · d, an answer near the tie tells a model of d, trained with
    odds of d alone, as much as a_l answers of ability 1: so the ability itself is the weight, not its square.
    """
    who: list[int] = []
    comparisons = collect_comparisons(_ballots_by_set(campaign, who))
    if not len(comparisons.labeler):
        return ReliabilityWeights({}, len(who), 0)
    abilities = estimate_reliability(comparisons, resamples=2).weights()
    mean = float(np.mean([abilities[labeler] for labeler in who]))
    # Three places: what differs from machine to machine stays out of a snapshot's digest.
    weights = {labeler: round(ability / mean, 3) for labeler, ability in abilities.items()} if mean else {}
    return ReliabilityWeights(weights, len(who), len(comparisons.labeler))


def _ballots_by_set(campaign: Campaign, who: list[int]) -> Iterator[list[tuple[int, Ballot]]]:
    """Note down in ``who`` whose rankings went by."""
    counted = Ranking.objects.current().filter(
        assignment__campaign=campaign,
        assignment__purpose=Assignment.Purpose.OVERLAP,
        cannot_judge="",
    )
    columns = ["assignment__candidate_set", "labeler", "tiers", "unacceptable"]
    rows = counted.order_by("assignment__candidate_set", "pk").values_list(*columns).iterator(2000)
    for _candidate_set, group in groupby(rows, key=lambda row: row[0]):
        ballots = [(labeler, Ballot(tiers, unacceptable)) for _, labeler, tiers, unacceptable in group]
        who += [labeler for labeler, _ballot in ballots]
        yield ballots
