"""Chats through HTTP, as the page has them; a parrot is the model."""

import json
import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotation.actions.chats import (
    A_MINUTE,
    ABANDONED_AFTER,
    begin_answers,
    begin_chat,
    conversation_before,
    end_abandoned_answers,
    end_answer,
    keep_words,
    send_message,
    stop_answer,
)
from annotation.actions.own_data import own_contributions
from annotation.errors import ChatLimit
from annotation.models import BetterAnswer, Chat, ChatConsent, ChatMessage, Person, SideBySide, Thumb
from tests.annotation.test_api import post
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def parrot(settings):
    settings.CHAT_ANSWERER = "tests.annotation.parrot.Parrot"
    cache.clear()


@pytest.fixture
def kitchen(kitchen):
    kitchen.offers_chat, kitchen.chat_allows_guests, kitchen.chat_compares_percent = True, True, 0
    kitchen.save()
    return kitchen


@pytest.fixture
def page(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def chat(page, kitchen):
    return post(page, f"/api/chat/campaigns/{kitchen.pk}/chats", {}).json()


def put(client, url, body):
    return client.put(url, json.dumps(body), content_type="application/json")


def send(page, chat, text, **more):
    body = {"idempotency_key": str(uuid4()), "text": text, **more}
    return post(page, f"/api/chats/{chat['id']}/messages", body)


def events(page, answer):
    said = page.get(f"/api/chat/answers/{answer['id']}/stream")
    lines = b"".join(said.streaming_content).decode().splitlines() if said.streaming else []
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def exchange(page, chat, text, **more):
    """Send, and read the answer to its end; the message and the answer."""
    message, answer = send(page, chat, text, **more).json()["messages"]
    events(page, answer)
    return message, answer


class TestAChat:
    def test_streams_an_answer_and_keeps_it(self, page, chat):
        message, answer = send(page, chat, "Hello **soup**").json()["messages"]

        said = events(page, answer)

        assert said[0] == {"waiting": 1}
        assert "".join(piece.get("text", "") for piece in said).strip() == "Hello **soup**"
        assert said[-1] == {"status": "FINISHED"}
        whole = page.get(f"/api/chats/{chat['id']}").json()
        assert [(one["role"], one["text"], one["follows"]) for one in whole["messages"]] == [
            ("user", "Hello **soup**", None),
            ("assistant", "Hello **soup**", message["id"]),
        ]
        assert whole["title"] == "Hello **soup**"

    def test_reads_the_conversation_up_to_where_one_is(self, page, chat):
        _first, answer = exchange(page, chat, "One")
        second, reply = exchange(page, chat, "Two", follows=answer["id"])
        exchange(page, chat, "Instead of two", edits=second["id"])

        last = ChatMessage.objects.get(pk=reply["id"])
        assert [turn["content"] for turn in conversation_before(last)] == ["One", "One", "Two"]
        edited = ChatMessage.objects.get(text="Instead of two", role="user")
        assert (edited.origin, edited.parent_id) == ("edited", answer["id"])

    def test_is_answered_again_in_the_same_place(self, page, chat):
        message, answer = exchange(page, chat, "One")

        (again,) = post(page, f"/api/chat/answers/{answer['id']}/again", {}).json()["messages"]

        assert (again["follows"], again["origin"]) == (message["id"], "again")

    def test_stores_a_message_that_is_sent_twice_once(self, page, chat):
        key = str(uuid4())

        first, second = (send(page, chat, "One", idempotency_key=key).json() for _ in range(2))

        assert first == second
        assert ChatMessage.objects.count() == 2

    def test_keeps_what_there_is_when_the_user_stops_it(self, ada, kitchen):
        chat = begin_chat(campaign=kitchen, person=ada, now=NOON)
        message = send_message(chat=chat, text="Hi", follows=None, edits=None, key=uuid4(), now=NOON)
        (answer,) = begin_answers(message=message, now=NOON, rng=random.Random(0))

        assert keep_words(answer, "Half an")
        stop_answer(answer, now=NOON)

        assert not keep_words(answer, "Half an answer")
        assert not end_answer(answer, "Half an answer", "FINISHED", now=NOON)
        answer.refresh_from_db()
        assert (answer.status, answer.text) == ("STOPPED", "Half an answer")

    def test_is_written_for_one_window_and_kept_when_that_goes(self, page, chat):
        answer = send(page, chat, "one two three").json()["messages"][1]
        url = f"/api/chat/answers/{answer['id']}/stream"
        first = page.get(url)
        stream = iter(first.streaming_content)
        next(stream), next(stream)

        second = page.get(url)

        assert (second.status_code, second.json()["code"]) == (409, "answer_taken")
        # What the test client wraps around the body, to close it as a server does.
        first._iterator.close()
        kept = ChatMessage.objects.get(pk=answer["id"])
        assert (kept.status, kept.text.strip()) == ("STOPPED", "one")

    def test_says_that_nobody_is_there_to_answer(self, page, chat):
        answer = send(page, chat, "away").json()["messages"][1]

        assert events(page, answer)[-1] == {"code": "model_away", "detail": "Nobody is there."}
        assert ChatMessage.objects.get(pk=answer["id"]).status == "FAILED"

    def test_ends_an_answer_whose_writer_died(self, page, chat):
        answer = send(page, chat, "Hi").json()["messages"][1]
        ChatMessage.objects.filter(pk=answer["id"]).update(begun_at=timezone.now(), text="Ha")

        assert end_abandoned_answers(now=timezone.now()) == 0
        assert end_abandoned_answers(now=timezone.now() + ABANDONED_AFTER + timedelta(seconds=1)) == 1

        assert ChatMessage.objects.get(pk=answer["id"]).text == "Ha"

    @pytest.mark.parametrize("text", ["", " \n", "x" * 8_001, "a\x00b"])
    def test_refuses_what_is_no_message(self, page, chat, text):
        assert send(page, chat, text).status_code == 400
        assert not ChatMessage.objects.exists()

    def test_refuses_a_message_behind_a_message(self, page, chat):
        message, _answer = exchange(page, chat, "One")

        assert send(page, chat, "Two", follows=message["id"]).status_code == 400

    def test_is_seen_by_nobody_else(self, page, chat, ben):
        message, answer = exchange(page, chat, "One")
        other = Client()
        other.force_login(ben)

        assert other.get(f"/api/chats/{chat['id']}").status_code == 404
        assert send(other, chat, "Two").status_code == 404
        assert other.get(f"/api/chat/answers/{answer['id']}/stream").status_code == 404
        assert put(other, f"/api/chat/answers/{answer['id']}/thumb", {"is_up": True}).status_code == 404

    def test_has_a_pace(self, ada, kitchen):
        chat = begin_chat(campaign=kitchen, person=ada, now=NOON)

        def say():
            send_message(chat=chat, text="Hi", follows=None, edits=None, key=uuid4(), now=NOON)

        for _ in range(A_MINUTE):
            say()
        with pytest.raises(ChatLimit):
            say()

    def test_can_be_renamed_and_deleted(self, page, chat):
        exchange(page, chat, "One")

        renamed = page.patch(
            f"/api/chats/{chat['id']}", json.dumps({"title": "Soup"}), content_type="application/json"
        )

        assert renamed.json()["title"] == "Soup"
        assert page.delete(f"/api/chats/{chat['id']}").status_code == 204
        assert not Chat.objects.exists()

    def test_is_offered_where_the_campaign_says_so(self, page, kitchen):
        kitchen.offers_chat = False
        kitchen.save()

        refused = post(page, f"/api/chat/campaigns/{kitchen.pk}/chats", {})

        assert (refused.status_code, refused.json()["code"]) == (403, "no_chat")
        assert page.get("/api/chat/campaigns").json() == []


class TestFeedback:
    def test_is_a_thumb_with_reasons_that_can_be_taken_back(self, page, chat):
        _message, answer = exchange(page, chat, "One")
        url = f"/api/chat/answers/{answer['id']}/thumb"

        put(page, url, {"is_up": True})
        said = put(page, url, {"is_up": False, "reasons": ["untrue", "too_long"], "note": "No."})

        assert said.json() == {"is_up": False, "reasons": ["too_long", "untrue"], "note": "No."}
        assert Thumb.objects.get().is_up is False
        assert put(page, url, {"is_up": False, "reasons": ["ugly"]}).status_code == 400
        assert page.delete(url).status_code == 204
        assert not Thumb.objects.exists()

    def test_is_a_better_answer(self, page, chat):
        _message, answer = exchange(page, chat, "One")
        url = f"/api/chat/answers/{answer['id']}/better"

        assert put(page, url, {"text": "One"}).status_code == 400
        assert put(page, url, {"text": "Two is better."}).status_code == 200
        assert page.get(f"/api/chats/{chat['id']}").json()["messages"][1]["better_answer"] == "Two is better."
        put(page, url, {"text": ""})
        assert not BetterAnswer.objects.exists()

    def test_is_a_choice_between_two_answers_on_random_sides(self, page, chat, kitchen):
        kitchen.chat_compares_percent = 100
        kitchen.save()
        lefts = set()
        for number in range(16):
            said = send(page, chat, f"{number}").json()
            first, second = said["messages"][1:]
            pair = said["side_by_side"]
            assert {pair["left"], pair["right"]} == {first["id"], second["id"]}
            lefts.add(pair["left"] == first["id"])

        decided = put(page, f"/api/chat/pairs/{pair['id']}", {"verdict": "tie"})

        assert lefts == {True, False}
        assert decided.json()["verdict"] == "tie"
        assert SideBySide.objects.get(pk=pair["id"]).answered_at

    def test_belongs_to_an_answer_that_is_written(self, page, chat):
        message, answer = send(page, chat, "One").json()["messages"]

        assert put(page, f"/api/chat/answers/{answer['id']}/thumb", {"is_up": True}).status_code == 400
        assert put(page, f"/api/chat/answers/{message['id']}/thumb", {"is_up": True}).status_code == 404


class TestTraining:
    def test_is_off_until_the_user_turns_it_on(self, page, kitchen):
        assert page.get("/api/chat/campaigns").json()[0]["allows_training"] is None
        assert not ChatConsent.objects.exists()

        put(page, f"/api/chat/campaigns/{kitchen.pk}/training", {"allows_training": True})
        put(page, f"/api/chat/campaigns/{kitchen.pk}/training", {"allows_training": False})

        assert page.get("/api/chat/campaigns").json()[0]["allows_training"] is False
        assert ChatConsent.objects.get().allows_training is False

    def test_data_is_among_what_is_recorded_of_a_person(self, page, chat, ada):
        _message, answer = exchange(page, chat, "One")
        put(page, f"/api/chat/answers/{answer['id']}/thumb", {"is_up": True, "note": "Nice."})

        told = json.loads("".join(own_contributions(ada)))

        assert [message["text"] for message in told["chat_messages"]] == ["One", "One"]
        assert told["chat_thumbs"][0]["note"] == "Nice."


class TestGuests:
    @pytest.fixture
    def guest(self, kitchen):
        client = Client()
        assert post(client, "/api/chat/guests", {"campaign": kitchen.pk}).status_code == 201
        return client

    def test_chat_without_an_account(self, guest, kitchen):
        chat = post(guest, f"/api/chat/campaigns/{kitchen.pk}/chats", {}).json()
        _message, answer = exchange(guest, chat, "One")

        assert guest.get("/api/me").json()["role"] == "guest"
        assert put(guest, f"/api/chat/answers/{answer['id']}/thumb", {"is_up": True}).status_code == 200
        assert not Person.objects.get(role="guest").has_usable_password()

    def test_do_nothing_else(self, guest, kitchen, soup_set):
        refused = [
            guest.get("/api/campaigns"),
            guest.get("/api/me/history"),
            guest.get("/api/reviews"),
            guest.get("/api/runs"),
            guest.get(f"/api/campaigns/{kitchen.pk}/guideline"),
            post(guest, f"/api/campaigns/{kitchen.pk}/assignments", {"count": 1}),
            post(guest, f"/api/campaigns/{kitchen.pk}/demonstrations", {}),
        ]

        assert {answer.status_code for answer in refused} <= {403, 405}
        assert guest.get("/admin/").status_code == 302
        assert guest.get("/api/me/data").status_code == 200

    def test_are_let_in_where_the_campaign_says_so(self, kitchen):
        kitchen.chat_allows_guests = False
        kitchen.save()

        assert post(Client(), "/api/chat/guests", {"campaign": kitchen.pk}).json()["code"] == "no_chat"
        assert Client().get("/api/chat/campaigns").json() == []
        assert not Person.objects.filter(role="guest").exists()

    def test_of_one_address_are_not_too_many(self, kitchen):
        answers = [post(Client(), "/api/chat/guests", {"campaign": kitchen.pk}) for _ in range(21)]

        assert [answer.status_code for answer in answers] == [201] * 20 + [429]
