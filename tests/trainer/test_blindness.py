"""Until a labeler has judged, the browser is told nothing of gold, and nothing of who wrote what."""

import random

import pytest
from django.test import Client
from django.utils import timezone

from annotation.actions.candidates import add_candidate_set
from annotation.actions.gold import mark_gold
from annotation.models import Assignment
from tests.trainer.test_samples import sampled  # noqa: F401

TELLING = {
    "gold",
    "purpose",
    "slot",
    "priority",
    "source",
    "model",
    "checkpoint",
    "run",
    "sampled",
    "tokens",
    "finished",
}
TELLING |= {"score", "author", "authors", "labeler", "digest", "note", "tiers", "created_at", "shown_order"}


@pytest.fixture
def handed_out(kitchen, ada):
    """What Ada's browser is sent for one assignment after the other, until nothing is left."""
    client = Client()
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")

    def post(path, body):
        answer = client.post(path, body, content_type="application/json")
        assert answer.status_code in (200, 201)
        return answer

    def work():
        answer = post(f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1, "holding": []})
        waiting = answer.json()["assignments"]
        while waiting:
            [assignment] = waiting
            yield assignment, answer
            number = assignment["id"][:8]
            body = {
                "idempotency_key": f"{number}-0000-4000-8000-000000000000",
                "tiers": [[candidate["id"]] for candidate in assignment["candidates"]],
                "seconds_spent": 3,
                "holding": [],
            }
            answer = post(f"/api/assignments/{assignment['id']}/ranking", body)
            waiting = answer.json()["next"]

    return lambda: list(work())


def shape(value):
    """Keys and kinds of values, at every depth."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def keys_in(value):
    if isinstance(value, dict):
        return set(value).union(*(keys_in(inner) for inner in value.values()))
    return set().union(*(keys_in(inner) for inner in value)) if isinstance(value, list) else set()


class TestBeforeTheSubmit:
    @pytest.fixture(autouse=True)
    def three_kinds(self, kitchen, prompts, sampled, base, monkeypatch):  # noqa: F811
        """One set from a model, two from people, one of which has a known answer."""
        # Gold comes by chance; here it comes.
        monkeypatch.setattr(random, "SystemRandom", lambda: random.Random(1))
        [self.models] = sampled([0.0, 1.0])
        self.peoples, self.golden = (
            add_candidate_set(prompt=prompt, texts=["Answer A.", "Answer B."]) for prompt in prompts[1:3]
        )
        ids = self.golden.completions.order_by("pk").values_list("pk", flat=True)
        mark_gold(
            candidate_set=self.golden,
            tiers=[[pk] for pk in ids],
            marked_by=None,
            now=timezone.now(),
            note="By the book.",
        )
        kitchen.gold_percent = 50
        kitchen.save()

    def test_gold_and_models_answers_look_like_everything_else(self, handed_out, base):
        shown = handed_out()

        assert {Assignment.objects.get(key=one["id"]).candidate_set for one, _ in shown} == {
            self.models,
            self.peoples,
            self.golden,
        }
        first, *others = [shape(assignment) for assignment, _ in shown]
        assert all(other == first for other in others)
        assert {frozenset(candidate) for one, _ in shown for candidate in one["candidates"]} == {
            frozenset({"id", "text"})
        }
        for assignment, answer in shown:
            assert not keys_in(assignment) & TELLING
            assert base.name not in answer.content.decode()
            assert "By the book" not in answer.content.decode()

    def test_headers_say_nothing_either(self, handed_out):
        claimed, *submitted = [answer for _, answer in handed_out()]

        assert {frozenset(answer.headers) for answer in submitted} <= {frozenset(claimed.headers)}

    def test_what_names_an_assignment_is_random(self, handed_out):
        rows = {one["id"]: Assignment.objects.get(key=one["id"]).pk for one, _ in handed_out()}

        assert all(key[14] == "4" and str(pk) != key for key, pk in rows.items())
