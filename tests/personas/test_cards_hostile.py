"""Cards from strangers: a clear sentence, no crash, bounded memory."""

from __future__ import annotations

import base64
import json
import random
import struct
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas import cards_png as png
from personas.cards import has_face, read_card, to_personality, write_card
from personas.cards_read import MAX_CARD_BYTES
from personas.errors import InvalidInputError
from tests.personas.pictures import SIGNATURE, chunk, insert, picture, text, v2, with_card
from tests.storage.examples import build

PORTRAIT = picture((64, 64))


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


def header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


BOMB = zlib.compress(bytes(60_000_000), 1)

HOSTILE = {
    "nothing": b"",
    "no card": b"Dear Sir or Madam",
    "a picture without a card": PORTRAIT,
    "only a signature": SIGNATURE,
    "cut off in a chunk": with_card(PORTRAIT, chara=v2())[:-40],
    "a length beyond the end": SIGNATURE + struct.pack(">I", 2**31) + b"IHDR" + bytes(20),
    "no end": PORTRAIT[:-12],
    "no header": SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    "no pixels": SIGNATURE + header(0, 5) + chunk(b"IEND", b""),
    "absurdly many pixels": SIGNATURE + header(2**31, 2**31) + chunk(b"IEND", b""),
    "absurdly many chunks": insert(PORTRAIT, chunk(b"abCd", b"") * 30_000),
    "a wrong sum": insert(PORTRAIT, text("chara", b64(b"{}"))[:-4] + b"abcd"),
    "a bomb in zTXt": insert(PORTRAIT, chunk(b"zTXt", b"chara\0\0" + BOMB)),
    "a bomb in iTXt": insert(PORTRAIT, chunk(b"iTXt", b"ccv3\0\1\0\0\0" + BOMB)),
    "not deflated": insert(PORTRAIT, chunk(b"zTXt", b"chara\0\0hello")),
    "deflated but cut": insert(PORTRAIT, chunk(b"zTXt", b"chara\0\0" + zlib.compress(b"x")[:-3])),
    "iTXt without its parts": insert(PORTRAIT, chunk(b"iTXt", b"chara\0\1")),
    "no base64": insert(PORTRAIT, text("chara", b"@@@ not base64 @@@")),
    "base64 of noise": insert(PORTRAIT, text("chara", b64(bytes(range(256))))),
    "invalid UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a list": b"[1, 2, 3]",
    "a number": b"17",
    "null": b"null",
    "cut JSON": b'{"name": "Bo',
    "NaN": b'{"name": "x", "n": NaN}',
    "infinity": b'{"name": "x", "n": 1e999}',
    "a number of many digits": b'{"name": "x", "n": ' + b"9" * 5_000 + b"}",
    "a number too large": b'{"name": "x", "n": ' + b"9" * 300 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep lists": b'{"name":"x","a":' + b"[" * 200 + b"]" * 200 + b"}",
    "very many lists": b'{"name":"x","a":[' + b"[]," * 2_000_000 + b"1]}",
    "no name": b'{"spec": "chara_card_v2", "data": {"description": "x"}}',
    "an empty name": b'{"name": " "}',
    "a name that is a list": b'{"name": ["x"]}',
    "a greeting that is an object": json.dumps(v2(first_mes={})).encode(),
    "a gigantic name": json.dumps(v2(name="x" * 3_000_000)).encode(),
    "gigantic unknown fields": json.dumps(v2(other="x" * 3_000_000)).encode(),
    "a gigantic file": bytes(MAX_CARD_BYTES + 1),
    "a JPEG": b"\xff\xd8\xff\xe0" + bytes(50),
    "an archive": b"PK\x03\x04" + bytes(50),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_with_a_sentence(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInputError) as raised:
            read_card(HOSTILE[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 120_000_000
    sentence = str(raised.value)
    assert 20 < len(sentence) < 200
    assert sentence.endswith(".")


def test_texts_are_made_storable() -> None:
    card = read_card(b'{"name": "a\\u0000b \\ud83d\\ude00 \\ud800", "k\\ud800": ["\\udfff"]}')
    assert card.name == "ab 😀 \ufffd"
    json.dumps(card.document, ensure_ascii=False).encode()
    assert "\0" not in to_personality(card).name


def test_what_claims_to_be_ours_is_checked() -> None:
    written = json.loads(write_card(build("a", "ab/x.png"), PORTRAIT, form="v2-json"))
    whole = written["data"]["extensions"]["chatanything"]
    assert read_card(json.dumps(written).encode()).kept is not None

    def spoiled(**changes: Any) -> bytes:
        written["data"]["extensions"]["chatanything"] = {**whole, **changes}
        return json.dumps(written).encode()

    def moved(**changes: Any) -> dict[str, Any]:
        return {**whole["portrait"], "geometry": {**whole["portrait"]["geometry"], **changes}}

    for bad in (
        {"version": 2},
        {"voice": {"engine": "x", "preset": "y", "pitch": 1e6}},
        {"portrait": moved(eye_radius=1e300)},
        {"portrait": moved(left_eye=[9e9, 0])},
        {"portrait": {**whole["portrait"], "size": [10**9, 10**9]}},
        {"portrait": {**whole["portrait"], "picture": "../../x"}},
        {"personality": {**whole["personality"], "character": "x" * 600_000}},
        {"seed": "x"},
        {"extra": 1},
    ):
        card = read_card(spoiled(**bad))
        assert card.kept is None
        assert to_personality(card).name == "Grumbel"  # the card itself is still good
    other = spoiled(media={"main": "data:image/png;base64," + b64(b"junk").decode()})
    assert not has_face(read_card(other))


def test_layers_of_another_size_are_left_out() -> None:
    persona = build("a", "ab/x.png")
    layer = picture((16, 16))
    card = read_card(
        write_card(persona, picture((512, 512)), background=layer, body=layer, form="v3-json")
    )
    assert has_face(card)
    assert card.body is card.background is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    for start in (b"", SIGNATURE, b"{"):
        with pytest.raises(InvalidInputError):
            read_card(start + data)


def test_damaged_files_are_refused_or_read() -> None:
    noise = random.Random(5)
    whole = write_card(build("a", "ab/x.png"), PORTRAIT, form="png")
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(noise.randrange(1, 4)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        cut = len(data) if noise.random() < 0.7 else noise.randrange(len(data))
        try:
            to_personality(read_card(bytes(data[:cut])))
        except InvalidInputError:
            continue


def test_unknown_chunks_with_a_wrong_sum_do_not_matter() -> None:
    odd = chunk(b"prVt", b"data")[:-4] + b"abcd"
    card = read_card(insert(with_card(PORTRAIT, chara=v2()), odd))
    assert card.picture is not None
    assert png.read_chunks(card.picture)
