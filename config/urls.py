from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from config import shell
from config.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="app")),
    path("app/", shell.app, name="app"),
    path("app/sw.js", shell.worker),
    path("app/<path:path>", shell.app),
    path("admin/", admin.site.urls),
    path("api/", include("annotation.api.urls")),
    path("api/", include("trainer.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("i18n/", include("django.conf.urls.i18n")),
    # Asked for by browsers wherever a page names no icon of its own.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}app/icon.svg")),
    path("healthz", shell.healthz),
    path("readyz", shell.readyz),
    path("metrics", metrics),
]
