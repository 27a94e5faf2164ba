import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from annotation.actions.suspension import (
    may_manage,
    reinstate_person,
    suspend_person,
    suspended_person,
)
from annotation.errors import NotAllowed
from annotation.models import Assignment, Person, Ranking
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON


def signed_in(person):
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sign_in(client, password):
    name = {"username": "ada", "password": password}
    return client.post("/api/session", name, content_type="application/json")


def sign_in_to_admin(client, name, password):
    """What the page says."""
    page = client.post("/admin/login/", {"username": name, "password": password})
    return page.content.decode()


class TestSuspending:
    def test_signs_the_person_out_at_once_and_nobody_else(self, ada, ben, rhea):
        adas, bens = signed_in(ada), signed_in(ben)
        assert adas.get("/api/me").status_code == 200

        assert suspend_person(person=ada, by=rhea, now=NOON)

        assert adas.get("/api/me").status_code == 403
        assert bens.get("/api/me").status_code == 200
        name = {"username": "ada", "password": "correct horse"}
        assert adas.post("/api/session", name, content_type="application/json").status_code == 403

    def test_is_said_to_them_on_their_page_and_when_they_sign_in(self, ada, rhea):
        at_work, elsewhere = signed_in(ada), Client(headers={"accept-language": "zh-hans"})
        suspend_person(person=ada, by=rhea, now=NOON)

        said = at_work.get("/api/me").json()
        tried = sign_in(elsewhere, "correct horse").json()

        assert said["code"] == tried["code"] == "suspended"
        assert "Ask a researcher" in said["detail"]
        assert "您的账号已被停用" in tried["detail"]

    def test_is_said_to_nobody_who_does_not_know_the_password(self, ada, rhea):
        suspend_person(person=ada, by=rhea, now=NOON)

        assert sign_in(Client(), "wrong horse").json()["code"] == "bad_credentials"
        assert (
            Client().get("/api/me", headers={"x-person": str(ada.pk)}).json()["code"] == "not_authenticated"
        )

    def test_is_said_on_the_admins_page_after_the_right_password_alone(self, rhea, ada):
        root = Person.objects.create_superuser("root", password="battery staple")
        Person.objects.filter(pk=rhea.pk).update(password=root.password)
        suspend_person(person=rhea, by=root, now=NOON)
        in_chinese = Client(headers={"accept-language": "zh-hans"})

        told = sign_in_to_admin(Client(), "rhea", "battery staple")
        told_in_chinese = sign_in_to_admin(in_chinese, "rhea", "battery staple")
        wrong = sign_in_to_admin(Client(), "rhea", "wrong horse")
        unknown = sign_in_to_admin(Client(), "nobody", "battery staple")

        assert "Your account is suspended. Ask another researcher" in told
        assert "您的账号已被停用" in told_in_chinese
        for page in (wrong, unknown):
            assert "Please enter the correct" in page and "suspended" not in page

    def test_is_said_to_nobody_who_has_guessed_too_often(self, rhea, ada):
        suspend_person(person=ada, by=rhea, now=NOON)
        for _attempt in range(settings.AXES_FAILURE_LIMIT):
            sign_in_to_admin(Client(), "ada", "wrong horse")

        assert "suspended" not in sign_in_to_admin(Client(), "ada", "correct horse")

    @pytest.mark.parametrize("name", ["ada", "rhea", "nobody"])
    def test_takes_as_long_to_deny_whoever_is_asked_about(self, rhea, ada, monkeypatch, name):
        suspend_person(person=ada, by=rhea, now=NOON)
        hashed = []
        monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *_args: hashed.append(name) or "no digest")

        assert suspended_person(name=name, password="wrong horse") is None

        assert hashed == [name]

    def test_is_no_longer_said_once_they_are_let_in_again_and_signs_nobody_in(self, ada, rhea):
        at_work = signed_in(ada)
        suspend_person(person=ada, by=rhea, now=NOON)
        reinstate_person(person=ada, by=rhea)

        before = at_work.get("/api/me").json()
        sign_in(at_work, "correct horse")

        assert before["code"] == "not_authenticated"
        assert at_work.get("/api/me").json()["username"] == "ada"

    def test_hands_what_they_hold_to_others(self, kitchen, claimed, ada, ben, rhea, claim):
        suspend_person(person=ada, by=rhea, now=NOON)

        assert Assignment.objects.get().status == "OPEN"
        assert claim(kitchen, ben) == claimed

    def test_can_be_taken_back_with_nothing_lost(self, claimed, ada, rhea):
        suspend_person(person=ada, by=rhea, now=NOON)

        assert reinstate_person(person=ada, by=rhea)

        # What they had begun can still be handed in.
        submit(claimed, ada)
        assert Ranking.objects.get().labeler == ada
        assert signed_in(Person.objects.get(pk=ada.pk)).get("/api/me").status_code == 200

    def test_happens_once(self, ada, rhea):
        assert suspend_person(person=ada, by=rhea, now=NOON)

        assert not suspend_person(person=ada, by=rhea, now=NOON)

    def test_is_not_for_oneself_nor_for_the_last_researcher(self, rhea, ada):
        other = Person.objects.create_superuser("root")
        Person.objects.filter(pk=other.pk).update(is_active=False)

        for person, by in [(rhea, rhea), (rhea, Person.objects.get(pk=other.pk))]:
            with pytest.raises(NotAllowed):
                suspend_person(person=person, by=by, now=NOON)

    def test_is_for_researchers(self, ada, ben, rosa):
        for by in (ben, rosa):
            with pytest.raises(NotAllowed):
                suspend_person(person=ada, by=by, now=NOON)


class TestManaging:
    def test_leaves_superusers_to_superusers(self, rhea, ada):
        root = Person.objects.create_superuser("root")

        assert may_manage(ada, rhea) and may_manage(rhea, root)
        assert not may_manage(root, rhea) and not may_manage(ada, ada)
