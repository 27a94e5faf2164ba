"""A checkpoint in others' hands: files that load, and a card that says where it comes from and no more."""

import io
import json
import re
import zipfile

import pytest
import yaml
from django.core.management import CommandError, call_command

from tests.conftest import NOON
from tests.tiny_model import make_tiny_model
from trainer.actions.checkpoints import register_base_model
from trainer.actions.runs import queue_run
from trainer.exports import checkpoints
from trainer.exports.checkpoints import ADAPTERS, CARD, export_checkpoint
from trainer.exports.model_card import model_card
from trainer.models import Checkpoint, Evaluation, Run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    return make_tiny_model(folder, ["Hello, soup."], hidden=16, layers=1)


@pytest.fixture
def base(db, tiny):
    return register_base_model(str(tiny), now=NOON)


@pytest.fixture
def learned(frozen, base, reward_model, rhea, tiny, tmp_path):
    """A policy that PPO made of the tiny model, with adapters."""
    sft = queue_run(kind="sft", snapshot=frozen["demonstrations"], base=base, created_by=rhea, now=NOON)
    taught = made_by(sft, "sft", tiny)
    ppo = queue_run(
        kind="ppo",
        snapshot=frozen["prompts"],
        base=taught,
        reward=reward_model,
        config={"kl_coef": "0.123"},
        created_by=rhea,
        now=NOON,
    )
    folder = tmp_path / "result"
    folder.mkdir()
    for file in tiny.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / ADAPTERS).mkdir()
    (folder / ADAPTERS / "adapter_config.json").write_text('{"r": 4, "base_model_name_or_path": null}')
    (folder / ADAPTERS / "adapter_model.safetensors").write_bytes(b"weights")
    return made_by(ppo, "ppo", folder, summary={"score": 1.5, "health": {"verdict": "watch", "findings": []}})


def made_by(run, kind, folder, **more):
    return Checkpoint.objects.create(
        kind=kind,
        name=f"Kitchen / {kind}",
        location=str(folder),
        digest=kind.ljust(64, "0"),
        produced_by=run,
        created_at=NOON,
        **more,
    )


def names_in(folder):
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


class TestTheCard:
    def test_tells_what_it_was_learned_from_back_to_the_base_model(self, learned, frozen):
        card = model_card(learned)

        for snapshot in frozen.values():
            assert snapshot.digest in card
        stages = [card.index(f"### {kind.label}") for kind in (Run.Kind.SFT, Run.Kind.PPO)]
        assert stages == sorted(stages)
        for words in (
            "Started from tiny",
            "Scored by taste",
            "8 demonstrations of the campaign Kitchen",
            "guideline versions: 1 8",
            "consent versions: 0 8",
            "`kl_coef=0.123`",
            "| score | 1.5 |",
            "Verdict on its run: watch",
        ):
            assert words in card

    def test_of_a_base_model_claims_no_training(self, base):
        card = model_card(base)

        assert "nothing was trained here" in card
        assert not re.search("trained with|labelers|campaigns", card)

    def test_names_nobody_and_no_folder_of_this_machine(self, learned, tiny, tmp_path):
        card = model_card(learned)

        assert not re.search(r"\b(ada|rhea)\b", card)
        assert str(tiny.parent) not in card
        assert str(tmp_path) not in card

    def test_begins_with_what_hugging_face_reads(self, learned, tiny, settings):
        settings.BASE_MODELS = {"SmolLM2-135M-Instruct": str(tiny)}

        told = yaml.safe_load(model_card(learned).split("---")[1])

        assert told["license"] == "apache-2.0"
        assert told["pipeline_tag"] == "text-generation"
        assert yaml.safe_load(model_card(learned, apart=True).split("---")[1])["library_name"] == "peft"

    def test_takes_the_licence_from_the_base_models_own_card(self, base, tmp_path):
        folder = tmp_path / "other"
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "README.md").write_text("---\ntags: [x]\nlicense: 'mit'\n---\n# Other\n")
        other = register_base_model(str(folder), now=NOON)

        assert "The base model's licence: mit" in model_card(other)
        assert "The base model's licence: not stated" in model_card(base)

    def test_takes_names_for_words(self, learned, kitchen):
        kitchen.name = "# <script>alert(1)</script>\n## Free [licence](x)"
        kitchen.save()

        card = model_card(Checkpoint.objects.get(pk=learned.pk))

        assert "<script>" not in card
        assert "\n## Free" not in card
        assert r"\[licence\]" in card

    def test_has_what_was_measured_later(self, learned, kitchen):
        Evaluation.objects.create(
            checkpoint=learned, campaign=kitchen, figures={"win_rate": 0.61}, measured_at=NOON
        )

        assert "| win\\_rate (2026-11-24) | 0.61 |" in model_card(learned)


