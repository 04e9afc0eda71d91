"""bench speech and bench voices: what voices cost, and what they sound like in figures."""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.files import write_file
from bot.output import print_json, print_table, say, status
from personas.errors import ChatAnythingError, InvalidInputError

if TYPE_CHECKING:
    from bot.app import App
    from engine.speech.figures import Hear, VoiceFigures
    from personas.voices import VoiceCatalogue, VoicePreset

LISTENER = "whisper-tiny.en"


async def speech(app: App, engine: str, *, as_json: bool) -> None:
    """Times each engine that can run here, each in a process of its own."""
    from engine.speech.bench import SpeechBench, bench_engine

    reports: list[SpeechBench] = []
    for one in app.ensemble.statuses():
        if engine and one.name != engine:
            continue
        if one.obstacle:
            say(f"{one.name} cannot speak here: {one.obstacle}")
            continue
        with status(f"Measuring {one.name}"):
            try:
                reports.append(
                    await asyncio.to_thread(
                        bench_engine, one.name, app.settings.speech, app.settings.models
                    )
                )
            except ChatAnythingError as error:
                say(f"{one.name}: {error}")
    if as_json:
        print_json([asdict(report) for report in reports])
        return
    rows = [
        (
            report.engine,
            report.load_seconds,
            statistics.median(voice.first_sound_seconds for voice in report.voices),
            statistics.median(voice.real_time_factor for voice in report.voices),
            round(max(voice.memory_mb or 0 for voice in report.voices)) or "-",
        )
        for report in reports
    ]
    columns = ("engine", "first words, s", "first sentence, s", "real-time factor", "memory, MiB")
    print_table(columns, rows)


