import random
from datetime import timedelta
from uuid import uuid4

import pytest

from annotation.actions.candidates import add_candidate_set
from annotation.actions.chat_feedback import give_thumb, take_thumb_back, write_better_answer
from annotation.actions.chats import begin_answers, begin_chat, consent_to_training, end_answer, send_message
from annotation.actions.erasure import erase_person
from annotation.actions.feedback_data import Terms, make_feedback_data, plan_feedback_data
from annotation.actions.feedback_taken_back import take_back_of
from annotation.actions.history import own_rankings_in_full
from annotation.actions.retention import end_retention
from annotation.feedback_choice import LeftOut
from annotation.models import (
    Assignment,
    CandidateSet,
    Chat,
    Completion,
    Demonstration,
    FeedbackUse,
    Prompt,
    Ranking,
    Thumb,
    Tombstone,
)
from tests.annotation.chatting import MINUTE, allow, answer, ask, better, choice, guest, say, thumb
from tests.annotation.test_submit_ranking import submit
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)
ALL = Terms(percent=100)


def make(campaign, terms=ALL, now=LATER):
    return make_feedback_data(campaign=campaign, terms=terms, now=now)


def everything():
    """All rows that feedback may have become, but for when they were made."""
    return [
        sorted(map(str, model.objects.order_by("pk").values_list(*columns)))
        for model, columns in [
            (FeedbackUse, ["source", "message", "answer", "is_good", "weight", "prompt", "ranking"]),
            (Ranking, ["pk", "tiers", "unacceptable", "idempotency_key"]),
            (Demonstration, ["pk", "turns", "status"]),
            (Prompt, ["pk", "status", "messages"]),
            (CandidateSet, ["pk"]),
            (Completion, ["pk", "text"]),
            (Tombstone, ["kind", "row", "mode"]),
        ]
    ]


@pytest.fixture
def gus(kitchen):
    return guest("gus", kitchen)


@pytest.fixture
def gwen(kitchen):
    return guest("gwen", kitchen)


@pytest.fixture
def chats(kitchen, gus, gwen):
    """One of each kind."""
    thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
    thumb(gwen, kitchen, "Rice?", "No.", up=False)
    choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", "right")
    better(gwen, kitchen, "Stew?", "No.", "With patience.")


class TestThumbs:
    def test_become_good_and_bad_answers(self, kitchen, chats):
        make(kitchen)

        rows = FeedbackUse.objects.filter(source="thumb").order_by("pk")
        assert list(rows.values_list("answer", "is_good", "weight")) == [
            ("Boil water.", True, 1.0),
            ("No.", False, 1.0),
        ]

    def test_that_point_down_make_the_prompt_worth_ranking_and_others_stay_unseen(self, kitchen, chats):
        make(kitchen)

        told = {str(prompt): (prompt.status, prompt.source) for prompt in kitchen.prompts.all()}
        assert told["Rice?"] == ("READY", "chat")
        assert {status for status, _source in told.values()} == {"READY", "CHAT"}
        assert [name for name, (status, _) in told.items() if status == "READY"] == ["Rice?"]

    def test_keep_what_was_said_before(self, kitchen, gus):
        first = ask(gus, kitchen, "Soup?")
        second = say(first.chat, "And salt?", role="user", to=answer(first, "Boil it."))
        Thumb.objects.create(message=answer(second, "A little."), is_up=True, given_at=NOON)

        make(kitchen)

        assert [turn["content"] for turn in kitchen.prompts.get().messages] == [
            "Soup?",
            "Boil it.",
            "And salt?",
        ]

    def test_that_were_turned_round_are_made_again(self, kitchen, chats):
        make(kitchen)
        Thumb.objects.filter(is_up=True).update(is_up=False, given_at=LATER)

        done = make(kitchen)

        assert (done.made, done.taken_back) == ({"thumb": 1}, 1)
        assert not FeedbackUse.objects.filter(is_good=True).exists()
        assert Tombstone.objects.filter(kind="feedback").count() == 1


