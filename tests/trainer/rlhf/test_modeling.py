import dataclasses
import hashlib
from unittest.mock import patch

import pytest
import torch
import torch.nn.functional as F
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from tests.trainer.rlhf.kitchen import TEXTS
from tests.trainer.rlhf.tiny_policies import add_random_role, tiny_policy
from trainer.handoff.configs import RewardConfig, SFTConfig
from trainer.rlhf.batches import Family, TokenSequence, answer_sequence, pad, pad_shared
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_backbone, load_tokenizer, save_model
from trainer.rlhf.lora import LoRALinear
from trainer.rlhf.modeling import Backbone, Role, ScalarHead, frozen_copy, learned_states, token_logprobs
from trainer.rlhf.randomness import uniforms
from trainer.rlhf.reward_models import RewardModel
from trainer.rlhf.sampling import sample


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


class TestAdaptersOff:
    def test_are_the_base_model_to_the_last_byte(self, make_backbone, model_folder, batch):
        backbone = make_backbone(lora_layers=0)
        add_random_role(backbone, "policy")
        plain = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)

        said = say(backbone, None, batch)

        with torch.no_grad():
            assert torch.equal(said, plain(input_ids=batch.ids).logits[batch.attention.bool()])
        frozen = {
            name.replace(".linear.", "."): tensor
            for name, tensor in backbone.model.state_dict().items()
            if ".down." not in name and ".up." not in name
        }
        assert frozen.keys() == plain.state_dict().keys()
        assert all(torch.equal(frozen[name], tensor) for name, tensor in plain.state_dict().items())


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
            whole = backbone.model(input_ids=long.ids).logits[0, :40]

        assert backbone.trunk_part is not None
        assert close(say(backbone, None, long), whole)


def neox(**options):
    return tiny_policy(vocab=50, lora_rank=2, **options)


def llama(lora_layers=1):
    """Three layers, of which one is trunk unless all are adapted; attention that minds positions."""
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.5,
    )
    return seeded(LlamaForCausalLM, config, lora_rank=2, lora_layers=lora_layers)


