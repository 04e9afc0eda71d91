"""Budgets: how much heavy work and how many tokens a day may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Literal

from bot.chat.base import Person, Place
from bot.chat.quotas import QuotaError, lower
from bot.chat.settings import BudgetSettings
from engine.conversation import Mode

if TYPE_CHECKING:
    from personas.gallery import Policy
    from storage.store import Storage
    from storage.usage import Used

Good = Literal["tokens", "gpu", "cpu"]

_FOR_VOICES: Final = 0.9
"""Of the seconds of a device: where voices need the same one, clips leave them the rest."""
_GOES_ON: Final = "It goes on at midnight, UTC."
_MILLISECONDS: Final = 1000


@dataclass(frozen=True)
class Left:
    """What is left of the budgets of a day, for one person.

    Attributes:
        gallery: of which community.
        day: which day.
        shares: of each budget, how much is used; 1 is all. What has no budget is missing.
        own: the budgets that are used up by this person's own part.
        devices: what each stage keeps busy.
    """

    gallery: str
    day: date
    shares: Mapping[Good, float]
    own: frozenset[Good]
    devices: Mapping[str, str]

    def require_words(self) -> None:
        """Asks whether there is anything left for the language model.

        Raises:
            QuotaError: nothing is; says until when.
        """
        self._require("tokens")

    def require(self, stage: str) -> None:
        """Asks whether there is anything left for a stage of heavy work.

        Raises:
            QuotaError: nothing is; says until when.
        """
        if (good := _good(self.devices.get(stage, ""))) is not None:
            self._require(good)

    def afford(self, mode: Mode) -> Mode:
        """The mode that can be paid for: a clip, else a voice, else text."""
        voice, clip = (_good(self.devices.get(stage, "")) for stage in ("speech", "clip"))
        can_speak = voice is None or self.shares.get(voice, 0.0) < 1.0
        most = _FOR_VOICES if voice == clip else 1.0
        can_film = clip is None or self.shares.get(clip, 0.0) < most
        if mode == "clip" and can_speak and can_film:
            return "clip"
        return "voice" if mode != "text" and can_speak else "text"

    def _require(self, good: Good) -> None:
        if self.shares.get(good, 0.0) >= 1.0:
            raise QuotaError(_sentence(good, good in self.own))


class Budgets:
    """Compares what was used today with what may be used.

    Budgets are looked at before something is begun, so a day may cost a little more: by what was
    being made when the last of it was spent.

    Args:
        storage: knows what was used.
        settings: the budgets that no community can raise.
        devices: what each stage keeps busy in this process: cpu, cuda; empty for what costs nothing
            here. Of what workers do, it is known from what they have done today.
        now: the clock.
    """

    def __init__(
        self,
        storage: Storage,
        settings: BudgetSettings,
        devices: Callable[[], Mapping[str, str]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._devices = devices
        self._now = now
        self._told: set[tuple[str, str, date, Mode]] = set()

    async def left(self, place: Place, person: Person, policy: Policy) -> Left:
        """What is left of today's budgets; reads what was used only where there is a budget."""
        day = self._now().astimezone(UTC).date()
        limits = self._limits(place.gallery, policy)
        shares: dict[Good, float] = {}
        own: set[Good] = set()
        devices = dict(self._devices())
        if any(each or every for each, every in limits.values()):
            kinds = await self._storage.usage.day(place.gallery, person.id, day)
            devices |= _devices_of(kinds)
            used = _by_good(kinds)
            for good, (each, every) in limits.items():
                mine, all_of_it = used.get(good, (0.0, 0.0))
                parts = [spent / most for spent, most in ((mine, each), (all_of_it, every)) if most]
                if parts:
                    shares[good] = max(parts)
                if each and mine >= each:
                    own.add(good)
        return Left(place.gallery, day, shares, frozenset(own), devices)

    async def notice(self, left: Left, person: Person, wanted: Mode, mode: Mode) -> str:
        """What to say where an answer is less than was wanted; once a person and day, else empty.

        Several processes say it once together.
        """
        if mode == wanted:
            return ""
        key = (left.gallery, person.id, left.day, mode)
        if key in self._told:
            return ""
        self._told = {one for one in self._told if one[2] == left.day} | {key}
        counted = await self._storage.usage.spend(
            left.gallery, person.id, f"told/{mode}", left.day, each=1
        )
        if counted:
            return ""
        what = "Clips are" if mode == "voice" else "Clips and voices are"
        how = "with my voice" if mode == "voice" else "in writing"
        return f"{what} used up for today. Until midnight, UTC, I answer {how}."

    async def line(self, place: Place, policy: Policy) -> str:
        """What the community has used today, and of how much, in a line for its admins."""
        day = self._now().astimezone(UTC).date()
        kinds = await self._storage.usage.day(place.gallery, "", day)
        used = _by_good(kinds)
        limits = self._limits(place.gallery, policy)
        messages, made = (kinds[kind].all if kind in kinds else 0 for kind in _COUNTED)
        parts = [_count(messages, "answer"), _count(made, "new persona")]
        for good, unit in _UNITS.items():
            amount, most = used.get(good, (0.0, 0.0))[1], limits[good][1]
            if amount or most:
                parts.append(f"{amount:,.0f}{f' of {most:,}' if most else ''} {unit}")
        return f"Today: {', '.join(parts)}."

    def _limits(self, gallery: str, policy: Policy) -> dict[Good, tuple[int, int]]:
        """What one member, and what the whole community may use a day; 0 for any."""
        most = self._settings.communities.get(gallery, self._settings)
        return {
            "tokens": (
                lower(policy.tokens_each, most.tokens_each),
                lower(policy.tokens, most.tokens),
            ),
            "gpu": (
                lower(policy.gpu_seconds_each, most.gpu_seconds_each),
                lower(policy.gpu_seconds, most.gpu_seconds),
            ),
            "cpu": (
                lower(policy.cpu_seconds_each, most.cpu_seconds_each),
                lower(policy.cpu_seconds, most.cpu_seconds),
            ),
        }


