"""What the machines' pages share: who may see them, and the frames of a page and of a form."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from annotation.admin.base import RecordAdmin
from annotation.models import Person

Facts = list[tuple[Any, Any]]
"""Lines of a page: what it is, and its value."""


class ResearcherAdmin(RecordAdmin):
    """Pages for researchers with access to the admin: their role decides, not Django's permission rows."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Person) and request.user.is_researcher

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def check_researcher(self, request: HttpRequest) -> None:
        """:raises PermissionDenied: somebody else."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def person(self, request: HttpRequest) -> Person:
        assert isinstance(request.user, Person)  # the admin site lets nobody else in
        return request.user

    def page_of(self, row: Any) -> dict[str, Any]:
        """What the row's own page shows; its template is ``admin/trainer/<model>/change_form.html``."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.check_researcher(request)
        row = self.get_object(request, object_id)
        page = {"title": str(row), **self.page_of(row)} if row else {}
        answer: HttpResponse = super().change_view(
            request, object_id, form_url, {**page, **(extra_context or {})}
        )
        return answer

    def form_page(
        self,
        request: HttpRequest,
        form: Form,
        *,
        title: str,
        button: str,
        lead: str = "",
        template: str = "admin/trainer/form.html",
        **more: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "form": form,
            "title": title,
            "button": button,
            "lead": lead,
            **more,
        }
        return TemplateResponse(request, template, context)
