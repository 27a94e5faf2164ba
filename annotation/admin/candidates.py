from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from annotation.admin.base import RecordAdmin
from annotation.admin.dialogues import dialogue, titled
from annotation.admin.gold import mark_page
from annotation.models import CandidateSet


@admin.register(CandidateSet)
class CandidateSetAdmin(RecordAdmin):
    list_display = ["__str__", "prompt", "size", "submitted", "created_at"]
    list_filter = ["prompt__campaign"]
    list_select_related = ["prompt"]
    search_fields = ["completions__text"]
    fields = ["conversation", "candidates", "digest", "created_at"]
    readonly_fields = fields
    actions_detail = ["mark_gold"]

    @action(description=_("Mark as gold"), icon="target", url_path="gold", permissions=["view"])  # type: ignore[untyped-decorator]
    def mark_gold(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return mark_page(self, request, get_object_or_404(CandidateSet, pk=object_id))

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandidateSet]:
        sets: QuerySet[CandidateSet] = super().get_queryset(request)
        submitted = Count("assignments", filter=Q(assignments__status="SUBMITTED"), distinct=True)
        return sets.annotate(
            completion_total=Count("completions", distinct=True),
            slot_total=Count("assignments", distinct=True),
            submitted_total=submitted,
        )

    @admin.display(description=_("candidates"))
    def size(self, candidate_set: CandidateSet) -> int:
        return getattr(candidate_set, "completion_total", 0)

    @admin.display(description=_("ranked"))
    def submitted(self, candidate_set: CandidateSet) -> str:
        return f"{getattr(candidate_set, 'submitted_total', 0)} / {getattr(candidate_set, 'slot_total', 0)}"

    @admin.display(description=_("prompt"))
    def conversation(self, candidate_set: CandidateSet) -> SafeString:
        return dialogue(candidate_set.prompt.messages)

    @admin.display(description=_("candidates"))
    def candidates(self, candidate_set: CandidateSet) -> SafeString:
        completions = candidate_set.completions.order_by("pk").values_list("pk", "text")
        return titled((f"#{pk}", text) for pk, text in completions)
