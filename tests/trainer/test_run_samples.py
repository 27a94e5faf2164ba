"""On a run's page: what its policy said, beside what it starts from."""

import pytest

from tests.conftest import NOON
from trainer.actions.runs import queue_run
from trainer.admin.run_samples import said_by
from trainer.handoff.rundir import RunDirectory


@pytest.fixture
def run(frozen, base, reward_model, rhea):
    given = {"snapshot": frozen["prompts"], "base": base, "reward": reward_model}
    run = queue_run(kind="ppo", **given, created_by=rhea, now=NOON)
    run.folder.mkdir(parents=True)
    return run


@pytest.fixture
def say(run):
    def say(prompt, completion, step, **more):
        figures = {"finished": True, "tokens": 3, "score": None, "ref_kl": None, "step": step}
        RunDirectory(run.folder).append_sample(
            prompt_id=prompt.pk, completion=completion, **{**figures, **more}
        )

    return say


class TestWhatARunSaid:
    def test_is_nothing_before_it_said_something(self, run):
        assert said_by(run) is None

    def test_stands_beside_the_first_iteration_while_it_goes_on(self, run, say, prompts):
        soup, rice, tea, *_ = prompts
        for prompt in (soup, rice):
            say(prompt, "At first.", 1)
        say(tea, "Later.", 2)
        for prompt in (tea, rice):
            say(prompt, "Now.", 3)

        said = said_by(run)

        assert [(row["prompt"], row["completion"], row["base"]) for row in said["rows"]] == [
            (rice, "Now.", "At first."),
            (tea, "Now.", None),
        ]
        assert (said["has_base"], said["is_greedy"]) == (True, False)

    def test_has_nothing_beside_it_in_the_first_iteration(self, run, say, prompts):
        say(prompts[0], "At first.", 1)

        assert not said_by(run)["has_base"]

    def test_ends_with_what_both_were_asked(self, run, say, prompts):
        say(prompts[0], "At first.", 1)
        say(prompts[1], "At last.", 2)
        say(prompts[2], "After it.", 2, base="Before it.")

        said = said_by(run)

        assert [(row["completion"], row["base"]) for row in said["rows"]] == [("After it.", "Before it.")]
        assert said["is_greedy"]

    def test_is_shown_as_text(self, run, say, prompts, client, rhea):
        say(prompts[0], "<b>after</b>", 2, base="<script>before</script>")
        client.force_login(rhea)

        page = client.get(f"/admin/trainer/run/{run.pk}/change/").content.decode()

        assert "&lt;b&gt;after&lt;/b&gt;" in page
        assert "&lt;script&gt;before&lt;/script&gt;" in page
        assert "What it starts from" in page
