"""What an admin sets going from the panel: freezing, exporting, registering, one run, the whole loop."""

from uuid import UUID

import pytest

from annotation.models import Campaign
from tests.conftest import NOON
from trainer.actions.checkpoints import register_base_model
from trainer.actions.pipelines import loop_of
from trainer.handoff.configs import PPOConfig
from trainer.models import Checkpoint, Pipeline, Run, Snapshot
from trainer.recipes import SHORT

KEY = str(UUID(int=7))


@pytest.fixture
def post(client, rhea):
    client.force_login(rhea)
    return lambda path, **values: client.post(f"/admin/trainer/{path}", values)


def told(client, answer):
    return [str(message) for message in client.get(answer.url).context["messages"]]


class TestFreezing:
    def test_leads_to_the_snapshot(self, post, client, kitchen, rankings, rhea):
        answer = post("snapshot/freeze/", campaign=kitchen.pk, kind="rankings")

        snapshot = Snapshot.objects.get()
        assert answer.url == f"/admin/trainer/snapshot/{snapshot.pk}/change/"
        assert (snapshot.kind, snapshot.created_by) == ("rankings", rhea)
        assert "Frozen" in told(client, answer)[0]

    def test_suggests_a_campaign(self, client, rhea, kitchen):
        client.force_login(rhea)

        assert client.get("/admin/trainer/snapshot/freeze/").context["form"]["campaign"].value() == kitchen.pk
        garden = Campaign.objects.create(name="Garden")
        form = client.get(f"/admin/trainer/snapshot/freeze/?campaign={garden.pk}").context["form"]
        assert form["campaign"].value() == str(garden.pk)

    def test_says_when_nothing_has_changed(self, post, client, kitchen, frozen):
        answer = post("snapshot/freeze/", campaign=kitchen.pk, kind="rankings")

        assert answer.url == f"/admin/trainer/snapshot/{frozen['rankings'].pk}/change/"
        assert "Nothing has changed" in told(client, answer)[0]

    def test_says_what_is_missing(self, post, kitchen):
        answer = post("snapshot/freeze/", campaign=kitchen.pk, kind="rankings")

        assert "Nobody has ranked anything" in answer.context["form"].errors["kind"][0]

    @pytest.mark.parametrize(
        "bad", [{"campaign": 0}, {"campaign": "9" * 40}, {"kind": "opinions"}, {"kind": ""}]
    )
    def test_names_the_field_that_is_wrong(self, post, kitchen, prompts, bad):
        answer = post("snapshot/freeze/", **{"campaign": kitchen.pk, "kind": "prompts", **bad})

        assert list(answer.context["form"].errors) == list(bad)
        assert not Snapshot.objects.exists()


class TestFilteringASnapshot:
    def test_takes_filters(self, post, kitchen, rankings, ada):
        post(
            "snapshot/freeze/",
            campaign=kitchen.pk,
            kind="rankings",
            language="en",
            guideline_from=1,
            submitted_from="2026-11-01",
        )

        filters = Snapshot.objects.get().manifest["filters"]
        assert set(filters) == {"language", "guideline_from", "submitted_from"}

    def test_says_when_a_filter_does_not_fit(self, post, kitchen, prompts):
        answer = post("snapshot/freeze/", campaign=kitchen.pk, kind="prompts", settled="consensus")

        assert "settled" in answer.context["form"].errors["kind"][0]

    def test_says_when_filters_contradict_each_other(self, post, kitchen, rankings):
        dates = {"submitted_from": "2026-11-02", "submitted_until": "2026-11-01"}

        answer = post("snapshot/freeze/", campaign=kitchen.pk, kind="rankings", **dates)

        assert answer.context["form"].errors["kind"]


class TestRegistering:
    def test_takes_a_hugging_face_id(self, post):
        answer = post("checkpoint/register/", name="someone/some-model")

        checkpoint = Checkpoint.objects.get()
        assert checkpoint.location == "someone/some-model"
        assert answer.url == f"/admin/trainer/checkpoint/{checkpoint.pk}/change/"

    def test_finds_a_folder_again(self, post, base):
        post("checkpoint/register/", name=base.location)

        assert Checkpoint.objects.get() == base

    @pytest.mark.parametrize("name", ["", " ", "/nowhere", "a b", "nul\0", "x" * 501])
    def test_says_what_is_no_model(self, post, name):
        answer = post("checkpoint/register/", name=name)

        assert answer.context["form"].errors["name"]
        assert not Checkpoint.objects.exists()


