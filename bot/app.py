"""The composition root: settings -> storage -> engine -> adapters. Everything is wired here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from bot.chat.chat import Chat
    from bot.operating.operating import Operating
    from bot.settings import Settings
    from engine.conversation import Conversations
    from engine.creation import Creator
    from engine.hearing.base import SpeechRecognizer
    from engine.jobs.base import JobQueue
    from engine.llm.base import LanguageModel
    from engine.models.store import ModelStore
    from engine.portrait.base import PortraitGenerator
    from engine.speaking import Speaking
    from engine.speech.base import SpeechSynthesizer
    from engine.speech.ensemble import Ensemble
    from engine.studio import Studio
    from engine.talkinghead.base import TalkingHead
    from personas.styles import StyleCatalogue
    from personas.voices import VoiceCatalogue
    from storage.media import MediaStore
    from storage.store import Storage

_HURRY_SECONDS: Final = 2.0
"""How long closing may take where somebody has pressed Ctrl+C and waits."""


class App:
    """The parts of the program, each made when it is first asked for, and closed at the end.

    Listing personas opens the storage and nothing else; a language model is loaded only by what
    talks to one.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._storage: Storage | None = None
        self._model: LanguageModel | None = None
        self._studio: Studio | None = None
        self._creator: Creator | None = None
        self._conversations: Conversations | None = None
        self._chat: Chat | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, asyncio.CancelledError):
            await self._open.aclose()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HURRY_SECONDS):
                await self._open.aclose()

    @cached_property
    def operating(self) -> Operating:
        """How this process is looked after, and who is told what the machines do."""
        from bot.operating.operating import Operating

        return Operating(self.settings.operating)

    @cached_property
    def models(self) -> ModelStore:
        """The model store."""
        from engine.models.store import ModelStore

        return ModelStore.from_settings(self.settings.models)

    @cached_property
    def styles(self) -> StyleCatalogue:
        """The mixture of diffusers: the catalogue of looks, those that can be painted here."""
        from engine.portrait.factory import open_styles

        return open_styles(self.settings.portrait, offline=self.settings.models.offline)

    @cached_property
    def ensemble(self) -> Ensemble:
        """The engines that may speak."""
        from engine.speech.factory import open_ensemble

        return open_ensemble(self.settings.speech, self.models, observer=self.operating.observer)

    @cached_property
    def voices(self) -> VoiceCatalogue:
        """The mixture of voices: the catalogue, cast from those that can speak here."""
        from personas.voices import load_voices

        return load_voices().available(self.ensemble)

    @cached_property
    def portraits(self) -> PortraitGenerator:
        """Who draws."""
        from engine.portrait.factory import open_portrait_generator

        head = self.head.capabilities
        return open_portrait_generator(
            self.settings.portrait,
            self.models,
            needs_landmarks=head.needs_landmarks,
            keep_faces=head.keeps_faces,
            offline=self.settings.models.offline,
        )

    @cached_property
    def synthesizer(self) -> SpeechSynthesizer:
        """Who speaks."""
        from engine.speech.factory import open_synthesizer

        return open_synthesizer(
            voices=self.voices, ensemble=self.ensemble, observer=self.operating.observer
        )

    @cached_property
    def recognizer(self) -> SpeechRecognizer | None:
        """Who listens; None where nobody shall, or nobody can."""
        from engine.hearing.factory import open_recognizer

        return open_recognizer(self.settings.hearing, self.models)

    @cached_property
    def head(self) -> TalkingHead[Any]:
        """Who moves the face."""
        from engine.talkinghead.factory import open_talking_head

        return open_talking_head(self.settings.talking_head, self.models)

    async def storage(self) -> Storage:
        """Where things are kept; opened once."""
        from storage.store import Storage

        async with self._opening:
            if self._storage is None:
                opened = await Storage.open(self.settings.storage)
                self._open.push_async_callback(opened.aclose)
                self._storage = opened
            return self._storage

    async def model(self) -> LanguageModel:
        """Who writes; chosen once."""
        from engine.llm.factory import open_language_model

        async with self._opening:
            if self._model is None:
                model = open_language_model(
                    self.settings.language_model, self.models, self.operating.observer
                )
                self._open.push_async_callback(model.aclose)
                self._model = model
            return self._model

    def speaking(self, media: MediaStore) -> Speaking:
        """Voices and faces of this process, for portraits that are kept in `media`."""
        from engine.speaking import Speaking
        from engine.talkinghead.video import encode

        encoder = partial(encode, settings=self.settings.talking_head.encoder)
        observer = self.operating.observer
        return Speaking(self.synthesizer, self.head, encoder, media, observer=observer)

    async def studio(self) -> Studio:
        """Where portraits, voices and clips are ordered; opened once.

        Heavy work is done in this process, or else by workers and not here at all.
        """
        storage = await self.storage()
        async with self._opening:
            if self._studio is None:
                self._studio = await self._open_studio(storage)
                self._open.push_async_callback(self._studio.aclose)
            return self._studio

    async def queue(self) -> JobQueue:
        """Where work waits, to look at it."""
        from engine.jobs.factory import open_queue

        storage = await self.storage()
        queue = await open_queue(self.settings.jobs, self.settings.storage.database, storage)
        self._open.push_async_callback(queue.aclose)
        return queue

    def fingerprint(self) -> Mapping[str, str]:
        """What workers and bots must have in common."""
        from engine.jobs.identity import fingerprint

        head, portrait = self.settings.talking_head, self.settings.portrait
        return fingerprint(renderer=head.renderer, size=head.size, portrait_size=portrait.size)

    async def _open_studio(self, storage: Storage) -> Studio:
        from engine.jobs.factory import local_studio, open_shared_queue
        from engine.jobs.identity import made_by
        from engine.jobs.products import StoredProducts
        from engine.studio import Studio

        settings = self.settings
        identity = made_by(settings.portrait, settings.speech, settings.talking_head)
        if settings.jobs.backend == "saq":
            queue = await open_shared_queue(settings.jobs, settings.storage.database, storage)
            from engine.jobs.saq.fingerprint import publish

            await publish(queue.database, self.fingerprint())
            products = StoredProducts(storage.media, settings.jobs.result_seconds)
            return Studio(queue, products, settings.jobs, made_by=identity)
        return local_studio(
            storage,
            generator=lambda: self.portraits,
            speaking=self.speaking(storage.media),
            clips_at_once=settings.conversation.clips_at_once,
            settings=settings.jobs,
            made_by=identity,
            observer=self.operating.observer,
        )

    async def creator(self) -> Creator:
        """Who builds personas."""
        from engine.creation import Creator
        from engine.heads import Heads

        storage, model, studio = await self.storage(), await self.model(), await self.studio()
        if self._creator is None:
            heads = None
            if not studio.queue.capabilities.shared:
                _ = self.portraits  # what is missing is told before anybody waits
                heads = Heads(self.head, storage.media, kept=1)
            self._creator = Creator(
                model,
                None,
                self.styles,
                self.voices,
                storage,
                studio=studio,
                observer=self.operating.observer,
                heads=heads,
            )
        return self._creator

    async def conversations(self) -> Conversations:
        """Who answers messages; one for all, because it orders the replies of a conversation."""
        from engine.conversation import Conversations

        storage, model, studio = await self.storage(), await self.model(), await self.studio()
        if self._conversations is None:
            self._conversations = Conversations(
                model,
                None,
                None,
                None,
                storage,
                self.settings.conversation,
                studio=studio,
                observer=self.operating.observer,
            )
        return self._conversations

    async def chat(self) -> Chat:
        """The platform-neutral half of every adapter; one for all of them."""
        from bot.chat.chat import Chat

        storage, creator = await self.storage(), await self.creator()
        conversations = await self.conversations()
        if self._chat is None:
            self._chat = Chat(
                storage,
                creator,
                conversations,
                self.styles,
                self.voices,
                self.recognizer,
                self.settings.chat,
                self.settings.conversation,
                self.settings.hearing,
                budget=self.settings.budget,
                observer=self.operating.observer,
            )
        return self._chat
