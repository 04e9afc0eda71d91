"""Reading cards: any version, JSON or PNG, from strangers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from personas import cards_png as png
from personas.cards_json import decode_base64, read_object, write_compact
from personas.cards_model import EXTENSION, Card, Kept, KeptPortrait, Spec
from personas.errors import InvalidInputError

MAX_CARD_BYTES = 32 * 1024 * 1024
"""Of a card's file."""
MAX_DOCUMENT_BYTES = 1024 * 1024
"""Of what a persona keeps of its card; pictures inside beyond this are left out."""
MAX_KEPT_BYTES = 256 * 1024
"""Of our own part of a card, without pictures."""
MAX_FIELD = 200_000
"""Characters of one field."""

ASSET_CHUNK = "chara-ext-asset_:"
ASSET_URI = "__asset:"
TEXT_FIELDS = (
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "nickname",
    "creator_notes",
    "system_prompt",
    "post_history_instructions",
    "creator",
    "character_version",
)
_FOREIGN = (
    (b"\xff\xd8\xff", "JPEG pictures hold no card that we can read"),
    (b"PK\x03\x04", "CHARX and other archives cannot be read"),
    (b"RIFF", "WebP pictures hold no card that we can read"),
    (b"GIF8", "GIF pictures hold no card"),
)


def read_card(data: bytes) -> Card:
    """Reads a character card: V1, V2 or V3, as JSON or inside a PNG picture.

    Args:
        data: the file, from anybody.

    Raises:
        InvalidInputError: it holds no card, or is damaged, absurd or too large.
    """
    if len(data) > MAX_CARD_BYTES:
        raise InvalidInputError(
            f"This card is too large: {len(data) / 1e6:.0f} MB, at most "
            f"{MAX_CARD_BYTES / 1e6:.0f} MB can be read."
        )
    if png.is_png(data):
        return _read_png(data)
    for start, sentence in _FOREIGN:
        if data.startswith(start):
            raise InvalidInputError(f"{sentence}; export the card as PNG or JSON.")
    return _card(read_object(data), ())


def is_card_text(keyword: str) -> bool:
    """Whether a PNG text with this keyword is part of a card."""
    return keyword.lower() in ("chara", "ccv3") or keyword.startswith(ASSET_CHUNK)


def picture_hash(chunks: Sequence[png.Chunk]) -> str:
    """Names what a PNG file shows, whatever texts are in it."""
    digest = hashlib.sha256()
    for part in png.picture_data(chunks):
        digest.update(part)
    return digest.hexdigest()


def _read_png(data: bytes) -> Card:
    chunks = png.read_chunks(data)
    failure: InvalidInputError | None = None
    for keyword in ("ccv3", "chara"):
        try:
            text = png.find_text(chunks, keyword)
            if text is None:
                continue
            plain = text.lstrip()[:1] == b"{"
            document = read_object(text if plain else decode_base64(text, png.MAX_TEXT))
            return _card(document, chunks)
        except InvalidInputError as error:  # the other one may be whole
            failure = failure or error
    if failure is not None:
        raise failure
    raise InvalidInputError(
        "There is no character card in this picture. Pictures lose it when a website or a chat "
        "converts them: get the original file."
    )


def _card(document: dict[str, Any], chunks: Sequence[png.Chunk]) -> Card:
    inner = document.get("data")
    fields = inner if isinstance(inner, dict) else document
    spec = _spec(document, fields)
    texts = {name: _text(fields, name) for name in TEXT_FIELDS}
    if not (texts["name"].strip() or texts["nickname"].strip()):
        raise InvalidInputError("This is not a character card: it has no name.")
    if not texts["name"].strip():
        texts["name"] = texts["nickname"]
    found = _Assets(fields, chunks)
    picture = found.take("icon", "main")
    if chunks:
        picture = png.write_chunks(png.without_texts(chunks, is_card_text))
    background = found.take("x_chatanything_background", "background")
    body = found.take("x_chatanything_body", "body")
    kept = _kept(fields, picture)
    if kept is None or kept.portrait is None or not _same_size(kept, background, body):
        background = body = None
    return Card(
        spec=spec,
        **texts,
        alternate_greetings=_texts(fields, "alternate_greetings"),
        tags=_texts(fields, "tags"),
        document=_to_keep(document, found),
        picture=picture,
        background=background,
        body=body,
        kept=kept,
        warnings=tuple(found.warnings),
    )


def _spec(document: dict[str, Any], fields: dict[str, Any]) -> Spec:
    if fields is document:
        return "v1"
    return "v3" if document.get("spec") == "chara_card_v3" else "v2"


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidInputError(f"This card is damaged: its {name} is not text.")
    if len(value) > MAX_FIELD:
        raise InvalidInputError(f"This card's {name} is too long: {len(value):,} characters.")
    return value


