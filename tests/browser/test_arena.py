"""Two checkpoints meet: a researcher starts an arena, two labelers choose, the better one is promoted."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Campaign, Person, Ranking
from tests.browser.test_rank_extras import opened, submit_with
from trainer.actions.arenas import keep_answers, look_at_arenas
from trainer.handoff.rundir import RunDirectory
from trainer.models import Arena, Checkpoint, Promotion, SampledCompletion


@pytest.fixture
def rhea(transactional_db):
    return Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )


@pytest.fixture
def cooks(kitchen):
    # With a scale of strength, which must not matter.
    Campaign.objects.update(held_out_percent=90, asks_strength=True)
    now = timezone.now()
    return [
        Checkpoint.objects.create(kind="base", name=name, location="/x", digest=name[0] * 64, created_at=now)
        for name in ("kind cook", "rude cook")
    ]


def answer(arena):
    """In the workers' place: the kind cook answers kindly, and the other one does not."""
    now = timezone.now()
    for entry in arena.entries.select_related("run", "checkpoint"):
        entry.run.claim("worker", now=now, lease=timedelta(hours=1))
        entry.run.folder.mkdir(parents=True)
        for prompt in arena.campaign.prompts.all():
            RunDirectory(entry.run.folder).append_sample(
                prompt_id=prompt.pk,
                completion=f"**Certainly.** Says the {entry.checkpoint.name}",
                finished=True,
                tokens=5,
            )
        keep_answers(entry.run, entry.checkpoint)
        entry.run.succeed(now=now, summary={})
    look_at_arenas(now=now)


def choose_the_kind_one(visitor, labeler, campaign, kind):
    """By the scale's keys: 1 is "A much better", 7 is "B much better"."""
    shown = opened(visitor, labeler, campaign, 2)
    written_by = dict(SampledCompletion.objects.values_list("completion", "checkpoint"))
    visitor.press("1" if written_by[shown[0]] == kind.pk else "7")
    return submit_with(visitor, lambda: visitor.press("Enter"))


class TestAnArena:
    def test_is_decided_by_two_labelers_and_leads_to_a_promotion(self, visit, rhea, ada, kitchen, cooks):
        desk = visit()
        desk.enter(rhea, "/admin/trainer/arena/start/")
        desk.page.get_by_label("Name").fill("Cooks")
        desk.page.get_by_label("Votes per pair").fill("2")
        for cook in cooks:
            desk.page.get_by_label(cook.name).check()
        assert desk.barriers("#content") == []
        desk.page.get_by_role("button", name="Start", exact=True).click()
        expect(desk.page.get_by_text("The checkpoints answer").first).to_be_visible()
        arena = Arena.objects.get()
        answer(arena)

        ben = Person.objects.create_user("ben", password="correct horse")
        for labeler in (ada, ben):
            ranking = choose_the_kind_one(visit(), labeler, kitchen, cooks[0])
            assert (ranking.assignment.purpose, ranking.labeler) == ("arena", labeler)

        Arena.objects.update(error_rate=0.95)
        look_at_arenas(now=timezone.now())
        desk.go(f"/admin/trainer/arena/{arena.pk}/change/")
        expect(desk.page.get_by_text("kind cook is better.")).to_be_visible()
        assert desk.barriers("#content-main") == []
        arena.refresh_from_db()
        assert (arena.status, arena.winner) == (Arena.Status.DECIDED, cooks[0])
        assert Ranking.objects.filter(assignment__purpose="arena").count() == 2

        desk.go(f"/admin/trainer/checkpoint/{cooks[0].pk}/promote/?campaign={kitchen.pk}")
        desk.page.get_by_role("button", name="Promote", exact=True).click()
        expect(desk.page.get_by_text("kind cook answers the chats of Kitchen")).to_be_visible()
        promotion = Promotion.objects.standing().get()
        assert (promotion.checkpoint, promotion.promoted_by) == (cooks[0], rhea)
