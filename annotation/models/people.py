"""How people come to the work: by invitation, and in cohorts."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.campaigns import Campaign
from annotation.models.labelers import Person


class Cohort(models.Model):
    """A named group of people. A campaign that names cohorts is for their members only."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="cohorts", blank=True, verbose_name=_("members")
    )
    campaigns = models.ManyToManyField(
        Campaign,
        related_name="cohorts",
        blank=True,
        verbose_name=_("campaigns"),
        help_text=_("These are seen by members of their cohorts only."),
    )

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self, now: datetime) -> InvitationQuerySet:
        """Those that somebody may still accept."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


class Invitation(models.Model):
    """A way to an account, once. Whoever has the link decides on its name and password, and on nothing else.

    Of the link only a hash is kept: who reads the database cannot use it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", _("Waiting")
        ACCEPTED = "ACCEPTED", _("Accepted")
        REVOKED = "REVOKED", _("Revoked")
        EXPIRED = "EXPIRED", _("Expired")

    ROLES = [Person.Role.LABELER, Person.Role.REVIEWER, Person.Role.RESEARCHER]
    """Guests come by themselves."""

    role = models.CharField(
        _("role"), max_length=12, choices=[(role.value, role.label) for role in ROLES], default=ROLES[0]
    )
    languages = models.JSONField(_("languages"), default=list, blank=True)
    skills = models.JSONField(_("skills"), default=list, blank=True)
    cohorts = models.ManyToManyField(Cohort, related_name="+", blank=True, verbose_name=_("cohorts"))
    name = models.CharField(
        _("for"), max_length=150, blank=True, help_text=_("Whom it is meant for; forgotten once accepted.")
    )
    email = models.EmailField(_("e-mail"), blank=True)
    token_digest = models.CharField(_("digest of the link"), max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="invitations_made",
        verbose_name=_("invited by"),
    )
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    accepted_by = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="invitation",
        verbose_name=_("account"),
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                name="invitation_role_offered", condition=Q(role__in=["labeler", "reviewer", "researcher"])
            ),
            models.CheckConstraint(
                name="invitation_not_accepted_and_revoked",
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def state(self, now: datetime) -> State:
        if self.accepted_at:
            return self.State.ACCEPTED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.WAITING if self.expires_at > now else self.State.EXPIRED

    def accept(self, *, now: datetime) -> bool:
        """Use it up, and forget whom it was meant for: from now on the account says. Return False if it is
        no longer open."""
        return self._move(accepted_at=now, name="", email="", now=now)

    def revoke(self, *, now: datetime) -> bool:
        return self._move(revoked_at=now, now=now)

    def _move(self, *, now: datetime, **changes: object) -> bool:
        # One conditional UPDATE is the whole transition: of two who follow the link, one gets in.
        moved = Invitation.objects.waiting(now).filter(pk=self.pk).update(**changes)
        if moved:
            self.refresh_from_db()
        return moved == 1
