"""After a campaign's retention contributions are tied to nobody, and the traces of work are gone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from annotation.actions.feedback_taken_back import take_back
from annotation.actions.forgetting import anonymise_demonstrations, anonymise_rankings, in_batches
from annotation.models import Assignment, Campaign, Demonstration, FeedbackUse, LapsedLease, Ranking, Skip


@dataclass(frozen=True, kw_only=True)
class Outlived:
    """What in a campaign is older than its retention and still tied to a person."""

    assignments: QuerySet[Assignment]
    demonstrations: QuerySet[Demonstration]
    skips: QuerySet[Skip]
    lapsed_leases: QuerySet[LapsedLease]
    feedback: QuerySet[FeedbackUse]
    """From chats: gone instead, for a conversation tells whose it was."""

    def contributions(self) -> int:
        return self.assignments.count() + self.demonstrations.count()


def outlived(campaign: Campaign, *, now: datetime) -> Outlived | None:
    """None where the campaign keeps the tie for good."""
    if campaign.retention_days is None:
        return None
    oldest = now - timedelta(days=campaign.retention_days)
    ranked = Ranking.objects.filter(assignment=OuterRef("pk"))
    # A correction is as old as its latest revision.
    is_old = Exists(ranked) & ~Exists(ranked.filter(submitted_at__gte=oldest))
    tied = {"labeler__erased_at__isnull": True}
    # What a model made is tied to no person.
    elsewhere = [Assignment.Purpose.CHAT, Assignment.Purpose.JUDGE]
    submitted = Assignment.objects.submitted().exclude(purpose__in=elsewhere)
    written = Demonstration.objects.filter(feedback_use__isnull=True, is_synthetic=False)
    return Outlived(
        assignments=submitted.filter(is_old, campaign=campaign, **tied),
        demonstrations=written.filter(prompt__campaign=campaign, submitted_at__lt=oldest, **tied),
        feedback=FeedbackUse.objects.filter(campaign=campaign, given_at__lt=oldest),
        skips=Skip.objects.filter(candidate_set__prompt__campaign=campaign, skipped_at__lt=oldest),
        lapsed_leases=LapsedLease.objects.filter(assignment__campaign=campaign, lapsed_at__lt=oldest),
    )


def end_retention(*, now: datetime) -> int:
    """Untie what is older than its campaign's retention. Returns how many contributions that were."""
    untied = 0
    for campaign in Campaign.objects.filter(retention_days__isnull=False):
        if old := outlived(campaign, now=now):
            untied += in_batches(old.assignments, anonymise_rankings, now)
            untied += in_batches(old.demonstrations, anonymise_demonstrations, now)
            take_back(old.feedback, now=now)
            old.skips.delete()
            old.lapsed_leases.delete()
    return untied
