"""Which checkpoints wrote what: their names come again from loop to loop, their digests do not."""

from collections.abc import Collection, Iterable
from typing import Any

from annotation.models import FeedbackUse, SideBySide
from trainer.models import SampledCompletion, ServedMessage

_CHECKPOINT = ("checkpoint__name", "checkpoint__kind", "checkpoint__digest")


def writers_of_completions(pks: Collection[int]) -> dict[int, str]:
    return _named(
        SampledCompletion.objects.filter(completion__in=pks).values_list("completion", *_CHECKPOINT)
    )


def writers_of_messages(pks: Collection[int]) -> dict[int, str]:
    return _named(ServedMessage.objects.filter(message__in=pks).values_list("message", *_CHECKPOINT))


def writers_in_chats(candidate_sets: Collection[int]) -> dict[int, str]:
    """By completion, of those that were answers in a chat, side by side."""
    uses = FeedbackUse.objects.filter(
        ranking__assignment__candidate_set__in=candidate_sets, message__isnull=False
    )
    left = dict(uses.values_list("message", "ranking__shown_order"))
    right = dict(SideBySide.objects.filter(left__in=left).values_list("left", "right")) if left else {}
    message_of = {
        completion: message
        for first, order in left.items()
        for completion, message in zip(order, (first, right.get(first)), strict=True)
        if message is not None
    }
    written = writers_of_messages(set(message_of.values())) if message_of else {}
    return {completion: written[message] for completion, message in message_of.items() if message in written}


def _named(rows: Iterable[tuple[Any, ...]]) -> dict[int, str]:
    return {pk: f"{name}-{kind}-{digest[:8]}" for pk, name, kind, digest in rows}
