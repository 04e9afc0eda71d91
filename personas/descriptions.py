"""What may be asked for: the description as it is kept, or a clear refusal."""

from __future__ import annotations

import re
import unicodedata

from personas.errors import InvalidInputError
from personas.persona import MAX_DESCRIPTION
from personas.text import clean

_MINOR = re.compile(
    r"\b(child(ren)?|kids?|minors?|underage|toddlers?|babies|baby|infants?|pre-?teens?|loli(con)?|"
    r"shota(con)?|school ?(girl|boy)s?|(little|young) (girl|boy)s?|"
    r"(\d|1[0-7])[ -]?(years?|yrs?)[ -]?olds?)\b",
    re.IGNORECASE,
)
_SEXUAL = re.compile(
    r"\b(sex(y|ual\w*|ting)?|nudes?|naked(?! mole)|"
    r"erotic\w*|porn\w*|nsfw|horny|lewd|lingerie|fetish\w*|"
    r"hentai|seduc\w+|aroused?|kinky|slutt?\w*|orgasm\w*)\b",
    re.IGNORECASE,
)


def accept(description: str) -> str:
    """The description as it is kept and used: without what cannot be seen.

    Raises:
        InvalidInputError: there is nothing in it, there is too much, or it asks for what we
            will not make.
    """
    if len(description) > 4 * MAX_DESCRIPTION:
        raise _too_long(len(description))
    text = clean(description)
    if not any(unicodedata.category(character)[0] in "LNS" for character in text):
        raise InvalidInputError(
            "Describe somebody or something, such as: a grumpy old lighthouse that loves poetry."
        )
    if len(text) > MAX_DESCRIPTION:
        raise _too_long(len(text))
    if _MINOR.search(text) and _SEXUAL.search(text):
        raise InvalidInputError("No persona is made of sexual content with minors.")
    return text


def _too_long(length: int) -> InvalidInputError:
    return InvalidInputError(
        f"The description has {length:,} characters; at most {MAX_DESCRIPTION:,} can be used. "
        "Say the same in fewer words."
    )
