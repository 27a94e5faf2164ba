from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from annotation.models import Person


def is_researcher(request: HttpRequest) -> bool:
    return isinstance(request.user, Person) and request.user.is_researcher


class ForResearchers:
    """Researchers with access to the admin may look: the role decides, not Django's permission rows."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_researcher(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_researcher(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], list[str]]:
        """What ``RecordAdmin`` keeps is protected, and named by its kinds: of rows there may be thousands.
        Django would tell even superusers that they lack a permission."""
        listed, counts, kept, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        return listed, counts, set(), [capfirst(name) for name in sorted(kept)] or protected


class RecordAdmin(ForResearchers, ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A page that shows what people and machines did. History is neither written nor deleted here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
