from django.contrib import admin
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
from annotation.models import Prompt


@admin.register(Prompt)
class PromptAdmin(ForResearchers, ModelAdmin):  # type: ignore[misc]
    list_display = ["__str__", "campaign", "kind", "language", "created_at"]
    list_filter = ["campaign", "kind", "language"]
    search_fields = ["messages"]
    list_select_related = ["campaign"]
    fields = ["campaign", "conversation", "kind", "language", "source", "digest", "created_at"]
    readonly_fields = fields
    actions_list = ["import_prompts"]

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
