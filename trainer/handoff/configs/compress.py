"""What the stages can be told that compress."""

from dataclasses import dataclass

from trainer.handoff.configs.base import ConfigError, LabConfig, a_template, at_least, one_of
from trainer.handoff.endpoints import is_endpoint

THOUGHT_TEMPLATE = (
    "{prompt}\n"
    "\n"
    "Think before you answer: write down step by step what leads to the answer, and then the answer itself."
)


@dataclass(frozen=True, kw_only=True)
class CompressConfig(LabConfig):
    """What every kind of compression has."""

    batch_size: int = 8
    """Demonstrations that go through the model at once, or are one step where something is trained."""
    max_completion_tokens: int = 512
    """Longer answers of the assistant are cut."""
    measured_tokens: int = 64
    """Length of the answers that speed is measured on, and of those that a reward model scores."""
    measured_prompts: int = 32
    """At most so many held-out prompts are answered for the reward model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "batch_size", "max_completion_tokens", "measured_tokens", "measured_prompts")


@dataclass(frozen=True, kw_only=True)
class QuantizeConfig(CompressConfig):
    """Weights in 8 or 4 bits: smaller and faster, without training."""

    scheme: str = "int4"
    """int4 or int8: weights alone; int8_dynamic: the arithmetic of a processor too."""
    group_size: int = 32
    """Neighbouring weights that share a scale, with int4; 32, 64, 128 and 256 are fast."""
    embeddings: str = "int8"
    """Of the vocabulary's table, which makes much of a small model: int4, int8 or keep."""

    calibration: int = 32
    """Demonstrations that tell what the layers get to read, with int4; 0 rounds to the nearest code."""
    exact_share: float = 0.1
    """Share of the layers' weights that get 8 bits all the same, where 4 cost most; with calibration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "calibration")
        if not 0 <= self.exact_share <= 1:
            raise ConfigError("exact_share", self.exact_share, "between 0 and 1")
        one_of(self, "scheme", ("int4", "int8", "int8_dynamic"))
        one_of(self, "embeddings", ("int4", "int8", "keep"))
        at_least(self, 2, "group_size")


@dataclass(frozen=True, kw_only=True)
class RecoveryConfig(CompressConfig):
    """What those have that train: all weights, on demonstrations and on what the original thinks of them."""

    epochs: int = 1
    """Passes over the demonstrations; 0 trains nothing."""
    learning_rate: float = 5e-5
    """Of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm."""
    teacher_weight: float = 0.5
    """Share of the loss that is the distance to the original's probabilities; the rest is likelihood."""
    temperature: float = 2.0
    """Of the probabilities that are compared; the higher, the more the unlikely tokens count."""
    checkpoint_every: int = 50
    """Steps after which the run saves its state, to go on from it; 0: only when it is told to stop."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "epochs", "checkpoint_every")
        for name in ("learning_rate", "max_grad_norm", "temperature"):
            if not getattr(self, name) > 0:
                raise ConfigError(name, getattr(self, name), "more than 0")
        if not 0 <= self.teacher_weight <= 1:
            raise ConfigError("teacher_weight", self.teacher_weight, "between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class DistillConfig(RecoveryConfig):
    """A smaller student that learns to say what the checkpoint says."""

    learn_from: str = "logits"
    """logits: its probabilities on demonstrations; answers: its own to their prompts; thoughts: with why."""
    teacher: str = ""
    """Who answers: endpoint:NAME or endpoint:NAME/MODEL; empty: the checkpoint that it starts from."""
    terms_allow: bool = False
    """With a model server as teacher: its terms allow to train on what it says. You answer for that."""
    thought_template: str = THOUGHT_TEMPLATE
    """How the teacher is asked for its thoughts, with {prompt}."""
    requests_per_minute: int = 0
    """Where a model server is asked: at most so many requests a minute; 0: no limit."""
    most_tokens: int = 0
    """Where a teacher is asked for thoughts, or elsewhere: nothing new after so many tokens; 0: no limit."""
    layers: int = 0
    """Of the student, which starts as so many evenly spaced layers of the teacher; 0: half of them."""
    answer_temperature: float = 0.7
    """Of sampling the teacher's answers and thoughts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "learn_from", ("logits", "answers", "thoughts"))
        at_least(self, 0, "layers")
        if not self.answer_temperature > 0:
            raise ConfigError("answer_temperature", self.answer_temperature, "more than 0")
        at_least(self, 0, "requests_per_minute", "most_tokens")
        a_template(self, "thought_template", {"prompt"}, set())
        self._check_teacher()

    def _check_teacher(self) -> None:
        if not self.teacher:
            return
        if not is_endpoint(self.teacher):
            raise ConfigError("teacher", self.teacher, "endpoint:NAME, or empty")
        if self.learn_from == "logits":
            raise ConfigError("teacher", self.teacher, "empty: a model server tells no probabilities")
        if not self.terms_allow:
            allowed = "true: without it nothing is learned from what another's model says"
            raise ConfigError("terms_allow", self.terms_allow, allowed)


@dataclass(frozen=True, kw_only=True)
class PruneConfig(RecoveryConfig):
    """Weights that matter least are taken out; the rest learns to do without them."""

    what: str = "layers"
    """layers, heads or mlp: smaller and faster; magnitude or 2:4: zeros, for hardware that skips them."""
    fraction: float = 0.25
    """Share of them that goes; 2:4 always takes half."""

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self, "what", ("layers", "heads", "mlp", "magnitude", "2:4"))
        if not 0 <= self.fraction < 1:
            raise ConfigError("fraction", self.fraction, "0 or more, and less than 1")


@dataclass(frozen=True, kw_only=True)
class ShareConfig(RecoveryConfig):
    """Neighbouring layers become one that is stored once and computed in each place."""

    group: int = 2
    """So many neighbours share their weights, which start as their mean."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 2, "group")
