"""What compressing is going to hold is counted before it begins."""

import pytest
import torch

from tests.trainer.rlhf.kitchen import run_program
from trainer.handoff.configs import build_config
from trainer.rlhf.compress import prune, quantize, share
from trainer.rlhf.compress import report as report_module
from trainer.rlhf.compress.distill import take_layers
from trainer.rlhf.compress.plan import blank_student
from trainer.rlhf.compress.recover import recover
from trainer.rlhf.compress.report import speaker
from trainer.rlhf.loading import load_model, load_tokenizer
from trainer.rlhf.meter import most_bytes
from trainer.rlhf.modeling import FULL
from trainer.rlhf.outline import outline
from trainer.rlhf.sft import demonstrations_in
from trainer.rlhf.world import World

CPU = torch.device("cpu")
SMALLER = [
    ("distill", {}),
    ("prune", {"what": "layers"}),
    ("prune", {"what": "heads"}),
    ("prune", {"what": "mlp"}),
    ("prune", {"what": "2:4"}),
    ("share", {}),
]


@pytest.fixture(autouse=True)
def no_other_process(monkeypatch):
    monkeypatch.setattr(report_module, "peak_memory", lambda place, config: 1.0)


def planned(directory):
    spec = directory.spec()
    return outline(build_config(spec.kind, spec.config), directory, device=CPU, processes=1)


def during(plan, moment, *names):
    return sum(need.bytes for need in plan.needs if need.during == moment and need.what in names)


def always(plan, name):
    return sum(need.bytes for need in plan.needs if need.what == name and not need.during)


def size(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in {id(t): t for t in tensors}.values())


def to_learn(directory):
    spec = directory.spec()
    config = build_config(spec.kind, spec.config)
    file, tokenizer = directory.data_path("demonstrations.parquet"), load_tokenizer(spec.base_model)
    train = demonstrations_in(file, tokenizer, config.max_prompt_tokens, config.max_completion_tokens)[0]
    return config, spec, train


def changed(config, spec, teacher, train):
    """The student as its stage makes it, and the masks of what stays zero."""
    model = load_model(spec.base_model, torch.float32)
    if spec.kind == "prune":
        return model, prune.prune(model, teacher, train, config)
    if spec.kind == "share":
        share.average_layers(model, share.shared_places(model.config.num_hidden_layers, config.group))
    else:
        take_layers(model, config.layers)
    return model, {}


class TestWhatComesOut:
    @pytest.mark.parametrize(("kind", "way"), SMALLER)
    def test_is_counted_to_the_byte(self, lab, kind, way):
        directory = lab.directory(kind, **way)
        config, spec, train = to_learn(directory)
        model, masks = changed(config, spec, speaker(spec.base_model, config), train)

        plan = planned(directory).plan

        assert during(plan, "learning", "learned weights") == size(model.parameters())
        assert during(plan, "learning", "moments") == 2 * size(model.parameters())
        assert always(plan, "masks") == size(masks.values())
        assert len(blank_student(config, spec, torch.float32).learned_by(FULL)) == len(
            dict(model.named_parameters())
        )

    @pytest.mark.parametrize("way", [{}, {"scheme": "int8"}, {"embeddings": "keep", "calibration": 0}])
    def test_is_as_large_in_codes(self, lab, way):
        directory = lab.directory("quantize", **way)
        config, spec, _train = to_learn(directory)
        model = load_model(spec.base_model, torch.float32)
        coded = quantize.encode_model(model, config.scheme, config.group_size, config.embeddings)

        plan = planned(directory).plan

        assert always(plan, "codes") == size(
            part for one in coded.values() for part in (one.codes, one.scale)
        )
        assert always(plan, "frozen weights") == size([*model.parameters(), *model.buffers()])


class TestTheWork:
    @pytest.mark.parametrize(("kind", "way"), SMALLER)
    def test_of_recovering_is_planned_within_a_quarter(self, lab, report, kind, way):
        directory = lab.directory(kind, checkpoint_every=0, **way)
        config, spec, train = to_learn(directory)
        teacher = speaker(spec.base_model, config)
        model, masks = changed(config, spec, teacher, train)

        real = most_bytes(
            lambda: recover(model, teacher, train, config, directory, report, World(), zeros=masks)
        )

        found = during(planned(directory).plan, "learning", "gradients", "moments", "learning pass")
        assert found == pytest.approx(real, rel=0.25)

    @pytest.mark.parametrize("way", [{}, {"calibration": 0}, {"exact_share": 0.0}, {"group_size": 16}])
    def test_of_rounding_is_planned_within_a_quarter(self, lab, way):
        directory = lab.directory("quantize", **way)
        config, spec, _train = to_learn(directory)
        model = load_model(spec.base_model, torch.float32)

        def work():
            coded = quantize.encode_model(model, config.scheme, config.group_size, config.embeddings)
            return coded | (quantize.with_care(model, config, spec, directory) if config.calibration else {})

        plan = planned(directory).plan
        found = always(plan, "codes") + during(
            plan, "rounding", "input moments", "careful codes", "one matrix"
        )
        assert found == pytest.approx(most_bytes(work), rel=0.25)

    def test_of_a_teacher_that_is_asked_for_thoughts_counts_it_twice(self, lab):
        plan = planned(lab.directory("distill", learn_from="thoughts", max_completion_tokens=8)).plan

        assert during(plan, "sampling", "original again") == during(plan, "measuring", "original again") > 0
        assert during(plan, "sampling", "keys and values") > 0


class TestADryRunOfCompressing:
    @pytest.mark.parametrize("kind", ["quantize", "distill", "prune", "share"])
    def test_says_what_will_be_done(self, lab, capsys, kind):
        directory = lab.directory(kind)

        assert run_program(directory.path, "--dry-run") == 0

        said = capsys.readouterr().out
        for word in ("original: frozen weights", "result", "at most", "measuring", "6 used"):
            assert word in said

    @pytest.mark.parametrize(("kind", "words"), [("quantize", "quantized already"), ("share", "be trained")])
    def test_refuses_what_is_in_codes_already(self, lab, capsys, kind, words):
        artifact = lab.run("quantize").result_path

        assert run_program(lab.directory(kind, model=artifact, name="again").path, "--dry-run") == 1

        assert words in capsys.readouterr().err

    def test_knows_the_steps_of_the_run(self, lab):
        directory = lab.run("share")

        steps = directory.read_metrics()[0][-1]["steps"]

        assert planned(directory).facts["steps"].text() == str(steps)
