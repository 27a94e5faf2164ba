from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue
from annotation.models import Demonstration


@admin.register(Demonstration)
class DemonstrationAdmin(RecordAdmin):
    list_display = ["id", "prompt", "status", "labeler", "seconds_spent", "submitted_at"]
    list_display_links = ["id", "prompt"]
    list_filter = ["status", "prompt__campaign", "labeler"]
    list_select_related = ["prompt", "labeler"]
    search_fields = ["turns"]
    fields = [
        "conversation",
        "written",
        "status",
        "labeler",
        "seconds_spent",
        "guideline",
        "created_at",
        "submitted_at",
    ]
    readonly_fields = fields

    @admin.display(description=_("prompt"))
    def conversation(self, demonstration: Demonstration) -> SafeString:
        return dialogue(demonstration.prompt.messages)

    @admin.display(description=_("demonstration"))
    def written(self, demonstration: Demonstration) -> SafeString:
        return dialogue(demonstration.turns)
