"""What the desk lays out for the lab."""

import pytest

from tests.conftest import NOON
from trainer.actions.layout import lay_out
from trainer.actions.runs import queue_run
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint


class TestAnEvaluation:
    @pytest.fixture
    def learned(self, sft_run, tmp_path):
        return Checkpoint.objects.create(
            kind="sft",
            name="cook",
            location=str(tmp_path),
            digest="c" * 64,
            produced_by=sft_run,
            created_at=NOON,
        )

    def laid_out(self, tmp_path, **asked):
        run = queue_run(kind="evaluate", created_by=None, now=NOON, **asked)
        lay_out(run, tmp_path / "run", lambda: None)
        return RunDirectory(tmp_path / "run").spec()

    def test_is_told_what_the_checkpoint_was_trained_from(self, frozen, base, learned, tmp_path):
        spec = self.laid_out(tmp_path, snapshot=frozen["prompts"], base=learned)

        assert spec.reference_model == base.location

    def test_of_a_base_model_has_nothing_to_drift_from(self, frozen, base, tmp_path):
        assert self.laid_out(tmp_path, snapshot=frozen["prompts"], base=base).reference_model is None

    def test_is_told_who_watches(self, frozen, base, reward_model, tmp_path):
        spec = self.laid_out(tmp_path, snapshot=frozen["prompts"], base=base, holdout=reward_model)

        assert (spec.holdout_reward, spec.reward_model) == (reward_model.location, None)
