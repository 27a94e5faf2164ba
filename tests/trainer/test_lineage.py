"""Both ways: from a checkpoint to what people gave, and from what somebody gave to all that it touched."""

import json

import pytest

from annotation.actions.consents import publish_consent_text
from annotation.models import Person
from tests.conftest import NOON
from tests.trainer.conftest import rank
from trainer.actions.lineage import all_rows_of, rows_of, runs_behind, touched_by
from trainer.actions.runs import queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.handoff import records
from trainer.models import Checkpoint, Run


def made_by(run, kind=None):
    """What the run made, as a worker would have kept it."""
    checkpoint = Checkpoint.objects.create(
        kind=kind or run.kind,
        name=f"by {run.pk}",
        location="/x",
        digest=f"{run.pk:064d}",
        produced_by=run,
        created_at=NOON,
    )
    Run.objects.filter(pk=run.pk).update(status="SUCCEEDED", finished_at=NOON, result=checkpoint)
    run.refresh_from_db()
    return checkpoint


@pytest.fixture
def models(loop):
    """What each stage of the whole loop made, by kind."""
    return {run.kind: made_by(run) for run in loop if run.kind != "sample"}


class TestBack:
    def test_goes_through_every_run_the_nearest_first(self, models, loop):
        sft, reward, ppo, _sample = loop

        assert runs_behind(models["ppo"]) == [ppo, sft, reward]

    def test_ends_at_a_base_model(self, base):
        assert runs_behind(base) == []

    def test_goes_round_once_where_models_meet_again(self, models, frozen, rhea):
        again = queue_run(
            kind="ppo",
            snapshot=frozen["prompts"],
            base=models["ppo"],
            reward=models["reward"],
            created_by=rhea,
            now=NOON,
        )

        behind = runs_behind(made_by(again))

        assert len(behind) == len(set(behind)) == 4


class TestOn:
    def test_a_ranking_touches_what_learned_from_it_and_what_builds_on_that(
        self, rankings, models, loop, frozen
    ):
        _sft, reward, ppo, sample = loop

        touched = touched_by(rankings[0])

        assert touched.snapshots == [frozen["rankings"]]
        assert touched.runs == [reward, ppo, sample]
        assert touched.checkpoints == [models["reward"], models["ppo"]]

    def test_a_demonstration_touches_all_that_comes_from_the_supervised_model(
        self, demonstrations, models, loop
    ):
        touched = touched_by(demonstrations[0])

        assert touched.runs == loop
        assert set(touched.checkpoints) == set(models.values())

    def test_what_was_said_later_touches_nothing(self, models, prompts, kitchen, ada):
        late = rank(kitchen, prompts[0], ada)

        touched = touched_by(late)

        assert (touched.snapshots, touched.runs, touched.checkpoints) == ([], [], [])

    def test_snapshots_that_are_elsewhere_are_counted(self, rankings, frozen):
        frozen["rankings"].file.unlink()

        touched = touched_by(rankings[0])

        assert (touched.snapshots, touched.not_looked_at) == ([], 1)

    def test_costs_no_query_more_for_many_runs(
        self, rankings, frozen, base, rhea, django_assert_max_num_queries
    ):
        for seed in range(30):
            run = queue_run(
                kind="reward",
                snapshot=frozen["rankings"],
                base=base,
                config={"seed": seed},
                created_by=rhea,
                now=NOON,
            )
            made_by(run)
        ranking = type(rankings[0]).objects.select_related("assignment").get(pk=rankings[0].pk)

        with django_assert_max_num_queries(7):
            touched = touched_by(ranking)

        assert len(touched.checkpoints) == 30


class TestTheRowsOfASnapshot:
    @pytest.fixture
    def in_groups(self, monkeypatch, kitchen, rankings, rhea):
        """Eight rankings in groups of three."""
        monkeypatch.setattr(records, "ROWS_IN_GROUP", 3)
        return freeze_snapshot(campaign=kitchen, kind="rankings", created_by=rhea, now=NOON)

    @pytest.mark.parametrize("count", [1, 2, 3, 5, 100])
    def test_are_the_same_however_they_are_paged(self, in_groups, count):
        whole = list(all_rows_of(in_groups))

        paged = [row for start in range(0, 8, count) for row in rows_of(in_groups, start, count)]

        assert paged == whole
        assert len(whole) == 8

    def test_hold_no_texts(self, in_groups):
        assert "How do I make" not in json.dumps(list(all_rows_of(in_groups)))

    def test_beyond_the_end_are_none(self, in_groups):
        assert rows_of(in_groups, 8, 10) == []


