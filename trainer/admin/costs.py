"""What a run will take, in words, before it is started."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _

from trainer.actions.costs import Cost
from trainer.admin.base import Facts
from trainer.admin.links import listed
from trainer.admin.rehearsals import nobody_large_enough, notes_of_the_node, progress
from trainer.handoff.plans import MOMENTS, NEEDS, TOO_LARGE, Said, filled

MINUTE = timedelta(minutes=1)


def shown_cost(cost: Cost | None, *, now: datetime) -> dict[str, Any] | None:
    """For the template; None where the form says why there is nothing to show."""
    if cost is None:
        return None
    rehearsal, told = cost.rehearsal, cost.rehearsal.told
    return {
        "url": reverse("admin:trainer_run_check", args=[rehearsal.pk]),
        "progress": progress(rehearsal, now),
        "facts": [*_cost(cost), *_of_the_lab(told)],
        "needs": [_need(need) for need in told.get("needs", [])],
        "first_request": told.get("first_request", ""),
        "trouble": _too_large(told) or rehearsal.trouble or nobody_large_enough(rehearsal, now),
        "notes": _notes(cost, now),
    }


def _cost(cost: Cost) -> Facts:
    if cost.asks:
        return [(_("Items that it asks for"), _number(cost.rows))] if cost.rehearsal.told else []
    tokens = _("about %(count)s") if cost.is_counted else _("roughly %(count)s")
    return [
        (_("Rows that it reads"), _number(cost.rows)),
        (_("Tokens"), tokens % {"count": _number(cost.tokens)}),
        (_("Speed"), _speed(cost)),
        (_("Time"), _time(cost.time)),
    ]


def _speed(cost: Cost) -> SafeString | str:
    if not cost.measured_by:
        return _("no run of this kind has finished yet")
    if cost.speed is None:
        return _("runs of this kind do not measure it")
    words = _("%(count)s tokens a second, measured in") % {"count": _number(cost.speed)}
    return format_html("{} {}", words, listed(cost.measured_by))


def _time(time: timedelta | None) -> str:
    if time is None:
        return _("unknown")
    if time < MINUTE:
        return _("less than a minute")
    start = now()
    return _("about %(time)s") % {"time": timesince(start, start + time)}


def _of_the_lab(told: dict[str, Any]) -> Facts:
    if not told:
        return []
    facts = told["facts"]
    names = {
        "requests": _("Requests"),
        "limits": _("Budget"),
        "guideline": _("Guideline"),
        "steps": _("Steps"),
        "processes": _("Processes"),
        "each": _("Each process holds"),
        "weights": _("Weights"),
        "trunk": _("Layers"),
    }
    peaks: Facts = [
        (
            _("Memory on %(device)s") % {"device": device},
            _("at most %(peak)s; %(free)s are free")
            % {"peak": filesizeformat(peak), "free": filesizeformat(told["available"][device])},
        )
        for device, peak in told.get("peaks", {}).items()
    ]
    return [*((words, Said(**facts[name]).text(_)) for name, words in names.items() if name in facts), *peaks]


def _need(need: Mapping[str, Any]) -> dict[str, Any]:
    name, why = (filled(words, need["numbers"], _) for words in NEEDS[need["what"]])
    moment = MOMENTS[need["during"]]
    return {"name": name, "why": why, "bytes": need["bytes"], "on": need["on"], "during": _(moment)}


def _too_large(told: Mapping[str, Any]) -> str:
    """As the lab says it, in the reader's language; empty where it fits."""
    for device, peak in told.get("peaks", {}).items():
        if peak <= told["available"][device]:
            continue
        here = [need for need in told["needs"] if need["on"] == device]
        largest = _need(max(here, key=lambda need: need["bytes"]))
        return _(TOO_LARGE) % {
            "needed": filesizeformat(peak),
            "device": device,
            "free": filesizeformat(told["available"][device]),
            "part": largest["name"],
            "size": filesizeformat(largest["bytes"]),
            "why": largest["why"],
            "changes": ", ".join(Said(**change).text(_) for change in told["changes"]),
        }
    return ""


def _notes(cost: Cost, now: datetime) -> list[str]:
    if cost.asks:
        words = _("How many tokens the answers will have, nobody knows before. Set most_tokens for a limit.")
        return [words, *notes_of_the_node(cost.rehearsal, now)]
    notes = [_("The time is that of the steps, without loading the model and judging what is held out.")]
    if cost.speed and not cost.is_same_model:
        notes.append(_("The speed is that of runs from other models, so the time may be far off."))
    if cost.speed and not cost.is_same_layout:
        notes.append(_("The speed is that of runs on other numbers of devices, so the time may be far off."))
    if not cost.is_counted:
        notes.append(_("Tokens are guessed: four bytes of text each."))
    return [*notes, *notes_of_the_node(cost.rehearsal, now)]


def _number(count: float) -> str:
    return number_format(round(count), use_l10n=True, force_grouping=True)
