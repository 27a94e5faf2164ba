"""Pipelines: the file, and starting, stopping and repeating its stages as runs."""

from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import doorbell
from annotation.models import CandidateSet
from tests.conftest import NOON
from tests.trainer.conftest import rank
from trainer import launch, tasks
from trainer.actions.execution import execute_next_run
from trainer.actions.pipelines import repeat_pipelines, settle_pipelines, start_pipeline, stop_pipeline
from trainer.errors import InvalidPipeline, NothingToFreeze, PipelineBusy, StageMissing
from trainer.models import Checkpoint, Pipeline, PipelineRun, Run
from trainer.pipelines import PipelineError, read_pipeline, the_loop, write_pipeline
from trainer.recipes import SHORT

LATER = NOON + timedelta(hours=1)


class TestTheFile:
    def test_of_the_loop_says_what_the_button_does(self):
        spec = read_pipeline(the_loop())

        assert [(stage.kind, stage.base, stage.reward) for stage in spec.stages] == [
            ("sft", "", ""),
            ("reward", "sft", ""),
            ("ppo", "sft", "reward"),
            ("sample", "ppo", ""),
        ]
        assert {stage.name: dict(stage.settings) for stage in spec.stages} == SHORT

    def test_chooses_rows_and_names_stages_as_it_likes(self):
        spec = read_pipeline(
            "start: tiny\n"
            "data:\n  rankings: {settled: consensus}\n"
            "stages:\n  teach: {kind: sft}\n  prefer: {kind: dpo, base: teach, settings: {beta: 0.2}}\n"
        )

        assert (spec.start, spec.data) == ("tiny", {"rankings": {"settled": "consensus"}})
        assert [stage.name for stage in spec.since("prefer")] == ["prefer"]
        assert [stage.name for stage in spec.since("teach")] == ["teach", "prefer"]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("stages:\n  sft:\nstage: 1", "Line 3: “stage” is not known"),
            ("stages:\n  sft:\n    setings: {}", "Line 3: “setings” .* allowed are kind, base"),
            ("stages:\n  sft:\n    settings:\n      epoch: 3", "Line 4: epoch"),
            ("stages:\n  sft:\n    settings:\n      epochs: many", "Line 4: epochs"),
            ("stages:\n  sft:\n  sft:", "Line 3: “sft” stands there twice"),
            ("stages:\n  bake:", "“bake” is no kind of run"),
            ("stages:\n  ppo: {base: sft}\n  sft:", "Line 2: “sft” is no stage before it"),
            ("stages:\n  sft:\n  ppo: {reward: sft}", "Line 3: “sft” is no stage before it"),
            ("stages:\n  sft: {deliver: true}", "Line 2: only a stage of kind sample"),
            ("stages:\n  sample: {deliver: maybe}", "Line 2: deliver takes true or false"),
            ("data:\n  opinions:\nstages:\n  sft:", "Line 2: “opinions” is not known"),
            ("a: &a [1]\nb: *a", "Line 2: write it out"),
            ("stages: !!python/object:os.system {}", "Line 1: name at least"),
            ("stages: [", "Line 1"),
            ("- sft", "Line 1: a pipeline has"),
            ("", "Line 1: a pipeline has"),
        ],
    )
    def test_that_is_wrong_is_refused_with_its_line(self, text, words):
        with pytest.raises(PipelineError, match=words):
            read_pipeline(text)

    @settings(max_examples=50)
    @given(st.text(max_size=200) | st.text(alphabet="stages:\n  sftkind{}[]&*!-ba e", max_size=200))
    def test_of_any_text_is_read_or_refused(self, text):
        try:
            spec = read_pipeline(text)
        except PipelineError as error:
            assert str(error).startswith("Line ")
        else:
            assert spec.stages

    @given(st.permutations(["sft", "reward", "ppo", "sample"]))
    def test_never_builds_on_what_comes_later(self, order):
        whole = read_pipeline(write_pipeline({}))
        needs = {stage.name: {stage.base, stage.reward} - {""} for stage in whole.stages}
        lines = {
            "sft": "{}",
            "reward": "{base: sft}",
            "ppo": "{base: sft, reward: reward}",
            "sample": "{base: ppo}",
        }
        text = "stages:\n" + "".join(f"  {name}: {lines[name]}\n" for name in order)
        in_order = all(needs[name] <= set(order[:place]) for place, name in enumerate(order))

        try:
            read_pipeline(text)
        except PipelineError:
            assert not in_order
        else:
            assert in_order


