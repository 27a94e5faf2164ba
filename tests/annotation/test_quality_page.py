import pytest

from annotation.actions.quality_reports import make_report
from annotation.admin import quality as page_module
from annotation.models import Campaign, QualityReport
from annotation.tasks import make_quality_report
from tests.conftest import NOON


def address(campaign):
    return f"/admin/annotation/campaign/{campaign.pk}/quality/"


@pytest.fixture
def admin(rhea, client):
    rhea.is_staff = True
    rhea.save()
    client.force_login(rhea)
    return client


@pytest.fixture
def page(admin):
    def get(campaign, query="", language="en"):
        answer = admin.get(address(campaign) + query, headers={"Accept-Language": language})
        assert answer.status_code == 200
        return answer.content.decode()

    return get


class TestQualityPage:
    def test_says_that_nothing_was_measured(self, page, kitchen):
        assert "Nothing was measured yet." in page(kitchen)

    @pytest.mark.parametrize(("language", "word"), [("en", "Raw agreement"), ("zh-hans", "原始一致率")])
    def test_shows_the_latest_report(self, page, fair, language, word):
        make_report(campaign=fair, now=NOON)

        shown = page(fair, language=language)

        assert word in shown
        assert "labeler-3" in shown and "poem" in shown

    def test_says_why_there_is_no_figure(self, page, kitchen):
        make_report(campaign=kitchen, now=NOON)

        assert "no two labelers judged the same" in page(kitchen)

    def test_shows_some_labelers_at_a_time(self, page, fair, monkeypatch):
        monkeypatch.setattr(page_module, "LABELERS_A_PAGE", 5)
        make_report(campaign=fair, now=NOON)

        shown = [
            {name for name in names(fair) if f">{name}<" in tight(page(fair, f"?page={n}"))}
            for n in (1, 2, 3)
        ]

        assert [len(one) for one in shown] == [5, 5, 2]
        assert set().union(*shown) == names(fair)

    def test_reads_no_rankings(self, page, fair, django_assert_max_num_queries):
        make_report(campaign=fair, now=NOON)

        with django_assert_max_num_queries(10) as asked:
            page(fair)

        assert not any("annotation_ranking" in query["sql"] for query in asked.captured_queries)

    def test_opens_from_the_campaign(self, admin, kitchen):
        answer = admin.get(f"/admin/annotation/campaign/{kitchen.pk}/change/")

        assert address(kitchen)[:-1] in answer.content.decode()

    def test_is_for_researchers_only(self, client, ada, kitchen):
        ada.is_staff = True
        ada.save()
        client.force_login(ada)

        assert client.get(address(kitchen)).status_code == 403


class TestMeasuringNow:
    def test_is_left_to_a_worker(self, admin, kitchen, monkeypatch):
        asked = []
        monkeypatch.setattr(page_module, "ask_for_report", lambda campaign: asked.append(campaign))

        answer = admin.post(address(kitchen), follow=True)

        assert asked == [kitchen]
        assert "A worker measures it now" in answer.content.decode()
        assert not QualityReport.objects.exists()

    def test_says_when_no_worker_can_be_reached(self, admin, kitchen, settings):
        answer = admin.post(address(kitchen), follow=True)

        assert "No worker can be reached now" in answer.content.decode()

    def test_stores_a_report(self, fair):
        make_quality_report(campaign_id=fair.pk)

        assert QualityReport.objects.get().campaign == Campaign.objects.get(pk=fair.pk)


def names(campaign):
    return {f"labeler-{number}" for number in range(12)}


def tight(page):
    return page.replace(" ", "").replace("\n", "")
