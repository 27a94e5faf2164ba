"""Runs side by side: only what differs is told."""

import pytest
from django.test import Client

from tests.conftest import NOON
from trainer.actions.runs import queue_run
from trainer.admin.run_comparison import MOST, chosen, comparison
from trainer.models import Run


@pytest.fixture
def make_run(frozen, base, rhea):
    def make(**config):
        return queue_run(
            kind="sft", snapshot=frozen["demonstrations"], base=base, config=config, created_by=rhea, now=NOON
        )

    return make


class TestComparing:
    def test_tells_settings_that_differ_and_which_are_no_defaults(self, make_run):
        runs = [make_run(), make_run(epochs=5)]

        (setting,) = comparison(runs)["settings"]

        assert setting["name"] == "epochs"
        assert [(cell["value"], cell["is_changed"]) for cell in setting["cells"]] == [(3, False), (5, True)]

    def test_of_a_run_with_itself_finds_nothing(self, make_run):
        run = make_run()

        found = comparison([run, run])

        assert (found["settings"], found["inputs"]) == ([], [])

    def test_puts_every_figure_that_any_of_them_ended_with(self, make_run):
        first, second = make_run(), make_run(epochs=5)
        first.summary, second.summary = {"loss": 1.5}, {"loss": 1.25, "tokens": 7}

        figures = comparison([first, second])["figures"]

        assert [[cell["value"] for cell in line["cells"]] for line in figures] == [[1.5, 1.25], ["–", 7]]

    def test_takes_what_an_address_names_and_nothing_else(self, make_run):
        first, second = make_run(), make_run(epochs=5)

        assert chosen([str(second.pk), "x", str(first.pk), str(first.pk), "9" * 30]) == [second, first]
        assert len(chosen([str(number) for number in range(99)])) <= MOST


class TestThePage:
    def test_is_reached_from_the_list_and_shows_both(self, make_run, rhea):
        rhea.is_superuser = True
        rhea.save()
        page = Client()
        page.force_login(rhea)
        runs = [make_run(), make_run(epochs=5)]

        answer = page.post(
            "/admin/trainer/run/",
            {"action": "compare_chosen", "_selected_action": [run.pk for run in runs]},
            follow=True,
        )

        shown = answer.content.decode()
        assert answer.request["PATH_INFO"] == "/admin/trainer/run/compare/"
        assert "epochs" in shown
        assert all(str(run) in shown for run in runs)

    def test_is_for_researchers(self, ada):
        ada.is_staff = True
        ada.save()
        page = Client()
        page.force_login(ada)

        assert page.get("/admin/trainer/run/compare/").status_code == 403
        assert Run.objects.count() == 0
