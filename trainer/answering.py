"""The promoted model of a campaign, as it answers in chats."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.answering import Piece, Turn
from annotation.errors import ChatTooLong, ModelAway, ModelBusy
from annotation.models import Campaign, ChatMessage
from trainer.handoff.openai_client import Endpoint, EndpointError
from trainer.models import ModelServer, ServedMessage

MOST_TOKENS = 512
TEMPERATURE, TOP_P = 0.8, 0.95
BAD_REQUEST = 400


class PromotedModel:
    """Asks where the campaign's promoted checkpoint is served, or the one that the settings name."""

    def stream(self, answer: ChatMessage, messages: Sequence[Turn], *, seed: int) -> Iterator[Piece]:
        endpoint, server = _endpoint(answer.chat.campaign)
        if server:
            ServedMessage.objects.update_or_create(message=answer, defaults={"checkpoint": server.checkpoint})
        try:
            for piece in endpoint.stream(
                messages, temperature=TEMPERATURE, top_p=TOP_P, max_tokens=MOST_TOKENS, seed=seed
            ):
                yield Piece(piece.text, piece.waiting, is_over=piece.finished is not None)
        except EndpointError as error:
            if error.status == BAD_REQUEST:
                words = _("This chat has become too long for the model. Begin a new one.")
                raise ChatTooLong(words) from error
            if error.is_busy:
                words = _("The model has too much to do. Try again in a moment.")
                raise ModelBusy(words) from error
            raise ModelAway(_("The model cannot be reached now. Try again in a while.")) from error


def _endpoint(campaign: Campaign) -> tuple[Endpoint, ModelServer | None]:
    """:raises ModelAway: no server has given a sign of life lately."""
    if settings.CHAT_URL:
        return Endpoint(settings.CHAT_URL, settings.CHAT_MODEL, settings.CHAT_KEY), None
    alive = ModelServer.objects.alive(timezone.now()).select_related("checkpoint")
    server = alive.filter(campaign=campaign).first()
    if server is None:
        raise ModelAway(_("No model is there to answer now. Try again in a while."))
    return Endpoint(server.url, key=settings.CHAT_KEY), server
