"""E-mail, where the operator has configured a server for it."""

import logging
from collections.abc import Iterable
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from annotation.models import Invitation

logger = logging.getLogger(__name__)


def can_send() -> bool:
    return bool(settings.EMAIL_HOST)


def send_invitations(links: Iterable[tuple[Invitation, str]]) -> int:
    """To those with an address. Returns how many were taken; the others are still to be handed over."""
    letters = [_letter(invitation, link) for invitation, link in links if invitation.email]
    try:
        return get_connection().send_messages(letters) or 0
    except (OSError, SMTPException) as error:
        logger.warning("The e-mail server did not take the invitations: %s", error)
        return 0


def _letter(invitation: Invitation, link: str) -> EmailMessage:
    words = _(
        "%(by)s invites you to Rankwright.\n\nMake your account here; the link works once, until %(until)s:\n"
        "%(link)s\n"
    )
    told = {
        "by": invitation.created_by.display_name,
        "until": date_format(invitation.expires_at, "DATETIME_FORMAT"),
        "link": link,
    }
    return EmailMessage(subject=_("Your invitation"), body=words % told, to=[invitation.email])
