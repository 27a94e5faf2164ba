"""Known answers: which there are, how one is given, and how labelers do on them."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from annotation.actions.gold import mark_gold
from annotation.actions.pauses import Record, record_of
from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue, titled
from annotation.errors import Refusal
from annotation.models import Assignment, Campaign, CandidateSet, Gold, Person, Ranking

A_PAGE = 50


class OrderForm(forms.Form):
    """An order as a line of ids: "12 > 15 = 14"."""

    order = forms.CharField(
        label=_("Order"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The candidates' numbers, best first, such as 12 > 15 = 14; equals are equally good."),
    )
    unacceptable = forms.CharField(
        label=_("Unacceptable"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The numbers of those that are worse than any in the order."),
    )

    def clean_order(self) -> list[list[int]]:
        return [_numbers(tier) for tier in self.cleaned_data["order"].split(">")]

    def clean_unacceptable(self) -> list[int]:
        return _numbers(self.cleaned_data["unacceptable"])


class GoldForm(OrderForm):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Why this is the answer; labelers never see it."),
    )


class AccuracyForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"),
        label=_("Campaign"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Gold)
class GoldAdmin(RecordAdmin):
    list_display = ["prompt", "order", "campaign", "is_active", "created_by", "created_at"]
    list_filter = ["is_active", "campaign"]
    list_select_related = ["candidate_set__prompt", "campaign", "created_by"]
    fields = ["conversation", "answer", "note", "is_active", "campaign", "created_by", "created_at"]
    readonly_fields = fields
    actions = ["deactivate", "activate"]
    actions_list = ["accuracy"]

    @admin.display(description=_("prompt"))
    def prompt(self, gold: Gold) -> str:
        return str(gold.candidate_set.prompt)

    @admin.display(description=_("order, best first"))
    def order(self, gold: Gold) -> str:
        return order_line(gold.tiers, gold.unacceptable)

    @admin.display(description=_("prompt"))
    def conversation(self, gold: Gold) -> str:
        return dialogue(gold.candidate_set.prompt.messages)

    @admin.display(description=_("order, best first"))
    def answer(self, gold: Gold) -> str:
        texts = dict(gold.candidate_set.completions.values_list("pk", "text"))
        ranked = [(rank, texts[pk]) for rank, tier in enumerate(gold.tiers, start=1) for pk in tier]
        return titled([*ranked, *((_("unacceptable"), texts[pk]) for pk in gold.unacceptable)])

    @admin.action(description=_("Deactivate: hand out no more, and count no answers"), permissions=["view"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[Gold]) -> None:
        chosen.update(is_active=False)
        messages.success(request, gettext("These measure nobody any more."))

    @admin.action(description=_("Activate again"), permissions=["view"])
    def activate(self, request: HttpRequest, chosen: QuerySet[Gold]) -> None:
        chosen.update(is_active=True)
        messages.success(request, gettext("These are handed out again, and answers to them count."))

    @action(description=_("Accuracy of labelers"), icon="target", permissions=["view"])  # type: ignore[untyped-decorator]
    def accuracy(self, request: HttpRequest) -> HttpResponse:
        first = Campaign.objects.filter(gold__isnull=False).order_by("name").first()
        form = AccuracyForm(request.GET if "campaign" in request.GET else {"campaign": first and first.pk})
        campaign = form.cleaned_data["campaign"] if form.is_valid() else None
        measured = _measured(campaign) if campaign else Person.objects.none()
        page = Paginator(measured, A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Accuracy of labelers"),
            "form": form,
            "campaign": campaign,
            "page": page,
            "table": {
                "headers": HEADERS,
                "rows": [_row(record_of(campaign, person)) for person in page] if campaign else [],
            },
        }
        return TemplateResponse(request, "admin/annotation/accuracy.html", context)


HEADERS = [
    _("labeler"),
    _("gold answers"),
    _("accuracy"),
    _("interval (95 %)"),
    _("could not judge"),
    _("state"),
]


def mark_page(model_admin: RecordAdmin, request: HttpRequest, candidate_set: CandidateSet) -> HttpResponse:
    """The form that gives a candidate set its known answer."""
    form = GoldForm(request.POST or None, initial=_initial(request, candidate_set))
    if form.is_valid() and (gold := _marked(form, request, candidate_set)):
        messages.success(request, gettext("Labelers meet it among the others from now on."))
        return HttpResponseRedirect(reverse("admin:annotation_gold_change", args=[gold.pk]))
    texts = candidate_set.completions.order_by("pk").values_list("pk", "text")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": _("Mark as gold"),
        "form": form,
        "conversation": dialogue(candidate_set.prompt.messages),
        "candidates": titled((f"#{pk}", text) for pk, text in texts),
    }
    return TemplateResponse(request, "admin/annotation/gold.html", context)


def _initial(request: HttpRequest, candidate_set: CandidateSet) -> dict[str, Any]:
    """The answer that there is, else what the ranking says that somebody came from."""
    ranking = request.GET.get("ranking", "")
    if ranking.isdecimal():
        known: Any = get_object_or_404(Ranking, pk=ranking, assignment__candidate_set=candidate_set)
    else:
        known = Gold.objects.filter(candidate_set=candidate_set).first()
    if known is None:
        return {}
    return {
        "order": order_line(known.tiers),
        "unacceptable": " ".join(map(str, known.unacceptable)),
        "note": getattr(known, "note", ""),
    }


def _marked(form: GoldForm, request: HttpRequest, candidate_set: CandidateSet) -> Gold | None:
    assert isinstance(request.user, Person)  # the admin site lets nobody else in
    try:
        return mark_gold(
            candidate_set=candidate_set,
            tiers=form.cleaned_data["order"],
            unacceptable=form.cleaned_data["unacceptable"],
            note=form.cleaned_data["note"],
            marked_by=request.user,
            now=timezone.now(),
        )
    except Refusal as refusal:
        form.add_error("order", refusal.detail)
        return None


def _measured(campaign: Campaign) -> QuerySet[Person]:
    met = Assignment.objects.submitted().filter(campaign=campaign, purpose=Assignment.Purpose.GOLD)
    return Person.objects.filter(pk__in=met.values("labeler")).order_by("username")


def _row(record: Record) -> list[Any]:
    accuracy = record.accuracy
    known = accuracy.mean is not None
    return [
        record.labeler,
        accuracy.sets,
        f"{accuracy.mean:.0%}" if known else "–",
        f"{accuracy.low:.0%} – {accuracy.high:.0%}" if known else "–",
        record.cannot_judge,
        record.standing.label,
    ]


def _numbers(text: str) -> list[int]:
    numbers = re.split(r"[\s,=#]+", text.strip(" ,=#\t"))
    if not all(number.isdecimal() for number in numbers if number):
        raise forms.ValidationError(_("Write the candidates' numbers, with > or = between them."))
    return [int(number) for number in numbers if number]


def order_line(tiers: list[list[int]], unacceptable: list[int] | None = None) -> str:
    order = " > ".join(" = ".join(map(str, tier)) for tier in tiers)
    return f"{order} | ✗ {', '.join(map(str, unacceptable))}" if unacceptable else order
