"""PersonaWriter: who a description is of, written by a model and made sound by us."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.checks import (
    character_of,
    drawn_subject,
    exchanges_of,
    fact,
    greeting_of,
    is_from_samples,
    is_on_subject,
    uncopied,
)
from engine.llm.base import LanguageModel, Message, Sampling, UnusableAnswerError
from personas.errors import InvalidInputError
from personas.improvised import (
    guess_age,
    guess_gender,
    guess_mood,
    improvise,
    is_no_human,
    is_person,
    name_in,
)
from personas.languages import language_of
from personas.persona import Age, Exchange, Gender, Mood, Personality, PortraitBrief
from personas.prompts import AGES, GENDERS, MOODS, PersonaDraft, persona_prompt, persona_schema
from personas.styles import StyleCatalogue
from personas.subject import content_words, find_subject
from personas.text import plain, plain_name, shorten
from personas.voices import Part, VoiceCatalogue

log = logging.getLogger(__name__)

ANSWER_TOKENS = 700
ATTEMPTS = 2
_AGENT = re.compile(r"(?:er|or|ist|ian|ant|ent|man|woman|ess|eur|ai|boy|girl)$")
_THINGS = frozenset(
    {
        *("flower", "toaster", "printer", "tower", "computer", "lighter", "ladder", "hammer"),
        *("locker", "paper", "water", "pepper", "butter", "burger", "sweater", "slipper"),
        *("drawer", "mixer", "blender", "router", "server", "scooter", "tractor", "elevator"),
        *("refrigerator", "calculator", "radiator", "mirror", "motor", "door", "floor", "river"),
        *("tiger", "spider", "beaver", "otter", "hamster", "rooster", "lobster", "oyster"),
        *("alligator", "monster", "plant", "elephant", "ant", "tent", "cucumber", "feather"),
    }
)
"""Things that end like people who do something."""

_INTRODUCTION = re.compile(
    r"(?P<opening>\b(?:[Mm]y name is|[Mm]y name['’]s|[Tt]he name['’]s|[Cc]all me|I am|I['’]m) )"
    r"(?P<name>[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){0,3})(?=[.,!?;:—–-]|\s*$| and )"
)
_FROM_SOMEWHERE = re.compile(r"(?:ish|ese|ian|can|nch|eek)$")
"""I am Irish, I am French: no names."""
_OPENING = re.compile(r"^(You are )((?:The )?[A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,3})(,)")
_NO_KINDS = frozenset({"character", "persona", "person", "thing", "object", "system", "being"})


@dataclass(frozen=True)
class Written:
    """A personality and what follows from it.

    Attributes:
        personality: who it is.
        brief: what to draw, its style chosen.
        voice: a preset of the catalogue.
        improvised: no model wrote it.
    """

    personality: Personality
    brief: PortraitBrief
    voice: str
    improvised: bool = False


class PersonaWriter:
    """Turns descriptions into personalities.

    Whatever the model answers, the result is sound: what is missing, broken, off the subject or
    invented is taken from a personality of our own, and where too much of it is, all of it.
    """

    def __init__(
        self, model: LanguageModel, styles: StyleCatalogue, voices: VoiceCatalogue
    ) -> None:
        self._model = model
        self._styles = styles
        self._voices = voices
        offered = styles.proposed()
        self._names = [style.name for style in offered]
        self._people = [style.name for style in offered if style.for_people]

    async def write(
        self, description: str, seed: int, *, style: str = "", voice: str = ""
    ) -> Written:
        """Asks the model, once more if it fails, and improvises at last.

        Models that cannot invent are not asked: what we improvise is better.

        Args:
            description: accepted by `personas.descriptions.accept`.
            seed: of the model's choice of words and of ours.
            style: an entry of the catalogue, or empty to choose.
            voice: likewise.

        Raises:
            InvalidInputError: the model refuses to play this.
            UnavailableError: the model does not answer at all.
        """
        attempts = ATTEMPTS if self._model.invents else 0
        offered = self._voices.shortlist(Part.described(description))
        schema = persona_schema(self._names, offered)
        messages = await self._messages(description, offered) if attempts else []
        for attempt in range(attempts):
            sampling = Sampling(
                temperature=0.7, max_tokens=ANSWER_TOKENS, seed=seed + attempt * 1_000_003
            )
            try:
                draft = await self._model.parse(messages, schema, sampling)
            except UnusableAnswerError as error:
                log.info("The model's persona cannot be used: %s", error.__cause__ or error)
                continue
            refusal = plain(draft.refusal, 200)
            if len(refusal.split()) > 1 and not (draft.you or draft.greeting):
                reason = refusal.rstrip(" .!?…")
                raise InvalidInputError(f"The language model refuses this description: {reason}.")
            written = self.compose(draft, description, seed, style=style, voice=voice)
            if written is not None:
                return written
            log.info("The model's persona is no good: %s", draft)
        draft = improvise(description, seed)
        written = self.compose(draft, description, seed, style=style, voice=voice, own=True)
        assert written is not None
        return written

    def compose(
        self,
        draft: PersonaDraft,
        description: str,
        seed: int,
        *,
        style: str = "",
        voice: str = "",
        own: bool = False,
    ) -> Written | None:
        """A sound persona of a draft; None where too little of it can be used.

        Args:
            draft: what was written.
            description: of whom.
            seed: of what we add.
            style: an entry of the catalogue, or empty to choose.
            voice: likewise.
            own: the draft is ours, and good.
        """
        draft = draft if own else uncopied(draft, description)
        character, greeting = character_of(draft), greeting_of(draft, description)
        exchanges = exchanges_of(draft, description)
        speech, tagline = fact(draft.speech, 160), fact(draft.tagline, 140)
        if is_from_samples(tagline, description):
            tagline = ""
        if re.search(r"\b(I am|I'm|my name is)\b|^(you|she|he|it) (are|is)\b", speech):
            speech = ""
        faults = sum(not part for part in (character, greeting, speech, exchanges))
        if not own and (faults >= 3 or not is_on_subject(draft, description)):
            return None

        gender, age, mood = _traits(draft, description)
        kind = self._kind(draft, description)
        ours = improvise(description, seed, gender=gender, mood=mood)
        name = _name(draft, description, kind) or ours.name
        ours = improvise(description, seed, name=name, gender=gender, mood=mood)
        renamed = _Renamed(plain_name(draft.name), name)
        character = _OPENING.sub(lambda m: f"{m.group(1)}{name}{m.group(3)}", character)
        fill = [(exchange.q, exchange.a) for exchange in ours.talk]
        talk = [(q, renamed(a)) for q, a in exchanges] + fill
        greeting = renamed(greeting) or ours.greeting
        personality = Personality(
            name=name,
            kind=kind,
            tagline=renamed(tagline) or shorten(ours.tagline, 140),
            character=renamed(character) or ours.you,
            speaking_style=speech or ours.speech,
            greeting=greeting,
            examples=tuple(Exchange(user=q, reply=a) for q, a in talk[:2]),
            language=language_of(greeting, draft.lang),
            gender=gender,
            age=age,
            mood=mood,
        )
        subject, details = drawn_subject(draft, description)
        brief = PortraitBrief(
            subject=subject or kind,
            details=details,
            mood=mood,
            gender=gender,
            age=age,
            is_person=_is_person(draft, description),
        )
        brief = brief.model_copy(update={"style": self._style(style, draft.look, brief, seed)})
        preset = self._voice(voice, draft.voice, personality, brief.subject, seed)
        return Written(personality, brief, preset, improvised=own)

    async def _messages(self, description: str, voices: Sequence[str]) -> list[Message]:
        """The prompt; a description that would not leave room for the answer is shortened."""
        limit = len(description)
        while True:
            lines = persona_prompt(shorten(description, limit), self._names, self._people, voices)
            text = "\n".join(line.content for line in lines)
            room = self._model.context_tokens - ANSWER_TOKENS - 64
            if limit <= 200 or await self._model.count_tokens(text) <= room:
                return [Message(line.role, line.content) for line in lines]
            limit = limit * 2 // 3

    def _kind(self, draft: PersonaDraft, description: str) -> str:
        subject = find_subject(description)
        kind = fact(draft.kind, 60).strip(" .")
        good = kind.lower() not in _NO_KINDS and not is_from_samples(kind, description)
        if kind and good and len(kind.split()) <= 6:
            return kind
        if subject is not None:
            return subject.phrase
        return improvise(description, 0).kind

    def _style(self, wanted: str, chosen: str, brief: PortraitBrief, seed: int) -> str:
        """The person's choice, else the model's if it suits, else one by the seed."""
        if wanted:
            return self._styles.resolve(wanted, brief).name
        fitting = [style.name for style in self._styles.proposed() if style.suits(brief)]
        if chosen in fitting:
            return chosen
        return random.Random(f"style {seed}").choice(fitting or self._names)

    def _voice(
        self, wanted: str, chosen: str, personality: Personality, about: str, seed: int
    ) -> str:
        """The person's choice, else the model's if it suits who speaks, else the best fitting."""
        if not wanted:
            preset = self._voices.find(chosen)
            if preset is not None:
                opposite = {preset.gender, personality.gender} == {"female", "male"}
                years_apart = abs(AGES.index(preset.age) - AGES.index(personality.age))
                if not opposite and years_apart < 2:
                    wanted = preset.name
        return self._voices.resolve(wanted, personality, about=about, seed=seed).name


@dataclass(frozen=True)
class _Renamed:
    """Puts a persona's name where the model wrote another: one not kept, or one it slipped into."""

    old: str
    new: str

    def __call__(self, text: str) -> str:
        if len(self.old) >= 3 and self.old != self.new:
            text = re.sub(rf"\b{re.escape(self.old)}\b", lambda _: self.new, text)
        return _INTRODUCTION.sub(self._introduced, text)

    def _introduced(self, match: re.Match[str]) -> str:
        said = match["name"]
        same = content_words(said) & content_words(self.new)
        if same or _FROM_SOMEWHERE.search(said) or not content_words(self.new):
            return match[0]
        return f"{match['opening']}{self.new}"


