"""Which of a campaign's rows a snapshot takes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from annotation.models import Assignment, Campaign, Demonstration, FeedbackUse, Prompt, Ranking
from trainer.errors import FilterDoesNotFit
from trainer.models import Snapshot
from trainer.pseudonyms import pseudonym

_RANKINGS, _DEMONSTRATIONS, _PROMPTS, _FEEDBACK = (
    Snapshot.Kind.RANKINGS,
    Snapshot.Kind.DEMONSTRATIONS,
    Snapshot.Kind.PROMPTS,
    Snapshot.Kind.FEEDBACK,
)
_GUIDED = {_RANKINGS, _DEMONSTRATIONS}
_JUDGED = {*_GUIDED, _FEEDBACK}


_LABELERS = (Assignment.Purpose.OVERLAP, Assignment.Purpose.ADJUDICATION)
_CHATS = (Assignment.Purpose.CHAT,)
JUDGES = {"": (*_LABELERS, *_CHATS), "labelers": _LABELERS, "chats": _CHATS}
"""Purposes of people's rankings that a snapshot takes."""
_NONE, _TOO, _ONLY = "", "include", "only"
SYNTHETIC = (_NONE, _TOO, _ONLY)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What narrows a snapshot down; what is left as it is here takes everything that counts."""

    prompt_kind: str = ""
    """Only prompts of this kind."""
    language: str = ""
    """Only prompts in this language."""
    guideline_from: int = 0
    """Only what was made under this version of the guidelines or a later one."""
    submitted_from: datetime | None = None
    """Only what was submitted then or later."""
    submitted_until: datetime | None = None
    """Only what was submitted before."""
    without_labelers: tuple[int, ...] = ()
    """Nothing of these people, by their ids."""
    settled: str = ""
    """``consensus``: only candidate sets that have one. ``adjudicated``: only those a reviewer decided."""
    accepted: bool = False
    """Only demonstrations that a reviewer accepted."""
    judges: str = ""
    """``labelers``: no choices of chat users. ``chats``: only these."""
    synthetic: str = _NONE
    """Nothing that a model made up. ``include``: that too. ``only``: nothing else."""
    synthetic_weight: float = 1.0
    """How much a model's ranking counts in training, where a labeler's counts 1."""

    FITTING: ClassVar[dict[str, set[Snapshot.Kind]]] = {
        "guideline_from": _GUIDED,
        "submitted_from": _JUDGED,
        "submitted_until": _JUDGED,
        "without_labelers": _JUDGED,
        "settled": {_RANKINGS},
        "accepted": {_DEMONSTRATIONS},
        "judges": {_RANKINGS},
        "synthetic": {_RANKINGS, _DEMONSTRATIONS, _PROMPTS},
        "synthetic_weight": {_RANKINGS},
    }
    """The kinds of snapshot that a filter is for, where it is not for all."""

    def __post_init__(self) -> None:
        if self.submitted_from and self.submitted_until and self.submitted_from >= self.submitted_until:
            raise FilterDoesNotFit(_("Nothing was submitted both from then on and before that."))
        if self.settled not in {"", "consensus", "adjudicated"}:
            raise FilterDoesNotFit(_("Choose consensus or adjudicated."))
        if self.judges not in JUDGES:
            raise FilterDoesNotFit(_("Choose labelers or chats."))
        if self.synthetic not in SYNTHETIC:
            raise FilterDoesNotFit(_("Choose include or only."))
        if not 0 < self.synthetic_weight <= 1:
            raise FilterDoesNotFit(_("A model's ranking counts more than 0 and at most 1."))
        if self.synthetic_weight != 1 and not self.synthetic:
            raise FilterDoesNotFit(_("Without synthetic rankings there is nothing to weigh: include them."))

    def given(self) -> dict[str, Any]:
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def recorded(self, campaign: Campaign) -> dict[str, Any]:
        """For the manifest, which travels: people are pseudonyms in it."""
        recorded = self.given()
        for name in ("submitted_from", "submitted_until"):
            if name in recorded:
                recorded[name] = recorded[name].isoformat()
        if self.without_labelers:
            recorded["without_labelers"] = sorted(pseudonym(campaign, pk) for pk in self.without_labelers)
        return recorded


def chosen_rows(campaign: Campaign, kind: str, filters: Filters) -> QuerySet[Any]:
    """The rows that count: of rankings the latest revision of those asked of labelers, and of reviewers, and
    what chat users chose.

    :raises FilterDoesNotFit: a filter is for another kind of snapshot.
    """
    for name in filters.given():
        if kind not in filters.FITTING.get(name, set(Snapshot.Kind)):
            raise FilterDoesNotFit(
                _("The filter %(name)s does not go with a snapshot of %(kind)s.")
                % {"name": name, "kind": Snapshot.Kind(kind).label}
            )
    choose: dict[Snapshot.Kind, Callable[[Campaign, Filters], QuerySet[Any]]] = {
        _PROMPTS: _prompts,
        _DEMONSTRATIONS: _demonstrations,
        _RANKINGS: _rankings,
        _FEEDBACK: _feedback,
    }
    return choose[Snapshot.Kind(kind)](campaign, filters)


def _prompts(campaign: Campaign, filters: Filters) -> QuerySet[Prompt]:
    # What may hold personal data stays where a researcher decides about it.
    ready = Prompt.objects.filter(campaign=campaign, status=Prompt.Status.READY)
    return _by(ready, filters).filter(_about_prompts(filters, ""))


def _demonstrations(campaign: Campaign, filters: Filters) -> QuerySet[Demonstration]:
    usable = Demonstration.objects.usable().filter(prompt__campaign=campaign)
    usable = usable.exclude(prompt__status=Prompt.Status.REJECTED)
    if filters.accepted:
        usable = usable.filter(status=Demonstration.Status.ACCEPTED)
    return _by(usable, filters).filter(_about_prompts(filters, "prompt__"), _about_judgements(filters))


def _rankings(campaign: Campaign, filters: Filters) -> QuerySet[Ranking]:
    rows = Ranking.objects.current().filter(
        _about_prompts(filters, "assignment__candidate_set__prompt__"),
        _about_judgements(filters),
        assignment__campaign=campaign,
        assignment__purpose__in=_purposes(filters),
    )
    # Whoever had written the prompt may have taken it back.
    rows = rows.exclude(assignment__candidate_set__prompt__status=Prompt.Status.REJECTED)
    if filters.settled == "consensus":
        rows = rows.filter(assignment__candidate_set__consensus__isnull=False)
    if filters.settled == "adjudicated":
        rows = rows.filter(assignment__candidate_set__in=adjudications().values("assignment__candidate_set"))
    return rows


def _purposes(filters: Filters) -> list[str]:
    people: tuple[str, ...] = () if filters.synthetic == _ONLY else JUDGES[filters.judges]
    return [*people, Assignment.Purpose.JUDGE] if filters.synthetic else [*people]


def _by(rows: QuerySet[Any], filters: Filters) -> QuerySet[Any]:
    """What people wrote, what models made up, or both."""
    wanted = {_NONE: {"is_synthetic": False}, _ONLY: {"is_synthetic": True}, _TOO: {}}
    return rows.filter(**wanted[filters.synthetic])


def _feedback(campaign: Campaign, filters: Filters) -> QuerySet[FeedbackUse]:
    wanted = Q()
    if filters.submitted_from:
        wanted &= Q(given_at__gte=filters.submitted_from)
    if filters.submitted_until:
        wanted &= Q(given_at__lt=filters.submitted_until)
    if filters.without_labelers:
        wanted &= ~Q(person__in=filters.without_labelers)
    alone = FeedbackUse.objects.filter(campaign=campaign, source__in=FeedbackUse.OF_ONE_ANSWER)
    return alone.filter(wanted, _about_prompts(filters, "prompt__"))


def adjudications() -> QuerySet[Ranking]:
    """The orders of reviewers, which count instead of what labelers said of the same candidates."""
    adjudicated = Ranking.objects.filter(assignment__purpose=Assignment.Purpose.ADJUDICATION)
    return adjudicated.current().filter(cannot_judge="")


def _about_prompts(filters: Filters, path: str) -> Q:
    wanted = {"kind": filters.prompt_kind, "language": filters.language}
    return Q(**{f"{path}{name}": value for name, value in wanted.items() if value})


def _about_judgements(filters: Filters) -> Q:
    wanted = Q()
    if filters.guideline_from:
        wanted &= Q(guideline__version__gte=filters.guideline_from)
    if filters.submitted_from:
        wanted &= Q(submitted_at__gte=filters.submitted_from)
    if filters.submitted_until:
        wanted &= Q(submitted_at__lt=filters.submitted_until)
    return wanted & ~Q(labeler__in=filters.without_labelers) if filters.without_labelers else wanted
