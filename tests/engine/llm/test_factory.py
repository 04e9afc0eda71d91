"""Which language model is used: a configured endpoint, else the best that memory holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.llm.factory import best_local_model, choose_local_model, open_language_model
from engine.llm.local import LocalModel
from engine.llm.openai import OpenAIModel
from engine.llm.settings import LanguageModelSettings
from engine.models.catalogue import Catalogue
from personas.errors import InvalidInputError, UnavailableError

GB = 10**9


class Here:
    """A store that has these models."""

    catalogue = Catalogue.load()

    def __init__(self, *names: str) -> None:
        self.names = names

    def has(self, name: str) -> bool:
        return name in self.names

    def path(self, name: str) -> Path:
        return Path(f"/models/{name}/model.gguf")


SMALL, MIDDLE, LARGE = "smollm2-135m", "qwen2.5-coder-1.5b", "qwen3-4b"


@pytest.mark.parametrize(
    ("here", "memory", "used", "fetched"),
    [
        ((), 16 * GB, MIDDLE, MIDDLE),
        ((), 2 * GB, SMALL, SMALL),
        ((), 0, SMALL, SMALL),
        ((SMALL,), 16 * GB, SMALL, MIDDLE),
        ((SMALL, MIDDLE), 16 * GB, MIDDLE, MIDDLE),
        ((SMALL, MIDDLE), 4 * GB, MIDDLE, MIDDLE),
        ((SMALL, MIDDLE), 2 * GB, SMALL, SMALL),
        ((MIDDLE,), 2 * GB, SMALL, SMALL),
        ((SMALL, LARGE), 16 * GB, LARGE, LARGE),
    ],
)
def test_the_best_that_fits(here: tuple[str, ...], memory: int, used: str, fetched: str) -> None:
    assert choose_local_model(Here(*here), memory) == used
    assert best_local_model(Here(*here), memory) == fetched


def test_what_is_wanted_is_taken_at_its_word() -> None:
    assert choose_local_model(Here(SMALL), 16 * GB, wanted="other") == "other"


async def test_auto_prefers_a_configured_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = LanguageModelSettings(base_url="http://127.0.0.1:1/v1", model="m")
    assert isinstance(open_language_model(configured, Here(SMALL)), OpenAIModel)
    empty = LanguageModelSettings(model=SMALL)
    assert isinstance(open_language_model(empty, Here(SMALL)), LocalModel)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert isinstance(open_language_model(LanguageModelSettings(), Here(SMALL)), OpenAIModel)
    local = LanguageModelSettings(backend="local", model=SMALL)
    assert isinstance(open_language_model(local, Here(SMALL)), LocalModel)


async def test_a_file_of_ones_own_is_run() -> None:
    settings = LanguageModelSettings(model_file=Path("/models/mine.gguf"))
    model = open_language_model(settings, Here())
    assert model.name == "mine"


def test_a_model_that_is_not_here_is_named_with_the_command() -> None:
    settings = LanguageModelSettings(backend="local", model=SMALL)
    with pytest.raises(UnavailableError, match=f"models pull {SMALL}"):
        open_language_model(settings, Here())


@pytest.mark.parametrize("url", ["", "example.org/v1"])
def test_settings_that_make_no_sense_are_refused(url: str) -> None:
    settings = LanguageModelSettings(backend="openai", base_url=url)
    with pytest.raises(InvalidInputError, match="base_url"):
        open_language_model(settings, Here())
