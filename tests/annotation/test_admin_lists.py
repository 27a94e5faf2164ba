"""Lists at sizes where a table is long, with the limits made small."""

import pytest
from django.contrib.auth import get_user_model
from django.core.paginator import EmptyPage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotation.actions.candidates import add_candidate_set
from annotation.actions.prompts import add_prompt
from annotation.admin import lists
from annotation.admin.lists import BoundedPaginator, counted, digest_begins, told
from annotation.models import Campaign, Person, Prompt
from tests.annotation.test_submit_ranking import submit

PROMPTS = "/admin/annotation/prompt/"
RANKINGS = "/admin/annotation/ranking/"


@pytest.fixture
def admin(rhea):
    rhea.is_staff = rhea.is_superuser = True
    rhea.save()
    client = Client()
    client.force_login(rhea)
    return client


@pytest.fixture
def dishes(kitchen):
    """Seven prompts, oldest first."""
    names = ["Soup", "Tea", "Rice", "Cake", "Bread", "Stew", "Pie"]
    return [
        add_prompt(
            campaign=kitchen,
            messages=[{"role": "user", "content": f"{name}?"}],
            kind="question" if name == "Pie" else "wish",
            source=f"{name.lower()}-book",
        )[0]
        for name in names
    ]


@pytest.fixture
def short(monkeypatch):
    """Five rows are counted, two are a page, four are searched."""
    monkeypatch.setattr(lists, "COUNTED", 5)
    monkeypatch.setattr(lists, "SEARCHED", 4)
    monkeypatch.setattr(lists.LongList, "list_per_page", 2, raising=False)


def shown(answer):
    return [str(row) for row in answer.context["cl"].result_list]


class TestALongList:
    def test_is_counted_only_so_far(self, admin, dishes, short):
        page = admin.get(PROMPTS)

        assert page.context["cl"].result_count == 5
        assert "and more" in page.content.decode()

    def test_leads_to_every_row_once(self, admin, dishes, short):
        seen, address = [], PROMPTS
        while address:
            for number in range(1, admin.get(address).context["cl"].paginator.num_pages + 1):
                joined = f"{address}{'&' if '?' in address else '?'}p={number}"
                last = admin.get(joined)
                seen += shown(last)
            older = last.context["cl"].older
            address = f"{PROMPTS}{older}" if older else ""

        assert seen == [str(dish) for dish in reversed(dishes)]

    def test_goes_on_at_the_same_row_when_newer_ones_come_in_between(self, admin, dishes, kitchen, short):
        older = admin.get(f"{PROMPTS}?p=3").context["cl"].older
        add_prompt(campaign=kitchen, messages=[{"role": "user", "content": "Toast?"}])

        page = admin.get(f"{PROMPTS}{older}")

        assert shown(page) == ["Tea?", "Soup?"]
        assert page.context["cl"].newest

    def test_keeps_its_filter_on_the_way_to_older_rows(self, admin, dishes, short):
        older = admin.get(f"{PROMPTS}?kind=wish&p=3").context["cl"].older

        assert "kind=wish" in older
        assert shown(admin.get(f"{PROMPTS}{older}")) == ["Soup?"]

    def test_asks_the_database_no_more_often_when_it_is_longer(self, admin, dishes, short):
        def asked():
            with CaptureQueriesContext(
                connection,
            ) as queries:
                admin.get(PROMPTS)
            return len(queries)

        before = asked()
        for number in range(20):
            add_prompt(
                campaign=Campaign.objects.get(), messages=[{"role": "user", "content": f"Plate {number}?"}]
            )

        assert asked() == before

    def test_can_be_sorted_only_while_it_is_short(self, admin, dishes, monkeypatch):
        sortable = 'href="?o='

        assert sortable in admin.get(PROMPTS).content.decode()
        monkeypatch.setattr(lists, "COUNTED", 5)
        assert sortable not in admin.get(PROMPTS).content.decode()


