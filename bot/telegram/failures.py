"""What Telegram refuses, in our words."""

from __future__ import annotations

import re
from typing import Final

from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, TelegramError

from bot.chat.base import GoneError, TooLargeError
from bot.telegram.limiter import QueueFullError
from bot.telegram.request import FileTooLargeError, NotArrivedError
from personas.errors import ChatAnythingError, UnavailableError

_GONE: Final = re.compile(
    r"chat not found|message to (?:edit|delete|reply|be replied) not found|message_id_invalid"
    r"|message can't be (?:edited|deleted)|topic_(?:closed|deleted)|thread not found"
    r"|not enough rights|have no rights|need administrator rights|chat_write_forbidden"
    r"|chat_(?:send_\w+_forbidden|restricted|admin_required)|peer_id_invalid|user is deactivated"
    r"|user_is_blocked|bot was (?:kicked|blocked)|group chat was (?:upgraded|deactivated)"
    r"|chat is deactivated|user_banned_in_channel",
    re.IGNORECASE,
)
_KIND_FORBIDDEN: Final = re.compile(
    r"(?:voice|video)_messages_forbidden|chat_send_(?:roundvideos|voices|videos|media)_forbidden"
    r"|not enough rights to send (?:video|voice|media)|privacy settings",
    re.IGNORECASE,
)
_UNCHANGED: Final = "message is not modified"


def is_unchanged(error: TelegramError) -> bool:
    """The message looks like this already."""
    return isinstance(error, BadRequest) and _UNCHANGED in str(error).lower()


def is_picture(error: TelegramError) -> bool:
    """The message has a caption, and no text that could be changed."""
    return isinstance(error, BadRequest) and "no text in the message" in str(error).lower()


def is_kind_forbidden(error: TelegramError) -> bool:
    """This person or group takes no messages of this kind; another kind may do."""
    return isinstance(error, BadRequest) and bool(_KIND_FORBIDDEN.search(str(error)))


def may_have_arrived(error: TelegramError) -> bool:
    """Nobody knows whether it was done: the answer was lost."""
    certain = BadRequest | NotArrivedError | FileTooLargeError
    return isinstance(error, NetworkError) and not isinstance(error, certain)


def translated(error: TelegramError) -> ChatAnythingError:
    """The same failure as an error of ours, with a sentence for people."""
    if isinstance(error, FileTooLargeError):
        return TooLargeError("Telegram takes no file of this size.")
    if isinstance(error, Forbidden | ChatMigrated) or _GONE.search(str(error)):
        return GoneError("Nothing can be written in this Telegram chat any more.")
    if isinstance(error, QueueFullError):
        return UnavailableError("Too much is waiting for this chat. Please wait a minute.")
    if isinstance(error, BadRequest):
        return UnavailableError("Telegram did not take this message. The log says why.")
    return UnavailableError("Telegram cannot be reached.")
