"""People, composed from a brief: hair, skin, clothes, hats of their trade; a clean head."""

from __future__ import annotations

import copy
import json
import math
import random
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pydantic import Field

from engine.portrait.illustrated.art.wishes import Wishes
from personas.errors import UnavailableError
from personas.persona import ArtCredit, Frozen, Point, PortraitBrief


class Illustrator(Frozen):
    """A style of DiceBear: where its face is, and which of its parts suggest what."""

    name: str
    file: str
    author: str
    licence: str
    url: str
    canvas: float
    hidden: tuple[str, ...]
    left_eye: Point
    right_eye: Point
    eye_radius: float
    nose: Point
    mouth: Point
    mouth_width: float
    centre: Point
    width: float
    height: float
    roll: float
    hat: tuple[float, float, float] = Field(description="middle of a hat's band, and its width")
    hair_part: str
    back_part: str = ""
    beard_part: str
    clothes_part: str
    glasses_part: str = ""
    skin_colour: str
    hair_colour: tuple[str, ...]
    clothes_colour: str
    hat_colour: str = ""
    hair: dict[str, tuple[str, ...]]
    back: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    beards: dict[str, tuple[str, ...]]
    glasses: tuple[str, ...] = ()
    clothes: dict[str, tuple[str, ...]]


class Person(Frozen):
    """A person as they will be drawn; `svg` shows the whole canvas of the illustrator."""

    svg: str
    illustrator: Illustrator
    credit: ArtCredit


@cache
def load_illustrators() -> Mapping[str, Illustrator]:
    """All illustrators of people, by name."""
    entries = _toml("illustrators.toml")
    return {name: Illustrator(name=name, **entry) for name, entry in entries.items()}


def compose(brief: PortraitBrief, illustrator: Illustrator, seed: int) -> Person:
    """Draws a person without eyes, brows, nose and mouth.

    Raises:
        UnavailableError: the illustrator's parts are not installed.
    """
    from dicebear import Avatar, Style
    from dicebear.errors import OptionsValidationError, StyleValidationError

    chooser = random.Random(f"{seed}:{brief.subject}")
    wishes = Wishes(brief, chooser)
    options = _options(illustrator, wishes, chooser)
    try:
        drawn = str(Avatar(Style(_definition(illustrator, options)), options))
    except (OptionsValidationError, StyleValidationError, KeyError) as error:
        raise UnavailableError(
            "The parts that people are drawn from do not fit this version; "
            "install the program's pinned dependencies."
        ) from error
    title = f"{brief.subject[:60] or 'person'} ({illustrator.name})"
    return Person(
        svg=_with_hat(_with_glasses(drawn, illustrator, wishes), illustrator, wishes),
        illustrator=illustrator,
        credit=ArtCredit(
            title=title,
            author=illustrator.author,
            licence=illustrator.licence,
            url=illustrator.url,
        ),
    )


