"""Whatever scores completions: what it is asked, and what may come back."""

import dataclasses
import json
import math
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import getproxies

import pytest
import torch

from tests.trainer.rlhf.kitchen import BAD, FAIR, GOOD, prompt, user
from tests.trainer.rlhf.test_ppo import CONFIG, make_models, roll_out
from trainer.handoff.rewards import RewardSource
from trainer.rlhf.batches import answer_sequence, completion_ids, pad, prompt_ids
from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_tokenizer
from trainer.rlhf.outside_rewards import MOST_AT_ONCE, CallableReward, EndpointReward
from trainer.rlhf.reward_models import load_reward_model
from trainer.rlhf.rewards import CheckpointReward, Mix, load_reward
from trainer.rlhf.rollouts import Rollout
from trainer.rlhf.world import World

PROMPTS = [[user("How do I make tea?")], [user("How do I make soup?")], [user("More, please.")]]
SAID = [GOOD, FAIR, BAD]


class Server:
    """A real one on this machine. ``answers`` are given in turn, the last one for ever."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def respond(self, handler):
        length = int(handler.headers["Content-Length"])
        self.asked.append(json.loads(handler.rfile.read(length)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(self.asked[-1])
        status, body, headers = answer
        handler.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(body)


def answer(body, status=200, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, body, {name.replace("_", "-"): value for name, value in headers.items()}


def lengths(asked):
    return answer({"scores": [len(text) for text in asked["completions"]]})


@contextmanager
def serving(server):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.respond(self)

        def do_GET(self):
            server.asked.append("GET")
            self.send_error(405)

        def log_message(self, *args):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.handle_error = lambda *request: None  # whoever asked may have hung up by now
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield EndpointReward(f"http://127.0.0.1:{listener.server_port}/score", pauses=(0.0, 0.0))
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in getproxies():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)


@pytest.fixture
def taste(tmp_path, monkeypatch):
    """Writes a module with a reward in it. Returns the source that names the reward."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(function, name="taste"):
        (tmp_path / f"{name}.py").write_text(function)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return f"python:{name}:score"

    return write


LETTERS = """
def score(prompts, completions):
    assert all(turn.keys() == {"role", "content"} for prompt in prompts for turn in prompt)
    return [sum(letter.isascii() and letter.isalpha() for letter in text) / max(len(text), 1)
            for text in completions]
"""