class TestStartingARun:
    @pytest.fixture
    def start(self, post, frozen, base):
        def start_sft(**changes):
            given = {"snapshot": frozen["demonstrations"].pk, "base": base.pk, "idempotency_key": KEY}
            return post("run/start/sft/", **{**given, **changes})

        return start_sft

    def test_queues_it_with_the_settings_and_shows_its_page(self, start, rhea, base, frozen):
        answer = start(epochs="2", learning_rate="")

        run = Run.objects.get()
        assert answer.url == f"/admin/trainer/run/{run.pk}/change/"
        assert (run.base, run.snapshot, run.created_by) == (base, frozen["demonstrations"], rhea)
        assert (run.config["epochs"], run.config["learning_rate"]) == (2, 1e-4)

    @pytest.mark.parametrize("wanted", [True, False])
    def test_switches_on_what_is_switched_on(self, start, wanted):
        start(**({"gradient_checkpointing": "on"} if wanted else {}))

        assert Run.objects.get().config["gradient_checkpointing"] is wanted

    def test_queues_ppo_with_its_reward_model(self, post, frozen, base, reward_model):
        post(
            "run/start/ppo/",
            snapshot=frozen["prompts"].pk,
            base=base.pk,
            reward=reward_model.pk,
            idempotency_key=KEY,
        )

        run = Run.objects.get(kind="ppo")
        assert (run.reward, run.snapshot) == (reward_model, frozen["prompts"])

    def test_samples_with_a_reward_model_that_chooses(self, post, frozen, base, reward_model):
        given = {"snapshot": frozen["prompts"].pk, "base": base.pk, "idempotency_key": KEY}

        post("run/start/sample/", **given, reward=reward_model.pk, best_of="4")

        run = Run.objects.get(kind="sample")
        assert (run.reward, run.config["best_of"]) == (reward_model, 4)

    @pytest.mark.parametrize("deliver", [True, False])
    def test_brings_samples_to_the_labelers_as_asked(self, post, frozen, base, deliver):
        given = {"snapshot": frozen["prompts"].pk, "base": base.pk, "idempotency_key": KEY}

        post("run/start/sample/", **given, **({"deliver": "on"} if deliver else {}))

        assert Run.objects.get().delivers is deliver

    def test_a_second_click_finds_the_first_ones_run(self, start):
        assert start().url == start().url
        assert Run.objects.count() == 1

    def test_registers_a_model_that_is_typed(self, start, base):
        start(base="", other_base=base.location)
        start(other_base="someone/some-model", idempotency_key=str(UUID(int=8)))

        first, second = Run.objects.order_by("pk")
        assert first.base == base
        assert second.base.name == "someone/some-model"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("epochs", "many"),
            ("epochs", "0"),
            ("learning_rate", "nan"),
            ("learning_rate", "-1"),
            ("dtype", "int3"),
            ("seed", "1e400"),
            ("seed", "9" * 101),
            ("snapshot", "0"),
            ("snapshot", "9" * 40),
            ("snapshot", "soup"),
            ("base", "0"),
            ("other_base", "/nowhere"),
            ("other_base", "a b"),
            ("idempotency_key", "again"),
            ("idempotency_key", ""),
        ],
    )
    def test_names_the_field_that_is_wrong(self, start, field, value):
        answer = start(**{field: value})

        assert list(answer.context["form"].errors) == [field]
        assert not Run.objects.exists()

    def test_names_every_setting_that_is_wrong_and_keeps_what_was_typed(self, start):
        answer = start(epochs="0", batch_size="<b>", seed="5")

        assert set(answer.context["form"].errors) == {"epochs", "batch_size"}
        page = answer.content.decode()
        assert 'value="5"' in page
        assert "It must be 1 or more." in page
        assert 'value="&lt;b&gt;"' in page

    def test_names_settings_that_do_not_fit_together(self, post, frozen, base, reward_model):
        answer = post(
            "run/start/ppo/",
            snapshot=frozen["prompts"].pk,
            base=base.pk,
            reward=reward_model.pk,
            rollout_size="10",
            idempotency_key=KEY,
        )

        assert list(answer.context["form"].errors) == ["minibatch_size"]

    def test_wants_a_model(self, start):
        assert list(start(base="").context["form"].errors) == ["base"]

    def test_wants_a_reward_model_for_ppo(self, post, frozen, base):
        answer = post("run/start/ppo/", snapshot=frozen["prompts"].pk, base=base.pk, idempotency_key=KEY)

        assert list(answer.context["form"].errors) == ["reward"]

    def test_takes_no_reward_model_to_start_from(self, start, reward_model):
        assert list(start(base=reward_model.pk).context["form"].errors) == ["base"]

    def test_takes_no_snapshot_of_another_kind(self, start, frozen):
        assert list(start(snapshot=frozen["prompts"].pk).context["form"].errors) == ["snapshot"]


