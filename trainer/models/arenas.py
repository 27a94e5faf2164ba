from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign, CandidateSet
from trainer.models.checkpoints import Checkpoint
from trainer.models.runs import Run
from trainer.models.samples import SampledCompletion
from trainer.models.snapshots import Snapshot


class ArenaQuerySet(models.QuerySet["Arena"]):
    def answering(self) -> ArenaQuerySet:
        return self.filter(status=Arena.Status.ANSWERING)

    def open(self) -> ArenaQuerySet:
        return self.filter(status=Arena.Status.OPEN)

    def over(self) -> ArenaQuerySet:
        return self.filter(status__in=[Arena.Status.DECIDED, Arena.Status.STOPPED])


class Arena(models.Model):
    """Checkpoints that answer the same held-out prompts, and people who choose without knowing whose is
    whose.

    ANSWERING → OPEN → DECIDED or STOPPED.
    """

    class Status(models.TextChoices):
        ANSWERING = "ANSWERING", _("The checkpoints answer")
        """Its sample runs are not all done."""
        OPEN = "OPEN", _("Labelers choose")
        DECIDED = "DECIDED", _("Decided")
        """One checkpoint is better than each of the others. Final."""
        STOPPED = "STOPPED", _("Ended undecided")
        """See ``WhyStopped``. Final."""

    class WhyStopped(models.TextChoices):
        BY_HAND = "by_hand", _("Somebody stopped it.")
        NO_WINNER = "no_winner", _("All votes are in, and they name no winner.")
        NO_ANSWERS = "no_answers", _("A checkpoint has no answers.")
        """Its run did not succeed: ``unanswered``."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="arenas", verbose_name=_("campaign"))
    name = models.CharField(_("name"), max_length=120)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="arenas", verbose_name=_("snapshot"))
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.ANSWERING)
    prompts = models.PositiveSmallIntegerField(
        _("prompts"), default=100, validators=[MinValueValidator(1), MaxValueValidator(2000)]
    )
    votes_per_pair = models.PositiveSmallIntegerField(
        _("votes per pair"), default=1, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    error_rate = models.FloatField(
        _("error rate"),
        default=0.05,
        help_text=_("The chance that it names a winner where there is none, however often one looks."),
    )
    winner = models.ForeignKey(
        Checkpoint, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("winner")
    )
    figures = models.JSONField(
        _("figures"), default=dict, help_text=_("What stood when it ended, by pair of checkpoints.")
    )
    why_stopped = models.CharField(
        _("why it was stopped"), max_length=10, choices=WhyStopped.choices, blank=True, default=""
    )
    unanswered = models.ForeignKey(
        "ArenaEntry",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("the entry without answers"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="arenas",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = ArenaQuerySet.as_manager()

    class Meta:
        verbose_name = _("arena")
        verbose_name_plural = _("arenas")
        constraints = [
            models.CheckConstraint(
                name="arena_ended_at_iff_over",
                condition=Q(status__in=["ANSWERING", "OPEN"], ended_at__isnull=True)
                | Q(status__in=["DECIDED", "STOPPED"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="arena_winner_iff_decided",
                condition=Q(status="DECIDED", winner__isnull=False)
                | (~Q(status="DECIDED") & Q(winner__isnull=True)),
            ),
            models.CheckConstraint(
                name="arena_error_rate_is_one", condition=Q(error_rate__gt=0, error_rate__lt=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.DECIDED, self.Status.STOPPED}


class ArenaEntry(models.Model):
    """A checkpoint in an arena, and the run in which it answers."""

    arena = models.ForeignKey(Arena, models.CASCADE, related_name="entries", verbose_name=_("arena"))
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="arena_entries", verbose_name=_("checkpoint")
    )
    # Two arenas that ask for the same answers at the same time share one run.
    run = models.ForeignKey(Run, models.PROTECT, related_name="arena_entries", verbose_name=_("run"))

    class Meta:
        verbose_name = _("arena entry")
        verbose_name_plural = _("arena entries")
        constraints = [
            models.UniqueConstraint(name="arena_entry_once", fields=["arena", "checkpoint"]),
        ]

    def __str__(self) -> str:
        return f"{self.arena}: {self.checkpoint}"


class ArenaPair(models.Model):
    """Two checkpoints' answers to one prompt, as a candidate set of two.

    Left and right say nothing of where an answer is shown: that is random, and kept with each vote.
    """

    arena = models.ForeignKey(Arena, models.CASCADE, related_name="pairs", verbose_name=_("arena"))
    candidate_set = models.OneToOneField(
        CandidateSet, models.CASCADE, related_name="+", verbose_name=_("candidate set")
    )
    left = models.ForeignKey(
        SampledCompletion, models.CASCADE, related_name="left_in", verbose_name=_("left")
    )
    right = models.ForeignKey(
        SampledCompletion, models.CASCADE, related_name="right_in", verbose_name=_("right")
    )

    class Meta:
        verbose_name = _("arena pair")
        verbose_name_plural = _("arena pairs")

    def __str__(self) -> str:
        return f"{self.arena}: {self.candidate_set}"
