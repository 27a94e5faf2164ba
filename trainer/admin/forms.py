"""What an admin fills in to set the machines to work. A refusal stands beside the field it is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from annotation.errors import Refusal
from annotation.models import Campaign, Person
from trainer.actions.checkpoints import find_base_model, register_base_model
from trainer.actions.pipelines import loop_of, start_pipeline
from trainer.models import Checkpoint, PipelineRun


class RegisterForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Base model"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "A Hugging Face id, a model's folder, or the name of a model that is known here."
        ),
    )

    def register(self, *, now: datetime) -> Checkpoint | None:
        """The checkpoint; None when there is no such model, for a reason beside the field."""
        try:
            return register_base_model(self.cleaned_data["name"], now=now)
        except Refusal as refusal:
            self.add_error("name", refusal.detail)
            return None


class BaseModelForm(forms.Form):
    """Where weights come from: a checkpoint that is here, or any model by its name."""

    base = forms.ModelChoiceField(
        Checkpoint.objects.exclude(kind=Checkpoint.Kind.REWARD).order_by("-pk"),
        label=gettext_lazy("Starts from"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    other_base = forms.CharField(
        label=gettext_lazy("Or from another model"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("A Hugging Face id or a folder; when filled in, it is used instead."),
    )
    # The form's second click finds what its first one made.
    idempotency_key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def __init__(self, *args: Any, preferred: Sequence[str] = (Checkpoint.Kind.BASE,), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in preferred:
            self.suggest("base", Checkpoint.objects.filter(kind=kind).order_by("-pk").first())
        if not self.initial.get("base"):
            self.initial.setdefault("other_base", next(iter(settings.BASE_MODELS), ""))

    def suggest(self, field: str, row: Model | None) -> None:
        """What is usually meant, unless the page before was about another one."""
        if row is not None and field not in self.initial:
            self.initial[field] = row.pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("base") or cleaned.get("other_base") or self.errors):
            self.add_error("base", _("Choose a checkpoint, or name another model."))
        return cleaned

    def chosen_base(self, *, now: datetime) -> Checkpoint:
        """:raises UnknownBaseModel: the typed name is no model."""
        if name := self.cleaned_data["other_base"]:
            return register_base_model(name, now=now)
        base: Checkpoint = self.cleaned_data["base"]
        return base

    def base_as_it_is(self, *, now: datetime) -> Checkpoint:
        """The same, but what is typed is not stored.

        :raises UnknownBaseModel: it is no model.
        """
        name = self.cleaned_data["other_base"]
        return find_base_model(name, now=now) if name else self.chosen_base(now=now)

    def refuse(self, refusal: Refusal) -> None:
        field = {"unknown_base_model": "other_base"}.get(refusal.code)
        self.add_error(field, refusal.detail)


class LoopForm(BaseModelForm):
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), label=gettext_lazy("Campaign"), widget=UnfoldAdminSelectWidget
    )
    is_short = forms.BooleanField(
        label=gettext_lazy("A short try"),
        initial=True,
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=gettext_lazy("Minutes on two cores, instead of hours on a GPU with the stages' defaults."),
    )
    field_order = ["campaign", "base", "other_base", "is_short"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggest("campaign", Campaign.objects.order_by("-pk").first())

    def start(self, person: Person, *, now: datetime) -> PipelineRun | None:
        """The start of the campaign's loop; None when it was refused, for a reason on the form."""
        try:
            base = self.chosen_base(now=now)
            return start_pipeline(
                pipeline=loop_of(self.cleaned_data["campaign"], self.cleaned_data["is_short"], person, now),
                start=base,
                by=person,
                now=now,
                idempotency_key=self.cleaned_data["idempotency_key"],
            )
        except Refusal as refusal:
            self.refuse(refusal)
            return None
