"""Every call is one of Telegram's published method list.

All tests of this room hold each call against the list, through `tests.fakes.telegram_service`;
here it is made sure that this finds what is wrong.
"""

from __future__ import annotations

import json

import pytest

from tests.bot.telegram.conftest import Bot
from tests.fakes.telegram_service import Telegram
from tests.fakes.telegram_spec import Specification, specification, specification_file


@pytest.fixture
def published() -> Specification:
    found = specification()
    if found is None:
        pytest.skip(f"needs Telegram's method list in {specification_file()}")
    return found


ENTITY = {"type": "bold", "offset": 0, "length": 2}
RIGHT: list[tuple[str, dict[str, str], set[str]]] = [
    ("sendMessage", {"chat_id": "1", "text": "Hi", "entities": json.dumps([ENTITY])}, set()),
    ("sendMessage", {"chat_id": "@channel", "text": "Hi"}, set()),
    ("sendVideoNote", {"chat_id": "1", "length": "640"}, {"video_note"}),
    ("sendVideoNote", {"chat_id": "1", "thumbnail": "attach://t"}, {"video_note", "t"}),
    ("sendPhoto", {"chat_id": "1", "photo": "AgACfile"}, set()),
    ("getMe", {}, set()),
]
WRONG: list[tuple[str, dict[str, str], set[str]]] = [
    ("sendMesage", {"chat_id": "1", "text": "Hi"}, set()),
    ("sendMessage", {"chat_id": "1"}, set()),
    ("sendMessage", {"chat_id": "1", "text": "Hi", "parsemode": "HTML"}, set()),
    ("sendMessage", {"chat_id": "1", "text": "Hi", "message_thread_id": "main"}, set()),
    ("sendMessage", {"chat_id": "1", "text": "Hi", "entities": '[{"type": "bold"}]'}, set()),
    ("sendMessage", {"chat_id": "1", "text": "Hi", "reply_markup": '{"keys": []}'}, set()),
    ("sendMessage", {"chat_id": "1", "text": "Hi", "protect_content": "yes"}, set()),
    ("sendVideoNote", {"chat_id": "1"}, set()),
    ("sendMessageDraft", {"chat_id": "@channel", "draft_id": "1"}, set()),
    (
        "editMessageMedia",
        {"media": json.dumps({"type": "photo", "media": "attach://lost"})},
        set(),
    ),
]


@pytest.mark.parametrize(("method", "parameters", "files"), RIGHT)
def test_what_is_published_passes(
    published: Specification, method: str, parameters: dict[str, str], files: set[str]
) -> None:
    assert published.problems(method, parameters, files) == []


@pytest.mark.parametrize(("method", "parameters", "files"), WRONG)
def test_what_is_not_published_is_found(
    published: Specification, method: str, parameters: dict[str, str], files: set[str]
) -> None:
    assert published.problems(method, parameters, files)


@pytest.mark.usefixtures("published")
async def test_the_double_holds_every_call_against_the_list(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1)
    await bot.send_message(1, "Hi", api_kwargs={"invented": 1})
    assert telegram.problems == ["sendMessage has no invented"]
    telegram.problems.clear()
