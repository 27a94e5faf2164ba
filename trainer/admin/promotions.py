"""Promoting a checkpoint: the gate's table, the button, and what was promoted before."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from annotation.admin.base import is_researcher
from annotation.errors import Refusal
from annotation.models import Campaign
from trainer.actions.promotions import check_gate, end_promotion, known_figures, promote_checkpoint
from trainer.admin.base import ResearcherAdmin
from trainer.admin.figures import label_of
from trainer.admin.links import link_to, url_of
from trainer.models import Checkpoint, GateRule, Promotion


class PromoteForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), label=gettext_lazy("Campaign"), widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Only where a rule does not hold: why it is promoted all the same. It is kept."
        ),
    )


def promote_page(page: ResearcherAdmin, request: HttpRequest, checkpoint: Checkpoint) -> HttpResponse:
    """Choose the campaign, read what the gate says, decide."""
    first = _campaign_of(checkpoint)
    form = PromoteForm(request.POST or None, initial={"campaign": request.GET.get("campaign", first)})
    if form.is_valid():
        try:
            promoted = promote_checkpoint(
                campaign=form.cleaned_data["campaign"],
                checkpoint=checkpoint,
                by=page.person(request),
                now=timezone.now(),
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
        else:
            words = _("%(checkpoint)s answers the chats of %(campaign)s from now on.")
            messages.success(request, words % {"checkpoint": checkpoint, "campaign": promoted.campaign})
            return HttpResponseRedirect(url_of(checkpoint))
    campaign = Campaign.objects.filter(pk=form["campaign"].value() or 0).first()
    return page.form_page(
        request,
        form,
        title=_("Promote %(checkpoint)s") % {"checkpoint": checkpoint},
        button=_("Promote"),
        lead=_("It answers the campaign's chats from now on, in the place of what did before."),
        template="admin/trainer/promote.html",
        gate=check_gate(campaign, checkpoint) if campaign else [],
        gate_of=campaign,
    )


def _campaign_of(checkpoint: Checkpoint) -> int | None:
    if checkpoint.produced_by:
        return checkpoint.produced_by.campaign_id
    offering = Campaign.objects.filter(offers_chat=True).order_by("pk").first()
    return offering.pk if offering else None


@admin.register(Promotion)
class PromotionAdmin(ResearcherAdmin):
    """What answered when, who decided, and on what numbers. Going back is one click."""

    list_display = ["campaign", "checkpoint", "state", "promoted_by", "promoted_at", "ended_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign", "checkpoint", "promoted_by"]
    ordering = ["-promoted_at", "-pk"]
    fields = readonly_fields = ["campaign"]

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(self.promote_again))
        end = self.admin_site.admin_view(require_POST(self.end))
        return [
            path("<int:promotion_id>/again/", again, name="trainer_promotion_again"),
            path("<int:promotion_id>/end/", end, name="trainer_promotion_end"),
            *super().get_urls(),
        ]

    @display(description=gettext_lazy("status"), label={"standing": "success", "ended": "info"})
    def state(self, promotion: Promotion) -> tuple[str, str]:
        return ("ended", _("Ended")) if promotion.ended_at else ("standing", _("Answers now"))

    def page_of(self, row: Promotion) -> dict[str, Any]:
        return {
            "promotion": row,
            "facts": [
                (_("Campaign"), row.campaign),
                (_("Checkpoint"), link_to(row.checkpoint)),
                (_("Promoted by"), row.promoted_by or "–"),
                (_("Promoted"), row.promoted_at),
                (_("Ended"), row.ended_at or "–"),
                (_("Reason"), _reason(row) or "–"),
            ],
            "gate": [_kept(one) for one in row.figures.get("gate", [])],
        }

    def promote_again(self, request: HttpRequest, promotion_id: int) -> HttpResponse:
        """Back to what answered then; it passed the gate, or somebody wrote why."""
        self.check_researcher(request)
        before = self.get_object(request, str(promotion_id))
        if before:
            promote_checkpoint(
                campaign=before.campaign,
                checkpoint=before.checkpoint,
                by=self.person(request),
                now=timezone.now(),
                reason=before.figures.get("reason", ""),
                again=before,
            )
            messages.success(request, _("%(checkpoint)s answers again.") % {"checkpoint": before.checkpoint})
        return HttpResponseRedirect(reverse("admin:trainer_promotion_changelist"))

    def end(self, request: HttpRequest, promotion_id: int) -> HttpResponse:
        self.check_researcher(request)
        standing = self.get_object(request, str(promotion_id))
        if (
            standing
            and not standing.ended_at
            and end_promotion(campaign=standing.campaign, now=timezone.now())
        ):
            messages.success(request, _("The base model answers again."))
        return HttpResponseRedirect(reverse("admin:trainer_promotion_changelist"))


def _reason(promotion: Promotion) -> str:
    """What somebody wrote, or that it was an earlier one."""
    told = promotion.figures
    if told.get("reason") or "again" not in told:
        return str(told.get("reason", ""))
    return _("It answered before: promotion %(number)d.") % {"number": told["again"]}


def _kept(one: dict[str, Any]) -> dict[str, Any]:
    """A rule as it was then, in the reader's language."""
    asked = {name: one[name] for name in ("figure", "bound", "value") if name in one}
    return {"rule": str(GateRule(**asked)), **one} if asked else one


class GateRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none when it runs
    """The figure is chosen from what is measured: a rule on a name that nobody measures never holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {*known_figures(), *filter(None, [self.instance.figure])}
        self.fields["figure"] = forms.ChoiceField(
            choices=[(name, label_of(name)) for name in sorted(names)],
            label=self.fields["figure"].label,
            widget=UnfoldAdminSelectWidget,
        )


@admin.register(GateRule)
class GateRuleAdmin(ResearcherAdmin):
    """What a campaign asks of a checkpoint before it may answer."""

    list_display = ["campaign", "figure", "bound", "value"]
    list_filter = ["campaign"]
    form = GateRuleForm
    fields = ["campaign", "figure", "bound", "value"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_researcher(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request)
