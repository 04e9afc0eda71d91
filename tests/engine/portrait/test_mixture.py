"""PortraitMixture and the factory: who paints what, and what happens when they cannot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.portrait.base import Image, PortraitCapabilities, PortraitDraft
from engine.portrait.factory import open_styles, uses_diffusion
from engine.portrait.mixture import PortraitMixture
from engine.portrait.settings import PortraitSettings
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import PortraitBrief
from personas.styles import load_styles
from tests.fakes.portrait import DiscPortraits

APPLE = PortraitBrief(subject="apple")
PHOTO = np.full((64, 64, 3), 90, np.uint8)


class Painting(DiscPortraits):
    """Paints the looks `oil` and `photo`."""

    @property
    def capabilities(self) -> PortraitCapabilities:
        return PortraitCapabilities(
            styles=("oil", "photo"), guided=True, size=self.size, needs_gpu=True
        )


class Safety:
    def __init__(self, score: float) -> None:
        self._score = score

    def score(self, _: Image) -> float:
        return self._score


def mixture(
    painting: Painting, drawn: DiscPortraits, safety: Safety | None = None
) -> PortraitMixture:
    return PortraitMixture([painting, drawn], load_styles(), safety)


def styled(style: str) -> PortraitBrief:
    return APPLE.model_copy(update={"style": style})


def test_it_can_do_what_all_of_them_can_and_proposes_what_is_painted() -> None:
    capabilities = mixture(Painting(), DiscPortraits()).capabilities
    assert capabilities.styles == ("oil", "photo", "flat")
    assert capabilities.proposed == ("oil", "photo")
    assert capabilities.guided and not capabilities.needs_gpu


@pytest.mark.parametrize(("style", "painted"), [("oil", True), ("flat", False), ("", True)])
def test_a_look_is_painted_by_whom_it_belongs_to(style: str, painted: bool) -> None:
    painting, drawn = Painting(), DiscPortraits()
    mixture(painting, drawn).generate(styled(style), 1)
    assert (len(painting.briefs), len(drawn.briefs)) == ((1, 0) if painted else (0, 1))


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("No memory."),
        InvalidInputError("Not fit."),
        RuntimeError("CUDA error: an illegal memory access"),
        ImportError("cannot import name 'StableDiffusionPipeline'"),
    ],
)
def test_who_fails_is_stood_in_for_and_one_line_says_so(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    painting, drawn = Painting(failures=[error]), DiscPortraits()
    with caplog.at_level(logging.WARNING):
        draft = mixture(painting, drawn).generate(styled("oil"), 1)
    assert isinstance(draft, PortraitDraft)
    assert drawn.briefs[0].style in {s.name for s in load_styles().all() if s.recipe is None}
    assert len(caplog.records) == 1 and str(error) in caplog.text


@pytest.mark.parametrize("kind", [Exception, RuntimeError, UnavailableError])
def test_what_calls_a_painting_off_is_not_caught(kind: type[Exception]) -> None:
    def stop(*_: object) -> None:
        raise kind("Nobody waits.")

    drawn = DiscPortraits()
    with pytest.raises(kind, match="Nobody waits"):
        mixture(Painting(), drawn).generate(styled("oil"), 1, progress=stop)
    assert drawn.briefs == []


def test_a_photo_is_kept_as_it_is_unless_a_painted_look_is_asked_for() -> None:
    painting, drawn = Painting(), DiscPortraits()
    mixture(painting, drawn).generate(styled(""), 1, photo=PHOTO)
    mixture(painting, drawn).generate(styled("oil"), 1, photo=PHOTO)
    assert (len(drawn.photos), len(painting.photos)) == (1, 1)


def test_a_photo_that_cannot_be_used_is_not_drawn_instead() -> None:
    painting, drawn = Painting(failures=[InvalidInputError("No face.")]), DiscPortraits()
    with pytest.raises(InvalidInputError, match="No face"):
        mixture(painting, drawn).generate(styled("oil"), 1, photo=PHOTO)


def test_uploads_are_looked_at_unless_they_are_for_adults() -> None:
    strict = mixture(Painting(), DiscPortraits(), Safety(0.9))
    with pytest.raises(InvalidInputError, match="not fit to be shown"):
        strict.generate(APPLE, 1, photo=PHOTO)
    strict.generate(APPLE.model_copy(update={"adult": True}), 1, photo=PHOTO)
    mixture(Painting(), DiscPortraits(), Safety(0.1)).generate(APPLE, 1, photo=PHOTO)


def settings(**changes: Any) -> PortraitSettings:
    return PortraitSettings(**changes)


def names(given: PortraitSettings) -> list[str]:
    return open_styles(given).names()


def drawn_names() -> list[str]:
    return [style.name for style in load_styles().all() if style.recipe is None]


def test_without_a_gpu_auto_offers_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.device.has_gpu", lambda: False)
    assert not uses_diffusion(settings())
    assert names(settings()) == drawn_names()


def test_with_a_gpu_and_without_weights_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.device.has_gpu", lambda: True)
    monkeypatch.setattr("engine.portrait.diffusion.hub.HubStore.has", lambda *_: False)
    assert uses_diffusion(settings())
    assert names(settings()) == drawn_names()


def test_with_both_painted_looks_are_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.device.has_gpu", lambda: True)
    monkeypatch.setattr("engine.portrait.diffusion.hub.HubStore.has", lambda *_: True)
    styles = open_styles(settings())
    assert set(styles.names()) == set(load_styles().names())
    assert all(style.recipe is not None for style in styles.proposed())


def test_illustrated_means_illustrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.device.has_gpu", lambda: True)
    monkeypatch.setattr("engine.portrait.diffusion.hub.HubStore.has", lambda *_: True)
    assert names(settings(generator="illustrated")) == drawn_names()


def test_on_the_cpu_only_where_somebody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.portrait.diffusion.device.has_gpu", lambda: False)
    assert uses_diffusion(settings(diffusion={"on_cpu": True}))
    assert uses_diffusion(settings(generator="diffusion"))
    monkeypatch.setattr("engine.portrait.diffusion.device.is_installed", lambda: False)
    assert not uses_diffusion(settings(generator="diffusion"))


def test_an_endpoint_has_every_look_with_a_prompt() -> None:
    assert set(names(settings(generator="images"))) == set(load_styles().names())


def test_looks_of_ones_own_need_nothing_but_the_configuration(tmp_path: Path) -> None:
    own = {
        "description": "Film noir.",
        "author": "me",
        "licence": "mine",
        "recipe": {"prompt": "{subject}", "checkpoint": {"repo": str(tmp_path)}},
    }
    given = settings(generator="diffusion", styles={"film-noir": own})
    assert "film-noir" not in names(given), "its weights are not there"
    given = settings(generator="diffusion", styles={"film-noir": own}, diffusion={"download": True})
    assert open_styles(given).get("film-noir").label == "Film noir"


def test_a_look_with_a_name_that_cannot_be_typed_is_refused() -> None:
    with pytest.raises(ValueError, match="a-z, 0-9 and hyphens"):
        settings(
            styles={
                "Film Noir": {
                    "description": "x",
                    "author": "me",
                    "licence": "x",
                    "recipe": {"prompt": "{subject}"},
                }
            }
        )
