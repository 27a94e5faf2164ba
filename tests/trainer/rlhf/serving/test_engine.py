"""Many answers at a time say what each would say alone."""

import random
import threading

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, DynamicCache

from trainer.rlhf.batches import prompt_ids
from trainer.rlhf.serving.cache import SlotCache
from trainer.rlhf.serving.engine import READ_AT_ONCE, Engine, Full, Wish, choose, likeliest
from trainer.rlhf.serving.memory import LEAST_SHARED, Memory, shared
from trainer.rlhf.serving.texts import TextStream


@pytest.fixture(scope="module")
def model(model_folder):
    return AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()


@pytest.fixture
def make_engine(model, tokenizer):
    engines = []

    def make(rows=4, **options):
        engine = Engine(model, tokenizer, rows=rows, **options)
        engines.append(engine)
        engine.start()
        return engine

    yield make
    for engine in engines:
        engine.close()


def asked(tokenizer, words):
    return prompt_ids(tokenizer, [{"role": "user", "content": words}])


def heard(answering):
    """The whole text, and how it ended."""
    news = list(answering.listen())
    return "".join(one.text for one in news), news[-1].ending


def generated(model, prompt, count):
    """The likeliest continuation, by transformers."""
    ids = torch.tensor([prompt])
    said = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False)
    return said[0, len(prompt) :].tolist()


class TestAnswers:
    def test_are_what_transformers_says_one_by_one(self, make_engine, model, tokenizer):
        prompts = [asked(tokenizer, "soup " * times) for times in (1, 9, 3, 40, 2, 5, 17)]
        counts = [12, 5, 30, 7, 21, 1, 16]

        engine = make_engine(rows=3)
        answering = [
            engine.ask(Wish(prompt, max_tokens=count, temperature=0))
            for prompt, count in zip(prompts, counts, strict=True)
        ]

        for one, prompt, count in zip(answering, prompts, counts, strict=True):
            text, ending = heard(one)
            expected = [token for token in generated(model, prompt, count) if token not in engine.eos]
            assert one.text.tokens == expected
            assert text == tokenizer.decode(expected, skip_special_tokens=True).lstrip()
            assert ending == ("length" if len(expected) == count else "stop")

    def test_of_one_seed_are_the_same_whoever_stands_beside(self, make_engine, tokenizer):
        wish = Wish(asked(tokenizer, "Salt?"), max_tokens=20, temperature=1.0, top_p=0.9, seed=5)
        alone = heard(make_engine().ask(wish))

        engine = make_engine()
        others = [Wish(asked(tokenizer, "rice " * n), max_tokens=9 + n, seed=n) for n in range(6)]
        answering = [engine.ask(one) for one in (*others[:3], wish, *others[3:])]

        assert heard(answering[3]) == alone

    def test_of_long_prompts_are_read_in_parts(self, make_engine, model, tokenizer):
        prompt = (asked(tokenizer, "soup ") * 200)[: READ_AT_ONCE + 40]

        answering = make_engine().ask(Wish(prompt, max_tokens=6, temperature=0))

        heard(answering)
        assert answering.text.tokens == generated(model, prompt, 6)[: answering.tokens]

    def test_of_a_chat_that_goes_on_are_those_of_one_that_is_read_anew(self, make_engine, model, tokenizer):
        """Several chats at a time, each going on from its own last turn."""
        engine = make_engine(rows=3)
        chats = [asked(tokenizer, word * 9) for word in ("soup ", "rice ", "salt ")]

        for turn in range(3):
            answering = [engine.ask(Wish(chat, max_tokens=8 + turn, temperature=0)) for chat in chats]
            for one, chat in zip(answering, chats, strict=True):
                heard(one)
                expected = generated(model, chat, 8 + turn)
                assert one.text.tokens == [token for token in expected if token not in engine.eos]
            chats = [
                [*chat, *one.text.tokens, *asked(tokenizer, f"And {turn}?")]
                for one, chat in zip(answering, chats, strict=True)
            ]

        assert engine.recalled > sum(map(len, chats)) // 2

    def test_wait_for_their_turn_and_are_told_how_many_come_first(self, make_engine, tokenizer):
        engine = make_engine(rows=1)
        first, second, third = (
            engine.ask(Wish(asked(tokenizer, word), max_tokens=200, temperature=0.5, seed=1))
            for word in ("soup", "rice", "salt")
        )

        waits = [news.waiting for news in third.listen() if news.waiting is not None]

        assert waits == sorted(waits, reverse=True)
        assert waits[0] == 2
        assert heard(first)[1] in ("stop", "length")

    def test_that_nobody_wants_any_more_make_room(self, make_engine, tokenizer):
        engine = make_engine(rows=1)
        long = engine.ask(Wish(asked(tokenizer, "soup"), max_tokens=100_000, temperature=2.0, seed=2))
        next(long.listen())

        long.cancel()

        assert heard(engine.ask(Wish(asked(tokenizer, "rice"), max_tokens=2)))[1] in ("stop", "length")
        assert list(long.listen())[-1].ending in ("cancelled", "stop")

    def test_are_refused_where_too_many_wait(self, make_engine, tokenizer):
        engine = make_engine(rows=1, most_waiting=0)

        with pytest.raises(Full):
            engine.ask(Wish(asked(tokenizer, "soup")))

    def test_that_nobody_waits_for_any_more_leave_the_queue_to_others(self, make_engine, tokenizer):
        engine = make_engine(rows=1, most_waiting=1)
        long = engine.ask(Wish(asked(tokenizer, "soup"), max_tokens=100_000, temperature=2.0, seed=2))
        next(long.listen())
        waiting = engine.ask(Wish(asked(tokenizer, "rice")))

        waiting.cancel()

        assert heard(waiting)[1] == "cancelled"
        assert engine.waiting == 0
        long.cancel()

    def test_go_on_after_one_that_broke(self, make_engine, model, tokenizer):
        engine = make_engine()

        broken = engine.ask(Wish([10**9], max_tokens=2))

        assert heard(broken)[1] == "error"
        assert heard(engine.ask(Wish(asked(tokenizer, "rice"), max_tokens=2)))[1] in ("stop", "length")

    def test_can_be_asked_for_by_many_threads(self, make_engine, tokenizer):
        engine = make_engine(rows=3)
        endings = []

        def ask(seed):
            wish = Wish(asked(tokenizer, "soup " * seed), max_tokens=seed + 1, seed=seed)
            endings.append(heard(engine.ask(wish))[1])

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert len(endings) == 12
        assert set(endings) <= {"stop", "length"}
        assert (engine.waiting, engine.answered) == (0, 12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "step"]), st.integers(1, 40)), max_size=40))
