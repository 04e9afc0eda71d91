"""The library of eSpeak NG through its C interface: text in, samples and timed events out.

The library is one state machine with one current voice, and what it has said colours what it says
next (the phase of its vibrato and of its noise go on). So a lock lets one text in at a time, and
each text gets the library as it is when just loaded, which takes less than a millisecond: the same
text always sounds the same.
"""

from __future__ import annotations

import _ctypes
import ctypes
import functools
import importlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personas.errors import UnavailableError

MISSING = 'The speech engine espeak is not installed: `pip install "chatanything[espeak]"` adds it.'
BROKEN = "The speech engine espeak does not work here. Reinstall the package espeakng-loader."

_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 1 << 0, 1 << 1, 1 << 15
_BY_CHARACTER = 1
_UTF8 = 1
_END, _WORD, _PHONEME = 0, 1, 7
_RATE = 1
_WORDS_A_MINUTE = 175
_SLOWEST, _FASTEST = 80, 440
_LOCK = threading.Lock()
"""The library is the process's, whoever asks for it."""


@dataclass(frozen=True)
class PhonemeEvent:
    """A phoneme begins: IPA with stress and length marks, empty for a pause."""

    name: str
    sample: int


@dataclass(frozen=True)
class WordEvent:
    """A word begins: the index of its first character in the text, and how many it has."""

    position: int
    length: int
    sample: int


@dataclass(frozen=True)
class Reading:
    """What became of a text.

    Attributes:
        samples: [n] float32 mono, -1 to 1.
        sample_rate: Hz.
        events: phonemes and words in order of time.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    events: tuple[PhonemeEvent | WordEvent, ...]


class EspeakLibrary:
    """Loaded for every call anew; holds nothing but where things are.

    Raises:
        UnavailableError: the package with the library is not installed.
    """

    def __init__(self) -> None:
        try:
            loader: Any = importlib.import_module("espeakng_loader")
        except ImportError as error:
            raise UnavailableError(MISSING) from error
        self._path: str = loader.get_library_path()
        self.data = Path(loader.get_data_path())

    def read(self, text: str, voice: str, rate: float = 1.0) -> Reading:
        """Reads a text aloud.

        Args:
            text: plain, in the language of the voice.
            voice: the contents of a voice file of eSpeak NG.
            rate: ratio to the usual speed; limited to 0.46 ... 2.5.

        Raises:
            UnavailableError: the library cannot be loaded, or failed.
        """
        encoded = text.replace("\0", " ").encode("utf-8", "ignore")
        speed = round(min(max(rate * _WORDS_A_MINUTE, _SLOWEST), _FASTEST))
        heard = _Ear()
        with _LOCK, tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "voice"
            file.write_text(voice, encoding="utf-8")
            with self._fresh() as (library, sample_rate):
                library.espeak_SetSynthCallback(heard.callback)
                # voices are cast with noise in them, and noise must be the same each time
                library.espeak_ng_SetRandSeed(ctypes.c_long(1))
                failed = library.espeak_SetVoiceByFile(os.fsencode(file))
                failed = failed or library.espeak_SetParameter(_RATE, speed, 0)
                failed = failed or library.espeak_Synth(
                    encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None
                )
                library.espeak_Synchronize()
        if failed or heard.failure is not None:
            raise UnavailableError("The engine espeak could not read this text.") from heard.failure
        samples = np.concatenate([*heard.blocks, np.zeros(0, np.int16)])
        return Reading(
            samples.astype(np.float32) / np.float32(32768), sample_rate, tuple(heard.events)
        )

    @functools.cached_property
    def voices(self) -> dict[str, str]:
        """For each language tag that the library knows, its voice file below `data/lang`."""
        found: dict[str, tuple[int, str]] = {}
        with _LOCK, self._fresh() as (library, _):
            library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
            listed = library.espeak_ListVoices(None)
            for index in range(10_000):
                if not listed[index]:
                    break
                voice = listed[index].contents
                file = os.fsdecode(voice.identifier)
                for priority, tag in _tags(voice.languages):
                    # the same tag stands in several files; the lowest number is the best
                    found[tag] = min(found.get(tag, (priority, file)), (priority, file))
        folder = self.data / "lang"
        return {tag: file for tag, (_, file) in sorted(found.items()) if (folder / file).is_file()}

    @contextmanager
    def _fresh(self) -> Iterator[tuple[Any, int]]:
        """The library in its first state, and its sample rate."""
        try:
            library = ctypes.CDLL(self._path)
            library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
            options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
            data = os.fsencode(self.data)
            sample_rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, data, options))
        except (OSError, AttributeError) as error:
            raise UnavailableError(BROKEN) from error
        try:
            if sample_rate <= 0:
                raise UnavailableError(BROKEN)
            yield library, sample_rate
        finally:
            library.espeak_Terminate()
            _unload(library)


class _Ear:
    """Takes what the library says, block by block."""

    def __init__(self) -> None:
        self.blocks: list[NDArray[np.int16]] = []
        self.events: list[PhonemeEvent | WordEvent] = []
        self.failure: Exception | None = None
        self.callback = _CALLBACK(self._receive)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        """Returns 1 to stop; an error must not pass through the library."""
        try:
            if count > 0 and samples:
                self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
            index = 0
            while events[index].type != _END:
                self._note(events[index])
                index += 1
        except Exception as error:
            self.failure = error
            return 1
        return 0

    def _note(self, event: _Event) -> None:
        if event.type == _PHONEME:
            name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "ignore")
            self.events.append(PhonemeEvent(name, event.sample))
        elif event.type == _WORD:
            self.events.append(WordEvent(event.text_position - 1, event.length, event.sample))


class _Value(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_ubyte * 8),
    )


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Value),
    )


class _Voice(ctypes.Structure):
    """The beginning of `espeak_VOICE` of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def _tags(address: int) -> Iterator[tuple[int, str]]:
    """Pairs of a byte that is a priority and a text that is a tag, until a zero byte."""
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        yield priority, tag.decode("ascii", "ignore").lower()
        address += len(tag) + 2


def _unload(library: Any) -> None:
    """Gives the library back; where it stays loaded all the same, it goes on from its state."""
    if os.name == "nt":
        _ctypes.FreeLibrary(library._handle)  # type: ignore[attr-defined, unused-ignore]
    else:
        _ctypes.dlclose(library._handle)
