"""DiffusionGenerator: the ladder, the last resort, the safety gate, batches, cancellation."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from skimage import data

from engine.creation import CreationRequest, Creator
from engine.events import PersonaReady
from engine.pictures import to_draft
from engine.portrait.base import Image
from engine.portrait.diffusion.generator import NAME, DiffusionGenerator
from engine.portrait.diffusion.orders import Order
from engine.portrait.landmarks.base import open_landmarkers
from engine.talkinghead.clips import pictures
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.video import encode
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Mood, Personality, PortraitBrief
from personas.styles import StyleCatalogue
from personas.voices import load_voices
from storage.store import Storage
from tests.engine.portrait.diffusion.conftest import MakeGenerator
from tests.engine.talkinghead.speeches import babble
from tests.fakes.landmarker import ScriptedLandmarker
from tests.fakes.language_model import ScriptedModel

APPLE = PortraitBrief(subject="red apple", mood=Mood.CHEERFUL, style="plain")
QUICK = APPLE.model_copy(update={"style": "quick"})


class ScriptedSafety:
    """Scores pictures in turn; the last score goes on."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores
        self.looked = 0

    def score(self, _: Image) -> float:
        self.looked += 1
        return self._scores[min(self.looked, len(self._scores)) - 1]


def test_a_face_that_is_found_is_kept_with_its_place(make_generator: MakeGenerator) -> None:
    draft = make_generator((ScriptedLandmarker([True]),)).generate(APPLE, 3)
    assert draft.image.shape == (256, 256, 3)
    assert draft.geometry.source == "found"
    assert (draft.generator, draft.style, draft.seed) == (NAME, "plain", 3)
    assert draft.look is not None and draft.look.mood is Mood.CHEERFUL
    assert draft.body is not None and draft.background is not None
    (attempt,) = draft.attempts
    assert (attempt.seed, attempt.outcome) == (3, "found")
    assert attempt.release > attempt.hold > 0 and attempt.scale > 0
    assert draft.credits[0].author == "nobody"


def test_a_miss_is_followed_by_the_next_rung_and_all_is_recorded(
    make_generator: MakeGenerator,
) -> None:
    draft = make_generator((ScriptedLandmarker([False, False, True]),)).generate(APPLE, 3)
    outcomes = [attempt.outcome for attempt in draft.attempts]
    assert outcomes == ["no face was found", "no face was found", "found"]
    assert len({attempt.seed for attempt in draft.attempts}) == 3
    scales = [attempt.scale for attempt in draft.attempts]
    assert scales == sorted(scales) and scales[0] < scales[-1]


def test_the_same_order_gives_the_same_portrait(make_generator: MakeGenerator) -> None:
    generator = make_generator((ScriptedLandmarker([True]),))
    first, again = generator.generate(QUICK, 5), generator.generate(QUICK, 5)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, generator.generate(QUICK, 6).image)


def test_what_has_no_face_in_the_end_gets_ours_where_it_was_aimed_at(
    make_generator: MakeGenerator,
) -> None:
    blind = ScriptedLandmarker([False])
    draft = make_generator((blind,), guidance={"tries": 2}).generate(QUICK, 3)
    assert len(draft.attempts) == 2
    assert draft.geometry.source == "drawn"
    assert draft.background is not None and draft.body is not None
    assert abs(draft.geometry.centre[0] - 128) < 1
    assert np.abs(draft.image.astype(int) - draft.body[..., :3]).max() > 40, "a face is on it"


def test_our_face_is_one_that_a_real_detector_finds(make_generator: MakeGenerator) -> None:
    (mesh,) = open_landmarkers()
    found = 0
    for seed, mood in enumerate(Mood):
        brief = QUICK.model_copy(update={"mood": mood})
        generator = make_generator((mesh,), strict=True, guidance={"tries": 1})
        draft = generator.generate(brief, seed)
        found += mesh.find(draft.image) is not None
    assert found == len(Mood)


