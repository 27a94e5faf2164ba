"""What the measurements of judgements stand on: rows like the product's own, and eyes for what is wrong."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from annotation.actions.candidates import candidates_digest
from annotation.messages import check_prompt, check_turns, digest_of
from annotation.models import Assignment, Campaign, CandidateSet, Demonstration, Person, Prompt, Ranking
from benchmarks.judgements import cast, seeding
from benchmarks.judgements.clients import Client
from benchmarks.judgements.quantiles import quantile
from benchmarks.judgements.race import Hold, Log, overlapping
from benchmarks.judgements.seeds import CAMPAIGN
from benchmarks.judgements.words import Writer

SETS = 120


@pytest.mark.django_db(transaction=True)
class TestSeededRows:
    @pytest.fixture(autouse=True)
    def seeded(self, monkeypatch):
        monkeypatch.setattr(seeding, "BUSY", 3)
        monkeypatch.setattr(seeding, "OTHERS", 5)
        monkeypatch.setattr(seeding, "CHUNK", 50)
        seeding.fill(name="judged", sets=SETS, overlap=2, judged=True)

    def test_hold_every_constraint_and_are_complete(self):
        connection.check_constraints()

        assert Prompt.objects.count() == CandidateSet.objects.count() == Ranking.objects.count() == SETS
        assert Assignment.objects.open().count() == Assignment.objects.submitted().count() == SETS
        assert Demonstration.objects.count() == SETS / 10

    def test_are_what_the_actions_would_have_stored(self):
        for candidate_set in CandidateSet.objects.select_related("prompt"):
            prompt = candidate_set.prompt
            texts = list(candidate_set.completions.values_list("text", flat=True))
            assert prompt.messages == check_prompt(prompt.messages)
            assert prompt.digest == digest_of(prompt.messages)
            assert candidate_set.digest == candidates_digest(prompt.digest, texts)
        for demonstration in Demonstration.objects.all():
            assert demonstration.turns == check_turns(demonstration.turns)

    def test_rank_each_candidate_once(self):
        for ranking in Ranking.objects.select_related("assignment__candidate_set"):
            ranked = [pk for tier in ranking.tiers for pk in tier] + ranking.unacceptable
            ids = ranking.assignment.candidate_set.completions.values_list("pk", flat=True)
            assert sorted(ranked) == sorted(ranking.shown_order) == sorted(ids)
            assert ranking.assignment.labeler_id == ranking.labeler_id

    def test_leave_room_for_new_ones(self):
        campaign = Campaign.objects.get(name=CAMPAIGN)

        fresh = Prompt.objects.create(campaign=campaign, messages=[], digest="0" * 64)

        assert fresh.pk > SETS

    def test_come_with_people_who_are_signed_in(self, client):
        [session] = cast.add_allrounders(count=1).values()

        client.cookies["sessionid"] = session

        assert client.get("/api/me").json()["username"] == "allrounder-0000"
        assert Person.objects.filter(username__startswith="busy-").count() == 3


def test_no_two_prompts_are_alike():
    writer = Writer(0)

    for language in ("en", "de", "zh"):
        assert len({writer.prompt(number, language) for number in range(5000)}) == 5000


class TestTheRace:
    def test_sees_when_two_hold_a_slot_at_once(self):
        log = Log()
        log.holds["slot"] = [Hold("ada", 1.0, 3.0), Hold("ben", 2.0, 4.0)]

        assert overlapping(log) == 1

    def test_sees_nothing_wrong_in_taking_turns(self):
        log = Log()
        log.holds["slot"] = [Hold("ben", 3.0, 4.0), Hold("ada", 1.0, 2.0)]
        log.holds["other slot"] = [Hold("ada", 2.5, 3.5)]

        assert overlapping(log) == 0


class TestAClient:
    def test_asks_again_when_a_kept_connection_was_closed(self):
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            writer.close()

        assert run(_asked(answer, times=3)) == [b"ok"] * 3

    def test_reads_an_answer_in_pieces(self):
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nso\r\n2\r\nup\r\n0\r\n\r\n"
            )
            await writer.drain()

        assert run(_asked(answer, times=1)) == [b"soup"]


def run(coroutine):
    """In a thread of its own: in this one Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def _asked(answer, *, times):
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = Client(server.sockets[0].getsockname()[1], "nobody")
    contents = [(await client.get("/")).content for _ in range(times)]
    client.close()
    server.close()
    return contents


def test_a_quantile_is_one_of_the_values():
    assert quantile(list(range(100)), 0.95) == 95
    assert quantile([7.0], 0.99) == 7.0