def seeded(make, config, *, lora_rank=0, lora_layers=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Backbone(make(config), lora_rank=lora_rank, lora_layers=lora_layers)


FAMILIES = [
    Family(list(range(1, 8)), [[11, 12, 13], [21], [31, 32, 33, 34, 35]]),
    Family([41, 42], [[11, 12, 13, 14], [9, 8]]),
    Family(list(range(20, 31)), [[5, 6]]),
]


def alone(families):
    return pad([sequence for family in families for sequence in family.sequences()])


def judged(backbone, batch, role="reward"):
    """Scores (N,) and log-probabilities (N, T) of a batch, and the gradients of all that is trained."""
    batch = dataclasses.replace(batch, mask=batch.mask.to(backbone.model.dtype))
    head = ScalarHead(backbone.hidden_size, spread=1.0, seed=0).to(backbone.model.dtype)
    scores = RewardModel(Role(backbone, role), head).raw_scores(batch)
    logprobs = token_logprobs(backbone, learned_states(backbone.hidden(role, batch), batch), batch)
    trained = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
    weights = torch.linspace(-1, 1, len(scores), dtype=scores.dtype)
    gradients = torch.autograd.grad((weights * (scores.sin() + logprobs.sum(1))).sum(), trained)
    return scores.detach(), logprobs.detach(), gradients


class TestSharedPrefix:
    @pytest.fixture(
        params=[neox, llama, lambda: llama(lora_layers=0)], ids=["NeoX", "Llama on a trunk", "Llama"]
    )
    def backbone(self, request):
        backbone = request.param()
        add_random_role(backbone, "reward")
        return backbone

    def test_is_found_out(self, backbone):
        assert backbone.shares_prefix

    @pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
    def test_gives_the_scores_log_probabilities_and_gradients_of_separate_rows(
        self, backbone, dtype, tolerance, monkeypatch
    ):
        """T5. Llama's own norms compute in float32 whatever they are asked."""
        monkeypatch.setattr(LlamaRMSNorm, "forward", lambda norm, x: F.rms_norm(x, x.shape[-1:], norm.weight))
        backbone.to(dtype)

        *found, gradients = judged(backbone, pad_shared(FAMILIES))
        *expected, expected_gradients = judged(backbone, alone(FAMILIES))

        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)
        for ours, theirs in zip(gradients, expected_gradients, strict=True):
            assert (ours - theirs).abs().max() < tolerance * theirs.abs().max()

    def test_gives_the_gradients_of_all_weights_too(self):
        backbone = tiny_policy(vocab=50, lora_rank=0).double()
        backbone.add_role("full", seed=0)

        together = judged(backbone, pad_shared(FAMILIES), role=None)

        torch.testing.assert_close(together, judged(backbone, alone(FAMILIES), None), rtol=1e-10, atol=1e-10)

    def test_is_changed_by_no_batch_mate(self):
        backbone = neox()
        add_random_role(backbone, "reward")
        backbone.double()

        first, *_ = judged(backbone, pad_shared(FAMILIES[:1]))
        beside_longer, *_ = judged(backbone, pad_shared([FAMILIES[0], Family([3] * 30, [[7] * 9])]))

        torch.testing.assert_close(beside_longer[:3], first, rtol=0, atol=1e-12)

    def test_is_changed_by_no_order_and_no_sibling(self):
        backbone = neox()
        add_random_role(backbone, "reward")
        backbone.double()
        prompt, said = FAMILIES[0].prompt, FAMILIES[0].completions

        first, *_ = judged(backbone, pad_shared([Family(prompt, said)]))
        turned, *_ = judged(backbone, pad_shared([Family(prompt, said[::-1])]))
        fewer, *_ = judged(backbone, pad_shared([Family(prompt, said[1:])]))

        torch.testing.assert_close(turned.flip(0), first, rtol=0, atol=1e-12)
        torch.testing.assert_close(fewer, first[1:], rtol=0, atol=1e-12)

    def test_is_read_through_whatever_stands_in_the_padding(self):
        backbone = neox().double()
        batch = pad_shared(FAMILIES)
        filled = dataclasses.replace(batch, ids=batch.ids.where(batch.attention.bool(), 49))

        with torch.no_grad():
            states = [learned_states(backbone.hidden(None, one), one) for one in (batch, filled)]

        assert torch.equal(*(one[batch.mask.bool()] for one in states))

    def test_is_found_out_in_bfloat16_too(self, model_folder):
        assert load_backbone(str(model_folder), RewardConfig(dtype="bfloat16")).shares_prefix

    @pytest.mark.parametrize("name", ["Bloom", "GPT-Neo", "Mistral", "Qwen3", "Mamba"])
    def test_is_not_for_models_that_would_read_it_otherwise(self, name):
        sizes = {"vocab_size": 50, "hidden_size": 16, "initializer_range": 0.5}
        heads = {"num_hidden_layers": 2, "num_attention_heads": 2}
        llama_like = {**sizes, **heads, "intermediate_size": 32, "num_key_value_heads": 1, "head_dim": 8}
        windows = {"use_sliding_window": True, "max_window_layers": 1, "sliding_window": 64}
        model, config = {
            "Bloom": (BloomForCausalLM, BloomConfig(**sizes, n_layer=2, n_head=2)),
            "GPT-Neo": (
                GPTNeoForCausalLM,
                GPTNeoConfig(**sizes, num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]]),
            ),
            "Mistral": (MistralForCausalLM, MistralConfig(**llama_like, sliding_window=64)),
            "Qwen3": (Qwen3ForCausalLM, Qwen3Config(**llama_like, **windows)),
            "Mamba": (MambaForCausalLM, MambaConfig(**sizes, num_hidden_layers=2, state_size=4)),
        }[name]
        backbone = seeded(model, config)

        batch = backbone.pad(FAMILIES)

        assert not backbone.shares_prefix
        assert batch.part is None
        torch.testing.assert_close(batch.ids, alone(FAMILIES).ids)

    def test_is_for_models_that_are_told_where_each_token_stands(self):
        sizes = {"vocab_size": 50, "initializer_range": 0.5}
        gpt2 = seeded(GPT2LMHeadModel, GPT2Config(**sizes, n_embd=16, n_layer=2, n_head=2))

        assert gpt2.shares_prefix
        assert gpt2.pad(FAMILIES).part is not None

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    @pytest.mark.parametrize("ignored", ["position_ids", "attention_mask"])
    def test_is_not_for_a_backbone_that_ignores(self, ignored, dtype, make_backbone):
        """Fresh weights hardly mind positions: in bfloat16 the difference drowns in rounding."""
        backbone = make_backbone(lora_rank=0).to(dtype)
        forward = backbone.decoder.forward

        def deaf(input_ids, **inputs):
            inputs.pop(ignored, None)
            return forward(input_ids=input_ids, **inputs)

        with patch.object(backbone.decoder, "forward", deaf):
            assert not backbone.shares_prefix

    def test_is_not_for_a_backbone_that_carries_something_along_the_row(self):
        backbone = neox()
        forward = backbone.decoder.forward

        def carrying(**inputs):
            output = forward(**inputs)
            output.last_hidden_state += 0.1 * output.last_hidden_state.cumsum(1)
            return output

        with patch.object(backbone.decoder, "forward", carrying):
            assert not backbone.shares_prefix

    def test_waits_for_a_prompt_that_is_worth_it(self):
        backbone = neox()

        assert backbone.pad([Family([1] * 30, [[2, 3], [4]])]).part is not None
        assert backbone.pad([Family([1], [[2] * 40, [3] * 40])]).part is None


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

    def test_keeps_its_weights_in_float32_whatever_the_arithmetic(self, model_folder):
        dtypes = [
            load_backbone(str(model_folder), SFTConfig(lora_rank=0, dtype=dtype)).model.dtype
            for dtype in ("auto", "bfloat16")
        ]

        assert dtypes == [torch.float32, torch.float32]


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

    @pytest.mark.parametrize("changed_from", [1, 2, 3])
    def test_so_neither_do_values_nor_log_probabilities(self, changed_from):
        """Of an answer whose tokens change from some place on, in float64."""
        backbone = tiny_policy().double()
        add_random_role(backbone, "policy")
        backbone.double()
        head = ScalarHead(16, spread=1.0, seed=0).double()
        prompt, said = [3, 1, 2], [2, 4, 1, 3]
        other = [token if t < changed_from else 5 - token for t, token in enumerate(said)]

        def judged(completion):
            one = pad([answer_sequence(prompt, completion)])
            one = dataclasses.replace(one, mask=one.mask.double())
            states = learned_states(backbone.hidden("policy", one), one)
            return head(states)[0], token_logprobs(backbone, states, one)[0]

        (values, logprobs), (other_values, other_logprobs) = judged(said), judged(other)

        # A value stands before its token: the one at the change does not know of it yet.
        known = changed_from + 1
        torch.testing.assert_close(other_values[:known], values[:known], rtol=0, atol=1e-12)
        torch.testing.assert_close(other_logprobs[:changed_from], logprobs[:changed_from], rtol=0, atol=1e-12)
        assert not close(other_values[known:], values[known:], tolerance=1e-3) or known == len(said)
        assert not close(other_logprobs[changed_from:], logprobs[changed_from:], tolerance=1e-3)

    def test_of_a_token_are_read_where_it_is_predicted(self, make_backbone, batch):
        backbone = make_backbone(lora_rank=0)
        with torch.no_grad():
            hidden = backbone.hidden(None, batch)

        states = learned_states(hidden, batch)

        # Here every token but the first is learned.
        assert torch.equal(states[batch.mask.bool()], hidden[:, :-1][batch.attention[:, 1:].bool()])


