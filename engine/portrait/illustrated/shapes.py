"""The shapes an SVG is made of: where each lies, and the document without some of them.

A path that draws several things at once (both eyes, the nose and the tips of the ears) counts as
one shape for each of its parts. Boxes are taken from control points: a little too large, which
is good enough to tell an eye from a body.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COMMAND = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^)]*)\)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_REAL = r"[\s,]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
# The two flags of an arc may be written without space around them.
_ARC = re.compile(_REAL * 3 + r"[\s,]*([01])[\s,]*([01])" + _REAL * 2)
_LEAVES = {"path", "circle", "ellipse", "rect", "polygon", "polyline", "line"}
_HIDDEN = {"defs", "clipPath", "mask", "pattern", "symbol", "filter"}


@dataclass(frozen=True)
class Shape:
    """One closed part of a drawing.

    Attributes:
        element: its number among the drawn elements of the document, from back to front.
        part: which part of that element's path.
        left, top, right, bottom: its box, in shares of the document's width and height.
        line: it is a stroke without a fill.
    """

    element: int
    part: int
    left: float
    top: float
    right: float
    bottom: float
    line: bool

    @property
    def width(self) -> float:
        """Of the box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Of the box."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """Of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def shapes_of(svg: str) -> list[Shape]:
    """Every part of every element that is drawn, from back to front; none if it cannot be read."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return []
    box = [float(number) for number in _NUMBER.findall(root.get("viewBox", ""))]
    if len(box) != 4 or box[2] <= 0 or box[3] <= 0:
        return []
    found = []
    for number, (element, matrix, inherited) in enumerate(_drawn(root)):
        line = inherited.get("fill") == "none"
        grow = _float(inherited.get("stroke-width"), 1.0) / 2 if "stroke" in inherited else 0.0
        if inherited.get("stroke") == "none":
            grow = 0.0
        for part, points in enumerate(_outlines(element)):
            moved = points @ matrix[:, :2].T + matrix[:, 2]
            low, high = moved.min(0) - grow, moved.max(0) + grow
            left, top = (low - box[:2]) / box[2:]
            right, bottom = (high - box[:2]) / box[2:]
            found.append(
                Shape(number, part, float(left), float(top), float(right), float(bottom), line)
            )
    return found


def without(svg: str, shapes: Collection[Shape]) -> str:
    """The document with `shapes` taken out; what lies below them is seen instead."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    gone: dict[int, set[int]] = {}
    for shape in shapes:
        gone.setdefault(shape.element, set()).add(shape.part)
    for number, (element, _, _) in enumerate(list(_drawn(root))):
        parts = gone.get(number)
        if not parts:
            continue
        if _name(element) == "path":
            kept = [
                d for part, (d, _) in enumerate(_parts(element.get("d", ""))) if part not in parts
            ]
            element.set("d", "".join(kept) or "M0 0")
        else:
            element.set("display", "none")
    return ElementTree.tostring(root, encoding="unicode")


def _drawn(
    root: ElementTree.Element,
) -> Iterator[tuple[ElementTree.Element, Matrix, dict[str, str]]]:
    """Elements that leave marks, with their way to the document's units and their paint."""

    def walk(
        element: ElementTree.Element, matrix: Matrix, paint: dict[str, str]
    ) -> Iterator[tuple[ElementTree.Element, Matrix, dict[str, str]]]:
        name = _name(element)
        if name in _HIDDEN:
            return
        if transform := element.get("transform"):
            matrix = _joined(matrix, transform)
        given = ("fill", "stroke", "stroke-width")
        paint = paint | {key: value for key in given if (value := element.get(key)) is not None}
        if name in _LEAVES:
            yield element, matrix, paint
        for child in element:
            yield from walk(child, matrix, paint)

    yield from walk(root, np.array([[1.0, 0, 0], [0, 1, 0]]), {})


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _float(text: str | None, fallback: float = 0.0) -> float:
    found = _NUMBER.match(text.strip()) if text else None
    return float(found.group()) if found else fallback


def _joined(matrix: Matrix, transform: str) -> Matrix:
    full = np.vstack([matrix, [0, 0, 1]])
    for kind, inside in _TRANSFORM.findall(transform):
        n = [float(number) for number in _NUMBER.findall(inside)]
        step = np.eye(3)
        if kind == "matrix" and len(n) == 6:
            step[:2] = np.array(n).reshape(3, 2).T
        elif kind == "translate" and n:
            step[:2, 2] = n[0], n[1] if len(n) > 1 else 0
        elif kind == "scale" and n:
            step[0, 0], step[1, 1] = n[0], n[-1]
        elif kind == "rotate" and n:
            cos, sin = np.cos(np.radians(n[0])), np.sin(np.radians(n[0]))
            step[:2, :2] = [[cos, -sin], [sin, cos]]
            if len(n) == 3:
                about = np.array(n[1:])
                step[:2, 2] = about - step[:2, :2] @ about
        full = full @ step
    return np.asarray(full[:2])


