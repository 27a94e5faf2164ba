from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display

from annotation.errors import Refusal
from trainer.actions.exports import cancel_export
from trainer.admin.base import Facts, ResearcherAdmin
from trainer.admin.links import link_to, url_of
from trainer.admin.run_page import COLORS
from trainer.exports.archive import zipped
from trainer.exports.folder import CARD, MANIFEST
from trainer.models import Export


@admin.register(Export)
class ExportAdmin(ResearcherAdmin):
    """What is under way is brought up to date by annotation/static/annotation/live.js."""

    list_display = ["__str__", "of", "state", "progress", "destination", "created_by", "created_at", "way"]
    list_filter = ["status", "format", "container"]
    list_select_related = ["snapshot", "created_by"]
    fields = readonly_fields = ["status"]

    class Media:
        js = ["annotation/live.js"]
        css = {"all": ["trainer/desk.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing but copies: what they hold is in the snapshot."""
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:export_id>/cancel/", view(require_POST(self.cancel)), name="trainer_export_cancel"),
            path("<int:export_id>/download/", view(self.download), name="trainer_export_download"),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("snapshot"))
    def of(self, export: Export) -> SafeString | str:
        return link_to(export.snapshot)

    @display(description=gettext_lazy("status"), ordering="status", label=COLORS)
    def state(self, export: Export) -> tuple[str, str]:
        return export.status, export.get_status_display()

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, export: Export) -> SafeString:
        return format_html(
            '<span data-live="export-{}"{}>'
            '<progress value="{}" max="{}" aria-label="{}"></progress> {}\u00a0%</span>',
            export.pk,
            "" if export.is_final else SafeString(" data-live-on"),
            export.rows_read,
            export.snapshot.rows,
            _("Progress"),
            100 * export.rows_read // export.snapshot.rows,
        )

    @admin.display(description=gettext_lazy("download"))
    def way(self, export: Export) -> SafeString | str:
        if not export.is_here:
            return "–"
        address = reverse("admin:trainer_export_download", args=[export.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', address, _("Download"))

    def page_of(self, row: Export) -> dict[str, Any]:
        return {
            "export": row,
            "color": COLORS.get(row.status, ""),
            "facts": _facts(row),
            "files": _files(row.manifest),
        }

    def cancel(self, request: HttpRequest, export_id: int) -> HttpResponse:
        self.check_researcher(request)
        export = get_object_or_404(Export, pk=export_id)
        try:
            cancel_export(export, now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, refusal.detail)
        else:
            ended = (
                _("The export is cancelled.")
                if export.is_final
                else _("The export will stop within seconds.")
            )
            messages.success(request, ended)
        return HttpResponseRedirect(url_of(export))

    def download(self, request: HttpRequest, export_id: int) -> HttpResponseBase:
        self.check_researcher(request)
        export = get_object_or_404(Export, pk=export_id)
        if not export.is_here:
            raise Http404
        names = [*export.manifest["files"], MANIFEST]
        if not all((export.folder / name).exists() for name in names):
            messages.error(request, _("Its files are gone; export the snapshot anew."))
            return HttpResponseRedirect(url_of(export))
        name = f"snapshot-{export.snapshot.pk}-{export.snapshot.digest[:8]}-{export.format}"
        answer = StreamingHttpResponse(zipped(export.folder, names, name), content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="{name}.zip"'
        return answer


def _facts(export: Export) -> Facts:
    return [
        (_("Snapshot"), link_to(export.snapshot)),
        (_("Format"), export.format),
        (_("Container"), export.container),
        (_("Destination"), export.destination or _("here, for download")),
        (_("Asked for by"), export.created_by or "–"),
        (_("Asked for at"), export.created_at),
        (_("Finished"), export.finished_at or "–"),
        (_("Seed of the labelers' names"), export.manifest.get("rater_seed", "–")),
    ]


def _files(manifest: dict[str, Any]) -> Sequence[tuple[str, Any, str]]:
    """Name, rows and sha256 of each."""
    rows = manifest.get("rows", {})
    digests = manifest.get("files", {})
    return [(name, rows.get(name, "–"), digest) for name, digest in digests.items() if name != CARD]
