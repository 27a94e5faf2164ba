from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Demonstration, Prompt, Ranking
from trainer.models.checkpoints import Checkpoint
from trainer.models.runs import Run


def _of(model: Any, name: Any) -> Any:
    return models.OneToOneField(
        model, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=name
    )


class SyntheticRow(models.Model):
    """Which run made up a prompt, a demonstration or a ranking, by which model and from what.

    The rows themselves say only that they are synthetic, so that no reviewer learns which model it was.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="synthetic_rows", verbose_name=_("run"))
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="synthetic_rows", verbose_name=_("model")
    )
    prompt = _of(Prompt, _("prompt"))
    demonstration = _of(Demonstration, _("demonstration"))
    ranking = _of(Ranking, _("ranking"))
    made_from = models.JSONField(
        _("made from"),
        default=dict,
        blank=True,
        help_text=_("Prompts that were shown as examples, topic and persona, or each order as it was asked."),
    )

    class Meta:
        verbose_name = _("synthetic row")
        verbose_name_plural = _("synthetic rows")
        constraints = [
            models.CheckConstraint(
                name="synthetic_row_is_about_one_thing",
                condition=Q(prompt__isnull=False, demonstration__isnull=True, ranking__isnull=True)
                | Q(prompt__isnull=True, demonstration__isnull=False, ranking__isnull=True)
                | Q(prompt__isnull=True, demonstration__isnull=True, ranking__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
