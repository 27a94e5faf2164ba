"""The pages behind one person: how they do, and keeping them out."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from annotation.actions.pauses import record_of
from annotation.actions.people import Week, figures_of, weeks_of, work_by_campaign
from annotation.actions.suspension import reinstate_person, suspend_person
from annotation.admin.pages import decision_page, researcher
from annotation.errors import Refusal
from annotation.models import Assignment, Person

Table = dict[str, Any]
BAR = '<progress max="{}" value="{}" aria-hidden="true"></progress>{}'


def work_page(request: HttpRequest, of: "ModelAdmin[Any]", person_id: int) -> HttpResponse:
    researcher(request)
    person, now = get_object_or_404(Person, pk=person_id), timezone.localtime()
    context = {
        **of.admin_site.each_context(request),
        "opts": of.model._meta,
        "title": _("Progress of %(person)s") % {"person": person},
        "person": person,
        "figures": figures_of([person], now=now)[person.pk],
        "weeks": _weeks_table(weeks_of(person, now=now)),
        "campaigns": _campaigns_table(person),
        "pauses": person.pauses.select_related("campaign").order_by("-paused_at"),
        "voids": person.voids.select_related("campaign").order_by("-created_at"),
    }
    return TemplateResponse(request, "admin/annotation/work.html", context)


def _weeks_table(weeks: list[Week]) -> Table:
    most = max((week.rankings for week in weeks), default=0) or 1
    rows = [
        [
            date_format(week.monday, "SHORT_DATE_FORMAT"),
            format_html(BAR, most, week.rankings, week.rankings),
            "–" if week.seconds is None else number_format(week.seconds, 0),
            "–" if week.agreement is None else f"{week.agreement:.0%} ({week.comparisons})",
        ]
        for week in weeks
    ]
    headers = [_("week from"), _("rankings"), _("seconds each"), _("agreement (comparisons)")]
    return {"headers": headers, "rows": rows}


def _campaigns_table(person: Person) -> Table:
    rows = []
    for campaign, rankings, demonstrations in work_by_campaign(person):
        record = record_of(campaign, person)
        mean, low, high = record.accuracy.mean, record.accuracy.low, record.accuracy.high
        told = "–" if mean is None else f"{mean:.0%} ({low:.0%} … {high:.0%}), n = {record.accuracy.sets}"
        rows.append([campaign.name, rankings, demonstrations, told, record.standing.label])
    headers = [_("campaign"), _("rankings"), _("demonstrations"), _("on gold"), _("standing")]
    return {"headers": headers, "rows": rows}


# --- Suspending -------------------------------------------------------------------------------------------


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Kept in the account's history, for researchers."),
        widget=UnfoldAdminTextInputWidget,
    )


def suspension_page(request: HttpRequest, of: "ModelAdmin[Any]", person_id: int) -> HttpResponse:
    by = researcher(request)
    person = get_object_or_404(Person, pk=person_id, erased_at=None)
    form = ReasonForm(request.POST or None)
    back = reverse("admin:annotation_person_change", args=[person.pk])
    if form.is_valid():
        try:
            _suspend_or_reinstate(request, person, by, form.cleaned_data["reason"])
            return HttpResponseRedirect(back)
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
    held = Assignment.objects.claimed().for_labeler(person).count()
    if person.is_active:
        title, button = _("Suspend %(person)s"), _("Suspend")
        lead = _(
            "They are signed out at once and cannot sign in; the %(held)d tasks that they hold go to others. "
            "What they handed in stays and counts. You can let them in again."
        ) % {"held": held}
    else:
        title, button = _("Let %(person)s in again"), _("Let in again")
        lead = _("They can sign in again, with the same password, and go on where they were.")
    return decision_page(
        request,
        of,
        form,
        title=title % {"person": person},
        lead=lead,
        buttons=[("do", button)],
        back=back,
    )


def _suspend_or_reinstate(request: HttpRequest, person: Person, by: Person, reason: str) -> None:
    if person.is_active:
        done, words = suspend_person(person=person, by=by, now=timezone.now()), _("%(person)s is suspended.")
    else:
        done, words = reinstate_person(person=person, by=by), _("%(person)s can sign in again.")
    if done:
        # In English, as all that the log keeps.
        what = f"{'Suspended' if person.is_active else 'Let in again'}. {reason}".strip()
        LogEntry.objects.log_actions(by.pk, [person], CHANGE, change_message=what, single_object=True)
        messages.success(request, words % {"person": person})
