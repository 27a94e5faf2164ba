import os
import signal
import sys
import time
from functools import partial

import pytest

from trainer.rlhf.errors import LabError, Stopped
from trainer.rlhf.reporting import Reporter
from trainer.rlhf.schedules import cosine


class TestReporter:
    def test_logs_the_step_and_how_fast_it_went(self, report):
        report.step(1, 2, tokens=100, loss=0.123456789)

        [line], _ = report.directory.read_metrics()
        assert (line["step"], line["steps"], line["loss"]) == (1, 2, 0.123457)
        assert line["tokens_per_second"] > 0
        assert line["memory_mb"] > 10

    @pytest.mark.parametrize("name", ["loss", "policy_loss", "value_loss", "grad_norm"])
    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_stops_in_words_at_what_is_no_number(self, report, name, value):
        with pytest.raises(
            LabError, match=f"The {name} became {value} at step 3. Try a smaller learning_rate"
        ):
            report.step(3, 9, **{name: value})

    def test_knows_when_it_was_told_to_stop(self, report):
        handler = signal.getsignal(signal.SIGTERM)
        report.stop_on_sigterm()
        try:
            report.check()
            os.kill(os.getpid(), signal.SIGTERM)

            with pytest.raises(Stopped):
                report.check()
        finally:
            signal.signal(signal.SIGTERM, handler)


class TestATerminal:
    @staticmethod
    def reporter(report, monkeypatch, *times):
        """One that writes to a terminal, at these times."""
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(time, "monotonic", partial(next, iter(times)))
        return Reporter(report.directory)

    def test_shows_one_line_with_the_time_to_go(self, report, capsys, monkeypatch):
        report = self.reporter(report, monkeypatch, 100.0, 140.0, 170.0)

        report.step(1, 4, loss=2.0)
        report.step(2, 4, loss=1.0)
        report.close()

        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        assert "step 1/4  0:00:40 done, 0:02:00 to go  loss 2" in shown
        assert "step 2/4  0:01:10 done, 0:01:10 to go  loss 1" in shown

    def test_judges_a_resumed_run_by_its_own_steps(self, report, capsys, monkeypatch):
        report = self.reporter(report, monkeypatch, 0.0, 10.0)

        report.step(91, 100, loss=2.0)

        assert "0:00:10 done, 0:01:30 to go" in capsys.readouterr().err

    def test_that_is_none_gets_a_line_for_each_step(self, report, capsys):
        report.step(1, 2, loss=2.0)
        report.step(2, 2, loss=1.0)
        report.close()

        assert capsys.readouterr().err == "step 1/2  loss 2\nstep 2/2  loss 1\n"


class TestCosine:
    @pytest.mark.parametrize("steps", [1, 2, 100])
    def test_falls_from_1_to_its_floor(self, steps):
        factors = [cosine(steps)(step) for step in range(steps + 1)]

        assert (factors[0], factors[-1]) == pytest.approx((1.0, 0.1))
        assert factors == sorted(factors, reverse=True)

    def test_stays_at_its_floor(self):
        assert cosine(10)(25) == pytest.approx(0.1)
