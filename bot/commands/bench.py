"""bench: figures of this machine, as a table and as JSON."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.files import check_writable, write_file
from bot.output import print_json, print_table, say, status
from bot.progress import Step

if TYPE_CHECKING:
    from PIL.Image import Image

    from bot.app import App
    from engine.portrait.benchmark.portraits import Report, Row
    from engine.speech.base import Speech

SPOKEN = (
    "I have watched the sea for a hundred years, and still every wave brings me a new line. "
    "Sit down beside me, and I shall read you one of them before the fog comes in."
)
WORDS_A_SECOND = 3.6


async def clip(app: App, seconds: float, *, as_json: bool) -> None:
    """Times speech, drawing and encoding of one answer of about `seconds`."""
    from engine.talkinghead import bench
    from personas.persona import PortraitBrief

    def measure() -> bench.ClipBenchReport:
        # A portrait as people have it, which needs the art packs and the model of meanings.
        portrait = app.portraits.generate(PortraitBrief(subject="lighthouse"), seed=1)
        speech, synthesis = _speak(app, seconds)
        return bench.run(
            app.head,
            portrait=portrait,
            speech=speech,
            speech_synthesis=synthesis,
            settings=app.settings.talking_head,
        )

    with status("Measuring"):
        report = await asyncio.to_thread(measure)
    if as_json:
        print_json(report.as_dict())
    else:
        print_table(("figure", "value"), list(report.as_dict().items()))


def _speak(app: App, seconds: float) -> tuple[Speech, float]:
    """A speech of about `seconds`, and how long it took once the voice was loaded."""
    voice = app.voices.cast(app.voices.names()[0], 0)
    words = (SPOKEN.split() * 20)[: max(2, round(seconds * WORDS_A_SECOND))]
    app.synthesizer.synthesize("Hello.", voice)
    start = time.perf_counter()
    speech = app.synthesizer.synthesize(" ".join(words), voice)
    return speech, time.perf_counter() - start


async def portraits(app: App, *, sheet: Path | None, style: str, limit: int, as_json: bool) -> None:
    """Draws the descriptions, counts the faces and lays all out on a sheet."""
    from engine.portrait.benchmark import portraits as bench
    from engine.portrait.benchmark.prompts import load_prompts, some_of_each
    from engine.portrait.benchmark.sheet import contact_sheet
    from engine.portrait.landmarks.base import INSTALL, open_landmarkers

    if sheet is not None:
        check_writable(sheet, force=True)
    landmarkers = open_landmarkers()
    if not landmarkers:
        say(f"No detector looks at them: {INSTALL} adds one.")
    prompts = some_of_each(load_prompts(), limit)
    with Step("Drawing portraits") as step:

        def done(count: int, total: int, _: str) -> None:
            if count == total or count % max(1, total // 10) == 0:
                step.at(count / total, f"Drawing portraits: {count} of {total}")

        report = await asyncio.to_thread(
            bench.run, app.portraits, landmarkers, prompts, style=style, done=done
        )
    if as_json:
        print_json(report.to_json())
    else:
        _print_report(report)
    if sheet is not None:
        picture = await asyncio.to_thread(contact_sheet, report.results)
        write_file(sheet, _encoded(picture, sheet.suffix), force=True)
        say(f"Contact sheet: {sheet}")


def _print_report(report: Report) -> None:
    detectors = list(report.total.found)

    def cells(row: Row) -> list[Any]:
        found = [
            f"{row.found[name]} ({100 * row.found[name] / max(row.portraits, 1):.1f}%)"
            for name in detectors
        ]
        errors = [f"{e:.2f}%" if (e := row.error[name]) is not None else "-" for name in detectors]
        return [row.category, row.portraits, row.constructed, *found, *errors, row.seconds]

    columns = [*detectors, *(f"error, {name}" for name in detectors)]
    print_table(
        ("category", "portraits", "by construction", *columns, "seconds each"),
        [cells(row) for row in (*report.rows, report.total)],
    )


def _encoded(picture: Image, suffix: str) -> bytes:
    import io

    data = io.BytesIO()
    form = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(suffix.lower(), "PNG")
    picture.save(data, form, quality=85)
    return data.getvalue()
