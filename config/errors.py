"""Every refusal becomes one JSON shape: ``{"code", "detail", "fields"?}``."""

import logging
from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from annotation.actions.suspension import is_of_suspended
from annotation.api.parsing import too_large
from annotation.errors import Refusal, Suspended

logger = logging.getLogger(__name__)

DatabaseTrouble = OperationalError | InterfaceError
"""It is away, or too busy."""

# DRF names what a field's text got wrong; these names are ours.
_FIELD_CODES = {
    "null_characters_not_allowed": "unusable_text",
    "surrogate_characters_not_allowed": "unusable_text",
    "max_length": "text_too_long",
}


def answer_refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, Refusal):
        return Response({"code": error.code, "detail": error.detail}, status=error.status)
    if isinstance(error, exceptions.NotAuthenticated) and is_of_suspended(context["request"].session):
        return answer_refusal(Suspended(), context)
    if isinstance(error, OperationalError | InterfaceError):
        return answer_busy(error)
    if isinstance(error, RequestDataTooBig):
        return answer_refusal(too_large(), context)
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = _body(error, response)
    return response


def answer_busy(error: DatabaseTrouble) -> Response:
    """No labeler learns of locks: their page sends the same once more, by itself."""
    logger.exception("The database could not do it now", exc_info=error)
    detail = _("The server is busy. Nothing is lost; try again in a moment.")
    return Response({"code": "busy", "detail": detail}, status=503)


def answer_lockout(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    minutes = int((get_cool_off(request) or settings.AXES_COOLOFF_TIME).total_seconds() // 60)
    detail = _("Too many wrong passwords. Try again in %(minutes)d minutes.") % {"minutes": minutes}
    return JsonResponse({"code": "locked_out", "detail": detail}, status=429)


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.path.startswith("/api/"):
        detail = _("The page is too old to send this. Reload it and try again.")
        return JsonResponse({"code": "csrf_failed", "detail": detail}, status=403)
    return csrf_failure(request, reason)


def _body(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return {
            "code": _field_code(error.get_codes()),
            "detail": _("Some of what was sent cannot be stored."),
            "fields": response.data,
        }
    if isinstance(error, exceptions.ParseError):
        return {"code": "malformed_json", "detail": str(error.detail)}
    if isinstance(error, exceptions.APIException):
        return {"code": str(error.get_codes()), "detail": str(error.detail)}
    return {"code": "not_found" if response.status_code == 404 else "refused", "detail": str(error)}


def _field_code(codes: Any) -> str:
    """The most telling of the nested codes."""
    for code in _leaves(codes):
        if code in _FIELD_CODES:
            return _FIELD_CODES[code]
    return "invalid"


def _leaves(codes: Any) -> list[str]:
    if isinstance(codes, dict):
        return [leaf for value in codes.values() for leaf in _leaves(value)]
    if isinstance(codes, list):
        return [leaf for value in codes for leaf in _leaves(value)]
    return [str(codes)]
