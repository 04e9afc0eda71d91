"""Posted: the messages that a growing text has become on a platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence


class Posted:
    """Keeps messages in step with the pieces of a text, with as few calls as possible.

    Args:
        send: posts the piece with this number, from 0; returns the message's id.
        edit: changes a message.
        delete: removes a message that is one too many.
        known: messages that are there already, to be changed instead of posting new ones.
    """

    def __init__(
        self,
        send: Callable[[int, str], Awaitable[str]],
        edit: Callable[[str, str], Awaitable[None]],
        delete: Callable[[str], Awaitable[None]],
        known: Sequence[str] = (),
    ) -> None:
        self._send = send
        self._edit = edit
        self._delete = delete
        self._ids = list(known)
        self._texts: list[str | None] = [None] * len(known)

    @property
    def ids(self) -> tuple[str, ...]:
        """The messages, in order."""
        return tuple(self._ids)

    @property
    def texts(self) -> tuple[str | None, ...]:
        """What each message says; None where that is not known."""
        return tuple(self._texts)

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Posts new pieces and edits changed ones; at the end, messages too many go.

        A call that fails leaves what was done before it, so it can be repeated.
        """
        for number, piece in enumerate(pieces):
            if number == len(self._ids):
                self._ids.append(await self._send(number, piece))
                self._texts.append(piece)
            elif self._texts[number] != piece:
                await self._edit(self._ids[number], piece)
                self._texts[number] = piece
        while final and len(self._ids) > max(1, len(pieces)):
            await self._delete(self._ids[-1])
            self._ids.pop()
            self._texts.pop()
