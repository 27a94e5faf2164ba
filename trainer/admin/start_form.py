"""The form that starts one run: what it reads, and every setting of its stage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from annotation.errors import Refusal
from annotation.models import Person
from trainer.actions.costs import Cost, cost_of_run
from trainer.actions.runs import DELIVERING, READ_REWARDS, SNAPSHOT_KINDS, WATCHED, queue_run
from trainer.actions.serving import promoted_checkpoint
from trainer.admin.forms import BaseModelForm
from trainer.handoff.configs import ConfigError, build_config, explain
from trainer.handoff.configs.base import LONGEST_TEMPLATE
from trainer.models import Checkpoint, Run, Snapshot

PREFERRED = {
    Run.Kind.SFT: [Checkpoint.Kind.BASE],
    Run.Kind.REWARD: [Checkpoint.Kind.SFT, Checkpoint.Kind.BASE],
    Run.Kind.PPO: [Checkpoint.Kind.SFT, Checkpoint.Kind.BASE],
    Run.Kind.DPO: [Checkpoint.Kind.SFT, Checkpoint.Kind.BASE],
    Run.Kind.KTO: [Checkpoint.Kind.SFT, Checkpoint.Kind.BASE],
    Run.Kind.SAMPLE: [
        Checkpoint.Kind.PPO,
        Checkpoint.Kind.DPO,
        Checkpoint.Kind.KTO,
        Checkpoint.Kind.SFT,
        Checkpoint.Kind.BASE,
    ],
}
"""What a run of each kind usually starts from."""

_LIKE_SAMPLE = (READ_REWARDS | DELIVERING) - {Run.Kind.PPO, Run.Kind.SAMPLE}
PREFERRED |= dict.fromkeys(_LIKE_SAMPLE, PREFERRED[Run.Kind.SAMPLE])


class StartForm(BaseModelForm):
    def __init__(self, kind: Run.Kind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, preferred=PREFERRED[kind], **kwargs)
        self.kind = kind
        self.fields["snapshot"] = _snapshot_field(kind)
        self.suggest("snapshot", _snapshots(kind).first())
        if kind == Run.Kind.SAMPLE:
            self._suggest_promoted(kwargs.get("initial") or {})
        if kind in READ_REWARDS:
            self.fields["reward"] = _reward_field(kind)
        if kind == Run.Kind.PPO:
            self.suggest("reward", _reward_models().first())
        if kind in WATCHED:
            self.fields["holdout"] = _holdout_field()
        if kind in DELIVERING:
            self.fields["deliver"] = _deliver_field(kind)
            self.fields["other_base"].help_text = _(
                "A Hugging Face id, a folder, or a model server as endpoint:NAME; when filled in, it is used "
                "instead."
            )
        self.fields["nodes"] = _count_field(_("Nodes"), _("So many machines share the run."), least=1)
        self.fields["devices"] = _count_field(
            _("Devices of each node"), _("One process for each; 0 takes all that a node has."), least=0
        )
        self.order_fields(["snapshot", "base", "other_base", "reward", "holdout", "deliver"])
        self.setting_names = list(explain(kind))
        self.fields |= {name: _setting(*about) for name, about in _explained(kind).items()}

    def _suggest_promoted(self, asked_for: Mapping[str, Any]) -> None:
        """Candidates come from what is promoted in the snapshot's campaign, unless another one was chosen."""
        chosen = str(self.initial.get("snapshot") or "")
        snapshot = Snapshot.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
        promoted = promoted_checkpoint(snapshot.campaign) if snapshot else None
        if promoted and not asked_for.get("base"):
            self.initial["base"] = promoted.pk
            self.initial.pop("other_base", None)

    def sources(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.setting_names]

    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in self.setting_names]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, error in _mistakes(self.kind, self._given(cleaned)).items():
            self.add_error(name, _("It must be %(allowed)s.") % {"allowed": _(error.allowed)})
        return cleaned

    def queue(self, person: Person, *, now: datetime) -> Run | None:
        """The queued run; None when it was refused, for a reason on the form."""
        cleaned = self.cleaned_data
        try:
            return queue_run(
                **self._asked_for(),
                base=self.chosen_base(now=now),
                deliver=cleaned.get("deliver", False),
                created_by=person,
                idempotency_key=cleaned["idempotency_key"],
                now=now,
            )
        except Refusal as refusal:
            self.refuse(refusal)
            return None

    def cost(self, *, now: datetime) -> Cost | None:
        """What such a run would take; None when it would be refused, for a reason on the form."""
        try:
            return cost_of_run(**self._asked_for(), base=self.base_as_it_is(now=now), now=now)
        except Refusal as refusal:
            self.refuse(refusal)
            return None

    def _asked_for(self) -> dict[str, Any]:
        """What both have to know: whoever checks a run learns of the one that would start."""
        cleaned = self.cleaned_data
        return {
            "kind": self.kind,
            "snapshot": cleaned["snapshot"],
            "reward": cleaned.get("reward"),
            "holdout": cleaned.get("holdout"),
            "config": self._given(cleaned),
            "nodes": cleaned.get("nodes") or 1,
            "devices": cleaned.get("devices") or 0,
        }

    def _given(self, cleaned: Mapping[str, Any]) -> dict[str, str | bool]:
        """The settings that are filled in; an emptied field means its default."""
        return {name: cleaned[name] for name in self.setting_names if cleaned.get(name) not in (None, "")}


