import json
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.actions import forgetting
from annotation.actions.assignments import skip_assignment
from annotation.actions.candidates import add_candidate_set
from annotation.actions.consents import give_consent, publish_consent_text
from annotation.actions.demonstrations import claim_demonstration, submit_demonstration
from annotation.actions.erasure import (
    approve_erasure,
    ask_for_erasure,
    carry_out_erasures,
    erase_person,
    take_back_erasure,
    what_goes,
)
from annotation.actions.feedback_data import Terms, make_feedback_data
from annotation.actions.prompts import add_prompt
from annotation.errors import ErasureRefused
from annotation.models import (
    Acknowledgement,
    Assignment,
    Bookmark,
    Campaign,
    Chat,
    ChatConsent,
    Cohort,
    Consensus,
    Demonstration,
    ErasureRequest,
    Gold,
    Import,
    Invitation,
    LapsedLease,
    Pause,
    Person,
    PracticeAttempt,
    PracticeItem,
    QualityReport,
    Ranking,
    RankingDraft,
    Review,
    Tombstone,
    Void,
)
from tests.annotation.chatting import thumb
from tests.annotation.test_submit_ranking import submit
from tests.annotation.traces import traces_of
from tests.conftest import NOON
from trainer.models import Arena, Checkpoint, Export, Pipeline, PipelineRun, Promotion, Run, Snapshot

REMOVED, ANONYMISED = Tombstone.Mode.REMOVED, Tombstone.Mode.ANONYMISED
LATER = NOON + timedelta(days=1)
MODES = pytest.mark.parametrize("mode", [REMOVED, ANONYMISED])


@pytest.fixture
def vera(db):
    """Her name is in no other text of these tests."""
    return Person.objects.create_user(
        "verazzano",
        email="vz@letters.example",
        password="correct horse",
        first_name="Vera",
        last_name="Zzano",
        languages=["en"],
        skills=["cooking"],
    )


def write(campaign, labeler):
    return submit_demonstration(
        demonstration=claim_demonstration(campaign=campaign, labeler=labeler),
        turns=[{"role": "assistant", "content": "Boil it."}],
        seconds_spent=9,
        idempotency_key=uuid4(),
        now=NOON,
    )[0]


def sets_for(campaign, count):
    return [
        add_candidate_set(
            prompt=add_prompt(campaign=campaign, messages=[{"role": "user", "content": f"Soup {n}?"}])[0],
            texts=["Yes.", "No."],
        )
        for n in range(count)
    ]


def erase(person, mode=REMOVED, by=None):
    return erase_person(person=person, mode=mode, by=by, now=LATER)


class TestRemoving:
    def test_opens_the_slots_again_so_that_exactly_k_are_collected(self, kitchen, soup_set, vera, ada, claim):
        submit(claim(kitchen, vera), vera)

        erased = erase(vera)

        assert (erased.rankings, Ranking.objects.count()) == (1, 0)
        submit(claim(kitchen, ada), ada)
        assert Assignment.objects.get().labeler == ada

    def test_leaves_a_tombstone_for_each_row(self, kitchen, soup_set, soup, vera, claim):
        ranking, _ = submit(claim(kitchen, vera), vera)
        demonstration = write(kitchen, vera)

        erase(vera)

        assert set(Tombstone.objects.values_list("kind", "row", "mode", "campaign", "erased_at")) == {
            ("ranking", ranking.pk, "removed", kitchen.pk, LATER),
            ("demonstration", demonstration.pk, "removed", kitchen.pk, LATER),
        }
        assert not Demonstration.objects.exists()

    def test_asks_for_the_demonstration_again(self, kitchen, soup, vera, ada):
        write(kitchen, vera)
        assert claim_demonstration(campaign=kitchen, labeler=ada) is None

        erase(vera)

        assert claim_demonstration(campaign=kitchen, labeler=ada).prompt == soup

    def test_drops_the_consensus_of_what_was_ranked(self, kitchen, soup_set, vera, ada, claim):
        other = sets_for(kitchen, 1)[0]
        submit(claim(kitchen, vera), vera)
        Consensus.objects.create(
            candidate_set=other, campaign=kitchen, method="borda", tiers=[], rankings=1, made_at=NOON
        )
        assert soup_set.consensus.rankings == 1

        erase(vera)

        assert Consensus.objects.get().candidate_set == other

    def test_forgets_a_turn_at_gold_altogether(self, kitchen, soup_set, vera):
        gold = Assignment.objects.create(
            candidate_set=soup_set,
            campaign=kitchen,
            purpose=Assignment.Purpose.GOLD,
            status="CLAIMED",
            labeler=vera,
            lease_expires_at=LATER,
            shown_order=sorted(soup_set.completions.values_list("pk", flat=True)),
        )
        submit(gold, vera)

        erase(vera)

        assert Assignment.objects.get().purpose == Assignment.Purpose.OVERLAP

    def test_takes_a_reviewers_words_but_not_the_verdict(self, kitchen, soup, vera, ada):
        review = Review.objects.create(
            demonstration=write(kitchen, ada),
            reviewer=vera,
            verdict="RETURNED",
            reason="As I told you at lunch.",
            turns=[],
            reviewed_at=NOON,
        )

        erase(vera)

        review.refresh_from_db()
        assert review.verdict == "RETURNED"
        assert "lunch" not in review.reason
        assert review.reviewer.username.startswith("nobody:")


