"""Adapter: what connects the chat with a platform, as long as it runs."""

from __future__ import annotations

from typing import Protocol


class Adapter(Protocol):
    """One platform's half of the program; `chatanything serve` runs several side by side."""

    @property
    def name(self) -> str:
        """The platform, for people to read."""

    @property
    def obstacle(self) -> str:
        """Why no messages can come in at the moment; empty where they can."""

    async def run(self) -> None:
        """Connects and serves until `aclose` is called.

        Raises:
            ChatAnythingError: it cannot be connected; the sentence says what to do.
        """

    async def aclose(self) -> None:
        """Disconnects. Safe to call at any time, and twice."""
