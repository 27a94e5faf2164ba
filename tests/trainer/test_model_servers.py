"""A model server that the operator named, as what candidates come from."""

import pytest

from tests.conftest import NOON
from trainer.actions.checkpoints import register_base_model
from trainer.actions.execution import execute_next_run
from trainer.actions.promotions import promote_checkpoint
from trainer.actions.runs import queue_run
from trainer.errors import UnknownBaseModel, WrongCheckpointKind
from trainer.handoff.rundir import RunDirectory
from trainer.models import Promotion, Run, SampledCompletion


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", "gpus=http://127.0.0.1:9/v1")


class TestAModelServer:
    def test_is_what_its_candidates_are_known_to_come_from(self, frozen, rhea, script, prompts):
        server = register_base_model("endpoint:gpus/large", now=NOON)
        run = queue_run(kind="sample", snapshot=frozen["prompts"], base=server, created_by=rhea, now=NOON)
        command = script(
            f"for text in 'One', 'Two': run.append_sample(prompt_id={prompts[0].pk}, completion=text, "
            "finished=True, tokens=1, score=None)",
            "run.mark_done({})",
        )

        execute_next_run(
            worker="w", clock=lambda: NOON, stopping=lambda: False, command=[*command, str(run.folder_of(1))]
        )

        run.refresh_from_db()
        assert run.status == Run.Status.SUCCEEDED
        assert RunDirectory(run.folder).spec().base_model == "endpoint:gpus/large"
        assert set(SampledCompletion.objects.values_list("completion__text", "checkpoint__name")) == {
            ("One", "endpoint:gpus/large"),
            ("Two", "endpoint:gpus/large"),
        }

    def test_has_no_weights_to_train(self, frozen, rhea):
        server = register_base_model("endpoint:gpus", now=NOON)

        with pytest.raises(WrongCheckpointKind):
            queue_run(kind="sft", snapshot=frozen["demonstrations"], base=server, created_by=rhea, now=NOON)

    def test_is_not_ours_to_promote(self, kitchen):
        server = register_base_model("endpoint:gpus", now=NOON)

        with pytest.raises(WrongCheckpointKind):
            promote_checkpoint(campaign=kitchen, checkpoint=server, by=None, now=NOON)

        assert not Promotion.objects.exists()

    def test_is_one_that_the_operator_named(self, db):
        with pytest.raises(UnknownBaseModel) as refused:
            register_base_model("endpoint:http://169.254.169.254/", now=NOON)

        assert "gpus" in refused.value.detail
