"""Where a conversation may hold personal data: presidio's patterns and checksums, without its models.

Everything runs on this machine; what was found is told by its kind and its place, never by its text.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

from django.utils.translation import gettext as _

from annotation.errors import ScannerMissing
from annotation.messages import Message

Finding = dict[str, Any]
"""``{"kind", "message", "start", "end"}``: which message, and which of its characters."""
Scan = Callable[[Sequence[Message]], list[Finding]]

SURE_ENOUGH = 0.4
"""Of presidio's scores: a phone number that its country could have has this much, a right checksum has 1."""
SHORTEST_PHONE_NUMBER = 7
"""Digits. Some countries have shorter ones, and so has every text with a year in it."""
COUNTRIES = ["US", "GB", "DE", "FR", "ES", "IT", "IN", "CN", "JP", "KR", "BR", "AU"]
"""Whose phone numbers are known without their country's code; with it all are."""

NAMES = (
    "CreditCard Iban Crypto Ip UsSsn UsItin Nhs UkNino EsNif EsNie ItFiscalCode PlPesel InAadhaar InPan "
    "SgFin FiPersonalIdentityCode KrRrn AuTfn CaSin SePersonnummer"
)
"""Of presidio's recognizers, those that need no more than the text."""
UNUSED = ("torch", "transformers")
"""What presidio and spaCy import where it is there, for models that are not used here."""
_LOADING = Lock()


def can_scan() -> bool:
    return find_spec("presidio_analyzer") is not None


def need_scanner() -> None:
    """:raises ScannerMissing: the optional extra is not installed."""
    if not can_scan():
        raise ScannerMissing(
            _("Scanning for personal data needs one more library: pip install -r requirements/scan.txt")
        )


def scanner() -> Scan:
    """:raises ScannerMissing: the optional extra is not installed."""
    need_scanner()
    with _LOADING, _without(UNUSED):
        recognizers = _recognizers()

    def scan(messages: Sequence[Message]) -> list[Finding]:
        return [
            {"message": position, **found}
            for position, message in enumerate(messages)
            for found in _in_text(recognizers, message["content"])
        ]

    return scan


def _in_text(recognizers: list[Any], text: str) -> list[Finding]:
    """Without overlaps: of two that do, the surer one, and of equals the longer one."""
    found = [
        result
        for recognizer in recognizers
        for result in recognizer.analyze(text, recognizer.supported_entities, None)
        if result.score >= SURE_ENOUGH and not _is_only_a_number(result, text)
    ]
    found.sort(key=lambda result: (-result.score, result.start - result.end))
    kept: list[Any] = []
    for result in found:
        if all(result.end <= other.start or other.end <= result.start for other in kept):
            kept.append(result)
    kept.sort(key=lambda result: result.start)
    return [{"kind": one.entity_type.lower(), "start": one.start, "end": one.end} for one in kept]


def _is_only_a_number(result: Any, text: str) -> bool:
    digits = sum(character.isdigit() for character in text[result.start : result.end])
    return result.entity_type == "PHONE_NUMBER" and digits < SHORTEST_PHONE_NUMBER


@contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    """As if these were not installed. They would take seconds, and twice the memory of a web process, which
    has no other use for them either."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: it cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


@cache
def _recognizers() -> list[Any]:
    """Those that know a thing by its form and its checksum; each is made once, since that is slow."""
    # It logs what it looks at when asked to.
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    from presidio_analyzer import Pattern, PatternRecognizer
    from presidio_analyzer import predefined_recognizers as presidio
    from tldextract import TLDExtract

    domains = TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Email(presidio.EmailRecognizer):  # type: ignore[misc]  # no types
        def validate_result(self, pattern_text: str) -> bool:
            # The list of domains that comes with the library: presidio would ask the net for a newer one.
            return bool(domains(pattern_text).top_domain_under_public_suffix)

    class ChineseIdentity(PatternRecognizer):  # type: ignore[misc]
        def validate_result(self, pattern_text: str) -> bool:
            return is_chinese_identity_number(pattern_text)

    identity = Pattern("identity number", r"(?<!\d)\d{17}[\dXx](?!\d)", 0.1)
    return [
        Email(),
        presidio.PhoneRecognizer(supported_regions=COUNTRIES),
        ChineseIdentity(supported_entity="CN_IDENTITY_NUMBER", patterns=[identity]),
        *(getattr(presidio, f"{name}Recognizer")() for name in NAMES.split()),
    ]


def is_chinese_identity_number(text: str) -> bool:
    """Whether its last place is the check digit of the others (GB 11643-1999, ISO 7064 MOD 11-2)."""
    remainder = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(text[:17])) % 11
    return text[17].upper() == "10X98765432"[remainder]
