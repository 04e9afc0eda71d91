"""Character cards: what other programs wrote is read, what we write they can read."""

from __future__ import annotations

import base64
import json
import os
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personas import cards_png as png
from personas.cards import (
    Card,
    describe,
    has_face,
    read_card,
    to_persona,
    to_personality,
    write_card,
)
from personas.cards_personality import MAX_CHARACTER, MAX_EXAMPLES, MAX_SAID, text_fields
from personas.errors import InvalidInputError
from personas.persona import Exchange, Layers, Mood, Persona, Personality
from tests.personas.pictures import (
    chunk,
    insert,
    picture,
    pixels,
    sillytavern,
    text,
    v2,
    v3,
    with_card,
)
from tests.storage.examples import build

PORTRAIT, BACKGROUND = picture(seed=1), picture(seed=2)
BODY = picture(seed=3, mode="RGBA")
SMALL = picture((32, 32))


def as_json(card: dict[str, Any]) -> bytes:
    return json.dumps(card, ensure_ascii=False).encode()


def ours() -> Persona:
    layers = Layers(background="ab/b.png", body="ab/c.png")
    return build("a", "ab/a.png", layers=layers, description="a lighthouse, 灯台 🗼")


def written(persona: Persona, form: Any) -> bytes:
    return write_card(persona, PORTRAIT, background=BACKGROUND, body=BODY, form=form)


def reborn(card: Card) -> Persona:
    layers = Layers(background="ab/b.png", body="ab/c.png") if card.body else None
    return to_persona(card, id="a", gallery="terminal", image="ab/a.png", layers=layers)


def imported(card: Card) -> Persona:
    """The persona of a card from elsewhere, its face and voice made anew."""
    return ours().model_copy(
        update={"personality": to_personality(card), "card": card.document, "creator": ""}
    )


# --- reading what others wrote


def test_v1_is_an_object_with_the_fields_themselves() -> None:
    card = read_card(as_json({**v2()["data"], "metadata": {"tool": "x"}}))
    assert card.spec == "v1"
    assert (card.name, card.personality) == ("Seraphina", "caring, protective, kind")


def test_v2_has_all_of_its_fields() -> None:
    card = read_card(as_json(v2()))
    assert card.spec == "v2"
    assert card.tags == ("fantasy", "Female")
    assert card.alternate_greetings == ("Oh, {{user}}, you are awake!",)
    assert card.creator_notes == "<b>Be nice</b> to her."
    assert card.document == v2()
    assert card.picture is None


def test_a_picture_with_a_v2_card_as_sillytavern_saves_it() -> None:
    data = with_card(PORTRAIT, chara=sillytavern())
    card = read_card(data)
    assert card.spec == "v2"
    assert card.picture == PORTRAIT  # the card's text is taken out
    assert card.document == sillytavern()


def test_v3_is_preferred_to_v2() -> None:
    card = read_card(with_card(PORTRAIT, chara=v2(name="Old"), ccv3=v3(name="New")))
    assert (card.spec, card.name, card.called) == ("v3", "New", "Sera")


def test_v2_is_read_where_v3_is_broken() -> None:
    data = insert(with_card(PORTRAIT, chara=v2()), text("ccv3", b"%%%"))
    assert read_card(data).spec == "v2"


def test_versions_to_come_are_read_as_far_as_they_go() -> None:
    card = read_card(as_json({**v3(future={"x": [1]}), "spec_version": "3.7"}))
    assert card.spec == "v3"
    assert card.document["data"]["future"] == {"x": [1]}


@pytest.mark.parametrize("keyword", ["chara", "Chara", "CHARA"])
def test_the_keyword_is_found_in_any_case(keyword: str) -> None:
    assert read_card(with_card(PORTRAIT, **{keyword: v2()})).name == "Seraphina"


def test_compressed_and_plain_texts_are_read() -> None:
    encoded = base64.b64encode(as_json(v2()))
    packed = zlib.compress(encoded)
    for extra in (
        chunk(b"zTXt", b"chara\0\0" + packed),
        chunk(b"iTXt", b"chara\0\1\0\0\0" + packed),
        chunk(b"iTXt", b"chara\0\0\0en\0card\0" + encoded),
        chunk(b"iTXt", b"chara\0\0\0\0\0" + as_json(v2())),
    ):
        assert read_card(insert(PORTRAIT, extra)).name == "Seraphina"


def test_wrong_types_that_do_no_harm_are_forgiven() -> None:
    card = read_card(
        as_json(v2(scenario=None, character_version=1.5, tags="a, b", extensions=[], creator=7))
    )
    assert (card.scenario, card.character_version, card.creator) == ("", "1.5", "7")
    assert card.tags == ("a", "b")


