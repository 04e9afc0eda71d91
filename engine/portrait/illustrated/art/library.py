"""ArtLibrary: for any description, the artwork that its portrait is made of."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from engine.embedding import Embedder
from engine.portrait.base import Image
from engine.portrait.illustrated.art import raster
from engine.portrait.illustrated.art.concepts import OURS, Concept, load_concepts
from engine.portrait.illustrated.art.matching import FITTING, NAMED, Matcher
from engine.portrait.illustrated.art.packs import PACKS, PackReader, Shelf, credit
from engine.portrait.illustrated.art.people import (
    Illustrator,
    compose,
    load_illustrators,
)
from engine.portrait.illustrated.art.recolour import repaint, wanted_paint
from engine.portrait.illustrated.art.wishes import is_trade, names_person
from engine.portrait.illustrated.art.words import Phrase, parse
from engine.portrait.illustrated.proportions import CHILD, GROWN, face_at_centre
from personas.persona import ArtCredit, FaceGeometry, Point, PortraitBrief
from personas.styles import ArtKind, Style

NEARLY_EQUAL = 0.005
"""Candidates whose scores differ by less are equally right; the seed chooses."""

STRANGER = "our-blob"
"""What stands for subjects that nothing fits: a friendly creature of no particular kind."""


@dataclass(frozen=True)
class Match:
    """A picture that may stand for a subject."""

    concept: Concept
    pack: str
    score: float

    @property
    def title(self) -> str:
        """What it shows."""
        return self.concept.name


@dataclass(frozen=True)
class Artwork:
    """What a portrait is made of.

    Attributes:
        rgba: [1024, 1024, 4] straight alpha, the subject trimmed and centred.
        svg: its source, so that eyes and mouths can be taken out as shapes; its view box is
            what `rgba` shows.
        title: what it shows.
        pack: which art it is.
        style: the style it was asked for in.
        kind: what sort of thing it is.
        has_face: it already shows eyes or a mouth.
        face_hint: exactly where the face belongs, in pixels of `rgba`, where that is known.
        credits: whose work it is.
        score: how well it fits; 0.9 and more is the thing itself.
    """

    rgba: Image
    svg: str | None
    title: str
    pack: str
    style: str
    kind: ArtKind
    has_face: bool
    face_hint: FaceGeometry | None
    credits: tuple[ArtCredit, ...]
    score: float


class ArtLibrary:
    """Finds or composes artwork.

    Args:
        store: where packs lie.
        embedder: compares meanings; used where no picture bears the subject's name.
        cache: a folder for what is computed once.
    """

    def __init__(self, store: Shelf, embedder: Embedder, cache: Path | None = None) -> None:
        if cache is None:
            import platformdirs

            cache = Path(platformdirs.user_cache_dir("chatanything")) / "art"
        self._reader = PackReader(store)
        self._concepts = load_concepts()
        self._matcher = Matcher(self._concepts, embedder, cache)

    def prepare(self) -> None:
        """Computes now what the first subject without a picture of its name would wait for."""
        self._matcher.prepare()

    def find(self, brief: PortraitBrief, style: Style, seed: int) -> Artwork:
        """The artwork for a brief; the same brief, style and seed give the same artwork.

        Raises:
            UnavailableError: the style's pack has not been fetched, or is damaged.
        """
        phrase = parse(brief.subject)
        matches = self.candidates(brief, style)
        if self._is_person(brief, phrase, matches[0]):
            return self._person(brief, style, seed)
        best = matches[0].score
        equal = [match for match in matches if best - match.score < NEARLY_EQUAL]
        return self._artwork(random.Random(seed).choice(equal), style, brief)

    def candidates(self, brief: PortraitBrief, style: Style, count: int = 8) -> list[Match]:
        """The pictures that come into question, the best first; never empty.

        Raises:
            UnavailableError: the style's pack has not been fetched.
        """
        packs = self._packs(style)
        phrase = parse(brief.subject)
        meant = None if phrase.words else self._matcher.by_emoji(phrase.emoji)
        phrase = _with_words(phrase)
        trade = names_person(phrase)
        found: list[Match] = []
        if meant is not None and (pack := _first(meant, packs)):
            found.append(Match(meant, pack, 1.0))

        def favour(concept: Concept) -> float:
            pack = _first(concept, packs)
            if pack in style.packs:
                return 0.0
            if concept.preferred:
                return -0.05 if style.rendering == "outlined" else 0.03
            return -0.012 if pack == OURS else -0.03

        for scored in self._matcher.score(
            phrase, favour, by_meaning=not (brief.is_person or trade)
        ):
            person = scored.concept.kind == "person"
            if person and scored.score < NAMED and not trade:
                continue  # a river is no person in a boat
            pack = "" if person else _first(scored.concept, packs)
            if pack is not None and scored.score >= FITTING:
                found.append(Match(scored.concept, pack, scored.score))
            if len(found) >= count:
                break
        return found or [Match(self._stranger(), OURS, 0.0)]

    def _is_person(self, brief: PortraitBrief, phrase: Phrase, best: Match) -> bool:
        """Trusts the words before the flag: language models say that robots are people."""
        concept = best.concept
        if concept.kind == "person":
            return True
        if best.score < NAMED:
            return brief.is_person or names_person(phrase)
        named = {concept.name, *concept.aliases}
        whole = any(" " in tail and tail in named for tail in phrase.tails)
        return brief.is_person and is_trade(phrase) and not whole

    def _person(self, brief: PortraitBrief, style: Style, seed: int) -> Artwork:
        illustrators = load_illustrators()
        illustrator = illustrators.get(style.people) or next(iter(illustrators.values()))
        person = compose(brief, illustrator, seed)
        svg, box = raster.bust(person.svg, illustrator.canvas)
        return Artwork(
            rgba=raster.artwork(svg),
            svg=svg,
            title=brief.subject[:60],
            pack=illustrator.name,
            style=style.name,
            kind="person",
            has_face=False,
            face_hint=_geometry(illustrator, box),
            credits=(person.credit,),
            score=1.0,
        )

    def _packs(self, style: Style) -> list[str]:
        """The style's own packs, our drawings, then whatever else has been fetched."""
        for pack in style.packs:
            self._reader.require(pack)
        others = [name for name in PACKS if name not in style.packs and self._reader.has(name)]
        return [*style.packs, OURS, *others]

    def _stranger(self) -> Concept:
        return next(concept for concept in self._concepts if concept.id == STRANGER)

    def _artwork(self, match: Match, style: Style, brief: PortraitBrief) -> Artwork:
        concept = match.concept
        source = self._reader.svg(match.pack, concept.pictures[match.pack])
        svg = raster.trimmed(source)
        if concept.kind != "face" and (paint := wanted_paint(parse(brief.subject), concept)):
            svg = repaint(svg, raster.render(svg, 256), paint)
        resolution = PACKS[match.pack].resolution if match.pack in PACKS else raster.SIZE
        return Artwork(
            rgba=raster.artwork(svg, resolution),
            svg=svg,
            title=concept.name,
            pack=match.pack,
            style=style.name,
            kind=concept.kind,
            has_face=concept.has_face,
            face_hint=_own_face(concept.face, svg, brief) if match.pack == OURS else None,
            credits=(credit(match.pack, concept.name),),
            score=round(match.score, 4),
        )


