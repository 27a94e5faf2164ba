"""A campaign's quality page: what its latest report says. It measures nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.actions.quality import ask_for_report, latest_report
from annotation.errors import Refusal
from annotation.models import Campaign, Person, QualityReport

LABELERS_A_PAGE = 50

UNDEFINED = {
    "fewer_than_two_labelers": gettext_lazy("fewer than two labelers"),
    "nothing_in_common": gettext_lazy("no two labelers judged the same"),
    "no_variation": gettext_lazy("all say the same, so nothing tells agreement from chance"),
    "too_few_rankings": gettext_lazy("fewer than 10 rankings"),
    "nothing_to_tell": gettext_lazy("no ranking that could show it"),
    "not_sampled": gettext_lazy("not in the sample"),
}
MEASURES = [
    (
        "agreement",
        gettext_lazy("Raw agreement"),
        gettext_lazy("The share of comparisons on which two labelers say the same. Chance alone gives some."),
    ),
    (
        "alpha",
        gettext_lazy("Krippendorff's α"),
        gettext_lazy("Agreement beyond chance: 1 is perfect, 0 is what chance gives."),
    ),
    (
        "alpha_graded",
        gettext_lazy("Graded α"),
        gettext_lazy("The same, where a tie against a preference is a smaller disagreement."),
    ),
    (
        "tau",
        gettext_lazy("Kendall's τ-b"),
        gettext_lazy("How alike two labelers' orders are: 1 is the same order, −1 the reverse."),
    ),
]
Table = dict[str, Any]


def quality_page(request: HttpRequest, campaign: Campaign, context: Mapping[str, Any]) -> HttpResponse:
    if request.method == "POST":
        return _measure(request, campaign)
    report = latest_report(campaign=campaign)
    title = _("Quality of %(campaign)s") % {"campaign": campaign}
    shown = _report(report, request.GET.get("page")) if report else {}
    return TemplateResponse(
        request,
        "admin/annotation/quality.html",
        {**context, "title": title, "campaign": campaign, "report": report, **shown},
    )


def _measure(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    try:
        ask_for_report(campaign=campaign)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("A worker measures it now. Open this page again in a while."))
    return HttpResponseRedirect(request.path)


def _report(report: QualityReport, page_number: str | None) -> dict[str, Any]:
    figures = report.figures
    ranked = sorted(figures["labelers"], key=_by_reliability)
    page = Paginator(ranked, LABELERS_A_PAGE).get_page(page_number)
    names = dict(Person.objects.filter(pk__in=[one["labeler"] for one in page]).values_list("pk", "username"))
    return {
        "figures": figures,
        "percent_sampled": _percent(figures["reliability_share"]),
        "agreement": _agreement_table(figures),
        "kinds": _groups_table(_("prompt kind"), figures["kinds"]) if len(figures["kinds"]) > 1 else None,
        "weeks": _groups_table(_("week from"), figures["weeks"]),
        "labelers": _labelers_table(page, names),
        "habits": _habits_table(page, names),
        "page": page,
    }


def _by_reliability(labeler: Mapping[str, Any]) -> tuple[bool, float, int]:
    """The least reliable first, those without a figure last."""
    reliability = labeler["reliability"]
    return "value" not in reliability, reliability.get("value", 0.0), labeler["labeler"]


def _agreement_table(figures: Mapping[str, Any]) -> Table:
    rows = [
        [name, _shown(figures["campaign"][key], key), _cases(figures["campaign"][key]), note]
        for key, name, note in MEASURES
    ]
    rows += [
        [
            _("α of ratings: %(axis)s") % {"axis": axis},
            _shown(figure, "alpha"),
            _cases(figure),
            _("Agreement beyond chance on ratings from 1 to 7, by how many ratings lie between."),
        ]
        for axis, figure in figures["ratings"].items()
    ]
    return {"headers": [_("measure"), _("figure"), _("cases"), _("what it says")], "rows": rows}


def _groups_table(what: str, groups: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        [
            group["name"] or _("none given"),
            group["rankings"],
            *(_shown(group[key], key) for key, _name, _note in MEASURES),
        ]
        for group in groups
    ]
    return {"headers": [what, _("rankings"), *(name for _key, name, _note in MEASURES)], "rows": rows}


def _labelers_table(page: "Page[Any]", names: Mapping[int, str]) -> Table:
    rows = [
        [
            names.get(one["labeler"], "–"),
            one["rankings"],
            _shown(one["reliability"], "reliability"),
            _shown(one["agreement"], "agreement"),
            format_html_join("", '<p class="quality-note">{}</p>', [(note,) for note in _notes(one)]) or "–",
        ]
        for one in page
    ]
    headers = [_("labeler"), _("rankings"), _("reliability"), _("agreement with others"), _("worth a look")]
    return {"headers": headers, "rows": rows}


def _habits_table(page: "Page[Any]", names: Mapping[int, str]) -> Table:
    rows = [
        [
            names.get(one["labeler"], "–"),
            *(_shown(one["oddities"][key], key) for key in NOTES),
        ]
        for one in page
    ]
    headers = [
        _("labeler"),
        _("first shown is best"),
        _("order as shown"),
        _("ties only"),
        _("longer preferred"),
        _("median seconds"),
        _("very fast"),
    ]
    return {"headers": headers, "rows": rows}


def _notes(labeler: Mapping[str, Any]) -> list[str]:
    return [note(found) for key, note in NOTES.items() if (found := labeler["oddities"][key])["stands_out"]]


def _note(words: Any, shown: Callable[[float], str]) -> Callable[[Mapping[str, Any]], str]:
    def note(found: Mapping[str, Any]) -> str:
        return str(words) % {"seen": shown(found["value"]), "expected": shown(found["expected"])}

    return note


def _percent(share: float) -> str:
    return f"{number_format(100 * share, 0)} %"


def _decimal(value: float) -> str:
    return number_format(value, 2).replace("-", "−")


def _seconds(value: float) -> str:
    return number_format(value, 1)


WRITTEN: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(("agreement", "first", "straight", "ties", "fast"), _percent),
    "seconds": _seconds,
}

NOTES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "first": _note(
        gettext_lazy("What is shown first is among the best in %(seen)s of rankings; by lot: %(expected)s."),
        _percent,
    ),
    "straight": _note(
        gettext_lazy("The order is the one shown in %(seen)s of rankings; by lot: %(expected)s."), _percent
    ),
    "ties": _note(
        gettext_lazy("Nothing but a tie in %(seen)s of rankings; of all labelers: %(expected)s."), _percent
    ),
    "length": _note(
        gettext_lazy("Preference for length has the slope %(seen)s; of all labelers: %(expected)s."), _decimal
    ),
    "seconds": _note(
        gettext_lazy("A ranking takes %(seen)s seconds; the middle labeler: %(expected)s."), _seconds
    ),
    "fast": _note(
        gettext_lazy("Very fast in %(seen)s of rankings; of all labelers: %(expected)s."), _percent
    ),
}


def _shown(figure: Mapping[str, Any], key: str) -> SafeString | str:
    """The figure with its interval, or why there is none."""
    if "undefined" in figure:
        why = UNDEFINED.get(figure["undefined"], figure["undefined"])
        return format_html('<span class="quality-muted">– ({})</span>', why)
    written = WRITTEN.get(key, _decimal)
    value = written(figure["value"])
    if figure["low"] is None:
        return value
    low, high = written(figure["low"]), written(figure["high"])
    return format_html('{} <span class="quality-muted">({} … {})</span>', value, low, high)


def _cases(figure: Mapping[str, Any]) -> str:
    return number_format(figure["cases"], 0, force_grouping=True) if "cases" in figure else "–"
