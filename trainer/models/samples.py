from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models import Completion
from trainer.models.checkpoints import Checkpoint
from trainer.models.runs import Run


class SampledCompletion(models.Model):
    """Which checkpoint wrote a completion.

    Only here: ``annotation`` cannot import it, so labelers stay blind.
    """

    completion = models.OneToOneField(
        Completion, models.CASCADE, related_name="+", verbose_name=_("completion")
    )
    run = models.ForeignKey(Run, models.PROTECT, related_name="samples", verbose_name=_("run"))
    checkpoint = models.ForeignKey(
        Checkpoint, models.PROTECT, related_name="samples", verbose_name=_("checkpoint")
    )
    finished = models.BooleanField(
        _("finished"), help_text=_("The model ended it by itself, before the length limit.")
    )
    tokens = models.PositiveIntegerField(_("tokens"))

    class Meta:
        verbose_name = _("sampled completion")
        verbose_name_plural = _("sampled completions")

    def __str__(self) -> str:
        return f"{self.checkpoint}: {self.completion}"
