from datetime import datetime

from annotation.models import Person


def person_without_password(username: str, **details: object) -> Person:
    """An account that nobody can sign in to: the author of what a file or a program brought."""
    person, is_new = Person.objects.get_or_create(username=username, defaults=details)
    if is_new:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person


def nobody(number: int, *, now: datetime) -> Person:
    """One of the accounts that hold what is no longer tied to a person. No form accepts such a name."""
    return person_without_password(f"nobody:{number}", is_active=False, erased_at=now)
