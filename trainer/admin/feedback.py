"""What became of each piece of chat feedback: back to the answer it was about, and on to the snapshots."""

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue
from annotation.admin.lists import LongList, Rows, accounts
from annotation.models import FeedbackUse
from trainer.admin.onward import FIELDS, Onward


@admin.register(FeedbackUse)
class FeedbackUseAdmin(Onward, LongList, RecordAdmin):
    list_display = ["id", "prompt", "source", "said", "weight", "person", "given_at"]
    list_display_links = ["id", "prompt"]
    list_filter = ["source", "is_good", "campaign"]
    list_select_related = ["prompt", "person"]
    search_help_text = _("Number, or account")
    fields = [
        "conversation",
        "answer",
        "said",
        "source",
        "weight",
        "the_ranking",
        "the_demonstration",
        *FIELDS,
        "person",
        "the_message",
        "given_at",
        "made_at",
    ]
    readonly_fields = fields

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        yield rows.filter(person__in=accounts(term))

    @admin.display(description=_("prompt"))
    def conversation(self, use: FeedbackUse) -> SafeString:
        return dialogue(use.prompt.messages)

    @admin.display(description=_("said"))
    def said(self, use: FeedbackUse) -> str:
        return str({True: _("good"), False: _("bad"), None: "–"}[use.is_good])

    @admin.display(description=_("ranking"))
    def the_ranking(self, use: FeedbackUse) -> SafeString | str:
        return _link(use.ranking)

    @admin.display(description=_("demonstration"))
    def the_demonstration(self, use: FeedbackUse) -> SafeString | str:
        return _link(use.demonstration)

    @admin.display(description=_("answer in the chat"))
    def the_message(self, use: FeedbackUse) -> str:
        return f"#{use.message.pk}" if use.message else str(_("the chat was deleted"))


def _link(row: Model | None) -> SafeString | str:
    if row is None:
        return "–"
    url = reverse(f"admin:annotation_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="text-link">#{}</a>', url, row.pk)
