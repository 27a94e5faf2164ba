"""Checkpoints meet before people who cannot tell whose answer is whose; the votes end it and teach nobody."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from annotation.actions.assignments import claim_assignments
from annotation.actions.candidates import add_candidate_set
from annotation.actions.quality import look_again
from annotation.actions.rankings import submit_ranking
from annotation.models import Assignment, CandidateSet, Person
from tests.conftest import NOON
from tests.trainer.test_blindness import TELLING, handed_out, keys_in, shape  # noqa: F401
from trainer.actions.arena_votes import verdicts_of, votes_of
from trainer.actions.arenas import look_at_arenas, start_arena, stop_arena
from trainer.actions.execution import _keep
from trainer.actions.promotions import figures_of
from trainer.actions.runs import queue_run
from trainer.actions.snapshot_rows import split_of
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import ArenaOver, NothingToFreeze, TooFewCheckpoints, WrongCheckpointKind
from trainer.handoff.rundir import RunDirectory
from trainer.models import Arena, ArenaPair, Checkpoint, Evaluation, Run, SampledCompletion

LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def much_is_held_out(kitchen):
    kitchen.held_out_percent = 75
    kitchen.save()


@pytest.fixture
def rival(base):
    return Checkpoint.objects.create(
        kind="base", name="other cook", location="/o", digest="o" * 64, created_at=NOON
    )


@pytest.fixture
def arena(kitchen, prompts, base, rival, rhea):
    return start_arena(
        campaign=kitchen,
        checkpoints=[base, rival],
        name="Cooks",
        prompts=5,
        created_by=rhea,
        now=NOON,
    )


@pytest.fixture
def held_out(kitchen, prompts):
    return [prompt for prompt in prompts if split_of(prompt, kitchen) == "held_out"]


@pytest.fixture
def answered(arena, held_out, base, monkeypatch):
    """The arena once both have answered; the base model's answers say "good"."""
    return answer_all(arena, held_out, {base.pk: "A good answer."}, monkeypatch)


def answer_all(arena, prompts, texts, monkeypatch):
    for entry in arena.entries.select_related("run"):
        run, said = entry.run, texts.get(entry.checkpoint_id, "A bad answer.")
        assert run.claim("worker", now=NOON, lease=timedelta(minutes=5))
        run.folder.mkdir(parents=True)
        for prompt in prompts:
            RunDirectory(run.folder).append_sample(
                prompt_id=prompt.pk,
                completion=said,
                finished=True,
                tokens=3,
                score=None,
                ref_kl=None,
                step=None,
            )
        _keep(run, {}, Beat())
    look_at_arenas(now=NOON)
    arena.refresh_from_db()
    return arena


class Beat:
    def watch(self):
        """Nobody asks us to stop."""

    def clock(self):
        return NOON


def vote(campaign, labeler, choose, now=NOON):
    """What ``labeler`` says of the next pair; ``choose`` gets the texts by completion id."""
    [assignment] = claim_assignments(
        campaign=campaign, labeler=labeler, count=1, holding=[], now=now, rng=random.Random(0)
    )
    texts = dict(assignment.candidate_set.completions.values_list("pk", "text"))
    tiers, unacceptable = choose(texts)
    ranking, _is_new = submit_ranking(
        assignment=assignment,
        labeler=labeler,
        tiers=tiers,
        unacceptable=unacceptable,
        cannot_judge="",
        seconds_spent=3,
        idempotency_key=uuid4(),
        now=now,
    )
    return ranking


def the_good_one(texts):
    good, bad = sorted(texts, key=lambda pk: "good" not in texts[pk])
    return [[good], [bad]], []