_COUNTED: Final = ("message", "creation")
_NO_STAGES: Final = ("tokens", "told")
_UNITS: Final[Mapping[Good, str]] = {
    "tokens": "tokens",
    "gpu": "GPU seconds",
    "cpu": "CPU seconds",
}


def _good(device: str) -> Good | None:
    """What a device is paid with; None where nothing of ours is kept busy."""
    if not device:
        return None
    return "cpu" if device == "cpu" else "gpu"


def _devices_of(used: Mapping[str, Used]) -> dict[str, str]:
    """What each stage has kept busy, by what was written down; that of the most seconds."""
    most: dict[str, tuple[int, str]] = {}
    for kind, one in used.items():
        stage, _, device = kind.partition("/")
        if device and stage not in _NO_STAGES:
            most[stage] = max(most.get(stage, (0, "")), (one.all, device))
    return {stage: device for stage, (_, device) in most.items()}


def _by_good(used: Mapping[str, Used]) -> dict[Good, tuple[float, float]]:
    """Tokens, and seconds of devices: of the member, and of all."""
    sums: dict[Good, tuple[float, float]] = {}
    for kind, one in used.items():
        what, _, device = kind.partition("/")
        good: Good | None = None
        unit = 1
        if what == "tokens":
            good = "tokens"
        elif device and what not in _NO_STAGES:
            good, unit = _good(device), _MILLISECONDS
        if good is not None:
            mine, every = sums.get(good, (0.0, 0.0))
            sums[good] = (mine + one.own / unit, every + one.all / unit)
    return sums


def _sentence(good: Good, own: bool) -> str:
    whose = "You have used up your" if own else "This community has used up its"
    what = "words" if good == "tokens" else "time on the machines"
    return f"{whose} {what} for today. {_GOES_ON}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