class TestTheStartForm:
    @pytest.fixture
    def form(self, client, rhea):
        client.force_login(rhea)

        def get(kind, **query):
            return client.get(f"/admin/trainer/run/start/{kind}/", query).context["form"]

        return get

    def test_explains_every_setting(self, form, frozen, base):
        for kind in Run.Kind.values:
            for field in form(kind).settings():
                assert field.help_text.removesuffix(f" Default: {field.initial}.").strip(), field.name

    def test_suggests_what_usually_comes_next(self, form, frozen, base, reward_model):
        ppo = form("ppo")

        assert ppo["snapshot"].initial == frozen["prompts"].pk
        assert ppo["base"].initial == base.pk
        assert ppo["reward"].initial == reward_model.pk

    def test_takes_up_what_the_page_before_was_about(self, form, base, frozen):
        other = register_base_model("someone/some-model", now=NOON)

        assert form("sft")["base"].initial == other.pk
        assert form("sft", base=base.pk)["base"].initial == str(base.pk)

    def test_names_the_model_that_came_with_the_product_where_there_is_no_other(self, form, settings):
        assert form("sft")["other_base"].initial == next(iter(settings.BASE_MODELS))

    def test_gives_every_form_a_key_of_its_own(self, form, base):
        assert form("sft")["idempotency_key"].value() != form("sft")["idempotency_key"].value()


class TestTheWholeLoop:
    def test_starts_a_pipeline_and_shows_its_stages(
        self, post, client, kitchen, demonstrations, rankings, base
    ):
        answer = post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=KEY)

        stages = [stage["run"] for stage in client.get(answer.url).context["stages"]]
        assert [run.kind for run in stages] == ["sft", "reward", "ppo", "sample"]
        assert [run.pipeline_run.pipeline.name for run in stages] == ["The whole loop"] * 4

    def test_goes_by_the_pipeline_as_somebody_changed_it(self, post, kitchen, demonstrations, rankings, base):
        loop_of(kitchen, False, None, NOON)
        Pipeline.objects.update(document="stages: {sft: {settings: {epochs: 7}}}")

        post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=KEY)

        assert Run.objects.get().config["epochs"] == 7
        assert Pipeline.objects.count() == 1

    def test_says_that_the_last_one_is_not_over(self, post, kitchen, demonstrations, rankings, base):
        post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=KEY)

        again = post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=UUID(int=2))

        assert "is not over yet" in again.context["form"].non_field_errors()[0]
        assert Run.objects.count() == 4

    def test_offers_a_short_try_and_the_defaults(self, post, kitchen, base, frozen):
        post("run/loop/", campaign=kitchen.pk, base=base.pk, is_short="on", idempotency_key=KEY)
        post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=UUID(int=2))

        short, full = Run.objects.filter(kind="ppo").order_by("pk")
        assert short.config["iterations"] == SHORT["ppo"]["iterations"]
        assert full.config["iterations"] == PPOConfig().iterations

    def test_registers_the_model_that_came_with_the_product(
        self, post, kitchen, demonstrations, rankings, base, settings
    ):
        settings.BASE_MODELS = {"Tiny": base.location}
        Checkpoint.objects.all().delete()

        post("run/loop/", campaign=kitchen.pk, other_base="Tiny", idempotency_key=KEY)

        assert Run.objects.get(kind="sft").base.location == base.location

    def test_a_second_click_queues_nothing_more(self, post, kitchen, demonstrations, rankings, base):
        for _ in range(2):
            answer = post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=KEY)

        assert answer.status_code == 302
        assert Run.objects.count() == 4

    def test_says_what_the_campaign_lacks_and_queues_nothing(self, post, kitchen, demonstrations, base):
        answer = post("run/loop/", campaign=kitchen.pk, base=base.pk, idempotency_key=KEY)

        assert "Nobody has ranked anything" in answer.context["form"].non_field_errors()[0]
        assert not Run.objects.exists()

    def test_says_that_a_model_is_not_on_this_machine(self, post, kitchen, settings):
        name = next(iter(settings.BASE_MODELS))
        settings.BASE_MODELS = {name: "/nowhere"}

        answer = post("run/loop/", campaign=kitchen.pk, other_base=name, idempotency_key=KEY)

        assert "not on this machine" in answer.context["form"].errors["other_base"][0]

    @pytest.mark.parametrize("campaign", ["", "0", "9" * 40, "Kitchen"])
    def test_wants_a_campaign(self, post, base, campaign):
        Campaign.objects.create(name="Kitchen")

        answer = post("run/loop/", campaign=campaign, base=base.pk, idempotency_key=KEY)

        assert list(answer.context["form"].errors) == ["campaign"]
