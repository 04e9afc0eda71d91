"""Which talking head is opened, and what is said where it is not the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from engine.talkinghead import factory
from engine.talkinghead.factory import obstacle_to_sadtalker, open_talking_head
from engine.talkinghead.settings import TalkingHeadSettings


@dataclass
class Models:
    """A model store that has what it is said to have."""

    here: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        return name in self.here


def settings(**values: Any) -> TalkingHeadSettings:
    return TalkingHeadSettings.model_validate({"size": 256, **values})


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "has_gpu", lambda: True)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "has_gpu", lambda: False)


WEIGHTS = Models(("sadtalker-256",))


def opened(models: Models, **values: Any) -> str:
    return open_talking_head(settings(**values), models).name.split("-")[0]  # type: ignore[arg-type]


def test_with_weights_and_a_gpu_faces_are_moved(gpu: None) -> None:
    head = open_talking_head(settings(), WEIGHTS)  # type: ignore[arg-type]
    assert head.name == "sadtalker-1-256-full"
    assert (head.capabilities.size, head.capabilities.needs_gpu) == (256, False)
    assert head.capabilities.keeps_prepared and head.capabilities.keeps_faces


def test_without_weights_or_gpu_they_are_drawn(
    no_gpu: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert opened(Models()) == "drawn"
    assert opened(WEIGHTS) == "drawn"
    assert opened(Models(("sadtalker-512",))) == "drawn"
    assert caplog.text == ""


def test_other_weights_are_for_another_resolution(gpu: None) -> None:
    assert opened(WEIGHTS, sadtalker={"resolution": 512}) == "drawn"
    assert opened(Models(("sadtalker-512",)), sadtalker={"resolution": 512}) == "sadtalker"


def test_who_asks_for_drawn_ones_gets_them(gpu: None) -> None:
    assert opened(WEIGHTS, renderer="drawn") == "drawn"


def test_who_asks_for_sadtalker_gets_it_on_the_cpu_too(no_gpu: None) -> None:
    assert opened(WEIGHTS, renderer="sadtalker") == "sadtalker"
    assert opened(WEIGHTS, renderer="sadtalker", sadtalker={"device": "cpu"}) == "sadtalker"
    assert opened(WEIGHTS, renderer="sadtalker", sadtalker={"device": "cuda"}) == "drawn"


def test_what_keeps_it_from_being_used_is_said_once_with_the_remedy(
    no_gpu: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert opened(Models(), renderer="sadtalker") == "drawn"
    (line,) = caplog.messages
    assert "weights" in line and "models pull sadtalker-256" in line


def test_the_quick_questions_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> bool:
        raise AssertionError("PyTorch was imported for nothing")

    monkeypatch.setattr(factory, "has_gpu", never)
    assert opened(Models()) == "drawn"
    monkeypatch.setattr(factory, "find_spec", lambda name: None)
    obstacle = obstacle_to_sadtalker(settings(), WEIGHTS)  # type: ignore[arg-type]
    assert obstacle is not None and "chatanything[gpu]" in obstacle.remedy


def test_only_faces_that_were_found_are_moved_by_itself(gpu: None) -> None:
    by_itself = open_talking_head(settings(), WEIGHTS)  # type: ignore[arg-type]
    asked_for = open_talking_head(settings(renderer="sadtalker"), WEIGHTS)  # type: ignore[arg-type]
    assert by_itself._first.capabilities.needs_landmarks  # type: ignore[attr-defined]
    assert not asked_for._first.capabilities.needs_landmarks  # type: ignore[attr-defined]
