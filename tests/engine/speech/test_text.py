"""What a persona writes for the eye, as it is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.speech import numbers
from engine.speech.symbols import PUNCTUATION, is_letter
from engine.speech.text import speakable
from personas.errors import InvalidInputError


def said(text: str) -> str:
    return " ".join(sentence.spoken for sentence in speakable(text))


def directions(text: str) -> list[str]:
    return [action for sentence in speakable(text) for action, _ in sentence.directions]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("I have 2 cats.", "I have two cats."),
        ("1,250 people came.", "one thousand two hundred and fifty people came."),
        ("Pi is 3.14.", "Pi is three point one four."),
        ("It is -5 outside.", "It is minus five outside."),
        ("Agent 007.", "Agent zero zero seven."),
        ("I was born in 1984.", "I was born in nineteen eighty-four."),
        ("The 1980s and the '90s.", "The nineteen eighties and the nineties."),
        ("From 1990-1995.", "From nineteen ninety to nineteen ninety-five."),
        ("The 22nd and the 1st.", "The twenty-second and the first."),
        ("At 7:30 p.m. sharp.", "At seven thirty PM sharp."),
        ("It is 12:00.", "It is twelve o'clock."),
        ("It is 7:05.", "It is seven oh five."),
        ("On March 5, 2024.", "On March fifth, twenty twenty-four."),
        ("On 2024-03-05.", "On March fifth, twenty twenty-four."),
        ("On 3/5/2024.", "On March fifth, twenty twenty-four."),
        ("It costs $9.99.", "It costs nine dollars and ninety-nine cents."),
        ("Only $1 or £3.50.", "Only one dollar or three pounds and fifty pence."),
        ("A $1.5M house.", "A one point five million dollars house."),
        ("45% more.", "forty-five percent more."),
        ("5 km at 60 mph.", "five kilometers at sixty miles per hour."),
        ("1 ft and 6'2\".", "one foot and six foot two."),
        ("25°C today.", "twenty-five degrees Celsius today."),
        ("1/2 cup, 3 1/2 miles.", "one half cup, three and a half miles."),
        ("8/10, open 24/7.", "eight out of ten, open twenty-four seven."),
        ("Call 555-1234 now.", "Call five five five, one two three four now."),
        ("R2D2 plays mp3.", "R two D two plays mp three."),
        ("Version v1.2.3.", "Version version one point two point three."),
        ("2 + 2 = 4", "two plus two equals four."),
        ("No. 5 and #7.", "number five and number seven."),
        ("Henry VIII read Chapter IV.", "Henry the eighth read Chapter four."),
        ("I, for one.", "I, for one."),
    ],
)
def test_numbers(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize("written", ["The 1{}th time.", "It costs $1{}.50.", "It costs $1{}."])
@pytest.mark.parametrize("groups", [5, 102, 1_500])
def test_numbers_that_have_no_name_are_read_digit_by_digit(written: str, groups: int) -> None:
    assert "one zero zero zero zero" in said(written.format(",000" * groups))


def test_a_rule_that_breaks_down_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(number: str) -> str:
        raise OverflowError(number)

    monkeypatch.setattr(numbers, "ordinal", breaks)
    assert said("The 22nd of 5 cats.") == "The twenty-two nd of five cats."
    assert "without one of the rules" in caplog.text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Dr. Smith lives on Main St. now.", "Doctor Smith lives on Main Street now."),
        ("Tea, e.g. green, etc. Yes.", "Tea, for example green, et cetera. Yes."),
        ("btw he/she can come w/o me", "by the way he or she can come without me."),
        ("The FBI called NASA.", "The FBI called NASA."),
        ("WHY ARE YOU SHOUTING AT ME?", "why are you shouting at me?"),
        ("Soooo coool, nooo!!!", "So cool, no!"),
        ("What?!?!", "What?"),
        ("Wait... what", "Wait… what."),
        ("“Don’t” — she said", "Don't — she said."),
        ("rock'n'roll & the dogs' tails", "rock'n'roll and the dogs tails."),
        ("It was (as always) great.", "It was, as always, great."),
        ("Zoë's café in Łódź", "Zoë's café in Łódź."),
        ("𝓗𝓮𝓵𝓵𝓸 ｗｏｒｌｄ", "Hello world."),
        ("Hello Привет мир, friend", "Hello, friend."),
        ("#MeToo says @bob", "Me Too says bob."),
    ],
)
def test_words(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("I *really* love **you** and __me__ and ~~them~~.", "I really love you and me and them."),
        ("# News\nAll is well.", "News. All is well."),
        ("- milk\n- eggs", "milk. eggs."),
        ("1. Boil\n2. Eat", "Boil. Eat."),
        ("| a | b |\n|---|---|\n| c | d |", "a, b. c, d."),
        ("> Quoted.\n\n---\n\nEnd.", "Quoted. End."),
        ("See [my site](https://a.b/c?d=1).", "See my site."),
        ("See https://example.com/a/b?c=d.", "See a link."),
        ("Mail bob@example.com please.", "Mail bob at example dot com please."),
        ("Run:\n```python\nprint(1)\n```\nDone.", "Run. some code. Done."),
        ("Use `print` here.", "Use print here."),
        ("<b>Bold</b> &amp; <br>new<script>alert(1)</script>", "Bold and new."),
        ("Hi <@123456> <:smile:42> :wave: there", "Hi there."),
        ("![a cat](cat.png) sits", "a cat sits."),
        ("one line\ngoes on\nHere a new one", "one line goes on. Here a new one."),
    ],
)
def test_markup(written: str, spoken: str) -> None:
    assert said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken", "actions"),
    [
        ("*smiles* Hello!", "Hello!", ["smiles"]),
        ("Hello! _nods slowly_", "Hello!", ["nods slowly"]),
        ("(laughs) No way.", "No way.", ["laughs"]),
        ("[sighs] Fine.", "Fine.", ["sighs"]),
        ("*softly smiling at you* My dear.", "My dear.", ["softly smiling at you"]),
        ("*The lamp glows over the bay* Hi.", "Hi.", ["the lamp glows over the bay"]),
        ("You *must* see it.", "You must see it.", []),
        ("I want to *laugh* more.", "I want to laugh more.", []),
        ("Funny 😂 and sad 😢.", "Funny and sad.", ["laughs", "cries"]),
        ("See you ;) soon :)", "See you soon.", ["winks", "smiles"]),
        ("I ❤️ you", "I love you.", []),
        ("A slice of 🍕, please", "A slice of pizza, please.", []),
        ("👍", "Okay!", []),
        ("🍕", "slice of pizza.", []),
    ],
)
def test_stage_directions_and_emoji(written: str, spoken: str, actions: list[str]) -> None:
    assert said(written) == spoken
    assert directions(written) == actions


def test_a_direction_stands_before_the_word_that_follows_it() -> None:
    (sentence,) = speakable("Well, hello *waves* there 2 you")
    assert sentence.spoken.split()[sentence.directions[0][1]] == "there"


def test_what_was_written_stays_as_it_would_be_written() -> None:
    (sentence,) = speakable("*nods* Dr. Smith paid **$5** 😀 at 7:30.")
    assert sentence.written == "Dr. Smith paid $5 at 7:30."


def test_paragraphs_are_known() -> None:
    ends = [s.ends_paragraph for s in speakable("One. Two.\n\nThree.")]
    assert ends == [False, True, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no word"),
        ("!!! ...", "no word"),
        ("Привет, мир", "English only"),
        ("*smiles*", "stage directions"),
        ("|---|---|", "no word"),
        ("\x00\u200b\ue000", "no word"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        speakable(text)


def check(text: str) -> None:
    try:
        sentences = speakable(text)
    except InvalidInputError:
        return
    assert sentences
    for sentence in sentences:
        assert all(c == " " or c in PUNCTUATION or is_letter(c) for c in sentence.spoken)
        assert sentence.spoken == " ".join(sentence.spoken.split())
        assert sentence.spoken[-1] in ".!?…"
        count = len(sentence.spoken.split())
        assert all(0 <= at <= count for _, at in sentence.directions)


PIECES = """
*smiles* *a* ( ) [ ] ` ``` http:// $ €5 12: 1/ 2024- a@b.c <b> <!-- <script> &amp; ** __ ~~ | # - …
... ' ’ " ﬁ é Ł ß привет 日本 😀 ❤️ 👩‍👩‍👧 0 1 99 5% 1,000 1.2.3.4 IV Henry X Mr. e.g. p.m. soooo
A.B. ! ?! ; :) \\ / °C ½ ² 𝓗 ١ Ⅷ ① — – +1 555 No. v1 '90s ſ İ Å 6'2" x 3/4/ 99:99 2024-99-99 00 1e9
$1,000,000.00
"""
MIXTURE = st.lists(st.sampled_from([*PIECES.split(), " ", "\n", "\u0301", "\ue000", "\uf8ff"]))


@given(MIXTURE.map("".join))
@settings(max_examples=120, deadline=None)
def test_any_mixture_is_spoken_or_refused(text: str) -> None:
    check(text)


@given(st.text(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_text_is_spoken_or_refused(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "piece",
    ["a", "*a ", "(", "<", "1 ", ":", "`", "http://", "a@", "\n", "!", "[a](", "|a", "<!--",
     "1,", "a.", "'", "1/2", "$1", "<script>", "555-", " .", "> ", "😀", "A.B. ", "ａ", "\u0301"],
)  # fmt: skip
def test_a_hundred_thousand_characters_of_anything_are_no_trouble(piece: str) -> None:
    check(piece * (100_000 // len(piece)))
