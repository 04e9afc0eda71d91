"""Chat: all that an adapter needs, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.chat.accounts import Accounts
from bot.chat.budgets import Budgets
from bot.chat.decency import Decency
from bot.chat.ears import Ears
from bot.chat.exchange import Exchanges
from bot.chat.gallery import Gallery
from bot.chat.listeners import Listeners
from bot.chat.makings import Makings
from bot.chat.pending import Pendings
from bot.chat.purse import Purse
from bot.chat.quotas import Quotas
from bot.chat.replies import Replies
from bot.chat.rights import Rights
from bot.chat.rooms import Rooms
from bot.chat.settings import BudgetSettings, ChatSettings
from bot.chat.works import Works
from engine.observing import NOBODY, Observer

if TYPE_CHECKING:
    from engine.conversation import Conversations, ConversationSettings
    from engine.creation import Creator
    from engine.hearing.base import SpeechRecognizer
    from engine.hearing.settings import HearingSettings
    from personas.styles import StyleCatalogue
    from personas.voices import VoiceCatalogue
    from storage.store import Storage


class Chat:
    """The platform-neutral half of every adapter.

    An adapter calls `replies.receive` with each message, and one function of `gallery`, `rooms`
    or `replies` for each command and button. All of them check the rights of who asks, and raise
    a `ChatAnythingError` whose sentence is for that person.

    Args:
        storage: what is kept.
        creator: makes personas.
        conversations: make answers.
        styles: the catalogue of looks, to choose from.
        voices: the catalogue of voices, to choose from.
        recognizer: understands voice messages; None where nobody can.
        settings: limits of this program.
        conversation: how answers are.
        hearing: limits of recordings.
        budget: what it may cost.
        observer: told of each request.

    Attributes:
        gallery: personas found, made, changed, carried in and out.
        makings: personas that are being made, those that killed processes have left included.
        rooms: who lives in a channel, how answers are there, and the community's rules.
        replies: messages answered; answers had again, stopped and taken back.
        styles: the catalogue of looks.
        voices: the catalogue of voices.
        takeover_seconds: how often an adapter looks for what killed processes have left.
    """

    def __init__(
        self,
        storage: Storage,
        creator: Creator,
        conversations: Conversations,
        styles: StyleCatalogue,
        voices: VoiceCatalogue,
        recognizer: SpeechRecognizer | None,
        settings: ChatSettings,
        conversation: ConversationSettings,
        hearing: HearingSettings,
        *,
        budget: BudgetSettings | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self.styles = styles
        self.voices = voices
        self.takeover_seconds = settings.takeover_seconds
        self._storage = storage
        rights = Rights(storage)
        quotas = Quotas(storage, settings)
        listeners = Listeners(storage, rights)
        accounts = Accounts(storage, observer)
        budgets = Budgets(
            storage,
            budget or BudgetSettings(),
            lambda: conversations.devices,
        )
        self._works = Works(
            storage,
            conversations,
            rights,
            quotas,
            budgets,
            accounts,
            settings,
            conversation.mode,
        )
        purse = Purse(rights, quotas, budgets, accounts)
        decency = Decency()
        self.makings = Makings(storage, creator, purse, settings)
        self.gallery = Gallery(
            storage, creator, conversations, rights, purse, self.makings, decency
        )
        self.rooms = Rooms(storage, conversations, rights, listeners, budgets)
        self.replies = Replies(
            storage,
            conversations,
            rights,
            listeners,
            Exchanges(
                storage,
                conversations,
                Ears(recognizer, hearing.max_seconds, hearing.max_bytes, observer=observer),
                self._works,
                settings.longest_message,
            ),
            Pendings(storage, settings),
            self._works,
        )

    @property
    def in_flight(self) -> int:
        """How many answers are being made."""
        return len(self._works)

    @property
    def queues(self) -> dict[str, tuple[int, float]]:
        """What waits, by kind: how many, and how many seconds the first of them has."""
        return self._works.queues

    async def move(
        self, gallery: tuple[str, str] | None = None, channel: tuple[str, str] | None = None
    ) -> None:
        """Follows a community or a channel to another id: (old, new)."""
        if gallery is not None:
            await self._storage.galleries.move(*gallery)
        if channel is not None:
            await self._storage.channels.move(*channel)

    async def aclose(self, grace: float = 20.0) -> None:
        """Finishes what is in flight, and stops what takes too long.

        Messages that still come in are written down, for the next process to answer.
        """
        await self._works.aclose(grace)
