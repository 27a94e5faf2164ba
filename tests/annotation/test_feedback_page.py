import pytest

from annotation.admin import feedback_data as page_module
from annotation.doorbell import AT_ONCE
from annotation.models import FeedbackUse, Ranking
from annotation.tasks import make_feedback_data
from tests.annotation.chatting import better, choice, guest, thumb
from tests.conftest import NOON
from trainer.actions.snapshots import freeze_snapshot

USUAL = {"percent": 100, "choice_weight": 0.5, "weak_weight": 0.1}


def address(campaign):
    return f"/admin/annotation/campaign/{campaign.pk}/feedback/"


@pytest.fixture
def chats(kitchen):
    gus, gwen = guest("gus", kitchen), guest("gwen", kitchen)
    thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
    thumb(gus, kitchen, "Tea?", "Boil water.", up=True)
    choice(gwen, kitchen, "Soup?", "Slowly.", "Fast.", "right")
    better(gwen, kitchen, "Stew?", "No.", "With patience.")
    thumb(guest("nora", kitchen, allows=False), kitchen, "Mine?", "Yes.", up=True)


@pytest.fixture
def post(admin, kitchen):
    def send(**fields):
        return admin.post(address(kitchen), {**USUAL, **fields}, follow=True).content.decode()

    return send


class TestFeedbackPage:
    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("en", ["The same person said it before", "Training is not allowed", "To be made: 3"]),
            ("zh-hans", ["同一人之前已这样说过", "不允许用于训练", "将生成：3"]),
        ],
    )
    def test_shows_what_would_come_of_it_and_changes_nothing(self, admin, kitchen, chats, language, words):
        shown = admin.get(address(kitchen), headers={"Accept-Language": language}).content.decode()

        assert [word for word in words if word not in shown] == []
        assert not FeedbackUse.objects.exists()

    def test_looks_with_other_settings(self, post, chats):
        assert "To be made: 3" in post(look="")
        assert not FeedbackUse.objects.exists()

    def test_makes_it_data(self, post, chats):
        assert "Made: 3." in post(make="", choice_weight=0.25)
        assert Ranking.objects.get().feedback_use.weight == 0.25
        assert "Made: 0." in post(make="", choice_weight=0.25)

    def test_leaves_much_of_it_to_a_worker(self, post, chats, kitchen, monkeypatch):
        asked = []
        monkeypatch.setattr(page_module, "MANY", 2)
        monkeypatch.setattr(page_module, "ask_for_feedback_data", lambda **told: asked.append(told))

        shown = post(make="")

        assert "a worker makes it now" in shown
        assert [told["campaign"] for told in asked] == [kitchen]
        assert not FeedbackUse.objects.exists()

    def test_says_when_no_worker_can_be_reached(self, post, chats, monkeypatch, settings):
        monkeypatch.setattr(page_module, "MANY", 2)
        monkeypatch.setitem(AT_ONCE, "max_retries", 0)
        monkeypatch.setattr("celery.current_app.connection_for_write", _away)

        assert "No worker can be reached now." in post(make="")

    @pytest.mark.parametrize("fields", [{"percent": 0}, {"choice_weight": 0}, {"weak_weight": "much"}])
    def test_refuses_settings_that_mean_nothing(self, post, chats, fields):
        post(make="", **fields)

        assert not FeedbackUse.objects.exists()

    def test_is_for_researchers(self, kitchen, client, ada):
        ada.is_staff = True
        ada.save()
        client.force_login(ada)

        assert client.post(address(kitchen), {**USUAL, "make": ""}).status_code == 403


def test_a_worker_makes_the_same(kitchen, chats):
    make_feedback_data(campaign_id=kitchen.pk, terms={"percent": 100})

    assert FeedbackUse.objects.count() == 3


class TestTrace:
    def test_leads_from_feedback_to_the_snapshots_it_is_in(self, admin, kitchen, chats):
        make_feedback_data(campaign_id=kitchen.pk, terms={"percent": 100})
        FeedbackUse.objects.update(made_at=NOON)
        for kind in ("feedback", "rankings"):
            freeze_snapshot(campaign=kitchen, kind=kind, created_by=None, now=NOON)

        for use in FeedbackUse.objects.all():
            shown = admin.get(f"/admin/annotation/feedbackuse/{use.pk}/change/").content.decode()
            expected = {"thumb": "feedback", "side_by_side": "rankings"}.get(use.source)
            found = [
                snapshot.kind
                for snapshot in kitchen.snapshots.all()
                if f"/admin/trainer/snapshot/{snapshot.pk}/" in shown
            ]
            assert found == ([expected] if expected else [])


def _away(**options):
    raise OSError("nobody there")
