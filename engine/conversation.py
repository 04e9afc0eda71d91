"""Message in, answer out: text at once, then speech, then a clip."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from engine.events import ReplyEvent
from engine.llm.base import LanguageModel
from engine.portrait.base import Image
from engine.speech.base import Speech, SpeechSynthesizer
from engine.talkinghead.base import Clip, TalkingHead
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.store import Storage

Mode = Literal["text", "voice", "clip"]


class Encode(Protocol):
    """Frames and speech in, video out; `engine.talkinghead.video.encode` is one."""

    def __call__(self, frames: Iterable[Image], speech: Speech, *, fps: int, size: int) -> Clip:
        """Encodes while the frames are drawn."""


class ConversationSettings(BaseModel):
    """Options of the section `[conversation]`."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(default="clip", description="what an answer is: text, voice or clip")
    reply_tokens: int = Field(default=220, ge=16, le=8192, description="longest answer, in tokens")
    history_tokens: int = Field(
        default=2000, ge=0, description="how much of the conversation the model is shown, in tokens"
    )
    clips_at_once: int = Field(default=1, ge=1, le=64, description="clips drawn at the same time")


class Conversations:
    """Answers messages in the name of personas."""

    def __init__(
        self,
        model: LanguageModel,
        synthesizer: SpeechSynthesizer,
        head: TalkingHead[Any],
        encode: Encode,
        storage: Storage,
        settings: ConversationSettings,
    ) -> None:
        raise NotImplementedError

    def reply(
        self,
        persona: Persona,
        conversation_id: str,
        message: str,
        author: str = "",
        *,
        mode: Mode | None = None,
    ) -> AsyncIterator[ReplyEvent]:
        """Answers `message`; text never waits for the clip."""
        raise NotImplementedError
