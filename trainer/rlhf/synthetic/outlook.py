"""What a run that makes up data will ask, told before it costs anything."""

from trainer.handoff.configs.synthetic import AskingConfig, ExpandConfig, GenerateConfig, JudgeConfig
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.synthetic import dialogues, expansion, judging
from trainer.rlhf.synthetic.items import Item


def outlook(config: AskingConfig, directory: RunDirectory) -> str:
    """How much is left to ask, the budget, and the first request as the model will read it.

    :raises LabError: there is nothing to ask about.
    """
    spec = directory.spec()
    items, first = _plan(config, directory)
    finished = {line["item"] for line in directory.read_samples()}
    left = [item for item in items if item.number not in finished]
    limits = {
        "most_requests": config.most_requests,
        "most_tokens": config.most_tokens,
        "requests_per_minute": config.requests_per_minute,
    }
    facts = {
        "run": f"{spec.kind} from {spec.base_model}",
        "items": f"{len(items)}, {len(items) - len(left)} of them finished",
        "requests": f"{sum(item.most_requests for item in left)} at most",
        "limits": ", ".join(f"{name} {most}" for name, most in limits.items() if most) or "none",
    }
    width = max(map(len, facts))
    told = "\n".join(f"{name:<{width}}  {fact}" for name, fact in facts.items())
    return f"{told}\n\nthe first request:\n\n{first}"


def _plan(config: AskingConfig, directory: RunDirectory) -> tuple[list[Item], str]:
    if isinstance(config, GenerateConfig):
        items = dialogues.items_of(config, directory)
        return items, dialogues.first_message(config, items[0].about)
    if isinstance(config, ExpandConfig):
        items = expansion.items_of(config, directory)
        return items, expansion.first_message(config, items[0].about)
    assert isinstance(config, JudgeConfig)
    items = judging.items_of(config, directory)
    return items, judging.first_message(config, items[0].about)