class TestEndpoint:
    def test_is_told_who_said_what_and_gives_a_score_for_each(self):
        server = Server(lengths)
        with serving(server) as reward:
            assert reward.score(PROMPTS, SAID) == [len(text) for text in SAID]

        assert server.asked == [{"prompts": PROMPTS, "completions": SAID}]

    def test_is_asked_for_a_few_at_a_time_in_order(self):
        count = 2 * MOST_AT_ONCE + 3
        texts = ["x" * number for number in range(count)]
        server = Server(lengths)
        with serving(server) as reward:
            assert reward.score([PROMPTS[0]] * count, texts) == list(range(count))

        assert [len(asked["completions"]) for asked in server.asked] == [MOST_AT_ONCE, MOST_AT_ONCE, 3]

    @pytest.mark.parametrize(
        "trouble",
        [
            answer({"error": "busy"}, 503),
            answer({"error": "slow down"}, 429),
            answer(b'{"scores": [1', 200, Content_Length=50),
        ],
        ids=["busy", "too many requests", "breaks off"],
    )
    def test_is_asked_again_while_it_is_in_trouble(self, trouble):
        server = Server(trouble, trouble, lengths)
        with serving(server) as reward:
            assert reward.score(PROMPTS, SAID) == [len(text) for text in SAID]

        assert len(server.asked) == 3

    def test_that_stays_in_trouble_ends_the_run_in_words(self):
        server = Server(answer({}, 500))
        with serving(server) as reward, pytest.raises(LabError, match="no answer in 3 attempts: .*500"):
            reward.score(PROMPTS, SAID)

        assert len(server.asked) == 3

    def test_that_is_not_there_ends_the_run_in_words(self):
        with serving(Server(lengths)) as reward:
            pass

        with pytest.raises(LabError, match="no answer in 3 attempts.*See that it runs"):
            reward.score(PROMPTS, SAID)

    def test_that_stays_silent_is_given_up(self):
        release = threading.Event()

        def wait(asked):
            release.wait(10)
            return lengths(asked)

        with serving(Server(wait)) as reward:
            hasty = dataclasses.replace(reward, timeout=0.05)
            with pytest.raises(LabError, match="no answer in 3 attempts: .*timed out"):
                hasty.score(PROMPTS, SAID)
            release.set()

    def test_that_drips_is_given_up(self):
        class Drips(Server):
            def respond(self, handler):
                handler.send_response(200)
                handler.end_headers()
                for _ in range(50):
                    handler.wfile.write(b" ")
                    if stopped.wait(0.02):
                        break

        stopped = threading.Event()
        with serving(Drips()) as reward:
            hasty = dataclasses.replace(reward, timeout=0.1, pauses=())
            with pytest.raises(LabError, match="took longer than 0.1 seconds"):
                hasty.score(PROMPTS, SAID)
            stopped.set()

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (answer({"scores": [1, 2]}), "2 scores for 3 completions"),
            (answer({"scores": [1, 2, 3, 4]}), "4 scores for 3 completions"),
            (answer(b'{"scores": [1, NaN, 2]}'), "gave nan for completion 1"),
            (answer(b'{"scores": [1, 2, -Infinity]}'), "gave -inf for completion 2"),
            (answer({"scores": [1e300, 1, 1]}), "gave 1e.300 for completion 0"),
            (answer(b'{"scores": [1' + b"0" * 400 + b", 1, 1]}"), "gave inf for completion 0"),
            (answer({"scores": [1, "2", 3]}), "one number for each completion"),
            (answer({"scores": [1, None, 3]}), "one number for each completion"),
            (answer({"scores": [[1], [2], [3]]}), "one number for each completion"),
            (answer({"scores": {"a": 1}}), 'must answer {"scores"'),
            (answer({"score": [1, 2, 3]}), 'must answer {"scores"'),
            (answer([1, 2, 3]), 'must answer {"scores"'),
            (answer(b"<html>"), "answered no JSON"),
            (answer(b"\xff\xfe\x00"), "answered no JSON"),
            (answer(b"[" * 100_000), "answered no JSON"),
            (answer(b""), "answered no JSON"),
            (answer(b" " * 2_000_000), "more than 1,000,000 bytes"),
            (answer(b"who are you?", 401), "refused .401.: 'who are you"),
            (answer(b"", 302, Location="http://127.0.0.1:1/"), "sends elsewhere .302."),
            (answer(b"", 307, Location="file:///etc/passwd"), "sends elsewhere .307."),
        ],
    )
    def test_that_answers_something_else_ends_the_run_in_words(self, wrong, words):
        server = Server(wrong)
        with serving(server) as reward, pytest.raises(LabError, match=words):
            reward.score(PROMPTS, SAID)

        assert len(server.asked) == 1  # nobody is asked again, nor anywhere else

    def test_keeps_the_secrets_of_its_address_to_itself(self):
        reward = EndpointReward("http://ada:pa55@127.0.0.1:1/score?key=53cret", pauses=())

        with pytest.raises(LabError) as refusal:
            reward.score(PROMPTS, SAID)

        assert "127.0.0.1:1/score" in str(refusal.value)
        assert "pa55" not in str(refusal.value)
        assert "53cret" not in str(refusal.value)


class TestCallable:
    def test_scores_texts(self, taste):
        reward = CallableReward.of(taste(LETTERS))

        assert reward.score(PROMPTS, ["abc", "a1", "茶"]) == [1.0, 0.5, 0.0]

    @pytest.mark.parametrize("kind", ["torch.tensor", "__import__('numpy').array", "tuple", "iter"])
    def test_may_answer_with_whatever_holds_numbers(self, taste, kind):
        source = taste(f"import torch\ndef score(prompts, completions): return {kind}([1.0, 2.0, True])")

        assert CallableReward.of(source).score(PROMPTS, SAID) == [1.0, 2.0, 1.0]

    def test_cannot_change_what_it_was_shown(self, taste):
        source = taste("def score(p, c):\n p[0][0]['content'] = ''\n p.pop()\n c.pop()\n return [1, 2, 3]")
        prompts = [[dict(turn) for turn in prompt] for prompt in PROMPTS]

        CallableReward.of(source).score(prompts, SAID)

        assert (prompts, len(SAID)) == (PROMPTS, 3)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("return [1]", "1 scores for 3 completions"),
            ("return [1, 2, float('nan')]", "gave nan for completion 2"),
            ("return None", "one number for each completion; it gave None"),
            ("return 'abc'", "one number for each completion"),
            ("import torch; return torch.ones(3, 2)", "one number for each completion"),
            ("return completions[3]", "broke: IndexError"),
            ("import sys; sys.exit(1)", "broke: SystemExit"),
        ],
    )
    def test_that_goes_wrong_ends_the_run_in_words(self, taste, body, words):
        reward = CallableReward.of(taste(f"def score(prompts, completions): {body}"))

        with pytest.raises(LabError, match=words):
            reward.score(PROMPTS, SAID)

    @pytest.mark.parametrize(
        ("module", "words"),
        [
            ("def scores(): pass", "could not be imported: AttributeError"),
            ("import nothing_like_it", "could not be imported: ModuleNotFoundError.*PYTHONPATH"),
            ("raise SystemExit", "could not be imported: SystemExit"),
            ("score = 1", "is no function: it is 1"),
        ],
    )
    def test_that_is_not_there_ends_the_run_in_words(self, taste, module, words):
        source = taste(module)

        with pytest.raises(LabError, match=words):
            CallableReward.of(source)


