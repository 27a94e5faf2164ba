from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from annotation.actions.imports import ImportReport, import_items
from annotation.formats import READERS
from annotation.formats.files import as_text
from annotation.models import Campaign, Prompt

SHOWN_PROBLEMS = 10


def dialogue(turns: list[dict[str, str]]) -> SafeString:
    """A conversation as escaped text, one paragraph a turn."""
    return format_html_join(
        "", "<p><strong>{}</strong><br>{}</p>", ((turn["role"], turn["content"]) for turn in turns)
    )


class ImportForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), label=_("Campaign"), widget=UnfoldAdminSelectWidget
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(name, name) for name in READERS],
        widget=UnfoldAdminSelectWidget,
        help_text=_('"prompts" is one JSON object a line with a prompt (a text) or messages (a list).'),
    )
    file = forms.FileField(label=_("File"), widget=UnfoldAdminFileFieldWidget)


@admin.register(Prompt)
class PromptAdmin(ModelAdmin):  # type: ignore[misc]
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        # A prompt that judgements refer to must not change under them.
        return False

    @action(  # type: ignore[untyped-decorator]
        description=_("Import prompts"), icon="upload_file", url_path="import"
    )
    def import_prompts(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            _tell(request, _import(form.cleaned_data))
            return HttpResponseRedirect(reverse("admin:annotation_prompt_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "form": form,
            "title": _("Import prompts"),
        }
        return render(request, "admin/annotation/import.html", context)


def _import(cleaned: dict[str, Any]) -> ImportReport:
    return import_items(
        campaign=cleaned["campaign"],
        items=READERS[cleaned["format"]](as_text(cleaned["file"].file)),
        format_name=cleaned["format"],
        now=timezone.now(),
    )


def _tell(request: HttpRequest, report: ImportReport) -> None:
    added = report.added["prompts"]
    words = ngettext("%(count)d prompt added.", "%(count)d prompts added.", added) % {"count": added}
    messages.success(request, words)
    if known := report.unchanged["prompts"]:
        words = ngettext(
            "%(count)d prompt was there already.", "%(count)d prompts were there already.", known
        )
        messages.info(request, words % {"count": known})
    for problem in report.problems[:SHOWN_PROBLEMS]:
        line = _("Line %(line)d was left out") % {"line": problem.line}
        messages.warning(request, format_html("{}: {} [{}]", line, problem.detail, problem.code))
    if (hidden := len(report.problems) - SHOWN_PROBLEMS) > 0:
        words = ngettext("and %(count)d more line", "and %(count)d more lines", hidden)
        messages.warning(request, words % {"count": hidden})
