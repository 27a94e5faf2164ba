"""Who is to be forgotten: the list of requests, and the page where a researcher decides."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from annotation.actions.erasure import approve_erasure, what_goes
from annotation.admin.base import RecordAdmin, is_researcher
from annotation.errors import Refusal
from annotation.models import ErasureRequest, Person, Tombstone


class EraseForm(forms.Form):
    mode = forms.ChoiceField(
        label=gettext_lazy("Contributions are"),
        choices=[
            (Tombstone.Mode.ANONYMISED, gettext_lazy("kept, tied to nobody")),
            (
                Tombstone.Mode.REMOVED,
                gettext_lazy("removed, and asked for again where the campaign wants them"),
            ),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    username = forms.CharField(
        label=gettext_lazy("Type the user name to confirm"),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        if typed != self.person.username:
            raise forms.ValidationError(_("This is not the user name of the person to erase."))
        return typed


def preview(person: Person) -> list[tuple[str, int, str]]:
    """What there is of a person, how much, and what becomes of it."""
    count = what_goes(person)
    as_chosen, gone = _("as chosen below"), _("deleted")
    kept = _("kept, without their name")
    return [
        (_("Rankings"), count["rankings"], as_chosen),
        (_("Demonstrations"), count["demonstrations"], as_chosen),
        (_("Drafts and returned demonstrations"), count["unfinished"], gone),
        (_("Work in hand"), count["held"], _("given back")),
        (_("Skips and lapsed leases"), count["skips"], gone),
        (_("Consents"), count["consents"], gone),
        (_("Reviews of other people's work"), count["reviews"], kept),
        (_("Prompts"), count["prompts"], kept),
        (_("Data made of chat feedback"), count["feedback"], gone),
        (_("Account with its name, e-mail, sign-in and log entries"), 1, gone),
    ]


@admin.register(ErasureRequest)
class ErasureRequestAdmin(RecordAdmin):
    """What people asked for, what was approved, and what was done; of whom, only until it is done."""

    list_display = ["whom", "mode", "state", "asked_at", "approved_by", "finished_at", "look"]
    list_filter = ["mode", ("finished_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person", "approved_by"]
    list_display_links = None
    fields = ["person", "mode", "asked_at", "approved_by", "approved_at", "finished_at"]
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        erase = self.admin_site.admin_view(self.erase)
        own = path("person/<int:person_id>/", erase, name="annotation_erase_person")
        return [own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ErasureRequest]:
        requests: QuerySet[ErasureRequest] = super().get_queryset(request)
        return requests.order_by("-asked_at")

    @admin.display(description=gettext_lazy("person"))
    def whom(self, request: ErasureRequest) -> str:
        return str(request.person) if request.person else "–"

    @display(
        description=gettext_lazy("state"),
        label={"waiting": "warning", "approved": "info", "finished": "success"},
    )
    def state(self, request: ErasureRequest) -> tuple[str, str]:
        if request.finished_at:
            return "finished", _("Done")
        return ("approved", _("Approved")) if request.approved_at else ("waiting", _("Waits for you"))

    @admin.display(description="")
    def look(self, request: ErasureRequest) -> SafeString | str:
        if request.approved_at or request.person_id is None:
            return ""
        url = reverse("admin:annotation_erase_person", args=[request.person_id])
        return format_html('<a href="{}" class="text-link">{}</a>', url, _("Look at it"))

    def erase(self, request: HttpRequest, person_id: int) -> HttpResponse:
        if not is_researcher(request):
            raise PermissionDenied
        person = get_object_or_404(Person, pk=person_id, erased_at__isnull=True)
        asked = ErasureRequest.objects.filter(person=person).first()
        form = EraseForm(request.POST or None, person=person, initial={"mode": asked and asked.mode})
        if form.is_valid() and self._approved(request, form, person):
            messages.success(
                request, _("Approved: it will be done within a minute, longer if there is much.")
            )
            return HttpResponseRedirect(reverse("admin:annotation_erasurerequest_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Erase %(person)s") % {"person": person},
            "form": form,
            "asked": asked,
            "preview": preview(person),
        }
        return render(request, "admin/annotation/erase.html", context)

    def _approved(self, request: HttpRequest, form: EraseForm, person: Person) -> bool:
        assert isinstance(request.user, Person)  # the admin site lets nobody else in
        mode: str = form.cleaned_data["mode"]
        try:
            approve_erasure(person=person, mode=mode, by=request.user, now=timezone.now())
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
            return False
        return True
