"""The page that carries the labeler app, and the signs of life."""

from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from kombu import Connection


@never_cache
@ensure_csrf_cookie
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """What Vite built, whatever the path below /app/: the app reads it itself."""
    try:
        get_template("index.html")
    except TemplateDoesNotExist:
        words = _("The screens are not built yet. Run: make setup")
        return HttpResponse(words, status=503, content_type="text/plain; charset=utf-8")
    return render(request, "index.html", {"language": _language(), "theme": _theme(request)})


@never_cache
def worker(request: HttpRequest) -> FileResponse:
    """Its address says for which pages it works: those below /app/."""
    built = finders.find("app/sw.js")
    if not built:
        raise Http404
    return FileResponse(Path(built).open("rb"), content_type="text/javascript")


def _language() -> str:
    """As the app spells it."""
    return "zh-Hans" if (get_language() or "").startswith("zh") else "en"


def _theme(request: HttpRequest) -> str:
    """Chosen by whoever is signed in, else the browser's."""
    preferences: dict[str, Any] = getattr(request.user, "preferences", {})
    chosen = preferences.get("theme")
    return chosen if chosen in {"light", "dark"} else "system"


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """What the product needs, each ``ok`` or what is missing."""
    parts = {"database": _database(), "broker": broker_state()}
    parts["workers"] = _workers() if parts["broker"] == "ok" else "unknown without the broker"
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(parts, status=200 if ready else 503)


def _database() -> str:
    try:
        connection.ensure_connection()
    except Exception as error:  # whatever the driver raises, the answer is "not ready"
        return type(error).__name__
    return "ok"


def broker_state() -> str:
    """``ok``, or what is wrong; within a second or two."""
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except Exception as error:  # whatever the transport raises, the answer is "not ready"
        return type(error).__name__
    return "ok"


def _workers() -> str:
    try:
        # The first answer will do. A worker that is busy with a run says nothing meanwhile; another one does.
        answers = current_app.control.ping(timeout=1, limit=1)
    except Exception as error:  # whatever the transport raises, the answer is "not ready"
        return type(error).__name__
    return "ok" if answers else "none answers"
