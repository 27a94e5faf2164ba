"""What became of chat feedback in snapshots, exports and tombstones."""

import json
from datetime import timedelta

import pytest

from annotation.actions.erasure import erase_person
from annotation.actions.feedback_data import Terms, make_feedback_data
from annotation.models import ChatMessage, FeedbackUse
from tests.annotation.chatting import MINUTE, allow, better, choice, guest, thumb
from tests.conftest import NOON
from trainer.actions.erasures import erased_rows
from trainer.actions.filters import Filters
from trainer.actions.snapshot_diffs import diff_snapshots
from trainer.actions.snapshots import freeze_snapshot
from trainer.errors import FilterDoesNotFit, NothingToFreeze
from trainer.exports.folder import export_snapshot
from trainer.handoff.records import RECORDS, read_records
from trainer.models import Checkpoint, ServedMessage
from trainer.pseudonyms import pseudonym

LATER = NOON + timedelta(days=1)


def freeze(campaign, kind="feedback", now=LATER, **filters):
    return freeze_snapshot(campaign=campaign, kind=kind, filters=Filters(**filters), created_by=None, now=now)


def rows(snapshot):
    return read_records(snapshot.file, RECORDS[snapshot.kind])


def make(campaign, **terms):
    return make_feedback_data(campaign=campaign, terms=Terms(percent=100, **terms), now=LATER)


@pytest.fixture
def gus(kitchen):
    return guest("gus", kitchen)


@pytest.fixture
def gwen(kitchen):
    return guest("gwen", kitchen)


@pytest.fixture
def chats(kitchen, gus, gwen):
    thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
    thumb(gwen, kitchen, "Rice?", "No.", up=False)
    choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", "right")
    better(gwen, kitchen, "Stew?", "No.", "With patience.")
    make(kitchen)


class TestFeedbackSnapshot:
    def test_holds_what_was_said_of_single_answers(self, kitchen, chats, gus):
        good, bad = rows(freeze(kitchen))

        assert (good.messages, good.completion, good.label) == (
            [{"role": "user", "content": "Tea?"}],
            "Boil water.",
            True,
        )
        assert (bad.completion, bad.label, bad.weight, bad.source) == ("No.", False, 1.0, "thumb")
        assert good.labeler == pseudonym(kitchen, gus.pk)

    def test_the_same_feedback_gives_the_same_bytes(self, kitchen, chats):
        first = freeze(kitchen)
        content = first.file.read_bytes()

        make(kitchen)

        again = freeze(kitchen, now=LATER + MINUTE)
        assert again == first
        assert again.file.read_bytes() == content

    def test_tells_how_much_of_what_is_in_it(self, kitchen, chats):
        manifest = freeze(kitchen).manifest

        assert (manifest["sources"], manifest["labels"]) == ({"thumb": 2}, {"bad": 1, "good": 1})
        assert (manifest["labelers"], manifest["prompts"]) == (2, 2)

    def test_takes_no_row_of_anybody_who_withdrew_meanwhile(self, kitchen, chats, gus, gwen):
        before = freeze(kitchen)
        allow(gus, kitchen, False)

        after = freeze(kitchen, now=LATER + MINUTE)

        assert {row.labeler for row in rows(after)} == {pseudonym(kitchen, gwen.pk)}
        assert after.manifest["tombstones"] == {"removed": [rows(before)[0].feedback_id]}
        assert erased_rows(before) == {"removed": 1}
        assert diff_snapshots(old=before, new=after).tombstoned == 1

    def test_takes_no_row_of_anybody_who_was_erased(self, kitchen, chats, gus, gwen):
        for person in (gus, gwen):
            erase_person(person=person, mode="anonymised", by=None, now=LATER)

        for kind in ("feedback", "rankings", "demonstrations"):
            with pytest.raises(NothingToFreeze):
                freeze(kitchen, kind)

    def test_names_the_checkpoint_that_wrote_the_answer(self, kitchen, chats):
        checkpoint = Checkpoint.objects.create(
            kind="base", name="tiny", location="/t", digest="t" * 64, created_at=NOON
        )
        for message in ChatMessage.objects.filter(role="assistant"):
            ServedMessage.objects.create(message=message, checkpoint=checkpoint)

        told = rows(freeze(kitchen))[0].written_by, rows(freeze(kitchen, "rankings"))[0].written_by

        assert told == ("tiny-base-tttttttt", ["tiny-base-tttttttt"] * 2)

    def test_refuses_filters_that_are_about_work(self, kitchen, chats):
        with pytest.raises(FilterDoesNotFit):
            freeze(kitchen, guideline_from=1)

    def test_narrows_by_time_and_person(self, kitchen, chats, gus):
        assert [row.completion for row in rows(freeze(kitchen, without_labelers=(gus.pk,)))] == ["No."]
        with pytest.raises(NothingToFreeze):
            freeze(kitchen, submitted_from=LATER)

    def test_is_written_for_kto(self, kitchen, chats, gwen, tmp_path):
        question = ChatMessage.objects.get(role="user", text="Stew?")
        ChatMessage.objects.create(
            chat=question.chat, parent=question, role="assistant", origin="again", text="Slowly.",
            created_at=NOON + MINUTE, finished_at=NOON + MINUTE,
        )  # fmt: skip
        make(kitchen, weak=True)
        kitchen.held_out_percent = 0
        kitchen.save()

        export_snapshot(freeze(kitchen), "trl-unpaired", tmp_path)

        assert FeedbackUse.objects.filter(source="regenerated").exists()
        assert [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()] == [
            {
                "prompt": [{"role": "user", "content": question}],
                "completion": [{"role": "assistant", "content": answer}],
                "label": label,
            }
            for question, answer, label in [("Tea?", "Boil water.", True), ("Rice?", "No.", False)]
        ]


class TestRankingsOfChats:
    def test_are_in_the_snapshot_with_their_purpose_and_weight(self, kitchen, chats, rankings):
        told = {row.purpose: row.weight for row in rows(freeze(kitchen, "rankings"))}

        assert told == {"overlap": 1.0, "chat": 0.5}

    def test_leave_the_snapshots_of_labelers_as_they_were(self, kitchen, rankings, gus):
        before = freeze(kitchen, "rankings")
        choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", "right")

        make(kitchen)

        assert freeze(kitchen, "rankings", judges="labelers").digest == before.digest
        assert freeze(kitchen, "rankings").digest != before.digest

    def test_can_be_taken_alone(self, kitchen, chats, rankings):
        assert [row.purpose for row in rows(freeze(kitchen, "rankings", judges="chats"))] == ["chat"]

    def test_are_weighed_by_their_terms_where_labelers_are_by_reliability(self, kitchen, chats, rankings):
        snapshot = freeze_snapshot(
            campaign=kitchen, kind="rankings", weights="reliability", created_by=None, now=LATER
        )

        assert [row.weight for row in rows(snapshot) if row.purpose == "chat"] == [0.5]


class TestDemonstrationsOfChats:
    def test_are_learned_once_a_reviewer_accepted_them(self, kitchen, chats, gwen):
        with pytest.raises(NothingToFreeze):
            freeze(kitchen, "demonstrations")

        gwen.demonstrations.update(status="ACCEPTED")

        assert [row.turns[0]["content"] for row in rows(freeze(kitchen, "demonstrations"))] == [
            "With patience."
        ]


class TestPromptsOfChats:
    def test_are_sampled_only_where_they_are_worth_ranking(self, kitchen, chats):
        assert [row.messages[0]["content"] for row in rows(freeze(kitchen, "prompts"))] == ["Rice?"]
