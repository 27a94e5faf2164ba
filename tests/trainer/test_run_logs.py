"""What the lab printed can be read and taken away by researchers, and by nobody else."""

import pytest
from django.urls import reverse

from trainer.admin.run_logs import TAIL_BYTES, logs_of


@pytest.fixture
def tried_twice(sft_run):
    type(sft_run).objects.filter(pk=sft_run.pk).update(attempt=2)
    sft_run.refresh_from_db()
    for number, words in ((1, b"out of memory"), (2, b"<script>alert(1)</script> \xff")):
        sft_run.folder_of(number).mkdir(parents=True)
        (sft_run.folder_of(number) / "log.txt").write_bytes(words)
    return sft_run


class TestTheLogsOfARun:
    def test_come_newest_first_and_survive_broken_bytes(self, tried_twice):
        newest, oldest = logs_of(tried_twice)

        assert (newest["attempt"], oldest["attempt"]) == (2, 1)
        assert newest["tail"].endswith("\ufffd")

    def test_are_cut_to_their_end(self, tried_twice):
        (tried_twice.folder / "log.txt").write_bytes(b"x" * TAIL_BYTES + b"the end")

        tail = logs_of(tried_twice)[0]["tail"]

        assert len(tail) == TAIL_BYTES
        assert tail.endswith("the end")

    def test_that_are_gone_are_left_out(self, tried_twice):
        (tried_twice.folder_of(1) / "log.txt").unlink()

        assert [log["attempt"] for log in logs_of(tried_twice)] == [2]

    def test_stand_on_its_page_as_text(self, tried_twice, client, rhea):
        client.force_login(rhea)

        page = client.get(reverse("admin:trainer_run_change", args=[tried_twice.pk])).content.decode()

        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page


class TestDownloadingALog:
    def test_gives_it_whole_as_plain_text(self, tried_twice, client, rhea):
        client.force_login(rhea)

        answer = client.get(reverse("admin:trainer_run_log", args=[tried_twice.pk, 1]))

        assert b"".join(answer.streaming_content) == b"out of memory"
        assert answer["Content-Type"].startswith("text/plain")
        assert answer["Content-Disposition"].startswith("attachment")

    def test_of_an_attempt_that_never_was_is_not_found(self, tried_twice, client, rhea):
        client.force_login(rhea)

        assert client.get(reverse("admin:trainer_run_log", args=[tried_twice.pk, 3])).status_code == 404

    def test_is_not_for_labelers(self, tried_twice, client, ada):
        client.force_login(ada)

        answer = client.get(reverse("admin:trainer_run_log", args=[tried_twice.pk, 1]))

        assert answer.status_code in {302, 403}
