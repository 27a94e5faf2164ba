from annotation.models import Person


def person_without_password(username: str, **details: object) -> Person:
    """An account that nobody can sign in to: the author of what a file or a program brought."""
    person, is_new = Person.objects.get_or_create(username=username, defaults=details)
    if is_new:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person
