"""Measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.base import Json, cli, group, run

bench = group("Measure this machine.")
cli.add_typer(bench, name="bench")


@bench.command("clip")
def bench_clip(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Length of the answer.")] = 5.0,
    json: Json = False,
) -> None:
    """Speech, drawing and encoding of one answer."""
    from bot.commands import bench as commands

    run(context, lambda app: commands.clip(app, seconds, as_json=json))


@bench.command("sadtalker")
def bench_sadtalker(
    context: typer.Context,
    resolution: Annotated[
        list[int] | None,
        typer.Option(help="Pixels of the face, a multiple of 128. [GPU: 256, 512; CPU: 128]"),
    ] = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Frames at once; 0: as memory allows. [GPU: 1, 8, 0; CPU: 1]"),
    ] = None,
    seconds: Annotated[
        list[float] | None,
        typer.Option(min=0.04, max=600, help="Of speech. [GPU: 5, 20; CPU: 0.4]"),
    ] = None,
    size: Annotated[int, typer.Option(min=128, max=1280, help="Pixels of a frame.")] = 512,
    original: Annotated[
        Path | None,
        typer.Option(
            help="A checkout of the original SadTalker: measure it, too, with the same weights."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """SadTalker by stage and in all, with random weights."""
    from bot.commands import bench_sadtalker as commands

    run(
        context,
        lambda app: commands.sadtalker(
            app,
            resolution or [],
            batch or [],
            seconds or [],
            size=size,
            original=original,
            as_json=json,
        ),
    )


@bench.command("speech")
def bench_speech(
    context: typer.Context,
    engine: Annotated[str, typer.Option(help="Only this engine.")] = "",
    json: Json = False,
) -> None:
    """Time to the first words, real-time factor and memory of each speech engine."""
    from bot.commands import bench_speech as commands

    run(context, lambda app: commands.speech(app, engine, as_json=json))


@bench.command("voices")
def bench_voices(
    context: typer.Context,
    engine: Annotated[str, typer.Option(help="Only voices of this engine.")] = "",
    sentences: Annotated[
        int, typer.Option(min=0, max=20, help="Sentences that each voice says; 0: all.")
    ] = 0,
    keep: Annotated[
        Path | None, typer.Option(help="A JSON file of results: go on where it ends.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write a Markdown page.")] = None,
    json: Json = False,
) -> None:
    """Pitch, formants and word error of the English voices of this machine."""
    from bot.commands import bench_speech as commands

    run(
        context,
        lambda app: commands.voices(
            app, engine, sentences=sentences, keep=keep, page=page, as_json=json
        ),
    )


@bench.command("portraits")
def bench_portraits(
    context: typer.Context,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a contact sheet (.png, .jpg, .webp).")
    ] = None,
    style: Annotated[str, typer.Option(help="Draw all in one look.")] = "",
    limit: Annotated[
        int, typer.Option(min=0, max=50, help="Descriptions of each category; 0: all.")
    ] = 0,
    json: Json = False,
) -> None:
    """Draw the 400 descriptions and count the faces that a landmark detector finds."""
    from bot.commands import bench as commands

    run(
        context,
        lambda app: commands.portraits(app, sheet=sheet, style=style, limit=limit, as_json=json),
    )


@bench.command("landmarks")
def bench_landmarks(
    context: typer.Context,
    style: Annotated[str, typer.Argument(help="A diffused look of `styles`, or of your own.")],
    out: Annotated[
        Path, typer.Option(help="Folder of results, tables and sheets; a run goes on in it.")
    ] = Path("landmarks"),
    arm: Annotated[
        list[str] | None,
        typer.Option(
            help="unguided, injection, controlnet or both; again for more; all without it.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=50, help="Descriptions of each category; 0: all.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the first picture.")] = 0,
    retries: Annotated[bool, typer.Option(help="Climb the ladder of tries after a miss.")] = True,
    json: Json = False,
) -> None:
    """Paint the 400 descriptions with and without guidance and count the faces that are found."""
    from bot.commands import bench_landmarks as commands

    run(
        context,
        lambda app: commands.landmarks(
            app,
            style,
            folder=out,
            arms=arm or [],
            limit=limit,
            seed=seed,
            retries=retries,
            as_json=json,
        ),
    )
