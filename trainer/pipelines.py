"""Pipelines as files: what to freeze, and the stages that build on one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from trainer.handoff.configs import CONFIGS, ConfigError, build_config
from trainer.recipes import SHORT, Recipe

LONGEST = 64 * 1024
DATA = {
    "demonstrations": ("prompt_kind", "language", "guideline_from", "accepted", "synthetic"),
    "rankings": (
        "prompt_kind",
        "language",
        "guideline_from",
        "settled",
        "judges",
        "weights",
        "synthetic",
        "synthetic_weight",
    ),
    "prompts": ("prompt_kind", "language", "synthetic"),
    "feedback": ("prompt_kind", "language"),
}
"""What may be chosen of each kind of snapshot."""

STAGE = ("kind", "base", "reward", "deliver", "settings")
_NO_START = {"reward", "sample", "evaluate", "generate", "expand", "judge"}
"""Kinds of run whose result is no model to start from."""
_DELIVER = ("sample", "generate", "expand", "judge")
_WORDS = {
    float: "a number",
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "keys with their values",
}


class PipelineError(ValueError):
    """What is wrong with a file, and in which line."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"Line {line}: {words}")


@dataclass(frozen=True, kw_only=True)
class Stage:
    name: str
    kind: str
    base: str = ""
    """The stage whose result it starts from; empty: the model that the pipeline starts from."""
    reward: str = ""
    """The stage whose reward model scores."""
    deliver: bool = True
    """Whether what it samples goes to the labelers, and what it makes up into the campaign."""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PipelineSpec:
    stages: tuple[Stage, ...]
    start: str = ""
    """The model to start from: a name, a folder or a Hugging Face id."""
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By kind of snapshot, which rows."""

    def only(self, name: str) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.name == name)

    def since(self, name: str) -> tuple[Stage, ...]:
        """That stage, and those that build on it."""
        wanted = {name}
        for stage in self.stages:
            if wanted & {stage.base, stage.reward}:
                wanted.add(stage.name)
        return tuple(stage for stage in self.stages if stage.name in wanted)


def read_pipeline(text: str) -> PipelineSpec:
    """:raises PipelineError: it is no pipeline; the words say what is allowed there."""
    root = _whole(text)
    top = _Keys(root, ("start", "data", "stages"), "a pipeline")
    data = {name: _data(name, node) for name, node in top.inside("data", tuple(DATA)).items()}
    stages: list[Stage] = []
    for name, node in top.inside("stages").items():
        stages.append(_stage(name, node, stages))
    if not stages:
        raise PipelineError(top.line, "name at least one stage under “stages”.")
    return PipelineSpec(stages=tuple(stages), start=top.value("start", str, ""), data=data)


def write_pipeline(recipe: Recipe) -> str:
    """The loop as a file: SFT → reward model → PPO → new candidates."""
    origins = {
        "reward": {"base": "sft"},
        "ppo": {"base": "sft", "reward": "reward"},
        "sample": {"base": "ppo"},
    }
    stages: dict[str, dict[str, Any]] = {}
    for kind in ("sft", "reward", "ppo", "sample"):
        settings = {"settings": dict(recipe[kind])} if recipe.get(kind) else {}
        stages[kind] = {**origins.get(kind, {}), **settings}
    return yaml.safe_dump({"stages": stages}, sort_keys=False)


def the_loop() -> str:
    """What a new pipeline begins as."""
    return write_pipeline(SHORT)


def _whole(text: str) -> yaml.MappingNode:
    if len(text.encode()) > LONGEST:
        raise PipelineError(1, f"the file is longer than {LONGEST} bytes.")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise PipelineError(line, "write it out; aliases are not read.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or "this is no YAML"
        raise PipelineError(mark.line + 1 if mark else 1, f"{words}.") from error
    if not isinstance(root, yaml.MappingNode):
        raise PipelineError(1, "a pipeline has the keys start, data and stages.")
    return root


def _data(kind: str, node: yaml.Node) -> dict[str, Any]:
    keys = _Keys(node, DATA[kind], f"the data “{kind}”")
    types = {"guideline_from": int, "accepted": bool, "synthetic_weight": float}
    return {name: keys.value(name, types.get(name, str), None) for name in keys.nodes}


def _stage(name: str, node: yaml.Node, before: Sequence[Stage]) -> Stage:
    keys = _Keys(node, STAGE, f"the stage “{name}”")
    if not 0 < len(name) <= 40:
        raise PipelineError(keys.line, "a stage's name has 1 to 40 letters.")
    kind = keys.value("kind", str, name)
    if kind not in CONFIGS:
        raise keys.refuse("kind", f"“{kind}” is no kind of run; allowed are {', '.join(CONFIGS)}.")
    if "deliver" in keys.nodes and kind not in _DELIVER:
        raise keys.refuse("deliver", f"only a stage of kind {', '.join(_DELIVER)} delivers.")
    return Stage(
        name=name,
        kind=kind,
        base=_origin(keys, "base", [stage.name for stage in before if stage.kind not in _NO_START]),
        reward=_origin(keys, "reward", [stage.name for stage in before if stage.kind == "reward"]),
        deliver=keys.value("deliver", bool, True),
        settings=_settings(keys, kind),
    )


def _origin(keys: _Keys, role: str, known: Sequence[str]) -> str:
    name: str = keys.value(role, str, "")
    if name and name not in known:
        names = ", ".join(known) or "none"
        raise keys.refuse(role, f"“{name}” is no stage before it with such a result; these are: {names}.")
    return name


def _settings(keys: _Keys, kind: str) -> dict[str, Any]:
    nodes = keys.inside("settings")
    given = {name: _plain(node) for name, node in nodes.items()}
    try:
        build_config(kind, given)
    except ConfigError as error:
        wrong = nodes.get(error.field, keys.nodes.get("settings"))
        raise PipelineError(wrong.start_mark.line + 1 if wrong else keys.line, str(error)) from error
    return given


class _Keys:
    """A mapping of the file: its keys, each with its line."""

    def __init__(self, node: yaml.Node, allowed: Sequence[str] | None, where: str) -> None:
        self.line = node.start_mark.line + 1
        self.nodes: dict[str, yaml.Node] = {}
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
            return  # nothing below the key
        if not isinstance(node, yaml.MappingNode):
            raise PipelineError(self.line, f"{where} takes {_WORDS[dict]}.")
        for key, value in node.value:
            self._add(key, value, allowed, where)

    def _add(self, key: yaml.Node, value: yaml.Node, allowed: Sequence[str] | None, where: str) -> None:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise PipelineError(line, "a key is a text.")
        if allowed is not None and key.value not in allowed:
            raise PipelineError(
                line, f"“{key.value}” is not known in {where}; allowed are {', '.join(allowed)}."
            )
        if key.value in self.nodes:
            raise PipelineError(line, f"“{key.value}” stands there twice.")
        self.nodes[key.value] = value

    def inside(self, name: str, allowed: Sequence[str] | None = None) -> dict[str, yaml.Node]:
        return _Keys(self.nodes[name], allowed, f"“{name}”").nodes if name in self.nodes else {}

    def value(self, name: str, wanted: type, default: Any) -> Any:
        if name not in self.nodes:
            return default
        value = _plain(self.nodes[name])
        if wanted is float and type(value) is int:
            return float(value)
        if type(value) is not wanted:
            raise self.refuse(name, f"{name} takes {_WORDS[wanted]}.")
        return value

    def refuse(self, name: str, words: str) -> PipelineError:
        line = self.nodes[name].start_mark.line + 1 if name in self.nodes else self.line
        return PipelineError(line, words)


def _plain(node: yaml.Node) -> Any:
    """A text, a number or a yes; a date or whatever else is no setting of anything."""
    if not isinstance(node, yaml.ScalarNode):
        raise PipelineError(node.start_mark.line + 1, "a single value is wanted here.")
    try:
        value = yaml.safe_load(yaml.serialize(node, Dumper=yaml.SafeDumper))
    except (yaml.YAMLError, ValueError) as error:
        raise PipelineError(node.start_mark.line + 1, "this value cannot be read.") from error
    return value if isinstance(value, (str, int, float, bool)) else node.value
