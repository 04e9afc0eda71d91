"""How the adapter is set up, and what is said when it cannot be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.app import App
from bot.settings import Settings
from bot.telegram.adapter import open_adapter, token_of
from bot.telegram.keys import cut, fits, key, pack, unpack
from bot.telegram.request import CarefulRequest
from bot.telegram.settings import TelegramSettings
from personas.errors import UnavailableError


async def test_without_a_token_there_is_no_telegram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELEGRAM_TOKEN", raising=False)
    async with App(Settings()) as app:
        with pytest.raises(UnavailableError, match="TELEGRAM_TOKEN"):
            await open_adapter(app)


def test_the_token_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "1:abc")
    assert token_of(TelegramSettings()) == "1:abc"
    assert token_of(TelegramSettings.model_validate({"token": "2:def"})) == "2:def"


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": {"url": "http://example.org"}},
        {"webhook": {"secret": "with space"}},
        {"webhook": {"secret": "x" * 257}},
        {"webhook": {"connections": 101}},
        {"clips": "square"},
        {"proxy": "127.0.0.1:1080"},
        {"proxy": "socks4://127.0.0.1:1080"},
        {"tokn": "1:abc"},
    ],
)
def test_what_telegram_would_not_take_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings.model_validate(wrong)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
async def test_each_kind_of_proxy_can_be_used(scheme: str) -> None:
    settings = TelegramSettings(proxy=f"{scheme}://127.0.0.1:1080")
    await CarefulRequest(proxy=settings.proxy).shutdown()


def test_settings_show_no_token() -> None:
    settings = TelegramSettings.model_validate({"token": "1:abc", "webhook": {"secret": "s3cret"}})
    assert "1:abc" not in repr(settings)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("id", ["0" * 32, "f" * 32, "abc", "", "not-hex", "ABCDEF", "a" * 33])
def test_ids_come_back_from_a_button(id: str) -> None:
    assert unpack(pack(id)) == id


def test_a_button_carries_only_so_much() -> None:
    assert fits("cast", pack("f" * 32), "a" * 36)
    with pytest.raises(ValueError, match="too long"):
        key("x", "cast", pack("f" * 32), "a" * 64)
    assert cut("äöü" * 20, 5) == "äö"
