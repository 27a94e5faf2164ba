"""Keeping somebody out, until they are let in again. Nothing of theirs is lost."""

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotation.actions.assignments import return_overdue_assignments
from annotation.errors import NotAllowed
from annotation.models import Assignment, Demonstration, Person


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
    end_sessions(person)
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
    mine = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(person.pk)
    ]
    Session.objects.filter(pk__in=mine).delete()
