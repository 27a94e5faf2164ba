from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from annotation.actions.pauses import lift_pause
from annotation.admin.base import RecordAdmin
from annotation.models import Pause


@admin.register(Pause)
class PauseAdmin(RecordAdmin):
    list_display = ["labeler", "campaign", "reason", "paused_at", "lifted_at"]
    list_filter = [("lifted_at", admin.EmptyFieldListFilter), "campaign"]
    list_select_related = ["labeler", "campaign"]
    fields = list_display
    readonly_fields = fields
    actions = ["lift"]

    @admin.action(description=_("Lift: give them work again"), permissions=["view"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Pause]) -> None:
        lifted = sum(lift_pause(pause=pause, now=timezone.now()) for pause in chosen)
        words = ngettext("%(count)d pause is lifted.", "%(count)d pauses are lifted.", lifted)
        messages.success(request, words % {"count": lifted})
