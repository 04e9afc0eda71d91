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
    makers = {"hero": hero, "gallery": gallery, "sheet": sheet, "telegram": telegram}
    app = App(Settings())
    for name in sys.argv[1:] or makers:
        sys.stderr.write(f"Drawing {name}\n")
        makers[name](app)


if __name__ == "__main__":
    main()
