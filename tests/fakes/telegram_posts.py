"""New and changed messages of a Telegram in this process, held against its limits."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from tests.fakes.telegram_rooms import (
    BOT,
    Call,
    Json,
    RefusedError,
    Room,
    buttons_of,
    snake_case,
    without_reply,
)

PHOTO_LIMIT = 10_000_000
FILE_LIMIT = 50_000_000


class Posts:
    """Writes messages into rooms.

    Args:
        files: what was uploaded, by file id.
        upload: keeps a file; gives its description.
    """

    def __init__(self, files: dict[str, bytes], upload: Callable[[bytes], Json]) -> None:
        self._files, self._upload = files, upload

    def post(self, call: Call, room: Room) -> Json:
        message: Json = {
            "message_id": next(room.ids),
            "date": 1_790_000_000,
            "chat": room.chat,
            "from": BOT,
        }
        in_thread(call, room, message)
        self._fill(call, message)
        replying = json.loads(call.parameters.get("reply_parameters", "{}"))
        if replying:
            found = room.messages.get(replying["message_id"])
            if found is None and not replying.get("allow_sending_without_reply"):
                raise RefusedError(400, "Bad Request: message to be replied not found")
            if found is not None:
                message["reply_to_message"] = without_reply(found)
        room.messages[message["message_id"]] = message
        return message

    def edit(self, call: Call, room: Room) -> Json:
        message = room.messages.get(int(call.parameters["message_id"]))
        if message is None:
            raise RefusedError(400, "Bad Request: message to edit not found")
        if call.method == "editMessageText" and "text" not in message:
            raise RefusedError(400, "Bad Request: there is no text in the message to edit")
        before = json.dumps(message, sort_keys=True)
        changed = dict(message)
        changed.pop("reply_markup", None)
        if call.method != "editMessageReplyMarkup":
            for key in ("text", "entities", "caption", "caption_entities"):
                changed.pop(key, None)
            self._fill(call, changed)
        elif "reply_markup" in call.parameters:
            changed["reply_markup"] = _keyboard(call)
        if json.dumps(changed, sort_keys=True) == before:
            raise RefusedError(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        room.messages[message["message_id"]] = changed
        return changed

    def _fill(self, call: Call, message: Json) -> None:
        """Puts what a request holds into a message."""
        given = call.parameters
        kind = call.method.removeprefix("send").removeprefix("edit")
        if kind in ("Message", "MessageText"):
            message["text"] = check_text(given.get("text", ""), given.get("entities"), 4096)
            if "entities" in given:
                message["entities"] = json.loads(given["entities"])
        elif kind == "MessageMedia":
            media = json.loads(given["media"])
            self._attach(call, message, media["type"], media["media"])
            message["caption"] = check_text(
                media.get("caption", ""),
                json.dumps(media.get("caption_entities", [])),
                1024,
                empty=True,
            )
        elif kind == "MessageCaption":
            message["caption"] = check_text(
                given.get("caption", ""), given.get("caption_entities"), 1024, empty=True
            )
        else:
            name = snake_case(kind)
            self._attach(call, message, name, given.get(name, f"attach://{name}"))
            if "caption" in given:
                message["caption"] = check_text(
                    given["caption"], given.get("caption_entities"), 1024, empty=True
                )
        if "reply_markup" in given:
            message["reply_markup"] = _keyboard(call)

    def _attach(self, call: Call, message: Json, kind: str, source: str) -> None:
        if source.startswith("attach://"):
            data = call.files.get(source.removeprefix("attach://"))
            if data is None:
                raise RefusedError(400, f"Bad Request: there is no {kind} in the request")
            if len(data) > (PHOTO_LIMIT if kind == "photo" else FILE_LIMIT):
                raise RefusedError(413, "Request Entity Too Large")
            file = self._upload(data)
        elif source in self._files:
            file = {"file_id": source, "file_unique_id": f"u{source}"}
            data = self._files[source]
        else:
            raise RefusedError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        given = call.parameters
        if kind in ("video_note", "video", "voice", "audio"):
            file["duration"] = int(given.get("duration", "0"))
        if kind == "video_note":
            file["length"] = int(given.get("length", "0"))
            if not 0 < file["length"] <= 640 or file["duration"] > 60:
                raise RefusedError(400, "Bad Request: wrong video note")
        if kind == "video":
            file |= {"width": int(given.get("width", 0)), "height": int(given.get("height", 0))}
        if kind == "photo":
            message["photo"] = [{**file, "width": 512, "height": 512}]
        else:
            message[kind] = file
        name = given.get("thumbnail", "attach://thumbnail").removeprefix("attach://")
        thumbnail = call.files.get(name)
        if thumbnail is not None:
            _check_thumbnail(thumbnail)


def in_thread(call: Call, room: Room, message: Json | None = None) -> None:
    thread = call.parameters.get("message_thread_id")
    if thread is None:
        return
    if int(thread) not in room.topics:
        raise RefusedError(400, "Bad Request: message thread not found")
    if message is not None:
        message |= {"message_thread_id": int(thread), "is_topic_message": True}


def _check_thumbnail(data: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        if picture.format != "JPEG" or max(picture.size) > 320 or len(data) > 200_000:
            raise RefusedError(400, "Bad Request: wrong thumbnail")


def check_text(text: str, entities: str | None, most: int, *, empty: bool = False) -> str:
    units = len(text.encode("utf-16-le")) // 2
    if not text.strip() and not empty:
        raise RefusedError(400, "Bad Request: message text is empty")
    if units > most:
        raise RefusedError(400, "Bad Request: message is too long")
    for entity in json.loads(entities or "[]"):
        if entity["length"] < 1 or entity["offset"] < 0:
            raise RefusedError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
        if entity["offset"] + entity["length"] > units:
            raise RefusedError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
    return text


def _keyboard(call: Call) -> Json:
    markup: Json = json.loads(call.parameters["reply_markup"])
    for button in buttons_of(markup):
        if len(button.get("callback_data", "").encode()) > 64:
            raise RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")
        kinds = button.keys() - {"text", "style", "icon_custom_emoji_id"}
        if len(kinds) != 1 or not button["text"]:
            raise RefusedError(400, "Bad Request: inline keyboard button is wrong")
    return markup
