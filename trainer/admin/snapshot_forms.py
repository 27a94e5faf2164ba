"""What an admin fills in to freeze a snapshot, to export it, and to compare it with another one."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from annotation.errors import Refusal
from annotation.models import Campaign, Person
from trainer.actions.exports import queue_export
from trainer.actions.filters import Filters
from trainer.actions.snapshots import freeze_snapshot
from trainer.actions.weighing import NONE, RELIABILITY
from trainer.exports import CONTAINERS, formats_for
from trainer.models import Export, Snapshot


class FreezeForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), label=gettext_lazy("Campaign"), widget=UnfoldAdminSelectWidget
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Snapshot.Kind.choices,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "SFT learns from demonstrations, a reward model from rankings; PPO answers prompts. "
            "KTO learns from chat feedback."
        ),
    )
    weights = forms.ChoiceField(
        label=gettext_lazy("Rankings count"),
        required=False,
        choices=[
            ("", gettext_lazy("all alike")),
            (RELIABILITY, gettext_lazy("as their labelers are reliable")),
        ],
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("How much each ranking weighs in training."),
    )
    prompt_kind = forms.CharField(
        label=gettext_lazy("Only prompts of the kind"),
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
    )
    language = forms.CharField(
        label=gettext_lazy("Only prompts in the language"),
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("A code such as en."),
    )
    guideline_from = forms.IntegerField(
        label=gettext_lazy("Guidelines from version"),
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Only what was made under this version or a later one."),
    )
    submitted_from = forms.DateTimeField(
        label=gettext_lazy("Submitted from"), required=False, widget=UnfoldAdminSingleDateWidget
    )
    submitted_until = forms.DateTimeField(
        label=gettext_lazy("Submitted before"), required=False, widget=UnfoldAdminSingleDateWidget
    )
    without_labelers = forms.ModelMultipleChoiceField(
        Person.objects.order_by("username"),
        label=gettext_lazy("Nothing of these people"),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )
    settled = forms.ChoiceField(
        label=gettext_lazy("Only candidate sets with"),
        required=False,
        choices=[
            ("", gettext_lazy("anything")),
            ("consensus", gettext_lazy("a consensus")),
            ("adjudicated", gettext_lazy("a reviewer's decision")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    judges = forms.ChoiceField(
        label=gettext_lazy("Only rankings of"),
        required=False,
        choices=[
            ("", gettext_lazy("everybody")),
            ("labelers", gettext_lazy("labelers and reviewers")),
            ("chats", gettext_lazy("chat users")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    synthetic = forms.ChoiceField(
        label=gettext_lazy("Synthetic rows"),
        required=False,
        choices=[
            ("", gettext_lazy("none: only what people made")),
            ("include", gettext_lazy("include what models made up")),
            ("only", gettext_lazy("only what models made up")),
        ],
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("What was generated, expanded or judged by a model. The card tells how much."),
    )
    synthetic_weight = forms.FloatField(
        label=gettext_lazy("A model's ranking counts"),
        required=False,
        min_value=0.001,
        max_value=1,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("As much as so many of a labeler's; 1 when left empty."),
    )
    accepted = forms.BooleanField(
        label=gettext_lazy("Only demonstrations that a reviewer accepted"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("campaign", self.fields["campaign"].queryset.first())  # type: ignore[attr-defined]

    def sources(self) -> list[forms.BoundField]:
        return [self[name] for name in ("campaign", "kind")]

    def settings(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in {"campaign", "kind"}]

    def freeze(self, person: Person, *, now: datetime) -> Snapshot | None:
        """The snapshot; None when it was refused, for a reason beside the field."""
        cleaned = self.cleaned_data
        try:
            return freeze_snapshot(
                campaign=cleaned["campaign"],
                kind=cleaned["kind"],
                filters=_filters(cleaned),
                weights=cleaned["weights"] or NONE,
                created_by=person,
                now=now,
            )
        except Refusal as refusal:
            self.add_error("kind", refusal.detail)
            return None


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("docs/formats.md tells what each holds, and what it loses."),
    )
    container = forms.ChoiceField(
        label=gettext_lazy("Container"),
        required=False,
        choices=[("", gettext_lazy("The format's usual one")), *((name, name) for name in CONTAINERS)],
        widget=UnfoldAdminSelectWidget,
    )
    destination = forms.CharField(
        label=gettext_lazy("Destination"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("An address such as s3://bucket/folder; empty keeps it here for download."),
    )

    def __init__(self, snapshot: Snapshot, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.snapshot = snapshot
        self.fields["format"].choices = [(name, name) for name in formats_for(snapshot.kind)]  # type: ignore[attr-defined]

    def queue(self, person: Person, *, now: datetime) -> Export | None:
        """The queued export; None when it was refused, for a reason beside the field."""
        try:
            return queue_export(snapshot=self.snapshot, **self.cleaned_data, created_by=person, now=now)
        except Refusal as refusal:
            fields = {"bad_destination": "destination", "format_does_not_fit": "container"}
            self.add_error(fields.get(refusal.code), refusal.detail)
            return None


class CompareForm(forms.Form):
    other = forms.ModelChoiceField(
        Snapshot.objects.none(), label=gettext_lazy("Older snapshot"), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, snapshot: Snapshot, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alike = Snapshot.objects.filter(campaign=snapshot.campaign, kind=snapshot.kind)
        self.fields["other"].queryset = alike.exclude(pk=snapshot.pk).order_by("-pk")  # type: ignore[attr-defined]
        if not alike.exclude(pk=snapshot.pk).exists():
            self.fields["other"].help_text = _("There is no other snapshot of this kind in the campaign yet.")


def _filters(cleaned: dict[str, Any]) -> Filters:
    """:raises FilterDoesNotFit: they contradict each other."""
    return Filters(
        prompt_kind=cleaned["prompt_kind"],
        language=cleaned["language"],
        guideline_from=cleaned["guideline_from"] or 0,
        submitted_from=cleaned["submitted_from"],
        submitted_until=cleaned["submitted_until"],
        without_labelers=tuple(sorted(person.pk for person in cleaned["without_labelers"])),
        settled=cleaned["settled"],
        accepted=cleaned["accepted"],
        judges=cleaned["judges"],
        synthetic=cleaned["synthetic"],
        synthetic_weight=cleaned["synthetic_weight"] or 1.0,
    )
