"""What is written is read back by transformers' own reader of GGUF."""

import json
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from trainer.rlhf import gguf_file
from trainer.rlhf.errors import LabError
from trainer.rlhf.gguf_file import write_gguf

IDS = torch.arange(5, 45)[None]


def read_back(file, dtype):
    source = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=dtype, quantization_config=GgufConfig(dequantize=True)
    )
    return model.eval(), AutoTokenizer.from_pretrained(**source)


class TestWritingGGUF:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_keeps_what_the_model_says_to_the_bit(self, model_folder, tmp_path, dtype):
        model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=dtype).eval()
        model.save_pretrained(tmp_path / "model")
        AutoTokenizer.from_pretrained(model_folder).save_pretrained(tmp_path / "model")

        write_gguf(str(tmp_path / "model"), tmp_path / "model.gguf", "soup")

        found, _tokenizer = read_back(tmp_path / "model.gguf", dtype)
        with torch.no_grad():
            assert torch.equal(found(IDS).logits, model(IDS).logits)

    def test_keeps_how_text_is_read(self, chatml_folder, tmp_path):
        write_gguf(str(chatml_folder), tmp_path / "model.gguf", "soup")

        expected = AutoTokenizer.from_pretrained(chatml_folder)
        found = read_back(tmp_path / "model.gguf", torch.float32)[1]
        for text in ("How do I make soup?", "12 eggs  and\n\nsalt", "汤 🍲 é", "<|im_end|>"):
            assert found(text)["input_ids"] == expected(text)["input_ids"]
        assert found.chat_template == expected.chat_template
        assert (found.eos_token_id, found.pad_token_id) == (expected.eos_token_id, expected.pad_token_id)

    @pytest.mark.parametrize(
        ("file", "change"),
        [
            ("config.json", {"architectures": ["LlamaForSequenceClassification"]}),
            ("config.json", {"attention_bias": True}),
            ("config.json", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}),
            ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}),
        ],
    )
    def test_refuses_what_it_could_not_tell(self, model_folder, tmp_path, file, change, monkeypatch, capsys):
        folder = tmp_path / "model"
        folder.mkdir()
        for one in model_folder.iterdir():
            (folder / one.name).write_bytes(one.read_bytes())
        (folder / file).write_text(json.dumps(json.loads((folder / file).read_text()) | change))

        with pytest.raises(LabError) as refused:
            write_gguf(str(folder), tmp_path / "model.gguf", "soup")

        monkeypatch.setattr(sys, "argv", ["gguf_file", str(folder), str(tmp_path / "model.gguf")])
        assert gguf_file.main() == 1
        assert capsys.readouterr().err.strip() == str(refused.value)
        assert not (tmp_path / "model.gguf").exists()
