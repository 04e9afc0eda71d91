"""Description in, persona out, as a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.drawing import discard, keys_of
from engine.events import (
    CreationEvent,
    CreationFailed,
    PersonalityReady,
    PersonaReady,
    PortraitProgress,
    PortraitReady,
)
from engine.jobs.asking import Asker
from engine.jobs.base import Priority
from engine.jobs.factory import local_studio
from engine.llm.base import LanguageModel
from engine.observing import NOBODY, Observer
from engine.pictures import check_upload
from engine.portrait.base import PortraitGenerator
from engine.stopwatch import Stopwatch
from engine.studio import Studio
from engine.writer import PersonaWriter, Written
from personas.descriptions import accept
from personas.errors import ChatAnythingError
from personas.improvised import is_person
from personas.persona import MediaKey, Persona, Personality, Portrait, PortraitBrief, slugify
from personas.text import plain

if TYPE_CHECKING:
    from engine.heads import Heads
    from personas.styles import StyleCatalogue
    from personas.voices import VoiceCatalogue
    from storage.store import Storage

log = logging.getLogger(__name__)

_UNEXPECTED = "The persona could not be made because of a fault in the program. The log says more."


@dataclass(frozen=True)
class CreationRequest:
    """What somebody asks for.

    Attributes:
        description: any text, at most `MAX_DESCRIPTION` characters.
        gallery: the community the persona will belong to.
        creator: who asks, as the platform names them.
        seed: decides everything that is left open; drawn when None.
        style: an entry of the catalogue of styles; empty: the model chooses.
        voice: an entry of the catalogue of voices; empty: the model casts.
        photo: an image file to use as its appearance.
        adult: it is only for channels that keep children out.
    """

    description: str
    gallery: str = "terminal"
    creator: str = ""
    seed: int | None = None
    style: str = ""
    voice: str = ""
    photo: bytes | None = None
    adult: bool = False


class Creator:
    """Builds personas.

    A persona is stored last, in one step and whole; until then nothing of it counts, and what a
    failed or cancelled creation put aside is given up.

    Args:
        model: writes personalities.
        portraits: draws, where no `studio` has it done.
        styles: the catalogue of looks.
        voices: the catalogue of voices.
        storage: where personas are kept.
        studio: has portraits drawn, here or elsewhere; one of this process when None.
        observer: told how long each stage takes.
        heads: prepares portraits for their clips as soon as they are kept; None leaves it to the
            first clip.
    """

    def __init__(
        self,
        model: LanguageModel,
        portraits: PortraitGenerator | None,
        styles: StyleCatalogue,
        voices: VoiceCatalogue,
        storage: Storage,
        *,
        studio: Studio | None = None,
        observer: Observer = NOBODY,
        heads: Heads | None = None,
    ) -> None:
        self._observer = observer
        self._model = model
        self._styles = styles
        self._voices = voices
        self._storage = storage
        self._heads = heads
        self._writer = PersonaWriter(model, styles, voices)
        self._studio = studio or local_studio(
            storage,
            generator=(lambda: portraits) if portraits is not None else None,
            observer=observer,
        )

    async def create(self, request: CreationRequest) -> AsyncGenerator[CreationEvent]:
        """Makes a persona; the last event is `PersonaReady` or `CreationFailed`.

        What was made of the same inputs before is given again. Closing the iterator cancels the
        creation and leaves nothing of it.
        """
        events = self._create(request)
        async with contextlib.aclosing(explained(events)) as told:
            async for event in told:
                yield event

    async def adopt(
        self,
        personality: Personality,
        request: CreationRequest,
        *,
        brief: PortraitBrief | None = None,
        card: dict[str, Any] | None = None,
    ) -> AsyncGenerator[CreationEvent]:
        """Gives a face and a voice to a personality that was written elsewhere.

        Args:
            personality: who it is; no language model is asked.
            request: its description is kept as it is, and may be empty.
            brief: what to draw; made of the personality when None.
            card: fields of an imported character card to keep along.
        """
        events = self._adopt(personality, request, brief, card or {})
        async with contextlib.aclosing(explained(events)) as told:
            async for event in told:
                yield event

    async def find(
        self, description: str, gallery: str, seed: int, *, style: str = "", voice: str = ""
    ) -> Persona | None:
        """The persona that was made of these inputs by this model, or None.

        Raises:
            InvalidInputError: nothing can be made of the description.
        """
        request = CreationRequest(
            accept(description), gallery=gallery, seed=seed, style=style, voice=voice
        )
        return await self._storage.personas.by_id(self._id(request, self._model.name))

    async def check(self, picture: bytes, gallery: str, member: str = "") -> None:
        """Has a picture looked at that becomes a persona's as it is.

        Args:
            picture: an image file.
            gallery: the community it will be seen in.
            member: who brings it, as the platform names them.

        Raises:
            ChatAnythingError: it is not fit for everybody, or cannot be looked at; says why.
        """
        asker = Asker(gallery, plain(member, 100), Priority.PORTRAIT)
        await self._studio.check(picture, asker)

    async def new_portrait(
        self, persona: Persona, *, seed: int | None = None, style: str = ""
    ) -> AsyncGenerator[CreationEvent]:
        """Draws a stored persona anew; the last event is `PersonaReady` or `CreationFailed`."""
        events = self._redraw(persona, _seed(seed), style)
        async with contextlib.aclosing(explained(events)) as told:
            async for event in told:
                yield event

    async def new_voice(
        self, persona: Persona, voice: str = "", *, seed: int | None = None
    ) -> Persona:
        """Casts a stored persona anew and stores it.

        Raises:
            NotFoundError: there is no such voice, or the persona was deleted.
        """
        preset = (
            self._voices.get(voice)
            if voice
            else self._voices.resolve(persona.voice.preset, persona.personality)
        )
        cast = self._voices.cast(preset.name, _seed(seed))
        return await self._storage.personas.change(
            persona.id, lambda stored: stored.model_copy(update={"voice": cast})
        )

    async def _create(self, request: CreationRequest) -> AsyncGenerator[CreationEvent]:
        watch = Stopwatch(self._observer)
        request = self._checked(replace(request, description=accept(request.description)))
        assert request.seed is not None
        persona_id = self._id(request, self._model.name)
        existing = await self._storage.personas.by_id(persona_id)
        if existing is not None:
            yield PersonaReady(existing, existing=True)
            return
        await _check_photo(request)
        with watch.stage("personality"):
            written = await self._writer.write(
                request.description, request.seed, style=request.style, voice=request.voice
            )
        yield PersonalityReady(written.personality, written.brief, written.improvised)
        async with contextlib.aclosing(
            self._embody(request, written, persona_id, self._model.name, {}, watch)
        ) as events:
            async for event in events:
                yield event

    async def _adopt(
        self,
        personality: Personality,
        request: CreationRequest,
        brief: PortraitBrief | None,
        card: dict[str, Any],
    ) -> AsyncGenerator[CreationEvent]:
        request = self._checked(request)
        author = f"card:{personality.model_dump_json()}"
        persona_id = self._id(request, author)
        existing = await self._storage.personas.by_id(persona_id)
        if existing is not None:
            yield PersonaReady(existing, existing=True)
            return
        await _check_photo(request)
        brief = brief or brief_of(personality)
        style = self._styles.resolve(request.style or brief.style, brief).name
        written = Written(
            personality,
            brief.model_copy(update={"style": style}),
            self._voices.resolve(request.voice, personality).name,
        )
        yield PersonalityReady(personality, written.brief)
        async with contextlib.aclosing(
            self._embody(request, written, persona_id, "", card, Stopwatch(self._observer))
        ) as events:
            async for event in events:
                yield event

    def _embody(
        self,
        request: CreationRequest,
        written: Written,
        persona_id: str,
        model: str,
        card: dict[str, Any],
        watch: Stopwatch,
    ) -> AsyncGenerator[CreationEvent]:
        """Portrait, voice, and the storing of it all."""
        seed = _seed(request.seed)

        async def add(portrait: Portrait) -> Persona:
            persona = Persona(
                id=persona_id,
                slug=slugify(written.personality.name, slugify(written.personality.kind)),
                gallery=request.gallery,
                creator=plain(request.creator, 100),
                description=request.description,
                personality=written.personality,
                portrait=portrait,
                voice=self._voices.cast(written.voice, seed),
                seed=seed,
                model=model,
                created_at=datetime.now(UTC),
                adult=request.adult,
                card=card,
            )
            stored = await self._storage.personas.add(persona)
            if stored.portrait != portrait:  # somebody else was faster with the same persona
                await discard(self._storage.media, keys_of(portrait))
            return stored

        brief = written.brief.model_copy(update={"adult": request.adult})
        if request.photo is not None and not request.style:
            # The picture is how it looks; it is only painted anew in a look that was asked for.
            brief = brief.model_copy(update={"style": ""})
        asker = Asker(request.gallery, plain(request.creator, 100), Priority.PORTRAIT)
        return self._portray(brief, seed, request.photo, asker, watch, add)

    def _redraw(self, persona: Persona, seed: int, style: str) -> AsyncGenerator[CreationEvent]:
        brief = brief_of(persona.personality)
        chosen = self._styles.get(style) if style else self._styles.resolve("", brief)
        brief = brief.model_copy(update={"style": chosen.name, "adult": persona.adult})

        async def change(portrait: Portrait) -> Persona:
            # While it was painted, others may have changed the rest.
            return await self._storage.personas.change(
                persona.id, lambda stored: stored.model_copy(update={"portrait": portrait})
            )

        asker = Asker(persona.gallery, priority=Priority.AGAIN)
        return self._portray(brief, seed, None, asker, Stopwatch(self._observer), change)

    async def _portray(
        self,
        brief: PortraitBrief,
        seed: int,
        upload: bytes | None,
        asker: Asker,
        watch: Stopwatch,
        store: Callable[[Portrait], Awaitable[Persona]],
    ) -> AsyncGenerator[CreationEvent]:
        """Has a portrait drawn; `store` makes it a persona's, or nothing of it is left."""
        portrait: Portrait | None = None
        # Who draws it tells how long that takes; this is how long it takes to get it.
        with watch.stage("portrait", told=False):
            async with contextlib.aclosing(
                self._studio.portray(brief, seed, upload, asker)
            ) as steps:
                async for step in steps:
                    if isinstance(step, PortraitProgress):
                        yield step
                    else:
                        portrait = step
            assert portrait is not None
            image = await self._studio.products.get(portrait.image)
        yield PortraitReady(image)
        with watch.stage("storing"):
            taken: list[MediaKey] = []
            try:
                for key in keys_of(portrait):
                    await self._studio.products.take(key)
                    taken.append(key)
                if self._heads is not None:
                    await self._heads.prepare_ahead(portrait)
                stored = await store(portrait)
            except BaseException:
                await asyncio.shield(discard(self._storage.media, taken))
                raise
        yield PersonaReady(stored, dict(watch.seconds))

    def _checked(self, request: CreationRequest) -> CreationRequest:
        """The request with a seed and with names of the catalogues as they are spelled there."""
        return replace(
            request,
            seed=_seed(request.seed),
            style=self._styles.get(request.style).name if request.style else "",
            voice=self._voices.get(request.voice).name if request.voice else "",
        )

    @staticmethod
    def _id(request: CreationRequest, author: str) -> str:
        """The hash of the inputs: the same persona asked for twice is made once."""
        photo = hashlib.sha256(request.photo).hexdigest() if request.photo is not None else ""
        inputs = [
            request.gallery,
            request.description,
            request.seed,
            author,
            request.style,
            request.voice,
            photo,
        ]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:32]


def brief_of(personality: Personality) -> PortraitBrief:
    """What to draw for a personality that came without a brief."""
    return PortraitBrief(
        subject=personality.kind,
        details=personality.tagline,
        mood=personality.mood,
        gender=personality.gender,
        age=personality.age,
        is_person=is_person(personality.kind),
    )


async def explained(
    events: AsyncGenerator[CreationEvent],
) -> AsyncGenerator[CreationEvent]:
    """The events, with a failure as the last of them instead of an exception."""
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                yield event
    except ChatAnythingError as error:
        if error.__cause__ is not None:
            log.warning("Creation failed: %s", error, exc_info=error)
        yield CreationFailed(str(error))
    except Exception:
        log.exception("Creation failed")
        yield CreationFailed(_UNEXPECTED)


async def _check_photo(request: CreationRequest) -> None:
    """Refuses what is no picture before anybody has worked for it."""
    if request.photo is not None:
        await asyncio.to_thread(check_upload, request.photo)


def _seed(seed: int | None) -> int:
    return secrets.randbelow(2**31) if seed is None else seed & 0x7FFF_FFFF
