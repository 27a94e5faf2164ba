"""The forms in which people are described."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from annotation.actions.people import State, change_role
from annotation.admin.lines import LinesField
from annotation.errors import Refusal
from annotation.models import Cohort, Pause, Person


class CohortsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def __init__(self, label: Any, **details: Any) -> None:
        super().__init__(
            Cohort.objects.order_by("name"),
            label=capfirst(label),
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            **details,
        )


def languages_field() -> LinesField:
    return LinesField(
        label=capfirst(_("languages")),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        required=False,
        help_text=_("Codes such as en or zh, one a line; they are handed prompts in these. None: any."),
    )


def skills_field() -> LinesField:
    return LinesField(
        label=capfirst(_("skills")),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        required=False,
        help_text=_("One a line. Prompts that ask for a skill go only to people who have it."),
    )


class PersonForm(UserChangeForm):  # type: ignore[misc]
    languages = languages_field()
    skills = skills_field()
    cohorts = CohortsField(_("cohorts"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "cohorts" in self.fields:
            self.initial["cohorts"] = self.instance.cohorts.all()

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        before = Person.objects.filter(pk=self.instance.pk).first()
        if before and before.role != role:
            try:
                change_role(before, role)
            except Refusal as refusal:
                raise ValidationError(refusal.detail) from refusal
        return role


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        paused = Pause.objects.filter(lifted_at=None).values("labeler")
        active = queryset.filter(is_active=True, erased_at=None)
        match self.value():
            case State.REGULAR:
                return active.exclude(pk__in=paused)
            case State.PAUSED:
                return active.filter(pk__in=paused)
            case State.SUSPENDED:
                return queryset.filter(is_active=False, erased_at=None)
            case State.ERASED:
                return queryset.filter(erased_at__isnull=False)
        # Whoever was forgotten is not among the people, unless one asks.
        return queryset.filter(erased_at=None)