class TestChoices:
    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            ("left", ([["Slowly."], ["Fast."]], [])),
            ("right", ([["Fast."], ["Slowly."]], [])),
            ("tie", ([["Slowly.", "Fast."]], [])),
            ("both_bad", ([], ["Slowly.", "Fast."])),
        ],
    )
    def test_become_rankings_of_two(self, kitchen, gus, verdict, said):
        choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", verdict)

        make(kitchen)

        ranking, text = Ranking.objects.get(), dict(Completion.objects.values_list("pk", "text"))
        tiers = [[text[pk] for pk in tier] for tier in ranking.tiers]
        assert (tiers, [text[pk] for pk in ranking.unacceptable]) == said
        assert (ranking.labeler, ranking.assignment.purpose) == (gus, "chat")
        assert (ranking.seconds_spent, ranking.submitted_at) == (60, NOON)

    def test_weigh_what_the_terms_say_and_change_with_them(self, kitchen, chats):
        make(kitchen, Terms(percent=100, choice_weight=0.25))
        assert FeedbackUse.objects.get(source="side_by_side").weight == 0.25

        make(kitchen, Terms(percent=100, choice_weight=0.75))

        assert FeedbackUse.objects.get(source="side_by_side").weight == 0.75

    def test_ask_no_labeler_and_are_in_nobodys_history(self, kitchen, chats, gus, ada, claim):
        make(kitchen)

        assert not Assignment.objects.open().exists()
        assert claim(kitchen, ada) is None
        assert not own_rankings_in_full(gus).exists()
        assert not Ranking.objects.counted().exists()

    def test_that_were_not_made_give_nothing(self, kitchen, gus):
        choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", "skipped")

        make(kitchen)

        assert not FeedbackUse.objects.exists()

    def test_that_contradict_each_other_make_the_prompt_worth_ranking(self, kitchen, gus, gwen):
        choice(gus, kitchen, "Soup?", "Slowly.", "Fast.", "right")
        choice(gwen, kitchen, "Soup?", "Fast.", "Slowly.", "right")

        make(kitchen)

        assert kitchen.prompts.get().status == "READY"


class TestBetterAnswers:
    def test_become_demonstrations_that_wait_for_a_reviewer(self, kitchen, chats, gwen, rosa):
        make(kitchen)

        written = Demonstration.objects.get()
        assert (written.status, written.labeler, written.turns) == (
            "SUBMITTED",
            gwen,
            [{"role": "assistant", "content": "With patience."}],
        )
        assert list(Demonstration.objects.reviewable_by(rosa, LATER)) == [written]
        assert not Demonstration.objects.usable().exists()

    def test_are_learned_once_a_reviewer_accepted_them(self, kitchen, chats):
        make(kitchen)

        Demonstration.objects.update(status="ACCEPTED")

        assert Demonstration.objects.usable().count() == 1


class TestWeakSignals:
    @pytest.fixture
    def signals(self, kitchen, gus):
        first = ask(gus, kitchen, "Soup?")
        answer(first, "No.")
        answer(first, "Yes.", origin="again", at=NOON + MINUTE)
        say(first.chat, "Nice soup?", role="user", origin="edited", at=NOON + 2 * MINUTE)

    def test_are_left_out_unless_chosen(self, kitchen, signals):
        make(kitchen)

        assert not FeedbackUse.objects.exists()

    def test_speak_a_little_against_the_answers(self, kitchen, signals):
        make(kitchen, Terms(percent=100, weak=True, weak_weight=0.05))

        rows = FeedbackUse.objects.order_by("source").values_list("source", "answer", "is_good", "weight")
        assert list(rows) == [("edited", "Yes.", False, 0.05), ("regenerated", "No.", False, 0.05)]
        assert kitchen.prompts.get().status == "CHAT"

    def test_give_way_to_what_was_said_in_so_many_words(self, kitchen, gus):
        first = ask(gus, kitchen, "Soup?")
        Thumb.objects.create(message=answer(first, "No."), is_up=True, given_at=LATER)
        answer(first, "Yes.", origin="again", at=NOON + MINUTE)

        make(kitchen, Terms(percent=100, weak=True), now=LATER + MINUTE)

        assert FeedbackUse.objects.get().is_good is True


class TestDoingItTwice:
    def test_adds_nothing(self, kitchen, chats):
        make(kitchen)
        before = everything()

        done = make(kitchen)

        assert (done.made, done.taken_back, done.prompts) == ({}, 0, 0)
        assert everything() == before

    def test_adds_what_is_new(self, kitchen, chats, gus):
        make(kitchen)
        thumb(gus, kitchen, "Pie?", "With apples.", up=True)

        assert make(kitchen).made == {"thumb": 1}

    def test_goes_on_where_it_was_stopped(self, kitchen, chats):
        plan = plan_feedback_data(campaign=kitchen, terms=ALL, now=LATER)
        make(kitchen)
        whole = len(plan.to_make)
        take_back_of(FeedbackUse.objects.first().person, now=LATER)

        make(kitchen)

        assert FeedbackUse.objects.count() == whole


