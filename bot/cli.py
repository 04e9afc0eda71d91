"""The commands. This module holds their names, options and help; the work is in `bot.commands`.

It imports nothing heavy, so that help and completion are quick.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.app import App


def _typer(help_text: str, **options: Any) -> typer.Typer:
    return typer.Typer(
        help=help_text,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )


cli = _typer("Type any description, and a persona is born that you can talk to.")
models = _typer("Models, voices and art that are fetched.")
bench = _typer("Measure this machine.")
config = _typer("The configuration.")
storage = _typer("Where everything is kept.")
queue = _typer("What waits to be made, and who makes it.")
cli.add_typer(models, name="models")
cli.add_typer(bench, name="bench")
cli.add_typer(config, name="config")
cli.add_typer(storage, name="storage")
cli.add_typer(queue, name="queue")


@dataclass(frozen=True)
class Invocation:
    """The options that stand before the command."""

    config: Path | None = None
    verbose: bool = False


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Persona = Annotated[str, typer.Argument(help="Its name, slug or id, or how it begins.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Gallery = Annotated[str, typer.Option(help="The gallery it belongs to.", hidden=True)]
Overwrite = Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"chatanything {version('chatanything')}")
        raise typer.Exit


@cli.callback()
def options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="A configuration file.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the log.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Type any description, and a persona is born that you can talk to."""
    context.obj = Invocation(config, verbose)


def _run(context: typer.Context, work: Callable[[App], Coroutine[Any, Any, None]]) -> None:
    """Reads the settings, makes the app, runs a command in it, explains errors."""
    from bot import logs, settings
    from bot.app import App
    from bot.output import errors_explained

    invocation: Invocation = context.obj or Invocation()
    with errors_explained():
        logs.set_up(invocation.verbose)
        loaded = settings.load(invocation.config)
        logs.adjust(loaded.operating, settings.secrets(loaded))

        async def in_app() -> None:
            async with App(loaded) as app:
                await work(app)

        asyncio.run(in_app())


@cli.command()
def create(
    context: typer.Context,
    description: Annotated[str, typer.Argument(help="Anything: a grumpy old lighthouse ...")],
    style: Annotated[str, typer.Option(help="A look; `chatanything styles` lists them.")] = "",
    voice: Annotated[str, typer.Option(help="A voice; `chatanything voices` lists them.")] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="Same seed, same persona.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to use as its appearance.")] = None,
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Build a persona from a description."""
    from bot.commands import personas

    _run(
        context,
        lambda app: personas.create(
            app,
            description,
            style=style,
            voice=voice,
            seed=seed,
            image=image,
            gallery=gallery,
            as_json=json,
        ),
    )


@cli.command("list")
def list_personas(
    context: typer.Context,
    search: Annotated[str, typer.Argument(help="Only those with these letters.")] = "",
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """List your personas."""
    from bot.commands import personas

    _run(context, lambda app: personas.list_all(app, search, gallery=gallery, as_json=json))


@cli.command()
def show(
    context: typer.Context, persona: Persona, gallery: Gallery = "terminal", json: Json = False
) -> None:
    """Show who a persona is, and where its portrait lies."""
    from bot.commands import personas

    _run(context, lambda app: personas.show(app, persona, gallery=gallery, as_json=json))


@cli.command()
def delete(
    context: typer.Context, persona: Persona, yes: Yes = False, gallery: Gallery = "terminal"
) -> None:
    """Delete a persona, its conversations and its clips."""
    from bot.commands import personas

    _run(context, lambda app: personas.delete(app, persona, yes=yes, gallery=gallery))


@cli.command()
def say(
    context: typer.Context,
    persona: Persona,
    message: Annotated[str, typer.Argument(help="What you say to it.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where the clip goes (.mp4), or its sound (.wav)."),
    ] = None,
    mode: Annotated[str, typer.Option(help="text, voice or clip; empty: as configured.")] = "",
    force: Overwrite = False,
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Say one thing to a persona and get its answer, with a clip."""
    from bot.commands import talk

    _run(
        context,
        lambda app: talk.say(
            app, persona, message, out=out, mode=mode, force=force, gallery=gallery, as_json=json
        ),
    )