@pytest.fixture
def pipeline(kitchen):
    return Pipeline.objects.create(campaign=kitchen, name="Loop", created_at=NOON)


@pytest.fixture
def start(pipeline, base, rhea):
    return lambda **changes: start_pipeline(
        **{"pipeline": pipeline, "start": base, "by": rhea, "now": NOON, **changes}
    )


def end_all(started, status=Run.Status.SUCCEEDED):
    for run in started.stages.order_by("pk"):
        result = None
        if status == Run.Status.SUCCEEDED and run.kind != "sample":
            kind = run.kind
            digest = f"{run.pk:064d}"
            result = Checkpoint.objects.create(
                kind=kind, name=run.stage, location="/x", digest=digest, produced_by=run, created_at=NOON
            )
        Run.objects.filter(pk=run.pk).update(status=status, finished_at=NOON, failure="x", result=result)
    settle_pipelines(now=NOON)
    started.refresh_from_db()


@pytest.mark.usefixtures("demonstrations", "rankings")
class TestStarting:
    def test_queues_the_stages_on_one_another(self, start, base, rhea):
        started = start()

        sft, reward, ppo, sample = started.stages.order_by("pk")
        assert (sft.base, reward.base_run, ppo.base_run, ppo.reward_run) == (base, sft, sft, reward)
        assert (sample.base_run, sample.delivers, sample.created_by) == (ppo, True, rhea)
        assert [run.stage for run in (sft, reward, ppo, sample)] == ["sft", "reward", "ppo", "sample"]
        assert sft.config["epochs"] == SHORT["sft"]["epochs"]
        assert (started.number, started.new_rankings, started.status) == (1, 8, "RUNNING")

    def test_again_with_the_same_key_is_the_same_start(self, start):
        first = start(idempotency_key=UUID(int=1))

        assert start(idempotency_key=UUID(int=1)) == first
        assert Run.objects.count() == 4

    def test_waits_until_the_last_start_is_over(self, start, pipeline, base):
        first = start()

        with pytest.raises(PipelineBusy, match="not over"):
            start()
        with pytest.raises(IntegrityError), transaction.atomic():
            PipelineRun.objects.create(
                pipeline=pipeline, number=2, reason="asked", new_rankings=0, start=base, started_at=NOON
            )
        stop_pipeline(first, by=None, now=NOON)
        assert start().number == 2

    def test_is_all_or_nothing(self, start, pipeline, settings):
        settings.RUNS_PER_PERSON = 2

        with pytest.raises(Exception, match="2 of your runs"):
            start()

        assert (Run.objects.count(), PipelineRun.objects.count()) == (0, 0)

    def test_reads_the_rows_that_the_file_chooses(self, start, pipeline):
        pipeline.document = "data: {demonstrations: {accepted: true}}\nstages: {sft: }"

        with pytest.raises(NothingToFreeze):
            start()

    def test_of_a_wrong_file_is_refused(self, start, pipeline):
        pipeline.document = "stages: {bake: }"

        with pytest.raises(InvalidPipeline, match="Line 1"):
            start()

    def test_needs_something_to_start_from(self, start):
        with pytest.raises(InvalidPipeline, match="Choose a model"):
            start(start=None)


