"""Our own drawings: each is there, can be drawn, and has room for its face."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.portrait.illustrated.art import concepts, raster
from engine.portrait.illustrated.art.concepts import OURS, Concept, load_concepts

HERE = Path(concepts.__file__).parent
DRAWINGS = [concept for concept in load_concepts() if OURS in concept.pictures]


def test_there_is_a_drawing_for_each_entry_and_an_entry_for_each_drawing() -> None:
    listed = {concept.pictures[OURS] for concept in DRAWINGS}
    assert listed == {file.stem for file in (HERE / "ours").glob("*.svg")}


def test_no_two_drawings_claim_the_same_name() -> None:
    claims = [name for c in DRAWINGS for name in {c.name, *c.aliases} if not c.preferred]
    assert sorted({name for name in claims if claims.count(name) > 1}) == []


@pytest.mark.parametrize("concept", DRAWINGS, ids=lambda concept: concept.id)
def test_a_drawing_has_room_for_its_face(concept: Concept) -> None:
    svg = (HERE / "ours" / f"{concept.pictures[OURS]}.svg").read_text("utf-8")
    ElementTree.fromstring(svg)
    assert concept.face is not None
    alpha = raster.render(svg, 128)[:, :, 3]
    x, y, width = (length / 4 for length in concept.face)
    ys, xs = np.mgrid[:128, :128]
    oval = ((xs - x) / (width * 0.4)) ** 2 + ((ys - y) / (width * 0.45)) ** 2 < 1
    assert (alpha[oval] > 200).mean() > 0.93


@pytest.mark.parametrize("file", sorted((HERE / "hats").glob("*.svg")), ids=lambda file: file.stem)
def test_a_hat_can_be_drawn(file: Path) -> None:
    assert raster.render(file.read_text("utf-8"), 64)[:, :, 3].any()