@pytest.mark.parametrize("sees", [True, False])
async def test_a_stored_persona_keeps_how_it_was_painted_and_speaks(
    sees: bool, make_generator: MakeGenerator, styles: StyleCatalogue, storage: Storage
) -> None:
    generator = make_generator((ScriptedLandmarker([sees]),), guidance={"tries": 1})
    offered = styles.available(["quick"])
    personality = Personality(
        name="Crisp", kind="red apple", character="You are Crisp, a red apple.", greeting="Hello!"
    )
    made = Creator(ScriptedModel([]), generator, offered, load_voices(), storage)
    events = [event async for event in made.adopt(personality, CreationRequest("", seed=3))]
    assert isinstance(last := events[-1], PersonaReady), last
    portrait = (await storage.personas.get("terminal", "crisp")).portrait
    assert portrait == last.persona.portrait
    assert [attempt.outcome == "found" for attempt in portrait.attempts] == [sees]
    assert portrait.geometry.source == ("found" if sees else "drawn")
    assert portrait.layers is not None
    keys = (portrait.image, portrait.layers.background, portrait.layers.body)
    draft = to_draft(portrait, *[await storage.media.get(key) for key in keys])
    head = DrawnHead(size=256)
    assert not head.capabilities.needs_layers
    speech = babble(1.5)
    frames = head.frames(head.prepare(draft), speech)
    encoder = EncoderSettings(preset="ultrafast")
    clip = encode(frames, speech, fps=head.capabilities.fps, size=256, settings=encoder)
    shown = list(pictures(clip))
    assert len(shown) == clip.frames > 30
    assert max(np.abs(one.astype(int) - shown[0]).max() for one in shown) > 20, "it moves"


def test_without_any_detector_the_first_picture_gets_our_face(
    make_generator: MakeGenerator,
) -> None:
    draft = make_generator(()).generate(QUICK, 3)
    assert len(draft.attempts) == 1 and draft.geometry.source == "drawn"


def test_faces_of_no_use_are_misses(make_generator: MakeGenerator) -> None:
    from engine.portrait.guidance.face import aim

    far = aim(PortraitBrief(subject="thing"), 40)
    generator = make_generator((ScriptedLandmarker([True], far),), guidance={"tries": 1})
    draft = generator.generate(QUICK, 3)
    assert draft.attempts[0].outcome == "the face is too small"
    assert draft.geometry.source == "drawn"


def test_a_picture_that_is_not_fit_for_everybody_is_painted_anew(
    make_generator: MakeGenerator,
) -> None:
    safety = ScriptedSafety(0.9, 0.1)
    draft = make_generator((ScriptedLandmarker([True]),), safety).generate(QUICK, 3)
    assert [a.outcome for a in draft.attempts] == ["not fit for everybody", "found"]


def test_when_none_is_fit_it_is_refused_in_a_sentence(make_generator: MakeGenerator) -> None:
    generator = make_generator((ScriptedLandmarker([True]),), ScriptedSafety(0.9))
    with pytest.raises(InvalidInputError, match=r"not fit to be shown here\. Describe"):
        generator.generate(QUICK, 3)


def test_nobody_looks_at_what_is_for_adults(make_generator: MakeGenerator) -> None:
    safety = ScriptedSafety(0.9)
    generator = make_generator((ScriptedLandmarker([True]),), safety)
    adult = QUICK.model_copy(update={"adult": True})
    assert generator.generate(adult, 3).attempts[0].outcome == "found"
    assert safety.looked == 0


