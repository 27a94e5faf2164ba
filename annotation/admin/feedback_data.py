"""A campaign's page where chat feedback becomes data: first what would come of it, then the button."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldBooleanSwitchWidget,
)

from annotation.actions.feedback_data import (
    MANY,
    Done,
    Plan,
    Terms,
    ask_for_feedback_data,
    make_feedback_data,
    plan_feedback_data,
)
from annotation.actions.feedback_found import how_much
from annotation.errors import Refusal
from annotation.feedback_choice import LeftOut
from annotation.models import Campaign, FeedbackUse

SOURCES = {
    FeedbackUse.Source.THUMB: (
        gettext_lazy("Thumbs"),
        gettext_lazy("good and bad answers (KTO): snapshots of chat feedback"),
    ),
    FeedbackUse.Source.SIDE_BY_SIDE: (
        gettext_lazy("Choices between two answers"),
        gettext_lazy("rankings with a weight of their own"),
    ),
    FeedbackUse.Source.BETTER_ANSWER: (
        gettext_lazy("Better answers"),
        gettext_lazy("demonstrations that wait for a reviewer"),
    ),
    FeedbackUse.Source.REGENERATED: (
        gettext_lazy("Answers made again"),
        gettext_lazy("bad answers of little weight"),
    ),
    FeedbackUse.Source.EDITED: (
        gettext_lazy("Messages sent again in other words"),
        gettext_lazy("bad answers of little weight"),
    ),
}
REASONS = {
    LeftOut.SAME_TEXT: gettext_lazy("Abuse: one text again and again"),
    LeftOut.ONE_WAY: gettext_lazy("Abuse: many thumbs within an hour, all one way"),
    LeftOut.BURST: gettext_lazy("Abuse: faster than anybody reads"),
    LeftOut.UNUSABLE: gettext_lazy("The answer is empty or cut off, or both answers are the same"),
    LeftOut.DUPLICATE: gettext_lazy("The same person said it before"),
    LeftOut.PERSONAL_DATA: gettext_lazy("May hold personal data"),
    LeftOut.SHARE: gettext_lazy("More than the share of one person"),
}


class TermsForm(forms.Form):
    percent = forms.IntegerField(
        label=gettext_lazy("Share of one person"),
        min_value=1,
        max_value=100,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy(
            "In percent of what is taken from each source, at most. Where there are too few people for that, "
            "each has an equal part."
        ),
    )
    choice_weight = forms.FloatField(
        label=gettext_lazy("Weight of a choice between two answers"),
        min_value=0.01,
        max_value=10,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=gettext_lazy("A labeler's ranking counts 1."),
    )
    weak = forms.BooleanField(
        label=gettext_lazy("Use weak signals"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy(
            "Who has an answer made again, or sends a message again in other words, may not have liked it."
        ),
    )
    weak_weight = forms.FloatField(
        label=gettext_lazy("Weight of a weak signal"),
        min_value=0.01,
        max_value=1,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=gettext_lazy("A thumb counts 1."),
    )

    def terms(self) -> Terms:
        return Terms(**self.cleaned_data)


def feedback_page(request: HttpRequest, campaign: Campaign, context: Mapping[str, Any]) -> HttpResponse:
    usual = Terms()
    initial = {name: getattr(usual, name) for name in TermsForm.base_fields}
    form = TermsForm(request.POST or None, initial=initial)
    terms = form.terms() if form.is_valid() else usual
    is_large = how_much(campaign) > MANY
    try:
        if "make" in request.POST and form.is_valid():
            messages.success(request, _make(campaign, terms, is_large=is_large))
            return HttpResponseRedirect(request.path)
        plan = plan_feedback_data(campaign=campaign, terms=terms, now=timezone.now(), scans=not is_large)
    except Refusal as refusal:
        messages.error(request, refusal.detail)
        plan = None
    title = _("Chat feedback of %(campaign)s") % {"campaign": campaign}
    shown = _shown(plan) if plan else {}
    page = {**context, **shown, "title": title, "campaign": campaign, "form": form, "plan": plan}
    return TemplateResponse(request, "admin/annotation/feedback_data.html", {**page, "is_large": is_large})


def _make(campaign: Campaign, terms: Terms, *, is_large: bool) -> str:
    """Words for what was done, or is being done."""
    if is_large:
        ask_for_feedback_data(campaign=campaign, terms=terms)
        return _("There is much of it: a worker makes it now. Open this page again in a while.")
    return _told(make_feedback_data(campaign=campaign, terms=terms, now=timezone.now()))


def _told(done: Done) -> str:
    return _("Made: %(made)d. Taken back: %(back)d. Prompts that labelers see from now on: %(prompts)d.") % {
        "made": sum(done.made.values()),
        "back": done.taken_back,
        "prompts": done.prompts,
    }


def _shown(plan: Plan) -> dict[str, Any]:
    return {
        "sources": {
            "headers": [_("what"), _("pieces given"), _("used"), _("people"), _("new"), _("becomes")],
            "rows": _source_rows(plan),
        },
        "left_out": {
            "headers": [_("left out"), _("pieces"), _("people")],
            "rows": _left_out_rows(plan),
        },
        "counts": {
            "made": len(plan.choice.taken) - len(plan.to_make),
            "new": len(plan.to_make),
            "back": len(plan.to_take_back),
            "worth": plan.worth_ranking,
        },
    }


def _source_rows(plan: Plan) -> list[list[Any]]:
    taken, left_out = plan.choice.taken, plan.choice.left_out.values()
    used = Counter(one.source for one in taken)
    left = Counter(one.source for some in left_out for one in some)
    new = Counter(one.source for one in plan.to_make)
    people = Counter(source for source, _person in {(one.source, one.person_id) for one in taken})
    return [
        [name, used[source] + left[source], used[source], people[source], new[source], becomes]
        for source, (name, becomes) in SOURCES.items()
        if source not in FeedbackUse.WEAK or used[source] + left[source]
    ]


def _left_out_rows(plan: Plan) -> list[list[Any]]:
    pieces, people = plan.without_consent
    rows: list[list[Any]] = [[_("Training is not allowed"), pieces, people]] if pieces else []
    for reason, name in REASONS.items():
        if some := plan.choice.left_out.get(reason):
            rows.append([name, len(some), len({one.person_id for one in some})])
    return rows