class TestStarting:
    def test_has_each_checkpoint_answer_the_same_held_out_prompts(self, arena, base, rival):
        runs = list(Run.objects.order_by("pk"))

        assert [run.base for run in runs] == [base, rival]
        assert {run.kind for run in runs} == {"sample"}
        assert not any(run.delivers for run in runs)
        assert runs[0].config == runs[1].config
        assert (runs[0].config["split"], runs[0].config["prompts"]) == ("held_out", 5)
        assert arena.status == Arena.Status.ANSWERING

    def test_refuses_one_alone_twice_the_same_and_a_reward_model(self, kitchen, prompts, base, reward_model):
        for chosen in ([base], [base, base], [base, reward_model]):
            with pytest.raises(TooFewCheckpoints):
                start_arena(
                    campaign=kitchen, checkpoints=chosen, name="x", prompts=5, created_by=None, now=NOON
                )

    def test_refuses_a_campaign_without_prompts(self, kitchen, base, rival):
        with pytest.raises(NothingToFreeze):
            start_arena(
                campaign=kitchen, checkpoints=[base, rival], name="x", prompts=5, created_by=None, now=NOON
            )

    def test_pairs_the_answers_when_all_have_answered(self, answered, held_out, base, rival):
        assert answered.status == Arena.Status.OPEN
        assert {pair.candidate_set.prompt for pair in ArenaPair.objects.all()} == set(held_out)
        for pair in ArenaPair.objects.all():
            assert (pair.left.checkpoint, pair.right.checkpoint) == (base, rival)
        turns = Assignment.objects.filter(purpose="arena")
        assert turns.count() == len(held_out)
        assert set(turns.values_list("slot", flat=True)) == {None}

    def test_asks_nobody_about_two_equal_answers(self, arena, held_out, monkeypatch):
        answer_all(arena, held_out, {}, monkeypatch)

        assert not ArenaPair.objects.exists()
        assert not Assignment.objects.filter(purpose="arena").exists()

    def test_ends_where_a_run_did_not_succeed(self, arena):
        Run.objects.first().cancel(actor="person:1", now=NOON)

        look_at_arenas(now=LATER)

        arena.refresh_from_db()
        assert (arena.status, arena.ended_at) == (Arena.Status.STOPPED, LATER)
        assert (arena.why_stopped, arena.unanswered) == ("no_answers", arena.entries.first())

    def test_looking_twice_opens_it_once(self, answered):
        before = CandidateSet.objects.count()

        look_at_arenas(now=LATER)

        assert CandidateSet.objects.count() == before


class TestVotes:
    def test_tell_a_win_a_tie_and_both_bad(self, answered, kitchen, ada):
        vote(kitchen, ada, the_good_one)
        vote(kitchen, ada, lambda texts: ([list(texts)], []))
        vote(kitchen, ada, lambda texts: ([], list(texts)))

        cast = votes_of(answered)

        assert [one.outcome for one in cast] == [1, 0, 0]
        assert [one.both_bad for one in cast] == [False, False, True]

    def test_an_unacceptable_answer_loses(self, answered, kitchen, ada):
        def only_the_bad_one(texts):
            [[good], [bad]], _ = the_good_one(texts)
            return [[bad]], [good]

        vote(kitchen, ada, only_the_bad_one)

        assert votes_of(answered)[0].outcome == -1

    def test_remember_which_was_shown_first(self, answered, kitchen, ada):
        ranking = vote(kitchen, ada, the_good_one)

        [cast] = votes_of(answered)

        assert cast.left_shown_first == (ranking.shown_order[0] == cast.pair.left.completion_id)


