from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from annotation.actions.voids import lift_void
from annotation.admin.base import RecordAdmin
from annotation.admin.pages import researcher
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

    @admin.display(description=gettext_lazy("labeler"))
    def whom(self, void: Void) -> str:
        return str(void.labeler) if void.labeler else "–"

    @display(description=gettext_lazy("state"), label={"voided": "warning", "restored": "success"})
    def state(self, void: Void) -> tuple[str, str]:
        return ("restored", _("Restored")) if void.lifted_at else ("voided", _("Voided"))

    @admin.display(description=gettext_lazy("rankings"))
    def size(self, void: Void) -> int:
        return void.turns.count()

    @admin.action(description=gettext_lazy("Restore: let it count again"), permissions=["view"])
    def restore(self, request: HttpRequest, chosen: QuerySet[Void]) -> None:
        by = researcher(request)
        for void in chosen:
            if restored := lift_void(void=void, by=by, now=timezone.now()):
                words = _(
                    "%(rankings)d rankings and %(demonstrations)d demonstrations count again; %(surplus)d "
                    "more were ranked by somebody else meanwhile and stay out."
                )
                messages.success(request, words % vars(restored))
