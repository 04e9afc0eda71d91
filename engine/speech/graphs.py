"""Small changes to a neural network in an ONNX file, without a library for such files.

A file is a protocol buffer, and protocol buffers that follow each other merge: lists grow. So what
is appended to the bytes of a model adds outputs, inputs and nodes to its graph, without parsing
the megabytes before it.
"""

from __future__ import annotations

from collections.abc import Sequence

_GRAPH = 7
_NODE, _INPUT, _OUTPUT = 1, 11, 12
_FLOAT = 1


def output(name: str) -> bytes:
    """Appended, makes a tensor inside of the graph one of its outputs."""
    return _field(_GRAPH, _field(_OUTPUT, _text(1, name)))


def scalar_input(name: str) -> bytes:
    """Appended, adds an input of one float32."""
    shape = _field(2, _field(1, _number(1, 1)))
    tensor = _field(1, _number(1, _FLOAT) + shape)
    return _field(_GRAPH, _field(_INPUT, _text(1, name) + _field(2, tensor)))


def node(operator: str, inputs: Sequence[str], result: str, **integers: int) -> bytes:
    """Appended, adds a node with one result; the runtime puts nodes in order.

    Args:
        operator: its name in the ONNX standard.
        inputs: tensors by name.
        result: the tensor it makes.
        integers: attributes that are whole numbers.
    """
    parts = [_text(1, name) for name in inputs]
    parts += [_text(2, result), _text(4, operator)]
    for key, value in integers.items():
        parts.append(_field(5, _text(1, key) + _number(3, value) + _number(20, 2)))
    return _field(_GRAPH, _field(_NODE, b"".join(parts)))


def renamed_result(model: bytes, name: str, new_name: str) -> bytes:
    """The model with another name for what one node makes; those who use it still ask for `name`.

    Args:
        model: a whole file.
        name: the tensor.
        new_name: of the same length, so that nothing moves.

    Raises:
        ValueError: there is not exactly one node that makes it.
    """
    made = _text(2, name)
    if len(name) != len(new_name) or model.count(made) != 1:
        raise ValueError(f"the model does not make {name!r} exactly once")
    return model.replace(made, _text(2, new_name))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, content: str) -> bytes:
    return _field(number, content.encode())


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)