async def voices(
    app: App,
    engine: str,
    *,
    sentences: int,
    keep: Path | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Measures the English voices that can speak here without a network.

    Args:
        app: whose engines.
        engine: only voices of this one.
        sentences: how many each voice says.
        keep: a JSON file of what was measured; what stands in it is not measured again.
        page: writes a Markdown page with the table.
        as_json: prints JSON instead of a table.
    """
    from engine.speech.figures import SENTENCES, figures_of

    kept = _read(keep)
    hear = await asyncio.to_thread(_listener, app)
    chosen = SENTENCES[: sentences or len(SENTENCES)]
    found: list[VoiceFigures] = []
    for preset in _measurable(app, engine):
        key = _key(preset, len(chosen), hear is not None)
        if key not in kept:
            with status(f"Measuring {preset.name}"):
                member = app.ensemble.get(preset.engine)
                assert member is not None
                figures = await asyncio.to_thread(figures_of, member.engine, preset, chosen, hear)
            kept[key] = figures
            if keep is not None:
                _write(keep, kept)
        found.append(kept[key])
    if not found:
        raise InvalidInputError("No English voice of that engine can speak here.")
    if page is not None:
        write_file(page, _page(app.voices, found).encode(), force=True)
        say(f"Page: {page}")
    if as_json:
        print_json([asdict(one) for one in found])
    elif page is None:
        columns = ("voice", "engine", "pitch, Hz", "F1", "F2", "F3", "word error")
        print_table(columns, [_row(one) for one in found])


def _measurable(app: App, engine: str) -> list[VoicePreset]:
    natural_here = [
        one.name
        for one in app.ensemble.statuses()
        if one.capabilities is not None and not one.capabilities.online
    ]
    return [
        preset
        for preset in app.voices.speaking("en")
        if preset.engine in natural_here and (not engine or preset.engine == engine)
    ]


def _listener(app: App) -> Hear | None:
    """Writes down English; None, and a word about it, where nobody can."""
    try:
        from faster_whisper import WhisperModel

        model = WhisperModel(
            str(app.models.path(LISTENER)), device="cpu", compute_type="int8", cpu_threads=1
        )
    except ImportError:
        say("Nobody listens, so there is no word error: pip install 'chatanything[hearing]'.")
        return None
    except ChatAnythingError as error:
        say(f"Nobody listens, so there is no word error. {error}")
        return None

    def hear(samples: Any, rate: int) -> str:
        import numpy as np

        count = int(len(samples) * 16_000 / rate)
        at = np.arange(count) * rate / 16_000
        sound = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        segments, _ = model.transcribe(sound, language="en", beam_size=1, temperature=0)
        return " ".join(segment.text for segment in segments)

    return hear


def _key(preset: VoicePreset, sentences: int, heard: bool) -> str:
    """Changes with all that changes the figures of a voice."""
    sounds = preset.model_dump(mode="json", exclude={"words", "tone", "description", "spread"})
    told = json.dumps([sounds, sentences, heard], sort_keys=True)
    return f"{preset.name} {hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _read(file: Path | None) -> dict[str, VoiceFigures]:
    from engine.speech.figures import VoiceFigures

    if file is None or not file.exists():
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return {
            key: VoiceFigures(**{**one, "formants": tuple(one["formants"])})
            for key, one in entries.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInputError(f"{file} holds no measured voices.") from error


def _write(file: Path, kept: dict[str, VoiceFigures]) -> None:
    told = {key: asdict(one) for key, one in kept.items()}
    write_file(file, json.dumps(told, indent=1).encode(), force=True)


def _row(one: VoiceFigures) -> tuple[object, ...]:
    pitch = f"{one.hertz:.0f}" if one.hertz else "none"
    places = [f"{place:.0f}" for place in one.formants] or ["-"] * 3
    error = "-" if one.word_error is None else f"{one.word_error:.3f}"
    return (one.voice, one.engine, pitch, *places, error)


def _page(catalogue: VoiceCatalogue, found: list[VoiceFigures]) -> str:
    """The page on voices: figures of those that can be measured, numbers of the others."""
    errors = [one.word_error for one in found if one.word_error is not None]
    worst = max(errors, default=0.0)
    count = found[0].sentences
    lines = [
        "# Voices",
        "",
        "Made by `chatanything bench voices --page docs/voices.md` on "
        f"{datetime.now(UTC):%Y-%m-%d}; `chatanything voices` lists what can speak on your "
        "machine, and `chatanything voices NAME --sample hello.wav` lets you hear it.",
        "",
        "## English voices of this machine, measured",
        "",
        f"{len(found)} voices said {count} sentences each, without a persona's own variation. "
        "Pitch is the median of the voiced parts, F1 to F3 are medians of the first three "
        "resonances (lower: a larger throat), both in Hz. Word error is what Whisper tiny.en "
        f"misunderstood: {statistics.fmean(errors or [0.0]):.3f} on average, {worst:.3f} at "
        "worst. A whisper has no pitch; a growl has half of it.",
        "",
        "| voice | sounds like | engine | pitch | F1 | F2 | F3 | word error |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        preset = catalogue.find(one.voice)
        voice, engine, *figures = _row(one)
        sounds = preset.description if preset else ""
        lines.append(f"| {voice} | {sounds} | {engine} | " + " | ".join(map(str, figures)) + " |")
    measured = {one.engine for one in found}
    others = dict.fromkeys(p.engine for p in catalogue.presets() if p.engine not in measured)
    if others:
        lines += ["", f"Not measured here: the voices of {', '.join(others)}."]
    lines += ["", "## Languages", "", *_languages(catalogue)]
    return "\n".join(lines) + "\n"


def _languages(catalogue: VoiceCatalogue) -> list[str]:
    """Who speaks what."""
    engines = dict.fromkeys(preset.engine for preset in catalogue.presets())
    lines = [
        "Each engine that is installed speaks; characters such as giants, children and robots "
        "are shaped from its speakers.",
        "",
        "| engine | voices | languages |",
        "|---|--:|---|",
    ]
    for engine in engines:
        own = [preset for preset in catalogue.presets() if preset.engine == engine]
        tags = sorted({preset.language for preset in own})
        told = "every language of its model" if tags == ["mul"] else ", ".join(tags)
        lines.append(f"| {engine} | {len(own)} | {told} |")
    return lines
