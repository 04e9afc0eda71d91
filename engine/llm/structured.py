"""Answers in a form: the schema as models understand it, and reading what they made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.llm.base import Message, Schema, UnusableAnswerError

MAX_ANSWER = 60_000
"""Characters of an answer that are looked at: more is no answer but a loop."""

MAX_MENDED = 8_000
MAX_BRACKETS = 200
"""Characters and opening brackets of an answer that is mended: its time grows with their square."""

_NOISE = frozenset({"title", "default", "$defs"})


def json_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model: no references, titles or defaults; all that small models need."""
    whole = schema.model_json_schema()
    flat = _flatten(whole, whole.get("$defs", {}))
    assert isinstance(flat, dict)
    return flat


def _flatten(node: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    if isinstance(node, list):
        return [_flatten(item, definitions, depth) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and depth < 8:
        return _flatten(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions, depth + 1)
    flat = {}
    for key, value in node.items():
        if key == "properties":
            flat[key] = {name: _flatten(v, definitions, depth) for name, v in value.items()}
        elif key not in _NOISE:
            flat[key] = _flatten(value, definitions, depth)
    return flat


def read_answer(text: str, schema: type[Schema]) -> Schema:
    """The object in an answer, out of prose and code fences, mended where it is nearly JSON.

    Raises:
        UnusableAnswerError: there is no object, or it does not fit; the message says why in
            words that help the model to do better.
    """
    found = _find_object(text[:MAX_ANSWER])
    if found is None:
        raise UnusableAnswerError("The answer holds no JSON object.")
    try:
        return schema.model_validate(found)
    except (ValidationError, RecursionError, ValueError) as error:
        raise UnusableAnswerError(_faults(error)) from None


def _find_object(text: str) -> dict[str, Any] | None:
    import json_repair

    text = text.rpartition("</think>")[2]
    start = text.find("{")
    if start < 0:
        return None
    text = text[start:]
    try:
        whole, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        if text.count("{") + text.count("[") > MAX_BRACKETS:
            return None
        try:
            whole = json_repair.loads(text[:MAX_MENDED], skip_json_loads=True)
        except (ValueError, RecursionError, IndexError, TypeError):
            return None
    if isinstance(whole, list):  # the mender makes a list of an object and the prose after it
        whole = next((item for item in whole if isinstance(item, dict)), None)
    return whole if isinstance(whole, dict) and whole else None


def _faults(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "The answer is nested too deeply."
    faults = [
        f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)[:6]
    ]
    return "; ".join(faults)[:600]


def asking_for(messages: list[Message], schema: type[BaseModel]) -> list[Message]:
    """The messages with the schema in words, for endpoints that take no schema."""
    wish = (
        "Answer with one JSON object and nothing else. It must fit this JSON schema:\n"
        + json.dumps(json_schema(schema), ensure_ascii=False)
    )
    if messages and messages[0].role == "system":
        return [Message("system", f"{messages[0].content}\n\n{wish}"), *messages[1:]]
    return [Message("system", wish), *messages]


def asking_again(
    messages: list[Message], answer: str, fault: str, schema: type[BaseModel]
) -> list[Message]:
    """The messages with the model's faulty answer, what is wrong with it, and the schema."""
    return [
        *messages,
        Message("assistant", answer[:2_000] or "(nothing)"),
        Message(
            "user",
            f"That cannot be used. {fault}\nAnswer again with one JSON object and nothing else, "
            f"fitting this JSON schema:\n{json.dumps(json_schema(schema), ensure_ascii=False)}",
        ),
    ]
