"""Inviting people, and what they do with the link. See ``docs/people.md``."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotation.errors import BadUsername, InvitationClosed, NotAllowed, WeakPassword
from annotation.messages import check_text
from annotation.models import Cohort, Invitation, Person


@dataclass(frozen=True)
class Invited:
    """An invitation, and the secret of its link: told here and never again."""

    invitation: Invitation
    token: str


@dataclass(frozen=True)
class Invitee:
    name: str = ""
    email: str = ""


@transaction.atomic
def invite_people(
    *,
    invitees: Iterable[Invitee],
    by: Person,
    role: str = Person.Role.LABELER,
    languages: Sequence[str] = (),
    skills: Sequence[str] = (),
    cohorts: Iterable[Cohort] = (),
    expires_at: datetime,
    now: datetime,
) -> list[Invited]:
    """An invitation for each of them; their links work once, until ``expires_at``.

    :raises NotAllowed: only researchers invite.
    """
    if not by.is_researcher:
        raise NotAllowed(_("Only researchers invite people."))
    invited = []
    for invitee in invitees:
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            role=role,
            languages=list(languages),
            skills=list(skills),
            name=check_text(invitee.name)[:150],
            email=invitee.email,
            token_digest=_digest(token),
            created_by=by,
            created_at=now,
            expires_at=expires_at,
        )
        invitation.cohorts.set(cohorts)
        invited.append(Invited(invitation, token))
    return invited


def find_invitation(token: str, *, now: datetime) -> Invitation:
    """The one that the link is for.

    :raises InvitationClosed: there is none, or it is used, revoked or expired.
    """
    invitation = Invitation.objects.filter(token_digest=_digest(token)).select_related("created_by").first()
    if invitation is None:
        raise InvitationClosed(_("This link is not complete, or leads nowhere. Copy all of it."))
    if (state := invitation.state(now)) != Invitation.State.WAITING:
        raise _closed(state)
    if not invitation.created_by.is_researcher:
        # Whoever may invite nobody any more has left no door open either.
        raise _closed(Invitation.State.REVOKED)
    return invitation


@transaction.atomic
def accept_invitation(*, token: str, username: str, name: str, password: str, now: datetime) -> Person:
    """The account of whoever followed the link, with what the invitation says of it.

    :raises InvitationClosed: see ``find_invitation``; or somebody was faster.
    :raises BadUsername: it is taken, or holds other characters than user names do.
    :raises WeakPassword: it breaks a rule; the words say which.
    """
    invitation = find_invitation(token, now=now)
    email, cohorts = invitation.email, list(invitation.cohorts.all())
    person = _new_person(invitation, username, name, email)
    _check_password(password, person)
    person.set_password(password)
    if not invitation.accept(now=now):
        raise _closed(invitation.state(now))
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise _name_taken() from error
    person.cohorts.set(cohorts)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=person)
    return person


def revoke_invitation(*, invitation: Invitation, by: Person, now: datetime) -> bool:
    """Close the link. Returns False if it was closed already.

    :raises NotAllowed: only researchers do.
    """
    if not by.is_researcher:
        raise NotAllowed(_("Only researchers invite people."))
    return invitation.revoke(now=now)


def _digest(token: str) -> str:
    # Random enough that a plain hash cannot be searched.
    return hashlib.sha256(token.encode()).hexdigest()


def _new_person(invitation: Invitation, username: str, name: str, email: str) -> Person:
    """Not stored yet."""
    person = Person(
        username=Person.normalize_username(check_text(username).strip()),
        first_name=check_text(name).strip()[:150],
        email=email,
        role=invitation.role,
        is_staff=invitation.role == Person.Role.RESEARCHER,
        languages=invitation.languages,
        skills=invitation.skills,
    )
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise BadUsername(" ".join(error.messages)) from error
    if Person.objects.filter(username__iexact=person.username).exists():
        raise _name_taken()
    return person


def _check_password(password: str, person: Person) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error


def _name_taken() -> BadUsername:
    return BadUsername(_("Somebody has this user name already. Choose another one."))


def _closed(state: str) -> InvitationClosed:
    words = {
        Invitation.State.ACCEPTED: _("This invitation was used already. Sign in with the account it made."),
        Invitation.State.REVOKED: _("This invitation was taken back. Ask whoever sent it to you."),
        Invitation.State.EXPIRED: _("This invitation has expired. Ask whoever sent it to you for a new one."),
    }
    return InvitationClosed(words.get(Invitation.State(state), _("This invitation cannot be used.")))
