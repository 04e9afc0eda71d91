"""What a model wrote about a persona, held against what can go wrong with it."""

from __future__ import annotations

import re

from engine.character import in_character
from personas.prompts import (
    SAMPLE_CHARACTERS,
    SAMPLE_DRAWN,
    SAMPLE_PHRASES,
    SAMPLE_WORDS,
    PersonaDraft,
    shingles,
)
from personas.subject import Subject, content_words, find_subject, is_about
from personas.text import loops, plain, sentences, whole_sentences

_JUNK = re.compile(
    r"[{}\[\]<>\\]|https?:|&#|\bfunction\b|\bJSON\b|\blanguage model\b|\bas an AI\b|"
    r"\bAI (assistant|model)\b|<<<|>>>",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"^(?:I am|I'm|I’m)\b")

_SAMPLED = tuple(content_words(text) for text in SAMPLE_CHARACTERS)
_COPIED = 0.6
"""Share of what a sentence says beyond its subject that one of our examples says, too ..."""
_COPIED_WORDS = 4
"""... in so many words."""


def spoken(text: str, limit: int) -> str:
    """A text for a persona's mouth: one line, whole sentences; empty where it is of no use.

    Args:
        text: what the model wrote, perhaps broken off, perhaps in a loop.
        limit: characters.
    """
    text = plain(text, 4 * limit)
    loop = loops(text)
    if loop is not None:
        text = text[:loop].rstrip()
        if not _said_twice_only(text):
            return ""
    text = whole_sentences(text)
    if len(text) > limit:
        text = whole_sentences(plain(text, limit))
    return "" if _is_junk(text) or _repeats(text) else text


def fact(text: str, limit: int) -> str:
    """A short text about a persona: one line; empty where it is of no use."""
    text = plain(text, 4 * limit)
    if loops(text) is not None or _is_junk(text):
        return ""
    return plain(text, limit).rstrip(" ,;:-")


def character_of(draft: PersonaDraft, limit: int = 900) -> str:
    """The character in the second person; empty where the model lost its way."""
    text = spoken(draft.you, limit)
    if _FIRST_PERSON.match(text):
        text = _FIRST_PERSON.sub("You are", text)
    return text if re.match(r"you(['’]re)?\b", text, re.IGNORECASE) else ""


def greeting_of(draft: PersonaDraft, description: str, limit: int = 300) -> str:
    """The greeting; empty where it is about somebody instead of by somebody."""
    text = spoken(draft.greeting, limit)
    if is_from_samples(text, description):
        return ""
    text = in_character(text)
    if len(text.split()) < 3 and text.isascii():
        return ""  # "Hi there!" greets nobody in particular
    opening = text[:60].casefold()
    if opening.startswith(("you are ", "you're ")) or (
        opening and opening in (draft.you[:60].casefold(), draft.tagline[:60].casefold())
    ):
        return ""
    return text if len(text) >= 6 else ""


def exchanges_of(draft: PersonaDraft, description: str) -> list[tuple[str, str]]:
    """The examples that can be shown to the model in every turn without spoiling it."""
    found: list[tuple[str, str]] = []
    greeting = draft.greeting[:40].casefold()
    for exchange in draft.talk[:4]:
        question, answer = fact(exchange.q, 120), in_character(spoken(exchange.a, 300))
        copied = is_from_samples(f"{exchange.q} {exchange.a}", description)
        if not question or len(answer) < 8 or copied or question.casefold() == answer.casefold():
            continue
        if answer[:40].casefold() == greeting or answer in (known for _, known in found):
            continue
        found.append((question, answer))
    return found[:2]


def is_on_subject(draft: PersonaDraft, description: str) -> bool:
    """Whether the draft speaks of what was described, as far as we can tell."""
    if find_subject(description) is None:
        return True
    said = f"{draft.kind} {draft.name} {draft.tagline} {draft.you} {draft.greeting} {draft.draw}"
    return is_about(said, description)


def uncopied(draft: PersonaDraft, description: str) -> PersonaDraft:
    """The draft without what small models take over of our examples, with other names in it.

    A cactus that dreads getting wet and lives in a hallway stand is our umbrella.
    """
    own = content_words(f"{description} {draft.name} {draft.kind} you like")

    def is_copied(text: str) -> bool:
        words = content_words(text) - own
        same = max(len(words & sampled) for sampled in _SAMPLED)
        return same >= _COPIED_WORDS and same > _COPIED * len(words)

    told = sentences(draft.you)
    left = [sentence for sentence in told if not is_copied(sentence)]
    changes = {}
    if len(left) < len(told):
        # Without its beginning, which says who it is, the rest hangs in the air.
        changes["you"] = " ".join(left) if left and left[0] == told[0] else ""
        borrowed = SAMPLE_DRAWN - _words(description)
        changes["draw"] = " ".join(w for w in draft.draw.split() if w.casefold() not in borrowed)
    if is_copied(draft.speech):
        changes["speech"] = ""
    return draft.model_copy(update=changes)


def is_from_samples(text: str, description: str) -> bool:
    """Whether a text was taken over from our examples instead of the description."""
    return bool(_words(text) & SAMPLE_WORDS - _words(description)) or bool(
        shingles(text) & SAMPLE_PHRASES
    )


def drawn_subject(draft: PersonaDraft, description: str) -> tuple[str, str]:
    """What to draw, and its details: the model's words where they are of the description.

    Returns:
        A short noun phrase in English and what belongs to it.
    """
    subject = find_subject(description)
    draw, details = fact(draft.draw, 60), fact(draft.details, 120)
    if is_from_samples(details, description) or _same(details, draft):
        details = ""
    if len(draw.split()) > 6 or re.match(r"(you|i|she|he|they|it)\b", draw, re.IGNORECASE):
        draw = ""
    if is_from_samples(draw, description):
        draw = ""
    noun = find_subject(draw)
    if noun is not None and len(draw.split()) > 3:
        draw, details = noun.phrase, f"{noun.rest}, {details}".strip(" ,")
    if subject is None:
        return draw or fact(draft.kind, 60), details
    if not draw or not _fits(draw, draft, subject, description):
        return subject.phrase, details
    return draw, details


def _words(text: str) -> set[str]:
    return {word.casefold().strip(".,!?") for word in text.split()}


def _fits(draw: str, draft: PersonaDraft, subject: Subject, description: str) -> bool:
    head = content_words(subject.head)
    if head & content_words(draw):
        return True
    if head & content_words(draft.kind):
        return False  # it is a lighthouse, so a lighthouse is drawn
    # A paraphrase, such as a lion for the king of the jungle: only if the model means it.
    return is_about(draw, draft.kind) or is_about(draw, description)


def _same(text: str, draft: PersonaDraft) -> bool:
    start = text[:30].casefold()
    others = (draft.you, draft.greeting, draft.tagline, draft.speech)
    return bool(start) and any(other[:30].casefold() == start for other in others)


def _is_junk(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    return bool(_JUNK.search(text)) or letters < 0.5 * len(text.replace(" ", ""))


def _repeats(text: str) -> bool:
    """Whether a text says the same sentence, or mostly the same words, again and again."""
    told = [sentence.casefold() for sentence in sentences(text)]
    if len(told) != len(set(told)):
        return True
    words = re.findall(r"\w+", text.casefold())
    return len(words) > 20 and len(set(words)) < 0.45 * len(words)


def _said_twice_only(text: str) -> bool:
    """Whether what stands before a loop is something by itself."""
    return len(text.split()) >= 5 and not _repeats(whole_sentences(text))
