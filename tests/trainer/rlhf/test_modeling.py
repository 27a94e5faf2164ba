import hashlib

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tests.trainer.rlhf.kitchen import TEXTS
from tests.trainer.rlhf.tiny_policies import add_random_role
from trainer.handoff.configs import SFTConfig
from trainer.rlhf.batches import TokenSequence, pad
from trainer.rlhf.errors import LabError
from trainer.rlhf.lora import LoRALinear
from trainer.rlhf.modeling import (
    Backbone,
    Role,
    frozen_copy,
    learned_states,
    load_backbone,
    load_tokenizer,
    save_model,
    token_logprobs,
)


@pytest.fixture
def batch(tokenizer):
    rows = [tokenizer(text).input_ids for text in TEXTS[:4] + TEXTS[-1:]]
    return pad([TokenSequence(ids=row, learned=list(range(1, len(row)))) for row in rows])


def say(backbone, role, batch, trunk=None):
    """Logits of every real token when ``role`` speaks."""
    with torch.no_grad():
        return backbone.logits(backbone.hidden(role, batch, trunk))[batch.attention.bool()]


def close(ours, theirs, tolerance=1e-5):
    return torch.allclose(ours, theirs, rtol=0, atol=tolerance)


class TestRole:
    def test_fresh_says_exactly_what_the_frozen_model_says(self, make_backbone, batch):
        backbone = make_backbone()

        backbone.add_role("policy", seed=0)

        assert torch.equal(say(backbone, "policy", batch), say(backbone, None, batch))

    @pytest.mark.parametrize("lora_layers", [0, 1, 2, 3, 99])
    def test_adapts_as_many_of_the_topmost_layers_as_asked(self, make_backbone, lora_layers):
        backbone = make_backbone(lora_layers=lora_layers)

        adapted = [
            any(isinstance(module, LoRALinear) for module in layer.modules())
            for layer in backbone.decoder.layers
        ]

        count = min(lora_layers, 3) or 3
        assert adapted == [False] * (3 - count) + [True] * count

    @pytest.mark.parametrize("name", ["NeoX", "OPT"])
    def test_adapts_the_topmost_layers_of_models_that_cannot_be_split_too(self, name):
        sizes = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
        model = {
            "NeoX": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**sizes, intermediate_size=32)),
            "OPT": lambda: OPTForCausalLM(OPTConfig(**sizes, ffn_dim=32, word_embed_proj_dim=16)),
        }[name]()

        backbone = Backbone(model, lora_rank=2, lora_layers=1)

        adapted = {module for module in backbone.modules() if isinstance(module, LoRALinear)}
        top = getattr(backbone.decoder, "decoder", backbone.decoder).layers[-1]
        assert backbone.trunk_part is None
        assert adapted
        assert adapted == {module for module in top.modules() if isinstance(module, LoRALinear)}

    def test_refuses_to_guess_where_the_topmost_layers_are(self, make_backbone):
        model = make_backbone(lora_rank=0).model
        del model.model.layers[0]  # one fewer than the config says

        with pytest.raises(LabError, match="Set lora_layers=0"):
            Backbone(model, lora_rank=2, lora_layers=1)

    def test_refuses_a_model_that_adapters_could_not_go_on(self):
        config = GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2)

        with pytest.raises(LabError, match="Set lora_rank=0"):
            Backbone(GPT2LMHeadModel(config), lora_rank=2, lora_layers=1)

    def test_trains_nothing_but_its_own_adapters(self, make_backbone, batch):
        backbone = make_backbone()
        mine = add_random_role(backbone, "policy")
        others = add_random_role(backbone, "reward", seed=2)

        backbone.hidden("policy", batch).square().sum().backward()

        assert all(parameter.grad is not None for parameter in mine)
        assert all(parameter.grad is None for parameter in others)
        frozen = {id(p) for p in backbone.parameters()} - {id(p) for p in mine + others}
        assert frozen
        assert all(p.grad is None and not p.requires_grad for p in backbone.parameters() if id(p) in frozen)

    def test_learns_without_changing_what_the_others_say(self, make_backbone, batch):
        backbone = make_backbone()
        mine = add_random_role(backbone, "policy")
        add_random_role(backbone, "reward", seed=2)
        before = [say(backbone, role, batch) for role in (None, "reward")]
        own = say(backbone, "policy", batch)

        optimizer = torch.optim.AdamW(mine, lr=0.1)
        backbone.hidden("policy", batch).square().sum().backward()
        optimizer.step()

        assert [
            torch.equal(say(backbone, r, batch), b) for r, b in zip((None, "reward"), before, strict=True)
        ]
        assert torch.equal(say(backbone, None, batch), before[0])
        assert torch.equal(say(backbone, "reward", batch), before[1])
        assert not close(say(backbone, "policy", batch), own)

    def test_speaks_the_same_on_another_backbone_that_loads_its_tensors(self, make_backbone, batch):
        first, second = make_backbone(), make_backbone()
        add_random_role(first, "reward")

        second.load_role("reward", first.role_tensors("reward"))

        assert torch.equal(say(first, "reward", batch), say(second, "reward", batch))

    def test_merged_is_a_plain_model_that_says_the_same_after_saving(
        self, make_backbone, batch, tokenizer, tmp_path
    ):
        backbone = make_backbone()
        add_random_role(backbone, "policy")
        said, base = say(backbone, "policy", batch), say(backbone, None, batch)

        save_model(backbone.merge("policy"), tokenizer, tmp_path)

        plain = AutoModelForCausalLM.from_pretrained(tmp_path)
        with torch.no_grad():
            again = plain(input_ids=batch.ids, attention_mask=batch.attention).logits
        assert close(again[batch.attention.bool()], said)
        assert not close(said, base, tolerance=0.1)
        assert [path.name for path in tmp_path.glob("*.safetensors")] == ["model.safetensors"]