class TestConsent:
    def test_nobody_is_used_who_did_not_allow_it(self, kitchen, chats, gus):
        no, silent = guest("nora", kitchen, allows=False), guest("silas", kitchen)
        silent.chat_consents.all().delete()
        thumb(no, kitchen, "Mine?", "Yes.", up=True)
        thumb(silent, kitchen, "Mine too?", "Yes.", up=False)

        make(kitchen)

        assert {use.person.username for use in FeedbackUse.objects.all()} == {"gus", "gwen"}
        assert not kitchen.prompts.filter(author__in=[no, silent]).exists()
        plan = plan_feedback_data(campaign=kitchen, terms=ALL, now=LATER)
        assert plan.without_consent == (2, 2)

    def test_of_another_campaign_counts_there_only(self, kitchen, fair, gus):
        thumb(gus, fair, "Tea?", "Boil water.", up=True)

        make(fair)

        assert not FeedbackUse.objects.exists()

    def test_withdrawn_takes_back_what_was_made(self, kitchen, chats, gus, gwen):
        make(kitchen)
        allow(gus, kitchen, False)
        allow(gwen, kitchen, False)

        make(kitchen)

        assert not FeedbackUse.objects.exists()
        assert not kitchen.prompts.exists()
        assert not Completion.objects.exists()
        assert sorted(Tombstone.objects.values_list("kind", flat=True)) == [
            "demonstration",
            "feedback",
            "feedback",
            "ranking",
        ]

    def test_given_again_makes_it_again(self, kitchen, chats, gus):
        make(kitchen)
        allow(gus, kitchen, False)
        make(kitchen)
        allow(gus, kitchen, True)

        assert make(kitchen).made == {"thumb": 1, "side_by_side": 1}

    def test_a_deleted_chat_takes_its_data_with_it(self, kitchen, chats, gus):
        make(kitchen)

        Chat.objects.filter(person=gus).delete()
        make(kitchen)

        assert not FeedbackUse.objects.filter(person=gus).exists()
        assert not Ranking.objects.exists()


class TestTheChat:
    """The rows that people's own clicks leave."""

    @pytest.fixture
    def answered(self, kitchen, gus):
        kitchen.offers_chat = True
        kitchen.save()
        consent_to_training(campaign=kitchen, person=gus, allows=True, now=NOON)
        chat = begin_chat(campaign=kitchen, person=gus, now=NOON)
        message = send_message(chat=chat, text="Tea?", follows=None, edits=None, key=uuid4(), now=NOON)
        kitchen.chat_compares_percent = 0
        [reply] = begin_answers(message=message, now=NOON, rng=random.Random(0))
        end_answer(reply, "Boil water.", "FINISHED", now=NOON)
        reply.refresh_from_db()
        return reply

    def test_gives_what_becomes_data(self, kitchen, answered):
        give_thumb(answer=answered, is_up=True, reasons=["helpful"], note="", now=NOON)
        write_better_answer(answer=answered, text="Boil it well.", now=NOON)

        assert make(kitchen).made == {"thumb": 1, "better_answer": 1}

    def test_another_word_replaces_the_first(self, kitchen, answered):
        give_thumb(answer=answered, is_up=True, reasons=[], note="", now=NOON)
        make(kitchen)
        give_thumb(answer=answered, is_up=False, reasons=["untrue"], note="", now=LATER)
        make(kitchen)
        assert FeedbackUse.objects.get().is_good is False

        take_thumb_back(answer=answered)

        assert make(kitchen).taken_back == 1
        assert not FeedbackUse.objects.exists()

    def test_who_turns_training_off_takes_it_back_at_once(self, kitchen, gus, answered):
        give_thumb(answer=answered, is_up=True, reasons=[], note="", now=NOON)
        make(kitchen)

        consent_to_training(campaign=kitchen, person=gus, allows=False, now=LATER)

        assert not FeedbackUse.objects.exists()
        assert not kitchen.prompts.exists()

    def test_leaves_out_what_the_model_never_read(self, kitchen, gus):
        first = ask(gus, kitchen, "Soup?")
        second = say(first.chat, "Tea?", role="user", to=answer(first, "", status="FAILED"))
        Thumb.objects.create(message=answer(second, "Boil water."), is_up=True, given_at=NOON)

        make(kitchen)

        assert [turn["content"] for turn in kitchen.prompts.get().messages] == ["Tea?"]


