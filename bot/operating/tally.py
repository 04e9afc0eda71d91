"""Tally: what a request has cost, noted on the request itself."""

from __future__ import annotations

from engine.observing import Observer, current


class Tally(Observer):
    """Adds tokens and seconds of heavy work to the request that they are spent on."""

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        """Adds the milliseconds of a device."""
        request = current()
        if request is not None and device:
            kind = f"{name[:9]}/{device.partition(':')[0][:6]}"
            request.spend(kind, round(seconds * 1000))

    def tokens(self, prompt: int, completion: int) -> None:
        """Adds tokens."""
        request = current()
        if request is not None:
            request.spend("tokens/in", prompt)
            request.spend("tokens/out", completion)
