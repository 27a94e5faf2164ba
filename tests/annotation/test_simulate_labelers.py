"""Simulated labelers work through the real API of a real server."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from scipy.stats import spearmanr

from annotation.actions.candidates import add_candidate_set
from annotation.actions.consents import publish_consent_text
from annotation.actions.prompts import add_prompt
from annotation.actions.weights import reliability_weights
from annotation.labeler_client import LabelerClient, Refused, Unreachable
from annotation.management.commands.simulate_labelers import Command
from annotation.models import Assignment, Campaign, Consent, Person, Ranking, Skip
from tests.conftest import NOON

SETS, OVERLAP = 6, 2


@pytest.fixture
def crowd_campaign(transactional_db):
    campaign = Campaign.objects.create(name="Crowd", overlap=OVERLAP)
    for number in range(SETS):
        prompt, _ = add_prompt(
            campaign=campaign, messages=[{"role": "user", "content": f"Question {number}?"}]
        )
        add_candidate_set(prompt=prompt, texts=[f"Answer {number}{letter}." for letter in "abc"])
    return campaign


@pytest.fixture
def simulate(live_server, crowd_campaign, tmp_path):
    def run(*options, labelers=3):
        out = tmp_path / "truth.json"
        call_command(
            "simulate_labelers",
            "--campaign",
            crowd_campaign.name,
            "--labelers",
            str(labelers),
            "--url",
            live_server.url,
            "--truth",
            "lot",
            "--out",
            str(out),
            *options,
        )
        return json.loads(out.read_text())

    return run


class TestSimulateLabelers:
    def test_rank_all_that_waits_and_each_set_as_often_as_wanted(self, simulate):
        simulate("--skips", "0")

        assert Ranking.objects.count() == SETS * OVERLAP
        assert Assignment.objects.submitted().count() == SETS * OVERLAP
        ranked_by = Ranking.objects.values_list("assignment__candidate_set", "labeler")
        assert len(set(ranked_by)) == SETS * OVERLAP

    def test_have_accounts_of_their_own_and_say_who_they_really_are(self, simulate, capsys):
        told = simulate("--fatigue", "1", "--spammers", "0.34")

        people = {person.pk: person for person in Person.objects.all()}
        assert {one["id"]: one["username"] for one in told["labelers"]} == {
            pk: person.username for pk, person in people.items()
        }
        assert all(person.is_simulated and person.has_usable_password() for person in people.values())
        assert sum(one["is_spammer"] for one in told["labelers"]) == 1
        assert sum(one["ranked"] for one in told["labelers"]) == Ranking.objects.count()
        assert f"ranked: {Ranking.objects.count()}" in capsys.readouterr().out

    def test_store_once_what_they_send_twice(self, simulate):
        told = simulate("--skips", "0", "--resends", "1")

        assert sum(one["resent"] for one in told["labelers"]) == SETS * OVERLAP
        assert Ranking.objects.count() == SETS * OVERLAP

    def test_skip_what_they_would_rather_not_judge(self, simulate):
        told = simulate("--skips", "0.5")

        assert Skip.objects.count() == sum(one["skipped"] for one in told["labelers"]) > 0

    def test_stop_when_they_have_ranked_enough(self, simulate):
        told = simulate("--rankings", "2")

        assert [one["ranked"] for one in told["labelers"]] == [2, 2, 2]

    def test_agree_to_what_the_campaign_asks_them_to(self, simulate, crowd_campaign):
        publish_consent_text(campaign=crowd_campaign, text="You will be measured.", now=NOON)

        simulate("--skips", "0")

        assert Ranking.objects.count() == SETS * OVERLAP
        assert Consent.objects.count() == 3

    def test_say_so_when_nothing_waits(self, simulate):
        simulate("--skips", "0")

        with pytest.raises(CommandError, match="Nothing waits to be ranked in Crowd"):
            simulate()

    def test_say_so_when_the_campaign_is_paused(self, simulate, crowd_campaign):
        Campaign.objects.update(status=Campaign.Status.PAUSED)

        with pytest.raises(CommandError, match="Crowd is paused"):
            simulate()

    def test_say_so_when_no_server_is_there(self, simulate):
        with pytest.raises(CommandError, match="No server answers at http://127.0.0.1:9.*make run"):
            simulate("--url", "http://127.0.0.1:9")
        assert not Person.objects.exists()

    def test_keep_what_they_ranked_when_they_are_stopped(self, simulate, monkeypatch, tmp_path):
        def stop():
            raise KeyboardInterrupt

        monkeypatch.setattr(Command, "progress", lambda self, total: stop)

        with pytest.raises(CommandError, match="Stopped. What was ranked is kept.") as stopped:
            simulate("--skips", "0")

        assert stopped.value.returncode == 130
        told = json.loads((tmp_path / "truth.json").read_text())
        assert 1 <= sum(one["ranked"] for one in told["labelers"]) == Ranking.objects.count() < SETS * OVERLAP

    def test_leave_the_accounts_of_people_alone(self, simulate, crowd_campaign):
        Person.objects.create_user(f"simulated-{crowd_campaign.pk}-0-2", password="correct horse")

        with pytest.raises(CommandError, match="is a person's account"):
            simulate()

    @pytest.mark.parametrize(
        "options", [["--spammers", "2"], ["--skill-low", "0"], ["--fatigue", "nan"], ["--rankings", "1.5"]]
    )
    def test_refuse_numbers_that_cannot_be(self, simulate, options):
        with pytest.raises(CommandError, match="must be|argument"):
            simulate(*options)

    def test_know_no_campaign_that_is_not_there(self, transactional_db):
        with pytest.raises(CommandError, match="There is no campaign named 'Nowhere'"):
            call_command("simulate_labelers", "--campaign", "Nowhere", "--labelers", "1")


class TestReliabilityOfSimulatedLabelers:
    def test_is_found_from_what_they_did(self, simulate, crowd_campaign):
        people, sets = 6, 40
        Campaign.objects.update(overlap=people)
        crowd_campaign.refresh_from_db()
        for number in range(sets):
            messages = [{"role": "user", "content": f"Another question {number}?"}]
            prompt, _ = add_prompt(campaign=crowd_campaign, messages=messages)
            add_candidate_set(prompt=prompt, texts=[f"Other answer {number}{letter}." for letter in "abcd"])

        told = simulate("--skill-low", "0.05", "--skill-high", "6", "--skips", "0", labelers=people)

        weights = reliability_weights(crowd_campaign)
        truth = [one["reliability"] for one in told["labelers"]]
        # With these numbers it is 0.83 or more in each of 25 trials; a coin's is as often below 0 as above.
        assert spearmanr(truth, [weights.of(one["id"]) for one in told["labelers"]]).statistic > 0.7


class TestLabelerClient:
    def test_is_refused_in_the_servers_words(self, live_server, crowd_campaign):
        client = LabelerClient(live_server.url)

        with pytest.raises(Refused) as refused:
            client.sign_in("nobody", "guess")

        assert (refused.value.status, refused.value.code) == (400, "bad_credentials")

    def test_works_only_while_signed_in(self, live_server, crowd_campaign):
        Person.objects.create_user("ada", password="correct horse")
        client = LabelerClient(live_server.url)
        client.sign_in("ada", "correct horse")

        assert len(client.claim(crowd_campaign.pk)) == 1
        client.sign_out()
        with pytest.raises(Refused, match="."):
            client.extend(uuid4().int % 1000)

    def test_knows_another_server_when_it_meets_one(self, live_server):
        with pytest.raises(Unreachable):
            LabelerClient(f"{live_server.url}/api/schema").open_page()
