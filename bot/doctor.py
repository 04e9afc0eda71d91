"""doctor: what is installed, what can run here, what is missing and the command that adds it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Literal

import typer

from bot import endpoints
from bot.output import human_size, print_json, print_table, say
from bot.settings import config_file
from engine.portrait.landmarks.base import INSTALL
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from pathlib import Path

    from bot.app import App
    from engine.speech.ensemble import EngineStatus

State = Literal["ok", "optional", "missing"]

EXTRAS = {
    "landmarks": ("mediapipe", "finds faces in uploaded photos, and counts them in benchmarks"),
    "hearing": ("faster_whisper", "understands voice messages"),
    "discord": ("discord", "lets personas live on Discord"),
    "telegram": ("telegram", "lets personas live on Telegram"),
    "edge": ("edge_tts", "speaks some seventy languages, online"),
    "dlib": ("dlib", "gives a second opinion on faces in benchmarks"),
    "espeak": ("espeakng_loader", "speaks some hundred languages, like a machine"),
    "gpu": ("torch", "paints portraits and moves the faces of pictures; wants a GPU"),
    "scale": ("saq", "many processes on many machines; metrics and traces"),
}
OTHERWISE = {"landmarks": INSTALL}
"""How extras are added that pip alone cannot add."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        state: ok; optional: not here, and not needed; missing: something will not work.
        detail: what was found.
        remedy: the command that adds it, or what else to do.
    """

    what: str
    state: State
    detail: str
    remedy: str = ""


async def doctor(app: App, config: Path | None, *, as_json: bool) -> None:
    """Prints what was found; ends with 5 where something needed is missing.

    Args:
        app: whose set-up is looked at.
        config: the configuration file that was named, if one was.
        as_json: prints JSON instead of a table.
    """
    findings = [*machine(config), *packages()]
    findings += await asyncio.to_thread(lambda: [room(app), *models(app)])
    for found in await asyncio.gather(language_model(app), images(app), hearing(app)):
        findings += found
    findings += await speech_engines(app)
    findings += [await asyncio.to_thread(talking_head, app), await kept_things(app)]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(
            ("what", "state", "found", "to add or mend it"),
            [(f.what, f.state, f.detail, f.remedy) for f in findings],
        )
    missing = [finding.what for finding in findings if finding.state == "missing"]
    if missing:
        say(f"Missing: {', '.join(missing)}.")
        raise typer.Exit(5)
    say("All that the configured set-up needs is here.")


def machine(config: Path | None) -> Iterator[Finding]:
    """The computer, and what it is told."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("system", "ok", f"{platform.system()} {platform.machine()}, {cores} cores")
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok", f"{python}, chatanything {version('chatanything')}")
    gpu = shutil.which("nvidia-smi")
    yield Finding("gpu", "ok" if gpu else "optional", "NVIDIA" if gpu else "none; none is needed")
    file = config_file(config)
    yield Finding("configuration", "ok", str(file) if file else "none; the defaults are in force")


def room(app: App) -> Finding:
    """Whether what is still to be fetched fits on the disk."""
    folder = app.models.folder
    free = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free
    absent = [name for name in wanted(app) if not app.models.has(name)]
    need = sum(app.models.catalogue.get(name).size for name in absent)
    found = f"{human_size(free)} free in {folder}"
    if need:
        found += f", {human_size(need)} to be fetched"
    if free >= need:
        return Finding("room for models", "ok", found)
    return Finding("room for models", "missing", found, "set [models] folder to a larger disk")


def packages() -> Iterator[Finding]:
    """The extras that can be installed."""
    for extra, (module, purpose) in EXTRAS.items():
        here = importlib.util.find_spec(module) is not None
        yield Finding(
            f"extra {extra}",
            "ok" if here else "optional",
            purpose,
            "" if here else OTHERWISE.get(extra, f"pip install 'chatanything[{extra}]'"),
        )
    for name in _base_packages():
        try:
            version(name)
        except PackageNotFoundError:
            yield Finding(f"package {name}", "missing", "not installed", f"pip install {name}")


def _base_packages() -> list[str]:
    import re

    listed = [line for line in requires("chatanything") or [] if "extra ==" not in line]
    if sys.platform != "linux":
        listed = [line for line in listed if "sys_platform" not in line]  # all of these are Linux's
    return [re.split(r"[\s\[<>=!~;(]", line)[0] for line in listed]


def wanted(app: App) -> set[str]:
    """The models without which something does not work here."""
    from bot.commands.models import needed, writer

    written_by = writer(app, best=False)
    heavy = set() if workers_do(app) else {*needed(app)}
    return heavy if written_by is None else {*heavy, written_by}


