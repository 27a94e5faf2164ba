"""Our own: one candidate set a row, with every ranking of it as people made it.

``{"prompt", "responses": [{"id", "text"}], "rankings": [{"rater", "groups": [[id], [id, id]],
"unacceptable": [id], …}]}``; docs/formats.md names every field.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import MalformedRow, UnknownCompletion
from annotation.formats.fields import conversation, list_in, number_in, only_answer, text_in
from annotation.formats.items import Fields, ImportedPrompt, ImportedRanking, Items, Rows, read_rows

Place = Callable[[Any], int]


def read(rows: Rows) -> Items:
    return read_rows(rows, _candidate_set)


def _candidate_set(line: int, row: Fields) -> Iterator[ImportedPrompt]:
    responses = _objects(row, "responses")
    places = {str(response.get("id")): place for place, response in enumerate(responses)}

    def place_of(response_id: Any) -> int:
        if str(response_id) not in places:
            raise UnknownCompletion(_("The ranking names an answer that is not there."))
        return places[str(response_id)]

    yield ImportedPrompt(
        line=line,
        messages=conversation(row.get("prompt")),
        kind=text_in(row, "kind"),
        language=text_in(row, "language"),
        skill=text_in(row, "skill"),
        source=text_in(row, "source"),
        completions=[only_answer(response.get("text", response.get("messages"))) for response in responses],
        rankings=[_ranking(ranking, place_of) for ranking in _objects(row, "rankings")],
    )


def _ranking(row: Fields, place_of: Place) -> ImportedRanking:
    groups = list_in(row, "groups")
    if not all(isinstance(group, list) for group in groups):
        raise MalformedRow(_("The groups of a ranking must be lists of ids."))
    edited = row.get("edited")
    return ImportedRanking(
        rater=text_in(row, "rater"),
        tiers=[[place_of(response) for response in group] for group in groups if group],
        unacceptable=[place_of(response) for response in list_in(row, "unacceptable")],
        cannot_judge=text_in(row, "cannot_judge"),
        strength=row.get("strength"),
        ratings=_ratings(row, place_of),
        flags=_flags(row, place_of),
        spans=_spans(row, place_of),
        rationale=text_in(row, "rationale"),
        edited=(place_of(edited.get("id")), text_in(edited, "text")) if isinstance(edited, dict) else None,
        shown_order=[place_of(response) for response in list_in(row, "display_order")],
        seconds_spent=number_in(row, "seconds") or 0,
        submitted_at=number_in(row, "tstamp"),
    )


def _ratings(row: Fields, place_of: Place) -> dict[int, dict[str, int]]:
    ratings: dict[int, dict[str, int]] = {}
    for rating in _objects(row, "ratings"):
        ratings.setdefault(place_of(rating.get("id")), {})[text_in(rating, "axis")] = rating.get("rating", 0)
    return ratings


def _flags(row: Fields, place_of: Place) -> dict[int, list[str]]:
    flags: dict[int, list[str]] = {}
    for flag in _objects(row, "flags"):
        flags.setdefault(place_of(flag.get("id")), []).append(text_in(flag, "flag"))
    return flags


def _spans(row: Fields, place_of: Place) -> dict[int, list[Fields]]:
    spans: dict[int, list[Fields]] = {}
    for span in _objects(row, "spans"):
        passage = {"start": span.get("start"), "end": span.get("end"), "flag": text_in(span, "flag")}
        spans.setdefault(place_of(span.get("id")), []).append(passage)
    return spans


def _objects(row: Fields, name: str) -> list[Fields]:
    objects = list_in(row, name)
    if not all(isinstance(one, dict) for one in objects):
        raise MalformedRow(_("The field %(name)s must be a list of objects.") % {"name": name})
    return objects
