from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue
from annotation.models import Review


@admin.register(Review)
class ReviewAdmin(RecordAdmin):
    list_display = ["id", "prompt", "verdict", "reason", "reviewer", "reviewed_at"]
    list_display_links = ["id", "prompt"]
    list_filter = ["verdict", "demonstration__prompt__campaign", "reviewer"]
    list_select_related = ["demonstration__prompt", "reviewer"]
    date_hierarchy = "reviewed_at"
    fields = ["conversation", "reviewed", "verdict", "reason", "reviewer", "reviewed_at", "demonstration"]
    readonly_fields = fields

    @admin.display(description=_("prompt"))
    def prompt(self, review: Review) -> str:
        return str(review.demonstration.prompt)

    @admin.display(description=_("prompt"))
    def conversation(self, review: Review) -> SafeString:
        return dialogue(review.demonstration.prompt.messages)

    @admin.display(description=_("demonstration"))
    def reviewed(self, review: Review) -> SafeString:
        return dialogue(review.turns)