# --- what it becomes


def test_a_card_becomes_a_personality() -> None:
    p = to_personality(read_card(as_json(v2())))
    assert p.name == "Seraphina"
    assert p.kind == "gentle guardian spirit"
    assert p.gender == "female"
    assert p.language == "en"
    assert p.mood in (Mood.CALM, Mood.CHEERFUL)
    assert p.character.startswith("You are Seraphina.")
    assert "Seraphina is a gentle guardian spirit of the forest. She heals the user." in p.character
    assert "Scenario: the user wakes up in Seraphina's glade." in p.character
    assert p.tagline == "caring, protective, kind"
    assert p.greeting == '*She smiles.* "Good morning! I have kept watch over your sleep."'
    assert p.examples == (
        Exchange(user="Who are you?", reply="I am Seraphina.\nI keep this glade."),
        Exchange(user="Thanks!", reply="You are welcome."),
    )


def test_the_nickname_stands_for_char_in_v3() -> None:
    p = to_personality(read_card(as_json(v3())))
    assert p.name == "Sera"
    assert p.examples[0].reply.startswith("I am Sera.")


def test_a_known_user_is_called_by_name() -> None:
    p = to_personality(read_card(as_json(v2())), user="Ann")
    assert "Good morning, Ann!" in p.greeting
    assert "Ann's sleep" in p.greeting


def test_what_is_filled_in_is_not_read_again() -> None:
    p = to_personality(read_card(as_json(v2(name="{{user}}", first_mes="I am {{char}}."))))
    assert p.greeting == "I am {{user}}."


def test_other_macros_are_resolved_or_dropped() -> None:
    said = "{{random:Hi,Hello}} there{{// a note}}, {{unknown_thing}}friend! {{pick: a , b}}"
    p = to_personality(read_card(as_json(v2(first_mes=said))))
    assert p.greeting == "Hi there, friend! a"


def test_a_card_with_a_name_alone_is_somebody() -> None:
    p = to_personality(read_card(b'{"name": "Bob"}'))
    assert (p.name, p.kind) == ("Bob", "character")
    assert p.character == "You are Bob."
    assert p.greeting == "Hello! I am Bob."
    assert describe(read_card(b'{"name": "Bob"}')).startswith("Bob, character.")


@pytest.mark.parametrize(
    ("description", "gender", "age", "mood", "language"),
    [
        ("He is a grumpy old man. His beard is long.", "male", "old", "grumpy", "en"),
        ("{{char}} is a shy 8-year-old girl.", "female", "child", "shy", "en"),
        ("A proud teapot.", "neutral", "adult", "proud", "en"),
        ("Age: 19. A curious student, she explores.", "female", "young", "curious", "en"),
        (
            "Sie ist eine alte Hexe und das ist nicht gut für dich.",
            "neutral",
            "adult",
            "calm",
            "de",
        ),
        ("彼女は古い灯台です。", "neutral", "adult", "calm", "ja"),
        ("Он старый маяк.", "neutral", "adult", "calm", "ru"),
    ],
)
def test_what_is_not_said_is_guessed(
    description: str, gender: str, age: str, mood: str, language: str
) -> None:
    card = {"name": "X", "description": description, "first_mes": description}
    p = to_personality(read_card(as_json(card)))
    assert (p.gender, p.age, p.mood, p.language) == (gender, age, mood, language)


def test_what_it_says_unasked_becomes_its_style() -> None:
    p = to_personality(
        read_card(as_json(v2(mes_example="{{char}}: Arr!\n<START>\nSeraphina: Hm.")))
    )
    assert p.examples == ()
    assert p.speaking_style == 'You say things such as: "Arr!" "Hm."'


# --- there and back


@pytest.mark.parametrize("form", ["png", "v2-json", "v3-json"])
def test_our_persona_comes_back_with_face_and_voice(form: str) -> None:
    card = read_card(written(ours(), form))
    assert has_face(card)
    assert card.picture == PORTRAIT
    assert (card.background, card.body) == (BACKGROUND, BODY)
    again = reborn(card)
    assert again.model_copy(update={"card": {}, "creator": "42"}) == ours()


@pytest.mark.parametrize("form", ["png", "v2-json", "v3-json"])
def test_a_second_journey_changes_nothing(form: str) -> None:
    first = reborn(read_card(written(ours(), form)))
    again = reborn(read_card(written(first, form)))
    assert again == first


