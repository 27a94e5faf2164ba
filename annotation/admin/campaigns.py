from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from annotation.actions.campaigns import publish_guideline
from annotation.actions.consents import publish_consent_text
from annotation.actions.guidelines import readers_of_current
from annotation.actions.retention import outlived
from annotation.admin.base import ForResearchers, is_researcher
from annotation.admin.feedback_data import feedback_page
from annotation.admin.lines import LinesField
from annotation.admin.lists import told
from annotation.admin.people_forms import CohortsField
from annotation.admin.quality import quality_page
from annotation.errors import ScannerMissing
from annotation.models import Campaign, ConsentText, Guideline
from annotation.personal_data import need_scanner


class VersionInline(ForResearchers, TabularInline):  # type: ignore[misc]
    """New versions can be added; published ones stay as they are, since judgements refer to them."""

    fields = ["version", "text", "published_at"]
    readonly_fields = ["version", "published_at"]
    extra = 0
    ordering = ["-version"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GuidelineInline(VersionInline):
    model = Guideline


class ConsentTextInline(VersionInline):
    model = ConsentText


PUBLISH = {Guideline: publish_guideline, ConsentText: publish_consent_text}


class CampaignForm(ModelForm):  # type: ignore[type-arg]
    checklist = LinesField(
        label=capfirst(_("checklist")),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        required=False,
        help_text=_(
            "What to look at before a demonstration is handed in: one short sentence a line. Labelers tick "
            "each of them."
        ),
    )

    rating_axes = LinesField(
        label=capfirst(_("rating axes")),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        required=False,
        help_text=_("What labelers rate every response on, from 1 to 7, such as helpfulness: one a line."),
    )
    cohorts = CohortsField(
        _("for cohorts"),
        help_text=_("Only their members see the campaign. None chosen: everybody does."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "cohorts" in self.fields:
            self.initial["cohorts"] = self.instance.cohorts.all()

    class Meta:
        help_texts = {
            "offers_suggestions": _(
                "Who writes a demonstration may ask to see one of the prompt's candidates, whoever or "
                "whatever wrote it; that is marked in the data, and they are not asked to rank any of them."
            )
        }

    def clean_scans_for_personal_data(self) -> bool:
        scans: bool = self.cleaned_data["scans_for_personal_data"]
        if scans:
            try:
                need_scanner()
            except ScannerMissing as refusal:
                raise ValidationError(refusal.detail) from refusal
        return scans


@admin.register(Campaign)
class CampaignAdmin(ForResearchers, ModelAdmin):  # type: ignore[misc]
    list_display = ["name", "status", "prompt_count", "overlap", "held_out_percent", "created_at"]
    list_filter = ["status"]
    search_fields = ["name"]
    inlines = [GuidelineInline, ConsentTextInline]
    actions_detail = ["quality", "feedback"]
    form = CampaignForm
    fieldsets = [
        (None, {"fields": ["name", "description", "status", "license", "cohorts", "guideline_read"]}),
        (
            _("What is asked"),
            {"fields": ["overlap", "demonstrations_per_prompt", "lease_minutes", "selection"]},
        ),
        (
            _("Rankings"),
            {
                "fields": [
                    "asks_strength",
                    "rating_axes",
                    "asks_flags",
                    "asks_spans",
                    "rationale",
                    "asks_edit",
                    "correction_minutes",
                    "practice_to_pass",
                ]
            },
        ),
        (_("Demonstrations"), {"fields": ["checklist", "offers_suggestions"]}),
        (
            _("Disagreement"),
            {"fields": ["extra_overlap", "wanted_agreement", "reviews_disagreements", "consensus_method"]},
        ),
        (_("Gold"), {"fields": ["gold_percent", "gold_minimum", "gold_pause_below"]}),
        (_("Privacy"), {"fields": ["scans_for_personal_data", "retention_days", "outlived"]}),
        (_("Training"), {"fields": ["held_out_percent"]}),
        (_("Chat"), {"fields": ["offers_chat", "chat_allows_guests", "chat_compares_percent"]}),
    ]

    readonly_fields = ["outlived", "guideline_read"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_researcher(request)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return is_researcher(request)

    @admin.display(description=_("prompts"))
    def prompt_count(self, campaign: Campaign) -> str:
        return told(campaign.prompts.all())

    @admin.display(description=_("older than that now"))
    def outlived(self, campaign: Campaign) -> str:
        old = outlived(campaign, now=timezone.now()) if campaign.pk else None
        if old is None:
            return "–"
        count = old.contributions()
        words = ngettext(
            "%(count)d contribution, to be tied to nobody within hours",
            "%(count)d contributions, to be tied to nobody within hours",
            count,
        )
        return words % {"count": count}

    @admin.display(description=_("guideline read"))
    def guideline_read(self, campaign: Campaign) -> str:
        read = readers_of_current(campaign) if campaign.pk else None
        if read is None:
            return "–"
        version, count = read
        words = ngettext(
            "%(count)d labeler has read version %(version)d",
            "%(count)d labelers have read version %(version)d",
            count,
        )
        return words % {"count": count, "version": version}

    @action(description=_("Quality"), icon="fact_check", url_path="quality", permissions=["view"])
    def quality(self, request: HttpRequest, object_id: int) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=object_id)
        return quality_page(
            request, campaign, {**self.admin_site.each_context(request), "opts": self.model._meta}
        )

    @action(description=_("Chat feedback"), icon="thumbs_up_down", url_path="feedback", permissions=["view"])
    def feedback(self, request: HttpRequest, object_id: int) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=object_id)
        return feedback_page(
            request, campaign, {**self.admin_site.each_context(request), "opts": self.model._meta}
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.cohorts.set(form.cleaned_data["cohorts"])

    def save_formset(self, request: HttpRequest, form: "ModelForm[Any]", formset: Any, change: bool) -> None:
        publish = PUBLISH.get(formset.model)
        if publish is None:
            super().save_formset(request, form, formset, change)
            return
        for version in formset.save(commit=False):
            publish(campaign=form.instance, text=version.text, now=timezone.now())
