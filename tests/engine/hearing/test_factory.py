"""Who listens, by the settings and by what is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.hearing import factory
from engine.hearing.factory import open_recognizer
from engine.hearing.languages import tag_of, whisper_tag
from engine.hearing.settings import HearingSettings
from engine.models.catalogue import Catalogue
from personas.errors import InvalidInputError, UnavailableError


class Files:
    """A store that holds some of the models."""

    catalogue = Catalogue.load()

    def __init__(self, *here: str) -> None:
        self._here = here

    def has(self, name: str) -> bool:
        return name in self._here

    def path(self, name: str) -> Path:
        raise UnavailableError(f"`chatanything models pull {name}` fetches it.")


def chosen(*here: str, **options: object) -> str | None:
    recognizer = open_recognizer(HearingSettings.model_validate(options), Files(*here))
    return recognizer.name if recognizer else None


def test_nobody_listens_where_nobody_shall() -> None:
    assert chosen(enabled=False, backend="whisper") is None
    assert chosen(backend="off") is None


def test_nobody_listens_by_default_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "whisper_installed", lambda: False)
    assert chosen() is None
    assert chosen(backend="whisper") == "whisper-base"  # which says what is missing


def test_the_best_model_that_is_here_listens() -> None:
    assert chosen("whisper-tiny.en") == "whisper-tiny.en"
    assert chosen("whisper-tiny.en", "whisper-base") == "whisper-base"
    assert chosen() == "whisper-base"
    assert chosen("whisper-base", model="whisper-tiny.en") == "whisper-tiny.en"


def test_a_missing_model_says_how_to_get_it() -> None:
    recognizer = open_recognizer(HearingSettings(), Files())
    assert recognizer is not None
    with pytest.raises(UnavailableError, match="models pull whisper-base"):
        recognizer.warm_up()


def test_recordings_leave_this_machine_only_where_somebody_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-the-language-model")
    recognizer = open_recognizer(HearingSettings(), Files())
    assert recognizer is not None and not recognizer.online
    for settings in (
        HearingSettings(backend="openai"),
        HearingSettings(base_url="http://127.0.0.1:1/v1"),
        HearingSettings.model_validate({"api_key": "sk-1"}),
    ):
        recognizer = open_recognizer(settings, Files())
        assert recognizer is not None and recognizer.online
        assert recognizer.name == "whisper-1"


def test_an_endpoint_without_an_address_or_key_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="neither an api_key nor a base_url"):
        chosen(backend="openai")
    with pytest.raises(InvalidInputError, match="must begin with http"):
        chosen(base_url="localhost:8000")


@pytest.mark.parametrize(
    ("said", "tag"),
    [("english", "en"), ("German", "de"), ("cantonese", "yue"), ("pt-br", "pt-br"), ("ja", "ja"),
     ("klingon of the north", ""), ("../..", ""), (None, ""), (5, "")],
)  # fmt: skip
def test_languages_are_known_by_name_and_tag(said: object, tag: str) -> None:
    assert tag_of(said) == tag


def test_tags_are_given_as_whisper_knows_them() -> None:
    assert [whisper_tag(t) for t in ("pt-BR", "zh_Hant", "nb", "", None)] == [
        "pt",
        "zh",
        "no",
        "",
        "",
    ]
