"""Whether what a file brought can be stored: everything that can be said without asking the database."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from annotation.actions.candidates import candidates_digest, check_candidates
from annotation.errors import DuplicateCompletion, IncompleteRanking, MalformedRow, UnknownCompletion
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking
from annotation.messages import Message, check_prompt, check_text, check_turns, digest_of

LAST_MOMENT = 253_402_300_800
"""The end of the year 9999, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class CheckedPrompt:
    """An imported prompt that can be stored, with the accounts that its rankings and demonstrations go to."""

    line: int
    file: str
    messages: list[Message]
    digest: str
    kind: str
    language: str
    skill: str
    source: str
    completions: list[str]
    set_digest: str
    rankings: list[tuple[str, ImportedRanking]]
    demonstrations: list[tuple[str, list[Message]]]
    findings: list[dict[str, Any]] = field(default_factory=list)


def check_item(item: ImportedPrompt, format_name: str) -> CheckedPrompt:
    """:raises BadInput: with the code that names what is wrong."""
    messages = check_prompt(item.messages)
    digest = digest_of(messages)
    for word in (item.kind, item.language, item.skill, item.source):
        check_text(word)
    if len(set(item.completions)) != len(item.completions):
        raise DuplicateCompletion(_("Two of the answers are the same text."))
    for ranking in item.rankings:
        _check_ranking(ranking, item.completions)
    if item.completions:
        check_candidates(item.completions)
    raters = _named([ranking.rater for ranking in item.rankings])
    authors = _named([demonstration.rater for demonstration in item.demonstrations])
    return CheckedPrompt(
        line=item.line,
        file=item.file,
        messages=messages,
        digest=digest,
        kind=item.kind[:40],
        language=item.language[:20],
        skill=item.skill[:40],
        source=item.source[:200],
        completions=item.completions,
        set_digest=candidates_digest(digest, item.completions) if item.completions else "",
        rankings=[
            (account_name(format_name, rater), ranking)
            for rater, ranking in zip(raters, item.rankings, strict=True)
        ],
        demonstrations=[
            (account_name(format_name, rater), check_turns(demonstration.turns))
            for rater, demonstration in zip(authors, item.demonstrations, strict=True)
        ],
    )


def account_name(format_name: str, rater: str = "") -> str:
    """The pseudonym of a person in a file: the same whenever it is imported here, and no way back."""
    if not rater:
        return f"import-{format_name}"
    return f"import-{format_name}-{salted_hmac('rankwright.rater', rater).hexdigest()[:16]}"


def _named(raters: Sequence[str]) -> Iterator[str]:
    """Of people whom the file does not name, the first has no name and the others have their place."""
    for place, rater in enumerate(raters):
        yield rater or (str(place + 1) if "" in raters[:place] else "")


def _check_ranking(ranking: ImportedRanking, completions: Sequence[str]) -> None:
    named = [position for tier in ranking.tiers for position in tier] + ranking.unacceptable
    mentioned = {*named, *ranking.ratings, *ranking.flags, *ranking.spans, *ranking.shown_order}
    if ranking.edited:
        mentioned.add(ranking.edited[0])
    if len(set(named)) != len(named):
        raise DuplicateCompletion(_("The ranking names an answer twice."))
    if not mentioned <= set(range(len(completions))):
        raise UnknownCompletion(_("The ranking names an answer that is not there."))
    if check_text(ranking.cannot_judge).strip():
        if named:
            raise IncompleteRanking(_("A ranking either orders the answers or says why it cannot."))
    elif len(named) != len(completions):
        raise IncompleteRanking(_("The ranking leaves an answer out."))
    _check_extras(ranking)
    for position, spans in ranking.spans.items():
        _check_spans(spans, len(completions[position]))


def _check_spans(spans: Sequence[Fields], length: int) -> None:
    """Whether they are inside of their answer; a file may have flags of its own."""
    for span in spans:
        check_text(span["flag"])
        start, end = span["start"], span["end"]
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= length:
            raise MalformedRow(_("A marked passage is not inside its response."))


def _check_extras(ranking: ImportedRanking) -> None:
    if ranking.strength is not None and not _is_one_of(ranking.strength, 3):
        raise MalformedRow(_("The strength of a preference must be 1, 2 or 3."))
    if not 0 <= ranking.seconds_spent < math.inf:
        raise MalformedRow(_("The seconds spent must be a number that is not negative."))
    if ranking.submitted_at is not None and not 0 <= ranking.submitted_at < LAST_MOMENT:
        raise MalformedRow(_("The time of a ranking must be in seconds since 1970."))
    ratings = [rating for by_axis in ranking.ratings.values() for rating in by_axis.values()]
    if not all(_is_one_of(rating, 7) for rating in ratings):
        raise MalformedRow(_("A rating must be a whole number from 1 to 7."))
    axes = [axis for by_axis in ranking.ratings.values() for axis in by_axis]
    flags = [flag for flags in ranking.flags.values() for flag in flags]
    for text in [ranking.rationale, *axes, *flags, *([ranking.edited[1]] if ranking.edited else [])]:
        check_text(text)


def _is_one_of(number: Any, most: int) -> bool:
    return type(number) is int and 1 <= number <= most
