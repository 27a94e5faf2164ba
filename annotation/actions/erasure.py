"""Forgetting a person: what they contributed, what points at them, and who they were."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import CASCADE, ForeignKey, Q
from django.utils.translation import gettext as _

from annotation.actions.feedback_taken_back import take_back_of
from annotation.actions.forgetting import (
    anonymise_demonstrations,
    anonymise_rankings,
    in_batches,
    remove_demonstrations,
    remove_rankings,
)
from annotation.actions.labelers import nobody
from annotation.actions.suspension import end_sessions, is_last_researcher
from annotation.errors import ErasureRefused
from annotation.models import (
    Assignment,
    Demonstration,
    ErasureRequest,
    Person,
    QualityReport,
    Review,
    Tombstone,
    Void,
)

REMOVED = Tombstone.Mode.REMOVED


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How many contributions were removed or anonymised."""

    rankings: int
    demonstrations: int


def erase_person(*, person: Person, mode: str, by: Person | None, now: datetime) -> Erased:
    """Forget ``person``; their contributions are removed, or kept and tied to nobody.

    It can be stopped at any moment: called again it goes on, and when all is done it does nothing.

    :raises ErasureRefused: they ask for themselves, or nobody could run the place without them.
    """
    check_erasable(person, by)
    if person.erased_at:
        return Erased(rankings=0, demonstrations=0)
    _shut_out(person)
    rankings, demonstrations = _forget_contributions(person, mode, now)
    _forget_identity(person, mode, now)
    return Erased(rankings=rankings, demonstrations=demonstrations)


def check_erasable(person: Person, by: Person | None) -> None:
    """:raises ErasureRefused: see ``erase_person``."""
    if by and by.pk == person.pk:
        raise ErasureRefused(_("You cannot erase your own account. Another researcher can."))
    if is_last_researcher(person):
        raise ErasureRefused(_("This is the last researcher. Make somebody else one first."))


def what_goes(person: Person) -> dict[str, int]:
    """What erasing would remove or anonymise, and what it would delete either way."""
    written = Demonstration.objects.for_labeler(person).filter(feedback_use__isnull=True)
    return {
        "rankings": person.rankings.of_labelers().count(),
        "demonstrations": written.exclude(status__in=UNFINISHED).count(),
        "unfinished": written.filter(status__in=UNFINISHED).count(),
        "held": Assignment.objects.claimed().for_labeler(person).count(),
        "skips": person.skips.count() + person.lapsed_leases.count(),
        "reviews": person.reviews.count(),
        "consents": person.consents.count(),
        "prompts": person.prompts.exclude(feedback_uses__person=person).count(),
        "feedback": person.feedback_uses.count(),
    }


UNFINISHED = [Demonstration.Status.DRAFT, Demonstration.Status.RETURNED]
"""What only its author could finish is removed either way."""


def ask_for_erasure(*, person: Person, mode: str, now: datetime) -> ErasureRequest:
    """Remember the wish for a researcher; asking again changes how.

    :raises ErasureRefused: it is being carried out already.
    """
    request, is_new = ErasureRequest.objects.get_or_create(
        person=person, defaults={"mode": mode, "asked_at": now}
    )
    if not is_new and not request.change_mode(mode):
        raise ErasureRefused(_("Your erasure has begun and cannot be changed any more."))
    return request


def take_back_erasure(*, person: Person) -> None:
    """Forget the wish, if there is one.

    :raises ErasureRefused: it is being carried out already.
    """
    ErasureRequest.objects.waiting().filter(person=person).delete()
    if ErasureRequest.objects.filter(person=person).exists():
        raise ErasureRefused(_("Your erasure has begun and cannot be changed any more."))


@transaction.atomic
def approve_erasure(*, person: Person, mode: str, by: Person, now: datetime) -> ErasureRequest:
    """Let the next sweep erase ``person``, whether or not they asked for it.

    :raises ErasureRefused: see ``erase_person``; or it was approved before.
    """
    check_erasable(person, by)
    if person.erased_at:
        raise ErasureRefused(_("This person has been erased already."))
    request, _is_new = ErasureRequest.objects.get_or_create(
        person=person, defaults={"mode": mode, "asked_at": now}
    )
    if not request.approve(by, mode=mode, now=now):
        raise ErasureRefused(_("This erasure was approved before."))
    return request


