"""Language tags, as far as voices need them: de-AT is German, and so is de."""

from __future__ import annotations

ANY = "mul"
"""The tag of voices that speak every language."""

_SAME = {
    "no": "nb", "nn": "nb", "iw": "he", "in": "id", "tl": "fil", "cmn": "zh", "ji": "yi",
    "jw": "jv", "mo": "ro", "sh": "sr", "arb": "ar", "pes": "fa", "swh": "sw", "ekk": "et",
    "lvs": "lv", "zsm": "ms", "als": "sq", "uzn": "uz", "npi": "ne", "khk": "mn",
}  # fmt: skip
"""Other tags of languages that the catalogue knows under one."""


def primary(tag: str) -> str:
    """The language of a tag, without script and region: zh of zh-Hant-TW."""
    language = tag.strip().replace("_", "-").split("-")[0].lower()
    return _SAME.get(language, language)


def speaks(tag: str, wanted: str) -> bool:
    """Whether a voice of language `tag` can speak `wanted`; regions do not matter."""
    return tag == ANY or primary(tag) == primary(wanted)


def region(tag: str) -> str:
    """The region of a tag in capitals: TW of zh-Hant-TW; empty where there is none."""
    parts = tag.strip().replace("_", "-").split("-")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), "")
