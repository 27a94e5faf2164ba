from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign
from trainer.models.checkpoints import Checkpoint
from trainer.models.run_states import RunStates
from trainer.models.snapshots import Snapshot


class Run(RunStates):
    """One execution of a stage of the lab: what was asked for, by whom, and what it made.

    The row is the queue; a Celery message is only a doorbell. How it moves on is in ``RunStates``.
    """

    class Kind(models.TextChoices):
        SFT = "sft", _("Supervised (SFT)")
        REWARD = "reward", _("Reward model")
        PPO = "ppo", _("Policy (PPO)")
        DPO = "dpo", _("Policy (DPO)")
        KTO = "kto", _("Policy (KTO)")
        SAMPLE = "sample", _("Sample candidates")
        EVALUATE = "evaluate", _("Evaluate")
        QUANTIZE = "quantize", _("Quantize")
        DISTILL = "distill", _("Distill")
        PRUNE = "prune", _("Prune")
        SHARE = "share", _("Share layers")
        GENERATE = "generate", _("Generate dialogues")
        EXPAND = "expand", _("Expand prompts")
        JUDGE = "judge", _("Judge candidates")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="runs", verbose_name=_("campaign"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    snapshot = models.ForeignKey(Snapshot, models.PROTECT, related_name="runs", verbose_name=_("snapshot"))
    base = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_from_it",
        verbose_name=_("starts from"),
    )
    base_run = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_from_its_result",
        verbose_name=_("starts from the result of"),
    )
    reward = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_scored_by_it",
        verbose_name=_("reward model"),
    )
    reward_run = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_scored_by_its_result",
        verbose_name=_("reward model from"),
    )
    holdout = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs_watched_by_it",
        verbose_name=_("hold-out reward model"),
        help_text=_("Scores as well, and nothing learns from it: where it falls, the policy only pleases."),
    )
    config = models.JSONField(_("settings"), default=dict, blank=True)
    delivers = models.BooleanField(
        _("delivers"), default=False, help_text=_("What it samples goes to the labelers, to be ranked.")
    )
    pipeline_run = models.ForeignKey(
        "trainer.PipelineRun",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="stages",
        verbose_name=_("start of a pipeline"),
    )
    stage = models.CharField(_("stage"), max_length=40, blank=True)
    idempotency_key = models.UUIDField(
        _("idempotency key"), null=True, blank=True, unique=True, help_text=_("A second click finds the run.")
    )
    request_digest = models.CharField(
        _("digest of what was asked for"),
        max_length=64,
        blank=True,
        help_text=_("Two runs that are to do the same thing are one, as long as the first is not over."),
    )
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("Higher ones go first; the same ones in order.")
    )
    nodes = models.PositiveSmallIntegerField(
        _("nodes"), default=1, help_text=_("So many machines carry it out together.")
    )
    devices = models.PositiveSmallIntegerField(
        _("devices"), default=0, help_text=_("Of each node, one process for each; 0: all that it has.")
    )
    # Two runs with the same settings on the same data make the same weights: one checkpoint, two results.
    result = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="made_by",
        verbose_name=_("result"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.CheckConstraint(
                name="run_leased_only_while_running",
                condition=Q(status="RUNNING", lease_expires_at__isnull=False)
                | (~Q(status="RUNNING") & Q(lease_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="run_finished_at_null_until_final",
                condition=Q(status__in=["QUEUED", "RUNNING"], finished_at__isnull=True)
                | Q(status__in=["SUCCEEDED", "FAILED", "CANCELLED"], finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_failed_says_why", condition=~Q(status="FAILED") | ~Q(failure="")
            ),
            models.CheckConstraint(
                name="run_starts_from_one_thing", condition=Q(base__isnull=True) | Q(base_run__isnull=True)
            ),
            models.CheckConstraint(
                name="run_scored_by_one_thing", condition=Q(reward__isnull=True) | Q(reward_run__isnull=True)
            ),
            models.UniqueConstraint(
                name="run_asked_for_once_at_a_time",
                fields=["request_digest"],
                condition=Q(status__in=["QUEUED", "RUNNING"]) & ~Q(request_digest=""),
            ),
        ]
        indexes = [
            models.Index(name="run_next_in_queue", fields=["-priority", "id"], condition=Q(status="QUEUED")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"

    def given(self, role: str) -> Checkpoint | None:
        """Its ``base`` or ``reward``: what was named, or what the run before has made by now."""
        before: Run | None = getattr(self, f"{role}_run")
        checkpoint: Checkpoint | None = before.result if before else getattr(self, role)
        return checkpoint

    @property
    def folder(self) -> Path:
        """The run directory of the current attempt: an earlier attempt's late writes land elsewhere."""
        return self.folder_of(self.attempt)

    def folder_of(self, attempt: int) -> Path:
        return Path(settings.RUNS_ROOT) / f"{self.pk}" / f"attempt-{attempt}"

    @property
    def makes_weights(self) -> bool:
        return self.kind not in {self.Kind.SAMPLE, self.Kind.EVALUATE} and not self.is_synthetic

    @property
    def is_synthetic(self) -> bool:
        """What it makes up stands in for what people write or judge."""
        return self.kind in {self.Kind.GENERATE, self.Kind.EXPAND, self.Kind.JUDGE}

    @property
    def compresses(self) -> bool:
        return self.kind in {self.Kind.QUANTIZE, self.Kind.DISTILL, self.Kind.PRUNE, self.Kind.SHARE}

    def keep_result(self, checkpoint: Checkpoint) -> None:
        Run.objects.filter(pk=self.pk).update(result=checkpoint)
        self.result = checkpoint
