"""A run that failed or was cancelled goes back to the queue, as often as somebody wants it."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from annotation import doorbell
from annotation.models import Person
from tests.conftest import NOON
from trainer import launch
from trainer.actions.execution import execute_next_run
from trainer.actions.pipelines import start_pipeline
from trainer.actions.resuming import resume_run
from trainer.actions.runs import cancel_run, queue_run
from trainer.errors import CannotResume, TooManyRuns
from trainer.handoff.failures import Failure
from trainer.models import Pipeline, PipelineRun, Run

HOUR = timedelta(hours=1)
LATER = NOON + HOUR

FIRST_SAVES_THEN_FAILS = [
    "saved = run.latest_checkpoint()",
    "if not saved:",
    "    with run.write_checkpoint(7, kept=2) as folder: (folder / 'state').write_text('seven')",
    "    run.mark_failed('The reward server is away.')",
    "    sys.exit(1)",
    "with run.publish_result() as folder: (folder / 'from').write_text(str(saved.step))",
    "run.mark_done({})",
]


@pytest.fixture
def carry_out(script, monkeypatch):
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(doorbell, "_ring", lambda task: None)

    def work(*lines):
        command = script(*lines)
        monkeypatch.setattr(launch, "lab_command", lambda run, *_: [*command, str(run.folder)])
        return execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False)

    return work


def fail(run, failure=Failure.CODE_ERROR):
    assert run.claim("w", now=NOON, lease=HOUR)
    assert run.fail("It broke.", now=NOON, failure=failure)


class TestResuming:
    def test_queues_it_again_and_says_so(self, sft_run, rhea):
        fail(sft_run)

        assert resume_run(sft_run, by=rhea, now=LATER) == [sft_run]

        assert (sft_run.status, sft_run.failure, sft_run.finished_at) == ("QUEUED", "", None)
        last = sft_run.events.order_by("-seq").first()
        assert (last.kind, last.actor, last.at) == ("requeued", f"person:{rhea.pk}", LATER)

    def test_is_a_new_attempt_that_the_old_ones_worker_cannot_write_to(self, sft_run, rhea):
        assert sft_run.claim("w", now=NOON, lease=HOUR)
        zombie = Run.objects.get(pk=sft_run.pk)
        cancel_run(sft_run, by=rhea, now=NOON)

        resume_run(sft_run, by=rhea, now=LATER)

        assert not zombie.extend(now=LATER, lease=HOUR)
        assert sft_run.claim("x", now=LATER, lease=HOUR)
        assert (sft_run.attempt, zombie.succeed(now=LATER, summary={})) == (2, False)

    def test_goes_on_from_its_newest_saved_state(self, sft_run, carry_out, rhea):
        failed = carry_out(*FIRST_SAVES_THEN_FAILS)
        assert failed.status == "FAILED"

        resume_run(failed, by=rhea, now=LATER)
        ended = carry_out(*FIRST_SAVES_THEN_FAILS)

        assert (ended.pk, ended.status, ended.attempt) == (sft_run.pk, "SUCCEEDED", 2)
        assert (ended.folder / "result" / "from").read_text() == "7"
        assert ended.events.get(kind="resumed").data["step"] == 7

    def test_takes_along_what_was_cancelled_for_its_sake_alone(self, sft_run, frozen, rhea):
        def then(kind, snapshot, base, **more):
            return queue_run(
                kind=kind, snapshot=frozen[snapshot], base=base, created_by=rhea, now=NOON, **more
            )

        reward = then("reward", "rankings", sft_run)
        ppo = then("ppo", "prompts", sft_run, reward=reward)
        unwanted = then("sample", "prompts", sft_run)
        cancel_run(unwanted, by=rhea, now=NOON)
        cancel_run(sft_run, by=rhea, now=NOON)

        assert resume_run(sft_run, by=rhea, now=LATER) == [sft_run, reward, ppo]
        assert set(Run.objects.unfinished()) == {sft_run, reward, ppo}

    def test_opens_the_start_of_its_pipeline_again(self, kitchen, demonstrations, rankings, base, rhea):
        pipeline = Pipeline.objects.create(campaign=kitchen, name="Loop", created_at=NOON)

        def start():
            return start_pipeline(pipeline=pipeline, start=base, by=rhea, now=NOON)

        first = start()
        sft = first.stages.get(stage="sft")
        cancel_run(sft, by=rhea, now=NOON)
        second = start()
        with pytest.raises(CannotResume, match="started anew"):
            resume_run(sft, by=rhea, now=LATER)
        assert not first.stages.unfinished().exists()
        cancel_run(second.stages.get(stage="sft"), by=rhea, now=NOON)
        PipelineRun.objects.filter(pk=second.pk).update(status="CANCELLED", ended_at=NOON)

        assert len(resume_run(Run.objects.get(pk=sft.pk), by=rhea, now=LATER)) == 4

        first.refresh_from_db()
        assert (first.status, first.ended_at) == ("RUNNING", None)


class TestWhatCannotBeResumed:
    def refuses(self, run, words, by=None):
        with pytest.raises(CannotResume, match=words):
            resume_run(run, by=by, now=LATER)

    def test_waits_or_goes_on(self, sft_run):
        self.refuses(sft_run, "not over")

    def test_has_succeeded(self, sft_run):
        sft_run.claim("w", now=NOON, lease=HOUR)
        sft_run.succeed(now=NOON, summary={})

        self.refuses(sft_run, "succeeded")

    @pytest.mark.parametrize("failure", [Failure.SETTINGS, Failure.BAD_DATA])
    def test_would_end_the_same_way(self, sft_run, failure):
        fail(sft_run, failure)

        self.refuses(sft_run, "It broke. Clone it")

    def test_builds_on_what_made_nothing(self, sft_run, frozen, rhea):
        reward = queue_run(
            kind="reward", snapshot=frozen["rankings"], base=sft_run, created_by=rhea, now=NOON
        )
        cancel_run(sft_run, by=rhea, now=NOON)
        reward.refresh_from_db()

        self.refuses(reward, "Resume that")

    def test_has_no_rows_any_more(self, sft_run):
        fail(sft_run)
        sft_run.snapshot.file.unlink()

        self.refuses(sft_run, "deleted")

    def test_was_asked_for_once_more(self, sft_run, frozen, base, rhea):
        fail(sft_run)
        again = queue_run(kind="sft", snapshot=frozen["demonstrations"], base=base, created_by=rhea, now=NOON)

        self.refuses(sft_run, f"#{again.pk}")
        sft_run.refresh_from_db()
        assert sft_run.status == "FAILED"

    def test_is_more_than_ones_share(self, sft_run, rhea, settings):
        fail(sft_run)
        settings.RUNS_PER_PERSON = 0

        with pytest.raises(TooManyRuns):
            resume_run(sft_run, by=rhea, now=LATER)


class TestTheButtons:
    @pytest.fixture
    def page(self, client, rhea, sft_run):
        client.force_login(rhea)
        return f"/admin/trainer/run/{sft_run.pk}/"

    def test_resume_what_failed(self, client, page, sft_run):
        fail(sft_run)
        assert "Resume the run" in client.get(f"{page}change/").content.decode()

        shown = client.post(f"{page}resume/", follow=True).content.decode()

        sft_run.refresh_from_db()
        assert sft_run.status == "QUEUED"
        assert "goes on from its newest saved state" in shown
        assert "Resume the run" not in shown

    def test_say_why_not(self, client, page, sft_run):
        shown = client.post(f"{page}resume/", follow=True).content.decode()

        assert "This run is not over" in shown

    def test_need_a_post_by_a_researcher(self, client, page, sft_run, ada):
        assert client.get(f"{page}resume/").status_code == 405
        fail(sft_run)
        Person.objects.filter(pk=ada.pk).update(is_staff=True)
        client.force_login(Person.objects.get(pk=ada.pk))

        client.post(f"{page}resume/")

        sft_run.refresh_from_db()
        assert sft_run.status == "FAILED"

    def test_clone_with_all_that_was_asked_for(self, client, page, frozen, base, reward_model, rhea):
        config = {"epochs": 2, "rollout_size": 32, "gradient_checkpointing": True}
        given = {"snapshot": frozen["prompts"], "base": base, "reward": reward_model}
        run = queue_run(kind="ppo", **given, config=config, created_by=rhea, now=NOON)
        shown = client.get(f"/admin/trainer/run/{run.pk}/change/").context

        form = client.get(shown["clone_url"]).context["form"]

        filled = {name: field.value() for name, field in ((n, form[n]) for n in form.fields)}
        assert {name: filled[name] for name in run.config} == run.config
        assert {name: filled[name] for name in given} == {name: row.pk for name, row in given.items()}
        assert not filled["other_base"]

    def test_clone_asks_for_a_model_where_none_is_made_yet(self, client, page, sft_run, frozen, rhea):
        given = {"snapshot": frozen["rankings"], "base": sft_run, "created_by": rhea, "now": NOON}
        run = queue_run(kind="reward", **given)

        form = client.get(f"/admin/trainer/run/start/reward/?clone={run.pk}").context["form"]

        assert not form["base"].value()
        assert not form["other_base"].value()

    @pytest.mark.parametrize("number", ["", "0", "x", "-1", "9" * 40])
    def test_clone_nothing_where_there_is_no_such_run(self, client, page, number):
        assert client.get(f"/admin/trainer/run/start/sft/?clone={number}").status_code == 200


class TestTheApi:
    def test_resumes_for_researchers(self, sft_run, rhea, ada):
        fail(sft_run)
        client = APIClient()
        client.force_authenticate(ada)
        assert client.post(f"/api/runs/{sft_run.pk}/resume").status_code == 403
        client.force_authenticate(rhea)

        answers = [client.post(f"/api/runs/{sft_run.pk}/resume") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert (answers[0].data["status"], answers[1].data["code"]) == ("QUEUED", "cannot_resume")
