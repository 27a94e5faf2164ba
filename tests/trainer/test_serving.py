"""A campaign's promoted checkpoint, served by a real process and asked over HTTP."""

import pytest

from tests.conftest import NOON
from tests.tiny_model import make_tiny_model
from trainer.actions.serving import checkpoint_to_serve
from trainer.handoff.openai_client import Endpoint
from trainer.management.commands.serve_promoted import Serving
from trainer.models import Checkpoint, ModelServer, Promotion

HELLO = [{"role": "user", "content": "Hello, soup."}]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    return [
        make_tiny_model(root / name, ["Hello, soup.", "Rice and salt."], hidden=16, layers=1, seed=seed)
        for seed, name in enumerate(["first", "second"])
    ]


@pytest.fixture
def checkpoints(db, folders):
    return [
        Checkpoint.objects.create(
            kind="base", name=folder.name, location=str(folder), digest=str(number) * 64, created_at=NOON
        )
        for number, folder in enumerate(folders)
    ]


@pytest.fixture
def serving(kitchen, checkpoints, settings, folders):
    settings.BASE_MODELS = {"first": str(folders[0])}
    serving = Serving(kitchen, "127.0.0.1")
    yield serving
    serving.end()


def promote(campaign, checkpoint):
    Promotion.objects.standing().update(ended_at=NOON)
    return Promotion.objects.create(campaign=campaign, checkpoint=checkpoint, promoted_at=NOON)


class TestServing:
    def test_takes_the_promoted_checkpoint_and_the_base_model_before_there_is_one(
        self, kitchen, checkpoints, settings, folders
    ):
        settings.BASE_MODELS = {"first": str(folders[0])}
        base = checkpoint_to_serve(kitchen, now=NOON)
        promote(kitchen, checkpoints[1])

        assert base.location == str(folders[0])
        assert checkpoint_to_serve(kitchen, now=NOON) == checkpoints[1]

    def test_switches_without_a_gap_and_lets_the_old_one_finish(self, kitchen, serving, checkpoints):
        promote(kitchen, checkpoints[0])
        serving.look()
        before = ModelServer.objects.get()
        old = serving.process
        stream = Endpoint(before.url).stream(HELLO, max_tokens=300, temperature=2.0, seed=1)
        next(stream)

        promote(kitchen, checkpoints[1])
        serving.look()

        after = ModelServer.objects.get()
        assert (before.checkpoint, after.checkpoint) == (checkpoints[0], checkpoints[1])
        assert before.url != after.url
        assert Endpoint(after.url).models() == [f"base-{'1' * 12}"]
        assert list(stream)[-1].finished is not None
        old._process.wait(30)

    def test_starts_again_what_died_and_leaves_no_row_behind(self, kitchen, serving, checkpoints):
        promote(kitchen, checkpoints[0])
        serving.look()
        serving.process.end()

        serving.look()

        assert Endpoint(ModelServer.objects.get().url).chat(HELLO, max_tokens=1)
        serving.end()
        assert not ModelServer.objects.exists()

    def test_goes_on_with_what_it_has_where_the_new_one_cannot_be_loaded(
        self, kitchen, serving, checkpoints, tmp_path
    ):
        promote(kitchen, checkpoints[0])
        serving.look()
        Checkpoint.objects.filter(pk=checkpoints[1].pk).update(location=str(tmp_path / "gone"))
        promote(kitchen, Checkpoint.objects.get(pk=checkpoints[1].pk))

        serving.look()

        assert ModelServer.objects.get().checkpoint == checkpoints[0]
        assert Endpoint(ModelServer.objects.get().url).chat(HELLO, max_tokens=1)
