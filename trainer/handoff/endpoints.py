"""Model servers that the operator has named: ``RANKWRIGHT_ENDPOINTS="gpus=http://gpu1:8000/v1 …"``.

A key stands in ``RANKWRIGHT_ENDPOINT_KEY_GPUS``. Only names travel: through pages, rows and run directories.
So nobody but the operator decides where people's words are sent, and no key is ever stored.
"""

import os
import re
from collections.abc import Mapping

from trainer.handoff.failures import Failure
from trainer.handoff.openai_client import Endpoint

PREFIX = "endpoint:"
"""How a model begins that is asked for over HTTP: ``endpoint:NAME`` or ``endpoint:NAME/MODEL``."""
ADDRESSES, KEY = "RANKWRIGHT_ENDPOINTS", "RANKWRIGHT_ENDPOINT_KEY_"


class UnknownEndpoint(ValueError):
    failure = Failure.SETTINGS


def is_endpoint(model: str) -> bool:
    return model.startswith(PREFIX)


def named_endpoints(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Addresses by name."""
    told = (os.environ if environment is None else environment).get(ADDRESSES, "")
    pairs = [word.partition("=") for word in re.split(r"[\s,]+", told) if "=" in word]
    return {name: address for name, _equals, address in pairs}


def find_endpoint(model: str, environment: Mapping[str, str] | None = None) -> Endpoint:
    """:raises UnknownEndpoint: the operator has named none like this."""
    environment = os.environ if environment is None else environment
    name, _slash, served = model.removeprefix(PREFIX).partition("/")
    known = named_endpoints(environment)
    if name not in known:
        raise UnknownEndpoint(
            f"There is no model server {name}. {ADDRESSES} names: {', '.join(sorted(known)) or 'none'}."
        )
    key = environment.get(KEY + re.sub(r"\W", "_", name).upper(), "")
    return Endpoint(known[name], served, key, timeout=300)