class TestTheEnd:
    def test_names_the_winner_as_soon_as_the_votes_suffice(self, answered, kitchen, ada, base, monkeypatch):
        Arena.objects.update(error_rate=0.6)
        vote(kitchen, ada, the_good_one)
        vote(kitchen, ada, the_good_one)
        waiting = Assignment.objects.open().filter(purpose="arena")
        assert waiting.exists()

        look_at_arenas(now=LATER)

        answered.refresh_from_db()
        # e = B(10, 8) / B(8, 8) · 4 = 1.06 after two wins: not decided at 0.6.
        assert answered.status == Arena.Status.OPEN
        Arena.objects.update(error_rate=0.99)
        look_at_arenas(now=LATER)
        answered.refresh_from_db()
        assert (answered.status, answered.winner) == (Arena.Status.DECIDED, base)
        assert not waiting.exists()
        assert answered.figures["pairs"][0]["wins"] == 2

    def test_is_undecided_where_no_votes_are_left(self, answered, kitchen, ada, held_out, rival):
        for _prompt in held_out:
            vote(kitchen, ada, lambda texts: ([list(texts)], []))

        look_at_arenas(now=LATER)

        answered.refresh_from_db()
        assert (answered.status, answered.winner) == (Arena.Status.STOPPED, None)
        figures = Evaluation.objects.get(checkpoint=rival).figures
        assert (figures["win_rate"], figures["arena_votes"]) == (0.5, len(held_out))
        assert figures["win_rate_low"] < 0.5 < figures["win_rate_high"]

    def test_stopped_by_hand_asks_nobody_any_more(self, answered, rhea):
        stop_arena(answered, by=rhea, now=LATER)

        assert answered.status == Arena.Status.STOPPED
        assert not Assignment.objects.open().filter(purpose="arena").exists()
        with pytest.raises(ArenaOver):
            stop_arena(answered, by=rhea, now=LATER)

    def test_stopped_early_cancels_its_runs(self, arena, rhea):
        stop_arena(arena, by=rhea, now=LATER)

        assert {run.status for run in Run.objects.all()} == {Run.Status.CANCELLED}

    def test_shares_the_error_rate_among_several_pairs(self, kitchen, prompts, base, rival, rhea):
        third = Checkpoint.objects.create(
            kind="base", name="third", location="/t", digest="t" * 64, created_at=NOON
        )
        arena = start_arena(
            campaign=kitchen,
            checkpoints=[base, rival, third],
            name="Three",
            prompts=5,
            created_by=rhea,
            now=NOON,
        )

        assert [one.error for one in verdicts_of(arena, []).values()] == [pytest.approx(0.05 / 3)] * 3


class TestNothingIsLearnedFromIt:
    def test_votes_are_in_no_snapshot_and_make_no_consensus(self, answered, kitchen, ada):
        ranking = vote(kitchen, ada, the_good_one)

        with pytest.raises(NothingToFreeze):
            freeze_snapshot(campaign=kitchen, kind="rankings", created_by=None, now=NOON)

        assert look_again(candidate_set=ranking.assignment.candidate_set, now=NOON) is None
        assert not type(ranking).objects.counted().exists()


class TestBlindness:
    def test_a_pair_looks_like_everything_else(self, answered, prompts, base, rival, handed_out):  # noqa: F811
        ordinary = add_candidate_set(prompt=prompts[0], texts=["Answer A.", "Answer B."])

        shown = handed_out()

        sets = {Assignment.objects.get(key=one["id"]).candidate_set for one, _answer in shown}
        assert sets == {
            ordinary,
            *CandidateSet.objects.filter(pk__in=ArenaPair.objects.values("candidate_set")),
        }
        first, *others = [shape(assignment) for assignment, _answer in shown]
        assert all(other == first for other in others)
        for assignment, answer in shown:
            assert not keys_in(assignment) & TELLING
            for word in (base.name, rival.name, "arena", "Cooks"):
                assert word not in answer.content.decode()

    def test_history_says_nothing_either(self, answered, kitchen, ada):
        vote(kitchen, ada, the_good_one)
        client = Client()
        client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")

        told = client.get(f"/api/campaigns/{kitchen.pk}/rankings").content.decode()

        assert "A good answer." in told
        assert "arena" not in told.lower()

    def test_the_sides_are_random(self, answered, kitchen):
        firsts = set()
        for number in range(12):
            labeler = Person.objects.create_user(f"labeler {number}", password="correct horse")
            Assignment.objects.filter(purpose="arena").update(**Assignment.RETURNED)
            [assignment] = claim_assignments(
                campaign=kitchen, labeler=labeler, count=1, holding=[], now=NOON, rng=random.Random(number)
            )
            sample = SampledCompletion.objects.get(completion=assignment.shown_order[0])
            firsts.add(sample.checkpoint)

        assert len(firsts) == 2


class TestAnEvaluationRun:
    def test_leaves_its_figures_with_the_checkpoint_and_makes_no_other(self, kitchen, prompts, base):
        snapshot = freeze_snapshot(campaign=kitchen, kind="prompts", created_by=None, now=NOON)
        run = queue_run(kind="evaluate", snapshot=snapshot, base=base, created_by=None, now=NOON)
        assert run.claim("worker", now=NOON, lease=timedelta(minutes=5))
        run.folder.mkdir(parents=True)
        (run.folder / "samples.jsonl").write_text("")

        _keep(run, {"perplexity": 12.5, "health": {"verdict": "well"}}, Beat())

        evaluation = Evaluation.objects.get()
        assert (evaluation.checkpoint, evaluation.run, evaluation.figures) == (
            base,
            run,
            {"perplexity": 12.5},
        )
        assert figures_of(base, kitchen)["perplexity"] == 12.5
        assert Checkpoint.objects.get() == base

    def test_is_nothing_to_start_from(self, kitchen, prompts, base):
        snapshot = freeze_snapshot(campaign=kitchen, kind="prompts", created_by=None, now=NOON)
        run = queue_run(kind="evaluate", snapshot=snapshot, base=base, created_by=None, now=NOON)

        with pytest.raises(WrongCheckpointKind):
            queue_run(kind="sample", snapshot=snapshot, base=run, created_by=None, now=NOON)


