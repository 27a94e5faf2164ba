"""What models make up comes into the campaign marked, waits for people, and is in no data unasked."""

import json
import random
from datetime import timedelta

import pytest

from annotation.actions.assignments import claim_assignments
from annotation.actions.campaigns import publish_guideline
from annotation.actions.candidates import add_candidate_set
from annotation.actions.demonstrations import claim_demonstration
from annotation.actions.prompts import release_prompt
from annotation.actions.reviews import claim_review, review_demonstration
from annotation.actions.voids import void_work
from annotation.models import Assignment, CandidateSet, Demonstration, Person, Prompt, Ranking
from config.dashboard import labelling
from tests.conftest import NOON
from tests.trainer.conftest import rank
from trainer import launch, pulse
from trainer.actions import execution
from trainer.actions.candidates_to_judge import guideline_read_by
from trainer.actions.filters import Filters
from trainer.actions.runs import queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import FilterDoesNotFit, InvalidConfig, NothingToFreeze
from trainer.exports.card import dataset_card
from trainer.exports.formats import FORMATS
from trainer.handoff.records import RECORDS, read_records
from trainer.handoff.rundir import RunDirectory
from trainer.models import Run, RunEvent, Snapshot, SyntheticRow

COST = {"requests": 2, "tokens": 9, "problem": "", "prompt_id": None, "completion": "", "finished": True}
DIALOGUE = [
    {"role": "user", "content": "Can I freeze bread?"},
    {"role": "assistant", "content": "Yes, for months."},
    {"role": "user", "content": "Sliced?"},
    {"role": "assistant", "content": "Best so."},
]


@pytest.fixture
def deliver(frozen, base, rhea, monkeypatch):
    """Runs the desk over a lab that wrote the given lines."""
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)

    def deliver(kind, *lines, keep=True):
        run = queue_run(
            kind=kind, snapshot=frozen["prompts"], base=base, deliver=keep, created_by=rhea, now=NOON
        )

        def pretend(run, *, pulse, command=None):
            for number, line in enumerate(lines):
                RunDirectory(run.folder).append_sample(**{"item": number, **COST, **line})
            return launch.Ending(launch.How.DONE, summary={"usable": len(lines)})

        monkeypatch.setattr(launch, "carry_out", pretend)
        execution.execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False)
        run.refresh_from_db()
        assert run.status == Run.Status.SUCCEEDED, run.failure
        return run

    return deliver


def dialogue(messages=DIALOGUE, **changes):
    return {"messages": messages, "topic": "bread", "persona": "a cook", "made_from": [], **changes}


def expanded(*texts):
    return {"prompts": list(texts), "kind": "question", "language": "en", "made_from": [3]}


def order(candidate_set, *, rationale="A helps more."):
    ids = sorted(candidate_set.completions.values_list("pk", flat=True))
    askings = [
        {"shown": ids, "tiers": [[one] for one in ids], "reason": rationale},
        {"shown": ids[::-1], "tiers": [[one] for one in ids], "reason": rationale},
    ]
    return {
        "item": candidate_set.pk,
        "tiers": [[one] for one in ids],
        "askings": askings,
        "completion": rationale,
    }


def freeze(campaign, kind, **filters):
    return freeze_snapshot(
        campaign=campaign, kind=kind, filters=Filters(**filters), created_by=None, now=NOON
    )


def rows(snapshot):
    return read_records(snapshot.file, RECORDS[snapshot.kind])


@pytest.fixture
def grace(db):
    return Person.objects.create_user("grace", password="correct horse", role=Person.Role.REVIEWER)


class TestExpandedPrompts:
    def test_are_held_and_marked_with_the_run_that_made_them(self, deliver, kitchen, base):
        run = deliver("expand", expanded("Which wine goes with fish?"))

        made = Prompt.objects.get(is_synthetic=True)
        row = SyntheticRow.objects.get(prompt=made)
        assert (made.status, made.source, made.kind, made.language) == ("HELD", "synthetic", "question", "en")
        assert (row.run, row.checkpoint, row.made_from) == (run, base, {"prompts": [3]})

    def test_are_in_no_snapshot_unless_released_and_asked_for(self, deliver, kitchen, prompts):
        deliver("expand", expanded("Which wine goes with fish?"))
        made = Prompt.objects.get(is_synthetic=True)

        held = freeze(kitchen, "prompts", synthetic="include")
        release_prompt(made)
        silent, asked = freeze(kitchen, "prompts"), freeze(kitchen, "prompts", synthetic="include")

        assert held.rows == silent.rows == len(prompts)
        assert [row.prompt_id for row in rows(asked) if row.synthetic == ["prompt"]] == [made.pk]
        assert asked.manifest["filters"] == {"synthetic": "include"}
        assert asked.manifest["synthetic"] == {"prompt": 1}
        assert [row.prompt_id for row in rows(freeze(kitchen, "prompts", synthetic="only"))] == [made.pk]

    def test_leave_a_prompt_of_a_person_as_it_was(self, deliver, prompts):
        deliver("expand", expanded("How do I make soup?"))

        assert not Prompt.objects.filter(is_synthetic=True).exists()
        assert not SyntheticRow.objects.exists()

    @pytest.mark.parametrize("text", ["", " ", "a\x00b", "x" * 100_001])
    def test_that_cannot_be_stored_are_left_out(self, deliver, text):
        deliver("expand", expanded(text, "What is left?"))

        assert Prompt.objects.filter(is_synthetic=True).count() == 1

    def test_are_not_delivered_where_nobody_wants_that(self, deliver):
        deliver("expand", expanded("Which wine goes with fish?"), keep=False)

        assert not Prompt.objects.filter(is_synthetic=True).exists()


