from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from annotation.actions.prompts import reject_prompt, release_prompt
from annotation.admin.base import ForResearchers, is_researcher
from annotation.admin.dialogues import dialogue
from annotation.admin.lists import (
    LongList,
    MarksSynthetic,
    NewestValuesFilter,
    Rows,
    digest_begins,
    in_json,
    newest,
)
from annotation.errors import Refusal
from annotation.models import Campaign, Prompt

# The theme shows the words only of what has a color, however plain.
COLORS = {"READY": "default", "HELD": "warning", "REJECTED": "danger"}
DECISIONS: dict[str, Callable[[Prompt], None]] = {"release": release_prompt, "reject": reject_prompt}


class KindFilter(NewestValuesFilter):
    title = _("kind")
    parameter_name = "kind"


class LanguageFilter(NewestValuesFilter):
    title = _("language")
    parameter_name = "language"


@admin.register(Prompt)
class PromptAdmin(MarksSynthetic, LongList, ForResearchers, ModelAdmin):  # type: ignore[misc]
    list_display = ["__str__", "state", "campaign", "kind", "language", "made_up", "created_at"]
    list_filter = ["campaign", "status", "is_synthetic", KindFilter, LanguageFilter]
    search_help_text = _("Number, digest, or words or source of a newer one")
    list_select_related = ["campaign"]
    fields = [
        "campaign",
        "status",
        "conversation",
        "decision",
        "kind",
        "language",
        "skill",
        "source",
        "made_up",
        "digest",
        "created_at",
    ]
    readonly_fields = fields
    actions_list = ["import_prompts"]
    actions = ["release_selected", "reject_selected"]

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(require_POST(self.decide))
        mine = [
            path(f"<int:prompt_id>/{name}/", decide, {"decision": name}, name=f"annotation_prompt_{name}")
            for name in DECISIONS
        ]
        return [*mine, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        is_held = obj is not None and obj.status == Prompt.Status.HELD
        return [name for name in self.fields if name != "decision" or is_held]

    @display(description=_("status"), ordering="status", label=COLORS)
    def state(self, prompt: Prompt) -> tuple[str, str]:
        return prompt.status, prompt.get_status_display()

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        if digest := digest_begins(term):
            # The index on the digest begins with the campaign.
            yield rows.filter(digest, campaign__in=list(Campaign.objects.values_list("pk", flat=True)))

    def with_words(self, term: str) -> list[int]:
        return newest(Prompt, in_json("messages", term) | Q(source__istartswith=term))

    @admin.display(description=_("conversation"))
    def conversation(self, prompt: Prompt) -> SafeString:
        return dialogue(prompt.messages, prompt.findings)

    @admin.display(description=_("why it is held"))
    def decision(self, prompt: Prompt) -> SafeString:
        """Buttons of the page's own form, which brings the token along."""
        kinds = sorted({found["kind"].replace("_", " ") for found in prompt.findings})
        reasons = [gettext("A model made it up.")] if prompt.is_synthetic else []
        if kinds:
            reasons.append(gettext("It may hold personal data: %(kinds)s.") % {"kinds": ", ".join(kinds)})
        release, reject = (reverse(f"admin:annotation_prompt_{name}", args=[prompt.pk]) for name in DECISIONS)
        return format_html(
            '<p>{}</p><p class="mt-2 flex gap-4">'
            '<button type="submit" class="underline cursor-pointer" formaction="{}">{}</button>'
            '<button type="submit" class="underline cursor-pointer" formaction="{}">{}</button></p>',
            " ".join(reasons),
            release,
            gettext("Release to labelers"),
            reject,
            gettext("Reject for good"),
        )

    def decide(self, request: HttpRequest, prompt_id: int, decision: str) -> HttpResponse:
        if not is_researcher(request):
            raise PermissionDenied
        prompt = get_object_or_404(Prompt, pk=prompt_id)
        try:
            DECISIONS[decision](prompt)
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        return HttpResponseRedirect(reverse("admin:annotation_prompt_change", args=[prompt.pk]))

    @admin.action(description=_("Release held prompts to labelers"), permissions=["view"])
    def release_selected(self, request: HttpRequest, prompts: QuerySet[Prompt]) -> None:
        count = _decide_all(prompts, release_prompt)
        words = ngettext("%(count)d prompt is released.", "%(count)d prompts are released.", count)
        messages.success(request, words % {"count": count})

    @admin.action(description=_("Reject held prompts for good"), permissions=["view"])
    def reject_selected(self, request: HttpRequest, prompts: QuerySet[Prompt]) -> None:
        count = _decide_all(prompts, reject_prompt)
        words = ngettext("%(count)d prompt is rejected.", "%(count)d prompts are rejected.", count)
        messages.success(request, words % {"count": count})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        # A prompt that judgements refer to must not change under them.
        return False

    @action(  # type: ignore[untyped-decorator]
        description=_("Import prompts"), icon="upload_file", url_path="import", permissions=["view"]
    )
    def import_prompts(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:annotation_import_add")


def _decide_all(prompts: QuerySet[Prompt], decide: Callable[[Prompt], None]) -> int:
    """Returns how many there were to decide on; the others stay as they are."""
    held = list(prompts.filter(status=Prompt.Status.HELD).select_related("campaign"))
    for prompt in held:
        decide(prompt)
    return len(held)
