"""Changing many people at once, in plain fields."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from annotation.actions.people import change_people
from annotation.admin.pages import decision_page, researcher
from annotation.admin.people_forms import CohortsField, languages_field, skills_field
from annotation.errors import Refusal
from annotation.models import Invitation, Person

APPLY = "apply"
MOST_NAMED = 30


class SeveralForm(forms.Form):
    role = forms.ChoiceField(
        label=capfirst(gettext_lazy("role")),
        required=False,
        choices=[("", gettext_lazy("as it is")), *((role.value, role.label) for role in Invitation.ROLES)],
        widget=UnfoldAdminSelectWidget,
    )
    sets_languages = forms.BooleanField(
        label=gettext_lazy("Give all of them these languages"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )
    languages = languages_field()
    sets_skills = forms.BooleanField(
        label=gettext_lazy("Give all of them these skills"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    skills = skills_field()
    join = CohortsField(gettext_lazy("Put into"))
    leave = CohortsField(gettext_lazy("Take out of"))

    def changes(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {
            "role": told["role"],
            "languages": told["languages"] if told["sets_languages"] else None,
            "skills": told["skills"] if told["sets_skills"] else None,
            "join": told["join"],
            "leave": told["leave"],
        }


def change_chosen(
    request: HttpRequest, of: "ModelAdmin[Any]", chosen: QuerySet[Person]
) -> HttpResponse | None:
    """None once it is done: the list comes again."""
    form = SeveralForm(request.POST if APPLY in request.POST else None)
    if APPLY in request.POST and form.is_valid():
        try:
            count = change_people(people=chosen, by=researcher(request), **form.changes())
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
        else:
            words = ngettext("%(count)d person is changed.", "%(count)d people are changed.", count)
            messages.success(request, words % {"count": count})
            return None
    names = list(chosen.values_list("username", flat=True)[:MOST_NAMED])
    more = chosen.count() - len(names)
    return decision_page(
        request,
        of,
        form,
        title=_("Change several people"),
        lead=", ".join(names) + (_(" and %(count)d more") % {"count": more} if more else ""),
        buttons=[(APPLY, _("Change them"))],
        back=request.get_full_path(),
        kept=[("action", "change_several"), *_kept(request, chosen)],
    )


def _kept(request: HttpRequest, chosen: QuerySet[Person]) -> list[tuple[str, Any]]:
    """Whom it is about, for the next time. Everybody on all pages is said in one word, as the list does."""
    if request.POST.get("select_across") == "1":
        return [("select_across", "1"), (ACTION_CHECKBOX_NAME, 0)]
    return [(ACTION_CHECKBOX_NAME, pk) for pk in chosen.values_list("pk", flat=True)]
