"""Real human rankings, from their files to a reward model with a held-out accuracy."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from annotation.models import Campaign
from tests.tiny_model import make_tiny_model
from trainer.actions.checkpoints import register_base_model
from trainer.actions.execution import execute_next_run
from trainer.actions.runs import queue_run
from trainer.actions.snapshots import freeze_snapshot

# Short texts and a tiny model: this is about the way, not about the accuracy.
BRIEF = {"lora_rank": 0, "max_prompt_tokens": 128, "max_completion_tokens": 64, "batch_size": 16}


@pytest.fixture
def tiny(db, tmp_path):
    folder = make_tiny_model(
        tmp_path / "tiny", ["How do I make soup?", "Boil the water first."] * 20, hidden=32
    )
    return register_base_model(str(folder), now=timezone.now())


class TestRewardRun:
    @pytest.mark.parametrize(
        ("name", "file"), [("oasst", "oasst_trees_dev.jsonl"), ("hh-rlhf", "hh_harmless_dev.jsonl.gz")]
    )
    def test_on_a_real_data_set_tells_its_held_out_accuracy(self, tiny, development_data, name, file):
        call_command("import_data", name, str(development_data / file), "--campaign", name)
        now = timezone.now()
        rankings = freeze_snapshot(
            campaign=Campaign.objects.get(name=name), kind="rankings", created_by=None, now=now
        )
        queue_run(kind="reward", snapshot=rankings, base=tiny, config=BRIEF, created_by=None, now=now)

        run = execute_next_run(worker="ada", clock=timezone.now, stopping=lambda: False)

        assert run.status == "SUCCEEDED", run.failure
        assert run.summary["held_out_comparisons"] > 20
        assert 0 < run.summary["held_out_accuracy"] < 1