def _texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if isinstance(value, str):  # some programs write tags so
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list):
        return ()
    return tuple(item[:MAX_FIELD] for item in value[:200] if isinstance(item, str) and item)


def _kept(fields: dict[str, Any], picture: bytes | None) -> Kept | None:
    """Our own part, if it is valid; of the portrait, if the picture is still the same."""
    extensions = fields.get("extensions")
    raw = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    if not isinstance(raw, dict):
        return None
    plain = {key: value for key, value in raw.items() if key != "media"}
    if len(write_compact(plain)) > MAX_KEPT_BYTES:
        return None
    try:
        kept = Kept.model_validate(plain)
    except ValidationError:
        return None
    if kept.portrait is not None and not _shows(picture, kept.portrait):
        return kept.model_copy(update={"portrait": None})
    return kept


def _shows(picture: bytes | None, portrait: KeptPortrait) -> bool:
    """Whether it is still the picture on which the face was."""
    if picture is None or not png.is_png(picture):
        return False
    try:
        chunks = png.read_chunks(picture)
    except InvalidInputError:
        return False
    return png.size_of(chunks) == portrait.size and picture_hash(chunks) == portrait.picture


def _same_size(kept: Kept, *layers: bytes | None) -> bool:
    if kept.portrait is None or any(layer is None or not png.is_png(layer) for layer in layers):
        return False
    try:
        sizes = {png.size_of(png.read_chunks(layer)) for layer in layers if layer is not None}
    except InvalidInputError:
        return False
    return sizes == {kept.portrait.size}


class _Assets:
    """The pictures that came with a card: in `assets`, in chunks, or in our extension."""

    def __init__(self, fields: dict[str, Any], chunks: Sequence[png.Chunk]) -> None:
        listed = fields.get("assets")
        self.listed = [a for a in listed if isinstance(a, dict)] if isinstance(listed, list) else []
        self.warnings: list[str] = []
        extensions = fields.get("extensions")
        ours = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
        media = ours.get("media") if isinstance(ours, dict) else None
        self._ours: dict[str, Any] = media if isinstance(media, dict) else {}
        self._chunks = chunks

    def take(self, kind: str, name: str) -> bytes | None:
        """The bytes of an asset, where they are in this very file."""
        uris = [a.get("uri") for a in self.listed if a.get("type") == kind]
        named = [
            a.get("uri") for a in self.listed if (a.get("type"), a.get("name")) == (kind, name)
        ]
        for uri in (*named, *uris, self._ours.get(name)):
            if isinstance(uri, str) and (data := self._load(uri)):
                return data
        return None

    def _load(self, uri: str) -> bytes | None:
        try:
            if uri.startswith("data:"):
                head, _, text = uri.partition(",")
                return decode_base64(text.encode(), MAX_CARD_BYTES) if ";base64" in head else None
            if uri.startswith(ASSET_URI):
                text_chunk = png.find_text(self._chunks, ASSET_CHUNK + uri[len(ASSET_URI) :])
                return decode_base64(text_chunk, MAX_CARD_BYTES) if text_chunk else None
        except InvalidInputError:
            return None
        return None


def _to_keep(document: dict[str, Any], found: _Assets) -> dict[str, Any]:
    """The document without what we write anew and without pictures that are too large to keep."""
    kept = dict(document)
    fields = document.get("data")
    if isinstance(fields, dict):
        fields = kept["data"] = dict(fields)
    else:
        fields = kept
    extensions = fields.get("extensions")
    if isinstance(extensions, dict) and EXTENSION in extensions:
        fields["extensions"] = {k: v for k, v in extensions.items() if k != EXTENSION}
    if isinstance(fields.get("assets"), list):
        fields["assets"] = [a for a in found.listed if _is_kept(a)]
        lost = sum(not _is_kept(a) and not _is_ours(a) for a in found.listed)
        if lost:
            found.warnings.append(f"{lost} additional pictures or sounds of the card are not kept.")
    size = len(write_compact(kept))
    if size > MAX_DOCUMENT_BYTES:
        raise InvalidInputError(f"The texts of this card are too long: {size / 1e6:.1f} MB.")
    return kept


def _is_ours(asset: dict[str, Any]) -> bool:
    kind = asset.get("type")
    is_portrait = kind == "icon" and asset.get("name") == "main"
    return is_portrait or (isinstance(kind, str) and kind.startswith("x_chatanything_"))


def _is_kept(asset: dict[str, Any]) -> bool:
    """Links and small pictures stay; the portrait is written anew, the rest is too large."""
    uri = asset.get("uri")
    if not isinstance(uri, str) or uri.startswith((ASSET_URI, "embeded://", "embedded://")):
        return False
    if uri == "ccdefault:":
        return True
    return not _is_ours(asset) and len(uri) <= 64 * 1024
