"""What a run will take is told before it is started, and nothing is started by asking."""

import re
from dataclasses import asdict
from uuid import UUID

import pytest
from django.utils import timezone

from tests.conftest import NOON
from tests.tiny_model import make_tiny_model
from tests.trainer.answering_node import answer_next
from trainer import rehearsal
from trainer.actions.checkpoints import register_base_model
from trainer.actions.costs import cost_of_rehearsal, cost_of_run
from trainer.actions.layout import lay_out, lay_out_inputs
from trainer.actions.nodes import register_node
from trainer.actions.rehearsals import LEASE
from trainer.actions.runs import queue_run
from trainer.admin.costs import shown_cost
from trainer.admin.rehearsals import notes_of_the_node
from trainer.errors import RewardMissing
from trainer.handoff.plans import Said
from trainer.handoff.records import DemonstrationRecord, read_records
from trainer.handoff.rundir import RunDirectory
from trainer.models import Checkpoint, Rehearsal, Run, RunMetric
from trainer.rlhf.memory import Need

KEY = str(UUID(int=7))


@pytest.fixture
def sft_cost(frozen, base):
    return lambda **config: cost_of_run(
        kind="sft", snapshot=frozen["demonstrations"], base=base, config=config, now=NOON
    )


def node_answers(cost):
    """What is known once a node has looked."""
    answer_next()
    cost.rehearsal.refresh_from_db()
    return cost_of_rehearsal(cost.rehearsal)


def finished(run, *speeds):
    Run.objects.filter(pk=run.pk).update(status="SUCCEEDED", finished_at=NOON, attempt=1)
    RunMetric.objects.bulk_create(
        RunMetric(run=run, attempt=1, line=line, values={"step": line, "tokens_per_second": speed})
        for line, speed in enumerate(speeds, start=1)
    )


class TestTheDesksGuess:
    def test_counts_the_bytes_of_what_is_learned_from(self, sft_cost, frozen):
        rows = [
            row
            for row in read_records(frozen["demonstrations"].file, DemonstrationRecord)
            if row.split == "train"
        ]
        texts = [turn["content"] for row in rows for turn in [*row.messages, *row.turns]]

        cost = sft_cost(epochs=2)

        assert cost.rows == len(rows) > 0
        assert cost.tokens == round(2 * sum(len(text.encode()) for text in texts) / 4)
        assert not cost.is_counted

    def test_of_rollouts_grows_with_their_number_and_size(self, frozen, base, reward_model):
        def ppo(**config):
            given = {"kind": "ppo", "snapshot": frozen["prompts"], "base": base, "reward": reward_model}
            return cost_of_run(**given, config=config, now=NOON).tokens

        assert ppo(iterations=20) == pytest.approx(2 * ppo(iterations=10), abs=1)
        assert ppo(max_new_tokens=128) - ppo(max_new_tokens=64) == pytest.approx(100 * 64 * 64, abs=1)

    def test_of_samples_is_that_of_their_answers(self, frozen, base):
        given = {"kind": "sample", "snapshot": frozen["prompts"], "base": base}

        config = {"prompts": 3, "completions_per_prompt": 2, "max_new_tokens": 10}
        cost = cost_of_run(**given, config=config, now=NOON)

        assert cost.tokens == 3 * 2 * 10

    def test_takes_the_speed_of_finished_runs_of_the_same_kind(self, sft_cost, sft_run):
        assert (sft_cost().speed, sft_cost().time) == (None, None)
        finished(sft_run, 10.0, 20.0, 90.0)

        cost = sft_cost()

        assert (cost.speed, cost.measured_by) == (20.0, [sft_run])
        assert cost.time.total_seconds() == pytest.approx(cost.tokens / 20.0)

    def test_prefers_runs_from_the_same_model(self, sft_cost, sft_run, frozen, rhea):
        other = register_base_model("someone/some-model", now=NOON)
        faster = queue_run(
            kind="sft", snapshot=frozen["demonstrations"], base=other, created_by=rhea, now=NOON
        )
        finished(faster, 1e6)
        assert (sft_cost().measured_by, sft_cost().is_same_model) == ([faster], False)

        finished(sft_run, 10.0)

        assert (sft_cost().measured_by, sft_cost().is_same_model) == ([sft_run], True)

    def test_knows_whether_other_numbers_of_devices_were_measured(self, frozen, base, sft_run):
        finished(sft_run, 10.0)
        asked = {"kind": "sft", "snapshot": frozen["demonstrations"], "base": base, "config": {}}

        alike, apart = (cost_of_run(**asked, devices=count, now=NOON) for count in (0, 2))

        assert (alike.is_same_layout, apart.is_same_layout) == (True, False)
        note = "The speed is that of runs on other numbers of devices"
        assert note in " ".join(shown_cost(apart, now=NOON)["notes"])

    def test_is_refused_as_the_run_would_be(self, frozen, base):
        with pytest.raises(RewardMissing):
            cost_of_run(kind="ppo", snapshot=frozen["prompts"], base=base, config={}, now=NOON)


