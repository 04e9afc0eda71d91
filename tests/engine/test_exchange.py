"""Cards that come in: whose pictures are looked at before people see them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field

import pytest

from engine.creation import CreationRequest, Creator
from engine.events import PersonaReady
from engine.exchange import export_card, import_card
from engine.portrait.base import Image
from personas.errors import InvalidInputError
from personas.persona import Persona
from personas.styles import load_styles
from personas.voices import load_voices
from storage.store import Storage
from tests.fakes.answers import ANSWER
from tests.fakes.language_model import ScriptedModel
from tests.fakes.portrait import DiscPortraits


@dataclass
class GuardedPortraits(DiscPortraits):
    """Looks at pictures: so many are fit for everybody, and all that come after them are not."""

    fit: int = 0
    channels: list[int] = field(default_factory=list)

    def check(self, photo: Image) -> None:
        self.channels.append(photo.shape[2])
        if len(self.channels) > self.fit:
            raise InvalidInputError("This picture is not fit to be shown here.")


def creator(storage: Storage, portraits: DiscPortraits) -> Creator:
    model = ScriptedModel((json.dumps(ANSWER),))
    return Creator(model, portraits, load_styles(), load_voices(), storage)


async def card_of(storage: Storage, *, adult: bool = False) -> bytes:
    """The card of somebody, with all of its pictures."""
    wanted = CreationRequest("a lighthouse", seed=7, adult=adult)
    async for event in creator(storage, DiscPortraits()).create(wanted):
        if isinstance(event, PersonaReady):
            return await export_card(storage, event.persona, "png")
    raise AssertionError("nobody was made")


async def brought(storage: Storage, portraits: DiscPortraits, card: bytes) -> Persona:
    events = import_card(creator(storage, portraits), storage, card, gallery="discord:1")
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, PersonaReady):
                return event.persona
    raise AssertionError("nobody was brought")


@pytest.mark.parametrize("fit", [0, 1, 2])
async def test_no_picture_of_a_card_comes_in_that_is_not_fit_for_everybody(
    storage: Storage, fit: int
) -> None:
    card = await card_of(storage)
    with pytest.raises(InvalidInputError, match="not fit to be shown"):
        await brought(storage, GuardedPortraits(fit=fit), card)
    assert await storage.personas.count("discord:1") == 0


async def test_a_card_whose_pictures_are_fit_comes_in_as_it_is(storage: Storage) -> None:
    portraits = GuardedPortraits(fit=3)
    await brought(storage, portraits, await card_of(storage))
    assert portraits.channels == [3, 3, 4]
    assert portraits.briefs == []


async def test_the_pictures_of_who_is_for_adults_are_not_looked_at(storage: Storage) -> None:
    persona = await brought(storage, GuardedPortraits(), await card_of(storage, adult=True))
    assert persona.adult
