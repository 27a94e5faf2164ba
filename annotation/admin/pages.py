"""The frame of a page where something is decided: what will happen, a form, and the buttons."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from annotation.admin.base import is_researcher
from annotation.models import Person


def researcher(request: HttpRequest) -> Person:
    """Who is asking.

    :raises PermissionDenied: no researcher.
    """
    if not is_researcher(request):
        raise PermissionDenied
    assert isinstance(request.user, Person)
    return request.user


def decision_page(
    request: HttpRequest,
    of: "ModelAdmin[Any]",
    form: Form,
    *,
    title: str,
    buttons: Sequence[tuple[str, str]],
    back: str,
    **more: Any,
) -> HttpResponse:
    """``buttons`` are names and words; the last one is the main one."""
    context = {
        **of.admin_site.each_context(request),
        "opts": of.model._meta,
        "title": title,
        "form": form,
        "buttons": buttons,
        "back": back,
        **more,
    }
    return TemplateResponse(request, "admin/annotation/decide.html", context)