class TestAnonymising:
    def test_keeps_what_was_made_and_for_whom_is_gone(self, kitchen, soup_set, soup, vera, claim):
        ranking, _ = submit(claim(kitchen, vera), vera, tiers=[[pk] for pk in ids_of(soup_set)])
        demonstration = write(kitchen, vera)

        erase(vera, ANONYMISED)

        kept = Ranking.objects.get()
        assert (kept.pk, kept.tiers, kept.consent) == (ranking.pk, ranking.tiers, ranking.consent)
        assert kept.assignment.status == "SUBMITTED"
        assert kept.labeler == kept.assignment.labeler != vera
        assert Demonstration.objects.get().turns == demonstration.turns
        assert Demonstration.objects.get().labeler != vera
        assert set(Tombstone.objects.values_list("kind", "row", "mode")) == {
            ("ranking", ranking.pk, "anonymised"),
            ("demonstration", demonstration.pk, "anonymised"),
        }

    def test_two_people_who_ranked_the_same_stay_two(self, kitchen, soup, vera, ada, claim):
        kitchen.overlap = 2
        kitchen.save()
        add_candidate_set(prompt=soup, texts=["Boil it.", "Fry it."])
        for person in (vera, ada):
            submit(claim(kitchen, person), person)

        erase(vera, ANONYMISED)
        erase(ada, ANONYMISED)

        holders = set(Ranking.objects.values_list("labeler__username", flat=True))
        assert holders == {"nobody:1", "nobody:2"}

    def test_nobody_can_sign_in_or_be_erased_again(self, kitchen, soup_set, vera, claim):
        submit(claim(kitchen, vera), vera)
        erase(vera, ANONYMISED)
        nobody = Ranking.objects.get().labeler

        erase(nobody, REMOVED)

        assert Ranking.objects.exists()
        assert not nobody.is_active
        assert not nobody.has_usable_password()

    def test_removes_what_only_its_author_could_finish(self, kitchen, soup, vera, ada):
        returned = write(kitchen, vera)
        Demonstration.objects.filter(pk=returned.pk).update(status="RETURNED")

        erase(vera, ANONYMISED)

        assert not Demonstration.objects.exists()
        assert Tombstone.objects.get().mode == REMOVED
        assert claim_demonstration(campaign=kitchen, labeler=ada)


def ids_of(candidate_set):
    return list(candidate_set.completions.order_by("-pk").values_list("pk", flat=True))


class TestThePerson:
    @MODES
    def test_is_found_nowhere(self, kitchen, soup, vera, ada, rhea, claim, mode):
        everything_about(vera, kitchen, ada, claim)
        ranked, names = vera.pk, ("verazzano", "vz@letters", "vera", "zzano")
        found = traces_of(ranked, *names)
        assert {
            "Ranking.labeler",
            "Gold.created_by",
            "Run.created_by",
            "LogEntry.object_repr",
            "QualityReport.figures",
        } <= found
        assert len(found) > 25

        erase(vera, mode)

        assert traces_of(ranked, *names) == set()
        (others,) = QualityReport.objects.get().figures["labelers"]
        assert others["labeler"] == ada.pk

    @MODES
    def test_leaves_an_account_without_a_name(self, vera, mode):
        erase(vera, mode)

        vera.refresh_from_db()
        assert vera.username.startswith("erased:")
        assert (vera.email, vera.first_name, vera.last_name) == ("", "", "")
        assert (vera.languages, vera.skills, vera.last_login) == ([], [], None)
        assert (vera.is_active, vera.erased_at) == (False, LATER)
        assert not vera.has_usable_password()

    def test_is_signed_out_at_once(self, vera, ada):
        hers, his = Client(), Client()
        hers.force_login(vera)
        his.force_login(ada)

        erase(vera)

        assert hers.get("/api/me").status_code == 403
        assert his.get("/api/me").status_code == 200

    @MODES
    def test_erased_twice_is_erased_once(self, kitchen, soup_set, vera, claim, mode):
        submit(claim(kitchen, vera), vera)
        erase(vera, mode)
        vera.refresh_from_db()

        again = erase(vera, mode)

        assert again.rankings == 0
        assert Tombstone.objects.count() == 1

    def test_who_is_the_last_researcher_stays(self, rhea):
        with pytest.raises(ErasureRefused):
            erase(rhea)

        Person.objects.create_user("rob", role=Person.Role.RESEARCHER)
        erase(rhea)
        assert Person.objects.get(pk=rhea.pk).erased_at

    def test_does_not_erase_themselves(self, rhea):
        Person.objects.create_user("rob", role=Person.Role.RESEARCHER)

        with pytest.raises(ErasureRefused):
            erase(rhea, by=rhea)


