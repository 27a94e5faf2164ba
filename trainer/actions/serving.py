"""Which checkpoint answers a campaign's chats, and where."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from annotation.models import Campaign
from trainer.actions.checkpoints import register_base_model
from trainer.models import Checkpoint, ModelServer, Promotion


def promoted_checkpoint(campaign: Campaign) -> Checkpoint | None:
    """The one that was promoted last, and not taken back."""
    standing = Promotion.objects.standing().filter(campaign=campaign).select_related("checkpoint")
    promotion = standing.first()
    return promotion.checkpoint if promotion else None


def checkpoint_to_serve(campaign: Campaign, *, now: datetime) -> Checkpoint:
    """The promoted one; before any is, the base model.

    :raises UnknownBaseModel: it is not on this machine.
    """
    return promoted_checkpoint(campaign) or register_base_model(next(iter(settings.BASE_MODELS)), now=now)


@transaction.atomic
def announce_server(campaign: Campaign, checkpoint: Checkpoint, url: str, *, now: datetime) -> None:
    """From now on the campaign's chats are answered there."""
    told = {"checkpoint": checkpoint, "url": url, "last_seen_at": now}
    ModelServer.objects.update_or_create(campaign=campaign, defaults=told)


def withdraw_server(campaign: Campaign, url: str) -> None:
    """Nobody answers at ``url`` any more; where another process took over, its row stays."""
    ModelServer.objects.filter(campaign=campaign, url=url).delete()
