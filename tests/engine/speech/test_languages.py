"""What a persona writes in other languages than English, as it is said."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.speech import wording
from engine.speech.languages.emoji import names_in
from engine.speech.languages.foreign import in_latin
from engine.speech.languages.numerals import chinese, named
from engine.speech.languages.table import LanguageTable, described, table_of
from engine.speech.text import speakable
from personas.errors import InvalidInputError

LANGUAGES = ("de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "zh")


def said(text: str, language: str) -> str:
    return " ".join(sentence.spoken for sentence in speakable(text, language=language))


def directions(text: str, language: str) -> list[str]:
    found = speakable(text, language=language)
    return [action for sentence in found for action, _ in sentence.directions]


SPOKEN = [
    ("de", "21 Hunde und 1.250 Leute.",
     "einundzwanzig Hunde und eintausendzweihundertfünfzig Leute."),
    ("de", "Am 3. März 2024 um 14:30 Uhr.",
     "Am dritten März zweitausendvierundzwanzig um vierzehn Uhr dreißig."),
    ("de", "Am 24.12. oder 24.12.1984.",
     "Am vierundzwanzigsten Dezember oder vierundzwanzigsten Dezember "
     "neunzehnhundertvierundachtzig."),
    ("de", "5 km bei -5 °C, d.h. 45 % mehr.",
     "fünf Kilometer bei minus fünf Grad Celsius, das heißt fünfundvierzig Prozent mehr."),
    ("de", "Das kostet 9,99 € bzw. 1 €.",
     "Das kostet neun Euro neunundneunzig Cent beziehungsweise ein Euro."),
    ("de", "3,14 und 3.14 und 1 h.",
     "drei Komma eins vier und drei Komma eins vier und eine Stunde."),
    ("de", "1.000.000 km, 2.500.000 €, 12.345.678,90 und Version 1.2.3.",
     "eine Million Kilometer, zwei Millionen fünfhunderttausend Euro, zwölf Millionen "
     "dreihundertfünfundvierzigtausendsechshundertachtundsiebzig Komma neun null und Version eins "
     "Komma zwei Komma drei."),
    ("de", "Ludwig XIV. kam.", "Ludwig der vierzehnte kam."),
    ("de", "Ruf 030 1234567 an.", "Ruf null drei null, eins zwei drei vier fünf sechs sieben an."),
    ("de", "Neeeein, Schifffahrt!", "Nein, Schifffahrt!"),
    ("fr", "Le 1er mars 2024 à 14h30.",
     "Le premier mars deux mille vingt-quatre à quatorze heures trente."),
    ("fr", "1 250 personnes, 21 h, 3,14.",
     "mille deux cent cinquante personnes, vingt et une heures, trois virgule quatorze."),
    ("fr", "M. Dupont doit 9,99 €, stp.",
     "Monsieur Dupont doit neuf euros quatre-vingt-dix-neuf centimes, s'il te plaît."),
    ("fr", "La 1re fois, Louis XIV.", "La première fois, Louis quatorze."),
    ("es", "El 3/5/2024 a las 14:30.",
     "El tres de mayo de dos mil veinticuatro a las catorce treinta."),
    ("es", "El Sr. López: 21 km, 1 h, 1ª vez.",
     "El Señor López: veintiún kilómetros, una hora, primera vez."),
    ("es", "¿Cuesta $5 o 9,50 €?", "Cuesta cinco dólares o nueve euros cincuenta céntimos?"),
    ("it", "Il 1º marzo alle 14:30, 45%.",
     "Il primo marzo alle quattordici e trenta, quarantacinque per cento."),
    ("it", "Il sig. Rossi ha 1 gatto e 3,14 litri.",
     "Il signor Rossi ha un gatto e tre virgola quattordici litri."),
    ("pt", "Em 3 de março de 2024 às 14h30, R$ 9,99.",
     "Em três de março de dois mil e vinte e quatro às catorze horas e trinta, nove reais "
     "noventa e "
     "nove centavos."),
    ("pt", "2 h e 1ª vez, vc sabe.", "duas horas e primeira vez, você sabe."),
    ("nl", "Op 3 maart 2024 om 14.30 uur, € 9,99.",
     "Op drie maart tweeduizendvierentwintig om veertien uur dertig, negen euro "
     "negenennegentig cent."),
    ("nl", "De 3e kat, bijv. 45%.", "De derde kat, bijvoorbeeld vijfenveertig procent."),
    ("sv", "Kl. 14:30, t.ex. 99,50 kr.",
     "klockan fjorton och trettio, till exempel nittionio kronor femtio öre."),
    ("sv", "Den 3:e katten 1984.", "Den tredje katten nittonhundraåttiofyra."),
    ("tr", "5 km, %45, 9,99 TL.", "beş kilometre, yüzde kırkbeş, dokuz lira doksandokuz kuruş."),
    ("tr", "BU 3. KİTAP ÇOK IŞIKLI!", "bu üçüncü kitap çok ışıklı!"),
    ("pl", "1 km, 2 km, 5 km, 22 km, 1,5 km.",
     "jeden kilometr, dwa kilometry, pięć kilometrów, dwadzieścia dwa kilometry, jeden przecinek "
     "pięć kilometra."),
    ("pl", "3 marca 2024 r. o 14:30.",
     "trzeciego marca dwa tysiące dwudziestego czwartego roku o czternastej trzydzieści."),
    ("pl", "2 h, np. 9,99 zł.",
     "dwie godziny, na przykład dziewięć złotych dziewięćdziesiąt dziewięć groszy."),
    ("ru", "1 км, 2 мин, 5 км, 21 км.",
     "один километр, две минуты, пять километров, двадцать один километр."),
    ("ru", "3 марта 2024 г. в 14:30, т.е. 45%.",
     "третьего марта две тысячи двадцать четвёртого года в четырнадцать тридцать, то есть "
     "сорок пять "
     "процентов."),
    ("ru", "2-я попытка, 5-го дома: 99,50 ₽.",
     "вторая попытка, пятого дома: девяносто девять рублей пятьдесят копеек."),
    ("ru", "iPhone 15 — вещь!", "iPhone пятнадцать — вещь!"),
    ("uk", "П’ять, 2 хв, 5 км о 14:30.",
     "П'ять, дві хвилини, п'ять кілометрів о чотирнадцятій тридцять."),
    ("uk", "99,50 грн, 45%.",
     "дев'яносто дев'ять гривень п'ятдесят копійок, сорок п'ять відсотків."),
    ("ja", "2024年3月5日、14:30に1,250人。", "二千二十四年三月五日、十四時三十分に千二百五十人。"),
    ("ja", "5kmで¥500、45%です！ すごい？",
     "五キロメートルで五百円、四十五パーセントです！ すごい？"),
    ("zh", "2024年3月5日14:30有1,250人，2个苹果。",
     "二零二四年三月五日十四点三十分有一千二百五十人，两个苹果。"),
    ("zh", "他说：“涨了45%，¥500！”好。", "他说：涨了百分之四十五，五百元！ 好。"),
    ("ko", "2024년 6월 5일 2시에 3명, 20살.", "이천이십사년 유월 오일 두 시에 세 명, 스무 살."),
    ("ko", "5km, 500원, 45% ㅋㅋㅋ", "오 킬로미터, 오백 원, 사십오 퍼센트 하하하."),
]  # fmt: skip


@pytest.mark.parametrize(("language", "written", "spoken"), SPOKEN)
def test_numbers_dates_money_units_and_abbreviations(
    language: str, written: str, spoken: str
) -> None:
    assert said(written, language) == spoken


POINTS = tuple(language for language in LANGUAGES if table_of(language).group == ".")
SIZES = (1_250, 1_000_000, 2_500_000, 12_345_678, 1_200_000_300, 120_000_000_450_000)


@pytest.mark.parametrize("language", POINTS)
@pytest.mark.parametrize("number", SIZES)
def test_points_group_the_digits_of_large_numbers(language: str, number: int) -> None:
    grouped = f"{number:,}".replace(",", ".")
    name = named(number, "cardinal", table_of(language).numerals)
    assert said(grouped, language) == f"{name}."
    for counted in (f"{grouped} km", f"{grouped} €", f"€ {grouped}", f"{grouped},5"):
        assert said(counted, language).startswith(f"{name} ")


@pytest.mark.parametrize("language", POINTS)
@pytest.mark.parametrize("groups", [5, 102, 1_500])
def test_grouped_numbers_that_have_no_name_are_read_digit_by_digit(
    language: str, groups: int
) -> None:
    numerals = table_of(language).numerals
    digits = " ".join(str(named(digit, "cardinal", numerals)) for digit in (1, 2, 3, 4, 5, 3, 4, 5))
    number = "12" + ".345" * groups
    for written in (number, f"{number} km", f"{number} €", f"{number},50 €"):
        assert said(written, language).startswith(digits)


@pytest.mark.parametrize("language", POINTS)
def test_points_of_versions_and_fractions_stay_points(language: str) -> None:
    point = table_of(language).words.point
    assert said("Version 1.2.3", language).count(point) == 2
    assert said("3.14", language).count(point) == 1
    assert said("0.123.456", language).count(point) == 2


@pytest.mark.parametrize(
    ("language", "written", "spoken", "actions"),
    [
        ("de", "*lächelt* Hallo!", "Hallo!", ["smiles"]),
        ("de", "(seufzt) Na gut. *sie nickt langsam*", "Na gut.", ["sighs", "nods"]),
        ("de", "Ich *muss* das sehen (wie immer).", "Ich muss das sehen, wie immer.", []),
        ("de", "*die Lampe flackert leise* Ja.", "Ja.", ["die Lampe flackert leise"]),
        ("fr", "*sourit doucement* Bonjour.", "Bonjour.", ["smiles"]),
        ("es", "*suspira* Hola.", "Hola.", ["sighs"]),
        ("ru", "*улыбается* Привет.", "Привет.", ["smiles"]),
        ("ja", "（笑）こんにちは。", "こんにちは。", ["laughs"]),
        ("zh", "*微笑*你好。", "你好。", ["smiles"]),
        ("ko", "*한숨* 안녕.", "안녕.", ["sighs"]),
        ("de", "Lustig 😂 und traurig 😢.", "Lustig und traurig.", ["laughs", "cries"]),
        ("de", "Ich will eine 🍕!", "Ich will eine Pizza!", []),
        ("fr", "C'est mon 🐶.", "C'est mon chien.", []),
        ("es", "👍", "Vale!", []),
        ("ja", "🍕", "ピザ。", []),
        ("sv", "🔑", "nyckel.", []),
    ],
)
def test_stage_directions_and_emoji(
    language: str, written: str, spoken: str, actions: list[str]
) -> None:
    assert said(written, language) == spoken
    assert directions(written, language) == actions


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("de", "Siehe https://a.de/x und bob@web.de.", "Siehe Link und bob ät web Punkt de."),
        ("fr", "Voici :\n```py\nx=1\n```\nFini.", "Voici. du code. Fini."),
        ("de", "# Neues\n- **Milch**\n- Eier", "Neues. Milch. Eier."),
        ("es", "él/ella & tú", "él o ella y tú."),
        ("ja", "[リンク](https://a.jp)を見て。", "リンクを見て。"),
    ],
)
def test_markup_has_words_of_the_language(language: str, written: str, spoken: str) -> None:
    assert said(written, language) == spoken


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("de", "Das heißt „Привет, мир“.", "Das heißt Privet, mir."),
        ("fr", "Dis 안녕 à tous.", "Dis annyeong à tous."),
        ("es", "Se dice ありがとう.", "Se dice arigatou."),
        ("it", "Ἀθήνα e 東京 sono belle.", "Athina e sono belle."),
        ("pl", "Łódź, żółw, naïve.", "Łódź, żółw, naïve."),
    ],
)
def test_words_in_another_script_are_said_where_their_sound_is_known(
    language: str, written: str, spoken: str
) -> None:
    assert said(written, language) == spoken


def test_sentences_end_where_the_language_ends_them() -> None:
    def count(text: str, language: str) -> int:
        return len(speakable(text, language=language))

    assert count("Am 3. Mai kam Dr. Maier, z. B. gestern. Und heute?", "de") == 2
    assert count("El Sr. López vive en EE.UU. Es verdad.", "es") == 2
    assert count("你好。我是灯塔！你呢？", "zh") == 3
    assert count("यह एक दीपस्तंभ है। नमस्ते!", "hi") == 2


def test_what_was_written_keeps_its_numbers() -> None:
    (sentence,) = speakable("*lächelt* Das kostet **5 €** 😀, z.B. heute.", language="de")
    assert sentence.written == "Das kostet 5 €, z.B. heute."
    (sentence,) = speakable("**你好**，5个。", language="zh-Hant-TW")
    assert sentence.written == "你好，5个。"


def test_a_language_that_nobody_described_keeps_what_an_engine_can_read_itself() -> None:
    assert said("Mám 25 *koček* a **3** psy 😀 https://a.cz/b", "cs") == "Mám 25 koček a 3 psy."
    assert said("मेरे पास 25 किताबें हैं", "hi") == "मेरे पास 25 किताबें हैं."
    assert said("مرحبا، 25 كتابا؟", "ar") == "مرحبا, 25 كتابا?"


@pytest.mark.parametrize("text", ["", "!!!", "...", "***", "\u200b"])
@pytest.mark.parametrize("language", ["de", "ja", "cs", "", "not a tag", "../../etc"])
def test_what_cannot_be_said_is_refused(language: str, text: str) -> None:
    with pytest.raises(InvalidInputError):
        speakable(text, language=language)


def test_every_language_that_was_promised_has_a_table() -> None:
    assert set(LANGUAGES) <= set(described())


@pytest.mark.parametrize("language", described())
def test_tables_are_complete(language: str) -> None:
    table = table_of(language)
    assert table.numerals and len(table.dates.months) == 12
    assert all(getattr(table.words, word) for word in type(table.words).model_fields)
    assert {"smiles", "laughs", "sighs", "nods", "cries", "waves"} <= set(table.actions)
    assert {"km", "kg"} <= set(table.units) and {"€", "$"} <= set(table.money)
    assert len(table.emoji.said) >= 15
    assert len(names_in(language)) > 500
    rule = {"polish": 4, "russian": 4}.get(table.plurals, 2)
    nouns = [*table.units.values(), *(money.unit for money in table.money.values())]
    assert all(1 <= len(noun.forms) <= rule for noun in nouns)
    assert all(noun.gender in ("", *table.genders) for noun in nouns if table.genders)


def test_a_wrong_key_in_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="pural"):
        LanguageTable.model_validate({"pural": "two"})


@pytest.mark.parametrize(
    ("number", "numeral"),
    [(0, "零"), (10, "十"), (15, "十五"), (20, "二十"), (105, "一百零五"), (110, "一百一十"),
     (1_005, "一千零五"), (10_005, "一万零五"), (201_000, "二十万一千"), (100_000_000, "一亿"),
     (1_0000_0010, "一亿零一十"), (1234_5678, "一千二百三十四万五千六百七十八")],
)  # fmt: skip
def test_chinese_numerals(number: int, numeral: str) -> None:
    assert chinese(number) == numeral


@pytest.mark.parametrize(
    ("char", "latin"),
    [("Щ", "Shch"), ("ь", ""), ("ά", "a"), ("か", "ka"), ("각", "gag"), ("東", "")],
)
def test_letters_as_they_sound(char: str, latin: str) -> None:
    assert in_latin(char) == latin


PIECES = """
*lächelt* * _ ( ) （ ） [ ] ` http:// $ €5 ¥ ₽ kr 12: 14h30 1/ 2024- 3. 3.5. 3.5.2024 a@b.c <b>
z.B. т.е. « » „ “ 。 、 ！ ？ 「 」 … ' ’ ß Ł İ ı ő ё ї あ ッ ー 漢 한 ㅋㅋㅋ 😀 🍕 ❤️ 0 1 2 99 5%
1.000 1,5 1 000 XIV
km °C h -5 5-й 1ª 1er 1re '90s ² ½ ١ Ⅷ + = & / 555- +49 30 年 月 日 时 点 2년 3개 1e9 99:99
"""
MIXTURE = st.lists(st.sampled_from([*PIECES.split(), " ", " ", "\n", "\u0301", "\ue000"]))


def check(text: str, language: str) -> None:
    try:
        sentences = speakable(text, language=language)
    except InvalidInputError:
        return
    assert sentences
    described_here = bool(table_of(language).numerals)
    for sentence in sentences:
        assert sentence.spoken == " ".join(sentence.spoken.split())
        assert sentence.spoken[-1] in ".!?…。！？"
        assert not described_here or not any("0" <= char <= "9" for char in sentence.spoken)
        assert not set(sentence.spoken) & set('*_`<>[](){}#@=+$€%/\\|~^"\ue000\u202e\x00')
        count = len(sentence.spoken.split())
        assert all(0 <= at <= count for _, at in sentence.directions)