@pytest.mark.usefixtures("demonstrations", "rankings")
class TestSomeStages:
    def test_build_on_what_the_others_made_last(self, start):
        first = start()
        end_all(first)

        again = start(since="ppo")

        ppo, sample = again.stages.order_by("pk")
        assert ppo.base == first.stages.get(stage="sft").result
        assert ppo.reward == first.stages.get(stage="reward").result
        assert (sample.base_run, again.reason) == (ppo, "again")

    def test_may_be_one(self, start):
        end_all(start())

        assert [run.stage for run in start(only="reward").stages.all()] == ["reward"]

    def test_need_what_they_build_on(self, start):
        with pytest.raises(StageMissing, match="“sft” has never"):
            start(only="reward")

        assert not PipelineRun.objects.exists()

    @pytest.mark.parametrize("which", ["only", "since"])
    def test_are_named_as_in_the_file(self, start, which):
        with pytest.raises(InvalidPipeline, match="sft, reward, ppo, sample"):
            start(**{which: "bake"})


class TestTheWholeLoop:
    def test_goes_through_the_queue_to_its_end(self, loop, script, monkeypatch, prompts):
        said = f"run.append_sample(prompt_id={prompts[0].pk}, completion='Stir it.', finished=True, tokens=3"
        monkeypatch.setattr(launch, "POLL_SECONDS", 0.02)
        monkeypatch.setattr(doorbell, "_ring", lambda task: None)
        command = script(
            "if run.spec().kind == 'sample':",
            f"    {said}, score=None, ref_kl=None, step=None)",
            f"    {said.replace('Stir', 'Bake')}, score=None, ref_kl=None, step=None)",
            "else:",
            "    with run.publish_result() as folder: (folder / 'kind').write_text(run.spec().kind)",
            "run.mark_done({})",
        )
        monkeypatch.setattr(launch, "lab_command", lambda run, *_: [*command, str(run.folder)])
        sets = CandidateSet.objects.count()

        while execute_next_run(worker="w", clock=lambda: LATER, stopping=lambda: False):
            pass
        settle_pipelines(now=LATER)

        sft, reward, ppo, sample = started = list(Run.objects.order_by("pk"))
        assert {run.status for run in started} == {"SUCCEEDED"}
        assert (reward.base_run.result, ppo.reward_run.result) == (sft.result, reward.result)
        assert PipelineRun.objects.get().status == "SUCCEEDED"
        assert CandidateSet.objects.count() == sets + 1


@pytest.mark.usefixtures("demonstrations", "rankings")
class TestEnding:
    @pytest.mark.parametrize("status", [Run.Status.SUCCEEDED, Run.Status.FAILED, Run.Status.CANCELLED])
    def test_is_that_of_its_runs(self, start, status):
        started = start()

        end_all(started, status)

        assert (started.status, started.ended_at) == (status, NOON)

    def test_by_hand_cancels_what_is_not_over(self, start):
        started = start()

        stop_pipeline(started, by=None, now=NOON)

        started.refresh_from_db()
        assert started.status == "CANCELLED"
        assert set(started.stages.values_list("status", flat=True)) == {"CANCELLED"}


@pytest.mark.usefixtures("demonstrations", "rankings")
class TestRepeating:
    @pytest.fixture
    def repeating(self, start, pipeline):
        pipeline.repeat_after_rankings = 2
        pipeline.save()
        # People judged at noon; it started just after.
        return start(now=NOON + timedelta(minutes=1))

    def judge(self, prompts, kitchen, person):
        ranking = rank(kitchen, prompts, person)
        type(ranking).objects.filter(pk=ranking.pk).update(submitted_at=LATER)

    def test_waits_for_enough_new_rankings(self, repeating, prompts, kitchen, ada):
        end_all(repeating)
        self.judge(prompts[0], kitchen, ada)
        assert repeat_pipelines(now=LATER) == []

        self.judge(prompts[1], kitchen, ada)
        [again] = repeat_pipelines(now=LATER + timedelta(minutes=1))

        assert (again.reason, again.new_rankings, again.start) == ("rankings", 2, repeating.start)
        assert repeat_pipelines(now=LATER + timedelta(minutes=2)) == []

    def test_never_while_one_is_not_over(self, repeating, prompts, kitchen, ada):
        for prompt in prompts[:3]:
            self.judge(prompt, kitchen, ada)

        assert repeat_pipelines(now=LATER) == []

    def test_is_what_the_clock_does(self, settings):
        names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

        assert tasks.repeat_pipelines.name in names

    def test_keeps_why_it_could_not(self, repeating, pipeline, prompts, kitchen, ada):
        end_all(repeating)
        Pipeline.objects.update(document="stages: {bake: }")
        for prompt in prompts[:2]:
            self.judge(prompt, kitchen, ada)

        assert repeat_pipelines(now=LATER) == []

        pipeline.refresh_from_db()
        assert "bake" in pipeline.trouble

    def test_only_where_it_is_wanted(self, repeating, pipeline, prompts, kitchen, ada):
        end_all(repeating)
        Pipeline.objects.update(is_active=False)
        for prompt in prompts[:2]:
            self.judge(prompt, kitchen, ada)

        assert repeat_pipelines(now=LATER) == []


