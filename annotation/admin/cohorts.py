from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from annotation.admin.base import ForResearchers, is_researcher
from annotation.models import Campaign, Cohort


@admin.register(Cohort)
class CohortAdmin(ForResearchers, ModelAdmin):  # type: ignore[misc]
    list_display = ["name", "description", "size", "campaigns_shown"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "description", "campaigns", "members_shown"]
    readonly_fields = ["members_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cohort]:
        cohorts: QuerySet[Cohort] = super().get_queryset(request)
        return cohorts.annotate(people=Count("members", distinct=True)).prefetch_related("campaigns")

    def formfield_for_manytomany(self, db_field, request, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name == "campaigns":
            kwargs["queryset"] = Campaign.objects.order_by("name")
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("people"), ordering="people")
    def size(self, cohort: Cohort) -> int:
        return cohort.people  # type: ignore[attr-defined,no-any-return]  # annotated above

    @admin.display(description=_("members"))
    def members_shown(self, cohort: Cohort) -> SafeString | str:
        """Thousands fit in no field: they are put in and taken out where people are listed."""
        if not cohort.pk:
            return "–"
        return format_html(
            '{} · <a href="{}?cohorts__id__exact={}" class="underline">{}</a><br>{}',
            self.size(cohort),
            reverse("admin:annotation_person_changelist"),
            cohort.pk,
            gettext("Show them"),
            gettext("Choose people there, and put them in or take them out with “Change role, languages…”."),
        )

    @admin.display(description=_("campaigns for them"))
    def campaigns_shown(self, cohort: Cohort) -> str:
        return ", ".join(campaign.name for campaign in cohort.campaigns.all()) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_researcher(request)

    def has_change_permission(self, request: HttpRequest, obj: Cohort | None = None) -> bool:
        return is_researcher(request)

    def has_delete_permission(self, request: HttpRequest, obj: Cohort | None = None) -> bool:
        # A campaign that was for these people only would be for everybody.
        return is_researcher(request) and (obj is None or not obj.campaigns.exists())