def carry_out_erasures(*, now: datetime) -> int:
    """Erase everybody whose erasure is approved. Returns how many that were."""
    approved = list(ErasureRequest.objects.approved().select_related("person", "approved_by"))
    for request in approved:
        assert request.person  # a constraint: somebody until it is finished
        erase_person(person=request.person, mode=request.mode, by=request.approved_by, now=now)
    return len(approved)


def _shut_out(person: Person) -> None:
    """No new work while the old is being forgotten."""
    Person.objects.filter(pk=person.pk).update(is_active=False)
    end_sessions(person)
    Assignment.objects.claimed().for_labeler(person).update(**Assignment.RETURNED)
    Demonstration.objects.filter(reviewer=person).update(reviewer=None, review_expires_at=None)


def _forget_contributions(person: Person, mode: str, now: datetime) -> tuple[int, int]:
    # Either way: a conversation tells whose it was, whatever name stands beside it.
    take_back_of(person, now=now)
    finished = Assignment.objects.submitted().for_labeler(person)
    written = Demonstration.objects.for_labeler(person)
    in_batches(written.filter(status__in=UNFINISHED), remove_demonstrations, now)
    if mode == REMOVED:
        return in_batches(finished, remove_rankings, now), in_batches(written, remove_demonstrations, now)
    return in_batches(finished, anonymise_rankings, now), in_batches(written, anonymise_demonstrations, now)


@transaction.atomic
def _forget_identity(person: Person, mode: str, now: datetime) -> None:
    if mode == REMOVED:
        words = _("The reviewer's words were removed with their account.")
        Review.objects.filter(reviewer=person).exclude(reason="").update(reason=words)
    # Asked for or not: that it was done is kept, of whom is not.
    request, _is_new = ErasureRequest.objects.get_or_create(
        person=person, defaults={"mode": mode, "asked_at": now}
    )
    ErasureRequest.objects.waiting().filter(pk=request.pk).update(approved_at=now)
    request.finish(now=now)
    _forget_logs(person)
    _forget_figures(person)
    # Whoever wrote why may have written who.
    Void.objects.filter(labeler=person).update(reason="")
    _let_go(person, now)
    end_sessions(person)
    Person.objects.filter(pk=person.pk).update(
        username=f"erased:{secrets.token_hex(6)}",
        password=make_password(None),
        first_name="",
        last_name="",
        email="",
        languages=[],
        skills=[],
        preferences={},
        role=Person.Role.LABELER,
        is_active=False,
        is_staff=False,
        is_superuser=False,
        last_login=None,
        date_joined=now,
        erased_at=now,
    )


def _let_go(person: Person, now: datetime) -> None:
    """Whatever points at the person, in any app: what can be without somebody is, what belongs to them goes,
    the rest is nobody's."""
    for relation in Person._meta.get_fields(include_hidden=True):
        field = getattr(relation, "remote_field", None)
        if not relation.auto_created or not isinstance(field, ForeignKey):
            continue
        rows = field.model._base_manager.filter(**{field.name: person})
        if field.null:
            rows.update(**{field.name: None})
        elif field.remote_field.on_delete is CASCADE:
            rows.delete()
        else:
            rows.update(**{field.name: nobody(1, now=now)})


def _forget_logs(person: Person) -> None:
    named = Q(username__iexact=person.username)
    if person.email:
        named |= Q(username__iexact=person.email)
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(named).delete()
    about = ContentType.objects.get_for_model(Person)
    LogEntry.objects.filter(content_type=about, object_id=str(person.pk)).delete()
    _forget_mentions(person)


def _forget_mentions(person: Person) -> None:
    """The admin's log describes rows in words, and some rows are described by whose they are."""
    for name in filter(None, [person.username, person.email, person.get_full_name()]):
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        mentioned = Q(object_repr__contains=name) | Q(change_message__contains=name)
        for entry in LogEntry.objects.filter(mentioned).iterator():
            entry.object_repr = word.sub("…", entry.object_repr)
            entry.change_message = word.sub("…", entry.change_message)
            entry.save(update_fields=["object_repr", "change_message"])


def _forget_figures(person: Person) -> None:
    """Reports keep what they say of everybody together, and lose what they say of this one."""
    for report in QualityReport.objects.iterator():
        told = report.figures.get("labelers", [])
        others = [figures for figures in told if figures.get("labeler") != person.pk]
        if len(others) < len(told):
            report.figures["labelers"] = others
            report.save(update_fields=["figures"])