class TestErasure:
    @pytest.mark.parametrize("mode", ["removed", "anonymised"])
    def test_leaves_nothing_of_a_persons_chats(self, kitchen, chats, gus, mode):
        make(kitchen)

        erase_person(person=gus, mode=mode, by=None, now=LATER)

        assert not FeedbackUse.objects.filter(person=gus).exists()
        assert not Ranking.objects.exists()
        assert not kitchen.prompts.filter(messages__icontains="Soup").exists()
        assert set(Tombstone.objects.values_list("kind", "mode")) == {
            ("feedback", "removed"),
            ("ranking", "removed"),
        }

    def test_keeps_the_work_of_labelers_without_the_conversation(self, kitchen, chats, gwen, ada, claim):
        make(kitchen)
        add_candidate_set(prompt=kitchen.prompts.get(status="READY"), texts=["Rice is nice.", "No rice."])
        ranking, _ = submit(claim(kitchen, ada), ada)

        erase_person(person=gwen, mode="removed", by=None, now=LATER)

        prompt = Ranking.objects.get(pk=ranking.pk).assignment.candidate_set.prompt
        assert (prompt.status, prompt.messages, prompt.author) == (
            "REJECTED",
            [{"role": "user", "content": "…"}],
            None,
        )
        assert not Completion.objects.filter(text__icontains="rice").exists()
        assert Tombstone.objects.filter(kind="ranking", row=ranking.pk, mode="removed").exists()

    def test_leaves_what_another_person_asked_in_the_same_words(self, kitchen, gus, gwen):
        thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
        thumb(gwen, kitchen, "Tea?", "Boil water.", up=True)
        make(kitchen)

        erase_person(person=gus, mode="removed", by=None, now=LATER)

        assert FeedbackUse.objects.get().person == gwen
        assert kitchen.prompts.get().author == gwen


class TestRetention:
    def test_ends_for_chats_too(self, kitchen, chats):
        make(kitchen)
        kitchen.retention_days = 30
        kitchen.save()

        end_retention(now=NOON + timedelta(days=31))

        assert not FeedbackUse.objects.exists()
        assert make(kitchen, now=NOON + timedelta(days=31)).made == {}


class TestWhatIsLeftOut:
    def left_out(self, campaign, terms=ALL):
        plan = plan_feedback_data(campaign=campaign, terms=terms, now=LATER)
        return {reason: len(some) for reason, some in plan.choice.left_out.items() if some}

    def test_the_same_said_twice(self, kitchen, gus):
        thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
        thumb(gus, kitchen, "Tea?", "Boil water.", up=True)

        assert self.left_out(kitchen) == {LeftOut.DUPLICATE: 1}

    def test_personal_data(self, kitchen, gus):
        pytest.importorskip("presidio_analyzer")
        thumb(gus, kitchen, "Write to gus@example.com?", "Yes.", up=True)
        better(gus, kitchen, "Stew?", "No.", "Ask gus@example.com.")

        assert self.left_out(kitchen) == {LeftOut.PERSONAL_DATA: 2}

    def test_answers_that_were_cut_off_or_say_the_same(self, kitchen, gus):
        stopped = answer(ask(gus, kitchen, "Soup?"), "Boi", status="STOPPED")
        Thumb.objects.create(message=stopped, is_up=False, given_at=NOON)
        choice(gus, kitchen, "Tea?", "Yes.", "Yes.", "left")

        assert self.left_out(kitchen) == {LeftOut.UNUSABLE: 2}

    def test_who_says_too_much(self, kitchen, gus, gwen):
        for number in range(5):
            thumb(gus, kitchen, f"Tea {number}?", "Yes.", up=True, at=NOON + number * MINUTE)
        thumb(gwen, kitchen, "Rice?", "Yes.", up=False)

        assert self.left_out(kitchen, Terms(percent=10)) == {LeftOut.SHARE: 4}

    def test_who_does_not_mean_it(self, kitchen, gus):
        for second in range(20):
            at = NOON + timedelta(seconds=second)
            thumb(gus, kitchen, f"Tea {second}?", "Yes.", up=second % 2 == 0, at=at)

        assert self.left_out(kitchen) == {LeftOut.BURST: 20}
