from collections.abc import Iterator

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue
from annotation.admin.lists import (
    CampaignFilter,
    LabelerFilter,
    LongList,
    MarksSynthetic,
    Rows,
    accounts,
    in_json,
    newest,
)
from annotation.models import Demonstration, Prompt


class DemonstrationCampaignFilter(CampaignFilter):
    through = ("prompt", lambda campaign: Prompt.objects.filter(campaign=campaign))


@admin.register(Demonstration)
class DemonstrationAdmin(MarksSynthetic, LongList, RecordAdmin):
    list_display = ["id", "prompt", "status", "made_up", "labeler", "seconds_spent", "submitted_at"]
    list_display_links = ["id", "prompt"]
    list_filter = ["status", "is_synthetic", DemonstrationCampaignFilter, LabelerFilter]
    list_select_related = ["prompt", "labeler"]
    search_help_text = _("Number, account, or words of a newer one")
    fields = [
        "conversation",
        "written",
        "suggested",
        "made_up",
        "status",
        "labeler",
        "seconds_spent",
        "guideline",
        "created_at",
        "submitted_at",
    ]
    readonly_fields = fields

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        yield rows.filter(labeler__in=accounts(term))

    def with_words(self, term: str) -> list[int]:
        return newest(Demonstration, in_json("turns", term))

    @admin.display(description=_("prompt"))
    def conversation(self, demonstration: Demonstration) -> SafeString:
        return dialogue(demonstration.prompt.messages)

    @admin.display(description=_("suggestion"))
    def suggested(self, demonstration: Demonstration) -> str:
        return demonstration.suggestion.text if demonstration.suggestion else "–"

    @admin.display(description=_("demonstration"))
    def written(self, demonstration: Demonstration) -> SafeString:
        return dialogue(demonstration.turns)
