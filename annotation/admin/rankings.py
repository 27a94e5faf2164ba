from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue, titled
from annotation.admin.lists import (
    CampaignFilter,
    LabelerFilter,
    LongList,
    MarksSynthetic,
    Rows,
    accounts,
    newest,
)
from annotation.models import Assignment, Ranking


class RankingCampaignFilter(CampaignFilter):
    through = ("assignment", lambda campaign: Assignment.objects.filter(campaign=campaign))


@admin.register(Ranking)
class RankingAdmin(MarksSynthetic, LongList, RecordAdmin):
    list_display = ["id", "prompt", "__str__", "labeler", "made_up", "seconds_spent", "submitted_at"]
    list_display_links = ["id", "prompt"]
    list_filter = [RankingCampaignFilter, LabelerFilter]
    list_select_related = ["assignment__candidate_set__prompt", "labeler"]
    search_help_text = _("Number, account, or words of a newer rationale")
    fields = [
        "conversation",
        "order",
        "cannot_judge",
        "strength",
        "ratings",
        "flags",
        "spans",
        "rationale",
        "edited",
        "labeler",
        "purpose",
        "made_up",
        "shown_order",
        "seconds_spent",
        "guideline",
        "revision",
        "idempotency_key",
        "submitted_at",
    ]
    readonly_fields = fields
    actions_detail = ["mark_gold"]

    @action(description=_("Mark as gold"), icon="target", url_path="gold", permissions=["view"])  # type: ignore[untyped-decorator]
    def mark_gold(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To the candidate set's page, with this order as the answer."""
        ranking = get_object_or_404(Ranking.objects.select_related("assignment"), pk=object_id)
        page = reverse("admin:annotation_candidateset_mark_gold", args=[ranking.assignment.candidate_set_id])
        return HttpResponseRedirect(f"{page}?ranking={ranking.pk}")

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        yield rows.filter(labeler__in=accounts(term))

    def with_words(self, term: str) -> list[int]:
        return newest(Ranking, Q(rationale__icontains=term) | Q(cannot_judge__icontains=term))

    @admin.display(description=_("prompt"))
    def prompt(self, ranking: Ranking) -> str:
        return str(ranking.assignment.candidate_set.prompt)

    @admin.display(description=_("purpose"))
    def purpose(self, ranking: Ranking) -> str:
        return ranking.assignment.get_purpose_display()

    def is_made_up(self, row: Ranking) -> bool:
        return row.assignment.purpose == Assignment.Purpose.JUDGE

    @admin.display(description=_("prompt"))
    def conversation(self, ranking: Ranking) -> SafeString:
        return dialogue(ranking.assignment.candidate_set.prompt.messages)

    @admin.display(description=_("order, best first"))
    def order(self, ranking: Ranking) -> SafeString:
        texts = dict(ranking.assignment.candidate_set.completions.values_list("pk", "text"))
        ranked = [
            (rank, texts.get(completion_id, ""))
            for rank, tier in enumerate(ranking.tiers, start=1)
            for completion_id in tier
        ]
        return titled([*ranked, *((_("unacceptable"), texts.get(pk, "")) for pk in ranking.unacceptable)])
