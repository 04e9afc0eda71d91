"""The handlers of the three works, with quick fakes behind them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.drawing import encode_draft, keep
from engine.jobs.base import Job, JobDone, JobProgress
from engine.jobs.factory import handlers_for
from engine.jobs.handlers import Handler, Lane
from engine.jobs.making.clip import ClipHandler
from engine.jobs.making.portrait import PortraitHandler
from engine.jobs.products import MemoryProducts, Products, StoredProducts
from engine.jobs.speeches import Speeches
from engine.jobs.works import CLIP, KINDS, PORTRAIT, SPEECH, ClipWork, PortraitWork, SpeechWork
from engine.portrait.base import PortraitCapabilities
from engine.speaking import Speaking
from engine.talkinghead.fallback import FallbackHead
from personas.errors import InvalidInputError, NotFoundError
from personas.persona import Portrait, PortraitBrief
from personas.voices import load_voices
from storage.store import Storage
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

VOICE = load_voices().cast("captain", 7)
BRIEF = PortraitBrief(subject="lighthouse", style="flat")


class Makers:
    """Handlers by kind, and what they tell."""

    def __init__(self, storage: Storage, products: Products) -> None:
        self.products = products
        self.speeches = Speeches(products)
        self.portraits, self.speech = DiscPortraits(), HummingSynthesizer()
        speaking = Speaking(self.speech, StillHead(), encode_frames, storage.media)
        made = handlers_for(KINDS, products, self.speeches, lambda: self.portraits, speaking)
        self.handlers: dict[str, Handler] = {handler.kind: handler for handler in made}
        self.told: list[JobProgress] = []

    async def make(self, job: Job) -> JobDone:
        return await self.handlers[job.kind].make(job, self.told.append)


@pytest.fixture(params=[MemoryProducts, StoredProducts])
def makers(storage: Storage, request: pytest.FixtureRequest) -> Makers:
    return Makers(storage, request.param(storage.media))


@pytest.fixture
async def portrait(storage: Storage) -> Portrait:
    draft = DiscPortraits().generate(PortraitBrief(subject="lighthouse"), 7)
    return await keep(storage.media, draft, await encode_draft(draft))


async def test_a_portrait_is_drawn_and_can_be_taken(makers: Makers, storage: Storage) -> None:
    done = await makers.make(PortraitWork(brief=BRIEF, seed=7).job())
    portrait = Portrait.model_validate(done.result["portrait"])
    assert portrait.seed == 7 and portrait.image in done.media
    assert next(one.doing for one in makers.told) == "drawing a disc"
    for key in done.media:
        await makers.products.take(key)
        assert await storage.media.get(key)


@pytest.mark.parametrize(
    ("able", "lane"),
    [
        ({"device": "cuda"}, Lane("gpu")),
        ({"needs_gpu": True}, Lane("gpu")),
        ({"device": "cpu"}, Lane(PORTRAIT, 1)),
        ({"device": "", "at_once": 3}, Lane(PORTRAIT, 3)),
    ],
)
def test_what_keeps_a_gpu_busy_waits_with_all_that_does(
    able: dict[str, Any], lane: Lane, storage: Storage
) -> None:
    class Able(DiscPortraits):
        @property
        def capabilities(self) -> PortraitCapabilities:
            return replace(super().capabilities, **able)

    painter = Able()
    assert PortraitHandler(lambda: painter, MemoryProducts(storage.media)).lane == lane


@pytest.mark.parametrize(
    ("device", "at_once", "lane"),
    [("cuda", 1, Lane("gpu")), ("cuda", 4, Lane(CLIP, 4)), ("cpu", 2, Lane(CLIP, 2))],
)
@pytest.mark.parametrize("alone", [True, False])
def test_clips_that_may_share_batches_wait_for_no_gpu(
    device: str, at_once: int, lane: Lane, alone: bool, storage: Storage
) -> None:
    moving = StillHead(device=device)
    head = moving if alone else FallbackHead(moving, StillHead())
    speaking = Speaking(HummingSynthesizer(), head, encode_frames, storage.media)
    products = MemoryProducts(storage.media)
    assert ClipHandler(speaking, Speeches(products), products, at_once).lane == lane


async def test_a_photo_is_drawn_by(makers: Makers) -> None:
    photo = await makers.products.put(await _png(makers), ".upload")
    await makers.make(PortraitWork(brief=BRIEF, seed=7, photo=photo).job())
    assert makers.portraits.photos[-1] is not None
    broken = await makers.products.put(b"no picture", ".upload")
    with pytest.raises(InvalidInputError):
        await makers.make(PortraitWork(brief=BRIEF, seed=7, photo=broken).job())
    with pytest.raises(NotFoundError):
        gone = "00/" + 64 * "0" + ".upload"
        await makers.make(PortraitWork(brief=BRIEF, seed=7, photo=gone).job())


async def test_a_photo_that_is_only_looked_at_is_not_drawn_by(makers: Makers) -> None:
    photo = await makers.products.put(await _png(makers), ".upload")
    drawn = len(makers.portraits.briefs)
    work = PortraitWork(brief=BRIEF, seed=7, photo=photo, looks_only=True)
    assert await makers.make(work.job()) == JobDone({})
    assert len(makers.portraits.briefs) == drawn


def test_workers_of_an_older_version_read_what_is_to_be_drawn() -> None:
    assert "looks_only" not in PortraitWork(brief=BRIEF, seed=7).job().payload


async def _png(makers: Makers) -> bytes:
    done = await makers.make(PortraitWork(brief=BRIEF, seed=1).job())
    return await makers.products.get(done.media[0])


async def test_the_voice_is_told_before_the_clip_is_there(
    makers: Makers, portrait: Portrait
) -> None:
    work = ClipWork(portrait=portrait, text="Hello.", voice=VOICE, seed=1)
    done = await makers.make(work.job())
    (told,) = makers.told
    speech = await makers.speeches.get(told.data["speech"])
    assert speech.phonemes and speech.duration > 0
    assert done.result["speech"] == told.data["speech"]
    assert len(await makers.products.get(done.result["clip"])) > 0
    assert set(done.seconds) >= {"speech", "head", "clip"}


async def test_a_clip_goes_by_the_speech_that_is_there_already(
    makers: Makers, portrait: Portrait
) -> None:
    said = await makers.make(SpeechWork(text="Hello.", voice=VOICE).job())
    work = ClipWork(portrait=portrait, text="Hello.", voice=VOICE, seed=1)
    job = work.job(said.result["speech"])
    assert job.id == work.job().id  # where it lies is no part of what it is
    await makers.make(job)
    assert len(makers.speech.spoken) == 1
    lost = work.job("00/" + 64 * "0" + ".speech")
    await makers.make(lost)
    assert len(makers.speech.spoken) == 2


async def test_what_is_no_speech_is_made_anew(makers: Makers, portrait: Portrait) -> None:
    other = await makers.products.put(b"no speech", ".speech")
    work = ClipWork(portrait=portrait, text="Hello.", voice=VOICE, seed=1)
    await makers.make(work.job(other))
    assert len(makers.speech.spoken) == 1


HOSTILE: list[Callable[[dict[str, Any]], Any]] = [
    lambda good: {},
    lambda good: {**good, "seed": -1},
    lambda good: {**good, "seed": "many"},
    lambda good: {**good, "text": "x" * 30_000},
    lambda good: {**good, "voice": {"engine": "hibari", "preset": "../..", "pitch": 1e9}},
    lambda good: {**good, "more": "than asked for"},
    lambda good: {**good, "brief": {"subject": ""}, "portrait": {"image": "x"}},
    lambda good: {key: [value] for key, value in good.items()},
]


@pytest.mark.parametrize("spoil", HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_job_that_is_none_is_refused(
    storage: Storage, portrait: Portrait, kind: str, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    makers = Makers(storage, MemoryProducts(storage.media))
    works = {
        PORTRAIT: PortraitWork(brief=BRIEF, seed=7),
        SPEECH: SpeechWork(text="Hello.", voice=VOICE),
        CLIP: ClipWork(portrait=portrait, text="Hello.", voice=VOICE, seed=1),
    }
    good = works[kind].model_dump(mode="json")
    with pytest.raises(InvalidInputError, match="not a"):
        await makers.make(Job(kind, spoil(good)))


def test_a_job_that_is_none_is_not_quoted_by_its_error() -> None:
    secret = "I have told nobody."
    with pytest.raises(InvalidInputError) as raised:
        SpeechWork.read(Job(SPEECH, {"text": [secret]}))
    told = "".join(traceback.format_exception(raised.value))
    assert "text" in told and secret not in told


async def test_a_portrait_whose_pictures_lead_elsewhere_is_not_found(
    storage: Storage, portrait: Portrait
) -> None:
    makers = Makers(storage, MemoryProducts(storage.media))
    hostile = portrait.model_copy(update={"image": "../../etc/passwd", "layers": None})
    work = ClipWork(portrait=hostile, text="Hello.", voice=VOICE, seed=1)
    with pytest.raises(NotFoundError):
        await makers.make(work.job())


def test_the_same_work_has_the_same_id_everywhere() -> None:
    job = SpeechWork(text="Hello.", voice=VOICE, made_by="1").job({"request": "one"})
    again = SpeechWork(text="Hello.", voice=VOICE, made_by="1").job({"request": "two"})
    other = SpeechWork(text="Hello.", voice=VOICE, made_by="2").job()
    assert job.id == again.id != other.id
    assert len(job.id) == 64
