"""The memory plan: exact where it can be, and a refusal before any weights are loaded."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from transformers import GraniteConfig

from tests.trainer.rlhf.kitchen import demonstration, run_program
from trainer.handoff.configs import build_config
from trainer.handoff.plans import Said
from trainer.rlhf import amounts, ppo, sft
from trainer.rlhf import outline as outlines
from trainer.rlhf.blanks import PassShape, Traits, blank_backbone
from trainer.rlhf.casts import blank_training_backbone
from trainer.rlhf.errors import LabError
from trainer.rlhf.learner import Learner
from trainer.rlhf.loading import load_backbone, load_tokenizer
from trainer.rlhf.memory import Need, Plan, free_host_memory, readable
from trainer.rlhf.meter import Meter, most_bytes
from trainer.rlhf.modeling import Role
from trainer.rlhf.outline import outline
from trainer.rlhf.readings import read
from trainer.rlhf.reward_models import load_reward_model
from trainer.rlhf.world import World

CPU = torch.device("cpu")
WAYS = [{}, {"lora_rank": 0}, {"gradient_checkpointing": True}]

LAYOUT = {
    "sft": {"batch_size": 6, "shard": True},
    "ppo": {"rollout_size": 8, "minibatch_size": 8, "critic": "policy"},
    "sample": {"completions_per_prompt": 2, "batch_size": 12},
}
EACH = {
    "sft": Said("parts", {"rows": 2, "whole": 6, "what": "rows"}),
    "ppo": Said("copies", {"rows": 2, "whole": 8, "what": "completions"}),
    "sample": Said("copies", {"rows": 2, "whole": 6, "what": "prompts"}),
}
"""With four processes."""


def planned(directory):
    spec = directory.spec()
    return outline(build_config(spec.kind, spec.config), directory, device=CPU, processes=1).plan


def bytes_of(needs, *words):
    """Of all needs whose names hold any of the words."""
    return sum(need.bytes for need in needs if any(word in need.name for word in words))


def size(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in {id(t): t for t in tensors}.values())


class TestWeights:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_of_sft_are_counted_to_the_byte(self, lab, way, dtype):
        directory = lab.directory("sft", **{"dtype": dtype, **way})
        spec = directory.spec()
        config = build_config("sft", spec.config)
        backbone = load_backbone(spec.base_model, config)
        backbone.add_role("sft", 0)
        learner = Learner(backbone.learned_by("sft"), learning_rate=1e-3, world=World())
        for parameter in learner.parameters.values():
            parameter.grad = torch.ones_like(parameter)
        gradients = size(parameter.grad for parameter in learner.parameters.values())
        learner.update()
        moments = size(
            state[name] for state in learner.optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")
        )

        needs = planned(directory).needs

        everything = size([*backbone.parameters(), *backbone.buffers()])
        assert bytes_of(needs, "frozen weights", "learned weights") == everything
        assert bytes_of(needs, "learned weights") == size(learner.parameters.values())
        assert bytes_of(needs, "gradients") == gradients
        assert bytes_of(needs, "moments") == moments

    @pytest.mark.parametrize("critic", ["reward", "policy"])
    @pytest.mark.parametrize("lora_rank", [4, 0])
    def test_of_ppo_are_counted_to_the_byte(self, lab, chain, lora_rank, critic):
        model, reward_model = chain["sft"].result_path, chain["reward"].result_path
        directory = lab.directory(
            "ppo", model=model, reward_model=reward_model, lora_rank=lora_rank, critic=critic
        )
        spec = directory.spec()
        config = build_config("ppo", spec.config)
        models = ppo._models(config, spec, load_backbone(spec.base_model, config), None)
        backbones = {
            id(role.backbone): role.backbone
            for role in (models.policy, models.reference, models.reward.role, models.critic)
        }
        heads = size([*models.value_head.parameters(), *models.reward.head.parameters()])
        everything = size(
            tensor for one in backbones.values() for tensor in [*one.parameters(), *one.buffers()]
        )

        needs = planned(directory).needs

        assert bytes_of(needs, "frozen weights", "learned weights") == everything
        assert bytes_of(needs, "heads") == heads
        learned = set(ppo._learner(config, models, World()).parameters.values())
        assert bytes_of(needs, "moments") == 2 * size(learned)

        # Spread over two processes, everybody's layers count by half.
        layers = {one for backbone in backbones.values() for one in backbone.layers.parameters()}
        spread = outline(replace(config, shard=True), directory, device=CPU, processes=2).plan.needs
        assert bytes_of(spread, "frozen weights", "learned weights") == everything - size(layers) // 2
        assert bytes_of(spread, "moments") == 2 * (size(learned) - size(learned & layers) // 2)
        assert bytes_of(spread, "gathered model") == size(models.policy.backbone.parameters())

    def test_of_rewards_that_score_texts_are_counted_to_the_byte(self, lab, chain):
        folder = chain["reward"].result_path
        model = load_reward_model(folder, dtype=torch.float32).role.backbone
        settings = {"rewards": [("python:json:dumps", 1.0)], "critic": "policy"}

        ppo_needs = planned(lab.directory("ppo", holdout_reward=str(folder), **settings)).needs
        sample_needs = planned(lab.directory("sample", reward_model=folder, best_of=3)).needs

        for needs in (ppo_needs, sample_needs):
            assert bytes_of(needs, "reward model") == size(model.parameters())

    @pytest.mark.parametrize("lora_rank", [4, 0])
    def test_of_spread_layers_count_in_each_process_by_its_part(self, lab, lora_rank):
        directory = lab.directory("sft", shard=True, lora_rank=lora_rank)
        spec = directory.spec()
        config = build_config("sft", spec.config)
        backbone = load_backbone(spec.base_model, config)
        backbone.add_role("sft", 0)
        learned = set(backbone.learned_by("sft").values())
        layers = set(backbone.layers.parameters())

        needs = outline(config, directory, device=CPU, processes=2).plan.needs

        held = size([*backbone.parameters(), *backbone.buffers()]) - size(layers) // 2
        assert bytes_of(needs, "frozen weights", "learned weights") == held
        held_of_learned = size(learned) - size(learned & layers) // 2
        assert bytes_of(needs, "gradients") == held_of_learned
        assert bytes_of(needs, "moments") == 2 * held_of_learned
        assert bytes_of(needs, "whole model", "gathered model") == 2 * size(backbone.parameters())

    @pytest.mark.parametrize("kind", ["sft", "ppo", "sample"])
    def test_are_those_of_one_node_with_all_devices_where_several_share_them(self, lab, chain, kind):
        directory = lab.directory(
            kind, model=chain["sft"].result_path, reward_model=chain["reward"].result_path, **LAYOUT[kind]
        )
        spec = directory.spec()
        config = build_config(kind, spec.config)

        together = outline(config, directory, device=CPU, processes=4)
        apart = outline(config, directory, device=CPU, processes=2, nodes=2)
        alone = outline(config, directory, device=CPU, processes=1)

        assert apart.plan.needs == together.plan.needs != alone.plan.needs
        assert apart.facts["each"] == together.facts["each"] == EACH[kind]
        assert "each" not in alone.facts

    def test_of_a_run_without_a_reward_model_hold_none(self, lab):
        settings = {"rewards": [("python:json:dumps", 1.0)], "critic": "policy"}

        assert bytes_of(planned(lab.directory("ppo", **settings)).needs, "reward model") == 0


class TestAPass:
    @pytest.mark.parametrize("way", WAYS)
    def test_is_planned_within_a_quarter_of_what_its_tensors_take(self, lab, way):
        directory = lab.directory("sft", rows=[demonstration(number) for number in range(6)], **way)
        spec = directory.spec()
        config = build_config("sft", spec.config)
        reading = read(config, directory, load_tokenizer(spec.base_model), Traits.of(spec.base_model), 1)
        train = sft.demonstrations_in(
            directory.data_path("demonstrations.parquet"), load_tokenizer(spec.base_model), 1024, 512
        )[0]
        role = Role(load_backbone(spec.base_model, config), "sft")
        learned = role.backbone.add_role("sft", 0)
        blank = blank_training_backbone(config, spec.base_model)
        blank.add_role("sft", 0)

        def learn(rows):
            role.backbone.zero_grad()
            for part in sft.collate(rows, 0, World()).passes:
                sft.sft_loss(role, part, None, 1).backward()

        real = max(most_bytes(partial(learn, train[start : start + 3])) for start in (0, 3))
        [need] = amounts.passes(
            "learning",
            lambda shape: amounts.language_loss(Role(blank, "sft"), shape),
            reading.learning,
            blank.learned_by("sft"),
            learns=True,
        )

        assert need.bytes + size(learned) == pytest.approx(real, rel=0.25)


class TestMeter:
    def test_counts_what_is_there_at_once_and_not_what_was_there_in_all(self):
        def one_after_the_other():
            for _ in range(5):
                torch.zeros(1000)

        def together():
            return [torch.zeros(1000) for _ in range(5)]

        assert most_bytes(one_after_the_other) == 4000
        assert most_bytes(together) == 20000

    def test_counts_views_once(self):
        assert most_bytes(lambda: torch.zeros(10, 100).T.flatten(0).view(-1)[3:]) == 8000

    def test_sees_what_the_gradient_keeps_and_lets_go(self):
        weight = torch.ones(1000, requires_grad=True)

        with Meter() as meter:
            loss = (weight.exp() * 2).sum()
            kept = meter.now
            loss.backward()
            del loss

        assert kept == 4000 + 4  # exp keeps its result
        assert meter.now == 4000  # the gradient


class TestAPlan:
    def test_adds_to_what_is_always_there_the_moment_that_takes_most(self):
        needs = [Need("heads", 10), Need("trunks", 5, "learning"), Need("trunks", 2, "learning"),
                 Need("rollout", 6, "sampling"), Need("average", 99, on="cuda:0")]  # fmt: skip

        found = Plan(needs, {"cpu": 17, "cuda:0": 98})

        assert (found.peak("cpu"), found.peak("cuda:0")) == (17, 99)
        assert found.missing() == ["cuda:0"]

    def test_that_does_not_fit_names_the_largest_part_and_what_to_change(self):
        found = Plan([Need("heads", 10**6), Need("gradients", 3 * 10**9)], {"cpu": 10**9})

        with pytest.raises(LabError) as refusal:
            found.check([Said("smaller", {"setting": "batch_size"}), Said("fewer layers")])

        assert str(refusal.value) == (
            "The run would need about 3.00 GB of memory on cpu, and 1.00 GB are free there. "
            "The largest part is gradients (3.00 GB: one for each learned weight). "
            "Try a smaller batch_size, lora_layers below the number of layers."
        )

    def test_that_fits_says_nothing(self):
        Plan([Need("heads", 10)], {"cpu": 10}).check([])


class TestFreeMemory:
    @pytest.fixture
    def machine(self, tmp_path):
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  5 kB\nSwapFree: 7 kB\n")
        return tmp_path

    def container(self, machine, **files):
        for name, text in files.items():
            path = machine / "sys/fs/cgroup" / name.replace("__", "/").replace("_", ".", 1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def test_is_what_the_kernel_says(self, machine):
        assert free_host_memory(machine) == 5 * 1024

    def test_is_less_where_a_container_leaves_less(self, machine):
        self.container(machine, memory_max="3000\n", memory_current="1000\n")

        assert free_host_memory(machine) == 2000

    def test_of_a_container_without_limit_is_the_machines(self, machine):
        self.container(machine, memory_max="max\n", memory_current="1000\n")

        assert free_host_memory(machine) == 5 * 1024

    def test_reads_well(self):
        assert (readable(1_234_000), readable(2_345_000_000)) == ("1.2 MB", "2.35 GB")


class TestShapes:
    def test_of_an_architecture_that_scales_its_embeddings_share_no_trunk(self, tmp_path):
        config = GraniteConfig(
            vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=4,
            num_attention_heads=2, num_key_value_heads=1, embedding_multiplier=3.0,
        )  # fmt: skip
        config.save_pretrained(tmp_path)

        traits = Traits.of(str(tmp_path))
        backbone = blank_backbone(str(tmp_path), torch.float32, lora_rank=2, lora_layers=1)

        assert (traits.layers, traits.shares_trunk) == (4, False)
        assert backbone.trunk_part is None

    def test_of_shared_rows_and_single_ones_go_through_the_model(self, model_folder):
        backbone = blank_backbone(str(model_folder), torch.float32, lora_rank=2, lora_layers=1)

        for shared in (False, True):
            batch = PassShape(2, 9, 6, shared=shared).batch()

            assert backbone.hidden(None, batch).shape == (2, 16, 32)


class TestADryRun:
    @pytest.mark.parametrize("kind", ["sft", "reward", "ppo", "sample"])
    def test_says_what_will_be_done_and_touches_nothing(self, lab, chain, capsys, kind):
        reward_model = chain["reward"].result_path if kind == "ppo" else None
        directory = lab.directory(kind, model=chain["sft"].result_path, reward_model=reward_model)
        before = sorted(directory.path.rglob("*"))

        code = run_program(directory.path, "--dry-run")

        said = capsys.readouterr().out
        assert code == 0
        for word in ("float32", "steps", "longest", "frozen weights", "at most", "6 used"):
            assert word in said or (kind, word) == ("sample", "6 used")
        assert sorted(directory.path.rglob("*")) == before

    @pytest.mark.parametrize("kind", ["sft", "reward", "ppo", "sample"])
    def test_knows_the_steps_of_the_run(self, chain, kind):
        directory = chain[kind]
        spec = directory.spec()
        config = build_config(kind, spec.config)

        steps = int(outline(config, directory, device=CPU, processes=1).facts["steps"].text())

        counted = directory.read_metrics()[0][-1]["steps"]
        each = config.epochs * config.rollout_size // config.minibatch_size if kind == "ppo" else 1
        assert steps == counted * each

    def test_says_in_words_what_cannot_be(self, lab, capsys):
        directory = lab.directory("sft", learning_rate=-1)

        assert run_program(directory.path, "--dry-run") == 1
        assert "learning_rate is -1.0; it must be more than 0." in capsys.readouterr().err

    def test_draws_no_random_number(self, lab):
        directory = lab.directory("sft")
        before = torch.get_rng_state()

        planned(directory)

        assert torch.equal(torch.get_rng_state(), before)


class TestARunThatCannotFit:
    @pytest.fixture
    def small_machine(self, monkeypatch):
        monkeypatch.setattr(outlines, "free_memory", lambda device, processes: {"cpu": 100_000})

    @pytest.mark.usefixtures("small_machine")
    def test_is_refused_before_its_weights_are_loaded(self, lab, monkeypatch):
        monkeypatch.setattr(sft, "load_backbone", lambda *_: pytest.fail("the weights were loaded"))

        directory = lab.run("sft")

        reason = directory.outcome().reason
        assert "would need about" in reason
        assert "0.1 MB are free" in reason
        assert "gradient_checkpointing=true" in reason

    @pytest.mark.usefixtures("small_machine")
    def test_fails_its_dry_run(self, lab, capsys):
        directory = lab.directory("sft")

        assert run_program(directory.path, "--dry-run") == 1
        assert "would need about" in capsys.readouterr().err
        assert directory.outcome() is None

    def test_runs_all_the_same_where_it_cannot_be_planned(self, lab, monkeypatch):
        def fail(*_args, **_options):
            raise NotImplementedError("no meta kernel")

        monkeypatch.setattr(outlines, "needs", fail)

        assert lab.run("sft").outcome().succeeded