@given(MIXTURE.map("".join), st.sampled_from([*LANGUAGES, "cs", "hi"]))
@settings(max_examples=150, deadline=None)
def test_any_mixture_is_spoken_or_refused(text: str, language: str) -> None:
    check(text, language)


AMOUNT = [*"0123456789", *".,'/:-–+ %°#()\u00a0", "00", "000", ".000", ",000", " 000", "th", "24:"]
AMOUNT += sorted(
    word
    for table in map(table_of, LANGUAGES)
    for words in (table.units, table.money, table.scales, table.ordinals)
    for word in words
)


@given(
    st.lists(st.sampled_from(AMOUNT), max_size=60).map("".join),
    st.sampled_from([*LANGUAGES, "en", "cs", "hi"]),
)
@settings(max_examples=300, deadline=None)
def test_no_amount_breaks_a_rule(text: str, language: str) -> None:
    with patch.object(wording.log, "error", side_effect=AssertionError):
        check(text, language)


@given(st.text(max_size=120), st.sampled_from([*LANGUAGES, "cs", "hi"]))
@settings(max_examples=100, deadline=None)
def test_any_text_is_spoken_or_refused(text: str, language: str) -> None:
    check(text, language)


@pytest.mark.parametrize("language", ["de", "zh"])
@pytest.mark.parametrize("piece", ["3. ", "1 000 ", "。", "'", "z. B. "])
def test_a_hundred_thousand_characters_are_no_trouble(piece: str, language: str) -> None:
    check(piece * (100_000 // len(piece)), language)
