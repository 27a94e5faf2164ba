from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Person(AbstractUser):
    """Somebody with an account."""

    class Role(models.TextChoices):
        LABELER = "labeler", _("Labeler")
        """Writes demonstrations and ranks candidates; sees only their own work."""
        REVIEWER = "reviewer", _("Reviewer")
        """A labeler who also accepts or returns demonstrations, and settles disagreements."""
        GUEST = "guest", _("Guest")
        """Chats without an account of their own, and does nothing else."""
        RESEARCHER = "researcher", _("Researcher")
        """Sets up campaigns, freezes snapshots, starts runs."""

    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.LABELER)
    is_simulated = models.BooleanField(
        _("simulated"), default=False, help_text=_("A program that follows a stated rule, not a person.")
    )

    languages = models.JSONField(
        _("languages"),
        default=list,
        blank=True,
        help_text=_("Codes of the languages of prompts that they are handed, such as en; empty means any."),
    )
    skills = models.JSONField(
        _("skills"),
        default=list,
        blank=True,
        help_text=_("Prompts that ask for a skill go only to people who have it."),
    )
    preferences = models.JSONField(
        _("preferences"), default=dict, blank=True, help_text=_("How they like their screens.")
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.CheckConstraint(
                name="person_role_known", condition=Q(role__in=["labeler", "reviewer", "guest", "researcher"])
            ),
        ]

    @property
    def is_guest(self) -> bool:
        return self.role == self.Role.GUEST

    @property
    def is_researcher(self) -> bool:
        return self.is_active and (self.is_superuser or self.role == self.Role.RESEARCHER)

    @property
    def is_reviewer(self) -> bool:
        return self.is_researcher or (self.is_active and self.role == self.Role.REVIEWER)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