class TestTheLabsAnswer:
    @pytest.fixture
    def model(self, tmp_path):
        return register_base_model(
            str(make_tiny_model(tmp_path / "llama", ["How do I make soup?"], hidden=32)), now=NOON
        )

    def test_counts_with_the_models_own_tokenizer_and_plans_memory(self, frozen, model, settings):
        settings.NODE_DEVICES = 4
        asked = {"kind": "sft", "snapshot": frozen["demonstrations"], "base": model, "nodes": 2, "devices": 2}
        cost = node_answers(cost_of_run(**asked, config={"epochs": 3}, now=NOON))

        told = cost.rehearsal.told
        assert cost.is_counted
        assert (cost.rows, cost.tokens) == (told["rows"], 3 * told["tokens"])
        assert 0 < told["peaks"]["cpu"] < told["available"]["cpu"]
        assert any("learned weights" in need["what"] for need in told["needs"])
        assert told["facts"]["processes"]["numbers"] == {"count": 2, "device": "cpu", "nodes": 2}
        share = {"rows": -(-cost.rows // 4), "whole": cost.rows, "what": "rows"}
        assert told["facts"]["each"] == {"what": "copies", "numbers": share}
        assert not cost.rehearsal.trouble

    def test_is_what_it_said_last_where_it_could_not_go_on(self, sft_cost, lab_says):
        lab_says("import sys", "sys.exit('Traceback:\\nThere is no such model.')")

        cost = node_answers(sft_cost())

        assert cost.rehearsal.trouble == "There is no such model."
        assert (cost.rehearsal.told, cost.is_counted) == ({}, False)

    def test_is_not_asked_for_about_a_model_that_is_elsewhere(self, frozen):
        other = register_base_model("someone/some-model", now=NOON)

        asked = {"kind": "sft", "snapshot": frozen["demonstrations"], "base": other}
        cost = node_answers(cost_of_run(**asked, config={}, now=NOON))

        assert (cost.rehearsal.told, cost.rehearsal.trouble) == ({}, "")
        assert "does not have yet what such a run reads" in notes_of_the_node(cost.rehearsal, NOON)[0]

    def test_tells_what_a_model_server_would_be_asked(
        self, client, rhea, frozen, rankings, settings, monkeypatch
    ):
        monkeypatch.setenv("RANKWRIGHT_ENDPOINTS", "kitchen=http://127.0.0.1:9/v1")
        client.force_login(rhea)
        asked = {"snapshot": frozen["prompts"].pk, "other_base": "endpoint:kitchen", "idempotency_key": KEY}

        page = client.post("/admin/trainer/run/start/judge/", {**asked, "most_requests": "9", "check": ""})
        answer_next()
        page = client.get(page.context["check"]["url"])

        facts = dict(page.context["check"]["facts"])
        assert (facts["Items that it asks for"], facts["Budget"]) == ("8", "most_requests 9")
        assert "How do I make" in page.context["check"]["first_request"]

    def test_is_not_waited_for_without_end(self, sft_cost, monkeypatch, lab_says):
        monkeypatch.setattr(rehearsal, "SECONDS", 0.01)
        monkeypatch.setattr(rehearsal, "POLL_SECONDS", 0.01)
        lab_says("import time", "time.sleep(60)")

        assert node_answers(sft_cost()).rehearsal.took_too_long


class TestCheckingAForm:
    @pytest.fixture
    def check(self, client, rhea, frozen, base):
        client.force_login(rhea)

        def post(**changes):
            given = {"snapshot": frozen["demonstrations"].pk, "base": base.pk, "idempotency_key": KEY}
            return client.post("/admin/trainer/run/start/sft/", {**given, **changes, "check": ""})

        return post

    def test_starts_nothing_and_keeps_what_was_filled_in(self, check):
        answer = check(epochs="2")

        page = answer.content.decode()
        assert answer.status_code == 200
        assert "no run of this kind has finished yet" in page
        assert "Nobody is there to count tokens and plan memory" in page
        assert "celery -A config worker -Q gpu" in page
        assert re.search(r'name="epochs" value="2"|value="2"[^>]*name="epochs"', page)
        assert KEY in page
        assert not Run.objects.exists()

    def test_asks_for_the_run_that_would_start(
        self, client, rhea, frozen, base, reward_model, tmp_path, settings
    ):
        client.force_login(rhea)
        given = {"snapshot": frozen["prompts"].pk, "base": base.pk, "reward": reward_model.pk}
        given |= {"holdout": reward_model.pk, "nodes": "2", "devices": "3", "iterations": "7"}
        address = "/admin/trainer/run/start/ppo/"

        client.post(address, {**given, "idempotency_key": KEY, "check": ""})
        client.post(address, {**given, "idempotency_key": KEY})

        asked, run = Rehearsal.objects.get(), Run.objects.get(kind="ppo")
        lay_out(run, tmp_path / "run", lambda: None)
        lay_out_inputs(asked, tmp_path / "asked", lambda: None)
        for file in ("config.json", "data/prompts.parquet"):
            assert (tmp_path / "asked" / file).read_bytes() == (tmp_path / "run" / file).read_bytes()
        assert (asked.nodes, asked.devices) == (run.nodes, run.devices) == (2, 3)
        options = rehearsal.lab_command(RunDirectory(tmp_path), asked.nodes, asked.devices)[-4:]
        assert options == ["--nodes", "2", "--processes", "3"]

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"devices": "8"}, "a node with 8 devices; no node that is there has more than 2."),
            ({"nodes": "3", "devices": "2"}, "3 nodes with 2 devices each, and finds only 1."),
            ({"nodes": "3"}, "3 nodes, and finds only 2."),
        ],
    )
    def test_says_where_too_few_nodes_have_so_many_devices(self, check, settings, asked, words):
        for size in (1, 2):
            settings.NODE_DEVICES = size
            register_node(f"node {size}", now=timezone.now())

        page = check(**asked).content.decode()

        assert words in page
        assert "Once started, it would wait" in page
        assert ("data-live-on" in page) == (asked.get("devices") != "8")
        assert "Once started" not in check(nodes="2", devices="1").content.decode()

    def test_says_in_chinese_that_no_node_is_large_enough(self, check, client):
        register_node("node", now=timezone.now())
        client.cookies["django_language"] = "zh-hans"

        assert "需要一个有 8 台设备的节点" in check(devices="8").content.decode()

    def test_stores_no_model_that_is_typed(self, check):
        assert check(base="", other_base="someone/some-model").context["check"]

        assert Checkpoint.objects.count() == 1

    def test_shows_memory_and_what_cannot_be(self, check, client):
        told = {
            "facts": {"processes": asdict(Said("processes", {"count": 1, "device": "cpu"}))},
            "rows": 4,
            "tokens": 1000,
            "needs": [asdict(Need("scores texts", 2 * 10**9, numbers={"source": "<b>endpoint"}))],
            "available": {"cpu": 10**9},
            "peaks": {"cpu": 2 * 10**9},
            "changes": [asdict(Said("smaller", {"setting": "batch_size"}))],
        }
        first = check(epochs="3")
        Rehearsal.objects.update(told=told, answered_at=timezone.now(), worker="node", runs_beside=2)

        page = client.get(first.context["check"]["url"]).content.decode()

        assert "about 3,000" in page
        assert "1 on cpu" in page
        assert "would need about 1.9\xa0GB of memory on cpu" in page
        assert "Try a smaller batch_size." in page
        assert "&lt;b&gt;endpoint" in page
        assert "Memory is that of node" in page
        assert "It carries out 2 runs at the moment" in page
        assert "data-live-on" not in page

    def test_says_what_the_lab_says_in_chinese(self, check, client):
        layers = {"below": 22, "layers": 30}
        needs = [Need("learned weights", 10**9, numbers={"of": "policy"}), Need("classifier", 1, "saving")]
        told = {
            "facts": {"trunk": asdict(Said("shared", layers))},
            "rows": 4,
            "tokens": 1000,
            "needs": [asdict(need) for need in needs],
            "available": {"cpu": 10**8},
            "peaks": {"cpu": 10**9},
            "changes": [asdict(Said("fewer layers"))],
        }
        check()
        Rehearsal.objects.update(told=told, answered_at=timezone.now(), worker="node")
        client.cookies["django_language"] = "zh-hans"

        page = check().content.decode()

        for words in ("最低的 22 层共用（共 30 层）", "策略：要学习的权重", "适配器，或全部权重", "保存"):
            assert words in page
        assert "最大的部分是策略：要学习的权重" in page
        assert "lora_layers 小于层数" in page

    def test_follows_the_node_until_it_has_answered(self, check, client):
        now = timezone.now()
        register_node("node", now=now)

        first = check()
        row = Rehearsal.objects.get()
        row.claim("node", now=now, lease=LEASE)
        second = client.get(first.context["check"]["url"])
        row.answer(now=now, trouble="There is no such model.")
        third = client.get(first.context["check"]["url"])

        assert "A node is asked to count tokens" in first.content.decode()
        assert (
            "node fetches what such a run reads, counts tokens and plans memory." in second.content.decode()
        )
        assert "There is no such model." in third.content.decode()
        live = ["data-live-on" in page.content.decode() for page in (first, second, third)]
        assert live == [True, True, False]

    def test_is_given_up_where_nobody_answers(self, check, client):
        first = check()
        Rehearsal.objects.update(asked_at=timezone.now() - Rehearsal.PATIENCE)

        page = client.get(first.context["check"]["url"]).content.decode()

        assert "No node has answered." in page
        assert "data-live-on" not in page

    def test_tells_labelers_nothing(self, check, client, ada):
        address = check().context["check"]["url"]
        client.force_login(ada)

        assert client.get(address).status_code in {302, 403}

    def test_names_every_setting_that_is_wrong_and_asks_nobody(self, check):
        answer = check(epochs="0", batch_size="x")

        assert set(answer.context["form"].errors) == {"epochs", "batch_size"}
        assert answer.context["check"] is None
        assert not Rehearsal.objects.exists()
