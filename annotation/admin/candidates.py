from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue, titled
from annotation.admin.gold import mark_page
from annotation.admin.lists import CampaignFilter, LongList, Rows, digest_begins, newest
from annotation.admin.practice import practice_page
from annotation.models import Assignment, CandidateSet, Completion, Prompt

Member = CandidateSet.completions.through


class SetCampaignFilter(CampaignFilter):
    through = ("prompt", lambda campaign: Prompt.objects.filter(campaign=campaign))


@admin.register(CandidateSet)
class CandidateSetAdmin(LongList, RecordAdmin):
    list_display = ["__str__", "prompt", "size", "submitted", "created_at"]
    list_filter = [SetCampaignFilter]
    list_select_related = ["prompt"]
    search_help_text = _("Number, digest, or words of a newer candidate")
    fields = ["conversation", "candidates", "digest", "created_at"]
    readonly_fields = fields
    actions_detail = ["mark_gold", "mark_practice"]

    @action(description=_("Mark as gold"), icon="target", url_path="gold", permissions=["view"])  # type: ignore[untyped-decorator]
    def mark_gold(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return mark_page(self, request, get_object_or_404(CandidateSet, pk=object_id))

    @action(description=_("Make a practice item"), icon="school", url_path="practice", permissions=["view"])  # type: ignore[untyped-decorator]
    def mark_practice(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return practice_page(self, request, get_object_or_404(CandidateSet, pk=object_id))

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandidateSet]:
        sets: QuerySet[CandidateSet] = super().get_queryset(request)
        slots = Assignment.objects.filter(candidate_set=OuterRef("pk"), purpose=Assignment.Purpose.OVERLAP)
        # Counted row by row: a join would count for all sets before the page takes its few.
        return sets.annotate(
            completion_total=_count(Member.objects.filter(candidateset=OuterRef("pk")), "candidateset"),
            slot_total=_count(slots, "candidate_set"),
            submitted_total=_count(slots.submitted(), "candidate_set"),
        )

    def look_up(self, rows: Rows, term: str) -> Iterator[Rows]:
        if digest := digest_begins(term):
            yield rows.filter(digest)

    def with_words(self, term: str) -> list[int]:
        found = newest(Completion, Q(text__icontains=term))
        return list(Member.objects.filter(completion__in=found).values_list("candidateset", flat=True))

    @admin.display(description=_("candidates"))
    def size(self, candidate_set: CandidateSet) -> int:
        return getattr(candidate_set, "completion_total", None) or 0

    @admin.display(description=_("ranked"))
    def submitted(self, candidate_set: CandidateSet) -> str:
        submitted, slots = (
            getattr(candidate_set, name, None) or 0 for name in ("submitted_total", "slot_total")
        )
        return f"{submitted} / {slots}"

    @admin.display(description=_("prompt"))
    def conversation(self, candidate_set: CandidateSet) -> SafeString:
        return dialogue(candidate_set.prompt.messages)

    @admin.display(description=_("candidates"))
    def candidates(self, candidate_set: CandidateSet) -> SafeString:
        completions = candidate_set.completions.order_by("pk").values_list("pk", "text")
        return titled((f"#{pk}", text) for pk, text in completions)


def _count(rows: Rows, by: str) -> Subquery:
    return Subquery(rows.order_by().values(by).annotate(total=Count("pk")).values("total"))
