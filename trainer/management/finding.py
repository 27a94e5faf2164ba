"""Rows that a command's arguments name."""

from typing import TypeVar

from django.core.management.base import CommandError
from django.db.models import Model
from django.utils import timezone

from annotation.management.finding import find_campaign
from trainer.actions.checkpoints import register_base_model
from trainer.models import Checkpoint

__all__ = ["find_campaign", "find_model", "find_row"]

Row = TypeVar("Row", bound=Model)


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
