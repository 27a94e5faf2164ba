"""People: how they do, what they are, and what is done about it."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm
from unfold.views import ChangeList

from annotation.actions.people import Figures, State, figures_of
from annotation.actions.suspension import may_manage
from annotation.admin.base import ForResearchers, is_researcher
from annotation.admin.people_bulk import change_chosen
from annotation.admin.people_forms import PersonForm, StateFilter
from annotation.admin.person_pages import suspension_page, work_page
from annotation.admin.void_page import void_page
from annotation.models import Person

# Roles say who may do what; groups would be a second answer to the same question.
admin.site.unregister(Group)


class PeopleList(ChangeList):  # type: ignore[misc]
    result_list: list[Person]

    def get_results(self, request: HttpRequest) -> None:
        """With how each of this page does."""
        super().get_results(request)
        people = list(self.result_list)
        told = figures_of(people, now=timezone.now())
        for person in people:
            person.figures = told[person.pk]  # type: ignore[attr-defined]  # for the columns
        self.result_list = people


@admin.register(Person)
class PersonAdmin(ForResearchers, UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = [
        "who",
        "state",
        "role_shown",
        "cohorts_shown",
        "languages_shown",
        "last_active",
        "this_week",
        "pace",
        "accuracy",
        "agreement",
    ]
    list_filter = [StateFilter, "role", "cohorts", "is_simulated"]
    search_fields = ["username", "first_name", "last_name", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (gettext_lazy("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (gettext_lazy("Work"), {"fields": ["role", "cohorts", "languages", "skills"]}),
        (gettext_lazy("Rights"), {"fields": ["is_superuser"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "role", "password1", "password2"]})]
    ordering = ["username"]
    filter_horizontal = []
    list_per_page = 50
    actions = ["change_several"]
    actions_list = ["invite"]
    actions_detail = ["work", "suspend", "reinstate", "void", "erase"]

    class Media:
        css = {"all": ["annotation/people.css"]}

    def get_urls(self) -> list[URLPattern]:
        pages = {"work": work_page, "suspension": suspension_page, "void": void_page}
        return [
            path(f"<int:person_id>/{name}/", self._page(page), name=f"annotation_person_{name}")
            for name, page in pages.items()
        ] + list(super().get_urls())

    def _page(self, page: Any) -> Any:
        return self.admin_site.admin_view(
            lambda request, person_id: page(request, self, person_id)  # a view needs the admin it is part of
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PeopleList]:
        return PeopleList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        everybody: QuerySet[Person] = super().get_queryset(request).prefetch_related("cohorts")
        # Of a chat's guests there may be millions; whoever asks for them sees them.
        match = request.resolver_match
        is_list = match is not None and match.url_name == "annotation_person_changelist"
        if is_list and request.GET.get("role__exact") != Person.Role.GUEST:
            return everybody.exclude(role=Person.Role.GUEST)
        return everybody

    # --- Who may do what --------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Others invite: whoever works here then chooses a password that nobody else knows.
        return is_researcher(request) and bool(request.user.is_superuser)  # type: ignore[union-attr]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_researcher(request) and (obj is None or may_manage(obj, request.user))  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        # Deleting a row leaves its traces elsewhere; people are erased.
        return False

    def has_suspend_permission(self, request: HttpRequest, object_id: Any) -> bool:
        return is_researcher(request) and Person.objects.filter(pk=object_id, is_active=True).exists()

    def has_reinstate_permission(self, request: HttpRequest, object_id: Any) -> bool:
        out = Person.objects.filter(pk=object_id, is_active=False, erased_at=None)
        return is_researcher(request) and out.exists()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if request.user.is_superuser else ["is_superuser"]  # type: ignore[union-attr]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        person = self.get_object(request, id)
        others = person is not None and person.is_researcher and person.pk != request.user.pk
        if others and not request.user.is_superuser:  # type: ignore[union-attr]
            # Who sets a password could sign in as its owner.
            raise PermissionDenied
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        return answer

    def save_model(self, request: HttpRequest, obj: Person, form: "ModelForm[Any]", change: bool) -> None:
        obj.is_staff = obj.is_superuser or obj.role == Person.Role.RESEARCHER
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "cohorts" in form.cleaned_data:
            form.instance.cohorts.set(form.cleaned_data["cohorts"])

    # --- The list ---------------------------------------------------------------------------------------

    @display(description=gettext_lazy("person"), ordering="username")
    def who(self, person: Person) -> SafeString | str:
        name = person.get_full_name()
        return format_html("{}<br><small>{}</small>", name, person.username) if name else person.username

    @display(
        description=gettext_lazy("state"),
        label={"REGULAR": "success", "PAUSED": "warning", "SUSPENDED": "danger", "ERASED": "info"},
    )
    def state(self, person: Person) -> tuple[str, str]:
        state = State(_told(person).state)
        return state.value, str(state.label)

    @display(description=gettext_lazy("role"), ordering="role")
    def role_shown(self, person: Person) -> str:
        role = str(person.get_role_display())
        simulated = _("simulated")
        return f"{role} ({simulated})" if person.is_simulated else role

    @display(description=gettext_lazy("cohorts"))
    def cohorts_shown(self, person: Person) -> str:
        return ", ".join(cohort.name for cohort in person.cohorts.all()) or "–"

    @display(description=gettext_lazy("languages"))
    def languages_shown(self, person: Person) -> str:
        return ", ".join(person.languages) or _("any")

    @display(description=gettext_lazy("last active"))
    def last_active(self, person: Person) -> str:
        at = _told(person).last_active
        return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT") if at else "–"

    @display(description=gettext_lazy("in 7 days"))
    def this_week(self, person: Person) -> int:
        return _told(person).rankings

    @display(description=gettext_lazy("seconds"))
    def pace(self, person: Person) -> str:
        seconds = _told(person).seconds
        return "–" if seconds is None else f"{seconds:.0f}"

    @display(description=gettext_lazy("on gold"))
    def accuracy(self, person: Person) -> str:
        return percent(_told(person).accuracy)

    @display(description=gettext_lazy("agreement"))
    def agreement(self, person: Person) -> str:
        return percent(_told(person).agreement)

    # --- Buttons ----------------------------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Change role, languages, skills or cohorts"), permissions=["view"])
    def change_several(self, request: HttpRequest, chosen: QuerySet[Person]) -> HttpResponse | None:
        return change_chosen(request, self, chosen)

    @action(description=gettext_lazy("Invite people"), icon="person_add", permissions=["view"])
    def invite(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:annotation_invitation_invite"))

    @action(description=gettext_lazy("Progress"), icon="monitoring", permissions=["view"])
    def work(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._to("work", object_id)

    @action(description=gettext_lazy("Suspend"), icon="block", permissions=["suspend"])
    def suspend(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._to("suspension", object_id)

    @action(description=gettext_lazy("Let in again"), icon="lock_open", permissions=["reinstate"])
    def reinstate(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._to("suspension", object_id)

    @action(description=gettext_lazy("Void work"), icon="history_toggle_off", permissions=["view"])
    def void(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._to("void", object_id)

    @action(description=gettext_lazy("Erase this person"), icon="person_remove", permissions=["view"])
    def erase(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:annotation_erase_person", args=[object_id]))

    def _to(self, page: str, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:annotation_person_{page}", args=[object_id]))


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _told(person: Person) -> Figures:
    figures: Figures = person.figures  # type: ignore[attr-defined]  # set by the list
    return figures
