import pytest

from tests.conftest import NOON
from trainer.models import RunMetric


@pytest.fixture
def running(sft_run, settings):
    sft_run.claim("w", now=NOON, lease=settings.RUN_LEASE)
    return sft_run


def log(run, *losses, attempt=1):
    for line, loss in enumerate(losses, start=run.metrics.filter(attempt=attempt).count() + 1):
        RunMetric.objects.create(
            run=run, attempt=attempt, line=line, values={"step": line, "steps": 9, "loss": loss}
        )


class TestRunLive:
    @pytest.fixture
    def live(self, client, rhea, running):
        client.force_login(rhea)

        def get(after=0):
            return client.get(f"/api/runs/{running.pk}/live", {"after": after}).json()

        return get

    def test_tells_only_what_is_new(self, live, running):
        log(running, 3.0, 2.0)
        first = live()
        log(running, 1.0)

        second = live(after=first["next"])

        assert [line["loss"] for line in first["metrics"]] == [3.0, 2.0]
        assert [line["loss"] for line in second["metrics"]] == [1.0]
        assert live(after=second["next"])["metrics"] == []
        assert (first["status"], first["attempt"], first["finished_at"]) == ("RUNNING", 1, None)

    def test_a_new_attempt_is_told_from_its_first_line(self, live, running, settings):
        log(running, 3.0, 2.0, 1.0)
        before = live()
        running.give_back("", now=NOON)
        running.claim("w", now=NOON, lease=settings.RUN_LEASE)
        log(running, 2.5, attempt=2)

        after = live(after=before["next"])

        assert (after["attempt"], [line["loss"] for line in after["metrics"]]) == (2, [2.5])
        assert [line["loss"] for line in live()["metrics"]] == [2.5]

    def test_a_value_that_is_no_number_is_null(self, live, running):
        log(running, None)

        assert live()["metrics"][0]["loss"] is None

    def test_says_why_a_run_failed(self, live, running):
        running.fail("Out of memory.", now=NOON)

        assert (live()["status"], live()["failure"]) == ("FAILED", "Out of memory.")

    @pytest.mark.parametrize("after", ["-1", "soon", "9" * 30])
    def test_refuses_a_line_that_is_none(self, client, rhea, running, after):
        client.force_login(rhea)

        assert client.get(f"/api/runs/{running.pk}/live", {"after": after}).status_code == 400

    def test_knows_no_other_runs(self, client, rhea, running):
        client.force_login(rhea)

        assert client.get(f"/api/runs/{running.pk + 1}/live").status_code == 404

    def test_is_for_researchers_only(self, client, ada, running):
        assert client.get(f"/api/runs/{running.pk}/live").status_code == 403
        client.force_login(ada)
        assert client.get(f"/api/runs/{running.pk}/live").status_code == 403
