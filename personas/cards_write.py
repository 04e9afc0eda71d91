"""Writing cards: other programs find their fields, we find our whole persona again."""

from __future__ import annotations

import base64
import copy
from typing import Any, Literal

from personas import cards_png as png
from personas.cards_json import write_compact, write_object
from personas.cards_model import EXTENSION, Kept, KeptPortrait
from personas.cards_personality import card_fields, read_personality, text_fields
from personas.cards_read import ASSET_CHUNK, ASSET_URI, is_card_text, picture_hash
from personas.persona import Persona

Form = Literal["v2-json", "v3-json", "png"]

MAX_EXPORT_BYTES = 9_500_000
"""What chats let everybody upload; layers that do not fit are left out."""

_DEFAULTS: dict[str, Any] = {
    "name": "",
    "description": "",
    "personality": "",
    "scenario": "",
    "first_mes": "",
    "mes_example": "",
    "creator_notes": "",
    "system_prompt": "",
    "post_history_instructions": "",
    "alternate_greetings": [],
    "tags": [],
    "creator": "",
    "character_version": "",
    "extensions": {},
}
_V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_LAYERS = ("background", "body")


def write_card(
    persona: Persona,
    portrait_png: bytes,
    *,
    background: bytes | None = None,
    body: bytes | None = None,
    form: Form,
) -> bytes:
    """A persona as a character card that other programs read and that we read back whole.

    A PNG card is the portrait itself, with the card as V2 and V3 in its texts and the layers as
    assets. In JSON the pictures are data URLs.

    Args:
        persona: who.
        portrait_png: its picture, a PNG file; what it shows is not touched.
        background: the layer behind it, a PNG file.
        body: the layer without a face, a PNG file.
        form: which card and file.

    Raises:
        InvalidInputError: the portrait is no PNG file.
    """
    layers = {"background": background, "body": body}
    pictures = {name: data for name, data in layers.items() if data and png.is_png(data)}
    whole = _write(persona, portrait_png, pictures if len(pictures) == 2 else {}, form)
    if len(whole) > MAX_EXPORT_BYTES and pictures:
        return _write(persona, portrait_png, {}, form)
    return whole


def _write(persona: Persona, portrait_png: bytes, layers: dict[str, bytes], form: Form) -> bytes:
    chunks = png.without_texts(png.read_chunks(portrait_png), is_card_text)
    plain_picture = png.write_chunks(chunks)
    kept = _kept(persona, chunks)
    if form == "v2-json":
        media = {"main": plain_picture, **layers}
        kept["media"] = {name: _data_url(data) for name, data in media.items()}
        return write_object(_document(persona, kept, "v2"))
    if form == "v3-json":
        document = _document(persona, kept, "v3")
        _set_assets(document, {n: _data_url(layers[n]) for n in layers}, _data_url(plain_picture))
        return write_object(document)
    document = _document(persona, kept, "v3")
    paths = {name: f"{EXTENSION}/{name}.png" for name in layers}
    _set_assets(document, {name: ASSET_URI + path for name, path in paths.items()}, "ccdefault:")
    # The V2 card is not marked as a lesser copy: nothing of it is missing but the layers.
    cards = {"chara": _document(persona, kept, "v2"), "ccv3": document}
    texts = [png.text_chunk(k, base64.b64encode(write_compact(v))) for k, v in cards.items()]
    for name, path in paths.items():
        texts.append(png.text_chunk(ASSET_CHUNK + path, base64.b64encode(layers[name])))
    return png.write_chunks(png.add_texts(chunks, texts))


def _kept(persona: Persona, chunks: tuple[png.Chunk, ...]) -> dict[str, Any]:
    portrait = persona.portrait
    kept = Kept(
        description=persona.description,
        personality=persona.personality,
        voice=persona.voice,
        portrait=KeptPortrait(
            size=portrait.size,
            generator=portrait.generator,
            style=portrait.style,
            seed=portrait.seed,
            geometry=portrait.geometry,
            look=portrait.look,
            credits=portrait.credits,
            picture=picture_hash(chunks),
        ),
        seed=persona.seed,
        model=persona.model,
        created_at=persona.created_at,
        adult=persona.adult,
    )
    return kept.model_dump(mode="json")


def _document(persona: Persona, kept: dict[str, Any], spec: Literal["v2", "v3"]) -> dict[str, Any]:
    document = copy.deepcopy(persona.card)
    fields = document.get("data")
    if not isinstance(fields, dict):  # V1 has its fields outside
        fields = {name: document.pop(name) for name in _DEFAULTS if name in document}
    original = bool(fields)
    fields = copy.deepcopy(_DEFAULTS) | fields
    if original:
        _keep_or_write(fields, persona)
    else:
        fields |= text_fields(persona.personality)
        fields["creator_notes"] = _notes(persona)
        fields["tags"] = [persona.personality.kind]
    extensions = fields["extensions"] if isinstance(fields["extensions"], dict) else {}
    fields["extensions"] = {**extensions, EXTENSION: kept}
    for name in _V1_FIELDS:  # some programs repeat the fields outside, and read them there
        if name in document:
            document[name] = fields[name]
    document["spec"] = "chara_card_v2" if spec == "v2" else "chara_card_v3"
    document["spec_version"] = "2.0" if spec == "v2" else "3.0"
    if spec == "v3":
        fields.setdefault("group_only_greetings", [])
        fields.setdefault("creation_date", int(persona.created_at.timestamp()))
    document["data"] = fields
    return document


def _keep_or_write(fields: dict[str, Any], persona: Persona) -> None:
    """Leaves the original texts as they were unless the persona has changed since."""
    card = card_fields(fields)
    was, now = read_personality(card), persona.personality
    written = text_fields(now)
    unchanged = {
        "name": was.name == now.name,
        "description": was.character == now.character and was.speaking_style == now.speaking_style,
        "first_mes": was.greeting == now.greeting,
        "mes_example": was.examples == now.examples,
    }
    unchanged["personality"] = unchanged["scenario"] = unchanged["description"]
    fields |= {name: text for name, text in written.items() if not unchanged[name]}


def _notes(persona: Persona) -> str:
    """What the card's reader should know: the tagline, and whose art it is."""
    lines = [persona.personality.tagline] if persona.personality.tagline else []
    for credit in persona.portrait.credits:
        link = f" ({credit.url})" if credit.url else ""
        lines.append(f"Portrait: {credit.title} by {credit.author}, {credit.licence}{link}")
    return "\n".join(lines)


def _set_assets(document: dict[str, Any], layers: dict[str, str], portrait: str) -> None:
    fields = document["data"]
    given = fields.get("assets")
    others = [a for a in given if isinstance(a, dict)] if isinstance(given, list) else []
    main = {"type": "icon", "uri": portrait, "name": "main", "ext": "png"}
    kept = [a for a in others if (a.get("type"), a.get("name")) != ("icon", "main")]
    ours = [
        {"type": f"x_{EXTENSION}_{name}", "uri": uri, "name": name, "ext": "png"}
        for name, uri in layers.items()
    ]
    fields["assets"] = [main, *kept, *ours]


def _data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()
