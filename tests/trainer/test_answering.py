"""A chat's answer from a model that is really served."""

import threading

import pytest
import torch
from django.utils import timezone
from transformers import AutoModelForCausalLM, AutoTokenizer

from annotation.actions.chats import begin_answers, begin_chat, conversation_before, send_message
from annotation.errors import ChatTooLong, ModelAway
from annotation.models import Person
from tests.tiny_model import make_tiny_model
from trainer.answering import PromotedModel
from trainer.models import Checkpoint, ModelServer, ServedMessage
from trainer.rlhf.serving.engine import Engine
from trainer.rlhf.serving.web import ModelServer as Server


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"), ["Hello, soup."], hidden=16, layers=1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    engine = Engine(model, AutoTokenizer.from_pretrained(folder), rows=2)
    engine.start()
    server = Server(("127.0.0.1", 0), engine, name="tiny", context=200)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    engine.close()


@pytest.fixture
def checkpoint(db):
    return Checkpoint.objects.create(kind="base", name="tiny", digest="t" * 64, created_at=timezone.now())


@pytest.fixture
def kitchen(kitchen):
    kitchen.offers_chat, kitchen.chat_compares_percent = True, 0
    kitchen.save()
    return kitchen


def asked(kitchen, text):
    import random
    from uuid import uuid4

    person = Person.objects.create_user("gina")
    now = timezone.now()
    chat = begin_chat(campaign=kitchen, person=person, now=now)
    message = send_message(chat=chat, text=text, follows=None, edits=None, key=uuid4(), now=now)
    return begin_answers(message=message, now=now, rng=random.Random(0))[0]


def said(answer):
    return list(PromotedModel().stream(answer, conversation_before(answer), seed=1))


class TestThePromotedModel:
    def test_answers_and_is_noted_where_no_labeler_looks(self, kitchen, checkpoint, served):
        ModelServer.objects.create(
            campaign=kitchen, checkpoint=checkpoint, url=served, last_seen_at=timezone.now()
        )
        answer = asked(kitchen, "Hello")

        pieces = said(answer)

        assert pieces[-1].is_over
        assert ServedMessage.objects.get(message=answer).checkpoint == checkpoint

    def test_is_away_where_nobody_serves_it(self, kitchen, checkpoint, served):
        with pytest.raises(ModelAway):
            said(asked(kitchen, "Hello"))

    def test_is_away_once_its_server_fell_silent(self, kitchen, checkpoint, served):
        long_ago = timezone.now() - 2 * ModelServer.SILENT_AFTER
        ModelServer.objects.create(campaign=kitchen, checkpoint=checkpoint, url=served, last_seen_at=long_ago)

        with pytest.raises(ModelAway):
            said(asked(kitchen, "Hello"))

    def test_can_be_any_server_of_the_same_protocol(self, kitchen, settings, served):
        settings.CHAT_URL = served

        assert said(asked(kitchen, "Hello"))[-1].is_over
        assert not ServedMessage.objects.exists()

    def test_says_when_a_chat_is_too_long_for_it(self, kitchen, settings, served):
        settings.CHAT_URL = served

        with pytest.raises(ChatTooLong):
            said(asked(kitchen, "soup " * 400))