@cache
def _source(file: str) -> dict[str, Any]:
    text = resources.files("dicebear_styles").joinpath(f"{file}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _definition(illustrator: Illustrator, options: Mapping[str, Any]) -> dict[str, Any]:
    """The style's definition with the parts of the face emptied.

    Only the chosen variants are kept: checking a whole style takes seconds.
    """
    try:
        source = _source(illustrator.file)
    except (OSError, ModuleNotFoundError) as error:
        raise UnavailableError(
            "The parts that people are drawn from are missing; install dicebear-styles."
        ) from error
    components = {}
    for part, component in source["components"].items():
        variants = component["variants"]
        chosen = options.get(f"{part}Variant", next(iter(variants)))
        variant = copy.deepcopy(variants[chosen])
        if part in illustrator.hidden:
            variant["elements"] = []
        if part == "head":
            _without_nose(variant["elements"])
        components[part] = {**component, "variants": {chosen: variant}}
    canvas = copy.deepcopy(source["canvas"])
    # a veil of light over the whole face is too strong for dark skin
    canvas["elements"] = [e for e in canvas["elements"] if "mask" not in e.get("attributes", {})]
    return {**source, "canvas": canvas, "components": components}


def _without_nose(elements: Sequence[dict[str, Any]]) -> None:
    """Toon-head draws its nose in one path with the hollows of its ears."""
    for element in elements:
        attributes = element.get("attributes", {})
        nose = attributes.get("d", "").find("M197.48 330")
        if nose > 0:
            attributes["d"] = attributes["d"][:nose]


def _options(illustrator: Illustrator, wishes: Wishes, chooser: random.Random) -> dict[str, Any]:
    options: dict[str, Any] = {"seed": str(chooser.random())}

    def take(part: str, variants: Sequence[str]) -> None:
        chosen = chooser.choice(list(variants)) if variants else "none"
        if chosen == "none":
            options[f"{part}Probability"] = 0
        else:
            options[f"{part}Probability"] = 100
            options[f"{part}Variant"] = chosen

    take(illustrator.hair_part, _hairstyles(illustrator.hair, wishes))
    if illustrator.back_part:
        flowing = wishes.female and not (wishes.old and wishes.shape == "")
        styles = illustrator.back.get(wishes.shape or "-")
        take(
            illustrator.back_part,
            ("none",)
            if wishes.shape == "bald"
            else styles
            if styles and wishes.shape != "wavy"
            else illustrator.back["female"]
            if flowing
            else ("none",),
        )
    beards = illustrator.beards.get(wishes.beard) or (
        illustrator.beards["short"] if wishes.beard else ()
    )
    take(illustrator.beard_part, beards)
    if illustrator.glasses_part:
        take(illustrator.glasses_part, illustrator.glasses if wishes.glasses else ())
        options[f"{illustrator.glasses_part}Color"] = "#2b2f36"
    options[f"{illustrator.clothes_part}Variant"] = chooser.choice(
        illustrator.clothes.get(wishes.outfit, illustrator.clothes["any"])
    )
    options[f"{illustrator.skin_colour}Color"] = wishes.skin
    options[f"{illustrator.clothes_colour}Color"] = wishes.clothing
    for name in illustrator.hair_colour:
        options[f"{name}Color"] = wishes.hair
    if illustrator.hat_colour:
        options[f"{illustrator.hat_colour}Color"] = wishes.clothing
    return options


def _hairstyles(styles: Mapping[str, Sequence[str]], wishes: Wishes) -> Sequence[str]:
    if wishes.shape == "bald":
        return styles.get("bald", ())
    if wishes.hat and wishes.shape not in ("hijab", "turban"):
        return styles["under_hat_female" if wishes.female else "under_hat"]
    gender = "female" if wishes.female else "male"
    usual = styles[gender]
    if wishes.child:
        usual = styles["girl" if wishes.female else "boy"]
    elif wishes.old:
        usual = styles[f"old_{gender}"]
    asked = styles.get(wishes.shape, ())
    return [style for style in asked if style in usual] or asked or usual


def _with_glasses(svg: str, illustrator: Illustrator, wishes: Wishes) -> str:
    """Puts frames around the eyes, where the illustrator has no glasses of its own."""
    if not wishes.glasses or illustrator.glasses_part:
        return svg
    radius = 1.55 * illustrator.eye_radius
    (x1, y1), (x2, y2) = illustrator.left_eye, illustrator.right_eye
    share = radius / math.hypot(x2 - x1, y2 - y1)
    across, down = (x2 - x1) * share, (y2 - y1) * share
    frames = "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius:.2f}" fill="#ffffff" fill-opacity=".22"/>'
        for x, y in (illustrator.left_eye, illustrator.right_eye)
    )
    bars = (
        f'<path d="M{x1 + across:.2f} {y1 + down:.2f}L{x2 - across:.2f} {y2 - down:.2f}'
        f"M{x1 - across:.2f} {y1 - down:.2f}l{-0.6 * across:.2f} {-0.6 * down - radius * 0.15:.2f}"
        f'M{x2 + across:.2f} {y2 + down:.2f}l{0.6 * across:.2f} {0.6 * down - radius * 0.15:.2f}"'
        ' fill="none" stroke-linecap="round"/>'
    )
    drawn = f'<g stroke="#2b2f36" stroke-width="{0.16 * radius:.2f}">{frames}{bars}</g>'
    at = svg.rindex("</svg>")
    return svg[:at] + drawn + svg[at:]


def _with_hat(svg: str, illustrator: Illustrator, wishes: Wishes) -> str:
    """Puts the hat on: drawings in hats/ have a band 100 wide with its middle at 0, 0."""
    if not wishes.hat:
        return svg
    drawing = resources.files(__package__).joinpath("hats", f"{wishes.hat}.svg").read_text("utf-8")
    body = drawing[drawing.index(">", drawing.index("<svg")) + 1 : drawing.rindex("</svg>")]
    x, y, width = illustrator.hat
    line = (
        ' stroke="#000000" stroke-width="2.4" stroke-linejoin="round"'
        if illustrator.name == "micah"
        else ""
    )
    placed = (
        f'<g transform="translate({x} {y}) rotate({illustrator.roll * 57.2958:.2f}) '
        f'scale({width / 100:.4f})"{line}>{body.replace("#abcdef", wishes.hat_colour)}</g>'
    )
    at = svg.rindex("</svg>")
    return svg[:at] + placed + svg[at:]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
