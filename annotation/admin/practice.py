"""Practice items: which there are, how one is made, and who passed them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from annotation.actions.practice import mark_practice, practice_progress
from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue, titled
from annotation.admin.gold import A_PAGE, AccuracyForm, OrderForm, order_line
from annotation.errors import Refusal
from annotation.models import Campaign, CandidateSet, Person, PracticeAttempt, PracticeItem


class PracticeForm(OrderForm):
    explanation = forms.CharField(
        label=_("Explanation"),
        strip=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("Markdown, shown with the answer as soon as a labeler has tried: why it is the answer."),
    )
    place = forms.IntegerField(
        label=_("Place"),
        min_value=1,
        max_value=1000,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Items are shown from the lowest place to the highest."),
    )


@admin.register(PracticeItem)
class PracticeItemAdmin(RecordAdmin):
    list_display = ["prompt", "order", "campaign", "place", "is_active", "tried", "at_first", "in_the_end"]
    list_filter = ["is_active", "campaign"]
    list_select_related = ["candidate_set__prompt", "campaign"]
    ordering = ["campaign", "place", "pk"]
    fields = ["conversation", "answer", "told", "place", "is_active", "campaign", "created_at"]
    readonly_fields = fields
    actions = ["deactivate", "activate"]
    actions_list = ["passed"]
    actions_detail = ["edit_answer"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PracticeItem]:
        items: QuerySet[PracticeItem] = super().get_queryset(request)
        of_item = PracticeAttempt.objects.filter(item=OuterRef("item"), labeler=OuterRef("labeler"))
        first = Q(attempts__in=PracticeAttempt.objects.exclude(Exists(of_item.filter(pk__lt=OuterRef("pk")))))
        by = "attempts__labeler"
        return items.annotate(
            people=Count(by, distinct=True),
            passed_people=Count(by, distinct=True, filter=Q(attempts__is_passed=True)),
            passed_first=Count(by, distinct=True, filter=first & Q(attempts__is_passed=True)),
        )

    @admin.display(description=_("prompt"))
    def prompt(self, item: PracticeItem) -> str:
        return str(item.candidate_set.prompt)

    @admin.display(description=_("order, best first"))
    def order(self, item: PracticeItem) -> str:
        return order_line(item.tiers, item.unacceptable)

    @admin.display(description=_("labelers who tried"))
    def tried(self, item: PracticeItem) -> int:
        return getattr(item, "people", 0)

    @admin.display(description=_("passed at first"))
    def at_first(self, item: PracticeItem) -> str:
        return _share(getattr(item, "passed_first", 0), self.tried(item))

    @admin.display(description=_("passed in the end"))
    def in_the_end(self, item: PracticeItem) -> str:
        return _share(getattr(item, "passed_people", 0), self.tried(item))

    @admin.display(description=_("prompt"))
    def conversation(self, item: PracticeItem) -> SafeString:
        return dialogue(item.candidate_set.prompt.messages)

    @admin.display(description=_("order, best first"))
    def answer(self, item: PracticeItem) -> SafeString:
        texts = dict(item.candidate_set.completions.values_list("pk", "text"))
        ranked = [(rank, texts[pk]) for rank, tier in enumerate(item.tiers, start=1) for pk in tier]
        return titled([*ranked, *((_("unacceptable"), texts[pk]) for pk in item.unacceptable)])

    @admin.display(description=_("explanation"))
    def told(self, item: PracticeItem) -> SafeString:
        return titled([("", item.explanation)])

    @admin.action(description=_("Deactivate: ask nobody to try it any more"), permissions=["view"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[PracticeItem]) -> None:
        _with_pks(chosen).update(is_active=False)
        messages.success(request, gettext("Nobody is asked to try these any more. Who passed them has."))

    @admin.action(description=_("Activate again"), permissions=["view"])
    def activate(self, request: HttpRequest, chosen: QuerySet[PracticeItem]) -> None:
        _with_pks(chosen).update(is_active=True)
        messages.success(request, gettext("Labelers are asked to try these again."))

    @action(description=_("Change the answer"), icon="edit", url_path="answer", permissions=["view"])  # type: ignore[untyped-decorator]
    def edit_answer(self, request: HttpRequest, object_id: int) -> HttpResponse:
        item = get_object_or_404(PracticeItem, pk=object_id)
        return HttpResponseRedirect(
            reverse("admin:annotation_candidateset_mark_practice", args=[item.candidate_set_id])
        )

    @action(description=_("Who passed"), icon="school", permissions=["view"])  # type: ignore[untyped-decorator]
    def passed(self, request: HttpRequest) -> HttpResponse:
        first = Campaign.objects.filter(practice__isnull=False).order_by("name").first()
        form = AccuracyForm(request.GET if "campaign" in request.GET else {"campaign": first and first.pk})
        campaign = form.cleaned_data["campaign"] if form.is_valid() else None
        page = Paginator(_who_tried(campaign), A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Who passed"),
            "form": form,
            "campaign": campaign,
            "page": page,
            "table": {"headers": HEADERS, "rows": [_row(campaign, person) for person in page]},
        }
        return TemplateResponse(request, "admin/annotation/passed.html", context)


HEADERS = [_("labeler"), _("attempts"), _("items passed"), _("last attempt"), _("state")]


def practice_page(
    model_admin: RecordAdmin, request: HttpRequest, candidate_set: CandidateSet
) -> HttpResponse:
    """The form that makes a candidate set a practice item, or changes the one that it is."""
    form = PracticeForm(request.POST or None, initial=_initial(candidate_set))
    if form.is_valid() and (item := _marked(form, candidate_set)):
        messages.success(request, gettext("Labelers can practise on it from now on."))
        return HttpResponseRedirect(reverse("admin:annotation_practiceitem_change", args=[item.pk]))
    texts = candidate_set.completions.order_by("pk").values_list("pk", "text")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": _("Make a practice item"),
        "form": form,
        "conversation": dialogue(candidate_set.prompt.messages),
        "candidates": titled((f"#{pk}", text) for pk, text in texts),
    }
    return TemplateResponse(request, "admin/annotation/practice.html", context)


def _initial(candidate_set: CandidateSet) -> dict[str, Any]:
    item = PracticeItem.objects.filter(candidate_set=candidate_set).first()
    if item is None:
        places = PracticeItem.objects.filter(campaign=candidate_set.prompt.campaign_id)
        return {"place": 1 + (places.aggregate(last=Max("place"))["last"] or 0)}
    return {
        "order": order_line(item.tiers),
        "unacceptable": " ".join(map(str, item.unacceptable)),
        "explanation": item.explanation,
        "place": item.place,
    }


def _marked(form: PracticeForm, candidate_set: CandidateSet) -> PracticeItem | None:
    try:
        return mark_practice(
            candidate_set=candidate_set,
            tiers=form.cleaned_data["order"],
            unacceptable=form.cleaned_data["unacceptable"],
            explanation=form.cleaned_data["explanation"],
            place=form.cleaned_data["place"],
            now=timezone.now(),
        )
    except Refusal as refusal:
        form.add_error("order", refusal.detail)
        return None


def _who_tried(campaign: Campaign | None) -> QuerySet[Any]:
    """Those who tried an item of the campaign: how often, how many they passed, when they tried last."""
    tried = PracticeAttempt.objects.filter(item__campaign=campaign)
    by_person = tried.values("labeler").annotate(
        tries=Count("pk"),
        passed=Count("item", distinct=True, filter=Q(is_passed=True)),
        last=Max("attempted_at"),
    )
    return by_person.order_by("-last", "labeler")


def _row(campaign: Campaign | None, tried: dict[str, Any]) -> list[Any]:
    labeler = Person.objects.get(pk=tried["labeler"])
    left = practice_progress(campaign, labeler).left if campaign else 0
    state = gettext("%(count)d left") % {"count": left} if left else gettext("May rank")
    when = date_format(timezone.localtime(tried["last"]), "SHORT_DATETIME_FORMAT")
    return [labeler, tried["tries"], tried["passed"], when, state]


def _with_pks(chosen: QuerySet[PracticeItem]) -> QuerySet[PracticeItem]:
    # What the list counts for each item has no place in an UPDATE.
    return PracticeItem.objects.filter(pk__in=chosen.values_list("pk", flat=True))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%} ({part})" if whole else "–"
