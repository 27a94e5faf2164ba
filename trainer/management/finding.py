"""Rows that a command's arguments name."""

from typing import TypeVar

from django.core.management.base import CommandError
from django.db.models import Model
from django.utils import timezone

from annotation.models import Campaign
from trainer.actions.checkpoints import register_base_model
from trainer.models import Checkpoint

Row = TypeVar("Row", bound=Model)


def find_campaign(name: str) -> Campaign:
    """:raises CommandError: there is none of that name."""
    try:
        return Campaign.objects.get(name=name)
    except Campaign.DoesNotExist:
        names = ", ".join(Campaign.objects.order_by("name").values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no campaign named {name!r}. There are: {names}.") from None


def find_row(model: type[Row], pk: str | int) -> Row:
    """:raises CommandError: there is none."""
    row: Row | None = model._default_manager.filter(pk=pk).first() if str(pk).isdecimal() else None
    if row is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {pk}.")
    return row


def find_model(name: str) -> Checkpoint:
    """A checkpoint by its id, or a base model by its name, folder or Hugging Face id.

    :raises CommandError: there is no such checkpoint.
    :raises UnknownBaseModel: the name is no model.
    """
    return find_row(Checkpoint, name) if name.isdecimal() else register_base_model(name, now=timezone.now())
