from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from annotation.errors import Refusal
from trainer.admin.base import Facts, ResearcherAdmin
from trainer.admin.behind import as_json, sources_of
from trainer.admin.figures import in_words
from trainer.admin.forms import RegisterForm
from trainer.admin.lineage import lineage
from trainer.admin.links import listed, starts_from, url_of
from trainer.admin.promotions import promote_page
from trainer.exports.archive import zipped_files
from trainer.exports.checkpoints import files_of, has_adapters
from trainer.models import Checkpoint, Promotion

FORMS = {"merged": "", "apart": "-adapters"}
"""What can be downloaded, and what is added to the archive's name."""


@admin.register(Checkpoint)
class CheckpointAdmin(ResearcherAdmin):
    list_display = ["name", "kind", "produced_by", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["produced_by"]
    search_fields = ["name", "digest"]
    fields = readonly_fields = ["digest"]
    actions_list = ["register"]
    actions_detail = ["promote"]

    @action(
        description=gettext_lazy("Register a base model"),
        icon="add",
        permissions=["view"],
        variant=ActionVariant.PRIMARY,
    )
    def register(self, request: HttpRequest) -> HttpResponse:
        form = RegisterForm(request.POST or None, initial={"name": next(iter(settings.BASE_MODELS), "")})
        if form.is_valid() and (checkpoint := form.register(now=timezone.now())):
            messages.success(request, _("%(model)s is here to start runs from.") % {"model": checkpoint})
            return HttpResponseRedirect(url_of(checkpoint))
        return self.form_page(
            request,
            form,
            title=_("Register a base model"),
            button=_("Register"),
            lead=_("Known here: %(names)s.") % {"names": ", ".join(settings.BASE_MODELS)},
        )

    @action(description=gettext_lazy("Promote"), icon="verified", url_path="promote", permissions=["view"])
    def promote(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.check_researcher(request)
        return promote_page(self, request, get_object_or_404(Checkpoint, pk=object_id))

    def page_of(self, row: Checkpoint) -> dict[str, Any]:
        return {
            "checkpoint": row,
            "facts": _facts(row),
            "figures": in_words(row.summary),
            "origins": lineage(row),
            "sources": sources_of(row),
            "starts": starts_from(row),
            "is_here": Path(row.location).is_dir(),
            "has_adapters": has_adapters(row),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        address = "<int:checkpoint_id>/download/<str:form>/"
        json = "<int:checkpoint_id>/lineage.json"
        return [
            path(address, view(self.download), name="trainer_checkpoint_download"),
            path(json, view(self.lineage), name="trainer_checkpoint_lineage"),
            *super().get_urls(),
        ]

    def lineage(self, request: HttpRequest, checkpoint_id: int) -> HttpResponseBase:
        """All that people gave for it, written while it is sent."""
        self.check_researcher(request)
        checkpoint = get_object_or_404(Checkpoint, pk=checkpoint_id)
        answer = StreamingHttpResponse(as_json(checkpoint), content_type="application/json")
        name = f"lineage-of-checkpoint-{checkpoint.pk}.json"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def download(self, request: HttpRequest, checkpoint_id: int, form: str) -> HttpResponseBase:
        """One archive, made while it is sent. ``form``: merged or apart."""
        self.check_researcher(request)
        checkpoint = get_object_or_404(Checkpoint, pk=checkpoint_id)
        if form not in FORMS:
            raise Http404
        try:
            files = files_of(checkpoint, apart=form == "apart")
        except Refusal as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(url_of(checkpoint))
        name = f"{checkpoint.kind}-{checkpoint.digest[:12]}{FORMS[form]}"
        answer = StreamingHttpResponse(zipped_files(files, name), content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="{name}.zip"'
        return answer


def _facts(checkpoint: Checkpoint) -> Facts:
    standing = Promotion.objects.standing().filter(checkpoint=checkpoint).select_related("campaign")
    used = [*checkpoint.runs_from_it.order_by("pk"), *checkpoint.runs_scored_by_it.order_by("pk")]
    return [
        (_("Kind"), checkpoint.get_kind_display()),
        (_("Location"), format_html("<code>{}</code>", checkpoint.location)),
        (_("Created"), checkpoint.created_at),
        (_("Answers in"), listed(standing)),
        (_("Made by"), listed(checkpoint.made_by.order_by("pk"))),
        (_("Runs that use it"), listed(used)),
        ("sha256", format_html("<code>{}</code>", checkpoint.digest)),
    ]