def _traits(draft: PersonaDraft, description: str) -> tuple[Gender, Age, Mood]:
    """Gender, age and mood: what the description says, else what the model chose."""
    gender, age = guess_gender(description), guess_age(description)
    if gender == "neutral" and draft.gender in GENDERS:
        gender = draft.gender  # type: ignore[assignment]
    if age == "adult" and draft.age in AGES:
        age = draft.age  # type: ignore[assignment]
    mood = guess_mood(description) or (Mood(draft.mood) if draft.mood in MOODS else Mood.CALM)
    return gender, age, mood


def _name(draft: PersonaDraft, description: str, kind: str) -> str:
    """The name, unless it is none: the kind again, words of ours, too long, or nothing."""
    given = name_in(description)
    if given:
        return given
    name = plain_name(draft.name, 40)
    letters = sum(character.isalpha() for character in name)
    if letters < 2 or len(name.split()) > 4 or is_from_samples(name, description):
        return ""
    own = {word for word in re.findall(r"\w+", description) if word[:1].isupper()}
    borrowed = content_words(name) & (content_words(description) | content_words(kind))
    if borrowed and not borrowed <= content_words(" ".join(own)):
        return ""
    return name


def _is_person(draft: PersonaDraft, description: str) -> bool:
    """Whether a human is to be drawn: the noun decides where we know it, else the model."""
    subject = find_subject(description) or find_subject(draft.kind)
    if is_person(description, subject):
        return True
    if not draft.person or subject is None:
        return draft.person
    if is_no_human(subject) or subject.head in _THINGS:
        return False
    has_name = subject.head.capitalize() in description  # Sherlock Holmes
    return has_name or bool(_AGENT.search(subject.head))
