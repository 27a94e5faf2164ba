"""The pages of exports and of what is new in a snapshot."""

import io
import zipfile

import pytest

from annotation.models import Ranking
from tests.conftest import NOON
from trainer import dispatch
from trainer.actions.exporting import execute_next_export
from trainer.actions.exports import queue_export
from trainer.actions.snapshots import freeze_snapshot
from trainer.admin import differences
from trainer.models import Export


@pytest.fixture(autouse=True)
def bell(monkeypatch):
    monkeypatch.setattr(dispatch, "ring_for_export", lambda: None)


@pytest.fixture
def page(client, rhea):
    client.force_login(rhea)
    return lambda path, **options: client.get(f"/admin/trainer/{path}", **options)


@pytest.fixture
def post(client, rhea):
    client.force_login(rhea)
    return lambda path, **values: client.post(f"/admin/trainer/{path}", values)


@pytest.fixture
def queued(frozen, rhea):
    return queue_export(snapshot=frozen["rankings"], format="trl-preference", created_by=rhea, now=NOON)


@pytest.fixture
def done(queued):
    execute_next_export(clock=lambda: NOON, stopping=lambda: False)
    queued.refresh_from_db()
    return queued


class TestTheForm:
    def test_offers_the_formats_that_fit(self, page, frozen):
        form = page(f"snapshot/{frozen['prompts'].pk}/export/").context["form"]

        assert [name for name, _label in form.fields["format"].choices] == ["trl-prompt-only", "native"]

    def test_queues_an_export(self, post, frozen, rhea):
        answer = post(
            f"snapshot/{frozen['rankings'].pk}/export/", format="listwise", container="csv", destination=""
        )

        export = Export.objects.get()
        assert answer.url == "/admin/trainer/export/"
        assert (export.format, export.container, export.created_by) == ("listwise", "csv", rhea)

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("container", {"format": "native", "container": "csv"}),
            ("destination", {"format": "native", "destination": "s3://key:word@bucket"}),
            ("format", {"format": "csv"}),
        ],
    )
    def test_names_the_field_that_is_wrong(self, post, frozen, field, values):
        answer = post(f"snapshot/{frozen['rankings'].pk}/export/", **values)

        assert list(answer.context["form"].errors) == [field]
        assert not Export.objects.exists()

    def test_knows_no_other_snapshots(self, page, rhea):
        assert page("snapshot/9/export/").status_code == 404


class TestTheList:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_opens(self, page, queued, language):
        answer = page("export/", headers={"Accept-Language": language})

        assert f'data-live="export-{queued.pk}" data-live-on' in answer.content.decode()
        assert "annotation/live.js" in answer.content.decode()

    def test_leaves_in_peace_what_is_over(self, page, done):
        text = page("export/").content.decode()

        assert "data-live-on" not in text
        assert f"/admin/trainer/export/{done.pk}/download/" in text


class TestAnExportsPage:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_shows_its_files_and_leads_to_the_download(self, page, done, language):
        text = page(f"export/{done.pk}/change/", headers={"Accept-Language": language}).content.decode()

        assert done.manifest["files"]["train.jsonl"] in text
        assert f"/admin/trainer/export/{done.pk}/download/" in text
        assert "/cancel/" not in text

    def test_tells_why_it_failed(self, page, queued):
        Export.objects.update(status="FAILED", failure="The line is down.")

        assert "The line is down." in page(f"export/{queued.pk}/change/").content.decode()

    def test_cancels(self, post, queued):
        answer = post(f"export/{queued.pk}/cancel/")

        queued.refresh_from_db()
        assert answer.url == f"/admin/trainer/export/{queued.pk}/change/"
        assert queued.status == Export.Status.CANCELLED

    def test_deletes_the_row_with_its_files(self, post, done, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            post(f"export/{done.pk}/delete/", post="yes")

        assert not Export.objects.exists()
        assert not done.folder.exists()


class TestTheDownload:
    def test_is_a_zip_of_the_folder(self, page, done):
        answer = page(f"export/{done.pk}/download/")

        archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
        names = {name.split("/")[1] for name in archive.namelist()}
        assert names == {"train.jsonl", "held_out.jsonl", "README.md", "manifest.json"}
        assert archive.testzip() is None
        assert done.snapshot.digest[:8] in answer["Content-Disposition"]

    def test_is_the_same_each_time(self, page, done):
        one, two = (b"".join(page(f"export/{done.pk}/download/").streaming_content) for _ in range(2))

        assert one == two

    def test_is_not_there_before_its_time(self, page, queued):
        assert page(f"export/{queued.pk}/download/").status_code == 404

    def test_says_when_the_files_are_gone(self, page, client, done):
        (done.folder / "train.jsonl").unlink()

        answer = page(f"export/{done.pk}/download/")

        assert "gone" in str(*client.get(answer.url).context["messages"])

    def test_is_for_researchers_only(self, client, ada, done):
        ada.is_staff = True
        ada.save()
        client.force_login(ada)

        for path in ("", "download/", "change/", "cancel/", "delete/"):
            address = f"/admin/trainer/export/{done.pk}/{path}" if path else "/admin/trainer/export/"
            assert client.post(address).status_code == 403
        assert Export.objects.exists()


class TestComparing:
    @pytest.fixture
    def newer(self, kitchen, frozen, rankings):
        Ranking.objects.filter(pk=rankings[0].pk).update(rationale="Hm.")
        return freeze_snapshot(campaign=kitchen, kind="rankings", created_by=None, now=NOON)

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_tells_what_is_different(self, page, frozen, newer, language):
        address = f"snapshot/{newer.pk}/compare/?other={frozen['rankings'].pk}"

        answer = page(address, headers={"Accept-Language": language})

        assert "rationale" in answer.content.decode()

    def test_offers_snapshots_of_the_same_kind(self, page, frozen, newer):
        form = page(f"snapshot/{newer.pk}/compare/").context["form"]

        assert list(form.fields["other"].queryset) == [frozen["rankings"]]

    def test_sends_large_ones_to_the_command(self, page, frozen, newer, monkeypatch):
        monkeypatch.setattr(differences, "MOST_ROWS", 1)

        answer = page(f"snapshot/{newer.pk}/compare/?other={frozen['rankings'].pk}")

        assert "diff_snapshots" in answer.context["form"].errors["other"][0]
