import pytest
import torch
from torch import nn

from trainer.rlhf.flight import KLController
from trainer.rlhf.learner import BestSoFar, Learner
from trainer.rlhf.schedules import cosine
from trainer.rlhf.world import World


def make_learner(**options):
    parameters = {name: nn.Parameter(torch.zeros(2, dtype=torch.float64)) for name in ("slow", "fast")}
    return Learner(parameters, learning_rate=1e-2, world=World(), max_grad_norm=1e9, **options)


def steps_along_1(learner, count):
    """Where the parameters stand after each step along the same gradient."""
    places = []
    for _ in range(count):
        for parameter in learner.parameters.values():
            parameter.grad = torch.ones_like(parameter)
        learner.update()
        places.append({name: p.detach().clone() for name, p in learner.parameters.items()})
    return places


class TestLearner:
    def test_goes_as_far_as_the_schedule_says_with_each_parameters_own_rate(self):
        """Along a gradient that stays the same, AdamW's step is its learning rate. D4: one cosine, once."""
        schedule = cosine(8)
        learner = make_learner(schedule=schedule, learning_rates={"fast": 1e-1})

        places = steps_along_1(learner, 8)

        far = [schedule(step) for step in range(8)]
        for number, place in enumerate(places, start=1):
            expected = -torch.full((2,), sum(far[:number]), dtype=torch.float64)
            torch.testing.assert_close(place["slow"], 1e-2 * expected, rtol=1e-6, atol=0)
            torch.testing.assert_close(place["fast"], 1e-1 * expected, rtol=1e-6, atol=0)

    def test_tells_the_rate_of_the_next_step(self):
        learner = make_learner(schedule=cosine(4))

        rates = []
        for _ in range(4):
            rates.append(learner.rate)
            steps_along_1(learner, 1)

        assert rates == [1e-2 * cosine(4)(step) for step in range(4)]

    def test_averages_its_weights_with_their_past(self):
        learner = make_learner(ema_decay=0.75)

        places = steps_along_1(learner, 3)

        expected = torch.zeros(2, dtype=torch.float64)
        for place in places:
            expected = 0.75 * expected + 0.25 * place["slow"]
        with learner.averaged():
            torch.testing.assert_close(learner.parameters["slow"].detach(), expected)
        assert torch.equal(learner.parameters["slow"], places[-1]["slow"])


class TestBestSoFar:
    def test_gives_up_after_its_patience_and_gives_the_best_back(self):
        learner = make_learner()
        best = BestSoFar(learner, patience=2)

        gave_up, places = [], []
        for loss in (2.0, 1.0, 1.5, 1.2):
            places += steps_along_1(learner, 1)
            best.consider(loss)
            gave_up.append(best.gave_up)
        best.restore()

        assert gave_up == [False, False, False, True]
        assert torch.equal(learner.parameters["slow"], places[1]["slow"])

    def test_keeps_the_last_without_patience(self):
        learner = make_learner()
        best = BestSoFar(learner, patience=0)

        for loss in (1.0, 2.0):
            [place] = steps_along_1(learner, 1)
            best.consider(loss)
        best.restore()

        assert torch.equal(learner.parameters["slow"], place["slow"])
        assert best.loss == 2.0


class TestKLController:
    @pytest.mark.parametrize(
        ("ref_kl", "factor"),
        [(6.0, 1.0), (6.6, 1.01), (5.4, 0.99), (60.0, 1.02), (0.0, 0.98), (-3.0, 0.98)],
    )
    def test_raises_the_price_of_too_much_drift_and_lowers_that_of_too_little(self, ref_kl, factor):
        """Ziegler et al. 2019, §2.2, by hand: the error is clipped at 0.2, and 100 of 1000 is a tenth."""
        controller = KLController(0.05, target=6.0, horizon=1000)

        controller.update(ref_kl, episodes=100)

        assert controller.kl_coef == pytest.approx(0.05 * factor)

    def test_leaves_a_fixed_price_alone(self):
        controller = KLController(0.05, target=0.0, horizon=1000)

        controller.update(60.0, episodes=100)

        assert controller.kl_coef == 0.05
