"""A run's page in the admin, while its run goes on."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Person
from trainer.actions.checkpoints import register_base_model
from trainer.actions.runs import queue_run
from trainer.actions.snapshots import freeze_snapshot
from trainer.handoff.rundir import RunDirectory
from trainer.models import Run, RunMetric

# The page looks every two seconds.
SOON = 10_000


@pytest.fixture
def rhea(transactional_db):
    return Person.objects.create_user(
        "rhea", password="correct horse", role=Person.Role.RESEARCHER, is_staff=True
    )


@pytest.fixture
def run(kitchen, rhea, tmp_path):
    """Samples answers, held by a worker that does nothing."""
    model = tmp_path / "tiny"
    model.mkdir()
    (model / "config.json").write_text("{}")
    now = timezone.now()
    run = queue_run(
        kind="sample",
        snapshot=freeze_snapshot(campaign=kitchen, kind="prompts", created_by=rhea, now=now),
        base=register_base_model(str(model), now=now),
        config={"temperature": 0.5},
        created_by=rhea,
        now=now,
    )
    run.claim("worker", now=now, lease=timedelta(hours=1))
    run.folder.mkdir(parents=True)
    return run


def log(run, step, **values):
    RunMetric.objects.create(
        run=run, attempt=run.attempt, line=step, values={"step": step, "steps": 4, **values}
    )
    run.extend(now=timezone.now(), lease=timedelta(hours=1), step=step, steps=4)


@pytest.fixture
def page(visit, rhea, run):
    visitor = visit()
    visitor.enter(rhea, f"/admin/trainer/run/{run.pk}/change/")
    # Gone after a reload: shows that there was none.
    visitor.page.evaluate("window.untouched = true")
    yield visitor.page
    assert visitor.page.evaluate("window.untouched") is True


class TestAPageThatStaysOpen:
    def test_shows_new_numbers_and_curves(self, page, run):
        charts = page.locator("#run-charts figure")
        expect(charts).to_have_count(0)

        log(run, 1, mean_length=30.5, finished_share=0.75)
        expect(page.locator("[data-run=step]")).to_have_text("1 / 4", timeout=SOON)
        expect(charts).to_have_count(2, timeout=SOON)
        log(run, 2, mean_length=31.25, finished_share=0.5)

        expect(charts.first.locator("figcaption")).to_contain_text("31.25", timeout=SOON)
        expect(charts.first.locator("figcaption")).to_contain_text("Mean tokens of a completion.")
        expect(page.get_by_role("progressbar", name="Progress")).to_have_js_property("value", 2)
        assert drawn(charts.first.locator("canvas")) > 0

    def test_tells_how_the_curves_are(self, page, run):
        health = page.get_by_role("region", name="Health")
        expect(health).to_be_hidden()
        log(run, 1, mean_length=30.5, finished_share=0.25)

        run.cancel(actor="rhea", now=timezone.now())

        expect(health).to_contain_text("Needs attention", timeout=SOON)
        expect(health).to_contain_text("Of all answers, a share of only 0.25 came to an end by itself.")

    def test_tells_how_the_run_ended(self, page, run):
        expect(page.get_by_role("status")).to_have_text(re.compile("Running"))
        RunDirectory(run.folder).append_sample(
            prompt_id=run.campaign.prompts.first().pk,
            completion="<b>Boil</b> it.",
            **{"finished": True, "tokens": 3, "score": None, "ref_kl": None, "step": None},
        )

        run.succeed(now=timezone.now(), summary={"completions": 12, "finished_share": 0.5})

        expect(page.get_by_role("status")).to_have_text(re.compile("Succeeded"), timeout=SOON)
        expect(page.get_by_text("Answers sampled")).to_be_visible()
        expect(page.get_by_text("50.0 %")).to_be_visible()
        expect(page.get_by_text("<b>Boil</b> it.")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)

    def test_says_why_the_run_failed(self, page, run):
        notice = page.get_by_role("heading", name="Why it ended")
        expect(notice).to_be_hidden()

        run.fail("The machine ran out of memory.", now=timezone.now())

        expect(notice).to_be_visible(timeout=SOON)
        expect(page.locator("[data-run=failure]")).to_have_text("The machine ran out of memory.")


def drawn(canvas):
    """How many points of the canvas are not empty."""
    return canvas.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((value, i) => i % 4 == 3 && value).length"
    )


class TestCancelling:
    def test_ends_the_run_and_shows_that_it_did(self, visit, rhea, run):
        visitor = visit()
        visitor.enter(rhea, f"/admin/trainer/run/{run.pk}/change/")

        visitor.page.get_by_role("button", name="Cancel the run").click()
        expect(visitor.page.get_by_text("The run is cancelled.")).to_be_visible()
        run.refresh_from_db()
        assert run.status == Run.Status.CANCELLED
        expect(visitor.page.get_by_role("status")).to_have_text(re.compile("Cancelled"), timeout=SOON)


class TestTheLoop:
    def test_says_what_is_missing_and_keeps_what_was_chosen(self, visit, rhea, run):
        visitor = visit()
        visitor.enter(rhea, "/admin/trainer/run/")
        page = visitor.page

        page.get_by_role("link", name="Run the whole loop").last.click()
        page.get_by_role("button", name="Run the loop").click()

        expect(page.get_by_text("Nobody has submitted a demonstration in Kitchen yet.")).to_be_visible()
        assert Run.objects.count() == 1
        assert page.locator("select[name=campaign]").evaluate("s => s.selectedOptions[0].text") == "Kitchen"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["run/{run}/change/", "run/start/ppo/", "run/loop/", "snapshot/{snapshot}/change/"]
)
def test_our_part_of_a_page_shuts_nobody_out(visit, rhea, run, scheme, path):
    log(run, 1, mean_length=30.5, finished_share=0.25)
    visitor = visit(color_scheme=scheme)
    visitor.enter(rhea, f"/admin/trainer/{path.format(run=run.pk, snapshot=run.snapshot_id)}")
    expect(visitor.page.locator(".desk")).to_be_visible()
    if "run/{run}" in path:
        expect(visitor.page.locator("#run-charts figure")).to_have_count(2, timeout=SOON)
        expect(visitor.page.get_by_role("region", name="Health")).to_be_visible()

    assert visitor.barriers(within=".desk") == []
