"""What a run that makes up data will ask, told before it costs anything."""

from dataclasses import asdict, dataclass

from trainer.handoff.configs.synthetic import AskingConfig, ExpandConfig, GenerateConfig, JudgeConfig
from trainer.handoff.plans import Said
from trainer.handoff.rundir import RunDirectory
from trainer.rlhf.synthetic import dialogues, expansion, judging
from trainer.rlhf.synthetic.guidelines import guideline_in
from trainer.rlhf.synthetic.items import Item


@dataclass(frozen=True)
class Outlook:
    items: int
    facts: dict[str, Said]
    first: str
    """The first request as the model will read it."""

    def text(self) -> str:
        width = max(map(len, self.facts))
        told = "\n".join(f"{name:<{width}}  {fact.text()}" for name, fact in self.facts.items())
        return f"{told}\n\nthe first request:\n\n{self.first}"

    def as_dict(self) -> dict[str, object]:
        facts = {name: asdict(fact) for name, fact in self.facts.items()}
        return {"facts": facts, "rows": self.items, "first_request": self.first}


def outlook(config: AskingConfig, directory: RunDirectory) -> Outlook:
    """How much is left to ask, and the budget.

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
    told = ", ".join(f"{name} {most}" for name, most in limits.items() if most)
    facts = {
        "run": Said("run", {"kind": spec.kind, "model": spec.base_model}),
        "items": Said("items", {"count": len(items), "finished": len(items) - len(left)}),
        "requests": Said("requests", {"most": sum(item.most_requests for item in left)}),
        "limits": Said("limits", {"limits": told}) if told else Said("no limits"),
        **_about_guideline(config, directory),
    }
    return Outlook(len(items), facts, first)


def _plan(config: AskingConfig, directory: RunDirectory) -> tuple[list[Item], str]:
    if isinstance(config, GenerateConfig):
        items = dialogues.items_of(config, directory)
        return items, dialogues.first_message(config, items[0].about)
    if isinstance(config, ExpandConfig):
        items = expansion.items_of(config, directory)
        return items, expansion.first_message(config, items[0].about)
    assert isinstance(config, JudgeConfig)
    items = judging.items_of(config, directory)
    return items, judging.first_message(config, items[0].about, guideline_in(directory))


def _about_guideline(config: AskingConfig, directory: RunDirectory) -> dict[str, Said]:
    if not isinstance(config, JudgeConfig):
        return {}
    told = guideline_in(directory).figures
    if not told:
        return {"guideline": Said("no guideline")}
    version, left_out = told["guideline_version"], told.get("guideline_left_out")
    if left_out:
        return {"guideline": Said("shortened guideline", {"version": version, "left_out": left_out})}
    return {"guideline": Said("guideline", {"version": version})}
