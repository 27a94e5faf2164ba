from uuid import UUID

import pytest

from annotation import doorbell
from annotation.errors import IdempotencyConflict
from tests.conftest import NOON
from trainer import dispatch
from trainer.actions.checkpoints import register_base_model
from trainer.actions.execution import claim_next_run
from trainer.actions.runs import cancel_run, queue_run
from trainer.errors import (
    BaseRunLost,
    InvalidConfig,
    RewardMissing,
    RewardNotUsed,
    RunAlreadyFinished,
    TooManyRuns,
    UnknownBaseModel,
    WrongCheckpointKind,
    WrongSnapshotKind,
)
from trainer.models import Checkpoint, Run


class TestQueueRun:
    @pytest.fixture
    def queue(self, frozen, base, rhea):
        def queue_sft(**changes):
            details = {"kind": "sft", "snapshot": frozen["demonstrations"], "base": base, "created_by": rhea}
            return queue_run(**{**details, **changes}, now=NOON)

        return queue_sft

    def test_keeps_every_setting_defaults_included(self, queue):
        run = queue(config={"epochs": "2", "seed": 7})

        assert run.status == Run.Status.QUEUED
        assert (run.config["epochs"], run.config["seed"]) == (2, 7)
        assert "learning_rate" in run.config

    def test_takes_a_ppo_run_with_its_reward_model(self, queue, frozen, reward_model):
        run = queue(kind="ppo", snapshot=frozen["prompts"], reward=reward_model)

        assert (run.reward, run.reward_run) == (reward_model, None)

    def test_lets_a_reward_model_watch_where_nothing_learns_from_it(self, queue, frozen, reward_model):
        run = queue(kind="evaluate", snapshot=frozen["prompts"], holdout=reward_model)

        assert (run.holdout, run.reward) == (reward_model, None)
        with pytest.raises(RewardNotUsed):
            queue(holdout=reward_model)

    def test_a_model_that_scores_nothing_cannot_watch(self, queue, frozen, base):
        with pytest.raises(WrongCheckpointKind):
            queue(kind="evaluate", snapshot=frozen["prompts"], holdout=base)

    def test_only_a_sample_run_delivers_and_only_if_asked(self, queue, frozen):
        assert queue(kind="sample", snapshot=frozen["prompts"]).delivers
        assert not queue(kind="sample", snapshot=frozen["prompts"], deliver=False).delivers
        assert not queue().delivers

    def test_a_second_click_finds_the_first_ones_run(self, queue):
        first = queue(idempotency_key=UUID(int=1))

        assert queue(idempotency_key=UUID(int=1)) == first
        cancel_run(first, now=NOON)
        assert queue(idempotency_key=UUID(int=1)) == first
        assert queue(idempotency_key=UUID(int=2)) != first
        assert Run.objects.count() == 2

    def test_the_same_key_with_another_request_is_refused(self, queue):
        queue(idempotency_key=UUID(int=1))

        with pytest.raises(IdempotencyConflict):
            queue(idempotency_key=UUID(int=1), config={"seed": 2})

    def test_two_people_who_ask_for_the_same_thing_get_one_run(self, queue, ada):
        first = queue(idempotency_key=UUID(int=1))

        assert queue(idempotency_key=UUID(int=2), created_by=ada) == first
        assert queue(config={"seed": 2}) != first

    def test_what_is_over_can_be_asked_for_again(self, queue):
        first = queue()
        cancel_run(first, now=NOON)

        assert queue() != first

    def test_nobody_fills_the_queue_alone(self, queue, settings, ada):
        settings.RUNS_PER_PERSON = 2
        queue(), queue(config={"seed": 1})

        with pytest.raises(TooManyRuns, match="2 of your runs"):
            queue(config={"seed": 2})
        queue(config={"seed": 2}, created_by=ada)

    def test_the_most_urgent_goes_first(self, queue):
        queue()
        urgent = queue(config={"seed": 1}, priority=5)

        assert claim_next_run(worker="w", now=NOON) == urgent

    @pytest.mark.parametrize("kind", ["sft", "reward", "ppo", "sample"])
    def test_refuses_a_snapshot_of_another_kind(self, queue, frozen, kind):
        wrong = frozen["demonstrations" if kind != "sft" else "rankings"]

        with pytest.raises(WrongSnapshotKind):
            queue(kind=kind, snapshot=wrong)

    def test_refuses_to_start_from_a_reward_model(self, queue, reward_model):
        with pytest.raises(WrongCheckpointKind):
            queue(base=reward_model)

    def test_refuses_a_reward_model_that_is_none(self, queue, frozen, base):
        with pytest.raises(WrongCheckpointKind):
            queue(kind="ppo", snapshot=frozen["prompts"], reward=base)

    def test_refuses_ppo_without_a_reward_model(self, queue, frozen):
        with pytest.raises(RewardMissing):
            queue(kind="ppo", snapshot=frozen["prompts"])

    def test_takes_a_reward_model_to_choose_candidates_with(self, queue, frozen, reward_model):
        run = queue(kind="sample", snapshot=frozen["prompts"], reward=reward_model, config={"best_of": "4"})

        assert (run.reward, run.config["best_of"]) == (reward_model, 4)

    def test_refuses_to_choose_candidates_by_nothing(self, queue, frozen):
        with pytest.raises(RewardMissing, match="best_of"):
            queue(kind="sample", snapshot=frozen["prompts"], config={"best_of": 4})

    def test_refuses_a_reward_model_where_none_is_read(self, queue, reward_model):
        with pytest.raises(RewardNotUsed):
            queue(reward=reward_model)

    @pytest.mark.parametrize("config", [{"epochs": 0}, {"epochs": "many"}, {"epoch": 1}])
    def test_refuses_a_setting_and_names_it(self, queue, config):
        with pytest.raises(InvalidConfig, match="epoch"):
            queue(config=config)

        assert Run.objects.count() == 0

    def test_refuses_to_build_on_a_run_that_was_lost(self, queue, sft_run, frozen):
        cancel_run(sft_run, now=NOON)

        with pytest.raises(BaseRunLost):
            queue(kind="reward", snapshot=frozen["rankings"], base=sft_run)


