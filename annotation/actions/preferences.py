"""How somebody likes their screens."""

from typing import Any

from django.db import transaction

from annotation.models import Person


@transaction.atomic
def change_preferences(*, person: Person, changes: dict[str, Any]) -> dict[str, Any]:
    """Keep what was changed and forget what was set to None; what is not named stays.

    Returns all that is kept.
    """
    # Two windows that change different things at once must not undo each other.
    before = Person.objects.select_for_update().get(pk=person.pk).preferences
    kept = {name: value for name, value in {**before, **changes}.items() if value is not None}
    Person.objects.filter(pk=person.pk).update(preferences=kept)
    return kept
