"""Chooses the talking head."""

from __future__ import annotations

from typing import Any

from engine.talkinghead.base import TalkingHead
from engine.talkinghead.settings import TalkingHeadSettings


def open_talking_head(settings: TalkingHeadSettings) -> TalkingHead[Any]:
    """The talking head that `settings` ask for; `auto` is the drawn one, which runs everywhere."""
    from engine.talkinghead.drawn import DrawnHead

    return DrawnHead(size=settings.size)