def test_several_briefs_of_a_look_are_painted_together(
    make_generator: MakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = make_generator((ScriptedLandmarker([True]),), batch=3)
    sizes = _sizes(generator, monkeypatch)
    orders = [Order(QUICK, seed) for seed in (1, 2, 3, 4)] + [Order(APPLE, 5)]
    drafts = generator.generate_many(orders)
    assert [draft.seed for draft in drafts] == [1, 2, 3, 4, 5]
    assert [draft.style for draft in drafts] == ["quick"] * 4 + ["plain"]
    assert sizes == [3, 1, 1]


def test_who_waits_is_painted_together_with_the_next(
    make_generator: MakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = make_generator((ScriptedLandmarker([True]),), batch=4)
    sizes = _sizes(generator, monkeypatch)
    begun, go_on = threading.Event(), threading.Event()

    def hold(fraction: float, _: str) -> None:
        begun.set()
        assert go_on.wait(60)

    seeds: list[int] = []

    def ask(seed: int, **options: Any) -> None:
        seeds.append(generator.generate(QUICK, seed, **options).seed)

    first = threading.Thread(target=ask, args=(1,), kwargs={"progress": hold})
    first.start()
    assert begun.wait(60)
    others = [threading.Thread(target=ask, args=(seed,)) for seed in (2, 3)]
    for other in others:
        other.start()
    desk = generator._desk
    while len(desk._waiting) < 2:
        threading.Event().wait(0.01)
    go_on.set()
    for thread in (first, *others):
        thread.join(120)
    assert sorted(seeds) == [1, 2, 3]
    assert sizes == [1, 2]


def test_progress_rises_to_one(make_generator: MakeGenerator) -> None:
    told: list[tuple[float, str]] = []
    generator = make_generator((ScriptedLandmarker([False, True]),))
    generator.generate(QUICK, 1, progress=lambda *step: told.append(step))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert "painting, try 2 of 4" in {doing for _, doing in told}


def test_an_order_that_is_called_off_ends_at_its_next_step(
    make_generator: MakeGenerator,
) -> None:
    class CalledOffError(Exception):
        pass

    told: list[float] = []

    def stop(fraction: float, _: str) -> None:
        told.append(fraction)
        if fraction > 0.05:
            raise CalledOffError

    generator = make_generator((ScriptedLandmarker([True]),))
    with pytest.raises(CalledOffError):
        generator.generate(APPLE, 1, progress=stop)
    assert len(told) == 2, "nothing was painted after it"


def test_one_that_is_called_off_does_not_hold_up_the_others(
    make_generator: MakeGenerator,
) -> None:
    class CalledOffError(Exception):
        pass

    def stop(fraction: float, _: str) -> None:
        if fraction > 0.05:
            raise CalledOffError

    generator = make_generator((ScriptedLandmarker([True]),))
    orders = [Order(QUICK, 1, progress=stop), Order(QUICK, 2)]
    with pytest.raises(CalledOffError):
        generator.generate_many(orders)
    assert orders[1].result().seed == 2


def test_a_photo_guides_with_its_own_face(make_generator: MakeGenerator) -> None:
    generator = make_generator(open_landmarkers(), guidance={"tries": 1})
    photo = data.astronaut()
    draft = generator.generate(QUICK, 3, photo=photo)
    other = generator.generate(QUICK, 3)
    assert not np.array_equal(draft.image, other.image)
    assert abs(draft.geometry.width / 256 - 0.36) < 0.05


@pytest.mark.parametrize(
    "photo", [np.zeros((8, 8, 3), np.uint8), np.full((200, 200, 3), 90, np.uint8)]
)
def test_a_photo_without_a_face_is_refused(photo: Image, make_generator: MakeGenerator) -> None:
    with pytest.raises(InvalidInputError):
        make_generator(open_landmarkers()).generate(QUICK, 3, photo=photo)


def test_it_offers_the_looks_whose_weights_are_here(make_generator: MakeGenerator) -> None:
    capabilities = make_generator().capabilities
    assert capabilities.styles == ("plain", "warm", "quick", "other")
    assert capabilities.guided and capabilities.needs_gpu


def test_without_weights_it_says_which_command_fetches_them(
    make_generator: MakeGenerator, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.hub.HubStore.has", lambda *_: False)
    generator = make_generator()
    assert generator.capabilities.styles == ()
    with pytest.raises(UnavailableError, match="chatanything models pull"):
        generator.generate(QUICK, 1)


def _sizes(generator: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call of the sampler paints."""
    from engine.portrait.diffusion import painter, sampling

    sizes: list[int] = []

    def sample(easel: Any, recipe: Any, size: int, some: Any, *rest: Any) -> Any:
        sizes.append(len(some))
        return sampling.sample(easel, recipe, size, some, *rest)

    monkeypatch.setattr(painter, "sample", sample)
    return sizes
