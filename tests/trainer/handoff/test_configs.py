import dataclasses
import json

import pytest

from trainer.handoff.configs import CONFIGS, ConfigError, PPOConfig, build_config, explain


@pytest.mark.parametrize("kind", CONFIGS)
def test_defaults_are_allowed_and_survive_json(kind):
    config = build_config(kind, {})

    assert build_config(kind, json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_texts_are_read_as_the_fields_type():
    config = build_config("ppo", {"kl_coef": "0.1", "iterations": "7"})

    assert (config.kl_coef, config.iterations) == (0.1, 7)


@pytest.mark.parametrize(("said", "read"), [("true", True), ("False", False), (True, True), (False, False)])
def test_yes_and_no_are_read_as_such(said, read):
    assert build_config("sft", {"gradient_checkpointing": said}).gradient_checkpointing is read


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("ppo", {"kl_coeff": 0.1}, "kl_coeff"),
        ("ppo", {"iterations": "many"}, "a whole number"),
        ("ppo", {"iterations": 2.5}, "a whole number"),
        ("ppo", {"iterations": 0}, "1 or more"),
        ("ppo", {"kl_coef": "nan"}, "a finite number"),
        ("ppo", {"kl_coef": True}, "a number"),
        ("sft", {"gradient_checkpointing": 1}, "true or false"),
        ("ppo", {"minibatch_size": 7}, "a divisor of rollout_size (64)"),
        ("ppo", {"gamma": 1.5}, "between 0 and 1"),
        ("sft", {"learning_rate": 0}, "more than 0"),
        ("reward", {"loss": "hinge"}, "one of bradley_terry, plackett_luce, davidson, rao_kupper"),
        ("reward", {"margin": 1, "loss": "davidson"}, "0 unless loss is bradley_terry"),
        ("reward", {"center_coef": -0.1}, "0 or more"),
        ("sample", {"split": "test"}, "one of all, train, held_out"),
        ("evaluate", {"judge": "endpoint:gpus"}, "against is 0"),
        ("evaluate", {"against": 3}, "0 without"),
        ("evaluate", {"against": 3, "judge": "gpt"}, "endpoint:NAME"),
        ("magic", {}, "one of sft, reward, ppo, dpo, kto, sample"),
    ],
)
def test_a_bad_setting_names_itself_and_what_is_allowed(kind, values, words):
    with pytest.raises(ConfigError) as refusal:
        build_config(kind, values)

    assert words in str(refusal.value)


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_setting_is_explained(kind):
    assert all(note for _default, note in explain(kind).values())


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PPOConfig().kl_coef = 1.0
