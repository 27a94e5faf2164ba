"""Readers: files of the field → prompts, candidates, rankings, demonstrations."""

from annotation.formats import (
    arena,
    chatllama,
    coati,
    helpsteer,
    hh_rlhf,
    listwise,
    oasst,
    openai,
    prompts,
    trl,
)
from annotation.formats.items import Reader

READERS: dict[str, Reader] = {
    "prompts": prompts.read,
    "listwise": listwise.read,
    "trl-messages": trl.read_messages,
    "trl-prompt-completion": trl.read_completions,
    "trl-preference": trl.read_preferences,
    "trl-implicit-preference": trl.read_preferences,
    "trl-unpaired": trl.read_unpaired,
    "trl-prompt-only": trl.read_prompts,
    "openai-sft": trl.read_messages,
    "openai-dpo": openai.read_preferences,
    "hh-rlhf": hh_rlhf.read,
    "oasst": oasst.read,
    "arena": arena.read,
    "helpsteer": helpsteer.read,
    "chatllama-actor": chatllama.read_actor,
    "chatllama-reward": chatllama.read_reward,
    "chatllama-prompts": chatllama.read_prompts,
    "coati-instructions": coati.read_instructions,
    "coati-conversations": coati.read_conversations,
    "coati-preferences": coati.read_preferences,
}