class TestDialogues:
    def test_await_review_as_marked_demonstrations(self, deliver, kitchen, grace):
        run = deliver("generate", dialogue())

        made = Demonstration.objects.get(is_synthetic=True)
        assert (made.status, made.turns) == (Demonstration.Status.SUBMITTED, DIALOGUE[1:])
        assert (made.prompt.messages, made.prompt.status) == (DIALOGUE[:1], Prompt.Status.HELD)
        assert made.prompt.is_synthetic
        assert SyntheticRow.objects.get(demonstration=made).run == run
        assert not made.labeler.is_active
        assert not made.labeler.has_usable_password()

    def test_teach_nothing_until_they_are_accepted_and_asked_for(
        self, deliver, kitchen, demonstrations, grace
    ):
        deliver("generate", dialogue())
        waiting = freeze(kitchen, "demonstrations", synthetic="include")
        made = self.accepted_by(grace, kitchen, NOON)

        silent = freeze(kitchen, "demonstrations")
        asked = freeze(kitchen, "demonstrations", synthetic="include")

        assert waiting.rows == silent.rows == len(demonstrations)
        assert [row.demonstration_id for row in rows(asked) if row.synthetic == ["prompt", "turns"]] == [
            made.pk
        ]

    def test_take_no_place_of_a_persons_demonstration(self, deliver, kitchen, ada, prompts):
        Demonstration.objects.all().delete()
        deliver("generate", dialogue([prompts[0].messages[0], *DIALOGUE[1:]]))

        claimed = claim_demonstration(campaign=kitchen, labeler=ada)

        assert Demonstration.objects.get(is_synthetic=True).prompt == prompts[0] == claimed.prompt

    def test_that_are_no_dialogue_are_left_out(self, deliver):
        twice = [DIALOGUE[0], DIALOGUE[1], DIALOGUE[1]]

        deliver("generate", dialogue(twice), dialogue([]), dialogue(DIALOGUE[:1]), dialogue())

        assert Demonstration.objects.filter(is_synthetic=True).count() == 1

    def accepted_by(self, reviewer, campaign, now):
        while found := claim_review(campaign=campaign, reviewer=reviewer, now=now):
            review_demonstration(
                demonstration=found, reviewer=reviewer, verdict="ACCEPTED", revision=found.revision, now=now
            )
        return Demonstration.objects.get(is_synthetic=True)


