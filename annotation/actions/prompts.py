from typing import Any

from django.db import transaction

from annotation.messages import check_prompt, check_text, digest_of
from annotation.models import Campaign, Prompt


@transaction.atomic
def add_prompt(
    *, campaign: Campaign, messages: Any, kind: str = "", language: str = "", source: str = ""
) -> tuple[Prompt, bool]:
    """The campaign's prompt with these messages, and whether it is new.

    :raises BadInput: the messages are no conversation that ends with the user, or cannot be stored.
    """
    checked = check_prompt(messages)
    return Prompt.objects.get_or_create(
        campaign=campaign,
        digest=digest_of(checked),
        defaults={
            "messages": checked,
            "kind": check_text(kind)[:40],
            "language": check_text(language)[:20],
            "source": check_text(source)[:200],
        },
    )