def _snapshots(kind: Run.Kind) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(kind=SNAPSHOT_KINDS[kind]).order_by("-pk")


def _reward_models() -> QuerySet[Checkpoint]:
    return Checkpoint.objects.filter(kind=Checkpoint.Kind.REWARD).order_by("-pk")


def _snapshot_field(kind: Run.Kind) -> forms.Field:
    wanted = SNAPSHOT_KINDS[kind]
    freeze = reverse("admin:trainer_snapshot_freeze", query={"kind": wanted.value})
    return forms.ModelChoiceField(
        _snapshots(kind),
        label=_("Snapshot of %(kind)s") % {"kind": wanted.label},
        widget=UnfoldAdminSelectWidget,
        help_text=format_html('<a href="{}" class="text-link">{}</a>', freeze, _("Freeze a new one")),
    )


def _reward_field(kind: Run.Kind) -> forms.Field:
    notes = {
        Run.Kind.PPO: _("A reward run makes one."),
        **dict.fromkeys(
            (Run.Kind.SAMPLE, Run.Kind.EVALUATE),
            _("Scores the candidates, and chooses them where best_of is more than 1. May stay empty."),
        ),
    }
    compares = _("Compares answers before and after. May stay empty.")
    return _chosen_reward(_("Reward model"), notes.get(kind, compares), required=kind == Run.Kind.PPO)


def _holdout_field() -> forms.Field:
    note = _(
        "Trained on other rankings. It only watches: where its score falls while the other rises, the policy "
        "has learned to please. May stay empty."
    )
    return _chosen_reward(_("Hold-out reward model"), note, required=False)


def _chosen_reward(label: str, note: str, *, required: bool) -> forms.Field:
    return forms.ModelChoiceField(
        _reward_models(), label=label, help_text=note, required=required, widget=UnfoldAdminSelectWidget
    )


def _deliver_field(kind: Run.Kind) -> forms.Field:
    labels = {
        Run.Kind.SAMPLE: _("Give the candidates to the labelers, to be ranked"),
        Run.Kind.GENERATE: _("Give the dialogues to the reviewers, marked as synthetic"),
        Run.Kind.EXPAND: _("Hold the new prompts for release, marked as synthetic"),
        Run.Kind.JUDGE: _("Keep the orders as rankings, marked as synthetic"),
    }
    return forms.BooleanField(
        label=labels[kind],
        initial=True,
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


def _count_field(label: str, note: str, *, least: int) -> forms.Field:
    """A number that stays at its least unless somebody wants more."""
    return forms.IntegerField(
        label=label,
        initial=least,
        required=False,
        min_value=least,
        max_value=64,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=note,
    )


def _explained(kind: str) -> dict[str, tuple[str, Any, str]]:
    return {
        name: (name, default, _(note).replace("``", "") if note else "")
        for name, (default, note) in explain(kind).items()
    }


def _setting(name: str, default: Any, note: str) -> forms.Field:
    if isinstance(default, bool):
        return forms.BooleanField(
            label=name, initial=default, required=False, widget=UnfoldBooleanSwitchWidget, help_text=note
        )
    if isinstance(default, str) and "\n" in default:
        return forms.CharField(
            label=name,
            initial=default,
            required=False,
            max_length=LONGEST_TEMPLATE,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": min(10, default.count("\n") + 2)}),
            help_text=note,
        )
    return forms.CharField(
        label=name,
        initial=default,
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("%(note)s Default: %(default)s.") % {"note": note, "default": default}
        if default != ""
        else note,
    )


def _mistakes(kind: str, values: Mapping[str, str | bool]) -> dict[str, ConfigError]:
    """All that is wrong with the settings, by field, and not just the first."""
    rest, mistakes = dict(values), dict[str, ConfigError]()
    while True:
        try:
            build_config(kind, rest)
            return mistakes
        except ConfigError as error:
            if error.field in mistakes:  # its default does not fit to another one either
                return mistakes
            mistakes[error.field] = error
            rest.pop(error.field, None)
