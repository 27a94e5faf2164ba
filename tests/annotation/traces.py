"""Where in the whole database somebody can still be found."""

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db.models import ForeignKey, JSONField, ManyToManyField

from annotation.models import Person


def traces_of(pk: int, *names: str) -> set[str]:
    """Fields that point at the person, or whose text, JSON included, has one of the names."""
    return {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.all()
        for field in model._meta.get_fields()
        if field.concrete and not isinstance(field, ManyToManyField)
        if points_at(field, row, pk) or mentions(row, field, names)
    }


def points_at(field, row, pk) -> bool:
    if isinstance(field, ForeignKey) and issubclass(field.related_model, Person):
        return getattr(row, field.attname) == pk
    # The admin's log names rows by kind and number; a session holds its person signed.
    if field.name == "object_id":
        return row.content_type.model == "person" and row.object_id == str(pk)
    if isinstance(field, JSONField) and f"'labeler': {pk}," in str(getattr(row, field.attname)):
        return True
    return isinstance(row, Session) and row.get_decoded().get("_auth_user_id") == str(pk)


def mentions(row, field, names) -> bool:
    text = str(getattr(row, field.attname)).lower()
    return any(name.lower() in text for name in names)
