"""What is recorded of a person, for that person."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, F, Q

from annotation.models import (
    Acknowledgement,
    BetterAnswer,
    Campaign,
    ChatConsent,
    ChatMessage,
    Consent,
    Demonstration,
    ErasureRequest,
    Person,
    PracticeAttempt,
    Ranking,
    RankingDraft,
    Review,
    SideBySide,
    Skip,
    Thumb,
)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What one campaign has of one person, in numbers."""

    campaign: Campaign
    rankings: int
    demonstrations: int
    drafts: int
    skips: int


@dataclass(frozen=True, kw_only=True)
class OwnData:
    person: Person
    campaigns: list[Recorded]
    consents: list[Consent]
    erasure: ErasureRequest | None


def own_data(person: Person) -> OwnData:
    consents = Consent.objects.filter(labeler=person).select_related("text__campaign")
    return OwnData(
        person=person,
        campaigns=_recorded(person),
        consents=list(consents.order_by("text__campaign__name", "-text__version")),
        erasure=ErasureRequest.objects.filter(person=person).first(),
    )


def own_contributions(person: Person) -> Iterator[str]:
    """The person's account and everything they made, as the pieces of one JSON object."""
    yield f'{{"account": {_json(_account(person))}'
    for name, rows in _contributions(person).items():
        yield f', "{name}": ['
        for place, row in enumerate(rows):
            yield (", " if place else "") + _json(row)
        yield "]"
    yield "}"


def _recorded(person: Person) -> list[Recorded]:
    counts = {
        "rankings": _by_campaign(Ranking.objects.filter(labeler=person), "assignment__campaign"),
        "demonstrations": _by_campaign(
            Demonstration.objects.for_labeler(person).filter(~Q(status="DRAFT")), "prompt__campaign"
        ),
        "drafts": _by_campaign(Demonstration.objects.for_labeler(person).drafts(), "prompt__campaign"),
        "skips": _by_campaign(Skip.objects.filter(labeler=person), "candidate_set__prompt__campaign"),
    }
    touched = {pk for by_campaign in counts.values() for pk in by_campaign}
    return [
        Recorded(campaign=campaign, **{name: counted.get(campaign.pk, 0) for name, counted in counts.items()})
        for campaign in Campaign.objects.filter(pk__in=touched).order_by("name")
    ]


def _by_campaign(rows: Any, campaign: str) -> dict[int, int]:
    return dict(rows.values_list(campaign).annotate(Count("pk")).order_by())


def _account(person: Person) -> dict[str, Any]:
    told = ["username", "first_name", "last_name", "email", "role", "languages", "skills", "preferences"]
    times = ["date_joined", "last_login"]
    return {name: getattr(person, name) for name in [*told, *times]}


def _contributions(person: Person) -> dict[str, Iterable[Any]]:
    consents = Consent.objects.filter(labeler=person).values(
        "given_at", "withdrawn_at", campaign=F("text__campaign__name"), version=F("text__version")
    )
    rankings = Ranking.objects.filter(labeler=person).values(
        "id",
        "revision",
        "shown_order",
        "tiers",
        "unacceptable",
        "cannot_judge",
        "strength",
        "ratings",
        "flags",
        "spans",
        "rationale",
        "edited",
        "seconds_spent",
        "submitted_at",
        campaign=F("assignment__campaign__name"),
        prompt=F("assignment__candidate_set__prompt"),
        consent_version=F("consent__version"),
        guideline_version=F("guideline__version"),
    )
    demonstrations = Demonstration.objects.for_labeler(person).values(
        "id",
        "prompt",
        "status",
        "turns",
        "suggestion",
        "seconds_spent",
        "created_at",
        "submitted_at",
        "skipped_at",
        "skip_reason",
        campaign=F("prompt__campaign__name"),
        consent_version=F("consent__version"),
        guideline_version=F("guideline__version"),
    )
    skips = Skip.objects.filter(labeler=person).values(
        "reason", "skipped_at", campaign=F("candidate_set__prompt__campaign__name")
    )
    drafts = RankingDraft.objects.filter(labeler=person).values("assignment__key", "content", "saved_at")
    practice = PracticeAttempt.objects.filter(labeler=person).values(
        "item", "tiers", "unacceptable", "is_passed", "attempted_at"
    )
    acknowledgements = Acknowledgement.objects.filter(labeler=person).values(
        "acknowledged_at", campaign=F("guideline__campaign__name"), version=F("guideline__version")
    )
    reviews = Review.objects.filter(reviewer=person).values(
        "demonstration", "verdict", "reason", "reviewed_at"
    )
    chats = ChatMessage.objects.filter(chat__person=person).values(
        "chat", "parent", "role", "origin", "text", "created_at", campaign=F("chat__campaign__name")
    )
    thumbs = Thumb.objects.filter(message__chat__person=person).values(
        "message", "is_up", "reasons", "note", "given_at"
    )
    pairs = SideBySide.objects.filter(left__chat__person=person).values(
        "left", "right", "verdict", "answered_at"
    )
    better = BetterAnswer.objects.filter(message__chat__person=person).values("message", "text", "written_at")
    allowed = ChatConsent.objects.filter(person=person).values(
        "allows_training", "changed_at", "campaign__name"
    )
    told: dict[str, Any] = {
        "consents": consents,
        "rankings": rankings,
        "demonstrations": demonstrations,
        "ranking_drafts": drafts,
        "skips": skips,
        "practice": practice,
        "acknowledgements": acknowledgements,
        "reviews": reviews,
        "chat_consents": allowed,
        "chat_messages": chats,
        "chat_thumbs": thumbs,
        "chat_choices": pairs,
        "chat_better_answers": better,
    }
    return {name: rows.order_by("pk").iterator() for name, rows in told.items()}


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
