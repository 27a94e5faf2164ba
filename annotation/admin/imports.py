"""The list of imports, the form that starts one, and the page that follows it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from annotation.actions.import_queue import FINAL, cancel_import, delete_import
from annotation.admin.base import RecordAdmin, is_researcher
from annotation.admin.import_form import FORMATS, ImportForm
from annotation.errors import Refusal
from annotation.models import Import

COLORS = {
    "QUEUED": "default",
    "RUNNING": "info",
    "SUCCEEDED": "success",
    "FAILED": "danger",
    "CANCELLED": "warning",
}


@admin.register(Import)
class ImportAdmin(RecordAdmin):
    list_display = ["file_name", "state", "progress", "campaign", "format", "problem_count", "created_at"]
    list_filter = ["campaign", "status", "format"]
    list_select_related = ["campaign"]
    fields = readonly_fields = ["status"]
    ordering = ["-pk"]
    actions = None

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(require_POST(self.cancel))
        return [path("<int:import_id>/cancel/", cancel, name="annotation_import_cancel"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return is_researcher(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request) and (obj is None or obj.status in FINAL)

    def delete_model(self, request: HttpRequest, obj: Import) -> None:
        delete_import(obj)

    @display(description=_("status"), ordering="status", label=COLORS)
    def state(self, row: Import) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @admin.display(description=_("progress"))
    def progress(self, row: Import) -> str:
        return f"{percent(row)} %"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not is_researcher(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid() and (started := form.start(request.user)):  # type: ignore[arg-type]
            return HttpResponseRedirect(_page_of(started))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "form": form,
            "title": gettext("Import a file"),
        }
        return render(request, "admin/annotation/import.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        page = _page(row) if row and is_researcher(request) else {}
        answer: HttpResponse = super().change_view(request, object_id, form_url, page)
        return answer

    def cancel(self, request: HttpRequest, import_id: int) -> HttpResponse:
        if not is_researcher(request):
            raise PermissionDenied
        row = get_object_or_404(Import, pk=import_id)
        try:
            cancel_import(row, now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        return HttpResponseRedirect(_page_of(row))


def percent(row: Import) -> int:
    if row.status == Import.Status.SUCCEEDED:
        return 100
    return 100 * row.bytes_read // row.bytes if row.bytes else 0


def _page(row: Import) -> dict[str, Any]:
    return {
        "title": str(row),
        "row": row,
        "is_final": row.status in FINAL,
        "percent": percent(row),
        "color": COLORS.get(row.status, ""),
        "facts": [
            (gettext("Campaign"), row.campaign),
            (gettext("Format"), FORMATS.get(row.format, row.format)),
            (gettext("Asked for by"), row.created_by or "–"),
            (gettext("Asked for at"), row.created_at),
            (gettext("Finished"), row.finished_at or "–"),
        ],
        "counts": [
            (gettext("Lines read"), row.lines_read),
            (gettext("Added"), counted(row.added) or "–"),
            (gettext("There already"), counted(row.unchanged) or "–"),
            (gettext("Lines left out"), row.problem_count),
        ],
        "hidden_problems": row.problem_count - len(row.problems),
    }


def counted(things: dict[str, int]) -> str:
    count = {
        name: things.get(name, 0) for name in ("prompts", "candidate sets", "rankings", "demonstrations")
    }
    words = [
        ngettext("%(count)d prompt", "%(count)d prompts", count["prompts"]),
        ngettext("%(count)d candidate set", "%(count)d candidate sets", count["candidate sets"]),
        ngettext("%(count)d ranking", "%(count)d rankings", count["rankings"]),
        ngettext("%(count)d demonstration", "%(count)d demonstrations", count["demonstrations"]),
    ]
    told = zip(words, count.values(), strict=True)
    return gettext(", ").join(text % {"count": number} for text, number in told if number)


def _page_of(row: Import) -> str:
    return reverse("admin:annotation_import_change", args=[row.pk])
