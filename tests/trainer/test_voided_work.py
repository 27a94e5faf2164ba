"""What was voided is in no snapshot that is frozen later, until it is restored."""

from datetime import timedelta

from annotation.actions.voids import lift_void, settle_voids, void_work
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot

A_DAY = timedelta(days=1)


def frozen(campaign, kind):
    return freeze_snapshot(campaign=campaign, kind=kind, created_by=None, now=NOON)


def rank_by_others(rankings, ben):
    """Ben has done three of them, so that something is left."""
    for ranking in rankings[:3]:
        ranking.labeler = ranking.assignment.labeler = ben
        ranking.assignment.save()
        ranking.save()


def test_leaves_snapshots_and_comes_back_to_the_same_bytes(
    kitchen, rankings, demonstrations, ada, rhea, django_user_model
):
    ben = django_user_model.objects.create_user("ben")
    rank_by_others(rankings, ben)
    demonstrations[0].labeler = ben
    demonstrations[0].save()
    before = [frozen(kitchen, kind) for kind in ("rankings", "demonstrations")]

    void = void_work(
        person=ben,
        since=NOON - A_DAY,
        until=NOON + A_DAY,
        reason="Clicked through.",
        reopens=False,
        by=rhea,
        now=NOON,
    )
    without = [frozen(kitchen, kind) for kind in ("rankings", "demonstrations")]
    lift_void(void=void, by=rhea, now=NOON)
    settle_voids(now=NOON)
    after = [frozen(kitchen, kind) for kind in ("rankings", "demonstrations")]

    assert [one.rows - other.rows for one, other in zip(before, without, strict=True)] == [3, 1]
    assert [snapshot.digest for snapshot in after] == [snapshot.digest for snapshot in before]
