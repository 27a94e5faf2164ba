"""Invitations: the list of what was sent, and the page that makes new ones and shows their links once."""

import csv
import io
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from annotation.actions.invitations import Invited, Invitee, invite_people, revoke_invitation
from annotation.admin.base import RecordAdmin
from annotation.admin.pages import decision_page, researcher
from annotation.admin.people_forms import CohortsField, languages_field, skills_field
from annotation.mail import can_send, send_invitations
from annotation.models import Invitation

MOST_AT_ONCE = 500


class InviteForm(forms.Form):
    invitees = forms.CharField(
        label=gettext_lazy("Whom"),
        required=False,
        help_text=gettext_lazy(
            "A line for each: a name, an e-mail address, or both with a comma between. Nothing: one "
            "invitation for whomever you give the link to."
        ),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "placeholder": "Vera Zzano, vera@example.org"}),
    )
    role = forms.ChoiceField(
        label=capfirst(gettext_lazy("role")), choices=[(role.value, role.label) for role in Invitation.ROLES]
    )
    cohorts = CohortsField(gettext_lazy("cohorts"))
    languages = languages_field()
    skills = skills_field()
    days = forms.IntegerField(
        label=gettext_lazy("Days until the link expires"), min_value=1, max_value=90, initial=7
    )
    emails = forms.BooleanField(
        label=gettext_lazy("Send the links by e-mail"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].widget = UnfoldAdminSelectWidget(choices=self.fields["role"].choices)  # type: ignore[attr-defined]
        self.fields["days"].widget = UnfoldAdminIntegerFieldWidget()
        if not can_send():
            del self.fields["emails"]

    def clean_invitees(self) -> list[Invitee]:
        rows = [row for row in csv.reader(io.StringIO(self.cleaned_data["invitees"])) if any(row)]
        if len(rows) > MOST_AT_ONCE:
            raise ValidationError(_("At most %(most)d at once.") % {"most": MOST_AT_ONCE})
        return [_invitee(row) for row in rows] or [Invitee()]


def _invitee(row: list[str]) -> Invitee:
    cells = [cell.strip() for cell in row if cell.strip()]
    emails = [cell for cell in cells if "@" in cell]
    for email in emails:
        try:
            validate_email(email)
        except ValidationError as error:
            raise ValidationError(_("“%(email)s” is no e-mail address.") % {"email": email}) from error
    return Invitee(" ".join(cell for cell in cells if "@" not in cell), "".join(emails[:1]))


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    list_display = ["whom", "state", "role", "cohorts_shown", "expires_at", "created_by", "accepted_by"]
    list_filter = ["role", "cohorts"]
    list_select_related = ["created_by", "accepted_by"]
    list_display_links = None
    ordering = ["-created_at", "-pk"]
    actions = ["revoke"]
    actions_list = ["invite"]

    def get_urls(self) -> list[URLPattern]:
        invite = self.admin_site.admin_view(self.invite_page)
        return [path("invite/", invite, name="annotation_invitation_invite"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        invitations: QuerySet[Invitation] = super().get_queryset(request)
        return invitations.prefetch_related("cohorts")

    @admin.display(description=gettext_lazy("for"))
    def whom(self, invitation: Invitation) -> str:
        return " · ".join(filter(None, [invitation.name, invitation.email])) or str(invitation)

    @display(
        description=gettext_lazy("state"),
        label={"WAITING": "info", "ACCEPTED": "success", "REVOKED": "danger", "EXPIRED": "warning"},
    )
    def state(self, invitation: Invitation) -> tuple[str, str]:
        state = invitation.state(timezone.now())
        return state.value, str(state.label)

    @admin.display(description=gettext_lazy("cohorts"))
    def cohorts_shown(self, invitation: Invitation) -> str:
        return ", ".join(cohort.name for cohort in invitation.cohorts.all()) or "–"

    @admin.action(description=gettext_lazy("Revoke: the links stop working"), permissions=["view"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Invitation]) -> None:
        by, now = researcher(request), timezone.now()
        count = sum(revoke_invitation(invitation=one, by=by, now=now) for one in chosen)
        words = ngettext("%(count)d invitation is revoked.", "%(count)d invitations are revoked.", count)
        messages.success(request, words % {"count": count})

    @action(description=gettext_lazy("Invite people"), icon="person_add", permissions=["view"])
    def invite(self, request: HttpRequest) -> HttpResponse:
        return self.invite_page(request)

    def invite_page(self, request: HttpRequest) -> HttpResponse:
        by = researcher(request)
        form = InviteForm(request.POST or None)
        if form.is_valid():
            told = form.cleaned_data
            now = timezone.now()
            invited = invite_people(
                invitees=told["invitees"],
                by=by,
                role=told["role"],
                languages=told["languages"],
                skills=told["skills"],
                cohorts=told["cohorts"],
                expires_at=now + timedelta(days=told["days"]),
                now=now,
            )
            return self._links_page(request, invited, sends=told.get("emails", False))
        return decision_page(
            request,
            self,
            form,
            title=_("Invite people"),
            lead=_(
                "Each link makes one account, with the role that you choose here. Whoever has it chooses the "
                "name and the password."
            ),
            buttons=[("invite", _("Make the links"))],
            back=reverse("admin:annotation_invitation_changelist"),
        )

    def _links_page(self, request: HttpRequest, invited: list[Invited], *, sends: bool) -> HttpResponse:
        door = request.build_absolute_uri(reverse("app") + "join")
        links = [(one.invitation, f"{door}#{one.token}") for one in invited]
        if sends:
            sent = send_invitations(links)
            words = ngettext("%(count)d e-mail is sent.", "%(count)d e-mails are sent.", sent)
            messages.success(request, words % {"count": sent})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("The links, shown once"),
            "links": links,
            "file": "\r\n".join(f"{self.whom(invitation)}\t{link}" for invitation, link in links),
        }
        answer = TemplateResponse(request, "admin/annotation/links.html", context)
        # Neither a proxy nor the back button shows them again.
        answer["Cache-Control"] = "no-store"
        return answer
