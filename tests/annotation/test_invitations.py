from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation.actions.invitations import (
    Invitee,
    accept_invitation,
    find_invitation,
    invite_people,
    revoke_invitation,
)
from annotation.errors import BadUsername, InvitationClosed, NotAllowed, WeakPassword
from annotation.models import Cohort, Invitation, Person
from tests.conftest import NOON

A_WEEK = timedelta(days=7)
PASSWORD = "three blue boats"


@pytest.fixture
def invite(rhea):
    """Rhea invites one person."""

    def invite_one(*, name="", email="", **changes):
        details = {"by": rhea, "expires_at": NOON + A_WEEK, "now": NOON, **changes}
        return invite_people(invitees=[Invitee(name, email)], **details)[0]

    return invite_one


def accept(token, **changes):
    details = {"username": "vera", "name": "Vera", "password": PASSWORD, "now": NOON, **changes}
    return accept_invitation(token=token, **details)


class TestInviting:
    def test_is_for_researchers(self, invite, ada, rosa):
        for person in (ada, rosa):
            with pytest.raises(NotAllowed):
                invite(by=person)

        assert not Invitation.objects.exists()

    def test_keeps_no_link_that_a_reader_of_the_database_could_use(self, invite):
        invited = invite()

        kept = Invitation.objects.values().get()
        assert invited.token not in str(kept)
        assert len(invited.token) >= 40

    def test_gives_everybody_a_link_of_their_own(self, rhea):
        invited = invite_people(
            invitees=[Invitee("Vera"), Invitee("Walt")], by=rhea, expires_at=NOON + A_WEEK, now=NOON
        )

        assert len({one.token for one in invited}) == 2


class TestAccepting:
    def test_makes_the_account_that_the_invitation_says(self, invite):
        cooks = Cohort.objects.create(name="Cooks")
        invited = invite(
            email="vera@letters.example",
            role="reviewer",
            languages=["zh"],
            skills=["cooking"],
            cohorts=[cooks],
        )

        vera = accept(invited.token)

        assert vera.check_password(PASSWORD)
        assert (vera.role, vera.languages, vera.skills) == ("reviewer", ["zh"], ["cooking"])
        assert (vera.first_name, vera.email) == ("Vera", "vera@letters.example")
        assert list(vera.cohorts.all()) == [cooks]
        assert not vera.is_staff and not vera.is_superuser

    def test_lets_researchers_into_the_admin_and_nobody_else(self, invite):
        walt = accept(invite(role="researcher").token, username="walt")
        vera = accept(invite(role="labeler").token)

        assert walt.is_staff and walt.is_researcher and not walt.is_superuser
        assert not vera.is_staff

    def test_forgets_whom_the_invitation_was_meant_for(self, invite):
        invited = invite(name="Vera Zzano", email="vera@letters.example")

        vera = accept(invited.token)

        kept = Invitation.objects.get()
        assert (kept.name, kept.email, kept.accepted_by) == ("", "", vera)

    def test_works_once(self, invite):
        token = invite().token
        accept(token)

        with pytest.raises(InvitationClosed, match="used"):
            accept(token, username="walt")

        assert not Person.objects.filter(username="walt").exists()

    def test_works_until_it_expires(self, invite):
        token = invite().token
        assert find_invitation(token, now=NOON + A_WEEK - timedelta(seconds=1))

        with pytest.raises(InvitationClosed, match="expired"):
            accept(token, now=NOON + A_WEEK)

    def test_works_until_it_is_taken_back(self, invite, rhea):
        invited = invite()
        assert revoke_invitation(invitation=invited.invitation, by=rhea, now=NOON)

        with pytest.raises(InvitationClosed, match="taken back"):
            accept(invited.token)

    def test_ends_with_the_right_of_whoever_invited(self, invite, rhea):
        token = invite(role="researcher").token
        Person.objects.filter(pk=rhea.pk).update(role="labeler")

        with pytest.raises(InvitationClosed):
            accept(token)

    def test_refuses_a_link_that_nobody_made(self, db):
        with pytest.raises(InvitationClosed):
            find_invitation("made-up", now=NOON)

    @pytest.mark.parametrize("password", ["short", "password1234", "verazzano1"])
    def test_keeps_the_link_open_after_a_weak_password(self, invite, password):
        token = invite().token

        with pytest.raises(WeakPassword):
            accept(token, username="verazzano", password=password)

        assert accept(token)

    @pytest.mark.parametrize("username", ["ADA", "ve ra", "nobody:1", ""])
    def test_keeps_the_link_open_after_a_name_that_cannot_be(self, invite, ada, username):
        token = invite().token

        with pytest.raises(BadUsername):
            accept(token, username=username)

        assert accept(token)


class TestTheDoor:
    def test_signs_in_whoever_made_their_account(self, invite):
        token, door = invite(expires_at=timezone.now() + A_WEEK).token, Client()

        seen = door.post("/api/invitations/find", {"token": token}, content_type="application/json")
        made = door.post(
            "/api/invitations/accept",
            {"token": token, "username": "vera", "password": PASSWORD},
            content_type="application/json",
        )

        assert (seen.status_code, seen.json()["role"]) == (200, "labeler")
        assert len(seen.json()["password_rules"]) == 3
        assert made.status_code == 201
        assert door.get("/api/me").json()["username"] == "vera"

    def test_gives_no_role_that_was_not_in_the_invitation(self, invite):
        token = invite(expires_at=timezone.now() + A_WEEK).token
        asked = {"token": token, "username": "vera", "password": PASSWORD, "role": "researcher"}
        asked |= {"is_staff": True, "is_superuser": True}

        Client().post("/api/invitations/accept", asked, content_type="application/json")

        vera = Person.objects.get(username="vera")
        assert (vera.role, vera.is_staff, vera.is_superuser) == ("labeler", False, False)

    def test_asks_for_a_csrf_token(self, invite):
        token = invite(expires_at=timezone.now() + A_WEEK).token

        answer = Client(enforce_csrf_checks=True).post(
            "/api/invitations/accept", {"token": token}, content_type="application/json"
        )

        assert answer.status_code == 403
