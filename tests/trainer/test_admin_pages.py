"""The machines' pages open, say what they should, and open for researchers only."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Ranking
from tests.conftest import NOON
from trainer.actions.execution import execute_next_run
from trainer.actions.nodes import note_sweep, register_node
from trainer.actions.runs import cancel_run, queue_run
from trainer.handoff.rundir import RunDirectory, RunSpec
from trainer.models import Checkpoint, Node, Run, RunMetric, SampledCompletion, SyntheticRow

LISTS = ["snapshot", "run", "checkpoint", "sampledcompletion", "syntheticrow"]
FORMS = [
    "snapshot/freeze/",
    "checkpoint/register/",
    "run/loop/",
    "run/start/sft/",
    "run/start/reward/",
    "run/start/ppo/",
    "run/start/dpo/",
    "run/start/kto/",
    "run/start/sample/",
    "run/start/evaluate/",
    "run/start/quantize/",
    "run/start/distill/",
    "run/start/prune/",
    "run/start/share/",
    "run/start/generate/",
    "run/start/expand/",
    "run/start/judge/",
]


@pytest.fixture
def rows(frozen, base, reward_model, sft_run, prompts):
    """One of each thing, as (page, row)."""
    completion = prompts[0].completions.first()
    sample = SampledCompletion.objects.create(
        completion=completion, run=sft_run, checkpoint=base, finished=True, tokens=3
    )
    return [
        ("snapshot", frozen["rankings"]),
        ("run", sft_run),
        ("checkpoint", base),
        ("checkpoint", reward_model),
        ("sampledcompletion", sample),
        *(("syntheticrow", row) for row in made_up(sft_run, base, prompts[0])),
    ]


def made_up(run, base, prompt):
    common = {"run": run, "checkpoint": base}
    return [
        SyntheticRow.objects.create(prompt=prompt, made_from={"prompts": [1, 2]}, **common),
        SyntheticRow.objects.create(
            demonstration=prompt.demonstrations.get(),
            made_from={"topic": "tea", "persona": "a cook"},
            **common,
        ),
        SyntheticRow.objects.create(
            ranking=Ranking.objects.first(),
            made_from={"askings": [{"shown": [1, 2], "tiers": [[1], [2]], "reason": "It helps."}]},
            **common,
        ),
    ]


class TestPages:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_open(self, client, rhea, rows, language):
        client.force_login(rhea)

        for page in LISTS:
            answer = client.get(f"/admin/trainer/{page}/", headers={"Accept-Language": language})
            assert answer.status_code == 200
        for page, row in rows:
            answer = client.get(
                f"/admin/trainer/{page}/{row.pk}/change/", headers={"Accept-Language": language}
            )
            assert answer.status_code == 200
        for form in FORMS:
            assert client.get(f"/admin/trainer/{form}").status_code == 200

    def test_open_where_there_is_nothing_yet(self, client, rhea):
        client.force_login(rhea)

        for page in [*(f"{page}/" for page in LISTS), *FORMS]:
            assert client.get(f"/admin/trainer/{page}").status_code == 200

    @pytest.mark.parametrize("page", LISTS)
    @pytest.mark.parametrize("pk", ["0", "soup", "9" * 40])
    def test_of_what_is_not_there_lead_back_with_a_message(self, client, rhea, page, pk):
        client.force_login(rhea)

        answer = client.get(f"/admin/trainer/{page}/{pk}/change/", follow=True)

        assert answer.status_code == 200
        assert "exist" in str(*answer.context["messages"])

    def test_change_and_delete_nothing(self, client, rhea, rows):
        client.force_login(rhea)

        for page, row in rows:
            for verb in ("change", "delete"):
                answer = client.post(f"/admin/trainer/{page}/{row.pk}/{verb}/", {"post": "yes"})
                assert answer.status_code == 403

    def test_are_in_the_index(self, client, rhea):
        client.force_login(rhea)

        assert "/admin/trainer/run/" in client.get("/admin/").content.decode()


class TestPermission:
    @pytest.fixture
    def addresses(self, rows):
        run, snapshot = Run.objects.get(kind="sft"), rows[0][1]
        return [
            *(f"/admin/trainer/{page}/" for page in LISTS),
            *(f"/admin/trainer/{page}/{row.pk}/change/" for page, row in rows),
            *(f"/admin/trainer/{form}" for form in FORMS),
            f"/admin/trainer/snapshot/{snapshot.pk}/export/",
            f"/admin/trainer/snapshot/{snapshot.pk}/compare/",
            f"/admin/trainer/run/{run.pk}/cancel/",
        ]

    def test_labelers_get_the_login_page(self, client, ada, addresses):
        client.force_login(ada)

        for address in addresses:
            for answer in (client.get(address), client.post(address)):
                assert answer.status_code == 302
                assert answer.url.startswith("/admin/login/")

    def test_the_admins_other_guests_are_refused(self, client, ada, addresses):
        ada.is_staff = True
        ada.save()
        client.force_login(ada)

        for address in addresses:
            assert client.post(address).status_code == 403
        assert Run.objects.get(kind="sft").status == Run.Status.QUEUED

    def test_researchers_need_no_permission_rows(self, client, rhea, addresses):
        client.force_login(rhea)

        assert not rhea.is_superuser
        assert client.get(addresses[0]).status_code == 200


class TestSnapshotPage:
    def test_shows_the_manifest_and_leads_on(self, client, rhea, frozen):
        client.force_login(rhea)
        snapshot = frozen["rankings"]

        page = client.get(f"/admin/trainer/snapshot/{snapshot.pk}/change/").content.decode()

        assert snapshot.digest in page
        assert "latest revision of each" in page
        assert f"/admin/trainer/snapshot/{snapshot.pk}/export/" in page
        assert "trl-preference" in page
        assert f"/admin/trainer/run/start/reward/?snapshot={snapshot.pk}" in page
        assert "/admin/trainer/run/start/sft/" not in page


class TestCheckpointPage:
    def test_tells_where_it_comes_from(self, client, rhea, reward_model, frozen, base):
        client.force_login(rhea)

        page = client.get(f"/admin/trainer/checkpoint/{reward_model.pk}/change/").content.decode()

        for row in (reward_model.produced_by, frozen["rankings"], base):
            assert f"/admin/trainer/{row._meta.model_name}/{row.pk}/change/" in page
        assert f"/admin/trainer/run/start/ppo/?reward={reward_model.pk}" in page

    def test_follows_a_shared_origin_once(self, client, rhea, kitchen, frozen, base):
        policy = chain(kitchen, frozen, base, rounds=12)
        client.force_login(rhea)

        answer = client.get(f"/admin/trainer/checkpoint/{policy.pk}/change/")

        assert answer.status_code == 200
        assert len(answer.content) < 300_000


def chain(campaign, frozen, base, rounds):
    """Checkpoints of many rounds, each of which starts from the policy before it."""
    for number in range(rounds):
        sft = made("sft", frozen["demonstrations"], f"a{number}", base=base)
        reward = made("reward", frozen["rankings"], f"b{number}", base=sft)
        base = made("ppo", frozen["prompts"], f"c{number}", base=sft, reward=reward)
    return base


def made(kind, snapshot, digest, **origins):
    run = queue_run(kind=kind, snapshot=snapshot, created_by=None, now=NOON, **origins)
    return Checkpoint.objects.create(
        kind=kind, name=digest, location="/x", digest=digest, produced_by=run, created_at=NOON
    )


class TestRunPage:
    @pytest.fixture
    def show(self, client, rhea):
        client.force_login(rhea)
        return lambda run: client.get(f"/admin/trainer/run/{run.pk}/change/").content.decode()

    def test_shows_what_differs_from_the_defaults(self, show, frozen, base):
        run = queue_run(
            kind="sft",
            snapshot=frozen["demonstrations"],
            base=base,
            config={"epochs": 7},
            created_by=None,
            now=NOON,
        )

        page = show(run)

        assert "default 3" in page
        assert "default 8" not in page

    def test_of_a_chain_names_the_run_it_waits_for(self, show, loop):
        sft, reward, ppo, _sample = loop

        page = show(ppo)

        for run in (sft, reward):
            assert f"/admin/trainer/run/{run.pk}/change/" in page

    def test_says_in_words_how_it_ended_and_what_it_made(self, show, sft_run, script):
        code = [
            "with run.publish_result() as folder: (folder / 'model.safetensors').write_text('weights')",
            "health = {'verdict': 'watch', 'findings': [], 'checked': []}",
            "run.mark_done({'demonstrations': 4, 'held_out_loss': float('nan'), 'health': health})",
        ]
        run = carry_out(sft_run, script(*code))

        page = show(run)

        assert "Demonstrations learned from" in page
        assert "nothing held out" in page
        assert "Worth a look" in page
        assert f"/admin/trainer/checkpoint/{run.result.pk}/change/" in page
        assert "Cancel the run" not in page

    def test_says_how_the_curves_are_so_far(self, show, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        assert "desk-verdict" not in show(sft_run)

        log(sft_run, [3.0 - step / 9 for step in range(12)])

        page = show(sft_run)
        assert "Healthy" in page
        assert "1 check had enough to look at." in page

    def test_says_what_is_wrong_with_them_and_what_to_change(self, show, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        log(sft_run, [None, *(2.0 + step for step in range(12))])

        page = show(sft_run)

        assert "Needs attention" in page
        assert "The loss went from 3.5 to 11.5: it does not fall." in page
        assert "Lower learning_rate if grad_norm is restless" in page

    def test_says_so_in_chinese_too(self, client, rhea, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        log(sft_run, [2.0 + step for step in range(12)])
        client.force_login(rhea)

        page = client.get(
            f"/admin/trainer/run/{sft_run.pk}/change/", headers={"Accept-Language": "zh-hans"}
        ).content.decode()

        assert "需要处理" in page
        assert "损失从 3.5 变为 11.5：没有下降。" in page

    def test_judges_the_current_attempt_alone(self, show, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
        log(sft_run, [2.0 + step for step in range(12)])
        sft_run.give_back("", now=NOON)
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)

        assert "Needs attention" not in show(sft_run)

    def test_says_why_it_failed(self, show, sft_run, script):
        run = carry_out(sft_run, script("run.mark_failed('The <b>soup</b> boiled over.')"))

        page = show(run)

        assert "The &lt;b&gt;soup&lt;/b&gt; boiled over." in page

    def test_quotes_the_policy_as_text(self, show, frozen, base, prompts):
        run = queue_run(kind="sample", snapshot=frozen["prompts"], base=base, created_by=None, now=NOON)
        say(run, prompts[0].pk, "<script>alert(1)</script>")

        page = show(run)

        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "How do I make soup?" in page

    def test_does_without_a_run_directory_that_can_be_read(self, show, sft_run):
        sft_run.folder.mkdir(parents=True)
        (sft_run.folder / "samples.jsonl").write_text("half a li\n")

        assert "Cancel the run" in show(sft_run)

    def test_does_without_the_built_front_end(self, show, sft_run, monkeypatch):
        monkeypatch.setattr("trainer.admin.run_page.finders.find", lambda path: None)

        page = show(sft_run)

        assert 'http-equiv="refresh"' in page
        assert "run-page.js" not in page


def log(run, losses):
    RunMetric.objects.bulk_create(
        RunMetric(run=run, attempt=run.attempt, line=step, values={"step": step, "steps": 12, "loss": loss})
        for step, loss in enumerate(losses, start=1)
    )


def carry_out(run, command):
    folder = str(run.folder.parent / "attempt-1")
    execute_next_run(worker="w", clock=lambda: NOON, stopping=lambda: False, command=[*command, folder])
    run.refresh_from_db()
    return run


def say(run, prompt_id, text):
    spec = RunSpec(
        kind=run.kind,
        config=run.config,
        base_model="m",
        base_digest="d",
        snapshot_digest="s",
        code_version="v",
    )
    directory = RunDirectory.create(run.folder, spec, {})
    directory.append_sample(
        prompt_id=prompt_id, completion=text, finished=False, tokens=3, score=1.25, ref_kl=0.5, step=1
    )


class TestCancelling:
    @pytest.fixture
    def cancel(self, client, rhea):
        client.force_login(rhea)

        def post(pk):
            answer = client.post(f"/admin/trainer/run/{pk}/cancel/", follow=True)
            return answer, [str(message) for message in answer.context.get("messages", [])]

        return post

    def test_ends_a_waiting_run(self, cancel, sft_run):
        answer, told = cancel(sft_run.pk)

        sft_run.refresh_from_db()
        assert sft_run.status == Run.Status.CANCELLED
        assert told == ["The run is cancelled."]

    def test_ends_a_running_one(self, cancel, sft_run, settings):
        sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)

        answer, told = cancel(sft_run.pk)

        assert told == ["The run is cancelled."]
        assert "Cancelled" in answer.content.decode()

    def test_says_that_a_run_is_over(self, cancel, sft_run):
        cancel_run(sft_run, now=NOON)

        answer, told = cancel(sft_run.pk)

        assert answer.status_code == 200
        assert told == ["This run is over already."]

    @pytest.mark.parametrize("pk", [0, 10**30])
    def test_knows_no_other_runs(self, client, rhea, pk):
        client.force_login(rhea)

        assert client.post(f"/admin/trainer/run/{pk}/cancel/").status_code == 404

    def test_takes_more_than_a_link(self, client, rhea, sft_run):
        client.force_login(rhea)

        assert client.get(f"/admin/trainer/run/{sft_run.pk}/cancel/").status_code == 405
        sft_run.refresh_from_db()
        assert sft_run.status == Run.Status.QUEUED


class TestNodes:
    def test_are_machines_and_not_the_sweeps(self, client, rhea):
        client.force_login(rhea)
        note_sweep(now=timezone.now())
        register_node("gpu@one", now=timezone.now())

        shown = client.get("/admin/trainer/node/").context["cl"].result_list

        assert [node.name for node in shown] == ["gpu@one"]

    def test_can_leave_the_list_when_they_are_gone(self, client, rhea):
        client.force_login(rhea)
        here = register_node("gpu@here", now=timezone.now())
        gone = register_node("gpu@gone", now=timezone.now() - timedelta(hours=1))

        answers = [
            client.post(f"/admin/trainer/node/{node.pk}/delete/", {"post": "yes"}).status_code
            for node in (here, gone)
        ]

        assert answers == [403, 302]
        assert [node.name for node in Node.objects.all()] == ["gpu@here"]


class TestHowLongARunTook:
    def test_is_said_of_short_ones_too(self, client, rhea, sft_run):
        client.force_login(rhea)
        for seconds, words in ((20, "less than a minute"), (150, "2\xa0minutes")):
            ended = {"status": Run.Status.CANCELLED, "finished_at": NOON + timedelta(seconds=seconds)}
            Run.objects.filter(pk=sft_run.pk).update(started_at=NOON, **ended)
            facts = client.get(f"/admin/trainer/run/{sft_run.pk}/change/").context["facts"]
            assert ("Took", words) in facts
