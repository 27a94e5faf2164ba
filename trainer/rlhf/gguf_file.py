"""A checkpoint as one GGUF file, for llama.cpp and what builds on it:
``python -m trainer.rlhf.gguf_file FOLDER FILE.gguf``.

For models of the Llama family with a byte-level BPE whose way of splitting text llama.cpp knows by name;
others are refused. Weights keep the type that they are stored in: ``llama-quantize`` makes them smaller.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import gguf
import torch
from torch import Tensor

from trainer.rlhf.errors import LabError
from trainer.rlhf.loading import load_config, load_tokenizer

KINDS = {
    torch.float32: (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    torch.float16: (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    torch.bfloat16: (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
}
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
SPLITS: dict[str, list[dict[str, Any]]] = {
    "gpt-2": [_BYTES],
    "smollm": [{"type": "Digits", "individual_digits": True}, _BYTES],
}
"""How a tokenizer splits text before it merges, by the name that llama.cpp has for it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m trainer.rlhf.gguf_file", description=__doc__)
    parser.add_argument("folder", help="a Hugging Face model")
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", default="", help="what the model is called; else its folder's name")
    options = parser.parse_args()
    try:
        write_gguf(options.folder, options.file, options.name or Path(options.folder).name)
    except (LabError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write_gguf(folder: str, file: Path, name: str) -> None:
    """The file appears whole or not at all.

    :raises LabError: it is no model of which llama.cpp could be told.
    """
    config = load_config(folder)
    _check(config)
    unfinished = file.with_name(f"{file.name}.unfinished")
    # Weights wait in a file of their own, not in memory.
    writer = gguf.GGUFWriter(unfinished, "llama", use_temp_file=True)
    writer.add_name(name)
    _tell_tokens(writer, load_tokenizer(folder), config.vocab_size)
    _tell_shape(writer, config)
    _add_weights(writer, folder)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.rename(file)


def _check(config: Any) -> None:
    rope = getattr(config, "rope_parameters", None) or {}
    if list(config.architectures or []) != ["LlamaForCausalLM"]:
        raise LabError(
            f"This is a model of {config.architectures}; GGUF files are written for LlamaForCausalLM alone. "
            "llama.cpp's own convert_hf_to_gguf.py knows many others."
        )
    if rope.get("rope_type", "default") != "default" or config.attention_bias or config.mlp_bias:
        raise LabError("This Llama has scaled positions or biases, of which this writer could not tell GGUF.")


def _tell_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _tell_tokens(writer: gguf.GGUFWriter, tokenizer: Any, size: int) -> None:
    """:raises LabError: llama.cpp has no name for how it splits text."""
    about = json.loads(tokenizer.backend_tokenizer.to_str())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_split_name(about))
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for token, number in about["model"]["vocab"].items():
        tokens[number], kinds[number] = token, gguf.TokenType.NORMAL
    for added in about["added_tokens"]:
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([_merge(pair) for pair in about["model"]["merges"]])
    for name in ("bos", "eos", "pad", "unk"):
        if (number := getattr(tokenizer, f"{name}_token_id")) is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    begins = tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    writer.add_add_bos_token(begins)
    writer.add_chat_template(tokenizer.chat_template)


def _split_name(about: dict[str, Any]) -> str:
    splits = about["pre_tokenizer"] or {}
    parts = splits["pretokenizers"] if splits.get("type") == "Sequence" else [splits]
    for name, known in SPLITS.items():
        if about["model"]["type"] == "BPE" and not about["normalizer"] and parts == known:
            return name
    raise LabError(
        "This tokenizer splits text in a way that this writer has no name for. "
        "llama.cpp's own convert_hf_to_gguf.py knows many more."
    )


def _merge(pair: Any) -> str:
    return pair if isinstance(pair, str) else " ".join(pair)


def _add_weights(writer: gguf.GGUFWriter, folder: str) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    config = model.config
    if model.dtype not in KINDS:
        raise LabError(f"The weights are {model.dtype}, which this writer does not know.")
    kind, file_type = KINDS[model.dtype]
    writer.add_file_type(file_type)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if ".q_proj." in name:
            weight = turned(weight, config.num_attention_heads)
        if ".k_proj." in name:
            weight = turned(weight, config.num_key_value_heads)
        # llama.cpp wants vectors, which are small, in float32.
        stored = kind if weight.dim() > 1 else gguf.GGMLQuantizationType.F32
        told = names.get_name(name, try_suffixes=(".weight",))
        if told is None:
            raise LabError(f"GGUF has no name for the weights {name} of this model.")
        writer.add_tensor(told, gguf.quantize(weight.float().numpy(), stored), raw_dtype=stored)


def turned(weight: Tensor, heads: int) -> Tensor:
    """Rows of a projection (heads · width, H) in llama.cpp's order: there positions turn neighbours, in
    transformers halves."""
    halves = weight.view(heads, 2, len(weight) // heads // 2, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


if __name__ == "__main__":
    sys.exit(main())
