"""Which language a text is in."""

from __future__ import annotations

import pytest

from personas.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, I am the old lighthouse and you are not.", "en"),
        ("Ich bin der alte Leuchtturm und du nicht.", "de"),
        ("Je suis le vieux phare et vous ne l'êtes pas.", "fr"),
        ("Yo soy el faro y tú una barca en el mar.", "es"),
        ("Io sono il faro e non una barca per te.", "it"),
        ("Eu sou o farol e você não é uma lua.", "pt"),
        ("Ik ben de vuurtoren en dat is het.", "nl"),
        ("Jag är fyren och det är inte du.", "sv"),
        ("Jestem latarnią, a ty nie, ale tak jest.", "pl"),
        ("Ben bir deniz feneriyim ve bu çok güzel.", "tr"),
        ("Я старый маяк.", "ru"),
        ("Я старий маяк і люблю море.", "uk"),
        ("私は灯台です", "ja"),
        ("我是灯塔", "zh"),
        ("나는 등대입니다", "ko"),
        ("أنا منارة", "ar"),
        ("42!", "en"),
    ],
)
def test_a_language_is_known_by_its_script_and_commonest_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "claimed", "language"),
    [
        ("Маяк", "uk", "uk"),
        ("Маяк", "Ukrainian", "uk"),
        ("Фар", "bg-BG", "bg-BG"),
        ("灯塔", "zh-TW", "zh-TW"),
        ("灯台", "ja", "ja"),
        ("Маяк", "de", "ru"),
        ("Hallo!", "nl", "nl"),
        ("Leuchtturm", "german", "de"),
        ("Beacon", "not a language", "en"),
    ],
)
def test_what_is_claimed_is_believed_where_it_can_be(
    text: str, claimed: str, language: str
) -> None:
    assert language_of(text, claimed) == language
