"""Languages as recognizers name them: by a short tag going in, by an English name coming out."""

from __future__ import annotations

import re
from typing import Any, Final

_EXCEPTIONS: Final = {"nb": "no", "fil": "tl", "cmn": "zh", "iw": "he", "in": "id"}
"""Tags that are right, and what whisper calls them."""

_NAMES: Final = dict(
    re.findall(
        r"(\w+):(\w+)",
        """
    english:en chinese:zh mandarin:zh german:de spanish:es castilian:es russian:ru korean:ko
    french:fr japanese:ja portuguese:pt turkish:tr polish:pl catalan:ca valencian:ca dutch:nl
    flemish:nl arabic:ar swedish:sv italian:it indonesian:id hindi:hi finnish:fi vietnamese:vi
    hebrew:he ukrainian:uk greek:el malay:ms czech:cs romanian:ro moldavian:ro danish:da
    hungarian:hu tamil:ta norwegian:no nynorsk:nn thai:th urdu:ur croatian:hr bulgarian:bg
    lithuanian:lt latin:la maori:mi malayalam:ml welsh:cy slovak:sk telugu:te persian:fa
    latvian:lv bengali:bn serbian:sr azerbaijani:az slovenian:sl kannada:kn estonian:et
    macedonian:mk breton:br basque:eu icelandic:is armenian:hy nepali:ne mongolian:mn bosnian:bs
    kazakh:kk albanian:sq swahili:sw galician:gl marathi:mr punjabi:pa sinhala:si khmer:km
    yoruba:yo somali:so afrikaans:af occitan:oc georgian:ka belarusian:be tajik:tg gujarati:gu
    amharic:am yiddish:yi lao:lo uzbek:uz faroese:fo pashto:ps turkmen:tk maltese:mt
    luxembourgish:lb burmese:my tibetan:bo tagalog:tl malagasy:mg assamese:as tatar:tt
    hawaiian:haw lingala:ln hausa:ha bashkir:ba javanese:jw sundanese:su cantonese:yue
    """,
    )
)
_TAG: Final = re.compile(r"^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$")


def whisper_tag(language: str | None) -> str:
    """A BCP 47 tag as whisper knows it: the language alone; empty for none."""
    base = (language or "").replace("_", "-").split("-")[0].lower()
    return _EXCEPTIONS.get(base, base)


def tag_of(answer: Any) -> str:
    """The tag of what a recognizer says of a language, by tag or by name; empty if unknown."""
    if not isinstance(answer, str):
        return ""
    said = answer.strip().lower()[:40]
    return _NAMES.get(said) or (said if _TAG.match(said) else "")
