"""Blind arenas: one form starts one, its page shows what the votes say so far."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from annotation.errors import Refusal
from annotation.models import Campaign, Person
from trainer.actions.arenas import start_arena, stop_arena
from trainer.admin.arena_page import COLORS, arena_page
from trainer.admin.base import ResearcherAdmin
from trainer.admin.links import url_of
from trainer.models import Arena, Checkpoint


class ArenaForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Labelers never see it."),
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"),
        label=gettext_lazy("Campaign"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Its held-out prompts are answered, and its labelers choose."),
    )
    checkpoints = forms.ModelMultipleChoiceField(
        Checkpoint.objects.exclude(kind=Checkpoint.Kind.REWARD).order_by("-pk"),
        label=gettext_lazy("Checkpoints"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("Two or more."),
    )
    prompts = forms.IntegerField(
        label=gettext_lazy("Prompts"),
        min_value=1,
        max_value=2000,
        initial=200,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy(
            "At most so many. A checkpoint that wins 60 in 100 votes needs about 220 of them."
        ),
    )
    votes_per_pair = forms.IntegerField(
        label=gettext_lazy("Votes per pair"),
        min_value=1,
        max_value=9,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("How many labelers choose between the same two answers."),
    )
    max_new_tokens = forms.IntegerField(
        label=gettext_lazy("Longest answer, in tokens"),
        min_value=1,
        max_value=4096,
        initial=256,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def start(self, person: Person) -> Arena | None:
        """The arena; None when it was refused, for a reason on the form."""
        try:
            return start_arena(**self.cleaned_data, created_by=person, now=timezone.now())
        except Refusal as refusal:
            field = {"too_few_checkpoints": "checkpoints", "nothing_to_freeze": "campaign"}.get(refusal.code)
            self.add_error(field, refusal.detail)
            return None


@admin.register(Arena)
class ArenaAdmin(ResearcherAdmin):
    list_display = ["name", "campaign", "state", "winner", "created_by", "created_at"]
    list_filter = ["campaign", "status"]
    list_select_related = ["campaign", "winner", "created_by"]
    ordering = ["-pk"]
    fields = readonly_fields = ["name"]
    actions_list = ["start"]

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(require_POST(self.stop))
        return [path("<int:arena_id>/stop/", stop, name="trainer_arena_stop"), *super().get_urls()]

    @display(description=gettext_lazy("status"), ordering="status", label=COLORS)
    def state(self, arena: Arena) -> tuple[str, str]:
        return arena.status, arena.get_status_display()

    def page_of(self, row: Arena) -> dict[str, Any]:
        return arena_page(row)

    @action(
        description=gettext_lazy("Start an arena"),
        icon="stadium",
        permissions=["view"],
        variant=ActionVariant.PRIMARY,
    )
    def start(self, request: HttpRequest) -> HttpResponse:
        newest = Campaign.objects.order_by("-pk").first()
        first = {"campaign": newest and newest.pk, "checkpoints": request.GET.getlist("checkpoint")}
        form = ArenaForm(request.POST or None, initial=first)
        if form.is_valid() and (arena := form.start(self.person(request))):
            messages.success(
                request, _("The checkpoints are asked to answer; labelers choose once they have.")
            )
            return HttpResponseRedirect(url_of(arena))
        return self.form_page(
            request,
            form,
            title=_("Start an arena"),
            button=_("Start"),
            lead=_(
                "The checkpoints answer the same held-out prompts. Labelers get two answers at a time among "
                "their ordinary work, and cannot tell whose is whose. It ends as soon as the votes suffice."
            ),
        )

    def stop(self, request: HttpRequest, arena_id: int) -> HttpResponse:
        self.check_researcher(request)
        arena = get_object_or_404(Arena, pk=arena_id)
        try:
            stop_arena(arena, by=self.person(request), now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        else:
            messages.success(request, _("The arena is stopped."))
        return HttpResponseRedirect(url_of(arena))
