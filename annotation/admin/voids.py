from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from annotation.actions.voids import lift_void
from annotation.admin.base import RecordAdmin, is_researcher
from annotation.admin.pages import decision_page, researcher
from annotation.models import Void


@admin.register(Void)
class VoidAdmin(RecordAdmin):
    """What counts for nothing, who said so and why; and the way back."""

    list_display = ["whom", "state", "campaign", "since", "until", "size", "reason", "created_by"]
    list_filter = ["campaign", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["labeler", "campaign", "created_by"]
    ordering = ["-created_at"]
    fields = [
        "whom",
        "campaign",
        "since",
        "until",
        "size",
        "reopens",
        "reason",
        "created_by",
        "created_at",
        "lifted_by",
        "lifted_at",
    ]
    readonly_fields = fields
    actions = ["restore"]
    actions_detail = ["restore_this"]

    @admin.display(description=gettext_lazy("labeler"))
    def whom(self, void: Void) -> str:
        return str(void.labeler) if void.labeler else "–"

    @display(description=gettext_lazy("state"), label={"voided": "warning", "restored": "success"})
    def state(self, void: Void) -> tuple[str, str]:
        return ("restored", _("Restored")) if void.lifted_at else ("voided", _("Voided"))

    @admin.display(description=gettext_lazy("rankings"))
    def size(self, void: Void) -> int:
        return void.turns.count()

    def has_restore_permission(self, request: HttpRequest, object_id: Any) -> bool:
        return is_researcher(request) and Void.objects.filter(pk=object_id, lifted_at=None).exists()

    @action(description=gettext_lazy("Restore"), icon="undo", permissions=["restore"], url_path="restore")
    def restore_this(self, request: HttpRequest, object_id: int) -> HttpResponse:
        void = get_object_or_404(Void, pk=object_id)
        if request.method == "POST":
            self._restore(request, [void])
            return HttpResponseRedirect(reverse("admin:annotation_void_changelist"))
        return decision_page(
            request,
            self,
            Form(),
            title=_("Restore work of %(person)s") % {"person": self.whom(void)},
            lead=_(
                "It counts again, in consensus, agreement and snapshots that are frozen from now on. What "
                "somebody else has ranked meanwhile stays out."
            ),
            buttons=[("do", _("Restore"))],
            back=reverse("admin:annotation_void_change", args=[void.pk]),
        )

    @admin.action(description=gettext_lazy("Restore: let it count again"), permissions=["view"])
    def restore(self, request: HttpRequest, chosen: QuerySet[Void]) -> None:
        self._restore(request, chosen)

    def _restore(self, request: HttpRequest, chosen: Iterable[Void]) -> None:
        by = researcher(request)
        for void in chosen:
            if restored := lift_void(void=void, by=by, now=timezone.now()):
                words = _(
                    "%(rankings)d rankings and %(demonstrations)d demonstrations count again; %(surplus)d "
                    "more were ranked by somebody else meanwhile and stay out."
                )
                messages.success(request, words % vars(restored))