class TestThePages:
    @pytest.fixture
    def look(self, client, rhea):
        client.force_login(rhea)
        return lambda address: client.get(f"/admin/{address}")

    def test_of_a_checkpoint_shows_what_people_gave(self, look, models, frozen):
        page = look(f"trainer/checkpoint/{models['ppo'].pk}/change/").content.decode()

        for snapshot in frozen.values():
            assert f"/admin/trainer/snapshot/{snapshot.pk}/rows/" in page
        assert "Be kind." in page  # the guideline

    def test_of_a_checkpoint_gives_all_of_it_as_json(self, look, models, frozen, rankings, demonstrations):
        answer = look(f"trainer/checkpoint/{models['ppo'].pk}/lineage.json")

        told = json.loads(b"".join(answer.streaming_content))
        assert told["checkpoint"]["sha256"] == models["ppo"].digest
        assert [run["kind"] for run in told["runs"]] == ["ppo", "sft", "reward"]
        by_kind = {snapshot["manifest"]["kind"]: snapshot for snapshot in told["snapshots"]}
        given = {row["ranking_id"] for row in by_kind["rankings"]["rows"]}
        assert given == {ranking.pk for ranking in rankings}
        assert len(by_kind["demonstrations"]["rows"]) == len(demonstrations)
        assert by_kind["rankings"]["guidelines"] == [{"version": 1, "rows": 8, "text": "Be kind."}]

    def test_tells_the_consents_with_their_texts(self, look, kitchen, rankings, base, rhea):
        text = publish_consent_text(campaign=kitchen, text="I agree.", now=NOON)
        type(rankings[0]).objects.update(consent=text)
        snapshot = freeze_snapshot(campaign=kitchen, kind="rankings", created_by=rhea, now=NOON)
        run = queue_run(kind="reward", snapshot=snapshot, base=base, created_by=rhea, now=NOON)
        checkpoint = made_by(run)

        page = look(f"trainer/checkpoint/{checkpoint.pk}/change/").content.decode()
        answer = look(f"trainer/checkpoint/{checkpoint.pk}/lineage.json")

        assert "I agree." in page
        [told] = json.loads(b"".join(answer.streaming_content))["snapshots"]
        assert told["consents"] == [{"version": 1, "rows": 8, "text": "I agree."}]

    def test_of_a_snapshot_lists_its_rows_with_the_way_to_each(self, look, frozen, rankings):
        page = look(f"trainer/snapshot/{frozen['rankings'].pk}/rows/").content.decode()

        for ranking in rankings:
            assert f"/admin/annotation/ranking/{ranking.pk}/change/" in page
        assert "1 to 8 of 8" in page

    def test_of_a_snapshot_says_which_rows_were_erased(self, look, frozen, rankings):
        type(rankings[0]).objects.filter(pk=rankings[0].pk).delete()

        page = look(f"trainer/snapshot/{frozen['rankings'].pk}/rows/").content.decode()

        assert f"#{rankings[0].pk}, erased since" in page

    @pytest.mark.parametrize("page", ["0", "2", "x", "9" * 30, ""])
    def test_of_a_snapshot_opens_whatever_page_is_asked_for(self, look, frozen, page):
        assert look(f"trainer/snapshot/{frozen['rankings'].pk}/rows/?page={page}").status_code == 200

    def test_say_that_a_file_is_elsewhere(self, look, frozen, models):
        frozen["rankings"].file.unlink()

        assert (
            "not on this machine" in look(f"trainer/snapshot/{frozen['rankings'].pk}/rows/").content.decode()
        )
        answer = look(f"trainer/checkpoint/{models['reward'].pk}/lineage.json")
        snapshots = json.loads(b"".join(answer.streaming_content))["snapshots"]
        assert [one["file_is_here"] for one in snapshots] == [False, True]

    def test_of_a_ranking_shows_all_that_it_touched(self, look, rankings, models, loop, frozen):
        page = look(f"annotation/ranking/{rankings[0].pk}/change/").content.decode()

        assert f"/admin/trainer/snapshot/{frozen['rankings'].pk}/change/" in page
        for row in (models["reward"], models["ppo"]):
            assert f"/admin/trainer/checkpoint/{row.pk}/change/" in page
        assert f"/admin/trainer/run/{loop[3].pk}/change/" in page

    def test_are_for_researchers(self, client, ada, frozen, models, rankings):
        Person.objects.filter(pk=ada.pk).update(is_staff=True)
        client.force_login(Person.objects.get(pk=ada.pk))

        for address in (
            f"trainer/snapshot/{frozen['rankings'].pk}/rows/",
            f"trainer/checkpoint/{models['ppo'].pk}/lineage.json",
            f"annotation/ranking/{rankings[0].pk}/change/",
        ):
            assert client.get(f"/admin/{address}").status_code in (302, 403)