class TestThePages:
    @pytest.fixture
    def desk(self, rhea):
        client = Client()
        client.force_login(rhea)
        return client

    def test_start_one(self, desk, kitchen, prompts, base, rival, rhea):
        form = {"name": "Cooks", "campaign": kitchen.pk, "checkpoints": [base.pk, rival.pk]}
        form |= {"prompts": 5, "votes_per_pair": 2, "max_new_tokens": 32}

        answer = desk.post("/admin/trainer/arena/start/", form)

        arena = Arena.objects.get()
        assert answer.url == f"/admin/trainer/arena/{arena.pk}/change/"
        assert (arena.created_by, arena.votes_per_pair, arena.entries.count()) == (rhea, 2, 2)
        assert {run.config["max_new_tokens"] for run in Run.objects.all()} == {32}

    def test_say_what_is_wrong(self, desk, kitchen, prompts, base):
        form = {"name": "Cooks", "campaign": kitchen.pk, "checkpoints": [base.pk]}
        form |= {"prompts": 5, "votes_per_pair": 1, "max_new_tokens": 32}

        answer = desk.post("/admin/trainer/arena/start/", form)

        assert "at least two" in answer.context["form"].errors["checkpoints"][0]
        assert not Arena.objects.exists()

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_show_the_votes_so_far(self, desk, answered, kitchen, ada, language):
        vote(kitchen, ada, the_good_one)
        vote(kitchen, ada, lambda texts: ([], list(texts)))

        answer = desk.get(
            f"/admin/trainer/arena/{answered.pk}/change/", headers={"Accept-Language": language}
        )

        [duel] = answer.context["duels"]
        assert (duel["wins"], duel["ties"], duel["losses"], duel["rate"]) == (1, 1, 0, "75.0 %")
        assert len(answer.context["scores"]) == 2
        assert len(answer.context["controlled"][0]["rates"]) == 3
        assert desk.get("/admin/trainer/arena/").status_code == 200
        assert desk.get("/admin/trainer/arena/start/").status_code == 200

    def test_follow_an_arena_that_goes_on_without_reloading(self, desk, arena):
        page = f"/admin/trainer/arena/{arena.pk}/change/"

        assert b"data-live-on" in desk.get(page).content
        Arena.objects.update(status=Arena.Status.STOPPED, ended_at=NOON)
        shown = desk.get(page).content
        assert b"data-live-on" not in shown and b'http-equiv="refresh"' not in shown

    def test_stop_one(self, desk, answered):
        desk.post(f"/admin/trainer/arena/{answered.pk}/stop/")

        answered.refresh_from_db()
        assert answered.status == Arena.Status.STOPPED

    @pytest.mark.parametrize(
        ("language", "by_hand", "lost"),
        [("en", "Somebody stopped it.", "did not succeed"), ("zh-hans", "有人停止了它。", "未成功")],
    )
    def test_say_why_it_ended_in_the_readers_language(self, desk, arena, rhea, language, by_hand, lost):
        def shown():
            page = desk.get(f"/admin/trainer/arena/{arena.pk}/change/", headers={"Accept-Language": language})
            return page.content.decode()

        stop_arena(arena, by=rhea, now=LATER)
        assert by_hand in shown()
        Arena.objects.update(why_stopped="no_answers", unanswered=arena.entries.first())
        assert lost in shown()

    def test_are_for_researchers(self, ada, answered):
        client = Client()
        client.force_login(ada)

        client.post(f"/admin/trainer/arena/{answered.pk}/stop/")

        answered.refresh_from_db()
        assert answered.status == Arena.Status.OPEN