class TestSearching:
    @pytest.mark.parametrize("way", ["{0.pk}", "#{0.pk}", "{0.digest}"])
    def test_finds_any_row_by_what_an_index_knows(self, admin, dishes, short, way):
        oldest = dishes[0]

        assert shown(admin.get(PROMPTS, {"q": way.format(oldest)})) == ["Soup?"]

    def test_finds_a_row_by_how_its_digest_begins(self, admin, dishes, short):
        assert shown(admin.get(PROMPTS, {"q": dishes[1].digest[:10].upper()})) == ["Tea?"]

    def test_looks_for_words_among_the_newest(self, admin, dishes, short):
        assert shown(admin.get(PROMPTS, {"q": "stew"})) == ["Stew?"]
        assert shown(admin.get(PROMPTS, {"q": "bread-book"})) == ["Bread?"]
        assert shown(admin.get(PROMPTS, {"q": "soup"})) == []

    def test_looks_everywhere_in_a_short_list(self, admin, dishes):
        assert shown(admin.get(PROMPTS, {"q": "soup"})) == ["Soup?"]

    @pytest.mark.parametrize("words", ["要汤", 'the "best"', "50 % 的"])
    def test_finds_words_that_json_writes_in_another_way(self, admin, kitchen, words):
        add_prompt(campaign=kitchen, messages=[{"role": "user", "content": f"I say {words} now"}])

        assert len(shown(admin.get(PROMPTS, {"q": words}))) == 1

    @pytest.mark.parametrize("term", ["9" * 30, "#", "%", "\\", "'", "deadbe", "²"])
    def test_survives_any_term(self, admin, claimed, ada, dishes, term):
        submit(claimed, ada)

        for page in ["prompt", "candidateset", "ranking", "demonstration"]:
            assert admin.get(f"/admin/annotation/{page}/", {"q": term}).status_code == 200

    def test_finds_sets_by_the_words_of_a_candidate(self, admin, soup_set):
        text = soup_set.completions.first().text

        answer = admin.get("/admin/annotation/candidateset/", {"q": text[:6]})

        assert shown(answer) == [str(soup_set)]


class TestFiltering:
    @pytest.mark.parametrize("most_listed", [1, 10_000])
    def test_by_campaign_is_the_same_for_small_and_large_ones(
        self, admin, claimed, ada, kitchen, monkeypatch, most_listed
    ):
        add_candidate_set(prompt=claimed.candidate_set.prompt, texts=["Warm.", "Cold."])
        ranking, _ = submit(claimed, ada)
        other = Campaign.objects.create(name="Garden")
        monkeypatch.setattr(lists, "COUNTED", most_listed)

        assert shown(admin.get(RANKINGS, {"campaign": kitchen.pk})) == [str(ranking)]
        assert shown(admin.get(RANKINGS, {"campaign": other.pk})) == []

    def test_by_account_takes_the_beginning_of_its_name(self, admin, claimed, ada):
        ranking, _ = submit(claimed, ada)

        assert shown(admin.get(RANKINGS, {"account": ada.username[:2].upper()})) == [str(ranking)]
        assert shown(admin.get(RANKINGS, {"account": "nobody"})) == []
        assert shown(admin.get(RANKINGS, {"q": ada.username})) == [str(ranking)]

    def test_offers_the_values_that_are_there(self, admin, dishes):
        page = admin.get(PROMPTS, {"kind": "question"})

        [kinds] = [
            spec for spec in page.context["cl"].filter_specs if getattr(spec, "parameter_name", "") == "kind"
        ]
        assert [value for value, _words in kinds.lookup_choices] == ["question", "wish"]
        assert shown(page) == ["Pie?"]

    def test_shows_how_much_of_a_set_is_done(self, admin, claimed, ada):
        submit(claimed, ada)

        page = admin.get("/admin/annotation/candidateset/").content.decode()

        assert f"1 / {claimed.candidate_set.assignments.count()}" in page


class TestCounting:
    def test_says_that_there_are_more(self, dishes, short):
        assert told(Prompt.objects.all()) == "5+"
        assert told(Prompt.objects.filter(kind="question")) == "1"


class TestTheBoundedPaginator(TestCase):
    @given(people=st.integers(0, 9), size=st.integers(1, 4), limit=st.integers(1, 9))
    def test_pages_the_newest_rows_up_to_its_limit(self, people, size, limit):
        made = [Person.objects.create(username=f"cook-{number}") for number in range(people)]
        rows = get_user_model().objects.order_by("-pk")
        counted_before, lists.COUNTED = lists.COUNTED, limit
        try:
            paginator = BoundedPaginator(rows, size)
            paged = [person for number in paginator.page_range for person in paginator.page(number)]

            assert paged == list(reversed(made))[:limit]
            assert paginator.is_more == (people > limit)
            assert counted(rows) == min(people, limit + 1)
            with pytest.raises(EmptyPage):
                paginator.page(paginator.num_pages + 1)
        finally:
            lists.COUNTED = counted_before


DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(digest=DIGESTS, other=DIGESTS, length=st.integers(6, 64))
def test_a_range_of_digests_holds_those_that_begin_so(digest, other, length):
    start = digest[:length]
    ends = dict(digest_begins(start.upper()).children)

    for one in (digest, other, start + other[length:]):
        assert (ends["digest__gte"] <= one <= ends["digest__lte"]) == one.startswith(start)
