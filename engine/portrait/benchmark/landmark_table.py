"""Tables and contact sheets of the landmark benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from engine.portrait.benchmark.landmarks import PAPER, Shown
from engine.portrait.guidance.plan import ARMS, Arm

_PAPER, _INK, _MISSED = (247, 246, 242), (40, 38, 36), (196, 60, 50)
POOLED = "all"


def summary(results: Sequence[Shown]) -> list[dict[str, Any]]:
    """A row for each arm and category, and one for each arm over all of them."""
    rows: list[dict[str, Any]] = []
    categories = [*dict.fromkeys(shown.category for shown in results), POOLED]
    for arm in (arm for arm in ARMS if any(shown.arm == arm for shown in results)):
        for category in categories:
            some = [s for s in results if s.arm == arm and category in (s.category, POOLED)]
            if not some:
                continue
            seconds = sorted(shown.seconds for shown in some)
            rows.append(
                {
                    "arm": arm,
                    "category": category,
                    "pictures": len(some),
                    "found": {
                        name: sum(shown.first[name] for shown in some) for name in some[0].first
                    },
                    "usable": sum(shown.usable for shown in some),
                    "with_retries": sum(shown.tries > 0 for shown in some),
                    "tries": round(
                        sum(shown.tries for shown in some if shown.tries)
                        / max(1, sum(shown.tries > 0 for shown in some)),
                        2,
                    ),
                    "seconds": seconds[len(seconds) // 2],
                }
            )
    return rows


def markdown(results: Sequence[Shown], style: str, *, retries: bool) -> str:
    """The tables as a page of Markdown."""
    rows = summary(results)
    detectors = list(rows[0]["found"]) if rows else []
    pooled = [row for row in rows if row["category"] == POOLED]
    head = ["arm", "pictures", *detectors, "usable at once"]
    head += ["with retries", "tries"] if retries else []
    head += ["seconds each"]
    lines = [
        f"# Faces found in pictures of the look `{style}`",
        "",
        "One picture a description, fixed seeds, no choosing. *Usable*: the first detector's face "
        "is frontal, whole and large enough for a talking head. *With retries*: of all "
        "descriptions, those that had such a face within the planned ladder of tries; the face "
        "that is drawn on what is left over counts nowhere.",
        "",
        _line(head),
        _line(["---"] * len(head)),
    ]
    for row in pooled:
        cells = [str(row["arm"]), str(row["pictures"])]
        cells += [_rate(row["found"][name], row["pictures"]) for name in detectors]
        cells += [_rate(row["usable"], row["pictures"])]
        if retries:
            cells += [_rate(row["with_retries"], row["pictures"]), f"{row['tries']:.2f}"]
        lines.append(_line([*cells, f"{row['seconds']:.2f}"]))
    lines += [
        "",
        f"The paper (arXiv 2311.06772), pooled, of 400 prompts of its own and by a detector of its "
        f"own: {PAPER['unguided']:.1f}% unguided, {PAPER['guided']:.1f}% guided. Its figures and "
        "ours are of different prompts, models and detectors.",
    ]
    for name in detectors:
        lines += ["", f"## By category: {name}, first picture", ""]
        lines += _by_category(rows, lambda row, name=name: row["found"][name])
    if retries:
        lines += ["", "## By category: usable, with retries", ""]
        lines += _by_category(rows, lambda row: row["with_retries"])
    return "\n".join(lines) + "\n"


def _by_category(rows: Sequence[dict[str, Any]], count: Any) -> list[str]:
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    categories = list(dict.fromkeys(row["category"] for row in rows))
    lines = [_line(["category", *arms]), _line(["---"] * (len(arms) + 1))]
    for category in categories:
        cells = [category]
        for arm in arms:
            row = next(r for r in rows if r["arm"] == arm and r["category"] == category)
            cells.append(_rate(count(row), row["pictures"]))
        lines.append(_line(cells))
    return lines


def _rate(found: int, pictures: int) -> str:
    return f"{100 * found / max(pictures, 1):.1f}% ({found})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def sheet(
    results: Sequence[Shown], folder: Path, arm: Arm, columns: int = 20, cell: int = 96
) -> Pictures.Image:
    """The first pictures of an arm in rows; red where the first detector found no face.

    Args:
        results: of a run.
        folder: of the run, with its pictures.
        arm: whose pictures.
        columns: pictures in a row.
        cell: width of a picture, pixels.
    """
    some = [shown for shown in results if shown.arm == arm]
    gap, text = max(2, cell // 32), max(11, cell // 9)
    rows = max(1, -(-len(some) // columns))
    across, down = cell + gap, cell + gap + text
    paper = Pictures.new("RGB", (columns * across + gap, rows * down + gap), _PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(size=max(9, text * 0.72))
    for number, shown in enumerate(some):
        x, y = gap + number % columns * across, gap + number // columns * down
        with Pictures.open(folder / shown.picture) as picture:
            small = picture.convert("RGB").resize((cell, cell), Pictures.Resampling.LANCZOS)
        paper.paste(small, (x, y))
        found = next(iter(shown.first.values()))
        if not found:
            draw.rectangle([x, y, x + cell - 1, y + cell - 1], outline=_MISSED, width=gap)
        label = shown.text
        while label and draw.textlength(label, font) > cell:
            label = label[:-1]
        draw.text((x, y + cell + 1), label, _INK if found else _MISSED, font)
    return paper