class TestTheCommand:
    def run(self, *arguments):
        out = StringIO()
        call_command("run_pipeline", *map(str, arguments), stdout=out)
        return out.getvalue()

    def test_saves_and_starts_the_file(self, tmp_path, kitchen, demonstrations, base):
        file = tmp_path / "teach.yml"
        file.write_text("stages:\n  sft: {settings: {epochs: 2}}\n")

        said = self.run(file, "--campaign", "Kitchen", "--base", base.pk)

        run = Run.objects.get()
        assert (run.pipeline_run.pipeline.name, run.config["epochs"]) == ("teach", 2)
        assert f"sft: {run.pk}" in said

    def test_refuses_in_words(self, tmp_path, kitchen):
        file = tmp_path / "teach.yml"
        file.write_text("stages:\n  bake:\n")

        with pytest.raises(CommandError, match="no kind of run"):
            self.run(file, "--campaign", "Kitchen")
        with pytest.raises(CommandError, match="cannot be read"):
            self.run(tmp_path / "none.yml", "--campaign", "Kitchen")
        assert not Pipeline.objects.exists()


class TestThePages:
    @pytest.fixture
    def page(self, rhea):
        client = Client()
        client.force_login(rhea)
        return client

    def test_save_a_file_only_when_it_is_right(self, page, kitchen, rhea):
        address = "/admin/trainer/pipeline/add/"
        fields = {"campaign": kitchen.pk, "name": "Mine", "repeat_after_rankings": "50", "is_active": "on"}

        refused = page.post(address, {**fields, "document": "stages:\n  bake:"}).content.decode()
        page.post(address, {**fields, "document": the_loop()})

        assert "Line 2: “bake” is no kind of run" in refused
        saved = Pipeline.objects.get()
        assert (saved.name, saved.repeat_after_rankings, saved.created_by) == ("Mine", 50, rhea)

    @pytest.mark.usefixtures("demonstrations", "rankings")
    def test_start_show_and_stop(self, page, pipeline, base):
        address = f"/admin/trainer/pipeline/{pipeline.pk}/start/"
        form = page.get(address, follow=True).context["form"]
        sent = {"base": base.pk, "idempotency_key": form["idempotency_key"].value()}

        shown = page.post(address, sent, follow=True)
        page.post(address, sent, follow=True)

        started = PipelineRun.objects.get()
        assert shown.redirect_chain[-1][0].endswith(f"/pipelinerun/{started.pk}/change/")
        assert "data-live-on" in shown.content.decode()
        page.post(f"/admin/trainer/pipelinerun/{started.pk}/stop/")
        started.refresh_from_db()
        assert started.status == "CANCELLED"
        assert (
            "data-live-on"
            not in page.get(f"/admin/trainer/pipelinerun/{started.pk}/change/").content.decode()
        )

    def test_are_for_researchers(self, ada, pipeline, base, demonstrations, rankings):
        ada.is_staff = True
        ada.save()
        client = Client()
        client.force_login(ada)

        client.post(f"/admin/trainer/pipeline/{pipeline.pk}/start/", {"base": base.pk}, follow=True)

        assert not PipelineRun.objects.exists()
