from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from annotation.admin.base import ForResearchers, is_researcher
from annotation.admin.dialogues import dialogue
from annotation.admin.imports import ImportForm, import_file, tell
from annotation.admin.lists import LongList, NewestValuesFilter, Rows, digest_begins, in_json, newest
from annotation.models import Campaign, Prompt


class KindFilter(NewestValuesFilter):
    title = _("kind")
    parameter_name = "kind"


class LanguageFilter(NewestValuesFilter):
    title = _("language")
    parameter_name = "language"


@admin.register(Prompt)
class PromptAdmin(LongList, ForResearchers, ModelAdmin):  # type: ignore[misc]
    list_display = ["__str__", "campaign", "kind", "language", "created_at"]
    list_filter = ["campaign", KindFilter, LanguageFilter]
    search_help_text = _("Number, digest, or words or source of a newer one")
    list_select_related = ["campaign"]
    fields = ["campaign", "conversation", "kind", "language", "source", "digest", "created_at"]
    readonly_fields = fields
    actions_list = ["import_prompts"]

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        if digest := digest_begins(term):
            # The index on the digest begins with the campaign.
            yield rows.filter(digest, campaign__in=list(Campaign.objects.values_list("pk", flat=True)))

    def with_words(self, term: str) -> list[int]:
        return newest(Prompt, in_json("messages", term) | Q(source__istartswith=term))

    @admin.display(description=_("conversation"))
    def conversation(self, prompt: Prompt) -> SafeString:
        return dialogue(prompt.messages)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return is_researcher(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        # A prompt that judgements refer to must not change under them.
        return False

    @action(  # type: ignore[untyped-decorator]
        description=_("Import prompts"), icon="upload_file", url_path="import", permissions=["import"]
    )
    def import_prompts(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            tell(request, import_file(form.cleaned_data))
            return HttpResponseRedirect(reverse("admin:annotation_prompt_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "form": form,
            "title": _("Import prompts"),
        }
        return render(request, "admin/annotation/import.html", context)