def workers_do(app: App) -> bool:
    """Whether portraits, voices and clips are made by workers, so that a bot can do without."""
    return app.settings.jobs.backend == "saq"


def models(app: App) -> Iterator[Finding]:
    """What is fetched, and what the default set-up still needs."""
    needed_here = wanted(app)
    for status in app.models.entries():
        name = status.entry.name
        here = app.models.has(name)
        state: State = "ok" if here else "missing" if name in needed_here else "optional"
        yield Finding(
            f"model {name}",
            state,
            f"{status.entry.purpose}, {human_size(status.entry.size)}",
            "" if here else f"chatanything models pull {name}",
        )


async def language_model(app: App) -> list[Finding]:
    """Which language model would write, and whether it can."""
    from engine.llm.factory import uses_endpoint

    what, settings = "language model", app.settings.language_model
    try:
        model = await app.model()
        found = f"{model.name}, {model.context_tokens} tokens"
        if uses_endpoint(settings):
            found += f"; {await endpoints.ask(settings)} answers"
    except ChatAnythingError as error:
        return [Finding(what, "missing", str(error))]
    return [Finding(what, "ok", found)]


async def images(app: App) -> list[Finding]:
    """Whether the endpoint that paints portraits answers, where one does."""
    from engine.portrait.factory import uses_images

    if not uses_images(app.settings.portrait) or workers_do(app):
        return []
    settings = app.settings.portrait.images
    return [await _endpoint("endpoint for pictures", settings, settings.model)]


async def hearing(app: App) -> list[Finding]:
    """Whether the endpoint that listens answers, where one does."""
    from engine.hearing.factory import uses_endpoint

    settings = app.settings.hearing
    if not settings.enabled or not uses_endpoint(settings):
        return []
    return [await _endpoint("endpoint for hearing", settings, settings.model or "its usual model")]


async def _endpoint(what: str, settings: endpoints.EndpointSettings, model: str) -> Finding:
    try:
        return Finding(what, "ok", f"{model}; {await endpoints.ask(settings)} answers")
    except ChatAnythingError as error:
        return Finding(what, "missing", str(error))


async def speech_engines(app: App) -> list[Finding]:
    """Each speech engine: whether it can run here, and whether it speaks when asked."""
    from engine.speech.mixture import MixtureSynthesizer

    mixture = MixtureSynthesizer(app.ensemble, app.voices)
    statuses = await asyncio.to_thread(app.ensemble.statuses)

    async def examine(status: EngineStatus) -> Finding:
        what = f"voices of {status.name}"
        if status.obstacle:
            return Finding(what, "optional", "cannot speak here", status.obstacle)
        count = sum(preset.engine == status.name for preset in app.voices.presets())
        try:
            seconds = await asyncio.to_thread(mixture.check, status.name)
        except ChatAnythingError as error:
            return Finding(what, "optional", f"set aside, others speak instead: {error}")
        assert status.capabilities is not None
        where = "online" if status.capabilities.online else "on this machine"
        return Finding(what, "ok", f"{count} voices {where}, first words after {seconds:.1f} s")

    findings = list(await asyncio.gather(*map(examine, statuses)))
    if not any(finding.state == "ok" for finding in findings) and not workers_do(app):
        findings.append(Finding("a voice", "missing", "no engine speaks", "pip install hibari-tts"))
    return findings


def talking_head(app: App) -> Finding:
    """Who moves the faces, and what keeps the better one from doing it."""
    from engine.talkinghead.factory import has_gpu, obstacle_to_sadtalker

    settings = app.settings.talking_head
    if settings.renderer == "drawn":
        return Finding("talking head", "ok", "drawn, as it is set")
    obstacle = obstacle_to_sadtalker(settings, app.models)
    if obstacle is not None:
        needed_here = settings.renderer == "sadtalker" and not workers_do(app)
        state: State = "missing" if needed_here else "optional"
        return Finding("talking head", state, f"drawn: {obstacle.why}", obstacle.remedy)
    what = f"sadtalker, {settings.sadtalker.resolution} pixels"
    if settings.sadtalker.device == "cpu" or not has_gpu():
        return Finding("talking head", "ok", f"{what}, on the CPU: each frame takes seconds")
    return Finding("talking head", "ok", f"{what}, on the GPU; drawn where no face was found")


async def kept_things(app: App) -> Finding:
    """Whether the storage opens."""
    try:
        storage = await app.storage()
        count = await storage.personas.count("terminal")
    except ChatAnythingError as error:
        return Finding("storage", "missing", str(error))
    return Finding("storage", "ok", f"{count} personas in {storage.place}")