def _outlines(element: ElementTree.Element) -> Iterator[Matrix]:
    """[n, 2] points that enclose each part of an element, in its own units."""
    name, get = _name(element), element.get
    if name == "path":
        for _, points in _parts(get("d", "")):
            yield points
    elif name in ("circle", "ellipse"):
        x, y = _float(get("cx")), _float(get("cy"))
        rx, ry = _float(get("rx") or get("r")), _float(get("ry") or get("r"))
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        yield np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)
    elif name == "rect":
        x, y, w, h = (_float(get(key)) for key in ("x", "y", "width", "height"))
        yield np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
    elif name == "line":
        yield np.array(
            [[_float(get("x1")), _float(get("y1"))], [_float(get("x2")), _float(get("y2"))]]
        )
    else:
        numbers = [float(number) for number in _NUMBER.findall(get("points", ""))]
        if len(numbers) >= 2:
            yield np.array(numbers[: len(numbers) // 2 * 2]).reshape(-1, 2)


def _parts(path: str) -> list[tuple[str, Matrix]]:
    """A path's parts: the text of each, made to stand alone, and its control points."""
    parts: list[tuple[list[str], list[tuple[float, float]]]] = []
    x = y = start_x = start_y = 0.0
    for command, rest in _COMMAND.findall(path):
        kind, relative = command.upper(), command.islower()
        if kind == "Z":
            if parts:
                parts[-1][0].append("z")
            x, y = start_x, start_y
            continue
        numbers = _arc_numbers(rest) if kind == "A" else [float(n) for n in _NUMBER.findall(rest)]
        takes = _TAKES[kind]
        first = True
        for at in range(0, len(numbers) - takes + 1, takes):
            group = numbers[at : at + takes]
            ox, oy = (x, y) if relative else (0.0, 0.0)
            if kind == "M" and first:
                x, y = ox + group[0], oy + group[1]
                start_x, start_y = x, y
                parts.append(([f"M{x:.5g} {y:.5g}"], [(x, y)]))
                first = False
                continue
            if not parts or parts[-1][0][-1] == "z":
                start_x, start_y = x, y
                parts.append(([f"M{x:.5g} {y:.5g}"], [(x, y)]))
            text, points = parts[-1]
            letter = command if kind != "M" else ("l" if relative else "L")
            text.append(letter + " ".join(f"{number:.6g}" for number in group))
            before = x, y
            if kind == "H":
                x = ox + group[0]
            elif kind == "V":
                y = oy + group[0]
            else:
                x, y = ox + group[-2], oy + group[-1]
            if kind in "CSQ":
                pairs = zip(group[:-2:2], group[1:-2:2], strict=True)
                # Half-way to the control points: curves stay inside of them.
                points += [
                    ((ox + a + (before[0] + x) / 2) / 2, (oy + b + (before[1] + y) / 2) / 2)
                    for a, b in pairs
                ]
            elif kind == "A":
                points += _arc_reach(before, (x, y), group)
            points.append((x, y))
    return [("".join(text), np.array(points)) for text, points in parts]


def _arc_reach(
    start: tuple[float, float], end: tuple[float, float], arc: list[float]
) -> list[tuple[float, float]]:
    """The farthest point of an arc from its chord; exact for circles."""
    chord = np.array([end[0] - start[0], end[1] - start[1]])
    length = float(np.hypot(*chord))
    if length < 1e-9:
        return []
    radius = max(abs(arc[0] + arc[1]) / 2, length / 2)
    flat = float(np.sqrt(max(radius**2 - length**2 / 4, 0)))
    sagitta = radius + flat if arc[3] else radius - flat
    side = 1.0 if arc[4] else -1.0
    normal = np.array([chord[1], -chord[0]]) / length * side
    middle = np.array([(start[0] + end[0]) / 2, (start[1] + end[1]) / 2])
    reach = [middle + normal * sagitta]
    if arc[3]:
        along = chord / length * radius
        reach += [reach[0] - normal * radius + along, reach[0] - normal * radius - along]
    return [(float(point[0]), float(point[1])) for point in reach]


def _arc_numbers(text: str) -> list[float]:
    """Seven numbers for each arc of a command."""
    return [float(number) for arc in _ARC.findall(text) for number in arc]
