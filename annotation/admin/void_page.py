"""Voiding somebody's work from a day on: first what that is, then the click."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from annotation.actions.voids import void_work, work_of
from annotation.admin.pages import decision_page, researcher
from annotation.errors import Refusal
from annotation.models import Campaign, Person


class VoidForm(forms.Form):
    since = forms.DateField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("What they handed in from the beginning of that day until now."),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"),
        label=capfirst(gettext_lazy("campaign")),
        required=False,
        empty_label=gettext_lazy("all campaigns"),
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, widget=UnfoldAdminTextInputWidget)
    reopens = forms.BooleanField(
        label=gettext_lazy("Ask others for it again"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    # What was shown is what happens: whatever comes between the preview and the click stays, and who has
    # changed the day since sees another preview first.
    until = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_since(self) -> Any:
        since = self.cleaned_data["since"]
        if since > timezone.localdate():
            raise forms.ValidationError(_("That day is still to come."))
        return since

    @property
    def is_confirmed(self) -> bool:
        told = self.cleaned_data
        return "void" in self.data and bool(told["until"]) and told["shown"] == self._about

    def span(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {
            "since": timezone.make_aware(datetime.combine(told["since"], time.min)),
            "until": told["until"] if self.is_confirmed else timezone.now(),
            "campaign": told["campaign"],
        }

    def shown_now(self) -> "VoidForm":
        """The same, knowing what was shown."""
        told = {name: self.data.get(name, "") for name in self.fields}
        return VoidForm({**told, "until": self.span()["until"].isoformat(), "shown": self._about})

    @property
    def _about(self) -> str:
        campaign = self.cleaned_data["campaign"]
        return f"{self.cleaned_data['since']} {campaign.pk if campaign else '*'}"


def void_page(request: HttpRequest, of: "ModelAdmin[Any]", person_id: int) -> HttpResponse:
    by, person = researcher(request), get_object_or_404(Person, pk=person_id)
    form = VoidForm(request.POST or None, initial={"since": timezone.localdate().isoformat()})
    page: dict[str, Any] = {"form": form, "buttons": [("preview", _("Show what that is"))]}
    if form.is_valid():
        if form.is_confirmed and _voided(request, form, person, by):
            return HttpResponseRedirect(reverse("admin:annotation_void_changelist"))
        page = _preview(form, person)
    return decision_page(
        request,
        of,
        title=_("Void work of %(person)s") % {"person": person},
        lead=_(
            "Left out of consensus, agreement and snapshots that are frozen from now on. Nothing is deleted, "
            "snapshots frozen before keep their rows, and you can take it back. Answers to gold and practice "
            "stay: they measure the person."
        ),
        back=reverse("admin:annotation_person_change", args=[person.pk]),
        **page,
    )


def _preview(form: VoidForm, person: Person) -> dict[str, Any]:
    shown = form.shown_now()
    shown.full_clean()
    span = {**form.span(), "until": shown.cleaned_data["until"]}
    rows = [
        [work.campaign.name, work.rankings, work.adjudications, work.choices, work.demonstrations]
        for work in work_of(person, **span)
    ]
    headers = [
        _("campaign"),
        _("rankings"),
        _("adjudications"),
        _("choices in chats and arenas"),
        _("demonstrations"),
    ]
    if not rows:
        words = _("They handed in nothing then that counts.")
        return {"form": shown, "buttons": [("preview", _("Show what that is"))], "note": words}
    return {
        "form": shown,
        "buttons": [("preview", _("Show again")), ("void", _("Void this"))],
        "table": {"headers": headers, "rows": rows},
        "table_title": _("What would be voided"),
    }


def _voided(request: HttpRequest, form: VoidForm, person: Person, by: Person) -> bool:
    told = form.cleaned_data
    asked = {"reason": told["reason"], "reopens": told["reopens"], **form.span()}
    try:
        void_work(person=person, by=by, now=timezone.now(), **asked)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        return False
    messages.success(request, _("Voided. What it leaves is put together again within a minute."))
    return True
