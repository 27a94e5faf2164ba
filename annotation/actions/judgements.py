"""What a labeler may say of the candidates of an assignment, and what of it cannot be stored."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from annotation.errors import (
    BadEdit,
    BadPassage,
    BadRating,
    BadStrength,
    DuplicateCompletion,
    IncompleteRanking,
    RationaleMissing,
    UnknownCompletion,
    UnknownFlag,
)
from annotation.flags import Flag
from annotation.messages import check_text
from annotation.models import Assignment, Campaign

Tiers = Sequence[Sequence[int]]

STRENGTHS = range(1, 4)
RATINGS = range(1, 8)


class Passage(TypedDict):
    """From its first character up to, not with, ``end``: code points of the response as it is stored."""

    start: int
    end: int
    flag: str


class Judgement(TypedDict):
    """As a ranking stores it. Keys of JSON objects are texts, so ids that are keys are too."""

    tiers: list[list[int]]
    unacceptable: list[int]
    cannot_judge: str
    strength: int | None
    ratings: dict[str, dict[str, int]]
    flags: dict[str, list[str]]
    spans: dict[str, list[Passage]]
    rationale: str
    edited: dict[str, Any] | None


def judgement_of(
    *,
    tiers: Tiers,
    unacceptable: Sequence[int],
    cannot_judge: str,
    strength: int | None = None,
    ratings: Mapping[Any, Mapping[str, int]] | None = None,
    flags: Mapping[Any, Sequence[str]] | None = None,
    spans: Mapping[Any, Sequence[Mapping[str, Any]]] | None = None,
    rationale: str = "",
    edited: Mapping[str, Any] | None = None,
) -> Judgement:
    """The same judgement in the one form that is stored and compared."""
    return {
        "tiers": [list(tier) for tier in tiers if tier],
        "unacceptable": list(unacceptable),
        "cannot_judge": check_text(cannot_judge).strip()[:500],
        "strength": strength,
        "ratings": {str(pk): dict(given) for pk, given in (ratings or {}).items() if given},
        "flags": {str(pk): sorted(set(given)) for pk, given in (flags or {}).items() if given},
        "spans": {str(pk): _in_order(given) for pk, given in (spans or {}).items() if given},
        "rationale": check_text(rationale).strip(),
        "edited": {"id": edited["id"], "text": check_text(edited["text"])} if edited else None,
    }


def check_judgement(assignment: Assignment, judgement: Judgement) -> None:
    """Nothing, if it can be stored.

    What a campaign does not ask for is no reason to refuse a judgement: it may have asked when the page was
    opened. What could never be read is one: an axis that nobody named, a passage outside of its text.

    :raises BadInput: with the code that names what is wrong.
    """
    texts = {completion.pk: completion.text for completion in assignment.candidate_set.completions.all()}
    shown = set(texts)
    check_partition(judgement, shown)
    _check_strength(judgement)
    _check_ratings(judgement, shown, assignment.campaign.rating_axes)
    _check_flags(judgement, shown)
    _check_passages(judgement, texts)
    _check_edited(judgement, shown)
    _check_rationale(judgement, assignment.campaign)


def check_partition(judgement: Judgement, shown: set[int]) -> None:
    ranked = [completion_id for tier in judgement["tiers"] for completion_id in tier]
    named = ranked + judgement["unacceptable"]
    if judgement["cannot_judge"]:
        if named:
            raise IncompleteRanking(_("Either rank the responses or say why you cannot judge them."))
        return
    if len(named) != len(set(named)):
        raise DuplicateCompletion(_("A response is ranked twice."))
    _check_known(set(named), shown)
    if set(named) != shown:
        raise IncompleteRanking(_("Rank every response, or mark it as unacceptable."))


def _check_strength(judgement: Judgement) -> None:
    if judgement["strength"] is None:
        return
    if judgement["strength"] not in STRENGTHS:
        raise BadStrength(_("How much better the best is goes from 1 (slightly) to 3 (much)."))
    if len(judgement["tiers"]) + bool(judgement["unacceptable"]) < 2:
        raise BadStrength(_("No response is better than another here, so it cannot be said by how much."))


def _check_ratings(judgement: Judgement, shown: set[int], axes: Sequence[str]) -> None:
    _check_known(judgement["ratings"], shown)
    for ratings in judgement["ratings"].values():
        if unknown := set(ratings) - set(axes):
            raise BadRating(_("This campaign does not rate %(axis)s.") % {"axis": min(unknown)})
        if not set(ratings.values()) <= set(RATINGS):
            raise BadRating(_("Ratings go from 1 (bad) to 7 (good)."))


def _check_flags(judgement: Judgement, shown: set[int]) -> None:
    _check_known(judgement["flags"], shown)
    _check_named(flag for flags in judgement["flags"].values() for flag in flags)


def _check_named(flags: Iterable[str]) -> None:
    if unknown := set(flags) - set(Flag.values):
        raise UnknownFlag(_("There is no flag %(flag)s.") % {"flag": min(unknown)})


def _check_passages(judgement: Judgement, texts: Mapping[int, str]) -> None:
    _check_known(judgement["spans"], set(texts))
    lengths = {str(pk): len(text) for pk, text in texts.items()}
    for pk, passages in judgement["spans"].items():
        _check_named(passage["flag"] for passage in passages)
        if any(not 0 <= passage["start"] < passage["end"] <= lengths[pk] for passage in passages):
            raise BadPassage(_("A marked passage is not inside its response."))
        if any(one == next_one for one, next_one in pairwise(passages)):
            raise BadPassage(_("A passage is marked twice with the same flag."))


def _check_edited(judgement: Judgement, shown: set[int]) -> None:
    edited = judgement["edited"]
    if edited is None:
        return
    _check_known({edited["id"]}, shown)
    if not edited["text"].strip():
        raise BadEdit(_("The response as you would have it is empty."))
    if judgement["tiers"] and edited["id"] not in judgement["tiers"][0]:
        raise BadEdit(_("Only the best response can be improved."))


def _check_rationale(judgement: Judgement, campaign: Campaign) -> None:
    if judgement["cannot_judge"] or judgement["rationale"]:
        return
    if campaign.rationale == Campaign.Rationale.REQUIRED:
        raise RationaleMissing(_("Say why you order the responses like this: this campaign asks for it."))


def _in_order(passages: Sequence[Mapping[str, Any]]) -> list[Passage]:
    told = sorted((passage["start"], passage["end"], passage["flag"]) for passage in passages)
    return [{"start": start, "end": end, "flag": flag} for start, end, flag in told]


def _check_known(named: set[int] | Mapping[str, Any], shown: set[int]) -> None:
    if not {str(pk) for pk in named} <= {str(pk) for pk in shown}:
        raise UnknownCompletion(_("A ranked response does not belong to this assignment."))