def test_a_cache_remembers_each_row_however_rows_come_and_go(moves):
    """Against a plain list of what each row was told."""
    cache, rows, told = SlotCache(layers=2, most_rows=3, columns=4), [], random.Random(0)

    def states(*shape):
        return torch.tensor([float(told.randrange(1000)) for _ in range(shape[0] * shape[2])]).view(
            shape[0], 1, shape[2], 1
        )

    for move, number in moves:
        if move == "add" and len(rows) < 3:
            read = DynamicCache()
            known = states(1, 1, number, 1)
            for layer in range(2):
                read.update(known + layer, -known, layer)
            cache.add(read)
            rows.append(known[0, 0, :, 0].tolist())
        elif move == "remove" and rows:
            row = number % len(rows)
            cache.remove(row)
            rows[row] = rows[-1]
            rows.pop()
        elif move == "step" and rows:
            mask, positions = cache.begin_step()
            new = states(len(rows), 1, 1, 1)
            assert positions[:, 0].tolist() == [len(row) for row in rows]
            for layer in range(2):
                keys, values = cache.update(new + layer, -new, layer)
            cache.end_step()
            for row, seen in enumerate(rows):
                seen.append(float(new[row]))
                known = values[row, 0, :, 0][mask[row].bool()]
                assert (-known).tolist() == seen
                assert (keys[row, 0, :, 0][mask[row].bool()] - 1).tolist() == seen


class TestMemory:
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=40), max_size=8),
        st.lists(st.integers(0, 1), min_size=1, max_size=50),
    )
    def test_recalls_the_longest_beginning_it_knows_and_never_the_whole_prompt(self, told, prompt):
        memory = Memory(most=60)
        for ids in told:
            states = torch.tensor([float(token) for token in ids]).view(1, 1, -1, 1)
            memory.keep(ids, [(states, -states)])

        cache, length = memory.recall(prompt)

        assert sum(len(ids) for ids, _states in memory.kept) <= 60
        longest = min(max((shared(ids, prompt) for ids, _ in memory.kept), default=0), len(prompt) - 1)
        assert length == (longest if longest >= LEAST_SHARED else 0)
        if length:
            assert cache.layers[0].keys[0, 0, :, 0].tolist() == prompt[:length]
            assert (-cache.layers[0].values[0, 0, :, 0]).tolist() == prompt[:length]

    def test_forgets_what_was_not_needed_for_longest(self):
        memory = Memory(most=100)
        first, second, third = ([number] * 40 for number in (1, 2, 3))
        states = [(torch.zeros(1, 1, 40, 1), torch.zeros(1, 1, 40, 1))]
        memory.keep(first, states)
        memory.keep(second, states)
        memory.recall([*first, 9])

        memory.keep(third, states)

        assert [ids for ids, _states in memory.kept] == [first, third]


class TestATextStream:
    @settings(max_examples=60, deadline=None)
    @given(
        st.text(alphabet="aé汤🍲 \n", max_size=12),
        st.lists(st.text(alphabet="aé汤 ", min_size=1, max_size=3), max_size=2),
    )
    def test_gives_the_text_before_the_first_stop_and_never_half_a_character(self, tokenizer, text, stops):
        # Of one inside another, whichever is complete first ends the text, and that depends on the tokens.
        assume(not any(one in other for one in stops for other in stops if one != other))
        stream = TextStream(tokenizer, stops)

        pieces = []
        for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
            pieces.append(stream.add(token))
            if stream.is_stopped:
                break
        pieces.append(stream.end())

        whole = text.lstrip()
        ends = [place for stop in stops if (place := whole.find(stop)) >= 0]
        assert "".join(pieces) == (whole[: min(ends)] if ends else whole)
        assert not any("\ufffd" in piece for piece in pieces)


class TestChoosing:
    def test_takes_the_likeliest_at_temperature_0(self):
        logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, 0.0, 1.0]])

        assert choose(logits, [Wish([1], temperature=0)] * 2, torch.tensor([0.99, 0.99])) == [1, 0]
        assert choose(logits, [Wish([1], temperature=1e-44)] * 2, torch.tensor([0.0, 0.0])) == [1, 0]

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.floats(-5, 5), min_size=2, max_size=8, unique=True),
        st.floats(0.01, 1.0),
    )
    def test_of_a_nucleus_leaves_the_fewest_tokens_that_have_top_p(self, numbers, top_p):
        logits = torch.tensor(numbers, dtype=torch.float64)

        kept = torch.isfinite(likeliest(logits, top_p))

        chances = logits.softmax(-1)
        assert chances[kept].sum() >= top_p - 1e-9
        assert chances[kept].sum() - chances[kept].min() < top_p + 1e-9
        assert kept.all() or chances[kept].min() >= chances[~kept].max()