class TestALongErasure:
    @MODES
    def test_that_was_stopped_goes_on(self, kitchen, vera, claim, mode, monkeypatch):
        sets_for(kitchen, 5)
        for _ in range(5):
            submit(claim(kitchen, vera), vera)
        monkeypatch.setattr(forgetting, "BATCH", 2)
        stop_after(monkeypatch, batches=2)
        with pytest.raises(KeyboardInterrupt):
            erase(vera, mode)
        assert Tombstone.objects.count() == 4
        vera.refresh_from_db()
        assert (vera.username, vera.is_active) == ("verazzano", False)
        monkeypatch.undo()

        erase(vera, mode)

        assert Tombstone.objects.count() == 5
        assert traces_of(vera.pk, "verazzano") == set()

    def test_takes_about_as_many_statements_for_each_batch(
        self, kitchen, vera, claim, monkeypatch, django_assert_max_num_queries
    ):
        sets_for(kitchen, 30)
        for _ in range(30):
            submit(claim(kitchen, vera), vera)
        monkeypatch.setattr(forgetting, "BATCH", 10)

        with django_assert_max_num_queries(110):
            erase(vera, ANONYMISED)


def stop_after(monkeypatch, *, batches):
    forget_batch, done = forgetting._forget_batch, []

    def forget_or_stop(rows, forget, now):
        if len(done) == batches:
            raise KeyboardInterrupt
        batch = forget_batch(rows, forget, now)
        done.extend([len(batch)] if batch else [])
        return batch

    monkeypatch.setattr(forgetting, "_forget_batch", forget_or_stop)


class TestARequest:
    def test_waits_for_a_researcher(self, vera):
        ask_for_erasure(person=vera, mode=REMOVED, now=NOON)

        assert carry_out_erasures(now=LATER) == 0
        assert Person.objects.get(pk=vera.pk).is_active

    def test_can_be_changed_and_taken_back(self, vera):
        ask_for_erasure(person=vera, mode=REMOVED, now=NOON)
        ask_for_erasure(person=vera, mode=ANONYMISED, now=LATER)
        assert ErasureRequest.objects.get().mode == ANONYMISED

        take_back_erasure(person=vera)

        assert not ErasureRequest.objects.exists()

    def test_that_was_approved_is_carried_out_and_no_longer_says_of_whom(self, vera, rhea):
        ask_for_erasure(person=vera, mode=REMOVED, now=NOON)
        approve_erasure(person=vera, mode=REMOVED, by=rhea, now=NOON)

        assert carry_out_erasures(now=LATER) == 1

        request = ErasureRequest.objects.get()
        assert (request.person, request.finished_at, request.approved_by) == (None, LATER, rhea)
        assert Person.objects.get(pk=vera.pk).erased_at == LATER
        assert carry_out_erasures(now=LATER) == 0

    def test_that_was_approved_stands(self, vera, rhea):
        approve_erasure(person=vera, mode=REMOVED, by=rhea, now=NOON)

        for change in (
            lambda: take_back_erasure(person=vera),
            lambda: ask_for_erasure(person=vera, mode=ANONYMISED, now=NOON),
            lambda: approve_erasure(person=vera, mode=ANONYMISED, by=rhea, now=NOON),
        ):
            with pytest.raises(ErasureRefused):
                change()
        assert ErasureRequest.objects.get().mode == REMOVED

    def test_by_a_researcher_for_themselves_waits_for_another(self, rhea):
        Person.objects.create_user("rob", role=Person.Role.RESEARCHER)

        with pytest.raises(ErasureRefused):
            approve_erasure(person=rhea, mode=REMOVED, by=rhea, now=NOON)


