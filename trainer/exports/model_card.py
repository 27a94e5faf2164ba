"""What a checkpoint is, for whoever gets it: written from the rows that it goes back to."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from trainer.handoff.configs import explain
from trainer.models import Checkpoint, Run, Snapshot

LICENSES = {"SmolLM2-135M-Instruct": "apache-2.0"}
"""Of the base models that are known by name here; others say it in their own card."""
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def model_card(checkpoint: Checkpoint, *, apart: bool = False) -> str:
    """Markdown with the metadata block that Hugging Face reads. ``apart``: for the adapters alone."""
    steps = list(_steps(checkpoint))
    base = steps[-1].base if steps else checkpoint
    license = license_of(base)
    judged = checkpoint.kind == Checkpoint.Kind.REWARD
    parts = [
        f"# {_plain(checkpoint.name)}",
        _what(checkpoint, base, apart=apart),
        _use(checkpoint, apart=apart),
        "## Where it comes from",
        *([step.words() for step in reversed(steps)] or ["It was made elsewhere; nothing was trained here."]),
        "## Figures",
        _figures(checkpoint),
        "## Licence",
        f"The base model's licence: {license or 'not stated'}.{_licences(steps)}",
        "## Limits",
        _limits(judged=judged, learned=bool(steps)),
    ]
    return _metadata(base, license, judged=judged, apart=apart) + "\n\n".join(parts) + "\n"


def license_of(base: Checkpoint) -> str:
    """As its own card or this product knows it; empty where neither does."""
    for name, folder in settings.BASE_MODELS.items():
        if name in LICENSES and Path(folder).resolve() == Path(base.location):
            return LICENSES[name]
    card = Path(base.location) / "README.md"
    found = _FRONT.match(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else None
    lines = found[1].splitlines() if found else []
    told = (line.removeprefix("license:").strip(" '\"") for line in lines if line.startswith("license:"))
    return next((license for license in told if re.fullmatch(r"[\w.+-]+", license)), "")


class Step:
    """A run on the way from the base model to the checkpoint."""

    def __init__(self, run: Run, base: Checkpoint) -> None:
        self.run, self.base = run, base
        self.reward = run.given("reward")

    def words(self) -> str:
        run = self.run
        lines = [
            f"### {run.get_kind_display()}",
            "",
            f"- Started from {_named(self.base)}",
            f"- Learned from {_data(run.snapshot)}",
            *self._taste(),
            f"- Finished {run.finished_at:%Y-%m-%d}" if run.finished_at else "- Not finished",
            f"- Settings other than the defaults: {_settings(run)}",
        ]
        return "\n".join(lines)

    def _taste(self) -> list[str]:
        if self.reward is None:
            return []
        taught = self.reward.produced_by
        from_what = f", which learned from {_data(taught.snapshot)}" if taught else ""
        return [f"- Scored by {_named(self.reward)}{from_what}"]


def _steps(checkpoint: Checkpoint) -> Iterator[Step]:
    """Latest first."""
    while (run := checkpoint.produced_by) and (base := run.given("base")):
        yield Step(run, base)
        checkpoint = base


def _what(checkpoint: Checkpoint, base: Checkpoint, *, apart: bool) -> str:
    kind = "adapters (LoRA, for peft) of a model" if apart else "model"
    does = (
        "that scores answers to a conversation: the higher, the better people would like them"
        if checkpoint.kind == Checkpoint.Kind.REWARD
        else "that answers conversations"
    )
    trained = "" if checkpoint == base else f", trained with Rankwright from {_named(base)}"
    return (
        f"A {kind} {does}{trained}.\n\n"
        f"- Stage: {checkpoint.get_kind_display()}\n"
        f"- sha256 over the checkpoint's files: `{checkpoint.digest}`\n"
        f"- Made: {checkpoint.created_at:%Y-%m-%d}"
    )


def _use(checkpoint: Checkpoint, *, apart: bool) -> str:
    if checkpoint.kind == Checkpoint.Kind.REWARD:
        code = (
            "from transformers import AutoModelForSequenceClassification\n\n"
            'model = AutoModelForSequenceClassification.from_pretrained("this folder")'
        )
    elif apart:
        code = (
            "from peft import PeftModel\n"
            "from transformers import AutoModelForCausalLM\n\n"
            'base = AutoModelForCausalLM.from_pretrained("the model it started from")\n'
            'model = PeftModel.from_pretrained(base, "this folder")'
        )
    else:
        code = (
            "from transformers import pipeline\n\n"
            'chat = pipeline("text-generation", "this folder")\n'
            'chat([{"role": "user", "content": "How do I boil an egg?"}], max_new_tokens=200)'
        )
    return f"```python\n{code}\n```"


def _data(snapshot: Snapshot) -> str:
    """What a snapshot holds, in counts; never whose it is."""
    about = snapshot.manifest
    told = [
        f"{snapshot.rows} {snapshot.kind} of the campaign {_plain(snapshot.campaign.name)}",
        f"sha256 `{snapshot.digest}`",
        f"frozen {snapshot.created_at:%Y-%m-%d}",
        f"by split: {_counts(about.get('rows', {}))}",
    ]
    if "labelers" in about:
        told += [
            f"{about['labelers']} labelers",
            f"guideline versions: {_counts(about.get('guideline_versions', {}))}",
            f"consent versions: {_counts(about.get('consent_versions', {}))}",
        ]
    if languages := about.get("prompts_by_language"):
        told.append(f"languages: {_counts(languages)}")
    gone = {mode: len(rows) for mode, rows in about.get("tombstones", {}).items()}
    if gone:
        told.append(f"erased before: {_counts(gone)}")
    return "; ".join(told)


def _settings(run: Run) -> str:
    usual = explain(run.kind)
    told = {name: value for name, value in run.config.items() if name not in usual or usual[name][0] != value}
    return ", ".join(f"`{name}={value}`" for name, value in sorted(told.items())) or "none"


def _figures(checkpoint: Checkpoint) -> str:
    lines = [f"| {name} | {_number(value)} |" for name, value in _flat(checkpoint.summary)]
    for evaluation in checkpoint.evaluations.order_by("pk"):
        measured = f"{evaluation.measured_at:%Y-%m-%d}"
        lines += [f"| {name} ({measured}) | {_number(value)} |" for name, value in _flat(evaluation.figures)]
    health = checkpoint.summary.get("health") or {}
    reasons = [f"- {_plain(str(found['sentence']))}" for found in health.get("findings", [])]
    table = "\n".join(["| figure | value |", "|---|---|", *lines]) if lines else "None were measured."
    verdict = f"\n\nVerdict on its run: {health['verdict']}." if "verdict" in health else ""
    return table + verdict + "".join(f"\n{reason}" for reason in reasons)


def _flat(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, int | float | str) or value is None:
            yield _plain(name), value


def _number(value: Any) -> str:
    return "unknown" if value is None else _plain(f"{value:.5g}" if isinstance(value, float) else str(value))


def _licences(steps: list[Step]) -> str:
    runs = [step.run for step in steps] + [
        step.reward.produced_by for step in steps if step.reward and step.reward.produced_by
    ]
    found = {_plain(run.campaign.name): _plain(run.campaign.license) or "none stated" for run in runs}
    told = ", ".join(f"{campaign}: {license}" for campaign, license in sorted(found.items()))
    words = (
        " The licences of the campaigns that it learned from: {}. All of them bind whoever passes this on."
    )
    return words.format(told) if told else ""


def _limits(*, judged: bool, learned: bool) -> str:
    lines = [
        "- It may state falsehoods with confidence, repeat what its base model learned from the web, and be "
        "talked into what its makers did not want.",
    ]
    if learned:
        lines += [
            "- It says what its labelers preferred under their guidelines, on prompts like theirs and in "
            "their languages; elsewhere nothing is known of it.",
            "- Held-out figures come from the same campaigns as the training data.",
            "- What somebody wrote and had erased later may have been learned before; the snapshots above "
            "list what was gone when they were frozen.",
        ]
    if judged:
        lines.append("- Scores compare answers to one prompt; across prompts and models they mean little.")
    return "\n".join(lines)


def _metadata(base: Checkpoint, license: str, *, judged: bool, apart: bool) -> str:
    told: dict[str, Any] = {
        "library_name": "peft" if apart else "transformers",
        "pipeline_tag": "text-classification" if judged else "text-generation",
        "tags": ["rankwright", "rlhf"],
    }
    if "/" in base.location and not base.location.startswith("/"):
        told["base_model"] = base.location
    if license:
        told["license"] = license
    # JSON is YAML too.
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(told.items()))
    return f"---\n{lines}---\n\n"


def _named(checkpoint: Checkpoint) -> str:
    return f"{_plain(checkpoint.name)} (sha256 `{checkpoint.digest[:12]}`)"


def _counts(counts: Mapping[str, int]) -> str:
    told = (f"{_plain(str(name)) or 'unnamed'} {count}" for name, count in sorted(counts.items()))
    return ", ".join(told) or "none"


def _plain(text: str) -> str:
    """One line, and nothing in it that Markdown or HTML would take for more than words."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))