class TestTrunk:
    def test_and_top_say_what_the_whole_says(self, make_backbone, batch):
        backbone = make_backbone(lora_layers=1)
        add_random_role(backbone, "policy")
        with torch.no_grad():
            trunk = backbone.trunk(batch)

        split = say(backbone, "policy", batch, trunk)

        with backbone.speaking("policy"), torch.no_grad():
            whole = backbone.model(input_ids=batch.ids, attention_mask=batch.attention).logits
        assert trunk is not None
        assert close(split, whole[batch.attention.bool()])

    def test_is_absent_where_every_layer_is_adapted(self, make_backbone, batch):
        assert make_backbone(lora_layers=0).trunk(batch) is None

    def test_keeps_each_layers_own_view_where_some_look_back_only_so_far(self):
        """Layers whose window is shorter than the text, in an order that the cut would shift."""
        config = Qwen3Config(
            vocab_size=50,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            sliding_window=10,
            use_sliding_window=True,
            layer_types=["full_attention", "sliding_attention", "full_attention"],
            initializer_range=0.5,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            backbone = Backbone(Qwen3ForCausalLM(config), lora_rank=2, lora_layers=2)
        long = pad([TokenSequence(ids=list(range(1, 41)), learned=[1])])

        with torch.no_grad():
            whole = backbone.model(input_ids=long.ids).logits[0]

        assert backbone.trunk_part is not None
        assert close(say(backbone, None, long), whole)


class TestFullFineTuning:
    def test_trains_all_weights(self, make_backbone):
        backbone = make_backbone(lora_rank=0)

        parameters = backbone.add_role("sft", seed=0)

        assert sum(p.numel() for p in parameters) == sum(p.numel() for p in backbone.model.parameters())

    def test_leaves_the_frozen_copy_as_it_was(self, make_backbone, batch):
        backbone = make_backbone(lora_rank=0)
        reference = frozen_copy(backbone)
        parameters = backbone.add_role("full", seed=0)
        before = digest(reference)

        optimizer = torch.optim.AdamW(parameters, lr=0.1)
        backbone.hidden(None, batch).square().sum().backward()
        optimizer.step()

        assert digest(reference) == before
        assert digest(backbone) != before
        assert not any(p.requires_grad for p in reference.parameters())

    def test_happens_in_float32_unless_told_otherwise(self, model_folder):
        dtypes = [
            load_backbone(str(model_folder), SFTConfig(lora_rank=0, dtype=dtype)).model.dtype
            for dtype in ("auto", "bfloat16")
        ]

        assert dtypes == [torch.float32, torch.bfloat16]


def digest(backbone):
    tensors = backbone.model.state_dict()
    return hashlib.sha256(b"".join(t.numpy().tobytes() for t in tensors.values())).hexdigest()


class TestHiddenStates:
    def test_know_nothing_of_the_tokens_that_follow(self, make_backbone, batch):
        """So neither values nor log-probabilities can look ahead."""
        backbone = make_backbone(lora_rank=0)
        ids = batch.ids.clone()
        changed = pad([TokenSequence(ids=row.tolist(), learned=[1]) for row in ids])
        changed.ids[:, 4:] = 9

        with torch.no_grad():
            before, after = (backbone.hidden(None, one)[:, :4] for one in (batch, changed))

        assert close(before, after, tolerance=1e-6)

    def test_of_a_token_are_read_where_it_is_predicted(self, make_backbone, batch):
        backbone = make_backbone(lora_rank=0)
        with torch.no_grad():
            hidden = backbone.hidden(None, batch)

        states = learned_states(hidden, batch)

        # Here every token but the first is learned.
        assert torch.equal(states[batch.mask.bool()], hidden[:, :-1][batch.attention[:, 1:].bool()])


class TestTokenLogprobs:
    def test_send_no_gradient_to_padding(self, make_backbone, batch):
        backbone = make_backbone(lora_rank=0)
        with torch.no_grad():
            states = learned_states(backbone.hidden(None, batch), batch)
        states.requires_grad_()

        token_logprobs(backbone, states, batch).sum().backward()

        padding = ~batch.mask.bool()
        assert padding.any()
        assert torch.equal(states.grad[padding], torch.zeros_like(states.grad[padding]))
        assert (states.grad[batch.mask.bool()].abs().sum(-1) > 0).all()


class TestLoading:
    def test_a_missing_model_is_refused_in_words(self, tmp_path):
        with pytest.raises(LabError, match="could not be loaded"):
            load_backbone(str(tmp_path / "nothing"), SFTConfig())

    def test_a_tokenizer_without_an_end_mark_is_refused_in_words(self, tokenizer, tmp_path):
        tokenizer.save_pretrained(tmp_path)
        config = tmp_path / "tokenizer_config.json"
        config.write_text(config.read_text().replace('"eos_token": "<|end|>",', ""))

        with pytest.raises(LabError, match="no end-of-text token"):
            load_tokenizer(str(tmp_path))

    def test_a_tokenizer_without_a_chat_template_gets_a_plain_one(self, tokenizer, tmp_path):
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "chat_template.jinja").unlink()

        loaded = load_tokenizer(str(tmp_path))

        assert (
            loaded.apply_chat_template([{"role": "user", "content": "Tea?"}], tokenize=False)
            == "user:\nTea?\n"
        )


def test_two_roles_take_turns(make_backbone, batch):
    backbone = make_backbone()
    add_random_role(backbone, "policy")
    roles = Role(backbone, "policy"), Role(backbone, None)

    with torch.no_grad():
        first, second, third = (role.hidden(batch) for role in (*roles, roles[0]))

    assert torch.equal(first, third)
    assert not close(first, second, tolerance=1e-3)
