"""doctor: what it asks, and what it takes for missing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import doctor
from bot.app import App
from bot.settings import Settings
from tests.bot.conftest import Terminal
from tests.engine.llm.endpoint import serving

NOBODY = "http://127.0.0.1:9/v1"


def app(**settings: Any) -> App:
    return App(Settings(**settings))


def asked(url: str) -> App:
    """A program that does everything at one endpoint."""
    return app(
        language_model={"base_url": url},
        portrait={"generator": "images", "images": {"base_url": url}},
        hearing={"base_url": url},
    )


LOOKS = [doctor.language_model, doctor.images, doctor.hearing]


@pytest.mark.parametrize("look", LOOKS)
async def test_an_endpoint_is_asked(look: Any) -> None:
    async with serving() as endpoint:
        [found] = await look(asked(endpoint.url))
    assert found.state == "ok"
    assert found.detail.endswith("127.0.0.1 answers")


@pytest.mark.parametrize("look", LOOKS)
async def test_an_endpoint_that_does_not_answer_is_missing(look: Any) -> None:
    [found] = await look(asked(NOBODY))
    assert found.state == "missing"
    assert "127.0.0.1 cannot be reached" in found.detail


async def test_endpoints_that_nobody_set_are_not_asked() -> None:
    assert await doctor.images(app()) == await doctor.hearing(app()) == []


def test_the_configuration_that_was_named_is_told(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "other.toml").write_text("")
    told = json.loads(terminal("--config", "other.toml", "doctor", "--json").stdout)
    [found] = [one["detail"] for one in told if one["what"] == "configuration"]
    assert found == "other.toml"


def test_where_workers_make_them_a_bot_needs_no_art_and_no_voices(tmp_path: Path) -> None:
    def states(backend: str) -> tuple[str, str]:
        looked_at = app(
            models={"folder": tmp_path},
            jobs={"backend": backend},
            language_model={"model": "smollm2-135m"},
        )
        found = {one.what: one.state for one in doctor.models(looked_at)}
        return found["model fluent-emoji"], found["model smollm2-135m"]

    assert states("local") == ("missing", "missing")
    assert states("saq") == ("optional", "missing")


def test_room_is_needed_for_what_is_still_to_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert doctor.room(app(models={"folder": tmp_path})).state == "missing"
    nothing_to_fetch = app(
        models={"folder": tmp_path}, jobs={"backend": "saq"}, language_model={"base_url": NOBODY}
    )
    assert doctor.room(nothing_to_fetch).state == "ok"