class TestJudgedOrders:
    @pytest.fixture
    def judged(self, deliver, rankings):
        def judge(count=8, **changes):
            sets = CandidateSet.objects.order_by("pk")[:count]
            return deliver("judge", *(order(one, **changes) for one in sets))

        return judge

    def test_are_rankings_of_their_own_kind_with_the_reason(self, judged, base):
        run = judged()

        made = Ranking.objects.filter(assignment__purpose="judge")
        assert made.count() == 8
        assert made[0].rationale == "A helps more."
        note = SyntheticRow.objects.get(ranking=made[0])
        assert (note.run, note.checkpoint, len(note.made_from["askings"])) == (run, base, 2)

    def test_are_in_no_snapshot_unless_asked_for(self, judged, kitchen, rankings):
        judged()

        silent = freeze(kitchen, "rankings")
        asked = freeze(kitchen, "rankings", synthetic="include", synthetic_weight=0.25)
        alone = freeze(kitchen, "rankings", synthetic="only")

        assert {row.purpose for row in rows(silent)} == {"overlap"}
        assert "synthetic" not in silent.manifest
        weights = {(row.purpose, row.weight) for row in rows(asked)}
        assert weights == {("overlap", 1.0), ("judge", 0.25)}
        assert asked.manifest["synthetic"] == {"order": 8}
        assert asked.manifest["labelers"] == silent.manifest["labelers"] == 1
        assert asked.manifest["filters"] == {"synthetic": "include", "synthetic_weight": 0.25}
        assert {tuple(row.synthetic) for row in rows(alone)} == {("order",)}

    def test_are_told_by_the_card(self, judged, kitchen):
        judged()
        snapshot = freeze(kitchen, "rankings", synthetic="include")

        card = dataset_card(snapshot, FORMATS["listwise"], "jsonl", {"train.jsonl": 1})

        assert "- Synthetic: made up by models, not by people: the orders of 8 rows" in card

    def test_give_way_to_a_reviewers_order(self, judged, kitchen, grace):
        judged()
        ranking = Ranking.objects.filter(assignment__purpose="overlap").first()
        Assignment.objects.filter(pk=ranking.assignment_id).update(purpose="adjudication", slot=None)

        found = {
            row.purpose: row.weight
            for row in rows(freeze(kitchen, "rankings", synthetic="include"))
            if row.candidate_set_id == ranking.assignment.candidate_set_id
        }

        assert found == {"adjudication": 1.0, "judge": 0.0}

    def test_leave_the_overlap_and_its_counts_alone(self, judged, kitchen, prompts, grace):
        fresh = add_candidate_set(prompt=prompts[0], texts=["Slowly.", "Fast."])
        before = labelling(NOON)[0]

        judged(count=9)

        assert vars(labelling(NOON)[0]) == vars(before)
        claimed = claim_assignments(
            campaign=kitchen, labeler=grace, count=9, holding=[], now=NOON, rng=random.Random(0)
        )
        assert fresh in [one.candidate_set for one in claimed]

    def test_again_supersede_what_the_same_model_said(self, judged, kitchen):
        judged()
        judged(rationale="Now I see.")

        found = rows(freeze(kitchen, "rankings", synthetic="only"))

        assert {row.rationale for row in found} == {"Now I see."}
        assert Ranking.objects.filter(assignment__purpose="judge").count() == 16

    def test_can_be_voided_like_anybodys_work(self, judged, kitchen, rhea):
        run = judged()
        judge = Person.objects.get(username=f"model:{run.base_id} tiny")

        void_work(
            person=judge,
            since=NOON - timedelta(days=1),
            until=NOON + timedelta(days=1),
            campaign=kitchen,
            reason="It judges by length.",
            reopens=False,
            by=rhea,
            now=NOON,
        )

        with pytest.raises(NothingToFreeze):
            freeze(kitchen, "rankings", synthetic="only")


class TestFilters:
    @pytest.mark.parametrize(
        ("kind", "filters"),
        [
            ("feedback", {"synthetic": "include"}),
            ("prompts", {"synthetic": "include", "synthetic_weight": 0.5}),
            ("rankings", {"synthetic_weight": 0.5}),
            ("rankings", {"synthetic": "yes"}),
            ("rankings", {"synthetic": "include", "synthetic_weight": 0.0}),
            ("rankings", {"synthetic": "include", "synthetic_weight": float("nan")}),
        ],
    )
    def test_that_make_no_sense_are_refused(self, kitchen, kind, filters):
        with pytest.raises(FilterDoesNotFit):
            freeze(kitchen, kind, **filters)


class TestWhatAJudgeReads:
    def test_is_the_guideline_in_force_when_the_run_was_started(self, frozen, base, rhea, deliver, kitchen):
        publish_guideline(campaign=kitchen, text="Be brief.", now=NOON)
        publish_guideline(campaign=kitchen, text="Be long.", now=NOON + timedelta(hours=1))

        run = deliver("judge", order(CandidateSet.objects.first()))

        told = json.loads((run.folder / "data" / "guideline.json").read_text())
        assert told == {"version": 2, "text": "Be brief."}
        assert Ranking.objects.get(assignment__purpose="judge").guideline.version == 2

    @pytest.mark.parametrize(
        ("kind", "config", "version"),
        [
            ("judge", {}, 1),
            ("judge", {"judge_template": "{prompt} {answers} {letters}"}, None),
            ("evaluate", {"judge": "endpoint:kitchen"}, 1),
            ("evaluate", {}, None),
            ("sample", {}, None),
        ],
    )
    def test_is_no_guideline_without_a_judge_that_asks_for_it(self, kitchen, kind, config, version):
        snapshot = Snapshot(campaign=kitchen, kind=Snapshot.Kind.PROMPTS)
        run = Run(snapshot=snapshot, kind=kind, config=config, created_at=NOON)

        found = guideline_read_by(run)

        assert (found and found.version) == version

    def test_are_the_candidate_sets_of_the_snapshot_without_arenas(self, deliver, kitchen, prompts, rankings):
        later = add_candidate_set(prompt=prompts[1], texts=["Slowly.", "Fast."])
        measured = add_candidate_set(prompt=prompts[2], texts=["Hot.", "Cold."])
        measured.assignments.filter(slot=1).update(purpose="arena", slot=None)

        run = deliver("judge", order(later))

        lines = (run.folder / "data" / "candidates.jsonl").read_text().splitlines()
        told = {line["candidate_set_id"]: line for line in map(json.loads, lines)}
        assert measured.pk not in told
        assert told[later.pk]["rankings"] == 0
        assert [one["text"] for one in told[later.pk]["completions"]] == ["Slowly.", "Fast."]
        assert sorted(line["rankings"] for line in told.values()) == [0, *[1] * 8]