def _own_face(
    face: tuple[float, float, float] | None, svg: str, brief: PortraitBrief
) -> FaceGeometry | None:
    """The place that our drawing keeps free for a face, in pixels of the artwork."""
    if face is None:
        return None
    left, top, side, _ = raster.view_box(svg)
    scale = raster.SIZE / side
    centre = (face[0] - left) * scale, (face[1] - top) * scale
    return face_at_centre(centre, face[2] * scale, CHILD if brief.age == "child" else GROWN)


def _geometry(illustrator: Illustrator, box: raster.Box) -> FaceGeometry:
    """The illustrator's face in pixels of the artwork."""
    left, top, side, _ = box
    scale = raster.SIZE / side

    def point(place: Point) -> Point:
        return (place[0] - left) * scale, (place[1] - top) * scale

    return FaceGeometry(
        source="drawn",
        left_eye=point(illustrator.left_eye),
        right_eye=point(illustrator.right_eye),
        eye_radius=illustrator.eye_radius * scale,
        nose=point(illustrator.nose),
        mouth=point(illustrator.mouth),
        mouth_width=illustrator.mouth_width * scale,
        centre=point(illustrator.centre),
        width=illustrator.width * scale,
        height=illustrator.height * scale,
        roll=illustrator.roll,
    )


def _first(concept: Concept, packs: list[str]) -> str | None:
    return next((pack for pack in packs if pack in concept.pictures), None)


def _with_words(phrase: Phrase) -> Phrase:
    """Emoji become words by their Unicode names where there are no other words."""
    if phrase.words or not phrase.emoji:
        return phrase
    named = parse(unicodedata.name(chr(int(phrase.emoji[0].split("-")[0], 16)), "").lower())
    return Phrase(named.words, named.tails, named.others, phrase.emoji)