@pytest.fixture
def reward_folder(chain):
    return chain["reward"].result_path


class TestCheckpoint:
    def test_says_of_texts_what_it_says_of_tokens_through_the_shared_trunk(
        self, chain, reward_folder, make_backbone
    ):
        """In a batch of other lengths, and whichever way its weights were loaded."""
        base = chain["sft"].result_path
        tokenizer = load_tokenizer(str(base))
        shared = make_backbone(folder=base)
        base_digest = chain["reward"].spec().base_digest
        fast = load_reward_model(reward_folder, shared=shared, base_digest=base_digest, dtype=torch.float32)
        batch = pad(
            [
                answer_sequence(prompt_ids(tokenizer, messages), completion_ids(tokenizer, text, 100))
                for messages, text in zip(PROMPTS, SAID, strict=True)
            ]
        )

        scores = load_reward([RewardSource(source=str(reward_folder))], torch.float32).score(PROMPTS, SAID)

        assert fast.role.backbone is shared
        assert scores == pytest.approx(fast.scores(batch, shared.trunk(batch)).tolist(), abs=1e-4)
        assert len({round(score, 3) for score in scores}) == 3

    def test_scores_a_completion_the_same_whoever_stands_beside_it(self, reward_folder):
        reward = CheckpointReward(
            load_reward_model(reward_folder, dtype=torch.float32),
            load_tokenizer(str(reward_folder)),
            rows_per_pass=2,
        )

        together = reward.score(PROMPTS, SAID)

        for prompt_, text, score in zip(PROMPTS, SAID, together, strict=True):
            assert reward.score([prompt_], [text]) == pytest.approx([score], abs=1e-5)

    def test_that_is_not_there_ends_the_run_in_words(self, tmp_path):
        with pytest.raises(LabError, match="could not be loaded"):
            load_reward([RewardSource(source=str(tmp_path / "nowhere"))], torch.float32)


class TestMix:
    def test_is_the_weighted_sum_of_its_parts(self, taste, reward_folder):
        with serving(Server(lengths)) as endpoint:
            sources = [(taste(LETTERS), 0.5), (endpoint.url, -0.1), (str(reward_folder), 2.0)]
            parts = [
                load_reward([RewardSource(source=source)], torch.float32).score(PROMPTS, SAID)
                for source, _weight in sources
            ]
            mix = load_reward(
                [RewardSource(source=source, weight=weight) for source, weight in sources], torch.float32
            )

            scores = mix.score(PROMPTS, SAID)

        for index, score in enumerate(scores):
            whole = sum(weight * part[index] for part, (_, weight) in zip(parts, sources, strict=True))
            assert score == pytest.approx(whole)

    def test_of_nothing_is_none(self):
        assert load_reward([], torch.float32) is None


@dataclasses.dataclass
class Remembers:
    """Gives each text its place, and keeps what it saw."""

    seen: list = dataclasses.field(default_factory=list)

    def score(self, prompts, completions):
        self.seen.append((list(prompts), list(completions)))
        return [float(index) for index in range(len(completions))]


class Spells:
    def decode(self, tokens, *, skip_special_tokens):
        return " ".join(str(token) for token in tokens if token or not skip_special_tokens)