def test_the_preview_counts_what_will_go(kitchen, soup_set, soup, vera, ada, claim):
    sets_for(kitchen, 2)
    submit(claim(kitchen, vera), vera)
    skip_assignment(assignment=claim(kitchen, vera), labeler=vera, reason="Long", now=NOON)
    claim(kitchen, vera)
    write(kitchen, vera)
    claim_demonstration(campaign=kitchen, labeler=vera)

    preview = what_goes(vera)

    assert {name: count for name, count in preview.items() if count} == {
        "rankings": 1,
        "demonstrations": 1,
        "unfinished": 1,
        "held": 1,
        "skips": 1,
    }


people = st.sampled_from(["vera", "ada", "ben"])
history = st.lists(st.tuples(people, st.sampled_from(["rank", "skip", "hold", "write"])), max_size=14)
erasures = st.lists(st.tuples(people, st.sampled_from([REMOVED, ANONYMISED])), min_size=1, max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=history, erasures=erasures)
def test_whoever_is_erased_others_keep_their_work_and_the_slots_stay_k(
    vera, ada, ben, claim, history, erasures
):
    by_name = {"vera": vera, "ada": ada, "ben": ben}
    with transaction.atomic():
        campaign = Campaign.objects.create(name="Garden", overlap=2, demonstrations_per_prompt=2)
        sets_for(campaign, 3)
        for name, what in history:
            act(what, campaign, by_name[name], claim)
        made = list(Ranking.objects.values_list("pk", "labeler", "tiers"))
        modes = {}

        for name, mode in erasures:
            person = Person.objects.get(pk=by_name[name].pk)
            modes.setdefault(person.pk, mode)
            erase(person, mode)

        kept = {
            pk: (labeler, tiers)
            for pk, labeler, tiers in Ranking.objects.values_list("pk", "labeler", "tiers")
        }
        for pk, labeler, tiers in made:
            mode = modes.get(labeler)
            assert (pk in kept) == (mode != REMOVED)
            if pk in kept:
                assert kept[pk][1] == tiers
                assert (kept[pk][0] == labeler) == (mode is None)
        slots = Counter(Assignment.objects.values_list("candidate_set", flat=True))
        assert set(slots.values()) == {2}
        buried = Tombstone.objects.filter(kind="ranking").values_list("row", flat=True)
        assert sorted(buried) == sorted(pk for pk, labeler, _ in made if labeler in modes)
        assert all(traces_of(pk, "never written") == set() for pk in modes)
        transaction.set_rollback(True)


def act(what, campaign, person, claim):
    if what == "write":
        if claim_demonstration(campaign=campaign, labeler=person):
            write(campaign, person)
        return
    held = claim(campaign, person)
    if held and what == "rank":
        submit(held, person)
    if held and what == "skip":
        skip_assignment(assignment=held, labeler=person, reason="Long", now=NOON)


def everything_about(person, kitchen, ada, claim):
    """One row of every kind that points at a person, or mentions them."""
    publish_consent_text(campaign=kitchen, text="We keep what you write.", now=NOON)
    for labeler in (person, ada):
        give_consent(campaign=kitchen, labeler=labeler, version=1, now=NOON)
    first, second, third, gold = sets_for(kitchen, 4)
    submit(claim(kitchen, person), person)
    skip_assignment(assignment=claim(kitchen, person), labeler=person, reason="Long", now=NOON)
    held = claim(kitchen, person)
    Bookmark.objects.create(
        campaign=kitchen, labeler=person, purpose="overlap", priority=0, assignment_id=1, started_at=NOON
    )
    LapsedLease.objects.create(assignment=held, labeler=person, shown_order=[], lapsed_at=NOON)
    RankingDraft.objects.create(assignment=held, labeler=person, content={}, saved_at=NOON)
    practised_by(person, kitchen, second)
    Chat.objects.create(campaign=kitchen, person=person, created_at=NOON, updated_at=NOON)
    ChatConsent.objects.create(campaign=kitchen, person=person, allows_training=True, changed_at=NOON)
    thumb(person, kitchen, "Tea?", "Boil water.", up=True)
    make_feedback_data(campaign=kitchen, terms=Terms(), now=NOON)
    write(kitchen, person)
    claim_demonstration(campaign=kitchen, labeler=person)
    by_ada = write(kitchen, ada)
    Review.objects.create(
        demonstration=by_ada, reviewer=person, verdict="ACCEPTED", turns=[], reviewed_at=NOON
    )
    assert by_ada.take_up(person, now=NOON, lease=timedelta(minutes=5))
    Pause.objects.create(campaign=kitchen, labeler=person, reason="Gold", paused_at=NOON)
    Gold.objects.create(candidate_set=gold, campaign=kitchen, tiers=[], created_by=person, created_at=NOON)
    Import.objects.create(
        campaign=kitchen, format="oasst", file="f", file_name="f", created_by=person, created_at=NOON
    )
    figures = {"labelers": [{"labeler": labeler.pk, "rankings": 1} for labeler in (person, ada)]}
    QualityReport.objects.create(campaign=kitchen, rankings=2, figures=figures, made_at=NOON)
    third.authors.add(person)
    third.prompt.author = person
    third.prompt.save()
    ask_for_erasure(person=person, mode=REMOVED, now=NOON)
    machines_of(person, kitchen)
    managed_by(person, kitchen, ada)
    logs_of(person, ada)


