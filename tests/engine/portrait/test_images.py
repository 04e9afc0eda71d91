"""Portraits from an endpoint: a face in any case, and a clear sentence for each of its bad days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from engine.portrait.gate import FaceGate
from engine.portrait.images.client import ImagesClient
from engine.portrait.images.generator import NAME, ImagesGenerator
from engine.portrait.landmarks.base import open_landmarkers
from engine.portrait.settings import ImagesSettings
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError
from personas.persona import PortraitBrief
from personas.styles import load_styles
from tests.fakes.images_server import KEY, ImagesEndpoint, Mode, images_endpoint

APPLE = PortraitBrief(subject="red apple", style="oil")


def settings(endpoint: ImagesEndpoint, **changes: Any) -> ImagesSettings:
    values = {"base_url": endpoint.address, "api_key": SecretStr(KEY), "model": "painter"}
    return ImagesSettings(**{**values, "retries": 0, "timeout": 30.0, **changes})


def generator(endpoint: ImagesEndpoint, **changes: Any) -> ImagesGenerator:
    own = settings(endpoint, **changes)
    gate = FaceGate(open_landmarkers())
    return ImagesGenerator(ImagesClient(own), load_styles(), gate, own, 256)


def test_the_reference_face_is_sent_along_and_what_comes_back_goes_through_the_gate() -> None:
    with images_endpoint() as endpoint:
        draft = generator(endpoint).generate(APPLE, 1)
    ((path, body),) = endpoint.asked
    assert path == "edits" and body["prompt"].startswith("oil painting of red apple")
    assert "reference picture" in body["prompt"] and body["model"] == "painter"
    assert endpoint.references[0].size == (1024, 1024)
    assert draft.geometry.source == "found" and draft.attempts[0].outcome == "found"
    assert (draft.generator, draft.style, draft.image.shape) == (NAME, "oil", (256, 256, 3))


def test_a_picture_without_a_face_is_asked_for_again_and_then_gets_ours() -> None:
    with images_endpoint() as endpoint:
        draft = generator(endpoint, guided=False, tries=3).generate(APPLE, 1)
    assert [path for path, _ in endpoint.asked] == ["generations"] * 3
    assert [attempt.outcome for attempt in draft.attempts] == ["no face was found"] * 3
    assert draft.geometry.source == "drawn"
    (mesh,) = open_landmarkers()
    assert mesh.find(draft.image) is not None


def test_an_endpoint_without_edits_is_asked_to_paint_freely_from_then_on() -> None:
    with images_endpoint("no-edits") as endpoint:
        painter = generator(endpoint, tries=1)
        assert painter.capabilities.guided
        painter.generate(APPLE, 1)
        assert not painter.capabilities.guided
    assert [path for path, _ in endpoint.asked] == ["generations"]


def test_a_field_that_it_does_not_know_is_left_out() -> None:
    with images_endpoint("simple") as endpoint:
        ImagesClient(settings(endpoint, guided=False)).paint("an apple")
    assert ["response_format" in body for _, body in endpoint.asked] == [True, False]


def test_a_picture_that_is_wider_than_high_is_cut_to_a_square() -> None:
    with images_endpoint("wide") as endpoint:
        assert ImagesClient(settings(endpoint, guided=False)).paint("x").shape == (256, 512, 3)
        draft = generator(endpoint, guided=False, tries=1).generate(APPLE, 1)
    assert draft.image.shape == (256, 256, 3)


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("stranger", "does not accept the key"),
        ("busy", "too many requests"),
        ("broken", "fault of its own"),
        ("refuses", "content filter objects"),
        ("garbage", "sent no picture"),
        ("empty", "sent no picture"),
        ("no-image", "sent no picture"),
        ("tiny", "16 x 16"),
        ("huge", "5000 x 200"),
    ],
)
@pytest.mark.parametrize("guided", [True, False])
def test_its_bad_days_end_in_a_sentence_without_the_key(
    mode: Mode, sentence: str, guided: bool
) -> None:
    with images_endpoint(mode) as endpoint, pytest.raises(ChatAnythingError) as raised:
        generator(endpoint, guided=guided).generate(APPLE, 1)
    assert isinstance(raised.value, UnavailableError)
    assert sentence in str(raised.value)
    assert KEY not in f"{raised.value} {raised.value.__cause__}"


def test_a_slow_drip_is_given_up() -> None:
    with images_endpoint("drip") as endpoint, pytest.raises(UnavailableError, match="too long"):
        ImagesClient(settings(endpoint, timeout=1.0)).paint("an apple")


def test_nobody_there_is_said() -> None:
    own = ImagesSettings(base_url="http://127.0.0.1:9/v1", retries=0, timeout=5)
    with pytest.raises(UnavailableError, match=r"cannot be reached\. Check base_url"):
        ImagesClient(own).paint("an apple")


def test_neither_key_nor_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UnavailableError, match="neither an api_key nor a base_url"):
        ImagesClient(ImagesSettings()).paint("an apple")


def test_what_is_not_fit_for_everybody_is_not_shown() -> None:
    class Strict:
        def score(self, _: object) -> float:
            return 1.0

    with images_endpoint() as endpoint:
        own = settings(endpoint)
        gate = FaceGate(open_landmarkers())
        painter = ImagesGenerator(ImagesClient(own), load_styles(), gate, own, 256, Strict())
        with pytest.raises(InvalidInputError, match="not fit to be shown"):
            painter.generate(APPLE, 1)
        adult = APPLE.model_copy(update={"adult": True})
        assert painter.generate(adult, 1).geometry.source == "found"


def test_a_photo_without_a_face_is_refused() -> None:
    with images_endpoint() as endpoint, pytest.raises(InvalidInputError, match="No face"):
        generator(endpoint).generate(APPLE, 1, photo=np.full((99, 99, 3), 80, np.uint8))
