"""Which checkpoint answers a campaign's chats: what it must have reached, and who decided."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Campaign, Person
from trainer.errors import GateNotPassed, WrongCheckpointKind
from trainer.handoff.endpoints import is_endpoint
from trainer.models import Checkpoint, Evaluation, GateRule, Promotion

USUAL_FIGURES = {
    "held_out_accuracy",
    "held_out_loss",
    "holdout_score",
    "perplexity",
    "ref_kl",
    "refusal_rate",
    "repetition_rate",
    "score",
    "win_rate",
    "win_rate_low",
}
"""What runs, evaluations and arenas measure; a rule may come before anything is measured."""
_NUMBERS_OF_ROWS = {"arena", "arena_against", "guideline_version", "guideline_left_out"}
"""Kept with the figures of an arena or a judge, and measure nothing."""


@dataclass(frozen=True)
class Checked:
    """A rule of the gate, and what the checkpoint reached."""

    rule: GateRule
    measured: float | None
    """None where nobody measured it."""

    @property
    def holds(self) -> bool:
        return self.rule.holds(self.measured)

    def told(self) -> dict[str, Any]:
        """To be kept: the rule may change, and is put into words where it is read."""
        rule = {"figure": self.rule.figure, "bound": self.rule.bound, "value": self.rule.value}
        return {**rule, "measured": self.measured, "holds": self.holds}


def figures_of(checkpoint: Checkpoint, campaign: Campaign) -> dict[str, float]:
    """What is known of it by name: how its run ended, then what was measured since; the latest counts. What
    was measured on another campaign's prompts says nothing here."""
    made_by = checkpoint.produced_by
    is_from_here = made_by is not None and made_by.campaign_id == campaign.pk
    known: dict[str, Any] = dict(checkpoint.summary) if is_from_here else {}
    for evaluation in checkpoint.evaluations.filter(campaign=campaign).order_by("measured_at", "pk"):
        known |= evaluation.figures
    return {name: float(value) for name, value in known.items() if _is_number(value)}


def check_gate(campaign: Campaign, checkpoint: Checkpoint) -> list[Checked]:
    """Each of the campaign's rules beside what the checkpoint reached."""
    figures = figures_of(checkpoint, campaign)
    rules = campaign.gate_rules.order_by("figure", "bound")
    return [Checked(rule, figures.get(rule.figure)) for rule in rules]


def known_figures() -> list[str]:
    """The names that a rule can ask for: all that was ever measured of a checkpoint."""
    told = [*Checkpoint.objects.values_list("summary", flat=True)]
    told += Evaluation.objects.values_list("figures", flat=True)
    names = {name for figures in told for name, value in figures.items() if _is_number(value)}
    return sorted((names | USUAL_FIGURES) - _NUMBERS_OF_ROWS)


@transaction.atomic
def promote_checkpoint(
    *,
    campaign: Campaign,
    checkpoint: Checkpoint,
    by: Person | None,
    now: datetime,
    reason: str = "",
    again: Promotion | None = None,
) -> Promotion:
    """From now on it answers the campaign's chats; the one before is kept in the history.

    ``reason``: why it is promoted although the gate does not let it pass. ``again``: an earlier promotion of
    it, which is reason enough.

    :raises WrongCheckpointKind: a reward model answers nobody, and a model server is not ours to start.
    :raises GateNotPassed: a rule does not hold, and no reason is given.
    """
    if checkpoint.kind == Checkpoint.Kind.REWARD:
        raise WrongCheckpointKind(_("A reward model scores answers; it cannot give any."))
    if is_endpoint(checkpoint.location):
        raise WrongCheckpointKind(_("A model server answers chats where RANKWRIGHT_CHAT_URL names it."))
    # One after the other: both could end the same one before, and begin.
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    checked = check_gate(campaign, checkpoint)
    missed = [str(one.rule) for one in checked if not one.holds]
    all_the_same = {
        **({"reason": reason.strip()} if reason.strip() else {}),
        **({"again": again.pk} if again else {}),
    }
    if missed and not all_the_same:
        words = _("The gate does not let it pass: %(rules)s. Say why it is promoted all the same, or do not.")
        raise GateNotPassed(words % {"rules": "; ".join(missed)})
    standing = Promotion.objects.standing().filter(campaign=campaign)
    if (before := standing.first()) and before.checkpoint == checkpoint:
        return before
    standing.update(ended_at=now)
    return Promotion.objects.create(
        campaign=campaign,
        checkpoint=checkpoint,
        figures={"gate": [one.told() for one in checked], **(all_the_same if missed else {})},
        promoted_by=by,
        promoted_at=now,
    )


def end_promotion(*, campaign: Campaign, now: datetime) -> bool:
    """From now on the base model answers again. False where nothing was promoted."""
    return bool(Promotion.objects.standing().filter(campaign=campaign).update(ended_at=now))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
