"""Demand: what so many communities need of each resource, by arithmetic."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from engine.capacity.assumptions import DAY, Assumptions

_SHARED: Final = "Nothing but a larger one, or a second one with communities of its own."


@dataclass(frozen=True)
class Resource:
    """Something that fills up.

    Attributes:
        name: what it is.
        unit: what it is counted in.
        need: of `unit` in the busiest hour.
        each: of `unit` that one of it gives.
        more: what is done when one is full.
    """

    name: str
    unit: str
    need: float
    each: float
    more: str

    @property
    def count(self) -> float:
        """How many of it are kept busy, in the busiest hour."""
        return self.need / self.each


@dataclass(frozen=True)
class Demand:
    """What so many communities ask for.

    Attributes:
        assumptions: what it goes by.
        communities: how many there are.
    """

    assumptions: Assumptions
    communities: int

    @property
    def messages(self) -> float:
        """Messages a second that are answered, in the busiest hour; those answered again too."""
        a = self.assumptions
        return self.communities * a.messages * (1 + a.again_share) * a.peak / DAY

    @property
    def clips(self) -> float:
        """Clips a second, in the busiest hour."""
        return self.messages * self.assumptions.clip_share

    @property
    def portraits(self) -> float:
        """Portraits a second, in the busiest hour."""
        a = self.assumptions
        return self.communities * a.portraits * a.peak / DAY

    @property
    def jobs(self) -> float:
        """Jobs a second through the queue: a clip's speech, the clip, portraits."""
        return 2 * self.clips + self.portraits

    @property
    def transactions(self) -> float:
        """Transactions a second, as if every message had a clip: the most they can be."""
        return self.messages * self.assumptions.transactions

    @property
    def stored(self) -> float:
        """Bytes of clips that are kept at any time."""
        a = self.assumptions
        a_day = self.communities * a.messages * (1 + a.again_share) * a.clip_share
        return a_day * a.keep_days * a.clip_seconds * a.clip_bytes

    @property
    def traffic(self) -> float:
        """Bytes a second in and out of the media store, and out to the platform.

        A speech goes in once, and out to the clip's worker and the bot; a clip goes in once, out
        to the bot, and on to the platform.
        """
        a = self.assumptions
        clip = a.clip_seconds * 3 * (a.clip_bytes + a.speech_bytes)
        return self.clips * clip + self.portraits * 3 * a.portrait_bytes

    def resources(self) -> list[Resource]:
        """All that may be full first; those that are sooner full come first."""
        a = self.assumptions
        voices = self.clips * a.clip_seconds * a.speech_cost
        encoders = self.clips * a.clip_seconds * a.encode_cost
        reading = a.prompt_tokens / a.llm_prompt_speed
        writing = a.answer_tokens / a.llm_answer_speed
        resources = [
            Resource(
                "GPUs of workers",
                "GPU s/s",
                self.clips * a.clip_gpu + self.portraits * a.portrait_gpu,
                1,
                "Another worker: nothing else changes.",
            ),
            Resource(
                "GPUs of the language model",
                "GPU s/s",
                self.messages * (reading + writing),
                1,
                "Another one behind the endpoint.",
            ),
            Resource("cores of workers", "core s/s", voices + encoders, 1, "Another worker."),
            Resource("PostgreSQL", "transactions/s", self.transactions, a.database_speed, _SHARED),
            Resource(
                "network", "Mbit/s", self.traffic * 8 / 1e6, a.link, "More links: S3 has many."
            ),
            Resource(
                "one Discord bot",
                "requests/s",
                self.messages * a.requests,
                a.request_limit,
                "Discord raises it for large bots that ask; or several bots.",
            ),
        ]
        return sorted(resources, key=lambda one: -one.count)


def full_at(assumptions: Assumptions) -> list[tuple[Resource, int]]:
    """Each resource, and how many communities fill one of it; the first bottleneck first."""
    many = 1_000_000
    found = [
        (one, int(many / one.count) if one.count else sys.maxsize)
        for one in Demand(assumptions, many).resources()
    ]
    return sorted(found, key=lambda pair: pair[1])