def test_the_picture_shows_the_same_and_holds_both_cards() -> None:
    data = written(ours(), "png")
    assert (pixels(data) == pixels(PORTRAIT)).all()
    chunks = png.read_chunks(data)
    cards = {}
    for keyword in ("chara", "ccv3"):
        found = png.find_text(chunks, keyword)
        assert found is not None
        cards[keyword] = json.loads(base64.b64decode(found))
    assert cards["chara"]["spec"] == "chara_card_v2"
    assert cards["chara"]["spec_version"] == "2.0"
    assert cards["ccv3"]["spec"] == "chara_card_v3"
    assert cards["ccv3"]["spec_version"] == "3.0"
    assert cards["ccv3"]["data"]["group_only_greetings"] == []
    mains = [a for a in cards["ccv3"]["data"]["assets"] if a["type"] == "icon"]
    assert mains == [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}]


def test_others_find_every_field_of_v2_with_macros() -> None:
    data = json.loads(written(ours(), "v2-json"))["data"]
    assert set(v2()["data"]) - {"character_book"} <= set(data)
    assert data["description"] == "You are {{char}}, an old lighthouse. {{char}} loves poetry."
    assert data["first_mes"] == "What now? I am {{char}}."
    assert data["mes_example"] == "<START>\n{{user}}: Hi!\n{{char}}: {{char}} is busy."
    assert "Lighthouse by Somebody, CC BY 4.0" in data["creator_notes"]
    assert data["creator"] == ""  # who made it on which platform is nobody's business


@pytest.mark.parametrize(
    ("card", "form"), [(v2(), "v2-json"), (sillytavern(), "v2-json"), (v3(), "v3-json")]
)
def test_a_foreign_card_comes_out_as_it_went_in(card: dict[str, Any], form: Any) -> None:
    persona = imported(read_card(as_json(card)))
    out = json.loads(write_card(persona, PORTRAIT, form=form))
    del out["data"]["extensions"]["chatanything"]
    if form == "v3-json":  # the icon was the picture of the file; JSON has it inside
        assert out["data"]["assets"].pop(0)["uri"].startswith("data:image/png;base64,")
        card["data"]["assets"].pop(0)
    assert out == card


def test_a_v1_card_comes_out_as_v2_with_all_fields() -> None:
    old = {"name": "Bob", "description": "{{char}} is a cat.", "first_mes": "Meow", "odd": [1]}
    out = json.loads(write_card(imported(read_card(as_json(old))), PORTRAIT, form="v2-json"))
    assert out["odd"] == [1]
    assert out["data"]["description"] == "{{char}} is a cat."
    assert out["data"]["first_mes"] == "Meow"


def test_what_was_changed_here_is_written_and_the_rest_stays() -> None:
    persona = imported(read_card(as_json(sillytavern())))
    changed = persona.personality.model_copy(update={"greeting": "Seraphina greets anew."})
    persona = persona.model_copy(update={"personality": changed})
    out = json.loads(write_card(persona, PORTRAIT, form="v2-json"))
    assert out["data"]["first_mes"] == out["first_mes"] == "{{char}} greets anew."
    assert out["data"]["description"] == v2()["data"]["description"]
    again = read_card(write_card(persona, PORTRAIT, form="png"))
    assert to_personality(again) == changed


def test_what_another_program_changed_counts() -> None:
    card = json.loads(written(ours(), "v2-json"))
    card["data"]["first_mes"] = "Ahoy, {{user}}!"
    p = to_personality(read_card(as_json(card)))
    assert p == ours().personality.model_copy(update={"greeting": "Ahoy!"})
    card["data"]["name"] = "Flora"
    p = to_personality(read_card(as_json(card)))
    assert p.name == "Flora"
    assert p.character == "You are Flora, an old lighthouse. Flora loves poetry.\n" + (
        "Personality: Short, salty sentences."
    )
    assert p.mood is Mood.GRUMPY


def test_a_face_is_not_put_on_another_picture() -> None:
    chunks = png.read_chunks(written(ours(), "png"))
    texts = tuple(c for c in chunks if c.kind == b"tEXt")
    moved = png.write_chunks(png.add_texts(png.read_chunks(picture(seed=9)), texts))
    card = read_card(moved)
    assert not has_face(card)
    assert card.kept is not None
    assert card.kept.voice == ours().voice  # but it keeps its voice
    assert card.background is None


def test_layers_that_make_the_file_too_large_are_left_out() -> None:
    large = insert(BODY, text("comment", os.urandom(8_000_000).replace(b"\0", b"1")))
    data = write_card(ours(), PORTRAIT, background=BACKGROUND, body=large, form="png")
    assert len(data) < 2_000_000
    card = read_card(data)
    assert has_face(card)
    assert card.body is None