class TestCancelRun:
    def test_ends_a_waiting_run_and_those_that_wait_for_it(self, loop):
        cancel_run(loop[0], now=NOON)

        runs = list(Run.objects.order_by("pk"))
        assert {run.status for run in runs} == {Run.Status.CANCELLED}
        assert "cancelled" in runs[3].failure

    def test_ends_a_running_one_at_once_whoever_holds_it(self, sft_run, settings, rhea):
        page = Run.objects.get()
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)

        cancel_run(page, by=rhea, now=NOON)

        assert page.status == Run.Status.CANCELLED
        assert not sft_run.extend(now=NOON, lease=settings.RUN_LEASE)
        assert page.events.latest("seq").actor == f"person:{rhea.pk}"

    def test_refuses_a_run_that_is_over(self, sft_run):
        cancel_run(sft_run, now=NOON)

        with pytest.raises(RunAlreadyFinished):
            cancel_run(sft_run, now=NOON)


class TestRegisterBaseModel:
    def test_knows_a_folder_again(self, base):
        assert register_base_model(base.location, now=NOON) == base
        assert (base.kind, base.name) == ("base", "tiny")

    def test_takes_a_hugging_face_id(self, db):
        checkpoint = register_base_model("HuggingFaceTB/SmolLM2-135M-Instruct", now=NOON)

        assert checkpoint.location == "HuggingFaceTB/SmolLM2-135M-Instruct"

    def test_says_how_to_get_a_named_model_that_is_not_here(self, db, settings, tmp_path):
        settings.BASE_MODELS = {"Small": str(tmp_path / "small")}

        with pytest.raises(UnknownBaseModel, match="base_model"):
            register_base_model("Small", now=NOON)

    @pytest.mark.parametrize("name", ["", "/nowhere/at/all", "../up", "a b", "x" * 3 + "/y/z"])
    def test_refuses_what_is_no_model(self, db, name):
        with pytest.raises(UnknownBaseModel):
            register_base_model(name, now=NOON)

        assert Checkpoint.objects.count() == 0

    def test_refuses_a_folder_without_a_model(self, db, tmp_path):
        with pytest.raises(UnknownBaseModel):
            register_base_model(str(tmp_path), now=NOON)


class TestRing:
    def test_waits_for_the_commit(self, sft_run, monkeypatch, django_capture_on_commit_callbacks):
        rung = []
        monkeypatch.setattr(doorbell, "_ring", rung.append)

        with django_capture_on_commit_callbacks(execute=True):
            dispatch.ring()
            assert rung == []

        assert rung == ["trainer.tasks.execute_next_run"]

    def test_a_broker_that_is_away_breaks_nothing_and_holds_nobody_up(self, monkeypatch, caplog):
        from celery import current_app

        monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")

        doorbell._ring("trainer.tasks.execute_next_run")

        assert "Connection refused" in caplog.text
        assert "the next sweep will look" in caplog.text
