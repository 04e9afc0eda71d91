"""In character or not: when a model forgets who it plays."""

from __future__ import annotations

import re

from personas.persona import Personality
from personas.text import sentences

_BREAK = re.compile(
    r"\b(as an? (AI|artificial|large language|language model|assistant|program|chatbot)|as AI\b|"
    r"language model|ChatGPT|OpenAI|Anthropic|Alibaba|Hugging ?Face|SmolLM|Qwen|"
    r"my (training|programming)|trained by|AI (assistant|model|language)|"
    r"I(['’]m| am) (just |only )?(an? )?(AI|artificial|virtual assistant|chatbot|computer program)|"
    r"how (may|can) I assist you|(how|what) (may|can) I help you (today|with))\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(not|never|no|isn't|ain't|hardly)\b[^.!?]{0,40}$", re.IGNORECASE)
_TEMPTATION = re.compile(
    r"\b(AI|A\.I\.|GPT|ChatGPT|OpenAI|LLM|language model|(system|your) (prompt|instructions?)|"
    r"(ignore|disregard|forget) (all|the|your|any|every|previous|everything)|jailbreak|"
    r"(are|be|play|act|pretend)\b.{0,20}\b(bot|chatbot|assistant|program|machine|computer)|"
    r"real (name|self)|who made you|developer mode|DAN)\b",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"\b(AI|A\.I\.|robot|android|computer|assistant|chatbot|program|machine|cyborg|algorithm)\b",
    re.IGNORECASE,
)


def tempts(message: str) -> bool:
    """Whether a message tries to talk a persona out of its character."""
    return bool(_TEMPTATION.search(message))


def in_character(text: str, personality: Personality | None = None) -> str:
    """A text without the sentences in which the model speaks of itself instead of the persona.

    Personas that are machines may speak of programs and training.
    """
    if not _BREAK.search(text):
        return text
    if personality and _MACHINE.search(f"{personality.kind} {personality.character}"):
        return text
    kept = [sentence for sentence in sentences(text) if not _breaks(sentence)]
    return " ".join(kept)


def _breaks(sentence: str) -> bool:
    match = _BREAK.search(sentence)
    # "I am not a language model, I am a lighthouse" is in character.
    return match is not None and not _DENIAL.search(sentence[: match.end() - 1])
