"""FacePose: what a drawn face is doing at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FacePose:
    """A moment of a face. All values are 0 at rest unless said; the painter clamps them.

    Attributes:
        jaw: how far the mouth is open, 0 closed to 1 wide.
        wide: -1 lips rounded and narrow (oo) to 1 spread (ee).
        pucker: lips pushed forward, 0 to 1.
        teeth: upper teeth on the lower lip, 0 to 1 (f, v); shows teeth in a spread mouth.
        tongue: tip of the tongue up and seen, 0 to 1 (l, th).
        press: lips pressed together, 0 to 1 (p, b, m).
        smile: -1 corners down to 1 corners up, on top of the mood's own.
        blink_left: 0 open as the mood has it to 1 closed.
        blink_right: likewise.
        gaze_x: -1 left to 1 right.
        gaze_y: -1 up to 1 down.
        brow_left: -1 lowered to 1 raised.
        brow_right: likewise.
        brow_tilt: -1 angry (inner ends down) to 1 worried (inner ends up).
        turn_x: the head's turn, -1 left to 1 right: features shift as on a ball.
        turn_y: -1 up to 1 down.
    """

    jaw: float = 0.0
    wide: float = 0.0
    pucker: float = 0.0
    teeth: float = 0.0
    tongue: float = 0.0
    press: float = 0.0
    smile: float = 0.0
    blink_left: float = 0.0
    blink_right: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    brow_left: float = 0.0
    brow_right: float = 0.0
    brow_tilt: float = 0.0
    turn_x: float = 0.0
    turn_y: float = 0.0


REST = FacePose()
"""The face of the portrait."""
