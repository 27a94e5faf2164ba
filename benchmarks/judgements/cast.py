"""The people of a measurement, and their sessions: made in the database, since signing in is not measured."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from annotation.models import Person
from benchmarks.judgements.words import LANGUAGES, SKILLS


def make_people(*, busy: int, others: int) -> None:
    """Labelers, and one researcher. Some of them work in one language only, some have a skill."""
    people = [_labeler(f"busy-{number:04d}", number) for number in range(busy)]
    people += [_labeler(f"labeler-{number:04d}", number) for number in range(others)]
    people.append(Person(username="rosa", role="researcher", is_staff=True, is_superuser=True, password="!"))
    Person.objects.bulk_create(people)


def _labeler(name: str, number: int) -> Person:
    languages = [] if number % 3 == 0 else [LANGUAGES[number % len(LANGUAGES)]]
    skills = [SKILLS[-1 - number % 2]] if number % 2 == 0 else []
    return Person(
        username=name,
        first_name=name.title(),
        languages=languages,
        skills=skills,
        is_simulated=True,
        password="!",
    )


def add_allrounders(*, count: int) -> dict[str, str]:
    """New labelers who may be handed anything, and their sessions by name."""
    skills = sorted({skill for skill in SKILLS if skill})
    names = [f"allrounder-{number:04d}" for number in range(count)]
    Person.objects.bulk_create(
        Person(username=name, skills=skills, is_simulated=True, password="!") for name in names
    )
    return sessions(names=names)


def sessions(*, names: list[str]) -> dict[str, str]:
    """Session keys by name, as if each had signed in."""
    return {person.username: _session(person) for person in Person.objects.filter(username__in=names)}


def some_labelers(*, busy: int, others: int) -> dict[str, str]:
    """Sessions of so many of the seeded labelers with long histories, and of so many others."""
    names = []
    for prefix, count in (("busy-", busy), ("labeler-", others)):
        found = Person.objects.filter(username__startswith=prefix).order_by("username")
        names += found.values_list("username", flat=True)[:count]
    return sessions(names=names)


def _session(person: Person) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.create()
    return str(store.session_key)