@cli.command()
def chat(
    context: typer.Context,
    persona: Persona,
    mode: Annotated[str, typer.Option(help="text, voice or clip; empty: as configured.")] = "",
    gallery: Gallery = "terminal",
) -> None:
    """Talk with a persona in the terminal."""
    from bot import terminal

    _run(context, lambda app: terminal.chat(app, persona, mode=mode, gallery=gallery))


@cli.command()
def export(
    context: typer.Context,
    persona: Persona,
    file: Annotated[Path, typer.Argument(help="A .png or .json file; - for standard output.")],
    spec: Annotated[
        str, typer.Option(help="Character Card version of a .json file: v2 or v3.")
    ] = "v3",
    force: Overwrite = False,
    gallery: Gallery = "terminal",
) -> None:
    """Write a persona as a Character Card that other programs read."""
    from bot.commands import cards

    _run(
        context,
        lambda app: cards.export(app, persona, file, spec=spec, force=force, gallery=gallery),
    )


@cli.command("import")
def import_card(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A Character Card, .png or .json.")],
    style: Annotated[str, typer.Option(help="A look, if the card brings no picture.")] = "",
    voice: Annotated[str, typer.Option(help="A voice.")] = "",
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Make a persona from a Character Card."""
    from bot.commands import cards

    _run(
        context,
        lambda app: cards.import_file(
            app, file, style=style, voice=voice, gallery=gallery, as_json=json
        ),
    )


@cli.command()
def styles(context: typer.Context, json: Json = False) -> None:
    """List the looks."""
    from bot.commands import catalogues

    _run(context, lambda app: catalogues.styles(app, as_json=json))


@cli.command()
def voices(
    context: typer.Context,
    voice: Annotated[str, typer.Argument(help="Only this one.")] = "",
    description: Annotated[
        str, typer.Option("--for", help="Whose voice it would be: explains the choice.")
    ] = "",
    language: Annotated[str, typer.Option(help="A language: de, pt-BR, ...")] = "",
    engine: Annotated[str, typer.Option(help="Only voices of this engine.")] = "",
    sample: Annotated[
        Path | None, typer.Option(help="Write a WAV file in which it speaks.")
    ] = None,
    text: Annotated[str, typer.Option(help="What it says in the sample.")] = "",
    force: Overwrite = False,
    json: Json = False,
) -> None:
    """List the voices that can speak here, explain a choice, or hear one."""
    from bot.commands import voices as commands

    query = commands.VoiceQuery(voice, description, language, engine)
    _run(
        context,
        lambda app: commands.voices(
            app, query, sample=sample, text=text, force=force, as_json=json
        ),
    )


@cli.command()
def transcribe(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A recording: ogg, mp4, m4a, mp3, wav, webm ...")],
    language: Annotated[str, typer.Option(help="The language to expect: en, de, ja ...")] = "",
    json: Json = False,
) -> None:
    """Write down what is said in a recording."""
    from bot.commands import hearing

    _run(context, lambda app: hearing.transcribe(app, file, language=language, as_json=json))


@cli.command()
def discord(context: typer.Context) -> None:
    """Let personas live on Discord, until Ctrl+C."""
    from bot.commands import serve as service

    _run(context, lambda app: service.serve(app, ["discord"]))


@cli.command()
def telegram(context: typer.Context) -> None:
    """Let personas live on Telegram, until Ctrl+C."""
    from bot.commands import serve as service

    _run(context, lambda app: service.serve(app, ["telegram"]))


@cli.command()
def serve(context: typer.Context) -> None:
    """Let personas live on every platform that is set up, until Ctrl+C."""
    from bot.commands import serve as service

    _run(context, lambda app: service.serve(app))


class UsageBy(StrEnum):
    """What `usage` sums up."""

    COMMUNITY = "community"
    PERSON = "person"
    DAY = "day"


@cli.command()
def usage(
    context: typer.Context,
    community: Annotated[
        str, typer.Option(help="Only this one: discord:<server> or telegram:<chat>.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=3_660, help="So many days, with today.")] = 1,
    by: Annotated[UsageBy, typer.Option(help="Summed up by what.")] = UsageBy.COMMUNITY,
    json: Json = False,
) -> None:
    """Answers, personas, tokens and seconds of heavy work, by community, person or day."""
    from bot.commands import usage as commands

    _run(
        context,
        lambda app: commands.usage(app, community=community, days=days, by=by.value, as_json=json),
    )


@cli.command()
def worker(
    context: typer.Context,
    stages: Annotated[
        str, typer.Option(help="What it makes: portrait, clip, speech; empty: all.")
    ] = "",
    device: Annotated[
        str, typer.Option(help="cpu, cuda, cuda:1 ...; empty: as the models choose.")
    ] = "",
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="Jobs in hand at the same time.")
    ] = 1,
) -> None:
    """Make portraits, voices and clips for bots elsewhere, until Ctrl+C."""
    from bot.commands import worker as service

    _run(
        context,
        lambda app: service.work(app, stages=stages, device=device, concurrency=concurrency),
    )


@cli.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """What is installed, what can run here, and what would add the rest."""
    from bot import doctor as examination

    _run(context, lambda app: examination.doctor(app, as_json=json))


@cli.command()
def demo(
    context: typer.Context,
    description: Annotated[str, typer.Argument(help="Who to build.")] = "",
    message: Annotated[str, typer.Argument(help="What to say to it.")] = "",
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same persona.")] = 1,
) -> None:
    """The main job from end to end: fetch what is needed, build a persona, talk to it."""
    from bot.commands import demo as demonstration

    _run(context, lambda app: demonstration.demo(app, description, message, out=out, seed=seed))


@models.command("list")
def models_list(context: typer.Context, json: Json = False) -> None:
    """What can be fetched, and what is here."""
    from bot.commands import models as commands

    _run(context, lambda app: commands.list_all(app, as_json=json))


ModelNames = Annotated[
    list[str] | None,
    typer.Argument(help="Names of `models list`, or diffused looks.", show_default=False),
]


@models.command("pull")
def models_pull(context: typer.Context, names: ModelNames = None) -> None:
    """Fetch models; without a name, all that the default set-up needs on this machine."""
    from bot.commands import models as commands

    _run(context, lambda app: commands.pull(app, names or []))


@models.command("verify")
def models_verify(context: typer.Context, names: ModelNames = None, json: Json = False) -> None:
    """Check that what is here arrived whole; without a name, all."""
    from bot.commands import models as commands

    _run(context, lambda app: commands.verify(app, names or [], as_json=json))


@models.command("remove")
def models_remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names of `models list`.")],
) -> None:
    """Remove models from this machine."""
    from bot.commands import models as commands

    _run(context, lambda app: commands.remove(app, names))


@bench.command("clip")
def bench_clip(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Length of the answer.")] = 5.0,
    json: Json = False,
) -> None:
    """Speech, drawing and encoding of one answer."""
    from bot.commands import bench as commands

    _run(context, lambda app: commands.clip(app, seconds, as_json=json))


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
    json: Json = False,
) -> None:
    """SadTalker by stage and in all, with random weights."""
    from bot.commands import bench_sadtalker as commands

    _run(
        context,
        lambda app: commands.sadtalker(
            app, resolution or [], batch or [], seconds or [], size=size, as_json=json
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

    _run(context, lambda app: commands.speech(app, engine, as_json=json))


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

    _run(
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

    _run(
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

    _run(
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


@storage.command("status")
def storage_status(context: typer.Context, json: Json = False) -> None:
    """Where everything is, its size, and how much of it there is."""
    from bot.commands import storage as commands

    _run(context, lambda app: commands.status(app, as_json=json))


@storage.command("sweep")
def storage_sweep(context: typer.Context, json: Json = False) -> None:
    """Remove old clips, and what nobody uses; a running bot does so by itself."""
    from bot.commands import storage as commands

    _run(context, lambda app: commands.sweep(app, as_json=json))


@storage.command("migrate")
def storage_migrate(
    context: typer.Context,
    source: Annotated[
        str, typer.Option("--from", help="A database; empty: as configured.", show_default=False)
    ] = "",
    target: Annotated[
        str,
        typer.Option(
            "--to",
            help="A database: postgresql://user:password@host/name, sqlite:FILE.",
            envvar="CHATANYTHING_MIGRATE_TO",
            show_envvar=True,
        ),
    ] = "",
    media_from: Annotated[
        str, typer.Option(help="A folder or URL; empty: as configured.", show_default=False)
    ] = "",
    media_to: Annotated[
        str, typer.Option(help="A folder or URL: s3://bucket/prefix.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Move everything to another database, another place of media, or both; can be resumed."""
    from bot.commands import storage as commands

    _run(
        context,
        lambda app: commands.migrate(
            app,
            source=source,
            target=target,
            media_from=media_from,
            media_to=media_to,
            as_json=json,
        ),
    )


@queue.command("status")
def queue_status(context: typer.Context, json: Json = False) -> None:
    """How much waits, of which kind and how long; and who works."""
    from bot.commands import queue as commands

    _run(context, lambda app: commands.overview(app, as_json=json))


@queue.command("list")
def queue_list(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(help="waiting, running, done, failed ...; empty: what is not over.")
    ] = "",
    kind: Annotated[str, typer.Option(help="portrait, speech or clip.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """Jobs, those that are next first."""
    from bot.commands import queue as commands

    _run(
        context,
        lambda app: commands.list_jobs(app, state=state, kind=kind, limit=limit, as_json=json),
    )


JobId = Annotated[str, typer.Argument(help="Its id, or how it begins.")]


@queue.command("show")
def queue_show(context: typer.Context, job: JobId, json: Json = False) -> None:
    """One job, with what it is made of."""
    from bot.commands import queue as commands

    _run(context, lambda app: commands.show(app, job, as_json=json))


@queue.command("retry")
def queue_retry(context: typer.Context, job: JobId) -> None:
    """Try a job anew that failed or was set aside."""
    from bot.commands import queue as commands

    _run(context, lambda app: commands.retry(app, job))


@queue.command("cancel")
def queue_cancel(context: typer.Context, job: JobId) -> None:
    """End a job, whoever asked for it."""
    from bot.commands import queue as commands

    _run(context, lambda app: commands.cancel(app, job))


@queue.command("poison")
def queue_poison(context: typer.Context, json: Json = False) -> None:
    """What was set aside because it failed too often, and why."""
    from bot.commands import queue as commands

    _run(context, lambda app: commands.poison(app, as_json=json))


@config.command("show")
def config_show(context: typer.Context, json: Json = False) -> None:
    """The settings in force, without secrets."""
    from bot.commands import configuration

    _run(context, lambda app: configuration.show(app, as_json=json))


@config.command("example")
def config_example() -> None:
    """A configuration file with every option and its default."""
    from bot import settings

    typer.echo(settings.example(), nl=False)


def main() -> None:
    """The way in, for the `chatanything` command and `python -m bot`."""
    for stream in (sys.stdout, sys.stderr):
        # In the C locale a persona's name must still print, if with replacement signs.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # There, Python keeps what was typed as bytes in disguise; it was UTF-8 all the same.
    sys.argv[1:] = [os.fsencode(word).decode("utf-8", "replace") for word in sys.argv[1:]]
    cli()


from bot import cli_bench  # noqa: E402, F401 - it adds its commands to `bench`
