"""The pages about people: who may open them, and what they do."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from annotation.actions.candidates import open_slots
from annotation.actions.people import figures_of
from annotation.actions.quality_reports import make_report
from annotation.actions.voids import void_work
from annotation.models import Assignment, Campaign, Cohort, Gold, Invitation, Person, Ranking, Void
from tests.annotation.test_submit_ranking import submit
from tests.annotation.test_suspension import signed_in

PEOPLE = "/admin/annotation/person/"


@pytest.fixture
def rhea(rhea):
    """A researcher as an invitation makes one: no superuser."""
    Person.objects.filter(pk=rhea.pk).update(is_staff=True)
    return Person.objects.get(pk=rhea.pk)


@pytest.fixture
def desk(rhea):
    return signed_in(rhea)


@pytest.fixture
def cooks(db):
    return Cohort.objects.create(name="Cooks <b>")


class TestThePages:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_open_for_researchers(self, desk, ada, cooks, kitchen, claimed, language):
        ranking, _ = submit(claimed, ada, now=timezone.now())
        make_report(campaign=kitchen, now=timezone.now())
        cooks.members.add(ada)
        pages = [f"{PEOPLE}{ada.pk}/{page}/" for page in ("change", "work", "suspension", "void")]
        pages += [PEOPLE, "/admin/annotation/invitation/invite/"]
        pages += [f"/admin/annotation/{name}/" for name in ("invitation", "cohort", "void")]
        pages += [f"/admin/annotation/cohort/{cooks.pk}/change/"]

        for page in pages:
            answer = desk.get(page, headers={"Accept-Language": language})
            assert answer.status_code == 200, page
            assert b"Cooks <b>" not in answer.content

    def test_open_for_nobody_else(self, ada, rosa, cooks):
        Person.objects.filter(pk=rosa.pk).update(is_staff=True)
        reviewer = signed_in(Person.objects.get(pk=rosa.pk))

        for page in ("work", "suspension", "void"):
            assert reviewer.get(f"{PEOPLE}{ada.pk}/{page}/").status_code == 403
        assert reviewer.get(PEOPLE).status_code == 403
        assert reviewer.get("/admin/annotation/invitation/invite/").status_code == 403


class TestTheList:
    def test_says_how_everybody_does(self, desk, ada, claimed):
        submit(claimed, ada, now=timezone.now())

        page = desk.get(PEOPLE).content.decode()

        row = re.search(r"<tr[^>]*>(?:(?!</tr>).)*>ada<.*?</tr>", page, re.S)[0]
        assert re.search(r"field-this_week[^>]*>\s*1\s*<", row)
        assert re.search(r"field-pace[^>]*>\s*12\s*<", row)

    def test_tells_accuracy_on_gold_and_agreement_with_others(self, ada, ben, soup_set, kitchen, claim):
        kitchen.overlap = 2
        kitchen.save()
        open_slots(soup_set, [2])
        for labeler in (ada, ben):
            held = claim(kitchen, labeler)
            submit(held, labeler, now=timezone.now())
        make_report(campaign=kitchen, now=timezone.now())
        mark_gold_met(ben, soup_set, kitchen)

        told = figures_of([ada, ben], now=timezone.now())

        assert (told[ada.pk].accuracy, told[ada.pk].agreement) == (None, 1)
        assert told[ben.pk].accuracy == 1

    def test_costs_the_same_for_many(self, desk, db, django_assert_max_num_queries):
        for number in range(40):
            Person.objects.create_user(f"labeler-{number}")

        with django_assert_max_num_queries(24):
            desk.get(PEOPLE)

    def test_tells_suspended_and_erased_apart(self, desk, ada, ben):
        Person.objects.filter(pk=ada.pk).update(is_active=False)
        Person.objects.filter(pk=ben.pk).update(is_active=False, erased_at=timezone.now())

        suspended = desk.get(f"{PEOPLE}?state=SUSPENDED").content.decode()
        erased = desk.get(f"{PEOPLE}?state=ERASED").content.decode()

        assert f"{PEOPLE}{ada.pk}/" in suspended and f"{PEOPLE}{ben.pk}/" not in suspended
        assert f"{PEOPLE}{ben.pk}/" in erased and f"{PEOPLE}{ada.pk}/" not in erased


def mark_gold_met(labeler, candidate_set, campaign):
    """What they ranked turns out to have had a known answer, and they were right."""
    ranking = Ranking.objects.get(labeler=labeler)
    Assignment.objects.filter(pk=ranking.assignment_id).update(purpose="gold", slot=None)
    Gold.objects.create(
        candidate_set=candidate_set, campaign=campaign, tiers=ranking.tiers, created_at=timezone.now()
    )


class TestInvitations:
    def test_are_made_from_a_pasted_list_and_shown_once(self, desk, cooks):
        asked = {
            "invitees": "Vera Zzano, vera@letters.example\nwalt@letters.example\n\nXenia",
            "role": "reviewer",
            "cohorts": [cooks.pk],
            "languages": "zh\nen",
            "skills": "",
            "days": 7,
        }

        answer = desk.post("/admin/annotation/invitation/invite/", asked)

        tokens = set(re.findall(r'value="http://testserver/app/join#([\w-]{40,})"', answer.content.decode()))
        assert len(tokens) == 3
        assert "no-store" in answer["Cache-Control"]
        told = Invitation.objects.order_by("pk").values_list("name", "email", "role", "languages")
        assert list(told) == [
            ("Vera Zzano", "vera@letters.example", "reviewer", ["zh", "en"]),
            ("", "walt@letters.example", "reviewer", ["zh", "en"]),
            ("Xenia", "", "reviewer", ["zh", "en"]),
        ]
        listed = desk.get("/admin/annotation/invitation/").content.decode()
        assert not any(token in listed for token in tokens)

    def test_refuse_what_is_no_address(self, desk):
        answer = desk.post(
            "/admin/annotation/invitation/invite/", {"invitees": "ve@ra", "role": "labeler", "days": 7}
        )

        assert "is no e-mail address" in answer.content.decode()
        assert not Invitation.objects.exists()

    def test_are_sent_only_where_there_is_a_server(self, desk, settings, mailoutbox):
        asked = {"invitees": "vera@letters.example", "role": "labeler", "days": 7, "emails": "on"}
        desk.post("/admin/annotation/invitation/invite/", asked)
        assert mailoutbox == []

        settings.EMAIL_HOST = "mail.letters.example"
        desk.post("/admin/annotation/invitation/invite/", asked)

        [letter] = mailoutbox
        assert letter.to == ["vera@letters.example"]
        assert "/app/join#" in letter.body

    def test_are_revoked_from_the_list(self, desk, rhea):
        one = Invitation.objects.create(
            created_by=rhea,
            token_digest="a",
            created_at=timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )

        desk.post("/admin/annotation/invitation/", {"action": "revoke", "_selected_action": [one.pk]})

        assert Invitation.objects.get().revoked_at


class TestChangingSeveral:
    def change(self, desk, people, **asked):
        chosen = {"action": "change_several", "_selected_action": [person.pk for person in people]}
        return desk.post(PEOPLE, {**chosen, "apply": "", **asked}, follow=True)

    def test_asks_first(self, desk, ada):
        answer = desk.post(PEOPLE, {"action": "change_several", "_selected_action": [ada.pk]})

        assert answer.status_code == 200
        assert "Change several people" in answer.content.decode()
        assert Person.objects.get(pk=ada.pk).role == "labeler"

    def test_changes_what_is_said_and_nothing_else(self, desk, ada, ben, cooks):
        Person.objects.filter(pk=ben.pk).update(skills=["cooking"])

        self.change(desk, [ada, ben], role="reviewer", sets_languages="on", languages="zh", join=[cooks.pk])

        told = Person.objects.filter(pk__in=[ada.pk, ben.pk]).order_by("pk")
        assert list(told.values_list("role", "languages", "skills")) == [
            ("reviewer", ["zh"], []),
            ("reviewer", ["zh"], ["cooking"]),
        ]
        assert cooks.members.count() == 2

    def test_leaves_superusers_and_the_last_researcher_alone(self, desk, ada, rhea):
        root = Person.objects.create_superuser("root", is_active=False)

        for people in ([ada, root], [ada, rhea]):
            page = self.change(desk, people, role="labeler", sets_skills="on", skills="tea").content.decode()
            assert "You may not change this account." in page or "last researcher" in page

        assert Person.objects.get(pk=ada.pk).skills == []
        assert Person.objects.get(pk=rhea.pk).role == "researcher"


class TestOneAccount:
    def save(self, desk, person, **changes):
        told = {"username": person.username, "role": person.role, "languages": "", "skills": "", **changes}
        return desk.post(f"{PEOPLE}{person.pk}/change/", told)

    def test_takes_languages_and_skills_a_line_each(self, desk, ada, cooks):
        answer = self.save(desk, ada, languages="en\nzh\n", skills="cooking", cohorts=[cooks.pk])

        assert answer.status_code == 302
        changed = Person.objects.get(pk=ada.pk)
        assert (changed.languages, changed.skills) == (["en", "zh"], ["cooking"])
        assert list(changed.cohorts.all()) == [cooks]

    def test_gives_nobody_more_rights_than_its_researcher_has(self, desk, ada, rhea):
        self.save(desk, ada, is_superuser="on", is_staff="on")
        self.save(desk, rhea, is_superuser="on")
        root = Person.objects.create_superuser("root")
        refused = self.save(desk, root, role="labeler")

        assert refused.status_code == 403
        assert not Person.objects.filter(is_superuser=True).exclude(pk=root.pk).exists()
        assert not Person.objects.get(pk=ada.pk).is_staff

    def test_lets_no_researcher_set_anothers_password(self, desk, ada):
        other = Person.objects.create_user("rob", role="researcher")

        assert desk.get(f"{PEOPLE}{other.pk}/password/").status_code == 403
        assert desk.get(f"{PEOPLE}{ada.pk}/password/").status_code == 200

    def test_is_suspended_and_let_in_again_with_the_reason_kept(self, desk, ada):
        desk.post(f"{PEOPLE}{ada.pk}/suspension/", {"reason": "Clicks through."})
        assert not Person.objects.get(pk=ada.pk).is_active

        desk.post(f"{PEOPLE}{ada.pk}/suspension/", {"reason": ""})

        assert Person.objects.get(pk=ada.pk).is_active
        kept = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
        assert "Clicks through." in kept[0] and len(kept) == 2

    def test_loses_its_work_only_after_a_preview(self, desk, ada, claimed):
        submit(claimed, ada, now=timezone.now() - timedelta(minutes=1))
        page = f"{PEOPLE}{ada.pk}/void/"
        asked = {"since": (timezone.localdate() - timedelta(days=1)).isoformat(), "reason": "Clicked."}

        desk.post(page, {**asked, "void": ""})
        preview = desk.post(page, {**asked, "preview": ""}).content.decode()
        assert not Void.objects.exists()
        shown = dict(re.findall(r'name="(until|shown)" value="([^"]+)"', preview))
        other_day = {"since": timezone.localdate().isoformat()}
        desk.post(page, {**asked, **shown, **other_day, "void": ""})
        assert not Void.objects.exists()
        desk.post(page, {**asked, **shown, "void": ""})

        void = Void.objects.get()
        assert (void.labeler, void.reason, void.turns.count()) == (ada, "Clicked.", 1)

        desk.post("/admin/annotation/void/", {"action": "restore", "_selected_action": [void.pk]})
        assert Void.objects.get().lifted_at

    def test_loses_it_for_a_reason_that_the_form_asks_for(self, desk, ada):
        page = f"{PEOPLE}{ada.pk}/void/"

        asked = desk.get(page).context["form"]["reason"]
        told = desk.post(page, {"since": timezone.localdate().isoformat(), "preview": ""}).context["form"]

        assert asked.field.required
        assert set(told.errors) == {"reason"}

    def test_gets_its_work_back_from_the_page_of_what_was_voided(self, desk, rhea, ada, claimed):
        submit(claimed, ada, now=timezone.now() - timedelta(minutes=1))
        now = timezone.now()
        void = void_work(
            person=ada,
            since=now - timedelta(days=1),
            until=now,
            reason="A mistake.",
            reopens=False,
            by=rhea,
            now=now,
        )
        page = f"/admin/annotation/void/{void.pk}/change/"
        restore = f"/admin/annotation/void/{void.pk}/restore/"
        assert restore.removesuffix("/") in desk.get(page).content.decode()
        assert b"It counts again" in desk.get(restore).content
        assert not Void.objects.get().lifted_at

        desk.post(restore)

        assert Void.objects.get().lifted_by == rhea
        assert Assignment.objects.get(pk=claimed.pk).purpose == Assignment.Purpose.OVERLAP
        assert "/restore" not in desk.get(page).content.decode()


def test_a_campaign_takes_its_axes_a_line_each_and_its_cohorts(admin, kitchen, cooks):
    page = admin.get(f"/admin/annotation/campaign/{kitchen.pk}/change/")
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    told = {name: value for name, value in values.items() if value is not None and value is not False}
    formsets = {
        f"{prefix}-{name}": 0
        for prefix in ("guidelines", "consent_texts")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }

    answer = admin.post(
        f"/admin/annotation/campaign/{kitchen.pk}/change/",
        {**told, **formsets, "rating_axes": "helpfulness\nhonesty", "cohorts": [cooks.pk]},
    )

    assert answer.status_code == 302, answer.context["adminform"].errors
    changed = Campaign.objects.get()
    assert changed.rating_axes == ["helpfulness", "honesty"]
    assert list(changed.cohorts.all()) == [cooks]