def test_large_assets_of_others_are_not_kept_and_this_is_said() -> None:
    assets = [{"type": "emotion", "uri": "data:image/png;base64," + "A" * 100_000, "name": "joy"}]
    card = read_card(as_json(v3(assets=assets)))
    assert card.document["data"]["assets"] == []
    assert card.warnings == ("1 additional pictures or sounds of the card are not kept.",)


def test_only_pngs_can_carry_a_card() -> None:
    with pytest.raises(InvalidInputError):
        write_card(ours(), b"\xff\xd8\xff\xe0 a photo", form="png")


TEXT = st.text(max_size=80)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(min_size=1, max_size=60),
    texts=st.tuples(TEXT, TEXT, TEXT),
    examples=st.lists(st.tuples(TEXT, TEXT), max_size=3),
)
def test_any_personality_of_ours_survives_the_journey(
    name: str, texts: tuple[str, str, str], examples: list[tuple[str, str]]
) -> None:
    from personas.cards_json import clean_text

    name, *rest = (clean_text(t) for t in (name, *texts))
    personality = ours().personality.model_copy(
        update={
            "name": name.strip() or "x",
            "character": rest[0] or "x",
            "greeting": rest[1] or "x",
            "speaking_style": rest[2],
            "examples": tuple(
                Exchange(user=clean_text(a), reply=clean_text(b)) for a, b in examples
            ),
        }
    )
    persona = ours().model_copy(update={"personality": personality})
    for form in ("png", "v2-json"):
        assert to_personality(read_card(write_card(persona, SMALL, form=form))) == personality


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fields=st.fixed_dictionaries({}, optional=dict.fromkeys(v3()["data"], JSON)), more=JSON)
def test_any_fields_are_a_card_or_a_clear_refusal(fields: dict[str, Any], more: Any) -> None:
    card = {"spec": "chara_card_v3", "data": {**fields, "unknown": more}, "beside": more}
    try:
        read = read_card(json.dumps(card).encode())
    except InvalidInputError as error:
        assert str(error).endswith((".", "!"))
        return
    persona = imported(read)
    assert to_personality(read).name
    for form in ("png", "v2-json", "v3-json"):
        again = read_card(write_card(persona, SMALL, form=form))  # type: ignore[arg-type]
        assert again.document["data"]["unknown"] == read.document["data"]["unknown"]
        assert again.kept is not None


def test_when_it_was_made_is_kept() -> None:
    born = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    card = read_card(written(ours().model_copy(update={"created_at": born}), "png"))
    assert reborn(card).created_at == born


@pytest.mark.parametrize(
    "claimed",
    ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00", "1723-04-05"],
)
def test_what_cannot_have_been_made_then_was_made_now(claimed: str) -> None:
    card = json.loads(written(ours(), "v2-json"))
    card["data"]["extensions"]["chatanything"]["created_at"] = claimed
    before = datetime.now(UTC)
    assert before <= reborn(read_card(as_json(card))).created_at <= datetime.now(UTC)


def test_a_persona_of_ours_is_no_longer_than_others() -> None:
    long = {
        "character": "You are Grumbel. " * 4_000,
        "speaking_style": "Salty. " * 3_000,
        "greeting": "What now? " * 3_000,
        "examples": (Exchange(user="Hi! " * 1_200, reply="Busy. " * 1_000),) * 10,
        "language": "en" * 1_000,
    }
    p = rewritten(**long)
    assert MAX_CHARACTER - 100 < len(p.character) <= MAX_CHARACTER
    assert p.character.endswith("You are Grumbel.")
    assert len(p.speaking_style) <= MAX_SAID and len(p.greeting) <= MAX_SAID
    assert len(p.examples) == MAX_EXAMPLES
    assert all(len(one.user) <= MAX_SAID and len(one.reply) <= MAX_SAID for one in p.examples)
    assert len(p.language) <= 35


@pytest.mark.parametrize("blank", [" ", "\n"])
def test_of_a_text_that_is_too_long_something_is_left(blank: str) -> None:
    p = rewritten(character=blank * 50_000, greeting=f"{blank * 3_000}{'x' * 3_000}")
    assert p.character and p.greeting


def rewritten(**changes: Any) -> Personality:
    """The personality of a card of ours in whose own part something was changed."""
    card = json.loads(written(ours(), "v2-json"))
    changed = ours().personality.model_copy(update=changes)
    card["data"]["extensions"]["chatanything"]["personality"] = changed.model_dump(mode="json")
    card["data"] |= text_fields(changed)
    return to_personality(read_card(as_json(card)))