def managed_by(person, kitchen, ada):
    Cohort.objects.create(name="Cooks").members.add(person)
    invited = {"created_by": person, "created_at": NOON, "expires_at": LATER}
    Invitation.objects.create(**invited, token_digest="a", accepted_at=NOON, accepted_by=person)
    span = {"since": NOON, "until": LATER, "reason": person.username, "reopens": False}
    by = {"created_by": person, "lifted_by": person, "created_at": NOON, "lifted_at": NOON}
    Void.objects.create(labeler=person, **span, **by)


def practised_by(person, kitchen, candidate_set):
    item = PracticeItem.objects.create(
        candidate_set=candidate_set, campaign=kitchen, tiers=[], explanation="So.", created_at=NOON
    )
    PracticeAttempt.objects.create(item=item, labeler=person, tiers=[], is_passed=True, attempted_at=NOON)
    Acknowledgement.objects.create(guideline=kitchen.guidelines.first(), labeler=person, acknowledged_at=NOON)


def machines_of(person, kitchen):
    snapshot = Snapshot.objects.create(
        campaign=kitchen,
        kind="rankings",
        digest="d" * 64,
        rows=1,
        manifest={},
        created_by=person,
        created_at=NOON,
    )
    Export.objects.create(
        snapshot=snapshot, format="trl", container="jsonl", created_by=person, created_at=NOON
    )
    Run.objects.create(campaign=kitchen, kind="sft", snapshot=snapshot, created_by=person, created_at=NOON)
    base = Checkpoint.objects.create(kind="base", name="base", digest="b" * 64, created_at=NOON)
    Promotion.objects.create(campaign=kitchen, checkpoint=base, promoted_by=person, promoted_at=NOON)
    Arena.objects.create(
        campaign=kitchen, name="Cooks", snapshot=snapshot, created_by=person, created_at=NOON
    )
    pipeline = Pipeline.objects.create(campaign=kitchen, name="p", created_by=person, created_at=NOON)
    PipelineRun.objects.create(
        pipeline=pipeline, number=1, new_rankings=0, start=base, started_by=person, started_at=NOON
    )


def logs_of(person, ada):
    client = Client()
    client.force_login(person)
    accounts = ContentType.objects.get_for_model(Person)
    pauses = ContentType.objects.get_for_model(Pause)
    about = [(ada, accounts, person, person.username), (person, accounts, ada, "ada")]
    mention = [(ada, pauses, ada, f"{person.username}: Gold")]
    for by, kind, row, words in about + mention:
        LogEntry.objects.create(
            user=by,
            content_type=kind,
            object_id=str(row.pk),
            object_repr=words,
            action_flag=CHANGE,
            change_message=json.dumps([{"changed": {"name": words}}]),
        )
    seen = {"username": person.username, "ip_address": "192.0.2.1", "user_agent": "x", "path_info": "/"}
    AccessAttempt.objects.create(**seen, failures_since_start=1)
    AccessFailureLog.objects.create(**seen)
    AccessLog.objects.create(**{**seen, "username": person.email})


def test_every_field_that_points_at_a_person_is_let_go(kitchen, soup, vera, ada, rhea, claim):
    """A model that is added later is caught here, before an erasure meets it."""
    everything_about(vera, kitchen, ada, claim)
    pointing = {
        f"{relation.remote_field.model.__name__}.{relation.remote_field.name}"
        for relation in Person._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and relation.one_to_many
    }

    never_set = {"Person_groups.person", "Person_user_permissions.person", "ErasureRequest.approved_by"}
    assert pointing - never_set <= traces_of(vera.pk, "never written")
