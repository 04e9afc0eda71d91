"""A network with the face of Kokoro's and the mind of a whistle.

A real ONNX file of two kilobytes, with the inputs, outputs and inner names of the real one: every
letter sounds for three units of 25 ms, a pure tone of its speaker's pitch; punctuation and spaces
are silent. So all that surrounds the network is tested as it is, and what it is told about pitch,
melody and speed can be measured exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.speech.graphs import node, output

SECONDS_A_SYMBOL = 0.075
SPEAKERS = {"af_heart": 200.0, "am_puck": 100.0}
"""Hz of each."""

_FIRST_LETTER = 16.5
"""In the vocabulary, what is below is punctuation or a space."""


def write_kokoro(folder: Path) -> Path:
    """Writes the model and its speakers into a folder, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kokoro.onnx").write_bytes(_model())
    for name, hertz in SPEAKERS.items():
        style = np.full((510, 256), hertz, "<f4")
        # the longer the utterance, the lower the voice: so it shows which row was taken
        style -= np.arange(510, dtype="<f4")[:, None] * np.float32(0.01)
        style.tofile(folder / f"{name}.bin")
    return folder


def _model() -> bytes:
    made = [
        ("Cast", ["tokens"], "ids", {"to": 1}),
        ("Greater", ["ids", "first letter"], "is letter", {}),
        ("Cast", ["is letter"], "letters", {"to": 1}),
        ("Div", ["three", "speed"], "length", {}),
        ("Round", ["length"], "units", {}),
        ("Greater", ["ids", "below all"], "is symbol", {}),
        ("Cast", ["is symbol"], "symbols", {"to": 1}),
        ("Mul", ["symbols", "units"], "/encoder/Clip_output_0", {}),
        ("Cast", ["/encoder/Clip_output_0"], "/encoder/Cast_output_0", {"to": 7}),
        # the plan of the melody: a pitch for each letter, rising and falling by a tenth in turn
        ("ReduceMean", ["style"], "hertz", {}),
        ("Mod", ["ids", "two"], "odd", {"fmod": 1}),
        ("Mul", ["odd", "fifth"], "higher", {}),
        ("Add", ["higher", "nine tenths"], "swing", {}),
        ("Mul", ["letters", "hertz"], "level", {}),
        ("Mul", ["level", "swing"], "plan", {}),
        ("Unsqueeze", ["plan", "zero"], "/encoder/F0_proj/Conv_output_0", {}),
        # and what sings it
        ("Mul", ["units", "samples a unit"], "samples", {}),
        ("Cast", ["samples"], "count", {"to": 7}),
        ("Concat", ["one", "count"], "shape", {"axis": 0}),
        ("Reshape", ["/encoder/F0_proj/Conv_output_0", "column"], "pitches", {}),
        ("Expand", ["pitches", "shape"], "all pitches", {}),
        ("Reshape", ["all pitches", "flat"], "pitch", {}),
        ("Mul", ["pitch", "turn"], "steps", {}),
        ("CumSum", ["steps", "axis"], "angle", {}),
        ("Sin", ["angle"], "tone", {}),
        ("Reshape", ["letters", "column"], "loud letters", {}),
        ("Expand", ["loud letters", "shape"], "all loud letters", {}),
        ("Reshape", ["all loud letters", "flat"], "loudness", {}),
        ("Mul", ["tone", "loudness"], "voice", {}),
        ("Mul", ["voice", "fifth"], "audio", {}),
    ]
    numbers = {
        "first letter": _FIRST_LETTER, "below all": -1.0, "three": 3.0, "two": 2.0, "fifth": 0.2,
        "nine tenths": 0.9, "samples a unit": 600.0, "turn": 2 * np.pi / 24_000,
    }  # fmt: skip
    shapes = {"zero": [0], "one": [1], "column": [-1, 1], "flat": [-1]}
    parts = [
        bytes([1 << 3, 8]),  # version of the format
        _field(8, bytes([2 << 3, 13])),  # version of the operators
        *(node(kind, inputs, result, **integers) for kind, inputs, result, integers in made),
        *(_constant(name, [value], "f") for name, value in numbers.items()),
        *(_constant(name, values, "q") for name, values in shapes.items()),
        _field(7, _field(5, bytes([2 << 3, 6]) + _field(8, b"axis") + _field(9, bytes(4)))),
        _field(7, _field(2, b"whistle")),
        _input("tokens", 7, [1, None]),
        _input("style", 1, [1, 256]),
        _input("speed", 1, [1]),
        output("audio"),
    ]
    return b"".join(parts)


def _constant(name: str, values: Sequence[float], kind: str) -> bytes:
    """A tensor of float32 (`f`) or int64 (`q`)."""
    raw = b"".join(struct.pack(f"<{kind}", value) for value in values)
    data_type = {"f": 1, "q": 7}[kind]
    head = bytes([1 << 3, len(values), 2 << 3, data_type])
    return _field(7, _field(5, head + _field(8, name.encode()) + _field(9, raw)))


def _input(name: str, data_type: int, shape: Sequence[int | None]) -> bytes:
    dimensions = [
        _field(1, b"" if size is None else bytes([1 << 3]) + _varint(size)) for size in shape
    ]
    tensor = _field(1, bytes([1 << 3, data_type]) + _field(2, b"".join(dimensions)))
    return _field(7, _field(11, _field(1, name.encode()) + _field(2, tensor)))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7]) if value > 0x7F else bytes([value])