class TestRollout:
    """Of a policy over five tokens."""

    CONVERSATIONS = [[user(str(number))] for number in range(CONFIG.rollout_size)]

    def models(self, **rewards):
        return dataclasses.replace(make_models()[0], tokenizer=Spells(), **rewards)

    def roll_out(self, models):
        return roll_out(models, conversations=self.CONVERSATIONS)

    def test_adds_what_a_reward_says_of_the_texts_to_the_reward_models_scores(self):
        seen = Remembers()
        plain = self.roll_out(self.models())

        mixed = self.roll_out(self.models(other_reward=Mix([(seen, 0.25)])))

        added = mixed.measured.raw_scores - plain.measured.raw_scores
        torch.testing.assert_close(added, torch.arange(32) * 0.25)
        [(prompts, texts)] = seen.seen
        assert prompts == self.CONVERSATIONS
        assert texts == [sampled.text(Spells()) for sampled in mixed.samples]

    def test_has_the_other_scores_alone_without_a_reward_model(self):
        rollout = self.roll_out(self.models(reward=None, other_reward=Remembers()))

        assert rollout.measured.raw_scores.tolist() == list(range(32))

    def test_is_only_watched_by_the_held_out_reward(self):
        plain = self.roll_out(self.models())

        watched = self.roll_out(self.models(holdout_reward=Remembers()))

        assert torch.equal(watched.advantages, plain.advantages)
        assert torch.equal(watched.scores, plain.scores)
        assert watched.metrics(World())["holdout_score"] == pytest.approx(15.5)
        assert "holdout_score" not in plain.metrics(World())

    @pytest.mark.parametrize("rewards", [{}, {"holdout_reward": Remembers()}])
    def test_keeps_what_everybody_said_over_a_stop(self, rewards):
        models = self.models(**rewards)
        rollout = self.roll_out(models)

        again = Rollout.from_state(rollout.state(), models.policy.backbone, CONFIG.rows_per_pass)

        assert again.metrics(World()) == rollout.metrics(World())


class TestPPO:
    """Whole runs."""

    SETTINGS = {
        "critic": "policy",
        "lora_rank": 0,
        "iterations": 10,
        "rollout_size": 32,
        "minibatch_size": 8,
        "learning_rate": 1e-2,
        "kl_coef": 0.0,
        "missing_eos_penalty": 0.0,
    }

    def test_learns_what_a_plain_function_likes(self, lab, taste):
        run = lab.run("ppo", rewards=[(taste(LETTERS), 2.0)], **self.SETTINGS)

        assert run.outcome().succeeded, run.outcome().reason
        scores = [line["score"] for line in run.read_metrics()[0]]
        assert scores[-1] > scores[0] + 0.5

    def test_shows_a_held_out_reward_that_it_does_not_learn_from(self, lab, taste, reward_folder):
        settings = {"critic": "policy", "name": "watched", "holdout_reward": str(reward_folder)}

        plain = lab.run("ppo", rewards=[(taste(LETTERS), 1.0)], critic="policy")
        watched = lab.run("ppo", rewards=[(taste(LETTERS), 1.0)], **settings)

        assert watched.outcome().succeeded, watched.outcome().reason
        assert watched.read_samples() == plain.read_samples()
        assert all(math.isfinite(line["holdout_score"]) for line in watched.read_metrics()[0])

    def test_mixes_a_reward_model_with_an_endpoint(self, lab, reward_folder):
        server = Server(lengths)
        with serving(server) as endpoint:
            mixed = lab.run(
                "ppo", name="mixed", reward_model=reward_folder, rewards=[(endpoint.url, 0.1)], score_clip=0
            )
            plain = lab.run("ppo", reward_model=reward_folder, score_clip=0)

        assert mixed.outcome().succeeded, mixed.outcome().reason
        first, before = ([line for line in run.read_samples() if line["step"] == 1] for run in (mixed, plain))
        assert [sample["completion"] for sample in first] == [sample["completion"] for sample in before]
        for sample, alone in zip(first, before, strict=True):
            added = 0.1 * len(sample["completion"])
            assert sample["score"] == pytest.approx(alone["score"] + added, abs=2e-4)
        asked = [message for request in server.asked for message in request["prompts"]]
        assert all(messages in [prompt(number).messages for number in range(6)] for messages in asked)

    def test_without_a_reward_model_wants_another_critic(self, lab, taste):
        run = lab.run("ppo", rewards=[(taste(LETTERS), 1.0)])

        assert run.outcome().reason == (
            "critic is 'reward'; it must be policy where no reward checkpoint is given."
        )

    def test_ends_in_words_where_its_reward_does(self, lab, taste):
        source = taste("def score(prompts, completions): return []")

        run = lab.run("ppo", rewards=[(source, 1.0)], critic="policy")

        assert run.outcome().reason == f"The reward {source} gave 0 scores for 4 completions."
