from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from annotation.errors import Refusal
from trainer.admin.base import Facts, ResearcherAdmin
from trainer.admin.behind import rows_page
from trainer.admin.differences import compared_here, told
from trainer.admin.erasures import erased_since
from trainer.admin.links import listed, starts_on, url_of
from trainer.admin.snapshot_forms import CompareForm, ExportForm, FreezeForm
from trainer.exports import formats_for
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
        view = self.admin_site.admin_view
        return [
            path("<int:snapshot_id>/export/", view(self.export), name="trainer_snapshot_export"),
            path("<int:snapshot_id>/compare/", view(self.compare), name="trainer_snapshot_compare"),
            path("<int:snapshot_id>/rows/", view(self.rows), name="trainer_snapshot_rows"),
            *super().get_urls(),
        ]

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

    def export(self, request: HttpRequest, snapshot_id: int) -> HttpResponse:
        self.check_researcher(request)
        snapshot = get_object_or_404(Snapshot, pk=snapshot_id)
        form = ExportForm(snapshot, request.POST or None)
        if form.is_valid() and (export := form.queue(self.person(request), now=timezone.now())):
            messages.success(request, _("%(export)s is queued.") % {"export": export})
            return HttpResponseRedirect(reverse("admin:trainer_export_changelist"))
        return self.form_page(
            request,
            form,
            title=_("Export %(snapshot)s") % {"snapshot": snapshot},
            button=_("Export"),
            lead=_(
                "It is written in the background: the data, a card that explains it, and a manifest with the "
                "sha256 of each file. Labelers are pseudonyms in it."
            ),
        )

    def compare(self, request: HttpRequest, snapshot_id: int) -> HttpResponse:
        self.check_researcher(request)
        snapshot = get_object_or_404(Snapshot, pk=snapshot_id)
        form = CompareForm(snapshot, request.GET or None)
        return self.form_page(
            request,
            form,
            title=_("What is new in %(snapshot)s") % {"snapshot": snapshot},
            button=_("Compare"),
            lead=_("Rows are the same if they have the same number and the same content."),
            template="admin/trainer/compare.html",
            method="get",
            **_compared(form, snapshot),
        )

    def rows(self, request: HttpRequest, snapshot_id: int) -> HttpResponse:
        """Which ones are in it, a page at a time."""
        self.check_researcher(request)
        snapshot = get_object_or_404(Snapshot, pk=snapshot_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Rows of %(snapshot)s") % {"snapshot": snapshot},
            "snapshot": snapshot,
            **rows_page(snapshot, request),
        }
        return TemplateResponse(request, "admin/trainer/snapshot/rows.html", context)

    def page_of(self, row: Snapshot) -> dict[str, Any]:
        return {
            "snapshot": row,
            "facts": _facts(row),
            "contents": _contents(row.manifest),
            "formats": formats_for(row.kind),
            "exports": listed(row.exports.order_by("-pk")[:10]),
            "starts": starts_on(row.kind, row.pk),
        }


def _compared(form: CompareForm, snapshot: Snapshot) -> dict[str, Any]:
    """The difference for reading; nothing where the two cannot be compared, for a reason on the form."""
    if not form.is_valid():
        return {}
    try:
        return told(compared_here(old=form.cleaned_data["other"], new=snapshot))
    except Refusal as refusal:
        form.add_error("other", refusal.detail)
        return {}


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
        "license": _("Licence"),
        "taken": _("Taken"),
        "filters": _("Filter"),
        "prompts": _("Prompts"),
        "prompts_by_kind": _("Prompts by kind"),
        "prompts_by_language": _("Prompts by language"),
        "labelers": _("People"),
        "guideline_versions": _("Rows by guideline version"),
        "consent_versions": _("Rows by consent version"),
        "purposes": _("Rows by purpose"),
        "sources": _("Rows by source"),
        "labels": _("Rows by label"),
        "weights": _("Weights"),
        "synthetic": _("Synthetic: made up by models"),
        "replaced": _("Replaced by a reviewer's order"),
        "suggested": _("Written with a suggestion in sight"),
        "cannot_judge": _("Answered “cannot judge”"),
        "tombstones": _("Tombstones"),
    }
    return [(label, _shown(manifest[name])) for name, label in labels.items() if name in manifest]


def _shown(value: Any) -> Any:
    if not isinstance(value, dict):
        return (_(value) if isinstance(value, str) and value else value) or (0 if value == 0 else "–")
    unnamed = _("unnamed")
    return ", ".join(f"{name or unnamed}:\u00a0{_brief(told)}" for name, told in value.items()) or "–"


def _brief(told: Any) -> Any:
    """A list by its length: there may be thousands of tombstones."""
    return len(told) if isinstance(told, list) else told
