"""Keeping somebody out, until they are let in again. Nothing of theirs is lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotation.actions.assignments import return_overdue_assignments
from annotation.errors import NotAllowed
from annotation.models import Assignment, Demonstration, Person

SUSPENDED = "suspended"
"""What a session says of its person in place of who they are."""


@transaction.atomic
def suspend_person(*, person: Person, by: Person, now: datetime) -> bool:
    """Sign them out at once and hand what they hold to others. Returns False if they were out already.

    What they had begun may be handed in late, should they come back.

    :raises NotAllowed: it is themselves, the last researcher, or not theirs to do.
    """
    check_may_manage(person, by)
    if person.pk == by.pk:
        raise NotAllowed(_("You cannot suspend your own account. Another researcher can."))
    check_not_last_researcher(person)
    if not Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        return False
    _mark_sessions(person)
    Assignment.objects.claimed().for_labeler(person).update(lease_expires_at=now)
    return_overdue_assignments(now=now)
    Demonstration.objects.filter(reviewer=person).update(reviewer=None, review_expires_at=None)
    return True


def reinstate_person(*, person: Person, by: Person) -> bool:
    """Let them sign in again. Returns False if they could, or were erased.

    :raises NotAllowed: it is not theirs to do.
    """
    check_may_manage(person, by)
    suspended = Person.objects.filter(pk=person.pk, is_active=False, erased_at=None)
    return suspended.update(is_active=True) == 1


def may_manage(person: Person, by: Person) -> bool:
    """Researchers manage everybody but superusers, whom only superusers do: nobody lifts themselves up."""
    return by.is_researcher and (by.is_superuser or not person.is_superuser)


def check_may_manage(person: Person, by: Person) -> None:
    """:raises NotAllowed: see ``may_manage``."""
    if not may_manage(person, by):
        raise NotAllowed(_("You may not change this account."))


def check_not_last_researcher(person: Person) -> None:
    """:raises NotAllowed: nobody could run the place without them."""
    if is_last_researcher(person):
        raise NotAllowed(_("This is the last researcher. Make somebody else one first."))


def is_last_researcher(person: Person) -> bool:
    researchers = Person.objects.filter(Q(role=Person.Role.RESEARCHER) | Q(is_superuser=True), is_active=True)
    return person.is_researcher and not researchers.exclude(pk=person.pk).exists()


def end_sessions(person: Person) -> None:
    """Sign them out everywhere."""
    Session.objects.filter(pk__in=[session.pk for session in _sessions(person)]).delete()


def suspended_person(*, name: str, password: str) -> Person | None:
    """Whoever would be signed in by this, were they not suspended. Nobody else learns of it."""
    found = Person.objects.filter(username=name, is_active=False, erased_at=None).first()
    if found is None:
        Person().set_password(password)  # takes as long: a clock would tell strangers who is suspended
        return None
    return found if found.check_password(password) else None


def is_of_suspended(session: Mapping[str, Any]) -> bool:
    """Whether somebody was signed in here who has been suspended, and still is."""
    whose = session.get(SUSPENDED)
    if whose is None:
        return False
    return Person.objects.filter(pk=whose, is_active=False, erased_at=None).exists()


def _mark_sessions(person: Person) -> None:
    """Sign them out everywhere; their pages can say why. Nothing of it signs them in again."""
    for session in _sessions(person):
        session.session_data = Session.objects.encode({SUSPENDED: person.pk})
        session.save(update_fields=["session_data"])


def _sessions(person: Person) -> list[Session]:
    everybodys = Session.objects.iterator()
    return [one for one in everybodys if one.get_decoded().get(SESSION_KEY) == str(person.pk)]