class TestGoingOn:
    def test_takes_every_finished_line_of_the_attempt_before(self, frozen, base, rhea, monkeypatch):
        run = queue_run(kind="expand", snapshot=frozen["prompts"], base=base, created_by=rhea, now=NOON)

        def killed(run, *, pulse, command=None):
            RunDirectory(run.folder).append_sample(**{"item": 0, **COST, **expanded("One?")})
            with (run.folder / "samples.jsonl").open("a") as file:
                file.write('{"item": 1, "prom')
            return launch.Ending(launch.How.INTERRUPTED, "gone")

        def goes_on(run, *, pulse, command=None):
            seen.extend(RunDirectory(run.folder).read_samples())
            return launch.Ending(launch.How.DONE, summary={"usable": 1})

        seen = []
        for way in (killed, goes_on):
            monkeypatch.setattr(launch, "carry_out", way)
            execution.execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False)

        assert [line["item"] for line in seen] == [0]
        resumed = run.events.get(kind=RunEvent.Kind.RESUMED)
        assert (resumed.data["step"], resumed.data["saved_by_attempt"]) == (1, 1)
        assert Prompt.objects.filter(is_synthetic=True).count() == 1


class TestStarting:
    def test_may_ask_a_model_server(self, frozen, rhea, db, monkeypatch):
        from trainer.actions.checkpoints import register_base_model

        monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", "kitchen=http://127.0.0.1:9/v1")
        judge = register_base_model("endpoint:kitchen", now=NOON)

        run = queue_run(kind="judge", snapshot=frozen["prompts"], base=judge, created_by=rhea, now=NOON)

        assert run.delivers
        assert not run.makes_weights

    def test_refuses_a_template_without_its_places(self, frozen, base, rhea):
        with pytest.raises(InvalidConfig, match="judge_template"):
            queue_run(
                kind="judge",
                snapshot=frozen["prompts"],
                base=base,
                config={"judge_template": "Which is best?"},
                created_by=rhea,
                now=NOON,
            )

    def test_shows_a_wrong_template_beside_its_field(self, client, rhea, frozen, base):
        client.force_login(rhea)
        given = {"snapshot": frozen["prompts"].pk, "base": base.pk, "judge_template": "Which\nis best?"}

        answer = client.post("/admin/trainer/run/start/judge/", given)

        assert "{answers}, {letters}, {prompt}" in answer.context["form"].errors["judge_template"][0]
        assert "<textarea" in answer.content.decode()


class TestRetention:
    def test_leaves_what_no_person_made(self, deliver, kitchen, rankings):
        from annotation.actions.retention import end_retention

        deliver("judge", order(CandidateSet.objects.first()))
        kitchen.retention_days = 1
        kitchen.save()

        end_retention(now=NOON + timedelta(days=30))

        [made] = Ranking.objects.filter(assignment__purpose="judge")
        assert made.labeler.username.startswith("model:")


def test_ranking_stays_possible_for_people_afterwards(deliver, kitchen, rankings, prompts, grace):
    deliver("judge", order(CandidateSet.objects.first()))

    assert rank(kitchen, prompts[0], grace).assignment.purpose == "overlap"


class TestABaseline:
    def test_lays_out_what_an_earlier_run_said(self, frozen, base, rhea, monkeypatch):
        def says(run, *, pulse, command=None):
            RunDirectory(run.folder).append_sample(prompt_id=1, completion=f"Said by {run.pk}.")
            return launch.Ending(launch.How.DONE)

        monkeypatch.setattr(launch, "carry_out", says)
        monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", "kitchen=http://127.0.0.1:9/v1")
        common = {"snapshot": frozen["prompts"], "base": base, "created_by": rhea, "now": NOON}
        before = queue_run(kind="sample", deliver=False, **common)
        settings = {"judge": "endpoint:kitchen", "against": before.pk}
        with pytest.raises(InvalidConfig, match="finished run"):
            queue_run(kind="evaluate", config=settings, **common)
        execution.execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False)

        run = queue_run(kind="evaluate", config=settings, **common)
        execution.execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False)

        run.refresh_from_db()
        assert run.status == Run.Status.SUCCEEDED, run.failure
        assert f"Said by {before.pk}." in (run.folder / "data" / "baseline.jsonl").read_text()
