from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.candidates import CandidateSet


class Consensus(models.Model):
    """What the rankings of a candidate set say together. Derived: it can be thrown away and made again."""

    candidate_set = models.OneToOneField(
        CandidateSet, models.CASCADE, related_name="consensus", verbose_name=_("candidate set")
    )
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="consensuses", verbose_name=_("campaign")
    )
    method = models.CharField(_("method"), max_length=14, choices=Campaign.Consensus.choices)
    tiers = models.JSONField(_("tiers"), help_text=_("Completion ids, best first; a shared tier is a tie."))
    unacceptable = models.JSONField(_("unacceptable"), default=list)
    scores = models.JSONField(
        _("scores"), default=dict, help_text=_("By completion id: the score and its interval.")
    )
    agreement = models.FloatField(
        _("agreement"),
        null=True,
        help_text=_("The share of comparisons that two labelers agree on; empty with fewer than two."),
    )
    rankings = models.PositiveSmallIntegerField(_("rankings"))
    is_adjudicated = models.BooleanField(_("adjudicated"), default=False)
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("consensus")
        verbose_name_plural = _("consensuses")
        indexes = [models.Index(name="consensus_least_agreed", fields=["campaign", "agreement"])]

    def __str__(self) -> str:
        return " > ".join(" = ".join(map(str, tier)) for tier in self.tiers)


class QualityReport(models.Model):
    """Agreement, reliability and oddities of a campaign at one moment, as figures with their intervals."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="quality_reports", verbose_name=_("campaign")
    )
    rankings = models.PositiveIntegerField(_("rankings"))
    figures = models.JSONField(_("figures"))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("quality report")
        verbose_name_plural = _("quality reports")
        indexes = [models.Index(name="quality_report_latest", fields=["campaign", "-made_at"])]

    def __str__(self) -> str:
        return f"{self.campaign} ({self.rankings})"
