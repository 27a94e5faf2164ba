from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from annotation.errors import Refusal
from trainer.admin.base import Facts, ResearcherAdmin
from trainer.admin.erasures import erased_since
from trainer.admin.forms import FreezeForm
from trainer.admin.links import listed, starts_on, url_of
from trainer.exports import export_name, formats_for, zipped_export
from trainer.models import Snapshot


@admin.register(Snapshot)
class SnapshotAdmin(ResearcherAdmin):
    list_display = ["__str__", "campaign", "kind", "rows", "created_by", "created_at"]
    list_filter = ["campaign", "kind"]
    list_select_related = ["campaign", "created_by"]
    search_fields = ["digest"]
    fields = readonly_fields = ["digest"]
    actions_list = ["freeze"]

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export)
        own = path("<int:snapshot_id>/export/<str:format>/", export, name="trainer_snapshot_export")
        return [own, *super().get_urls()]

    @action(
        description=gettext_lazy("Freeze a snapshot"),
        icon="ac_unit",
        permissions=["view"],
        variant=ActionVariant.PRIMARY,
    )
    def freeze(self, request: HttpRequest) -> HttpResponse:
        form, now = FreezeForm(request.POST or None, initial=request.GET.dict()), timezone.now()
        if form.is_valid() and (snapshot := form.freeze(self.person(request), now=now)):
            if snapshot.created_at == now:
                messages.success(request, _("Frozen: nothing in it will ever change."))
            else:
                messages.info(request, _("Nothing has changed since this snapshot was frozen."))
            return HttpResponseRedirect(url_of(snapshot))
        return self.form_page(
            request,
            form,
            title=_("Freeze a snapshot"),
            button=_("Freeze"),
            lead=_("Keeps the campaign's rows as they are now. The same rows give the same snapshot."),
        )

    def export(self, request: HttpRequest, snapshot_id: int, format: str) -> HttpResponseBase:
        self.check_researcher(request)
        snapshot = get_object_or_404(Snapshot, pk=snapshot_id)
        try:
            archive = zipped_export(snapshot, format)
        except Refusal as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(url_of(snapshot))
        return FileResponse(archive, as_attachment=True, filename=f"{export_name(snapshot, format)}.zip")

    def page_of(self, row: Snapshot) -> dict[str, Any]:
        return {
            "snapshot": row,
            "facts": _facts(row),
            "contents": _contents(row.manifest),
            "exports": [
                (format, reverse("admin:trainer_snapshot_export", args=[row.pk, format]))
                for format in formats_for(row.kind)
            ],
            "starts": starts_on(row.kind, row.pk),
        }


def _facts(snapshot: Snapshot) -> Facts:
    return [
        (_("Campaign"), snapshot.campaign),
        (_("Kind"), snapshot.get_kind_display()),
        (_("Frozen by"), snapshot.created_by or "–"),
        (_("Frozen at"), snapshot.created_at),
        (_("Erased since"), erased_since(snapshot)),
        (_("Runs on it"), listed(snapshot.runs.order_by("pk"))),
        ("sha256", format_html("<code>{}</code>", snapshot.digest)),
    ]


def _contents(manifest: Mapping[str, Any]) -> Facts:
    """The manifest, for reading; what a kind of snapshot does not have is left out."""
    labels = {
        "rows": _("Rows by split"),
        "held_out_percent": _("Held out, in 100 prompts"),
        "filters": _("Filter"),
        "prompts": _("Prompts"),
        "prompts_by_kind": _("Prompts by kind"),
        "prompts_by_language": _("Prompts by language"),
        "labelers": _("People"),
        "guideline_versions": _("Rows by guideline version"),
        "cannot_judge": _("Answered “cannot judge”"),
    }
    return [(label, _shown(manifest[name])) for name, label in labels.items() if name in manifest]


def _shown(value: Any) -> Any:
    if not isinstance(value, dict):
        return _(value) if isinstance(value, str) else value
    unnamed = _("unnamed")
    return ", ".join(f"{name or unnamed}:\u00a0{count}" for name, count in value.items()) or "–"
