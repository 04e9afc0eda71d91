"""The pictures of the README: a persona, its clip, a gallery, and the contact sheet.

They are drawn from fixed briefs and seeds, so no language model is needed and the same art packs
give the same pictures.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from bot.app import App
from bot.settings import Settings
from engine.portrait.base import Image
from engine.portrait.benchmark.portraits import run
from engine.portrait.benchmark.sheet import contact_sheet
from engine.portrait.landmarks.base import open_landmarkers
from personas.persona import Mood, PortraitBrief

DOCS = Path(__file__).resolve().parents[1] / "docs"
LINE = "Hm! You again? Sit down, then. I have written a poem about the fog."
HERO = PortraitBrief(subject="lighthouse", details="old, by the sea", mood=Mood.GRUMPY, age="old")
SIDE = 256
"""Pixels of a picture in docs/guidance.webp."""
GALLERY = [
    ("teapot", "rounded", Mood.CHEERFUL),
    ("fox", "rounded", Mood.MISCHIEVOUS),
    ("backpack", "rounded", Mood.CHEERFUL),
    ("hedgehog", "rounded", Mood.PROUD),
    ("cactus", "rounded", Mood.GRUMPY),
    ("dragon", "rounded", Mood.CHEERFUL),
    ("librarian with red hair", "toon", Mood.CHEERFUL),
    ("cheese wedge", "rounded", Mood.CHEERFUL),
    ("snowman", "storybook", Mood.CURIOUS),
    ("light bulb", "rounded", Mood.CURIOUS),
    ("old sailor with a white beard", "avatar", Mood.PROUD),
    ("strawberry", "flat", Mood.CHEERFUL),
]


def hero(app: App) -> None:
    """docs/hero.webp: the portrait beside three moments of its clip; docs/clip.webp: the clip."""
    draft = app.portraits.generate(HERO, seed=6)
    speech = app.synthesizer.synthesize(LINE, app.voices.cast("old", seed=1))
    frames = [f.copy() for f in app.head.frames(app.head.prepare(draft), speech, seed=1)]
    widest = sorted(range(len(frames)), key=lambda i: -_difference(frames[i], frames[0]))
    chosen: list[int] = []
    for index in widest:
        if all(abs(index - other) > 12 for other in chosen):
            chosen.append(index)
        if len(chosen) == 3:
            break
    row = np.hstack([draft.image, *(frames[i] for i in sorted(chosen))])
    _save(Pictures.fromarray(row).resize((1200, 300), Pictures.Resampling.LANCZOS), "hero.webp")
    moving = [
        Pictures.fromarray(frame).resize((256, 256), Pictures.Resampling.LANCZOS)
        for frame in islice(frames, 0, None, 2)
    ]
    moving[0].save(
        DOCS / "clip.webp", save_all=True, append_images=moving[1:], duration=80, loop=0, quality=70
    )


def gallery(app: App) -> None:
    """docs/gallery.webp: twelve personas in all the looks."""
    drafts = [
        app.portraits.generate(
            PortraitBrief(
                subject=subject,
                style=style,
                mood=mood,
                is_person=app.styles.get(style).name in ("toon", "avatar", "inked", "portrait"),
            ),
            seed=number,
        )
        for number, (subject, style, mood) in enumerate(GALLERY)
    ]
    rows = [np.hstack([d.image for d in drafts[i : i + 6]]) for i in range(0, len(drafts), 6)]
    sheet = Pictures.fromarray(np.vstack(rows))
    _save(sheet.resize((1200, 400), Pictures.Resampling.LANCZOS), "gallery.webp")


def sheet(app: App) -> None:
    """docs/contact-sheet.webp: the 400 descriptions of the benchmark."""
    report = run(app.portraits, open_landmarkers())
    _save(contact_sheet(report.results, cell=112), "contact-sheet.webp", quality=72)


def guidance(_: App) -> None:
    """docs/guidance.webp: reference faces, what ControlNets see, and how the face is let go."""
    from engine.portrait.guidance.conditioning import draw_landmarks
    from engine.portrait.guidance.contours import contours_of
    from engine.portrait.guidance.face import draw_reference
    from engine.portrait.guidance.injection import Fade, face_mask
    from engine.portrait.guidance.plan import GuidanceSettings

    rows = []
    given = GuidanceSettings()
    for number, (subject, person, mood) in enumerate(
        (
            ("nurse", True, Mood.CHEERFUL),
            ("red apple", False, Mood.MISCHIEVOUS),
            ("green frog", False, Mood.GRUMPY),
        )
    ):
        brief = PortraitBrief(subject=subject, is_person=person, mood=mood)
        face = draw_reference(brief, number, SIDE)
        mask = face_mask(face.geometry, SIDE, SIDE)
        steps = [Fade(given.hold, given.release).held(mask, done) for done in (0.1, 0.35, 0.45)]
        kept = [np.where(held[..., None], face.image, 236).astype(np.uint8) for held in steps]
        landmarks = draw_landmarks(contours_of(face), SIDE, "mediapipe")
        rows.append(np.hstack([face.image, landmarks, *kept]))
    _save(Pictures.fromarray(np.vstack(rows)), "guidance.webp")


def telegram(app: App) -> None:
    """docs/telegram.webp: a talk on Telegram."""
    from _telegram_picture import telegram as draw

    draw(app, HERO, LINE, DOCS / "telegram.webp")


def _difference(frame: Image, rest: Image) -> float:
    return float(np.abs(frame.astype(np.int16) - rest).mean())


def _save(picture: Pictures.Image, name: str, quality: int = 88) -> None:
    picture.save(DOCS / name, quality=quality, method=6)


def main() -> None:
    """Makes the pictures that are named, or all."""
    DOCS.mkdir(exist_ok=True)
    makers = {
        "hero": hero,
        "gallery": gallery,
        "sheet": sheet,
        "telegram": telegram,
        "guidance": guidance,
    }
    app = App(Settings())
    for name in sys.argv[1:] or makers:
        sys.stderr.write(f"Drawing {name}\n")
        makers[name](app)


if __name__ == "__main__":
    main()
