"""What each mood does to a face at rest."""

from __future__ import annotations

from dataclasses import dataclass

from personas.persona import Mood


@dataclass(frozen=True)
class Expression:
    """The lasting part of an expression; a pose moves on top of it.

    Attributes:
        smile: -1 corners down to 1 corners up.
        smirk: how much more the right corner goes up than the left one.
        brow_left: -1 lowered to 1 raised.
        brow_right: likewise.
        brow_tilt: -1 angry to 1 worried.
        lid: how far the upper lids hang, 0 to 1.
        squint: how far the lower lids push up, 0 to 1.
        gaze: where it likes to look, as in `FacePose`.
    """

    smile: float = 0.0
    smirk: float = 0.0
    brow_left: float = 0.0
    brow_right: float = 0.0
    brow_tilt: float = 0.0
    lid: float = 0.1
    squint: float = 0.05
    gaze: tuple[float, float] = (0.0, 0.0)


EXPRESSIONS: dict[Mood, Expression] = {
    Mood.CHEERFUL: Expression(
        smile=0.75, brow_left=0.3, brow_right=0.3, brow_tilt=0.1, lid=0.06, squint=0.25
    ),
    Mood.CALM: Expression(smile=0.3, brow_tilt=0.1, lid=0.17, squint=0.06),
    Mood.GRUMPY: Expression(
        smile=-0.5, brow_left=-0.5, brow_right=-0.5, brow_tilt=-0.85, lid=0.3, squint=0.12
    ),
    Mood.SHY: Expression(
        smile=0.3, brow_left=0.15, brow_right=0.15, brow_tilt=0.6, lid=0.16, gaze=(0.3, 0.3)
    ),
    Mood.PROUD: Expression(
        smile=0.4, smirk=0.2, brow_left=0.35, brow_right=0.35, brow_tilt=-0.1, lid=0.32, squint=0.1
    ),
    Mood.SAD: Expression(
        smile=-0.42, brow_left=0.1, brow_right=0.1, brow_tilt=0.85, lid=0.24, gaze=(0.0, 0.15)
    ),
    Mood.MISCHIEVOUS: Expression(
        smile=0.6, smirk=0.7, brow_left=-0.3, brow_right=0.6, brow_tilt=-0.5, lid=0.22, squint=0.25
    ),
    Mood.CURIOUS: Expression(
        smile=0.25, brow_left=0.85, brow_right=0.3, brow_tilt=0.2, lid=0.0, squint=0.0
    ),
}