class TestAnExport:
    def test_is_a_folder_that_loads(self, learned, tiny, tmp_path):
        from transformers import AutoModelForCausalLM

        call_command("export_checkpoint", learned.pk, out=str(tmp_path / "out"))

        assert names_in(tmp_path / "out") == names_in(tiny) | {CARD}
        assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.num_hidden_layers == 1

    def test_may_be_the_adapters_alone(self, learned, tmp_path):
        call_command("export_checkpoint", learned.pk, "--apart", out=str(tmp_path / "out"))

        assert {"adapter_model.safetensors", "tokenizer.json", CARD} <= names_in(tmp_path / "out")
        assert "model.safetensors" not in names_in(tmp_path / "out")
        config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == "Kitchen / sft"

    def test_has_a_file_for_llama_cpp_where_that_is_asked_for(self, learned, tmp_path):
        call_command("export_checkpoint", learned.pk, "--gguf", out=str(tmp_path / "out"))

        [file] = (tmp_path / "out").glob("*.gguf")
        assert file.read_bytes()[:4] == b"GGUF"

    def test_leaves_nothing_behind_when_it_is_refused(
        self, learned, base, tmp_path, reward_model, monkeypatch
    ):
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "mine.txt").write_text("x")
        before = set(tmp_path.iterdir())
        monkeypatch.setattr(checkpoints, "_write_gguf", lambda *_: 1 / 0)

        for row, out, options in (
            (learned, "full", []),
            (base, "out", ["--apart"]),
            (reward_model, "out", []),
        ):
            with pytest.raises(CommandError):
                call_command("export_checkpoint", row.pk, *options, out=str(tmp_path / out))
        with pytest.raises(ZeroDivisionError):
            export_checkpoint(learned, str(tmp_path / "out"), with_gguf=True)

        assert set(tmp_path.iterdir()) == before

    def test_goes_to_any_address(self, learned):
        import fsspec

        call_command("export_checkpoint", learned.pk, out="memory://given/away")

        assert fsspec.filesystem("memory").exists("/given/away/README.md")


class TestTheDownload:
    @pytest.mark.parametrize(
        ("form", "file"), [("merged", "model.safetensors"), ("apart", "adapter_model.safetensors")]
    )
    def test_is_the_export_in_an_archive(self, client, rhea, learned, form, file):
        client.force_login(rhea)
        page = client.get(f"/admin/trainer/checkpoint/{learned.pk}/change/").content.decode()
        address = f"/admin/trainer/checkpoint/{learned.pk}/download/{form}/"

        answer = client.get(address)

        assert address in page
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            assert archive.testzip() is None
            inside = {name.split("/", 1)[1] for name in archive.namelist()}
        assert {file, CARD, "tokenizer.json"} <= inside

    def test_is_for_researchers_and_of_what_is_here(self, client, rhea, ada, learned, reward_model):
        address = f"/admin/trainer/checkpoint/{learned.pk}/download/"
        client.force_login(ada)
        assert client.get(f"{address}merged/").status_code in (302, 403)

        client.force_login(rhea)
        assert client.get(f"{address}else/").status_code == 404
        gone = f"/admin/trainer/checkpoint/{reward_model.pk}"
        assert (
            "is not on this machine" in client.get(f"{gone}/download/merged/", follow=True).content.decode()
        )
        assert "/download/" not in client.get(f"{gone}/change/").content.decode()
