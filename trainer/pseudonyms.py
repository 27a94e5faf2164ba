"""Names for people in what leaves the database.

Ids are few and in order, so their plain hash could be guessed by trying them all. The instance's secret key
goes in: without it, nobody can tell whose a pseudonym is, however small the number of people.
"""

from django.utils.crypto import salted_hmac

from annotation.models import Campaign

_DIGITS = 16


def pseudonym(campaign: Campaign, labeler_id: int) -> str:
    """The same person in one campaign, nobody across campaigns."""
    return _keyed("trainer.snapshot", f"{campaign.pk}/{labeler_id}")


def _keyed(purpose: str, value: str) -> str:
    return salted_hmac(purpose, value, algorithm="sha256").hexdigest()[:_DIGITS]


def rater(seed: str, labeler: str) -> str:
    """Who a snapshot's labeler is in an export: the same person wherever the seed is the same."""
    return _keyed("trainer.export", f"{seed}/{labeler}")
