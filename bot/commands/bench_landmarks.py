"""bench landmarks: does guidance bring faces into diffused pictures?"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.files import write_file
from bot.output import print_json, print_table, say
from bot.progress import Step
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.app import App
    from engine.portrait.benchmark.landmarks import Shown
    from engine.portrait.guidance.plan import Arm


async def landmarks(
    app: App,
    style: str,
    *,
    folder: Path,
    arms: list[str],
    limit: int,
    seed: int,
    retries: bool,
    as_json: bool,
) -> None:
    """Paints the descriptions in each arm, counts faces, and writes tables and contact sheets.

    Raises:
        NotFoundError: there is no such look.
        InvalidInputError: there is no such arm, or the look is not painted by a model.
        UnavailableError: weights or detectors are missing.
    """
    from engine.portrait.benchmark import landmarks as bench
    from engine.portrait.benchmark.landmark_table import summary
    from engine.portrait.benchmark.prompts import load_prompts, some_of_each
    from engine.portrait.diffusion.painter import Painter
    from engine.portrait.factory import all_styles, open_hub, open_sentences
    from engine.portrait.guidance.plan import ARMS
    from engine.portrait.landmarks.base import open_landmarkers, second_opinions

    settings = app.settings.portrait
    styles = all_styles(settings)
    look = styles.get(style)
    if look.recipe is None:
        raise InvalidInputError(
            f"The look '{look.name}' is drawn, not painted by a model; `bench portraits` counts "
            "its faces."
        )
    unknown = [arm for arm in arms if arm not in ARMS]
    if unknown:
        raise InvalidInputError(f"There is no arm {unknown[0]!r}; there are {', '.join(ARMS)}.")
    chosen: list[Arm] = [arm for arm in ARMS if not arms or arm in arms]
    hub = open_hub(settings, offline=app.settings.models.offline)
    painter = Painter(styles, hub, settings.diffusion, lambda: open_sentences(app.models))
    detectors = (*open_landmarkers(), *second_opinions())
    with Step("Painting") as step:

        def done(count: int, total: int, what: str) -> None:
            step.at(count / total, f"Painting, {count} of {total}: {what[:48]}")

        results = await asyncio.to_thread(
            bench.run,
            painter,
            look,
            some_of_each(load_prompts(), limit),
            detectors,
            folder,
            arms=chosen,
            guidance=settings.diffusion.guidance,
            seed=seed,
            retries=retries,
            batch=settings.diffusion.batch,
            done=done,
        )
    await asyncio.to_thread(_keep, results, look.name, folder, retries)
    left_out = [arm for arm in chosen if not any(shown.arm == arm for shown in results)]
    if left_out:
        say(f"Left out, because there is no ControlNet here: {', '.join(left_out)}.")
    if as_json:
        print_json({"style": look.name, "paper": bench.PAPER, "rows": summary(results)})
    else:
        _print_pooled(summary(results))
        say(
            f"The paper, pooled, with prompts and a detector of its own: "
            f"{bench.PAPER['unguided']}% unguided, {bench.PAPER['guided']}% guided."
        )
    say(f"Table, results and contact sheets: {folder}")


def _keep(results: Sequence[Shown], look: str, folder: Path, retries: bool) -> None:
    """Writes the tables and a contact sheet of each arm beside the results."""
    from engine.portrait.benchmark.landmark_table import markdown, sheet

    page = markdown(results, look, retries=retries)
    write_file(folder / "report.md", page.encode(), force=True)
    for arm in dict.fromkeys(shown.arm for shown in results):
        picture = io.BytesIO()
        sheet(results, folder, arm).save(picture, "WEBP", quality=80)
        write_file(folder / f"sheet-{arm}.webp", picture.getvalue(), force=True)


def _print_pooled(rows: list[dict[str, Any]]) -> None:
    pooled = [row for row in rows if row["category"] == "all"]
    detectors = list(pooled[0]["found"]) if pooled else []

    def share(count: int, row: dict[str, Any]) -> str:
        return f"{100 * count / max(row['pictures'], 1):.1f}%"

    print_table(
        ("arm", "pictures", *detectors, "usable at once", "with retries", "seconds each"),
        [
            (
                row["arm"],
                row["pictures"],
                *(share(row["found"][name], row) for name in detectors),
                share(row["usable"], row),
                share(row["with_retries"], row),
                row["seconds"],
            )
            for row in pooled
        ],
    )
