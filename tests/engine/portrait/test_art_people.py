"""People are composed from the words of a brief, with a clean head for the face."""

from __future__ import annotations

import numpy as np
import pytest

from engine.portrait.illustrated.art import raster
from engine.portrait.illustrated.art.people import Illustrator, compose, load_illustrators
from engine.portrait.illustrated.art.wishes import names_person
from engine.portrait.illustrated.art.words import parse
from personas.persona import PortraitBrief

ALL = list(load_illustrators().values())


def pixels(subject: str, illustrator: Illustrator, seed: int = 1, details: str = "") -> np.ndarray:
    brief = PortraitBrief(subject=subject, details=details, gender="female", is_person=True)
    return raster.render(compose(brief, illustrator, seed).svg, 128)


@pytest.fixture(params=ALL, ids=lambda illustrator: illustrator.name)
def illustrator(request: pytest.FixtureRequest) -> Illustrator:
    return request.param  # type: ignore[no-any-return]


def test_licences_allow_any_use() -> None:
    free = {"CC-BY-4.0", "CC0-1.0", "MIT", "Free for personal and commercial use"}
    assert {illustrator.licence for illustrator in ALL} <= free


def test_the_head_is_clean_where_the_face_will_be(illustrator: Illustrator) -> None:
    image = pixels("bald woman", illustrator)
    unit = 128 / illustrator.canvas
    places = (illustrator.left_eye, illustrator.right_eye, illustrator.nose, illustrator.mouth)
    colours = [image[int(y * unit), int(x * unit)].astype(int) for x, y in places]
    assert all(colour[3] == 255 for colour in colours)
    assert np.ptp([colour[:3] for colour in colours], axis=0).max() < 12


def test_the_same_seed_draws_the_same_person(illustrator: Illustrator) -> None:
    assert np.array_equal(pixels("nurse", illustrator, 4), pixels("nurse", illustrator, 4))


def test_another_seed_draws_another_person(illustrator: Illustrator) -> None:
    assert any(
        not np.array_equal(pixels("woman", illustrator, 1), pixels("woman", illustrator, seed))
        for seed in (2, 3)
    )


@pytest.mark.parametrize(
    ("details", "hue"),
    [("a green sweater", (0, 1, 0)), ("a red coat", (1, 0, 0)), ("a blue dress", (0, 0, 1))],
)
def test_clothes_have_the_colour_that_was_asked_for(
    illustrator: Illustrator, details: str, hue: tuple[int, int, int]
) -> None:
    image = pixels("woman", illustrator, details=details)
    opaque = image[118:126, 45:83].reshape(-1, 4)
    colour = np.median(opaque[opaque[:, 3] > 200][:, :3], axis=0)
    assert int(colour.argmax()) == hue.index(1)


def test_a_trade_wears_its_hat(illustrator: Illustrator) -> None:
    bare, hatted = pixels("bald woman", illustrator), pixels("bald firefighter", illustrator)
    assert (hatted[:, :, 3] > 0).sum() > (bare[:, :, 3] > 0).sum()


def test_glasses_are_worn_when_asked_for(illustrator: Illustrator) -> None:
    bare, worn = pixels("bald woman", illustrator), pixels("bald woman with glasses", illustrator)
    assert not np.array_equal(bare, worn)


@pytest.mark.parametrize("age", ["child", "young", "adult", "old"])
@pytest.mark.parametrize("gender", ["female", "male", "neutral"])
def test_every_age_and_gender_can_be_drawn(illustrator: Illustrator, age: str, gender: str) -> None:
    brief = PortraitBrief.model_validate(
        {"subject": "person", "age": age, "gender": gender, "is_person": True}
    )
    for seed in range(2):
        assert compose(brief, illustrator, seed).svg.endswith("</svg>")


@pytest.mark.parametrize("subject", ["<b>x</b>", "{0}", " ", "🙂", "x" * 4_000])
def test_hostile_words_stay_out_of_the_drawing(illustrator: Illustrator, subject: str) -> None:
    person = compose(PortraitBrief(subject=subject, details=subject), illustrator, 1)
    assert raster.render(person.svg, 32)[:, :, 3].any()
    assert "<b>" not in person.svg


@pytest.mark.parametrize(
    "subject", ["nurse", "old sea captain", "marine biologist", "policewoman", "potter woman"]
)
def test_words_for_people_are_known(subject: str) -> None:
    assert names_person(parse(subject))


@pytest.mark.parametrize("subject", ["stapler", "toaster", "lighthouse", "ant", "printer"])
def test_things_are_not_people(subject: str) -> None:
    assert not names_person(parse(subject))