class TestTokenLogprobs:
    @pytest.mark.parametrize("temperature", [1.0, 0.7])
    def test_have_the_gradient_that_differences_tell(self, temperature):
        """With respect to the states and to the head's weights, in float64."""
        backbone = tiny_policy(lora_rank=0).double()
        batch = pad([answer_sequence([1, 2], [3, 4]), answer_sequence([1], [2])])
        batch = dataclasses.replace(batch, mask=batch.mask.double())
        states = torch.randn(2, 2, 16, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
        head = backbone.model.get_output_embeddings()
        weight = head.weight.detach().clone().requires_grad_()

        def logprobs(states, weight):
            with patch.object(head, "forward", lambda x: x @ weight.T):
                return token_logprobs(backbone, states, batch, temperature)

        assert torch.autograd.gradcheck(logprobs, (states, weight))

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


class TestMixedPrecision:
    def test_trains_float32_weights_with_bfloat16_arithmetic(self, model_folder, tokenizer):
        config = SFTConfig(dtype="bfloat16", lora_rank=0)
        mixed = load_backbone(str(model_folder), config)
        plain = load_backbone(str(model_folder), SFTConfig(dtype="float32", lora_rank=0))
        batch = pad([answer_sequence([1, 2, 3], [4, 5, 6])])

        ours, exact = mixed.hidden(None, batch), plain.hidden(None, batch)

        assert {parameter.dtype for parameter in mixed.parameters()} == {torch.float32}
        assert not torch.equal(ours, exact)
        torch.testing.assert_close(ours.float(), exact, rtol=0.05, atol=0.05)

    def test_samples_and_scores_in_the_same_arithmetic(self, model_folder):
        mixed = Role(load_backbone(str(model_folder), SFTConfig(dtype="bfloat16", lora_rank=0)), None)

        [said] = sample(mixed, [[1, 2, 3]], temperature=1.0, max_new_tokens=6, eos=0, luck=uniforms(1, 6, 0))

        batch = pad([answer_sequence([1, 2, 3], said.tokens)])
        states = learned_states(mixed.hidden(batch), batch)
        logprobs = token_logprobs(mixed.backbone, states, batch)[0].tolist()
        assert said.logprobs == pytest.approx(logprobs, abs=0.05)
